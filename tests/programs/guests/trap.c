/* Traps in the way that its argument names, some calls below main. The marks say which line is to appear in a backtrace. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

static NOINLINE int divide(int a, int b) {
    return a / b; /* mark: divide */
}

static NOINLINE int load(uintptr_t address) {
    return *(volatile int *)address; /* mark: load */
}

static NOINLINE void give_up(void) {
    __builtin_trap(); /* mark: give_up */
}

static NOINLINE int call_wrongly(int (*function)(int)) {
    return function(1); /* mark: call_wrongly */
}

static NOINLINE uint64_t dive(uint64_t n) {
    volatile uint64_t here[64];
    here[n & 63] = n;
    return dive(n + 1) + here[n & 63]; /* mark: dive */
}


static NOINLINE int choose(const char *how) {
    if (strcmp(how, "divide") == 0) return divide(1, atoi("0")); /* mark: choose divide */
    if (strcmp(how, "overflow") == 0) return divide(INT32_MIN, atoi("-1"));
    if (strcmp(how, "load") == 0) return load(0xfffffff0u);
    if (strcmp(how, "unreachable") == 0) give_up();
    if (strcmp(how, "signature") == 0) return call_wrongly((int (*)(int))(void *)divide);
    if (strcmp(how, "stack") == 0) return (int)dive((uint64_t)atoi("1"));
    if (strcmp(how, "exit") == 0) exit(7);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    printf("before\n");
    fflush(stdout);
    int result = choose(argv[1]); /* mark: main */
    printf("after %d\n", result);
    return 0;
}
