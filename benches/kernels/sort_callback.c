/* Indirect calls to a tiny function: heapsort through a comparison callback, as qsort-like library code does. */
#include "bench.h"

typedef struct {
    uint32_t key, value;
} Item;
typedef int (*Compare)(const void *, const void *);

static int by_key(const void *a, const void *b) {
    uint32_t x = ((const Item *)a)->key, y = ((const Item *)b)->key;
    return (x > y) - (x < y);
}

static int by_value_descending(const void *a, const void *b) {
    uint32_t x = ((const Item *)a)->value, y = ((const Item *)b)->value;
    return (x < y) - (x > y);
}

static BENCH_NOINLINE void sift(Item *a, uint32_t root, uint32_t n, Compare compare) {
    Item moved = a[root];
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= n) break;
        if (child + 1 < n && compare(&a[child], &a[child + 1]) < 0) child++;
        if (compare(&moved, &a[child]) >= 0) break;
        a[root] = a[child];
        root = child;
    }
    a[root] = moved;
}

static BENCH_NOINLINE void sort(Item *a, uint32_t n, Compare compare) {
    for (uint32_t i = n / 2; i-- > 0;) sift(a, i, n, compare);
    for (uint32_t end = n; end-- > 1;) {
        Item t = a[0];
        a[0] = a[end];
        a[end] = t;
        sift(a, 0, end, compare);
    }
}

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv);
    Item *a = malloc((size_t)n * sizeof *a);
    /* Chosen at run time, so that the callee cannot be inlined. */
    Compare orders[2] = {by_key, by_value_descending};
    if (!a) return 1;
    uint64_t state = 15, sum = 0;
    bench_begin();
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < n; i++) a[i] = (Item){(uint32_t)(bench_random(&state) >> 32), i * 2654435761u};
        sort(a, n, orders[(round + (uint32_t)argc) & 1]);
        for (uint32_t i = 0; i < n; i += 101) sum = bench_mix(sum, (uint64_t)a[i].key << 32 | a[i].value);
    }
    bench_end(sum);
    return 0;
}
