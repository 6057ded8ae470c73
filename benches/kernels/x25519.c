/* Wide multiplication: scalar multiplication on Curve25519 (RFC 7748) with five limbs of 51 bits, whose products need
   128 bits. A 64-by-64 multiply with a 128-bit result is one instruction natively; Wasm's C runtime makes it a call to
   __multi3 unless the wide-arithmetic proposal is on. */
#include "bench.h"

typedef unsigned __int128 u128;
typedef uint64_t Fe[5];
#define MASK ((1ULL << 51) - 1)

static void add(Fe r, const Fe a, const Fe b) {
    for (int i = 0; i < 5; i++) r[i] = a[i] + b[i];
}

/* a - b + 4p keeps every limb positive for the inputs that occur here. */
static void sub(Fe r, const Fe a, const Fe b) {
    r[0] = a[0] + 0x1fffffffffffb4ULL - b[0];
    for (int i = 1; i < 5; i++) r[i] = a[i] + 0x1ffffffffffffcULL - b[i];
}

static BENCH_NOINLINE void mul(Fe r, const Fe a, const Fe b) {
    u128 t[5];
    uint64_t b1 = b[1] * 19, b2 = b[2] * 19, b3 = b[3] * 19, b4 = b[4] * 19;
    t[0] = (u128)a[0] * b[0] + (u128)a[1] * b4 + (u128)a[2] * b3 + (u128)a[3] * b2 + (u128)a[4] * b1;
    t[1] = (u128)a[0] * b[1] + (u128)a[1] * b[0] + (u128)a[2] * b4 + (u128)a[3] * b3 + (u128)a[4] * b2;
    t[2] = (u128)a[0] * b[2] + (u128)a[1] * b[1] + (u128)a[2] * b[0] + (u128)a[3] * b4 + (u128)a[4] * b3;
    t[3] = (u128)a[0] * b[3] + (u128)a[1] * b[2] + (u128)a[2] * b[1] + (u128)a[3] * b[0] + (u128)a[4] * b4;
    t[4] = (u128)a[0] * b[4] + (u128)a[1] * b[3] + (u128)a[2] * b[2] + (u128)a[3] * b[1] + (u128)a[4] * b[0];
    uint64_t carry = 0;
    for (int i = 0; i < 5; i++) {
        t[i] += carry;
        r[i] = (uint64_t)t[i] & MASK;
        carry = (uint64_t)(t[i] >> 51);
    }
    r[0] += carry * 19;
    r[1] += r[0] >> 51;
    r[0] &= MASK;
}

static void swap(Fe a, Fe b, uint64_t bit) {
    uint64_t mask = 0 - bit;
    for (int i = 0; i < 5; i++) {
        uint64_t x = mask & (a[i] ^ b[i]);
        a[i] ^= x;
        b[i] ^= x;
    }
}

static void invert(Fe r, const Fe a) {
    /* a^(p-2): p-2 in binary is 250 ones, then 01011. */
    Fe t = {1};
    for (int i = 254; i >= 0; i--) {
        mul(t, t, t);
        if (i != 4 && i != 2) mul(t, t, a);
    }
    memcpy(r, t, sizeof t);
}

static void ladder(Fe out, const uint8_t scalar[32], const Fe x1) {
    Fe x2 = {1}, z2 = {0}, x3, z3 = {1}, a, aa, b, bb, e, c, d, t;
    static const Fe a24 = {121665};
    memcpy(x3, x1, sizeof x3);
    uint64_t last = 0;
    for (int i = 254; i >= 0; i--) {
        uint64_t bit = scalar[i >> 3] >> (i & 7) & 1;
        swap(x2, x3, bit ^ last);
        swap(z2, z3, bit ^ last);
        last = bit;
        add(a, x2, z2);
        mul(aa, a, a);
        sub(b, x2, z2);
        mul(bb, b, b);
        sub(e, aa, bb);
        add(c, x3, z3);
        sub(d, x3, z3);
        mul(d, d, a);
        mul(c, c, b);
        add(t, d, c);
        mul(x3, t, t);
        sub(t, d, c);
        mul(t, t, t);
        mul(z3, t, x1);
        mul(x2, aa, bb);
        mul(t, e, a24);
        add(t, t, aa);
        mul(z2, e, t);
    }
    swap(x2, x3, last);
    swap(z2, z3, last);
    invert(z2, z2);
    mul(out, x2, z2);
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    uint8_t scalar[32];
    uint64_t state = 11, sum = 0;
    Fe point = {9};
    bench_begin();
    for (uint32_t i = 0; i < rounds; i++) {
        for (int j = 0; j < 32; j++) scalar[j] = (uint8_t)(bench_random(&state) >> 56);
        scalar[0] &= 248;
        scalar[31] = (scalar[31] & 127) | 64;
        ladder(point, scalar, point);
        sum = bench_mix_bytes(sum, point, sizeof point);
    }
    bench_end(sum);
    return 0;
}
