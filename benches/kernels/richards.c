/* Calls through function pointers and linked lists: a small operating-system scheduler in the manner of Martin Richards'
   benchmark. Tasks exchange packets, wait and hold; the two counts it reports are fixed by the algorithm. */
#include "bench.h"

enum { IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B, TASKS };
enum { KIND_DEVICE, KIND_WORK };
#define PAYLOAD 4

typedef struct Packet {
    struct Packet *link;
    int32_t id, kind, index;
    int32_t data[PAYLOAD];
} Packet;

typedef struct Task Task;
struct Task {
    Task *next;
    int32_t id, priority;
    Packet *queue;
    uint8_t has_packet, waiting, held;
    Task *(*run)(Task *, Packet *);
    Packet *work, *device;
    int32_t v1, v2;
};

static Task *tasks[TASKS], *all, *current;
static int32_t current_id;
static uint64_t queued, holds;

static Packet *append(Packet *packet, Packet *list) {
    packet->link = NULL;
    if (!list) return packet;
    Packet *last = list;
    while (last->link) last = last->link;
    last->link = packet;
    return list;
}

static Task *hold_self(void) {
    holds++;
    current->held = 1;
    return current->next;
}

static Task *wait_self(void) {
    current->waiting = 1;
    return current;
}

static Task *release(int32_t id) {
    Task *task = tasks[id];
    task->held = 0;
    return task->priority > current->priority ? task : current;
}

static Task *queue(Packet *packet) {
    Task *task = tasks[packet->id];
    queued++;
    packet->link = NULL;
    packet->id = current_id;
    if (task->queue) {
        append(packet, task->queue);
        return current;
    }
    task->queue = packet;
    task->has_packet = 1;
    return task->priority > current->priority ? task : current;
}

static Task *run_idle(Task *self, Packet *packet) {
    (void)packet;
    if (--self->v2 == 0) return hold_self();
    if ((self->v1 & 1) == 0) {
        self->v1 = (int32_t)((uint32_t)self->v1 >> 1);
        return release(DEVICE_A);
    }
    self->v1 = (int32_t)((uint32_t)self->v1 >> 1) ^ 0xd008;
    return release(DEVICE_B);
}

static Task *run_worker(Task *self, Packet *packet) {
    if (!packet) return wait_self();
    self->v1 = self->v1 == HANDLER_A ? HANDLER_B : HANDLER_A;
    packet->id = self->v1;
    packet->index = 0;
    for (int i = 0; i < PAYLOAD; i++) {
        self->v2 = self->v2 == 26 ? 1 : self->v2 + 1;
        packet->data[i] = 'A' + self->v2 - 1;
    }
    return queue(packet);
}

static Task *run_handler(Task *self, Packet *packet) {
    if (packet) {
        if (packet->kind == KIND_WORK)
            self->work = append(packet, self->work);
        else
            self->device = append(packet, self->device);
    }
    if (self->work) {
        Packet *work = self->work;
        int32_t count = work->index;
        if (count >= PAYLOAD) {
            self->work = work->link;
            return queue(work);
        }
        if (self->device) {
            Packet *device = self->device;
            self->device = device->link;
            device->index = work->data[count];
            work->index = count + 1;
            return queue(device);
        }
    }
    return wait_self();
}

static Task *run_device(Task *self, Packet *packet) {
    if (packet) {
        self->device = packet;
        return hold_self();
    }
    if (!self->device) return wait_self();
    Packet *device = self->device;
    self->device = NULL;
    return queue(device);
}

static BENCH_NOINLINE void schedule(void) {
    current = all;
    while (current) {
        if (current->held || (!current->has_packet && current->waiting)) {
            current = current->next;
            continue;
        }
        current_id = current->id;
        Packet *packet = NULL;
        if (current->has_packet && current->waiting) {
            packet = current->queue;
            current->queue = packet->link;
            current->waiting = 0;
            current->has_packet = current->queue != NULL;
        }
        current = current->run(current, packet);
    }
}

static Task *task(Task *t, int32_t id, int32_t priority, Packet *work, Task *(*run)(Task *, Packet *)) {
    *t = (Task){.next = all, .id = id, .priority = priority, .queue = work, .has_packet = work != NULL, .waiting = id != IDLE, .run = run};
    all = tasks[id] = t;
    return t;
}

static Packet *packet(Packet *p, Packet *link, int32_t id, int32_t kind) {
    *p = (Packet){.link = link, .id = id, .kind = kind};
    return p;
}

static BENCH_NOINLINE void round_(void) {
    static Task t[TASKS];
    static Packet p[10];
    all = NULL;
    Task *idle = task(&t[0], IDLE, 0, NULL, run_idle);
    idle->v1 = 1;
    idle->v2 = 10000;
    Packet *q = packet(&p[1], packet(&p[0], NULL, WORKER, KIND_WORK), WORKER, KIND_WORK);
    task(&t[1], WORKER, 1000, q, run_worker)->v1 = HANDLER_A;
    q = packet(&p[4], packet(&p[3], packet(&p[2], NULL, DEVICE_A, KIND_DEVICE), DEVICE_A, KIND_DEVICE), DEVICE_A, KIND_DEVICE);
    task(&t[2], HANDLER_A, 2000, q, run_handler);
    q = packet(&p[7], packet(&p[6], packet(&p[5], NULL, DEVICE_B, KIND_DEVICE), DEVICE_B, KIND_DEVICE), DEVICE_B, KIND_DEVICE);
    task(&t[3], HANDLER_B, 3000, q, run_handler);
    task(&t[4], DEVICE_A, 4000, NULL, run_device);
    task(&t[5], DEVICE_B, 5000, NULL, run_device);
    schedule();
}

int main(int argc, char **argv) {
    uint32_t rounds = bench_size(argc, argv);
    bench_begin();
    for (uint32_t i = 0; i < rounds; i++) round_();
    bench_end(bench_mix(bench_mix(0, queued), holds));
    return 0;
}
