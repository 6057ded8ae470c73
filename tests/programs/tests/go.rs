//! A program in Go: goroutines, timers, JSON, files and the garbage collector, on WASI preview 1.

use meantime_tests::{Outcome, Run, Scratch, wasm};
use std::fs;
use std::path::Path;
use xtask::toolbox::guest::{Guest, Source};

const PROGRAM: Guest = Guest {
    name: "test_go_files",
    source: Source::Go("tests/programs/guests/go_files"),
    flags: &[],
    wasm_flags: &[],
};

fn run(program: &Path, scratch: &Scratch, args: &[&str]) -> Outcome {
    let orders: Vec<String> = (1..=40)
        .map(|id| format!(r#"{{"id": {id}, "items": [{{"name": "a\u00e9", "count": {id}, "price": 1.5}}, {{"name": "b", "count": 2, "price": 0.25}}]}}"#))
        .collect();
    fs::write(
        scratch.path().join("orders.json"),
        format!("[{}]", orders.join(",\n")),
    )
    .unwrap();
    Run::new(
        &["--dir", &scratch.as_dir("/work"), "--env", "GREETING=hello"],
        program,
        args,
    )
    .outcome()
}

#[test]
fn orders_become_invoices() {
    let Some(program) = wasm(&PROGRAM) else {
        return;
    };
    let scratch = Scratch::new("go");
    let outcome = run(&program, &scratch, &["/work"]);
    assert_eq!(
        outcome.ok(),
        "orders 40 lines 40 files 41 first 2.00 outside true\ngreeting hello\n"
    );
    let log = fs::read_to_string(scratch.path().join("out/log.txt")).unwrap();
    assert!(
        log.starts_with("1 2.00\n2 3.50\n") && log.ends_with("40 60.50\n"),
        "{log}"
    );
    assert_eq!(
        fs::read_dir(scratch.path().join("out/invoices"))
            .unwrap()
            .count(),
        39
    );
    assert_eq!(
        fs::read_to_string(scratch.path().join("out/invoices/40.json")).unwrap(),
        r#"{"order":40,"total":60.5,"lines":2}"#
    );
}

#[test]
fn its_exit_status_and_its_panic_are_the_commands() {
    let Some(program) = wasm(&PROGRAM) else {
        return;
    };
    let scratch = Scratch::new("go");
    assert_eq!(run(&program, &scratch, &["/work", "exit"]).code, Some(3));
    let outcome = run(&program, &scratch, &["/work", "panic"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("nil pointer dereference")
            && outcome.stderr.contains("goroutine 1"),
        "{}",
        outcome.stderr
    );
}
