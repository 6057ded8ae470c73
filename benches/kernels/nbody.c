/* Latency-bound floating point with square roots: five bodies, symplectic integration. */
#include "bench.h"
#include <math.h>

#define BODIES 5

typedef struct {
    double x, y, z, vx, vy, vz, mass;
} Body;

static BENCH_NOINLINE void advance(Body *bodies, double dt) {
    for (int i = 0; i < BODIES; i++) {
        Body *a = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            Body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            double d2 = dx * dx + dy * dy + dz * dz;
            double mag = dt / (d2 * sqrt(d2));
            a->vx -= dx * b->mass * mag;
            a->vy -= dy * b->mass * mag;
            a->vz -= dz * b->mass * mag;
            b->vx += dx * a->mass * mag;
            b->vy += dy * a->mass * mag;
            b->vz += dz * a->mass * mag;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        bodies[i].x += dt * bodies[i].vx;
        bodies[i].y += dt * bodies[i].vy;
        bodies[i].z += dt * bodies[i].vz;
    }
}

int main(int argc, char **argv) {
    uint32_t steps = bench_size(argc, argv);
    /* A sun at rest and four planets on roughly circular orbits; the numbers need not be the real ones. */
    Body bodies[BODIES] = {{.mass = 39.47841760435743}};
    for (int i = 1; i < BODIES; i++) {
        double r = 3.0 * i + 2.0;
        bodies[i] = (Body){.x = r, .y = 0.1 * i, .z = -0.05 * i, .vy = sqrt(39.47841760435743 / r), .vz = 0.01 * i, .mass = 0.01 / i};
    }
    bench_begin();
    for (uint32_t i = 0; i < steps; i++) advance(bodies, 0.001);
    uint64_t sum = 0;
    for (int i = 0; i < BODIES; i++) {
        sum = bench_mix_double(sum, bodies[i].x);
        sum = bench_mix_double(sum, bodies[i].vy);
    }
    bench_end(sum);
    return 0;
}
