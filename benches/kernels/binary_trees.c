/* malloc and free: builds and drops many complete binary trees. */
#include "bench.h"

typedef struct Node {
    struct Node *left, *right;
} Node;

static BENCH_NOINLINE Node *build(uint32_t depth) {
    Node *n = malloc(sizeof *n);
    if (!n) exit(1);
    n->left = depth ? build(depth - 1) : NULL;
    n->right = depth ? build(depth - 1) : NULL;
    return n;
}

static BENCH_NOINLINE uint32_t drop(Node *n) {
    uint32_t count = 1;
    if (n->left) count += drop(n->left) + drop(n->right);
    free(n);
    return count;
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    uint64_t sum = 0;
    bench_begin();
    Node *kept = build(16);
    for (uint32_t i = 0; i < rounds; i++) sum = bench_mix(sum, drop(build(4 + i % 11)));
    sum = bench_mix(sum, drop(kept));
    bench_end(sum);
    return 0;
}
