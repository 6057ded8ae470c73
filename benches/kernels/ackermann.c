/* Deep recursion: Ackermann's function, whose outer call is a tail call and whose inner one is not. */
#include "bench.h"

static BENCH_NOINLINE uint32_t ackermann(uint32_t m, uint32_t n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    bench_begin();
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rounds; i++) sum = bench_mix(sum, ackermann(3, 7 + (i & 1)));
    bench_end(sum);
    return 0;
}
