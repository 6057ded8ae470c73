/* The little of a C library that kernels need, for targets that have none: wasm64, and wasm32 to compare it with. It goes
   in where bench.h would take in the C library's headers, into programs of one file.

   WASI preview 1 takes addresses of 32 bits whatever the memory; what is handed to it here lies in static data or on the
   stack, below 4 GiB. */
#ifndef FREESTANDING_H
#define FREESTANDING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define PRIx64 "llx"
#define PRId64 "lld"

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) name
uint32_t WASI(args_sizes_get)(uint32_t argc, uint32_t len);
uint32_t WASI(args_get)(uint32_t argv, uint32_t text);
uint32_t WASI(clock_time_get)(uint32_t id, uint64_t precision, uint32_t time);
uint32_t WASI(fd_write)(uint32_t fd, uint32_t vectors, uint32_t count, uint32_t written);
_Noreturn void WASI(proc_exit)(uint32_t code);

static inline uint32_t wasi_address(const volatile void *p) { return (uint32_t)(uintptr_t)p; }

_Noreturn static void exit(int code) { proc_exit((uint32_t)code); }

/* The instructions memory.copy and memory.fill, where the compiler has them. */
void *memcpy(void *restrict to, const void *restrict from, size_t len) { return __builtin_memcpy(to, from, len); }
void *memmove(void *to, const void *from, size_t len) { return __builtin_memmove(to, from, len); }
void *memset(void *to, int byte, size_t len) { return __builtin_memset(to, byte, len); }

int memcmp(const void *left, const void *right, size_t len) {
    const unsigned char *l = left, *r = right;
    for (size_t i = 0; i < len; i++)
        if (l[i] != r[i]) return l[i] - r[i];
    return 0;
}

/* Blocks of powers of two, each kind with a list of free ones; a block's kind stands in the sixteen bytes before it.
   Memory grows at its end and is never given back. */
typedef struct FreeBlock {
    struct FreeBlock *next;
} FreeBlock;

static FreeBlock *free_blocks[sizeof(size_t) * 8];
extern unsigned char __heap_base;
static uintptr_t heap_next, heap_end;

static void *malloc(size_t len) {
    unsigned kind = 5;
    while (((size_t)1 << kind) < len + 16) kind++;
    if (free_blocks[kind]) {
        FreeBlock *block = free_blocks[kind];
        free_blocks[kind] = block->next;
        return block;
    }
    size_t size = (size_t)1 << kind;
    if (!heap_end) {
        heap_next = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
        heap_end = __builtin_wasm_memory_size(0) << 16;
    }
    if (heap_end < heap_next + size) {
        /* At least a megabyte at a time. */
        size_t pages = ((heap_next + size - heap_end) >> 16) + 16;
        if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return NULL;
        heap_end += pages << 16;
    }
    unsigned char *block = (unsigned char *)heap_next;
    heap_next += size;
    *(unsigned *)block = kind;
    return block + 16;
}

static void free(void *p) {
    if (!p) return;
    FreeBlock *block = p;
    unsigned kind = *(unsigned *)((unsigned char *)p - 16);
    block->next = free_blocks[kind];
    free_blocks[kind] = block;
}

static void *calloc(size_t count, size_t each) {
    void *p = malloc(count * each);
    return p ? memset(p, 0, count * each) : NULL;
}

static unsigned long strtoul(const char *text, char **end, int base) {
    unsigned long value = 0;
    for (; *text >= '0' && *text <= '9'; text++) value = value * (unsigned long)base + (unsigned long)(*text - '0');
    if (end) *end = (char *)text;
    return value;
}

typedef uint32_t FILE;
#define stdout 1u
#define stderr 2u

static inline int fflush(FILE file) {
    (void)file;
    return 0;
}

/* %s, %d, %lld and %016llx, and no other conversions, in lines of up to 255 bytes. */
static void fprintf(FILE file, const char *format, ...) {
    char line[256];
    uint32_t len = 0;
    va_list args;
    va_start(args, format);
    for (const char *f = format; *f && len < 200; f++) {
        if (*f != '%') {
            line[len++] = *f;
            continue;
        }
        unsigned longs = 0, width = 0;
        while (*++f == 'l' || (*f >= '0' && *f <= '9')) {
            if (*f == 'l') longs++;
            else width = width * 10 + (unsigned)(*f - '0');
        }
        if (*f == 's') {
            for (const char *text = va_arg(args, const char *); *text && len < 200; text++) line[len++] = *text;
            continue;
        }
        unsigned base = *f == 'x' ? 16 : 10;
        int64_t given = longs == 2 ? va_arg(args, int64_t) : va_arg(args, int);
        uint64_t value = (uint64_t)given;
        if (base == 10 && given < 0) {
            line[len++] = '-';
            value = -value;
        }
        char digits[24];
        unsigned count = 0;
        do {
            digits[count++] = "0123456789abcdef"[value % base];
            value /= base;
        } while (value || count < width);
        while (count) line[len++] = digits[--count];
    }
    va_end(args);
    uint32_t vector[2] = {wasi_address(line), len}, written;
    fd_write(file, wasi_address(vector), 1, wasi_address(&written));
}

#define printf(...) fprintf(stdout, __VA_ARGS__)

#define CLOCK_MONOTONIC 1
struct timespec {
    int64_t tv_sec, tv_nsec;
};

static int clock_gettime(uint32_t id, struct timespec *time) {
    uint64_t now = 0;
    clock_time_get(id, 1, wasi_address(&now));
    time->tv_sec = (int64_t)(now / 1000000000);
    time->tv_nsec = (int64_t)(now % 1000000000);
    return 0;
}

int main(int argc, char **argv);

__attribute__((export_name("_start"))) void _start(void) {
    static char text[4096];
    static uint32_t addresses[64];
    static char *argv[65];
    uint32_t argc = 0, len = 0;
    args_sizes_get(wasi_address(&argc), wasi_address(&len));
    if (argc > 64 || len > sizeof text) exit(2);
    args_get(wasi_address(addresses), wasi_address(text));
    for (uint32_t i = 0; i < argc; i++) argv[i] = (char *)(uintptr_t)addresses[i];
    exit(main((int)argc, argv));
}

#endif
