//! The programs of the suite: what each is made from and how much work it does.
//!
//! `size` is chosen so that steady state dominates (a few tenths of a second to a second and a half), `small` so that
//! starting dominates. No program is here to be tuned for; the list is of the kinds of code that
//! people run.

use crate::toolbox::guest::{Guest, Library, Source};
use crate::toolbox::library as lib;

/// A program and its amounts of work.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// How to build it.
    pub guest: Guest,
    /// Its argument in steady-state runs.
    pub size: &'static str,
    /// Its argument in start-up runs; `None` keeps it out of them.
    pub small: Option<&'static str>,
    /// Big enough to measure compile throughput on.
    pub large: bool,
}

impl Program {
    /// Whether it has collected objects or exceptions: only some engines run it, and the machine
    /// itself does not.
    pub fn managed(&self) -> bool {
        matches!(self.guest.source, Source::Text(_))
    }
}

const SIMD: &[&str] = &["-msimd128", "-DBENCH_SIMD"];

const fn kernel(name: &'static str, file: &'static str, size: &'static str) -> Program {
    let guest = Guest {
        name,
        source: Source::C(file),
        flags: &[],
        wasm_flags: &[],
    };
    Program {
        guest,
        size,
        small: None,
        large: false,
    }
}

/// The same file with 128-bit vectors. Natively only the define is given: the vectors are there
/// anyway.
const fn simd(name: &'static str, file: &'static str, size: &'static str) -> Program {
    let mut program = kernel(name, file, size);
    program.guest.flags = &["-DBENCH_SIMD"];
    program.guest.wasm_flags = SIMD;
    program
}

const fn library(
    name: &'static str,
    library: Library,
    driver: &'static str,
    script: Option<&'static str>,
    size: &'static str,
    small: &'static str,
) -> Program {
    let guest = Guest {
        name,
        source: Source::Library(Library {
            driver,
            script,
            ..library
        }),
        flags: &[],
        wasm_flags: &[],
    };
    Program {
        guest,
        size,
        small: Some(small),
        large: true,
    }
}

const fn go(name: &'static str, package: &'static str, size: &'static str) -> Program {
    let guest = Guest {
        name,
        source: Source::Go(package),
        flags: &[],
        wasm_flags: &[],
    };
    Program {
        guest,
        size,
        small: Some("1"),
        large: true,
    }
}

const fn text(name: &'static str, file: &'static str, size: &'static str) -> Program {
    let mut program = kernel(name, file, size);
    program.guest.source = Source::Text(file);
    program
}

/// The program that does nothing; it only starts.
pub const EMPTY: Program = Program {
    small: Some(""),
    ..kernel("empty", "benches/kernels/empty.c", "")
};

/// The suite, in the order of its tables.
pub const PROGRAMS: &[Program] = &[
    kernel("fib", "benches/kernels/fib.c", "40"),
    kernel("ackermann", "benches/kernels/ackermann.c", "120"),
    kernel("sieve", "benches/kernels/sieve.c", "50000000"),
    kernel("matmul", "benches/kernels/matmul.c", "900"),
    simd("matmul_simd", "benches/kernels/matmul.c", "900"),
    kernel("spectral_norm", "benches/kernels/spectral_norm.c", "2200"),
    kernel("nbody", "benches/kernels/nbody.c", "8000000"),
    kernel("fannkuch", "benches/kernels/fannkuch.c", "10"),
    kernel("mandelbrot", "benches/kernels/mandelbrot.c", "2000"),
    simd("mandelbrot_simd", "benches/kernels/mandelbrot.c", "2400"),
    kernel("sha256", "benches/kernels/sha256.c", "1200000"),
    kernel("keccak", "benches/kernels/keccak.c", "600000"),
    kernel("blake2b", "benches/kernels/blake2b.c", "2000000"),
    kernel("blake3", "benches/kernels/blake3.c", "100000"),
    simd("blake3_simd", "benches/kernels/blake3.c", "160000"),
    kernel("x25519", "benches/kernels/x25519.c", "1000"),
    kernel("quicksort", "benches/kernels/quicksort.c", "6000000"),
    kernel("sort_callback", "benches/kernels/sort_callback.c", "250000"),
    kernel("streams", "benches/kernels/streams.c", "8000000"),
    kernel("shapes", "benches/kernels/shapes.c", "40000"),
    kernel("expressions", "benches/kernels/expressions.c", "10000"),
    kernel("hash_map", "benches/kernels/hash_map.c", "3000000"),
    kernel("base64", "benches/kernels/base64.c", "1300"),
    kernel("csv", "benches/kernels/csv.c", "100"),
    kernel("json", "benches/kernels/json.c", "90"),
    kernel("richards", "benches/kernels/richards.c", "700"),
    kernel("regex", "benches/kernels/regex.c", "2400"),
    kernel("words", "benches/kernels/words.c", "30"),
    kernel("interpreter", "benches/kernels/interpreter.c", "300000"),
    kernel("binary_trees", "benches/kernels/binary_trees.c", "4000"),
    library(
        "sqlite",
        lib::SQLITE,
        "benches/drivers/sqlite.c",
        None,
        "40000",
        "10",
    ),
    library(
        "zstd",
        lib::ZSTD,
        "benches/drivers/zstd.c",
        None,
        "2048",
        "1",
    ),
    library(
        "bzip2",
        lib::BZIP2,
        "benches/drivers/bzip2.c",
        None,
        "1536",
        "1",
    ),
    library("lz4", lib::LZ4, "benches/drivers/lz4.c", None, "7000", "1"),
    library(
        "sodium",
        lib::SODIUM,
        "benches/drivers/sodium.c",
        None,
        "300",
        "1",
    ),
    library(
        "lua",
        lib::LUA,
        "benches/drivers/lua.c",
        Some("benches/scripts/mixed.lua"),
        "180",
        "1",
    ),
    library(
        "quickjs",
        lib::QUICKJS,
        "benches/drivers/quickjs.c",
        Some("benches/scripts/mixed.js"),
        "110",
        "1",
    ),
    go("go_json", "benches/go/json", "180"),
    go("go_pipeline", "benches/go/pipeline", "6000"),
    text("gc_binary_trees", "benches/gc/binary_trees.wat", "5000"),
    text("gc_splay", "benches/gc/splay.wat", "30000"),
    text("gc_richards", "benches/gc/richards.wat", "500"),
    text("gc_list", "benches/gc/list.wat", "6000"),
    text("gc_sort", "benches/gc/sort.wat", "350000"),
    // Engines differ by so much here that sizes are small.
    text(
        "eh_throw_near",
        "benches/exceptions/throw_near.wat",
        "200000",
    ),
    text("eh_throw_far", "benches/exceptions/throw_far.wat", "10000"),
    text(
        "eh_calls_guarded",
        "benches/exceptions/calls_guarded.wat",
        "20000",
    ),
    text(
        "eh_calls_plain",
        "benches/exceptions/calls_plain.wat",
        "20000",
    ),
];
