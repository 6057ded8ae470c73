//! Every function of WASI preview 1, called by a C program that checks what each does.

use meantime_tests::{Run, Scratch, wasm};
use std::collections::BTreeSet;
use std::fs;
use xtask::paths;
use xtask::toolbox::guest::{Guest, Source};

const FILE: &str = "tests/programs/guests/wasi_all.c";
const PROGRAM: Guest = Guest {
    name: "test_wasi_all",
    source: Source::C(FILE),
    flags: &["-O1"],
    wasm_flags: &[],
};

/// The functions that the program declares.
fn functions() -> BTreeSet<String> {
    let text = fs::read_to_string(paths::workspace().join(FILE)).unwrap();
    let mut names: BTreeSet<String> = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("WASI(")?
                .split(',')
                .next()
                .map(|name| name.trim_end_matches([')', ';']).to_owned())
        })
        .collect();
    // It does not return, so it is declared in full.
    names.insert("proc_exit".into());
    names
}

#[test]
fn all_functions_do_what_they_should() {
    let Some(program) = wasm(&PROGRAM) else {
        return;
    };
    let functions = functions();
    assert_eq!(
        functions.len(),
        46,
        "preview 1 has 46 functions; the program declares {functions:?}"
    );
    let scratch = Scratch::new("wasi");
    // A peer answers some calls otherwise; the program knows which when it is told.
    let peer = std::env::var_os("MEANTIME_TESTS_PEER").is_some();
    let args: &[&str] = if peer {
        &["--peer", "one", "two words"]
    } else {
        &["one", "two words"]
    };
    let outcome = Run::new(
        &["--dir", &scratch.as_dir("/"), "--env", "WASI_ALL=yes"],
        &program,
        args,
    )
    .stdin("standard input\n")
    .outcome();
    let stdout = outcome.ok();
    assert!(stdout.ends_with("done\n"), "{stdout}");
    assert!(
        outcome.stderr.contains("to standard error"),
        "{}",
        outcome.stderr
    );
    if !peer {
        let checked: BTreeSet<String> = stdout
            .lines()
            .filter_map(|line| line.strip_prefix("ok "))
            .map(str::to_owned)
            .collect();
        let missing: Vec<_> = functions.difference(&checked).collect();
        assert!(missing.is_empty(), "not checked: {missing:?}\n{stdout}");
    }
    assert_eq!(
        fs::read_dir(scratch.path()).unwrap().count(),
        0,
        "the program leaves files behind"
    );
}
