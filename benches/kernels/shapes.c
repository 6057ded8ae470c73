/* Virtual methods, as compilers of classes lay them out: things of three classes in no order, each asked for several numbers
   through its table of methods. */
#include "bench.h"

typedef struct Shape Shape;
typedef struct {
    double (*area)(const Shape *);
    double (*edge)(const Shape *);
    double (*width)(const Shape *);
    void (*grow)(Shape *, double);
} Methods;
struct Shape {
    const Methods *methods;
    double a, b;
};

static double square_area(const Shape *s) { return s->a * s->a; }
static double square_edge(const Shape *s) { return 4 * s->a; }
static double square_width(const Shape *s) { return s->a; }
static void square_grow(Shape *s, double by) { s->a += by; }
static double circle_area(const Shape *s) { return 3.14159265 * s->a * s->a; }
static double circle_edge(const Shape *s) { return 6.2831853 * s->a; }
static double circle_width(const Shape *s) { return 2 * s->a; }
static void circle_grow(Shape *s, double by) { s->a += by / 2; }
static double box_area(const Shape *s) { return s->a * s->b; }
static double box_edge(const Shape *s) { return 2 * (s->a + s->b); }
static double box_width(const Shape *s) { return s->a < s->b ? s->a : s->b; }
static void box_grow(Shape *s, double by) { s->a += by, s->b -= by; }

static const Methods classes[] = {
    {square_area, square_edge, square_width, square_grow},
    {circle_area, circle_edge, circle_width, circle_grow},
    {box_area, box_edge, box_width, box_grow},
};

enum { SHAPES = 1000 };

static BENCH_NOINLINE double measure(Shape **shapes, double by) {
    double sum = 0;
    for (uint32_t i = 0; i < SHAPES; i++) {
        Shape *s = shapes[i];
        s->methods->grow(s, by);
        sum += s->methods->area(s) + s->methods->edge(s) / s->methods->width(s);
    }
    return sum;
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    static Shape all[SHAPES], *shapes[SHAPES];
    uint64_t state = 1, sum = 0;
    for (uint32_t i = 0; i < SHAPES; i++) {
        uint64_t random = bench_random(&state);
        all[i] = (Shape){&classes[random % 3], (double)(random / 3 % 100 + 10), (double)(random / 300 % 100 + 10)};
        shapes[i] = &all[i];
    }
    bench_begin();
    for (uint32_t i = 0; i < rounds; i++) sum = bench_mix_double(sum, measure(shapes, i % 2 ? 1 : -1));
    bench_end(sum);
    return 0;
}
