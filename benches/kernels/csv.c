/* A state machine over text: parses CSV with quotes (RFC 4180), sums the numeric columns, counts the rest. */
#include "bench.h"

typedef struct {
    uint64_t rows, fields, quoted, number_sum, text_hash;
} Totals;

static size_t generate(char *out, size_t capacity) {
    size_t n = 0;
    uint64_t state = 31;
    while (n + 128 < capacity) {
        uint64_t r = bench_random(&state);
        n += (size_t)sprintf(out + n, "%u,", (unsigned)(r & 0xfffff));
        for (unsigned i = 0; i < 4 + (r >> 20 & 7); i++) out[n++] = (char)('a' + (r >> (24 + i)) % 26);
        n += (size_t)sprintf(out + n, ",%d.%02u,", (int)(r >> 44 & 0xfff) - 2048, (unsigned)(r >> 56) % 100);
        if (r >> 62 == 0)
            n += (size_t)sprintf(out + n, "\"said \"\"%u\"\", left\"\n", (unsigned)(r >> 50 & 0xff));
        else
            n += (size_t)sprintf(out + n, "plain\r\n");
    }
    return n;
}

static void field(Totals *totals, const char *text, size_t len) {
    totals->fields++;
    size_t i = 0;
    int negative = len > 0 && text[0] == '-';
    int64_t value = 0;
    for (i = (size_t)negative; i < len; i++) {
        if (text[i] == '.') continue;
        if (text[i] < '0' || text[i] > '9') break;
        value = value * 10 + (text[i] - '0');
    }
    if (i == len && len > 0)
        totals->number_sum += (uint64_t)(negative ? -value : value);
    else
        for (i = 0; i < len; i++) totals->text_hash = (totals->text_hash ^ (uint8_t)text[i]) * 0x100000001b3ULL;
}

static BENCH_NOINLINE void parse(Totals *totals, const char *in, size_t len) {
    char buffer[256];
    size_t n = 0;
    enum { START, PLAIN, QUOTED, QUOTE_IN_QUOTED } state = START;
    for (size_t i = 0; i < len; i++) {
        char c = in[i];
        switch (state) {
        case QUOTED:
            if (c == '"')
                state = QUOTE_IN_QUOTED;
            else if (n < sizeof buffer)
                buffer[n++] = c;
            break;
        case QUOTE_IN_QUOTED:
            if (c == '"') {
                if (n < sizeof buffer) buffer[n++] = c;
                state = QUOTED;
                break;
            }
            state = PLAIN;
            /* fall through */
        case START:
            if (c == '"' && state == START) {
                totals->quoted++;
                state = QUOTED;
                break;
            }
            state = PLAIN;
            /* fall through */
        case PLAIN:
            if (c == ',' || c == '\n') {
                field(totals, buffer, n);
                n = 0;
                state = START;
                if (c == '\n') totals->rows++;
            } else if (c != '\r' && n < sizeof buffer) {
                buffer[n++] = c;
            }
            break;
        }
    }
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    enum { CAPACITY = 1 << 20 };
    char *text = malloc(CAPACITY);
    if (!text) return 1;
    size_t len = generate(text, CAPACITY);
    Totals totals = {0};
    bench_begin();
    for (uint32_t i = 0; i < rounds; i++) parse(&totals, text, len);
    bench_end(bench_mix_bytes(0, &totals, sizeof totals));
    return 0;
}
