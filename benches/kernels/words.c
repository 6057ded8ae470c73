/* Small library calls: counts words in text with isalnum, tolower, strlen, strcmp and memcpy on short strings. */
#include "bench.h"
#include <ctype.h>

#define BUCKETS 65536
typedef struct Word {
    struct Word *next;
    uint32_t count;
    char text[];
} Word;

static Word *buckets[BUCKETS];

static void add(const char *word) {
    uint32_t h = 2166136261u;
    for (const char *p = word; *p; p++) h = (h ^ (uint8_t)*p) * 16777619u;
    Word **slot = &buckets[h & (BUCKETS - 1)];
    for (Word *w = *slot; w; w = w->next) {
        if (strcmp(w->text, word) == 0) {
            w->count++;
            return;
        }
    }
    size_t len = strlen(word);
    Word *w = malloc(sizeof *w + len + 1);
    if (!w) exit(1);
    memcpy(w->text, word, len + 1);
    w->count = 1;
    w->next = *slot;
    *slot = w;
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    enum { LEN = 1 << 20 };
    char *text = malloc(LEN);
    if (!text) return 1;
    bench_text(text, LEN, 61);
    for (size_t i = 0; i < LEN; i += 11) text[i] = (char)toupper(text[i]);
    bench_begin();
    for (uint32_t round = 0; round < rounds; round++) {
        char word[32];
        size_t n = 0;
        for (size_t i = 0; i < LEN; i++) {
            if (isalnum((unsigned char)text[i])) {
                if (n < sizeof word - 1) word[n++] = (char)tolower((unsigned char)text[i]);
            } else if (n > 0) {
                word[n] = 0;
                add(word);
                n = 0;
            }
        }
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        for (Word *w = buckets[i]; w; w = w->next) sum = bench_mix_bytes(sum + w->count, w->text, strlen(w->text));
    bench_end(sum);
    return 0;
}
