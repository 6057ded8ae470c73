//! A trap ends the command with status 134 and says what happened, and where: functions by name
//! and, for a program compiled with `-g`, files and lines.

use meantime_tests::{Outcome, Run, wasm};
use std::fs;
use xtask::paths;
use xtask::toolbox::guest::{Guest, Source};

const FILE: &str = "tests/programs/guests/trap.c";
const PROGRAM: Guest = Guest {
    name: "test_trap",
    source: Source::C(FILE),
    // Without optimization, so that every line of the source has code of its own.
    flags: &["-g", "-O0"],
    wasm_flags: &[],
};

fn run(how: &str, details: bool) -> Option<Outcome> {
    let run = Run::new(&[], &wasm(&PROGRAM)?, &[how]);
    Some(
        if details {
            run.env("WASMTIME_BACKTRACE_DETAILS", "1")
        } else {
            run
        }
        .outcome(),
    )
}

/// `trap.c:LINE` of the line that is marked so.
fn line(mark: &str) -> String {
    let text = fs::read_to_string(paths::workspace().join(FILE)).unwrap();
    let mark = format!("/* mark: {mark} */");
    let line = text
        .lines()
        .position(|line| line.contains(&mark))
        .unwrap_or_else(|| panic!("no line is marked {mark}"));
    format!("trap.c:{}", line + 1)
}

/// Asserts that `parts` occur in `text` in this order.
#[track_caller]
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some(at) = rest.find(part) else {
            panic!("{part:?} is missing, or not after the ones before it, in:\n{text}")
        };
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn every_kind_of_trap_ends_with_134_and_its_message() {
    let kinds = [
        ("divide", "wasm trap: integer divide by zero"),
        ("overflow", "wasm trap: integer overflow"),
        ("load", "wasm trap: out of bounds memory access"),
        (
            "unreachable",
            "wasm trap: wasm `unreachable` instruction executed",
        ),
        ("signature", "wasm trap: indirect call type mismatch"),
        ("stack", "wasm trap: call stack exhausted"),
    ];
    for (how, message) in kinds {
        let Some(outcome) = run(how, false) else {
            return;
        };
        assert_eq!(outcome.code, Some(134), "{how}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "before\n", "{how}");
        assert!(
            outcome.stderr.contains(message),
            "{how}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn the_backtrace_names_functions_from_the_innermost_out() {
    let Some(outcome) = run("divide", false) else {
        return;
    };
    in_order(
        &outcome.stderr,
        &[
            "wasm backtrace",
            "0:",
            "!divide",
            "1:",
            "!choose",
            "2:",
            "main",
            "_start",
        ],
    );
}

#[test]
fn the_backtrace_has_files_and_lines() {
    let Some(outcome) = run("divide", true) else {
        return;
    };
    in_order(
        &outcome.stderr,
        &[
            "divide",
            &line("divide"),
            "choose",
            &line("choose divide"),
            "main",
            &line("main"),
        ],
    );
    for how in ["load", "give_up", "call_wrongly"] {
        let argument = match how {
            "give_up" => "unreachable",
            "call_wrongly" => "signature",
            other => other,
        };
        let Some(outcome) = run(argument, true) else {
            return;
        };
        in_order(
            &outcome.stderr,
            &[how, &line(how), "choose", "main", &line("main")],
        );
    }
}

#[test]
fn an_exit_is_no_trap() {
    let Some(outcome) = run("exit", false) else {
        return;
    };
    assert_eq!(
        (
            outcome.code,
            outcome.stdout.as_str(),
            outcome.stderr.as_str()
        ),
        (Some(7), "before\n", "")
    );
}
