/* zstd: compresses text at levels 1, 3 and 9, decompresses, compares. */
#include "bench.h"
#include "zstd.h"

int main(int argc, char **argv) {
    size_t len = (size_t)bench_size(argc, argv) * 1024, bound = ZSTD_compressBound(len);
    char *text = malloc(len), *back = malloc(len), *packed = malloc(bound);
    if (!text || !back || !packed) return 1;
    bench_text(text, len, 81);
    static const int LEVELS[] = {1, 3, 9};
    uint64_t sum = 0;
    bench_begin();
    for (size_t i = 0; i < 3; i++) {
        size_t n = ZSTD_compress(packed, bound, text, len, LEVELS[i]);
        if (ZSTD_isError(n)) return 1;
        for (int j = 0; j < 4; j++) {
            if (ZSTD_decompress(back, len, packed, n) != len) return 1;
            if (memcmp(text, back, len) != 0) return 1;
        }
        sum = bench_mix_bytes(sum, packed, n);
    }
    bench_end(sum);
    return 0;
}
