/* Direct calls: the naive Fibonacci recursion. */
#include "bench.h"

static BENCH_NOINLINE uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv);
    bench_begin();
    uint64_t sum = bench_mix(0, fib(n));
    bench_end(sum);
    return 0;
}
