//! The keys of `-D` / `--debug`: what is kept and said for people who look for faults.

use super::table::{Group, Key, Kind, USIZE, later, on};
use std::num::NonZeroUsize;

/// `-D` / `--debug` / `[debug]`.
pub static DEBUG: Group = Group {
    letter: 'D',
    name: "debug",
    about: "Debugging",
    keys: KEYS,
};

const KEYS: &[Key] = &[
    later(
        "debug-info",
        Kind::Bool,
        "n",
        "make native DWARF for guest code",
    )
    .harmless(&["n"]),
    later(
        "guest-debug",
        Kind::Bool,
        "n",
        "instrument code for debugging at the level of Wasm",
    )
    .harmless(&["n"]),
    on(
        "address-map",
        Kind::Bool,
        "y",
        "keep the map from code addresses to Wasm offsets",
        |plan, value| {
            plan.config.generate_address_map(value.on());
        },
    ),
    on(
        "tiers",
        Kind::Bool,
        "n",
        "print which functions ran in which tier, when that changed, and what it cost",
        |plan, value| {
            plan.tiers = value.on();
        },
    ),
    on(
        "logging",
        Kind::Bool,
        "y",
        "log to stderr what MEANTIME_LOG or WASMTIME_LOG asks for",
        |plan, value| {
            plan.logging = value.on();
        },
    ),
    later(
        "log-to-files",
        Kind::Bool,
        "n",
        "log to a file for each thread",
    )
    .harmless(&["n"]),
    later(
        "coredump",
        Kind::Text("PATH"),
        "unset",
        "write a Wasm core dump to this file on a trap",
    ),
    later(
        "debugger",
        Kind::Text("PATH"),
        "unset",
        "the debugger component to attach",
    ),
    later(
        "arg",
        Kind::Text("ARG"),
        "none",
        "an argument for the debugger component; may be repeated",
    ),
    later(
        "inherit-stdin",
        Kind::Bool,
        "n",
        "give the debugger component the host's stdin",
    )
    .harmless(&["n"]),
    later(
        "inherit-stdout",
        Kind::Bool,
        "n",
        "give the debugger component the host's stdout",
    )
    .harmless(&["n"]),
    later(
        "inherit-stderr",
        Kind::Bool,
        "n",
        "give the debugger component the host's stderr",
    )
    .harmless(&["n"]),
    on(
        "max-backtrace",
        USIZE,
        "20",
        "frames kept in a backtrace; 0 for no backtrace",
        |plan, value| {
            plan.config
                .wasm_backtrace_max_frames(NonZeroUsize::new(value.size()));
        },
    ),
    on(
        "symbols",
        Kind::Bool,
        "y",
        "put symbols for native tools in .cwasm files",
        |plan, value| {
            plan.config.debug_symbols(value.on());
        },
    ),
];
