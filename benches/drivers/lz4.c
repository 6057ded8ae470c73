/* lz4: compresses fast and at high level 6, decompresses many times, compares. */
#include "bench.h"
#include "lz4.h"
#include "lz4hc.h"

int main(int argc, char **argv) {
    int len = (int)bench_size(argc, argv) * 1024, bound = LZ4_compressBound(len);
    char *text = malloc((size_t)len), *back = malloc((size_t)len), *packed = malloc((size_t)bound);
    if (!text || !back || !packed) return 1;
    bench_text(text, (size_t)len, 101);
    uint64_t sum = 0;
    bench_begin();
    for (int high = 0; high < 2; high++) {
        int n = high ? LZ4_compress_HC(text, packed, len, bound, 6) : LZ4_compress_default(text, packed, len, bound);
        if (n <= 0) return 1;
        for (int j = 0; j < 8; j++) {
            if (LZ4_decompress_safe(packed, back, n, len) != len) return 1;
            if (memcmp(text, back, (size_t)len) != 0) return 1;
        }
        /* What was packed differs between 32- and 64-bit builds (hash of 4 or 5 bytes), so only the text counts. */
        sum = bench_mix_bytes(sum, back, (size_t)len);
    }
    bench_end(sum);
    return 0;
}
