//! The keys of `-W` / `--wasm`: the language a guest may use, and the limits it runs under.

use super::plan::UnknownImports;
use super::table::{Group, Key, Kind, U64, USIZE, later, on};

/// `-W` / `--wasm` / `[wasm]`.
pub static WASM: Group = Group {
    letter: 'W',
    name: "wasm",
    about: "WebAssembly semantics and limits",
    keys: KEYS,
};

/// The key that stands for all rows marked `proposal()`. The plan applies it before all others.
pub const ALL_PROPOSALS: &str = "all-proposals";

/// Bytes of an async call's stack that are left to the host.
const HOST_STACK: usize = 512 << 10;

const KEYS: &[Key] = &[
    on(
        "nan-canonicalization",
        Kind::Bool,
        "n",
        "make every NaN that arithmetic gives canonical",
        |plan, value| {
            plan.config.cranelift_nan_canonicalization(value.on());
        },
    ),
    on(
        "fuel",
        U64,
        "unset",
        "trap after executing about this many instructions",
        |plan, value| {
            plan.bounds.fuel = Some(value.int());
            plan.config.consume_fuel(true);
        },
    ),
    on(
        "epoch-interruption",
        Kind::Bool,
        "n",
        "check for interruption at loops and calls; timeout brings it",
        |plan, value| {
            plan.config.epoch_interruption(value.on());
        },
    ),
    on(
        "max-wasm-stack",
        USIZE,
        "512 KiB",
        "bytes of stack a guest may use",
        |plan, value| {
            plan.config.max_wasm_stack(value.size());
            if !plan.async_stack_size_given {
                // Who asks for one of the two need not know of the other.
                plan.config
                    .async_stack_size(value.size().saturating_add(HOST_STACK));
            }
        },
    ),
    on(
        "async-stack-size",
        USIZE,
        "2 MiB",
        "bytes of stack for async calls; at least max-wasm-stack",
        |plan, value| {
            plan.config.async_stack_size(value.size());
            plan.async_stack_size_given = true;
        },
    ),
    later(
        "async-stack-zeroing",
        Kind::Bool,
        "n",
        "zero stacks for async calls before use",
    )
    .harmless(&["n"]),
    on(
        "unknown-exports-allow",
        Kind::Bool,
        "n",
        "accept exports that a command should not have",
        |plan, value| {
            plan.unknown_exports_allow = value.on();
        },
    ),
    on(
        "unknown-imports-trap",
        Kind::Bool,
        "n",
        "stand in for unknown imports with functions that trap",
        |plan, value| {
            plan.unknown_imports.set(UnknownImports::Trap, value.on());
        },
    ),
    on(
        "unknown-imports-default",
        Kind::Bool,
        "n",
        "stand in for unknown imports with zero values",
        |plan, value| {
            plan.unknown_imports
                .set(UnknownImports::Default, value.on());
        },
    ),
    later(
        "wmemcheck",
        Kind::Bool,
        "n",
        "check the guest's use of its heap",
    )
    .harmless(&["n"]),
    on(
        "max-memory-size",
        USIZE,
        "unlimited",
        "bytes a memory may grow to",
        |plan, value| {
            plan.limits.memory_size = Some(value.size());
        },
    ),
    on(
        "max-table-elements",
        USIZE,
        "unlimited",
        "elements a table may grow to",
        |plan, value| {
            plan.limits.table_elements = Some(value.size());
        },
    ),
    on(
        "max-instances",
        USIZE,
        "10000",
        "instances in a store",
        |plan, value| {
            plan.limits.instances = Some(value.size());
        },
    ),
    on(
        "max-tables",
        USIZE,
        "10000",
        "tables in a store",
        |plan, value| {
            plan.limits.tables = Some(value.size());
        },
    ),
    on(
        "max-memories",
        USIZE,
        "10000",
        "memories in a store",
        |plan, value| {
            plan.limits.memories = Some(value.size());
        },
    ),
    on(
        "trap-on-grow-failure",
        Kind::Bool,
        "n",
        "trap when growing fails, instead of returning -1",
        |plan, value| {
            plan.limits.trap_on_grow_failure = Some(value.on());
        },
    ),
    on(
        "timeout",
        Kind::Duration,
        "unset",
        "stop the program after this long",
        |plan, value| {
            plan.bounds.timeout = Some(value.duration());
            plan.config.epoch_interruption(true);
        },
    ),
    on(
        ALL_PROPOSALS,
        Kind::Bool,
        "unset",
        "switch every proposal that this version supports and that has no setting of its own",
        |plan, value| {
            // Proposals with a setting of their own come later, so that it holds.
            for key in WASM.keys.iter().filter(|key| key.proposal) {
                if let super::table::Effect::On { apply, .. } = key.effect {
                    apply(plan, value);
                }
            }
        },
    ),
    on(
        "bulk-memory",
        Kind::Bool,
        "y",
        "bulk memory operations",
        |plan, value| {
            plan.config.wasm_bulk_memory(value.on());
        },
    )
    .proposal(),
    on(
        "multi-memory",
        Kind::Bool,
        "y",
        "several memories in a module",
        |plan, value| {
            plan.config.wasm_multi_memory(value.on());
        },
    )
    .proposal(),
    on(
        "multi-value",
        Kind::Bool,
        "y",
        "several results from blocks and functions",
        |plan, value| {
            plan.config.wasm_multi_value(value.on());
        },
    )
    .proposal(),
    on(
        "reference-types",
        Kind::Bool,
        "y",
        "reference types",
        |plan, value| {
            plan.config.wasm_reference_types(value.on());
        },
    )
    .proposal(),
    on(
        "simd",
        Kind::Bool,
        "y",
        "fixed-width SIMD",
        |plan, value| {
            plan.config.wasm_simd(value.on());
        },
    )
    .proposal(),
    on(
        "relaxed-simd",
        Kind::Bool,
        "y",
        "relaxed SIMD",
        |plan, value| {
            plan.config.wasm_relaxed_simd(value.on());
        },
    )
    .proposal(),
    on(
        "relaxed-simd-deterministic",
        Kind::Bool,
        "n",
        "the same results of relaxed SIMD on every host",
        |plan, value| {
            plan.config.relaxed_simd_deterministic(value.on());
        },
    ),
    on("tail-call", Kind::Bool, "y", "tail calls", |plan, value| {
        plan.config.wasm_tail_call(value.on());
    })
    .proposal(),
    on(
        "threads",
        Kind::Bool,
        "y",
        "threads and atomics",
        |plan, value| {
            plan.config.wasm_threads(value.on());
        },
    )
    .proposal(),
    on(
        "shared-memory",
        Kind::Bool,
        "n",
        "creating shared memories",
        |plan, value| {
            plan.config.shared_memory(value.on());
        },
    ),
    later(
        "shared-everything-threads",
        Kind::Bool,
        "n",
        "shared-everything threads",
    )
    .harmless(&["n"])
    .proposal(),
    on(
        "memory64",
        Kind::Bool,
        "y",
        "64-bit memories",
        |plan, value| {
            plan.config.wasm_memory64(value.on());
        },
    )
    .proposal(),
    later("component-model", Kind::Bool, "n", "the component model")
        .harmless(&["n"])
        .proposal(),
    later(
        "component-model-async",
        Kind::Bool,
        "n",
        "the component model's async ABI",
    )
    .harmless(&["n"])
    .proposal(),
    later(
        "component-model-more-async-builtins",
        Kind::Bool,
        "n",
        "more async built-ins",
    )
    .harmless(&["n"])
    .proposal(),
    later(
        "component-model-async-stackful",
        Kind::Bool,
        "n",
        "async lifting with a stack",
    )
    .harmless(&["n"])
    .proposal(),
    later(
        "component-model-threading",
        Kind::Bool,
        "n",
        "threads in components",
    )
    .harmless(&["n"])
    .proposal(),
    later(
        "component-model-error-context",
        Kind::Bool,
        "n",
        "the error-context type",
    )
    .harmless(&["n"])
    .proposal(),
    later(
        "component-model-gc",
        Kind::Bool,
        "n",
        "the canonical ABI's GC option",
    )
    .harmless(&["n"]),
    later("component-model-map", Kind::Bool, "n", "the map type")
        .harmless(&["n"])
        .proposal(),
    later(
        "component-model-memory64",
        Kind::Bool,
        "n",
        "64-bit memories in the canonical ABI",
    )
    .harmless(&["n"])
    .proposal(),
    on(
        "function-references",
        Kind::Bool,
        "y",
        "typed function references",
        |plan, value| {
            plan.config.wasm_function_references(value.on());
        },
    )
    .proposal(),
    later("stack-switching", Kind::Bool, "n", "stack switching").harmless(&["n"]),
    on(
        "gc",
        Kind::Bool,
        "y",
        "garbage-collected types",
        |plan, value| {
            plan.config.wasm_gc(value.on());
        },
    )
    .proposal(),
    on(
        "custom-page-sizes",
        Kind::Bool,
        "n",
        "page sizes other than 64 KiB",
        |plan, value| {
            plan.config.wasm_custom_page_sizes(value.on());
        },
    )
    .proposal(),
    on(
        "wide-arithmetic",
        Kind::Bool,
        "y",
        "128-bit arithmetic",
        |plan, value| {
            plan.config.wasm_wide_arithmetic(value.on());
        },
    )
    .proposal(),
    on(
        "branch-hinting",
        Kind::Bool,
        "n",
        "lay code out by the module's hints about branches",
        |plan, value| {
            plan.config.wasm_branch_hinting(value.on());
        },
    ),
    on(
        "extended-const",
        Kind::Bool,
        "y",
        "arithmetic in constant expressions",
        |plan, value| {
            plan.config.wasm_extended_const(value.on());
        },
    )
    .proposal(),
    on(
        "exceptions",
        Kind::Bool,
        "y",
        "exceptions",
        |plan, value| {
            plan.config.wasm_exceptions(value.on());
        },
    )
    .proposal(),
    on(
        "gc-support",
        Kind::Bool,
        "y",
        "machinery for references other than to functions",
        |plan, value| {
            plan.config.gc_support(value.on());
        },
    ),
    later(
        "component-model-fixed-length-lists",
        Kind::Bool,
        "n",
        "fixed-length lists",
    )
    .harmless(&["n"])
    .proposal(),
    later(
        "component-model-implements",
        Kind::Bool,
        "n",
        "`implements` on imports and exports",
    )
    .harmless(&["n"])
    .proposal(),
    later(
        "concurrency-support",
        Kind::Bool,
        "n",
        "machinery for concurrent tasks",
    )
    .harmless(&["n"]),
];
