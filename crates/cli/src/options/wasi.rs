//! The keys of `-S` / `--wasi`: which host interfaces a guest gets, and what they let it reach.

use super::table::{Group, Key, Kind, U64, USIZE, later, on};

/// `-S` / `--wasi` / `[wasi]`.
pub static WASI: Group = Group {
    letter: 'S',
    name: "wasi",
    about: "WASI",
    keys: KEYS,
};

const KEYS: &[Key] = &[
    on(
        "cli",
        Kind::Bool,
        "y",
        "provide WASI's interfaces for commands: files, clocks, random, stdio",
        |plan, value| {
            plan.wasi.cli = value.on();
        },
    ),
    later(
        "cli-exit-with-code",
        Kind::Bool,
        "y",
        "components' exit-with-code function",
    )
    .harmless(&["y"]),
    on(
        "common",
        Kind::Bool,
        "unset",
        "old name of cli",
        |plan, value| {
            plan.wasi.cli = value.on();
        },
    ),
    later("nn", Kind::Bool, "n", "wasi-nn").harmless(&["n"]),
    later("threads", Kind::Bool, "n", "legacy wasi-threads").harmless(&["n"]),
    later("http", Kind::Bool, "n", "wasi:http").harmless(&["n"]),
    later(
        "http-outgoing-body-buffer-chunks",
        USIZE,
        "1",
        "writes to an outgoing body that are buffered",
    ),
    later(
        "http-outgoing-body-chunk-size",
        USIZE,
        "1 MiB",
        "the largest write to an outgoing body, in bytes",
    ),
    later("config", Kind::Bool, "n", "wasi:config").harmless(&["n"]),
    later("keyvalue", Kind::Bool, "n", "wasi:keyvalue, in memory").harmless(&["n"]),
    later(
        "listenfd",
        Kind::Bool,
        "n",
        "sockets from systemd's socket activation",
    )
    .harmless(&["n"]),
    on(
        "tcplisten",
        Kind::Text("ADDR"),
        "none",
        "give the guest a socket that listens at this address; may be repeated",
        |plan, value| {
            plan.wasi.tcp_listen.push(value.text().to_string());
        },
    ),
    later("tls", Kind::Bool, "n", "wasi:tls").harmless(&["n"]),
    later(
        "preview2",
        Kind::Bool,
        "y",
        "run preview 1 on the implementation of preview 2",
    )
    .harmless(&["y"]),
    later(
        "nn-graph",
        Kind::Text("FORMAT::DIR"),
        "none",
        "a wasi-nn graph to load; may be repeated",
    )
    .command_line_only(),
    later(
        "inherit-network",
        Kind::Bool,
        "n",
        "let sockets use any address",
    )
    .harmless(&["n"]),
    later(
        "allow-ip-name-lookup",
        Kind::Bool,
        "n",
        "let names be looked up",
    )
    .harmless(&["n"]),
    later("tcp", Kind::Bool, "y", "TCP sockets").harmless(&["y"]),
    later("udp", Kind::Bool, "y", "UDP sockets").harmless(&["y"]),
    later(
        "network-error-code",
        Kind::Bool,
        "n",
        "components' network-error-code function",
    )
    .harmless(&["n"]),
    on(
        "preview0",
        Kind::Bool,
        "y",
        "provide `wasi_unstable` imports",
        |plan, value| {
            plan.wasi.preview0 = value.on();
        },
    ),
    on(
        "inherit-env",
        Kind::Bool,
        "n",
        "give the guest all of the host's environment",
        |plan, value| {
            plan.wasi.inherit_env = value.on();
        },
    ),
    on(
        "inherit-stdin",
        Kind::Bool,
        "y",
        "let the guest read the host's stdin",
        |plan, value| {
            plan.wasi.inherit_stdin = value.on();
        },
    ),
    on(
        "inherit-stdout",
        Kind::Bool,
        "y",
        "let the guest write the host's stdout",
        |plan, value| {
            plan.wasi.inherit_stdout = value.on();
        },
    ),
    on(
        "inherit-stderr",
        Kind::Bool,
        "y",
        "let the guest write the host's stderr",
        |plan, value| {
            plan.wasi.inherit_stderr = value.on();
        },
    ),
    later(
        "cwd",
        Kind::Text("PATH"),
        "unset",
        "the working directory told to the guest",
    ),
    later(
        "config-var",
        Kind::Text("NAME=VALUE"),
        "none",
        "an entry of wasi:config; may be repeated",
    )
    .command_line_only(),
    later(
        "keyvalue-in-memory-data",
        Kind::Text("NAME=VALUE"),
        "none",
        "an entry of wasi:keyvalue; may be repeated",
    )
    .command_line_only(),
    later("p3", Kind::Bool, "n", "WASI 0.3").harmless(&["n"]),
    later(
        "max-resources",
        USIZE,
        "1000000",
        "resources a component may hold",
    ),
    later(
        "hostcall-fuel",
        USIZE,
        "128 MiB",
        "bytes that may be copied between guest and host in a call",
    ),
    later(
        "max-component-handles",
        USIZE,
        "100000",
        "component handles in a store",
    ),
    on(
        "max-random-size",
        U64,
        "64 MiB",
        "the most random bytes the guest may ask for at once",
        |plan, value| {
            plan.wasi.max_random_size = Some(value.int());
        },
    ),
    later(
        "max-http-fields-size",
        USIZE,
        "128 KiB",
        "the largest set of HTTP fields, in bytes",
    ),
];
