/* What every program of the suite shares: a clock around its work, a checksum that every engine must agree on, and
   a deterministic source of numbers.

   A program times itself, between bench_begin and bench_end, so that starting the process and loading the module are
   not counted as steady state. It prints its checksum on stdout, and the elapsed nanoseconds on stderr. */
#ifndef BENCH_H
#define BENCH_H

#ifdef BENCH_FREESTANDING
#include "freestanding.h"
#else
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#endif

#define BENCH_NOINLINE __attribute__((noinline))

static struct timespec bench_started;

static inline void bench_begin(void) { clock_gettime(CLOCK_MONOTONIC, &bench_started); }

static inline void bench_end(uint64_t checksum) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t elapsed = (int64_t)(now.tv_sec - bench_started.tv_sec) * 1000000000 + (now.tv_nsec - bench_started.tv_nsec);
    printf("checksum %016" PRIx64 "\n", checksum);
    fflush(stdout);
    fprintf(stderr, "elapsed_ns %" PRId64 "\n", elapsed);
}

/* The size of the work: the first argument. A program without one is misused, so it says so. */
static inline uint32_t bench_size(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: %s SIZE\n", argc > 0 ? argv[0] : "program");
        exit(2);
    }
    return (uint32_t)strtoul(argv[1], NULL, 10);
}

/* xorshift64*: the same numbers on every machine and every engine. */
static inline uint64_t bench_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dULL;
}

/* Folds a value into a checksum (FNV-1a over eight bytes at once, with a final rotate so that order matters). */
static inline uint64_t bench_mix(uint64_t sum, uint64_t value) {
    sum = (sum ^ value) * 0x100000001b3ULL;
    return (sum << 23) | (sum >> 41);
}

static inline uint64_t bench_mix_bytes(uint64_t sum, const void *data, size_t len) {
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i++) sum = (sum ^ p[i]) * 0x100000001b3ULL;
    return bench_mix(sum, (uint64_t)len);
}

static inline uint64_t bench_mix_double(uint64_t sum, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bench_mix(sum, bits);
}

/* Text that looks like prose: words from a skewed alphabet, spaces, punctuation, line ends. For compressors, parsers and
   matchers, which behave quite differently on noise. */
static inline void bench_text(char *out, size_t len, uint64_t seed) {
    static const char letters[] = "eeeeeeetttttaaaaooooiiiinnnnssshhhrrrddlllcummwwffggyyppbbvkjxqz";
    uint64_t state = seed | 1;
    size_t i = 0;
    while (i < len) {
        uint64_t r = bench_random(&state);
        size_t word = 2 + (size_t)(r & 7);
        r >>= 3;
        /* Half of the words repeat from a small vocabulary. */
        uint64_t inner = (r & 1) ? ((r >> 1) & 0xff) * 0x9e3779b97f4a7c15ULL | 1 : r | 1;
        for (size_t j = 0; j < word && i < len; j++) out[i++] = letters[bench_random(&inner) >> 58];
        if (i < len) out[i++] = (r >> 20) % 13 == 0 ? (((r >> 30) & 1) ? '\n' : ',') : ' ';
    }
}

#endif
