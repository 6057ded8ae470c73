/* Division-bound floating point: the spectral norm of the infinite matrix 1/((i+j)(i+j+1)/2+i+1), by power iteration. */
#include "bench.h"
#include <math.h>

static inline double element(uint32_t i, uint32_t j) { return 1.0 / (double)((i + j) * (i + j + 1) / 2 + i + 1); }

static BENCH_NOINLINE void times(uint32_t n, const double *v, double *out) {
    for (uint32_t i = 0; i < n; i++) {
        double s = 0;
        for (uint32_t j = 0; j < n; j++) s += element(i, j) * v[j];
        out[i] = s;
    }
}

static BENCH_NOINLINE void times_transposed(uint32_t n, const double *v, double *out) {
    for (uint32_t i = 0; i < n; i++) {
        double s = 0;
        for (uint32_t j = 0; j < n; j++) s += element(j, i) * v[j];
        out[i] = s;
    }
}

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv);
    double *u = malloc(n * sizeof(double)), *v = malloc(n * sizeof(double)), *t = malloc(n * sizeof(double));
    if (!u || !v || !t) return 1;
    bench_begin();
    for (uint32_t i = 0; i < n; i++) u[i] = 1;
    for (int round = 0; round < 10; round++) {
        times(n, u, t);
        times_transposed(n, t, v);
        times(n, v, t);
        times_transposed(n, t, u);
    }
    double uv = 0, vv = 0;
    for (uint32_t i = 0; i < n; i++) {
        uv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    bench_end(bench_mix_double(0, sqrt(uv / vv)));
    return 0;
}
