/* Table look-ups byte by byte: base64 (RFC 4648) encode, decode, compare. */
#include "bench.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t reverse[256];

static BENCH_NOINLINE size_t encode(char *out, const uint8_t *in, size_t len) {
    char *start = out;
    for (; len >= 3; in += 3, len -= 3) {
        uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *out++ = ALPHABET[v >> 18];
        *out++ = ALPHABET[v >> 12 & 63];
        *out++ = ALPHABET[v >> 6 & 63];
        *out++ = ALPHABET[v & 63];
    }
    if (len) {
        uint32_t v = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
        *out++ = ALPHABET[v >> 18];
        *out++ = ALPHABET[v >> 12 & 63];
        *out++ = len == 2 ? ALPHABET[v >> 6 & 63] : '=';
        *out++ = '=';
    }
    return (size_t)(out - start);
}

static BENCH_NOINLINE size_t decode(uint8_t *out, const char *in, size_t len) {
    uint8_t *start = out;
    uint32_t v = 0, bits = 0;
    for (size_t i = 0; i < len && in[i] != '='; i++) {
        uint8_t digit = reverse[(uint8_t)in[i]];
        if (digit == 255) return 0;
        v = v << 6 | digit;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (uint8_t)(v >> bits);
        }
    }
    return (size_t)(out - start);
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    enum { LEN = 65534 };
    static uint8_t data[LEN], back[LEN + 3];
    static char text[(LEN + 2) / 3 * 4];
    uint64_t state = 21, sum = 0;
    memset(reverse, 255, sizeof reverse);
    for (uint8_t i = 0; i < 64; i++) reverse[(uint8_t)ALPHABET[i]] = i;
    for (size_t i = 0; i < LEN; i++) data[i] = (uint8_t)(bench_random(&state) >> 56);
    bench_begin();
    for (uint32_t i = 0; i < rounds; i++) {
        data[i % LEN] ^= (uint8_t)i;
        size_t n = encode(text, data, LEN);
        size_t m = decode(back, text, n);
        if (m != LEN || memcmp(back, data, LEN) != 0) return 1;
        sum = bench_mix(sum, (uint64_t)text[i * 7 % n] << 8 | back[i % m]);
    }
    bench_end(sum);
    return 0;
}
