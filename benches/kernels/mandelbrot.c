/* Escape-time iteration in doubles. With -DBENCH_SIMD two pixels go side by side in a 128-bit vector; both forms compute
   the same values and so give the same checksum. */
#include "bench.h"

#define LIMIT 100

#ifdef BENCH_SIMD
typedef double F64x2 __attribute__((vector_size(16)));
typedef int64_t I64x2 __attribute__((vector_size(16)));

static void escape2(double cx0, double cx1, double cy, uint32_t out[2]) {
    F64x2 cx = {cx0, cx1}, cys = {cy, cy}, x = {0, 0}, y = {0, 0}, four = {4, 4};
    I64x2 count = {0, 0}, live = {-1, -1};
    for (int i = 0; i < LIMIT; i++) {
        F64x2 xx = x * x, yy = y * y;
        live &= (I64x2)(xx + yy <= four);
        if (live[0] == 0 && live[1] == 0) break;
        count -= live;
        y = (x + x) * y + cys;
        x = xx - yy + cx;
    }
    out[0] = (uint32_t)count[0];
    out[1] = (uint32_t)count[1];
}
#else
static uint32_t escape(double cx, double cy) {
    double x = 0, y = 0;
    uint32_t i = 0;
    for (; i < LIMIT; i++) {
        double xx = x * x, yy = y * y;
        if (!(xx + yy <= 4.0)) break;
        y = (x + x) * y + cy;
        x = xx - yy + cx;
    }
    return i;
}

static void escape2(double cx0, double cx1, double cy, uint32_t out[2]) {
    out[0] = escape(cx0, cy);
    out[1] = escape(cx1, cy);
}
#endif

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv) & ~1u;
    bench_begin();
    uint64_t sum = 0, total = 0;
    for (uint32_t row = 0; row < n; row++) {
        double cy = 2.0 * row / n - 1.0;
        for (uint32_t col = 0; col < n; col += 2) {
            uint32_t out[2];
            escape2(2.0 * col / n - 1.5, 2.0 * (col + 1) / n - 1.5, cy, out);
            total += out[0] + 3 * out[1];
        }
        sum = bench_mix(sum, total);
    }
    bench_end(sum);
    return 0;
}
