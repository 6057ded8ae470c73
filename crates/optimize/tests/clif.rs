//! Compares the CLIF of small modules with what stands after them in `tests/clif/*.wat`.
//!
//! A file begins with lines of options (`;;! name`), then comes the module, then the expectation as a comment. With
//! `MEANTIME_BLESS=1` in the environment the expectation is written instead.
//!
//! Options: `target x86_64` or `target aarch64`; `explicit` (memories with checks), `no-signals`, `no-lazy-tables`, `no-inlining`, `branch-hints`, `fuel`, `epochs`;
//! `trampolines` (those of every type too); `assembly` (machine code instead of CLIF).

mod common;

use meantime_abi::{Trampoline, Tunables};
use meantime_optimize::Optimizer;
use std::fmt::Write;
use std::path::Path;

#[derive(Default)]
struct Options {
    tunables: Tunables,
    aarch64: bool,
    trampolines: bool,
    assembly: bool,
}

fn options(source: &str) -> Options {
    let mut options = Options::default();
    for line in source.lines() {
        let Some(option) = line.strip_prefix(";;! ") else {
            break;
        };
        match option {
            "target x86_64" => {}
            "target aarch64" => options.aarch64 = true,
            "explicit" => options.tunables.memory_reservation = 0,
            "no-signals" => options.tunables.signals_based_traps = false,
            "no-lazy-tables" => options.tunables.table_lazy_init = false,
            "no-inlining" => options.tunables.inlining = false,
            "branch-hints" => options.tunables.branch_hinting = true,
            "fuel" => options.tunables.consume_fuel = true,
            "epochs" => options.tunables.epoch_interruption = true,
            "trampolines" => options.trampolines = true,
            "assembly" => options.assembly = true,
            other => panic!("no option is called {other:?}"),
        }
    }
    options
}

fn output(source: &str) -> String {
    let options = options(source);
    let target = common::TARGETS[usize::from(options.aarch64)];
    let optimizer: Optimizer = common::optimizer(target, options.tunables);
    let wasm = wat::parse_str(source).expect("the text parses");
    let module = common::decode(&wasm);
    let mut out = String::new();
    for index in module.bodies().keys() {
        let text = if options.assembly {
            optimizer.function_assembly(&module, &wasm, index)
        } else {
            optimizer.function_clif(&module, &wasm, index)
        };
        writeln!(out, "{}", text.expect("it compiles")).expect("strings take all");
    }
    if options.trampolines {
        for ty in module.types().values().filter_map(|ty| ty.as_func()) {
            for kind in [Trampoline::Enter, Trampoline::Host] {
                let text = optimizer.trampoline_clif(kind, &ty.signature());
                writeln!(out, "{kind:?}: {text}").expect("strings take all");
            }
        }
    }
    let mut comment = String::new();
    for line in out.trim_end().lines() {
        writeln!(comment, "{}", format!(";; {line}").trim_end()).expect("strings take all");
    }
    comment
}

#[test]
fn files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clif");
    let bless = std::env::var_os("MEANTIME_BLESS").is_some();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("its entries can be read").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = Vec::new();
    for file in files {
        let source = std::fs::read_to_string(&file).expect("the file can be read");
        // The expectation is the comment at the end.
        let end = source.find("\n;; ").map_or(source.len(), |at| at + 1);
        let (module, expected) = source.split_at(end);
        let actual = output(module);
        if actual == expected {
            continue;
        }
        if bless {
            let text = format!("{}\n\n{actual}", module.trim_end());
            std::fs::write(&file, text).expect("the file can be written");
        } else {
            wrong.push(format!("{}:\n{actual}", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "not as expected (MEANTIME_BLESS=1 accepts it):\n{}",
        wrong.join("\n")
    );
}
