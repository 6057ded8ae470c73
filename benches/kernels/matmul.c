/* Dense linear algebra: C = A * B for square matrices of doubles, rows times rows so that the inner loop is contiguous.
   Built once for scalar Wasm and once with 128-bit vectors, which the C compiler then finds by itself. */
#include "bench.h"

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv);
    double *a = malloc(sizeof(double) * n * n), *b = malloc(sizeof(double) * n * n), *c = calloc((size_t)n * n, sizeof(double));
    if (!a || !b || !c) return 1;
    uint64_t state = 42;
    for (uint32_t i = 0; i < n * n; i++) {
        a[i] = (double)(bench_random(&state) >> 40) / 16777216.0;
        b[i] = (double)(bench_random(&state) >> 40) / 16777216.0;
    }
    bench_begin();
    for (uint32_t i = 0; i < n; i++) {
        double *restrict row = c + (size_t)i * n;
        for (uint32_t k = 0; k < n; k++) {
            double f = a[(size_t)i * n + k];
            const double *restrict other = b + (size_t)k * n;
            for (uint32_t j = 0; j < n; j++) row[j] += f * other[j];
        }
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n * n; i += 17) sum = bench_mix_double(sum, c[i]);
    bench_end(sum);
    return 0;
}
