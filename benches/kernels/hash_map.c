/* Dependent loads: an open-addressing hash map from 64-bit keys to counts, with insertion, lookup, deletion, growth. */
#include "bench.h"

typedef struct {
    uint64_t key; /* 0 is empty, 1 is deleted; real keys are larger. */
    uint64_t value;
} Slot;

typedef struct {
    Slot *slots;
    uint32_t mask, used;
} Map;

static uint32_t hash(uint64_t key) {
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdULL;
    key ^= key >> 29;
    return (uint32_t)key;
}

static Slot *find(const Map *map, uint64_t key) {
    Slot *grave = NULL;
    for (uint32_t i = hash(key);; i++) {
        Slot *slot = &map->slots[i & map->mask];
        if (slot->key == key) return slot;
        if (slot->key == 0) return grave ? grave : slot;
        if (slot->key == 1 && !grave) grave = slot;
    }
}

static BENCH_NOINLINE void grow(Map *map) {
    Map next = {calloc((size_t)(map->mask + 1) * 2, sizeof(Slot)), map->mask * 2 + 1, 0};
    if (!next.slots) exit(1);
    for (uint32_t i = 0; i <= map->mask; i++) {
        if (map->slots[i].key < 2) continue;
        *find(&next, map->slots[i].key) = map->slots[i];
        next.used++;
    }
    free(map->slots);
    *map = next;
}

static BENCH_NOINLINE void bump(Map *map, uint64_t key) {
    Slot *slot = find(map, key);
    if (slot->key != key) {
        if (slot->key == 0) map->used++;
        slot->key = key;
        slot->value = 0;
    }
    slot->value++;
    if (map->used * 4ull > map->mask * 3ull) grow(map);
}

static BENCH_NOINLINE uint64_t take(Map *map, uint64_t key) {
    Slot *slot = find(map, key);
    if (slot->key != key) return 0;
    uint64_t value = slot->value;
    slot->key = 1;
    return value;
}

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv);
    bench_begin();
    Map map = {calloc(1024, sizeof(Slot)), 1023, 0};
    if (!map.slots) return 1;
    uint64_t state = 77, sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t r = bench_random(&state);
        bump(&map, (r >> 40) + 2);
        if ((i & 3) == 3) sum = bench_mix(sum, take(&map, ((r >> 16) & 0xffffff) + 2));
    }
    bench_end(bench_mix(sum, map.used));
    return 0;
}
