/* A regular-expression matcher: patterns become a small program, which is simulated over the text with a set of threads
   (Thompson's construction), so time is linear in the text. Supports . [] [^] * + ? | () and \d \w \s. */
#include "bench.h"

enum { CLASS, SPLIT, JUMP, MATCH };
typedef struct {
    uint8_t op;
    uint16_t x, y;
    uint32_t set[8]; /* the bytes that a CLASS accepts */
} Inst;

#define MAX_INSTS 256
typedef struct {
    Inst code[MAX_INSTS];
    uint32_t len;
    const char *at;
} Program;

static uint32_t emit(Program *p, uint8_t op, uint32_t x, uint32_t y) {
    if (p->len == MAX_INSTS) exit(1);
    p->code[p->len] = (Inst){.op = op, .x = (uint16_t)x, .y = (uint16_t)y};
    return p->len++;
}

/* Makes room for one instruction at `at`, moving what follows and the targets into it. */
static void insert(Program *p, uint32_t at, uint8_t op) {
    emit(p, op, 0, 0);
    memmove(&p->code[at + 1], &p->code[at], (p->len - 1 - at) * sizeof(Inst));
    for (uint32_t i = at + 1; i < p->len; i++) {
        if (p->code[i].op != SPLIT && p->code[i].op != JUMP) continue;
        if (p->code[i].x >= at) p->code[i].x++;
        if (p->code[i].y >= at) p->code[i].y++;
    }
    p->code[at] = (Inst){.op = op};
}

static void set_add(uint32_t *set, unsigned lo, unsigned hi) {
    for (unsigned c = lo; c <= hi; c++) set[c >> 5] |= 1u << (c & 31);
}

static void set_escape(uint32_t *set, char c) {
    switch (c) {
    case 'd': set_add(set, '0', '9'); break;
    case 's': set_add(set, '\t', '\r'); set_add(set, ' ', ' '); break;
    case 'w': set_add(set, '0', '9'); set_add(set, 'a', 'z'); set_add(set, 'A', 'Z'); set_add(set, '_', '_'); break;
    default: set_add(set, (uint8_t)c, (uint8_t)c); break;
    }
}

static void alternatives(Program *p);

static void atom(Program *p) {
    char c = *p->at++;
    if (c == '(') {
        alternatives(p);
        if (*p->at == ')') p->at++;
        return;
    }
    uint32_t *set = p->code[emit(p, CLASS, 0, 0)].set;
    if (c == '.') {
        set_add(set, 0, 255);
        set['\n' >> 5] &= ~(1u << ('\n' & 31));
    } else if (c == '\\') {
        set_escape(set, *p->at++);
    } else if (c == '[') {
        int negated = *p->at == '^';
        p->at += negated;
        while (*p->at && *p->at != ']') {
            if (*p->at == '\\') {
                set_escape(set, p->at[1]);
                p->at += 2;
            } else if (p->at[1] == '-' && p->at[2] != ']') {
                set_add(set, (uint8_t)p->at[0], (uint8_t)p->at[2]);
                p->at += 3;
            } else {
                set_add(set, (uint8_t)*p->at, (uint8_t)*p->at);
                p->at++;
            }
        }
        if (*p->at) p->at++;
        if (negated)
            for (int i = 0; i < 8; i++) set[i] = ~set[i];
    } else {
        set_add(set, (uint8_t)c, (uint8_t)c);
    }
}

static void sequence(Program *p) {
    while (*p->at && *p->at != '|' && *p->at != ')') {
        uint32_t start = p->len;
        atom(p);
        char c = *p->at;
        if (c == '*' || c == '?') {
            insert(p, start, SPLIT);
            if (c == '*') emit(p, JUMP, start, 0);
            p->code[start].x = (uint16_t)(start + 1);
            p->code[start].y = (uint16_t)p->len;
        } else if (c == '+') {
            emit(p, SPLIT, start, p->len + 1);
        } else {
            continue;
        }
        p->at++;
    }
}

static void alternatives(Program *p) {
    uint32_t start = p->len;
    sequence(p);
    while (*p->at == '|') {
        p->at++;
        insert(p, start, SPLIT);
        uint32_t jump = emit(p, JUMP, 0, 0);
        p->code[start].x = (uint16_t)(start + 1);
        p->code[start].y = (uint16_t)p->len;
        sequence(p);
        p->code[jump].x = (uint16_t)p->len;
    }
}

static void compile(Program *p, const char *pattern) {
    p->len = 0;
    p->at = pattern;
    alternatives(p);
    emit(p, MATCH, 0, 0);
}

typedef struct {
    uint16_t list[MAX_INSTS];
    uint32_t len, mark[MAX_INSTS];
} Threads;

static BENCH_NOINLINE void follow(const Program *p, Threads *t, uint32_t stamp, uint16_t pc) {
    while (t->mark[pc] != stamp) {
        t->mark[pc] = stamp;
        const Inst *inst = &p->code[pc];
        if (inst->op == JUMP) {
            pc = inst->x;
        } else if (inst->op == SPLIT) {
            follow(p, t, stamp, inst->x);
            pc = inst->y;
        } else {
            t->list[t->len++] = pc;
            return;
        }
    }
}

/* Counts the positions at which some match ends. */
static BENCH_NOINLINE uint64_t count(const Program *p, const char *text, size_t len) {
    static Threads sets[2];
    static uint32_t stamp;
    Threads *now = &sets[0], *next = &sets[1];
    uint64_t ends = 0;
    now->len = 0;
    stamp++;
    for (size_t i = 0; i <= len; i++) {
        follow(p, now, stamp, 0);
        uint32_t following = stamp + 1;
        uint8_t c = i < len ? (uint8_t)text[i] : 0;
        next->len = 0;
        int ended = 0;
        for (uint32_t j = 0; j < now->len; j++) {
            const Inst *inst = &p->code[now->list[j]];
            if (inst->op == MATCH)
                ended = 1;
            else if (i < len && (inst->set[c >> 5] >> (c & 31) & 1))
                follow(p, next, following, (uint16_t)(now->list[j] + 1));
        }
        ends += (uint64_t)ended;
        Threads *t = now;
        now = next;
        next = t;
        stamp = following;
    }
    return ends;
}

int main(int argc, char **argv) {
    uint32_t kib = bench_size(argc, argv);
    size_t len = (size_t)kib * 1024;
    char *text = malloc(len);
    if (!text) return 1;
    bench_text(text, len, 51);
    static const char *PATTERNS[] = {"the|and|of", "[aeiou]+[^aeiou ]+[aeiou]+", "(a|e)*(th|sh|wh)?[a-m]+o", "\\w+ing|\\w+ed ", "t.*e,"};
    uint64_t sum = 0;
    static Program program;
    bench_begin();
    for (size_t i = 0; i < sizeof PATTERNS / sizeof PATTERNS[0]; i++) {
        compile(&program, PATTERNS[i]);
        sum = bench_mix(sum, count(&program, text, len));
    }
    bench_end(sum);
    return 0;
}
