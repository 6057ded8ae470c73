/* Short loops over tiny arrays: the most flips of a prefix over all permutations. */
#include "bench.h"

#define MAX 12

int main(int argc, char **argv) {
    uint32_t n = bench_size(argc, argv);
    if (n < 2 || n > MAX) return 2;
    bench_begin();
    int32_t perm[MAX], work[MAX], count[MAX], best = 0, parity = 0;
    int64_t signed_flips = 0;
    for (uint32_t i = 0; i < n; i++) perm[i] = (int32_t)i;
    uint32_t r = n;
    for (;;) {
        for (; r != 1; r--) count[r - 1] = (int32_t)r;
        if (perm[0] != 0) {
            memcpy(work, perm, n * sizeof work[0]);
            int32_t flips = 0;
            for (int32_t first = work[0]; first != 0; first = work[0]) {
                for (int32_t lo = 0, hi = first; lo < hi; lo++, hi--) {
                    int32_t t = work[lo];
                    work[lo] = work[hi];
                    work[hi] = t;
                }
                flips++;
            }
            if (flips > best) best = flips;
            signed_flips += parity ? -flips : flips;
        }
        for (;;) {
            if (r == n) goto done;
            int32_t first = perm[0];
            for (uint32_t i = 0; i < r; i++) perm[i] = perm[i + 1];
            perm[r] = first;
            if (--count[r] > 0) break;
            r++;
        }
        parity ^= 1;
    }
done:
    bench_end(bench_mix(bench_mix(0, (uint64_t)signed_flips), (uint64_t)best));
    return 0;
}
