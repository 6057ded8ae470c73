/* 64-bit adds and rotates: BLAKE2b (RFC 7693), one long message. */
#include "bench.h"

static const uint64_t IV[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                               0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
static const uint8_t SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static inline uint64_t ror(uint64_t x, int n) { return x >> n | x << (64 - n); }

#define G(a, b, c, d, x, y)                                                                                            \
    do {                                                                                                               \
        v[a] += v[b] + (x);                                                                                            \
        v[d] = ror(v[d] ^ v[a], 32);                                                                                   \
        v[c] += v[d];                                                                                                  \
        v[b] = ror(v[b] ^ v[c], 24);                                                                                   \
        v[a] += v[b] + (y);                                                                                            \
        v[d] = ror(v[d] ^ v[a], 16);                                                                                   \
        v[c] += v[d];                                                                                                  \
        v[b] = ror(v[b] ^ v[c], 63);                                                                                   \
    } while (0)

static BENCH_NOINLINE void compress(uint64_t h[8], const uint8_t *block, uint64_t count, uint64_t last) {
    uint64_t v[16], m[16];
    memcpy(m, block, sizeof m);
    for (int i = 0; i < 8; i++) v[i] = h[i], v[i + 8] = IV[i];
    v[12] ^= count;
    v[14] ^= last;
    for (int round = 0; round < 12; round++) {
        const uint8_t *s = SIGMA[round % 10];
        G(0, 4, 8, 12, m[s[0]], m[s[1]]);
        G(1, 5, 9, 13, m[s[2]], m[s[3]]);
        G(2, 6, 10, 14, m[s[4]], m[s[5]]);
        G(3, 7, 11, 15, m[s[6]], m[s[7]]);
        G(0, 5, 10, 15, m[s[8]], m[s[9]]);
        G(1, 6, 11, 12, m[s[10]], m[s[11]]);
        G(2, 7, 8, 13, m[s[12]], m[s[13]]);
        G(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
    for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
}

int main(int argc, char **argv) {
    uint32_t blocks = bench_size(argc, argv);
    static uint8_t data[128 * 128];
    uint64_t state = 9, h[8];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(bench_random(&state) >> 56);
    memcpy(h, IV, sizeof h);
    h[0] ^= 0x01010040;
    bench_begin();
    for (uint32_t i = 0; i < blocks; i++) compress(h, data + 128 * (i & 127), 128ULL * (i + 1), i + 1 == blocks ? ~0ULL : 0);
    bench_end(bench_mix_bytes(0, h, sizeof h));
    return 0;
}
