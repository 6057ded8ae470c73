/* BLAKE3's compression over 1 KiB chunks, four chunks at once. With -DBENCH_SIMD the four lie side by side in 128-bit
   vectors; without, they are hashed one after the other. The tree above the chunks is a plain fold, the same in both. */
#include "bench.h"

#define CHUNK 1024
#define LANES 4

static const uint32_t IV[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
/* The message permutation applied 0 to 6 times. */
static const uint8_t SCHEDULE[7][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1}, {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4}, {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13}};

#ifdef BENCH_SIMD
typedef uint32_t Word __attribute__((vector_size(16)));
#define SPLAT(x) ((Word){(x), (x), (x), (x)})
#else
typedef uint32_t Word;
#define SPLAT(x) (x)
#endif

#define ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define G(a, b, c, d, x, y)                                                                                            \
    do {                                                                                                               \
        v[a] += v[b] + (x);                                                                                            \
        v[d] = ROR(v[d] ^ v[a], 16);                                                                                   \
        v[c] += v[d];                                                                                                  \
        v[b] = ROR(v[b] ^ v[c], 12);                                                                                   \
        v[a] += v[b] + (y);                                                                                            \
        v[d] = ROR(v[d] ^ v[a], 8);                                                                                    \
        v[c] += v[d];                                                                                                  \
        v[b] = ROR(v[b] ^ v[c], 7);                                                                                    \
    } while (0)

static BENCH_NOINLINE void compress(Word h[8], const Word m[16], Word counter, uint32_t flags) {
    Word v[16];
    for (int i = 0; i < 8; i++) v[i] = h[i];
    for (int i = 0; i < 4; i++) v[8 + i] = SPLAT(IV[i]);
    v[12] = counter;
    v[13] = SPLAT(0);
    v[14] = SPLAT(64);
    v[15] = SPLAT(flags);
#pragma unroll
    for (int round = 0; round < 7; round++) {
        const uint8_t *s = SCHEDULE[round];
        G(0, 4, 8, 12, m[s[0]], m[s[1]]);
        G(1, 5, 9, 13, m[s[2]], m[s[3]]);
        G(2, 6, 10, 14, m[s[4]], m[s[5]]);
        G(3, 7, 11, 15, m[s[6]], m[s[7]]);
        G(0, 5, 10, 15, m[s[8]], m[s[9]]);
        G(1, 6, 11, 12, m[s[10]], m[s[11]]);
        G(2, 7, 8, 13, m[s[12]], m[s[13]]);
        G(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++) h[i] = v[i] ^ v[i + 8];
}

static uint32_t load(const uint8_t *p) {
    uint32_t x;
    memcpy(&x, p, 4);
    return x;
}

static uint32_t flags_of(int block) { return (block == 0 ? 1u : 0) | (block == CHUNK / 64 - 1 ? 2u : 0); }

/* Hashes four chunks; out[lane] is the chaining value of each. */
static void four_chunks(const uint8_t *data, uint32_t first, uint32_t out[LANES][8]) {
#ifdef BENCH_SIMD
    Word h[8], m[16], counter = {first, first + 1, first + 2, first + 3};
    for (int i = 0; i < 8; i++) h[i] = SPLAT(IV[i]);
    for (int block = 0; block < CHUNK / 64; block++) {
        const uint8_t *p = data + 64 * block;
        for (int i = 0; i < 16; i++)
            m[i] = (Word){load(p + 4 * i), load(p + CHUNK + 4 * i), load(p + 2 * CHUNK + 4 * i), load(p + 3 * CHUNK + 4 * i)};
        compress(h, m, counter, flags_of(block));
    }
    for (int lane = 0; lane < LANES; lane++)
        for (int i = 0; i < 8; i++) out[lane][i] = h[i][lane];
#else
    for (uint32_t lane = 0; lane < LANES; lane++) {
        Word m[16];
        for (int i = 0; i < 8; i++) out[lane][i] = IV[i];
        for (int block = 0; block < CHUNK / 64; block++) {
            const uint8_t *p = data + CHUNK * lane + 64 * block;
            for (int i = 0; i < 16; i++) m[i] = load(p + 4 * i);
            compress(out[lane], m, first + lane, flags_of(block));
        }
    }
#endif
}

int main(int argc, char **argv) {
    uint32_t groups = bench_size(argc, argv);
    static uint8_t data[LANES * CHUNK * 16];
    uint64_t state = 3, sum = 0;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(bench_random(&state) >> 56);
    bench_begin();
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t out[LANES][8];
        four_chunks(data + LANES * CHUNK * (i & 15), i * LANES, out);
        for (int lane = 0; lane < LANES; lane++) sum = bench_mix(sum, out[lane][0] ^ (uint64_t)out[lane][7] << 32);
    }
    bench_end(sum);
    return 0;
}
