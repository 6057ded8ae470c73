//! The keys of `-O` / `--optimize`: how code is optimised and how memory is laid out.
//! None of them changes what a program computes.

use super::table::{Group, Key, Kind, U32, U64, USIZE, later, on};
use meantime::{OptLevel, RegallocAlgorithm};
use std::num::NonZeroU32;

/// `-O` / `--optimize` / `[optimize]`.
pub static OPTIMIZE: Group = Group {
    letter: 'O',
    name: "optimize",
    about: "Optimisation and memory layout",
    keys: KEYS,
};

const KEYS: &[Key] = &[
    on(
        "opt-level",
        Kind::Choice(&["0", "1", "2", "s"]),
        "2",
        "how much to optimise: not at all, for speed (1 and 2 are the same), or also for size",
        |plan, value| {
            let level = match value.text() {
                "0" => OptLevel::None,
                "s" => OptLevel::SpeedAndSize,
                _ => OptLevel::Speed,
            };
            plan.config.cranelift_opt_level(level);
        },
    ),
    on(
        "regalloc-algorithm",
        Kind::Choice(&["backtracking", "single-pass"]),
        "backtracking",
        "the register allocator: for the best code, or for compiling fast",
        |plan, value| {
            let algorithm = match value.text() {
                "single-pass" => RegallocAlgorithm::SinglePass,
                _ => RegallocAlgorithm::Backtracking,
            };
            plan.config.cranelift_regalloc_algorithm(algorithm);
        },
    ),
    on(
        "memory-may-move",
        Kind::Bool,
        "y",
        "whether a linear memory may move when it grows",
        |plan, value| {
            plan.config.memory_may_move(value.on());
        },
    ),
    on(
        "memory-reservation",
        U64,
        "4 GiB on 64-bit hosts, 10 MiB on 32-bit ones",
        "bytes of address space reserved for each linear memory",
        |plan, value| {
            plan.config.memory_reservation(value.int());
        },
    ),
    on(
        "memory-reservation-for-growth",
        U64,
        "2 GiB on 64-bit hosts, 1 MiB on 32-bit ones",
        "bytes reserved past a memory that moved, for its next growth",
        |plan, value| {
            plan.config.memory_reservation_for_growth(value.int());
        },
    ),
    on(
        "memory-guard-size",
        U64,
        "32 MiB on 64-bit hosts, 64 KiB on 32-bit ones",
        "bytes of unmapped space after each linear memory",
        |plan, value| {
            plan.config.memory_guard_size(value.int());
        },
    ),
    on(
        "gc-heap-may-move",
        Kind::Bool,
        "y",
        "whether the GC heap may move when it grows",
        |plan, value| {
            plan.config.gc_heap_may_move(value.on());
        },
    ),
    on(
        "gc-heap-reservation",
        U64,
        "4 GiB",
        "bytes of address space reserved for the GC heap",
        |plan, value| {
            plan.config.gc_heap_reservation(value.int());
        },
    ),
    on(
        "gc-heap-reservation-for-growth",
        U64,
        "2 GiB",
        "bytes reserved past a GC heap that moved",
        |plan, value| {
            plan.config.gc_heap_reservation_for_growth(value.int());
        },
    ),
    on(
        "gc-heap-guard-size",
        U64,
        "1 MiB",
        "bytes of unmapped space after the GC heap",
        |plan, value| {
            plan.config.gc_heap_guard_size(value.int());
        },
    ),
    on(
        "gc-heap-initial-size",
        U64,
        "0",
        "bytes the GC heap starts with",
        |plan, value| {
            plan.config.gc_heap_initial_size(value.int());
        },
    ),
    on(
        "guard-before-linear-memory",
        Kind::Bool,
        "y",
        "also put unmapped space before each memory",
        |plan, value| {
            plan.config.guard_before_linear_memory(value.on());
        },
    ),
    on(
        "table-lazy-init",
        Kind::Bool,
        "y",
        "fill table elements when first used, not at instantiation",
        |plan, value| {
            plan.config.table_lazy_init(value.on());
        },
    ),
    later(
        "pooling-allocator",
        Kind::Bool,
        "n",
        "allocate instances from pools",
    )
    .harmless(&["n"]),
    later(
        "pooling-decommit-batch-size",
        USIZE,
        "1",
        "decommits grouped together",
    ),
    later(
        "pooling-memory-keep-resident",
        USIZE,
        "0",
        "bytes of a pooled memory kept resident when its slot is reset",
    ),
    later(
        "pooling-table-keep-resident",
        USIZE,
        "0",
        "bytes of a pooled table kept resident when its slot is reset",
    ),
    later(
        "pooling-memory-protection-keys",
        Kind::BoolOr(&["auto"]),
        "n",
        "pack pooled memories with protection keys",
    )
    .harmless(&["n", "auto"]),
    later(
        "pooling-max-memory-protection-keys",
        USIZE,
        "16",
        "the most protection keys to use",
    ),
    on(
        "memory-init-cow",
        Kind::Bool,
        "y",
        "initialise memories by copy-on-write mappings",
        |plan, value| {
            plan.config.memory_init_cow(value.on());
        },
    ),
    on(
        "memory-guaranteed-dense-image-size",
        U64,
        "16 MiB",
        "memory images up to this many bytes are always mapped, however sparse",
        |plan, value| {
            plan.config.memory_guaranteed_dense_image_size(value.int());
        },
    ),
    later(
        "pooling-total-core-instances",
        U32,
        "1000",
        "instances a pool holds",
    ),
    later(
        "pooling-total-component-instances",
        U32,
        "1000",
        "component instances a pool holds",
    ),
    later(
        "pooling-total-memories",
        U32,
        "1000",
        "memories a pool holds",
    ),
    later("pooling-total-tables", U32, "1000", "tables a pool holds"),
    later(
        "pooling-total-stacks",
        U32,
        "1000",
        "stacks for async calls a pool holds",
    ),
    later(
        "pooling-max-memory-size",
        USIZE,
        "4 GiB on 64-bit hosts",
        "the largest pooled memory, in bytes",
    ),
    later(
        "pooling-table-elements",
        USIZE,
        "20000",
        "the largest pooled table, in elements",
    ),
    later(
        "pooling-max-core-instance-size",
        USIZE,
        "1 MiB",
        "bytes of metadata one instance may take",
    ),
    later(
        "pooling-max-unused-warm-slots",
        U32,
        "100",
        "idle slots kept warm",
    ),
    later(
        "pooling-async-stack-keep-resident",
        USIZE,
        "0",
        "bytes of an async stack kept resident",
    ),
    later(
        "pooling-max-component-instance-size",
        USIZE,
        "1 MiB",
        "bytes of metadata one component instance may take",
    ),
    later(
        "pooling-max-core-instances-per-component",
        U32,
        "unlimited",
        "instances one component may have",
    ),
    later(
        "pooling-max-memories-per-component",
        U32,
        "unlimited",
        "memories one component may have",
    ),
    later(
        "pooling-max-tables-per-component",
        U32,
        "unlimited",
        "tables one component may have",
    ),
    later(
        "pooling-max-tables-per-module",
        U32,
        "1",
        "tables one module may define",
    ),
    later(
        "pooling-max-memories-per-module",
        U32,
        "1",
        "memories one module may define",
    ),
    later(
        "pooling-total-gc-heaps",
        U32,
        "1000",
        "GC heaps a pool holds",
    ),
    on(
        "signals-based-traps",
        Kind::Bool,
        "y",
        "turn hardware faults into traps, instead of checking before each access",
        |plan, value| {
            plan.config.signals_based_traps(value.on());
        },
    ),
    on(
        "dynamic-memory-guard-size",
        U64,
        "unset",
        "old name of memory-guard-size",
        |plan, value| {
            plan.config.memory_guard_size(value.int());
        },
    ),
    on(
        "static-memory-guard-size",
        U64,
        "unset",
        "old name of memory-guard-size",
        |plan, value| {
            plan.config.memory_guard_size(value.int());
        },
    ),
    on(
        "static-memory-forced",
        Kind::Bool,
        "unset",
        "old name; the inverse of memory-may-move",
        |plan, value| {
            plan.config.memory_may_move(!value.on());
        },
    ),
    on(
        "static-memory-maximum-size",
        U64,
        "unset",
        "old name of memory-reservation",
        |plan, value| {
            plan.config.memory_reservation(value.int());
        },
    ),
    on(
        "dynamic-memory-reserved-for-growth",
        U64,
        "unset",
        "old name of memory-reservation-for-growth",
        |plan, value| {
            plan.config.memory_reservation_for_growth(value.int());
        },
    ),
    later(
        "pooling-pagemap-scan",
        Kind::BoolOr(&["auto"]),
        "n",
        "use PAGEMAP_SCAN when resetting pooled memories",
    )
    .harmless(&["n", "auto"]),
    on(
        "gc-zeal-alloc-counter",
        U32,
        "unset",
        "for tests: collect after this many allocations",
        |plan, value| {
            // Zero asks for none.
            let counter = u32::try_from(value.int()).ok().and_then(NonZeroU32::new);
            if plan.config.gc_zeal_alloc_counter(counter).is_err() {
                unreachable!("it has no errors");
            }
        },
    ),
];
