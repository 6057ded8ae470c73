/* bzip2: compresses text in blocks of 900 kB, decompresses, compares. */
#include "bench.h"
#include "bzlib.h"

/* bzlib calls this where it finds itself broken, when built without stdio. */
void bz_internal_error(int code) { exit(100 + code); }

int main(int argc, char **argv) {
    unsigned len = bench_size(argc, argv) * 1024, bound = len + len / 100 + 600, n = bound, m = len;
    char *text = malloc(len), *back = malloc(len), *packed = malloc(bound);
    if (!text || !back || !packed) return 1;
    bench_text(text, len, 91);
    bench_begin();
    if (BZ2_bzBuffToBuffCompress(packed, &n, text, len, 9, 0, 0) != BZ_OK) return 1;
    if (BZ2_bzBuffToBuffDecompress(back, &m, packed, n, 0, 0) != BZ_OK) return 1;
    if (m != len || memcmp(text, back, len) != 0) return 1;
    bench_end(bench_mix_bytes(0, packed, n));
    return 0;
}
