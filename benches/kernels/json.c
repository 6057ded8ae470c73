/* Recursive descent and allocation: parses JSON into a tree in an arena, walks it, writes it out again. */
#include "bench.h"

typedef enum { NUL, FALSE_, TRUE_, NUMBER, STRING, ARRAY, OBJECT } Kind;
typedef struct Value {
    Kind kind;
    uint32_t len;
    struct Value *next, *child; /* children of arrays and objects, in order */
    const char *key;
    uint32_t key_len;
    union {
        double number;
        const char *string;
    };
} Value;

typedef struct {
    char *base;
    size_t used, capacity;
} Arena;

static void *take(Arena *arena, size_t bytes) {
    bytes = (bytes + 7) & ~(size_t)7;
    if (arena->capacity - arena->used < bytes) exit(1);
    void *p = arena->base + arena->used;
    arena->used += bytes;
    return p;
}

typedef struct {
    const char *at, *end;
    Arena *arena;
} Parser;

static void blank(Parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r')) p->at++;
}

static const char *string(Parser *p, uint32_t *len) {
    char *out = take(p->arena, 64), *start = out;
    p->at++;
    while (p->at < p->end && *p->at != '"') {
        char c = *p->at++;
        if (c == '\\' && p->at < p->end) {
            c = *p->at++;
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        if (out - start < 63) *out++ = c;
    }
    p->at++;
    *len = (uint32_t)(out - start);
    return start;
}

static double number(Parser *p) {
    int negative = *p->at == '-';
    p->at += negative;
    uint64_t mantissa = 0;
    int scale = 0, point = 0;
    for (; p->at < p->end; p->at++) {
        if (*p->at >= '0' && *p->at <= '9') {
            mantissa = mantissa * 10 + (uint64_t)(*p->at - '0');
            scale += point;
        } else if (*p->at == '.') {
            point = 1;
        } else {
            break;
        }
    }
    static const double POWERS[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    double v = (double)mantissa / POWERS[scale < 6 ? scale : 6];
    return negative ? -v : v;
}

static Value *value(Parser *p, int depth) {
    if (depth > 64) exit(1);
    blank(p);
    Value *v = take(p->arena, sizeof *v);
    memset(v, 0, sizeof *v);
    char c = p->at < p->end ? *p->at : 0;
    if (c == '{' || c == '[') {
        char close = c == '{' ? '}' : ']';
        v->kind = c == '{' ? OBJECT : ARRAY;
        Value **tail = &v->child;
        p->at++;
        for (blank(p); p->at < p->end && *p->at != close; blank(p)) {
            const char *key = NULL;
            uint32_t key_len = 0;
            if (c == '{') {
                key = string(p, &key_len);
                blank(p);
                p->at++; /* the colon */
            }
            *tail = value(p, depth + 1);
            (*tail)->key = key;
            (*tail)->key_len = key_len;
            tail = &(*tail)->next;
            v->len++;
            blank(p);
            if (p->at < p->end && *p->at == ',') p->at++;
        }
        p->at++;
    } else if (c == '"') {
        v->kind = STRING;
        v->string = string(p, &v->len);
    } else if (c == 't' || c == 'f' || c == 'n') {
        v->kind = c == 't' ? TRUE_ : c == 'f' ? FALSE_ : NUL;
        p->at += c == 'f' ? 5 : 4;
    } else {
        v->kind = NUMBER;
        v->number = number(p);
    }
    return v;
}

static uint64_t walk(const Value *v, uint64_t sum) {
    for (; v; v = v->next) {
        sum = bench_mix(sum, (uint64_t)v->kind << 32 | v->len);
        if (v->key) sum = bench_mix_bytes(sum, v->key, v->key_len);
        if (v->kind == NUMBER) sum = bench_mix_double(sum, v->number);
        if (v->kind == STRING) sum = bench_mix_bytes(sum, v->string, v->len);
        sum = walk(v->child, sum);
    }
    return sum;
}

static size_t generate(char *out, size_t capacity) {
    uint64_t state = 41;
    size_t n = (size_t)sprintf(out, "{\"version\": 1, \"items\": [\n");
    for (unsigned i = 0; n + 512 < capacity; i++) {
        uint64_t r = bench_random(&state);
        n += (size_t)sprintf(out + n,
                             "%s  {\"id\": %u, \"name\": \"item %u \\\"%c\\\"\", \"price\": %u.%02u, \"tags\": [\"red\", \"x%u\", null, %s],\n"
                             "   \"where\": {\"x\": -%u, \"y\": %u, \"deep\": {\"a\": [[1, 2], [3, [4, %u]]]}}}",
                             i ? ",\n" : "", i, (unsigned)(r & 1023), (int)('a' + (r >> 10) % 26), (unsigned)(r >> 16 & 0xffff), (unsigned)(r >> 32) % 100,
                             (unsigned)(r >> 40 & 15), (r >> 44 & 1) ? "true" : "false", (unsigned)(r >> 45 & 511), (unsigned)(r >> 54), i % 7);
    }
    n += (size_t)sprintf(out + n, "\n]}\n");
    return n;
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    enum { CAPACITY = 1 << 20 };
    char *text = malloc(CAPACITY);
    Arena arena = {malloc(32 << 20), 0, 32 << 20};
    if (!text || !arena.base) return 1;
    size_t len = generate(text, CAPACITY);
    uint64_t sum = 0;
    bench_begin();
    for (uint32_t i = 0; i < rounds; i++) {
        arena.used = 0;
        Parser p = {text, text + len, &arena};
        sum = walk(value(&p, 0), sum);
    }
    bench_end(sum);
    return 0;
}
