/* A big switch in a loop: a bytecode interpreter for a register machine, running a small program (Collatz lengths). */
#include "bench.h"

enum { LOAD, MOVE, ADD, SUB, MUL, AND, SHR, JUMP, JUMP_IF_ZERO, JUMP_IF_LESS, STORE_MAX, FOLD, HALT };
typedef struct {
    uint8_t op, a, b, c;
    int32_t imm;
} Inst;

static BENCH_NOINLINE uint64_t run(const Inst *code, uint64_t limit) {
    uint64_t r[16] = {0}, sum = 0;
    r[15] = limit;
    for (uint32_t pc = 0;;) {
        Inst i = code[pc++];
        switch (i.op) {
        case LOAD: r[i.a & 15] = (uint64_t)(int64_t)i.imm; break;
        case MOVE: r[i.a & 15] = r[i.b & 15]; break;
        case ADD: r[i.a & 15] = r[i.b & 15] + r[i.c & 15]; break;
        case SUB: r[i.a & 15] = r[i.b & 15] - r[i.c & 15]; break;
        case MUL: r[i.a & 15] = r[i.b & 15] * r[i.c & 15]; break;
        case AND: r[i.a & 15] = r[i.b & 15] & r[i.c & 15]; break;
        case SHR: r[i.a & 15] = r[i.b & 15] >> (r[i.c & 15] & 63); break;
        case JUMP: pc = (uint32_t)i.imm; break;
        case JUMP_IF_ZERO: if (r[i.a & 15] == 0) pc = (uint32_t)i.imm; break;
        case JUMP_IF_LESS: if (r[i.a & 15] < r[i.b & 15]) pc = (uint32_t)i.imm; break;
        case STORE_MAX: if (r[i.b & 15] > r[i.a & 15]) r[i.a & 15] = r[i.b & 15]; break;
        case FOLD: sum = bench_mix(sum, r[i.a & 15]); break;
        case HALT: return bench_mix(sum, r[5]);
        default: return 0;
        }
    }
}

int main(int argc, char **argv) {
    uint32_t limit = bench_size(argc, argv);
    /* r0 = one, r1 = n, r2 = x, r3 = length, r4 = scratch, r5 = longest, r6 = three, r7 = zero */
    static const Inst code[] = {
        {LOAD, 0, 0, 0, 1}, {LOAD, 6, 0, 0, 3}, {LOAD, 7, 0, 0, 0}, {LOAD, 1, 0, 0, 1},
        /* 4: next n */ {MOVE, 2, 1, 0, 0}, {MOVE, 3, 7, 0, 0},
        /* 6: step */ {SUB, 4, 2, 0, 0}, {JUMP_IF_ZERO, 4, 0, 0, 15}, {ADD, 3, 3, 0, 0}, {AND, 4, 2, 0, 0}, {JUMP_IF_ZERO, 4, 0, 0, 13},
        {MUL, 2, 2, 6, 0}, {ADD, 2, 2, 0, 0},
        /* 13: halve (3x+1 of an odd x is even) */ {SHR, 2, 2, 0, 0}, {JUMP, 0, 0, 0, 6},
        /* 15: done */ {STORE_MAX, 5, 3, 0, 0}, {FOLD, 3, 0, 0, 0}, {ADD, 1, 1, 0, 0}, {JUMP_IF_LESS, 1, 15, 0, 4}, {HALT, 0, 0, 0, 0}};
    bench_begin();
    bench_end(run(code, limit));
    return 0;
}
