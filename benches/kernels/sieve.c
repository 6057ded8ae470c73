/* Strided stores over a large array: the sieve of Eratosthenes, a byte per number. */
#include "bench.h"

int main(int argc, char **argv) {
    uint32_t limit = bench_size(argc, argv);
    bench_begin();
    uint8_t *composite = calloc((size_t)limit + 1, 1);
    if (!composite) return 1;
    for (uint64_t i = 2; i * i <= limit; i++) {
        if (composite[i]) continue;
        for (uint64_t j = i * i; j <= limit; j += i) composite[j] = 1;
    }
    uint64_t sum = 0, primes = 0;
    for (uint32_t i = 2; i <= limit; i++) {
        if (composite[i]) continue;
        primes++;
        if ((primes & 1023) == 0) sum = bench_mix(sum, i);
    }
    sum = bench_mix(sum, primes);
    bench_end(sum);
    free(composite);
    return 0;
}
