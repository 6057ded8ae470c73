/* A query whose expressions are trees of nodes, as databases and spreadsheets have them: each node is evaluated through a pointer
   by the node above, so the same calls meet columns, constants and operators. */
#include "bench.h"

typedef struct Node Node;
typedef int64_t (*Evaluate)(const Node *, const int64_t *row);
struct Node {
    Evaluate evaluate;
    const Node *left, *right;
    int64_t constant;
    uint32_t column;
};

static int64_t of_column(const Node *n, const int64_t *row) { return row[n->column]; }
static int64_t of_constant(const Node *n, const int64_t *row) { (void)row; return n->constant; }

#define BINARY(name, result) \
    static int64_t name(const Node *n, const int64_t *row) { \
        int64_t x = n->left->evaluate(n->left, row), y = n->right->evaluate(n->right, row); \
        return result; \
    }
BINARY(of_sum, (int64_t)((uint64_t)x + (uint64_t)y))
BINARY(of_difference, (int64_t)((uint64_t)x - (uint64_t)y))
BINARY(of_product, (int64_t)((uint64_t)x * (uint64_t)y))
BINARY(of_less, x < y)
BINARY(of_both, x & y)
BINARY(of_equal, x == y)

static int64_t of_choice(const Node *n, const int64_t *row) {
    const Node *way = n->left->evaluate(n->left, row) ? n->right : n->right + 1;
    return way->evaluate(way, row);
}

enum { COLUMNS = 6, ROWS = 512 };

static BENCH_NOINLINE uint64_t query(const Node *where, const Node *what, const int64_t *rows) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        const int64_t *row = rows + i * COLUMNS;
        if (where->evaluate(where, row)) sum += (uint64_t)what->evaluate(what, row);
    }
    return sum;
}

#define COLUMN(n) {of_column, NULL, NULL, 0, n}
#define CONSTANT(n) {of_constant, NULL, NULL, n, 0}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    static int64_t rows[ROWS * COLUMNS];
    uint64_t state = 1, sum = 0;
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) rows[i] = (int64_t)(bench_random(&state) % 1000);
    /* price * (100 - discount) + (tax if region = 3, else fee) of those with quantity < 700 and discount < 800. */
    const Node c[] = {COLUMN(0), COLUMN(1), COLUMN(2), COLUMN(3), COLUMN(4), COLUMN(5)};
    const Node k[] = {CONSTANT(700), CONSTANT(800), CONSTANT(100), CONSTANT(3), CONSTANT(20)};
    const Node small = {of_less, &c[3], &k[0], 0, 0}, cheap = {of_less, &c[1], &k[1], 0, 0}, where = {of_both, &small, &cheap, 0, 0};
    const Node rest = {of_difference, &k[2], &c[1], 0, 0}, price = {of_product, &c[0], &rest, 0, 0};
    const Node here = {of_equal, &c[2], &k[3], 0, 0}, extra = {of_choice, &here, &c[4], 0, 0}, what = {of_sum, &price, &extra, 0, 0};
    /* (quantity + region) * 20 - price of those with price < quantity * region and 3 < region. */
    const Node all = {of_product, &c[3], &c[2], 0, 0}, less = {of_less, &c[0], &all, 0, 0}, far = {of_less, &k[3], &c[2], 0, 0};
    const Node where2 = {of_both, &less, &far, 0, 0};
    const Node both = {of_sum, &c[3], &c[2], 0, 0}, dear = {of_product, &both, &k[4], 0, 0}, what2 = {of_difference, &dear, &c[0], 0, 0};
    bench_begin();
    for (uint32_t i = 0; i < rounds; i++) {
        rows[i % (ROWS * COLUMNS)] ^= 1;
        sum = bench_mix(sum, query(&where, &what, rows));
        sum = bench_mix(sum, query(&where2, &what2, rows));
    }
    bench_end(sum);
    return 0;
}
