/* Unpredictable branches and swaps: quicksort of 32-bit integers, median of three, insertion sort below 16. */
#include "bench.h"

static BENCH_NOINLINE void sort(int32_t *a, int32_t lo, int32_t hi) {
    while (hi - lo > 16) {
        int32_t mid = lo + (hi - lo) / 2, x = a[lo], y = a[mid], z = a[hi];
        int32_t pivot = x < y ? (y < z ? y : (x < z ? z : x)) : (x < z ? x : (y < z ? z : y));
        int32_t i = lo, j = hi;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) {
                int32_t t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        /* The smaller part recurses, the larger one loops, so depth stays logarithmic. */
        if (j - lo < hi - i) {
            sort(a, lo, j);
            lo = i;
        } else {
            sort(a, i, hi);
            hi = j;
        }
    }
    for (int32_t i = lo + 1; i <= hi; i++) {
        int32_t v = a[i], j = i;
        for (; j > lo && a[j - 1] > v; j--) a[j] = a[j - 1];
        a[j] = v;
    }
}

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv);
    int32_t *a = malloc((size_t)n * sizeof *a);
    if (!a) return 1;
    uint64_t state = 5, sum = 0;
    for (uint32_t i = 0; i < n; i++) a[i] = (int32_t)(bench_random(&state) >> 32);
    bench_begin();
    sort(a, 0, (int32_t)n - 1);
    for (uint32_t i = 1; i < n; i++)
        if (a[i - 1] > a[i]) return 1;
    for (uint32_t i = 0; i < n; i += 101) sum = bench_mix(sum, (uint64_t)(int64_t)a[i]);
    bench_end(sum);
    return 0;
}
