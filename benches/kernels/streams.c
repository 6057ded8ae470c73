/* Indirect calls to small functions of several kinds: streams that pull from each other through pointers, and apply functions
   that they were given, which is what closures and interfaces become. Three shapes of pipelines share the code. */
#include "bench.h"

typedef struct Stream Stream;
typedef int (*Next)(Stream *, uint32_t *);
typedef uint32_t (*Function)(uint32_t value, uint32_t captured);
struct Stream {
    Next next;
    Stream *from;
    Function function;
    uint32_t captured, at, end;
};

static int next_of_range(Stream *s, uint32_t *value) {
    if (s->at == s->end) return 0;
    *value = s->at++;
    return 1;
}

static int next_of_map(Stream *s, uint32_t *value) {
    uint32_t x;
    if (!s->from->next(s->from, &x)) return 0;
    *value = s->function(x, s->captured);
    return 1;
}

static int next_of_filter(Stream *s, uint32_t *value) {
    do {
        if (!s->from->next(s->from, value)) return 0;
    } while (!s->function(*value, s->captured));
    return 1;
}

static uint32_t scaled(uint32_t x, uint32_t by) { return x * by; }
static uint32_t moved(uint32_t x, uint32_t by) { return x + by; }
static uint32_t turned(uint32_t x, uint32_t by) { return x ^ x >> by; }
static uint32_t is_odd(uint32_t x, uint32_t bit) { return x >> bit & 1; }
static uint32_t is_below(uint32_t x, uint32_t limit) { return x < limit; }

static BENCH_NOINLINE uint64_t fold(Stream *s, uint64_t sum, uint64_t (*step)(uint64_t, uint64_t)) {
    uint32_t value;
    while (s->next(s, &value)) sum = step(sum, value);
    return sum;
}

static uint64_t add(uint64_t sum, uint64_t value) { return sum + value; }

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv);
    uint64_t sum = 0;
    /* Chosen at run time, so that no callee is known beforehand. */
    Function maps[] = {scaled, moved, turned}, tests[] = {is_odd, is_below};
    uint64_t (*steps[])(uint64_t, uint64_t) = {add, bench_mix};
    bench_begin();
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t pick = (uint32_t)argc + (round == 2);
        Stream range = {next_of_range, NULL, NULL, 0, 0, n};
        Stream map = {next_of_map, &range, maps[pick % 3], 13, 0, 0};
        Stream filter = {next_of_filter, &map, tests[pick % 2], 3, 0, 0};
        Stream again = {next_of_map, &filter, maps[(pick + 1) % 3], 7, 0, 0};
        sum = bench_mix(sum, fold(&again, round, steps[pick % 2]));
    }
    bench_end(sum);
    return 0;
}
