//! Programs as a whole: WASI, exit statuses, preloaded modules, limits.

use crate::Place;

/// A program that writes what WASI call `body` leaves in memory: `body` fills an iovec at 0.
fn printing(imports: &str, body: &str) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        {imports}
        (memory (export "memory") 1)
        (func (export "_start") {body} (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#
    )
}

/// Prints the arguments, with zero bytes between them.
fn print_arguments() -> String {
    let imports = r#"
        (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))"#;
    let body = "(drop (call $sizes (i32.const 16) (i32.const 4))) (drop (call $get (i32.const 1024) (i32.const 4096))) \
                (i32.store (i32.const 0) (i32.const 4096))";
    printing(imports, body)
}

/// Prints the environment, with zero bytes between variables.
fn print_environment() -> String {
    print_arguments()
        .replace("args_get", "environ_get")
        .replace("args_sizes_get", "environ_sizes_get")
}

fn exiting(status: u32) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (i32.const {status}))))"#
    )
}

#[test]
fn run_is_the_default() {
    let place = Place::new();
    place.file("a.wat", print_arguments());
    for arguments in [&["a.wat", "x"][..], &["run", "a.wat", "x"]] {
        place.run(arguments).prints("a.wat\0x\0");
    }
}

#[test]
fn arguments_reach_the_program() {
    let place = Place::new();
    place.file("a.wat", print_arguments());
    place
        .run(&["./a.wat", "--help", "-O", "run"])
        .prints("a.wat\0--help\0-O\0run\0");
    place
        .run(&["--argv0", "me", "a.wat", "--", "x"])
        .prints("me\0--\0x\0");
}

#[test]
fn variables_reach_the_program() {
    let place = Place::new();
    place.file("e.wat", print_environment());
    let mut command = place.command(&[
        "--env", "A=b=c", "--env", "SHARED", "--env", "MISSING", "e.wat",
    ]);
    command
        .env("SHARED", "yes")
        .env("PRIVATE", "no")
        .env_remove("MISSING");
    crate::outcome(command.output().unwrap()).prints("A=b=c\0SHARED=yes\0");

    let mut command = place.command(&["-S", "inherit-env", "e.wat"]);
    command.env_clear().env("PRIVATE", "no");
    crate::outcome(command.output().unwrap()).prints("PRIVATE=no\0");
}

#[test]
fn exit_statuses_are_the_program_s() {
    let place = Place::new();
    for status in [0, 1, 3, 42] {
        place.file("x.wat", exiting(status));
        let outcome = place.run(&["x.wat"]);
        assert_eq!(
            (outcome.status as u32, outcome.stderr.as_str()),
            (status, "")
        );
    }
}

#[test]
fn a_trap_gives_134() {
    let place = Place::new();
    place.file("t.wat", "(module (func $inner (drop (i32.div_s (i32.const 1) (i32.const 0)))) (func (export \"_start\") (call $inner)))");
    place
        .run(&["t.wat"])
        .fails(134, &["Error:", "t.wat", "integer divide by zero", "inner"]);
    place
        .run(&["-D", "max-backtrace=0", "t.wat"])
        .fails(134, &["integer divide by zero"]);
}

#[test]
fn an_uncaught_exception_is_told_with_its_tag_and_values() {
    let place = Place::new();
    place.file(
        "e.wat",
        r#"(module $m
            (tag $oops (export "oops") (param i32 f64))
            (tag $secret)
            (func $inner (throw $oops (i32.const 7) (f64.const 1.5)))
            (func (export "_start") (call $inner))
            (func (export "other") (throw $secret)))"#,
    );
    place.run(&["e.wat"]).fails(
        1,
        &[
            "Error:",
            "uncaught exception with the tag `oops` and 7, 1.5",
            "m!inner",
            "thrown Wasm exception",
        ],
    );
    place
        .run(&["--invoke", "other", "e.wat"])
        .fails(1, &["uncaught exception with a tag that is not exported"]);
    place.file(
        "s.wat",
        r#"(module (tag $oops (export "oops") (param i32))
            (func $start (throw $oops (i32.const 7)))
            (start $start))"#,
    );
    place.run(&["s.wat"]).fails(
        1,
        &["uncaught exception with a tag of (type (func (param i32))) and 7"],
    );
    place
        .run(&["-W", "exceptions=n", "e.wat"])
        .fails(1, &["exceptions"]);
}

#[test]
fn collectors_and_page_sizes_can_be_chosen() {
    let place = Place::new();
    place.file(
        "g.wat",
        r#"(module
            (type $t (struct (field i32)))
            (func (export "f") (result i32)
                (struct.get $t 0 (struct.new $t (i32.const 5)))))"#,
    );
    for options in [
        &["-C", "collector=null"][..],
        &["-C", "collector=copying", "-O", "gc-zeal-alloc-counter=1"],
        &["-O", "gc-heap-initial-size=1048576,gc-heap-may-move=n"],
    ] {
        let rest = ["--invoke", "f", "g.wat"];
        place.run(&[options, &rest].concat()).prints("5\n");
    }
    place
        .run(&["-C", "collector=drc", "g.wat"])
        .fails(2, &["-C collector=drc is not supported"]);
    place.run(&["-W", "gc=n", "g.wat"]).fails(1, &["gc"]);
    place.file(
        "p.wat",
        r#"(module
            (memory 100 (pagesize 1))
            (func (export "f") (result i32)
                (drop (memory.grow (i32.const 5)))
                (memory.size)))"#,
    );
    place
        .run(&["-W", "custom-page-sizes", "--invoke", "f", "p.wat"])
        .prints("105\n");
    place
        .run(&["--invoke", "f", "p.wat"])
        .fails(1, &["custom page sizes"]);
}

#[test]
fn endless_recursion_is_a_trap() {
    let place = Place::new();
    place.file("r.wat", "(module (func $f (export \"_start\") (call $f)))");
    place.run(&["r.wat"]).fails(134, &["call stack exhausted"]);
}

#[test]
fn missing_imports_are_named() {
    let place = Place::new();
    place.file(
        "i.wat",
        "(module (import \"env\" \"f\" (func)) (func (export \"_start\")))",
    );
    place.run(&["i.wat"]).fails(1, &["env::f"]);
    place
        .run(&["-W", "unknown-imports-trap", "i.wat"])
        .prints("");
    place
        .run(&["-W", "unknown-imports-default", "i.wat"])
        .prints("");
    place.file("w.wat", exiting(0));
    place
        .run(&["-S", "cli=n", "w.wat"])
        .fails(1, &["proc_exit"]);
}

#[test]
fn stand_ins_for_imports() {
    let place = Place::new();
    place.file("i.wat", "(module (import \"env\" \"f\" (func $f (result i32))) (func (export \"g\") (result i32) (call $f)))");
    place
        .run(&["-W", "unknown-imports-trap", "--invoke", "g", "i.wat"])
        .fails(1, &["env", "f"]);
    place
        .run(&["-W", "unknown-imports-default", "--invoke", "g", "i.wat"])
        .prints("0\n");
    let both = [
        "-W",
        "unknown-imports-default,unknown-imports-trap",
        "i.wat",
    ];
    place.run(&both).fails(2, &["contradict each other"]);
}

#[test]
fn preloaded_modules() {
    let place = Place::new();
    place.file(
        "p.wat",
        "(module (func (export \"seven\") (result i32) i32.const 7))",
    );
    place.file("m.wat", "(module (import \"lib\" \"seven\" (func $f (result i32))) (func (export \"g\") (result i32) (call $f)))");
    place
        .run(&["--preload", "lib=p.wat", "--invoke", "g", "m.wat"])
        .prints("7\n");
    place
        .run(&["--preload", "other=p.wat", "--invoke", "g", "m.wat"])
        .fails(1, &["lib::seven"]);
    place
        .run(&["--preload", "lib=none.wat", "m.wat"])
        .fails(1, &["there is no file `none.wat`"]);
    place
        .run(&["--preload", "lib", "m.wat"])
        .fails(2, &["--preload", "NAME=PATH"]);
}

#[test]
fn reactors_are_initialised() {
    let place = Place::new();
    place.file(
        "r.wat",
        "(module (global $g (mut i32) (i32.const 0)) (func (export \"_initialize\") (global.set $g (i32.const 5))) \
         (func (export \"get\") (result i32) (global.get $g)))",
    );
    place.run(&["--invoke", "get", "r.wat"]).prints("5\n");
}

#[test]
fn limits_hold() {
    let place = Place::new();
    place.file(
        "g.wat",
        "(module (memory 1) (func (export \"grow\") (result i32) (memory.grow (i32.const 1))))",
    );
    place.run(&["--invoke", "grow", "g.wat"]).prints("1\n");
    place
        .run(&["-W", "max-memory-size=65536", "--invoke", "grow", "g.wat"])
        .prints("-1\n");
    let trapping = [
        "-W",
        "max-memory-size=0x1_0000,trap-on-grow-failure",
        "--invoke",
        "grow",
        "g.wat",
    ];
    let outcome = place.run(&trapping);
    assert_ne!(outcome.status, 0);
    assert!(
        outcome.stderr.contains("forcing trap when growing memory"),
        "{}",
        outcome.stderr
    );
    place
        .run(&["-W", "max-memories=0", "--invoke", "grow", "g.wat"])
        .fails(1, &["resource limit exceeded"]);
}

#[test]
fn directories_are_given_by_name() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("data")).unwrap();
    // Prints the name of the first directory.
    let imports = r#"(import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $name (param i32 i32 i32) (result i32)))
                     (import "wasi_snapshot_preview1" "fd_prestat_get" (func $get (param i32 i32) (result i32)))"#;
    let body = "(drop (call $get (i32.const 3) (i32.const 32))) (i32.store (i32.const 4) (i32.load (i32.const 36))) \
                (drop (call $name (i32.const 3) (i32.const 1024) (i32.load (i32.const 4)))) (i32.store (i32.const 0) (i32.const 1024))";
    place.file("d.wat", printing(imports, body));
    place
        .run(&["--dir", "data::/guest", "d.wat"])
        .prints("/guest");
    place.run(&["--dir=data", "d.wat"]).prints("data");
    place
        .run(&["--dir", "nowhere", "d.wat"])
        .fails(1, &["cannot open directory `nowhere`"]);
    place.file("plain.wat", "(module)");
    place
        .run(&["--dir", "nowhere", "plain.wat"])
        .fails(1, &["cannot open directory `nowhere`"]);
}

#[test]
fn sockets_that_listen() {
    let place = Place::new();
    // Prints whether descriptor 3 is there, and is a stream socket (6).
    let imports = r#"(import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))"#;
    let body = "(drop (call $stat (i32.const 3) (i32.const 32))) \
                (i32.store8 (i32.const 32) (i32.add (i32.const 48) (i32.load8_u (i32.const 32)))) \
                (i32.store (i32.const 0) (i32.const 32)) (i32.store (i32.const 4) (i32.const 1))";
    place.file("s.wat", printing(imports, body));
    place
        .run(&["-S", "tcplisten=127.0.0.1:0", "s.wat"])
        .prints("6");
    place.run(&["s.wat"]).prints("0");
    place
        .run(&["-S", "tcplisten=nowhere", "s.wat"])
        .fails(1, &["cannot listen at `nowhere`"]);
}

#[test]
fn stdio_can_be_kept_from_the_program() {
    let place = Place::new();
    place.file("a.wat", print_arguments());
    place.run(&["-S", "inherit-stdout=n", "a.wat"]).prints("");
}

#[test]
fn the_old_wasi_is_there_unless_it_is_turned_off() {
    let place = Place::new();
    place.file(
        "o.wat",
        exiting(6).replace("wasi_snapshot_preview1", "wasi_unstable"),
    );
    assert_eq!(place.run(&["o.wat"]).status, 6);
    place
        .run(&["-S", "preview0=n", "o.wat"])
        .fails(1, &["wasi_unstable"]);
}

#[test]
fn modules_without_a_start_do_nothing() {
    let place = Place::new();
    place.file("n.wat", "(module (func (export \"f\") unreachable))");
    place.run(&["n.wat"]).prints("");
}

#[test]
fn programs_end_where_their_fuel_or_time_does() {
    let place = Place::new();
    place.file(
        "forever.wat",
        "(module (func $inner (loop (br 0))) (func (export \"_start\") (call $inner)))",
    );
    place.file(
        "once.wat",
        "(module (func (export \"f\") (result i32) i32.const 7))",
    );
    place.run(&["-W", "fuel=10000", "forever.wat"]).fails(
        134,
        &["Error:", "all fuel consumed by WebAssembly", "inner"],
    );
    place
        .run(&["-W", "timeout=50ms", "forever.wat"])
        .fails(134, &["Error:", "wasm trap: interrupt", "inner"]);
    for bound in ["fuel=10", "timeout=60s", "epoch-interruption"] {
        place
            .run(&["-W", bound, "--invoke", "f", "once.wat"])
            .prints("7\n");
    }
    place
        .run(&["-W", "fuel=0", "--invoke", "f", "once.wat"])
        .fails(134, &["all fuel consumed"]);
    place
        .run(&["-W", "timeout=1s,epoch-interruption=n", "once.wat"])
        .fails(1, &["-W timeout needs -W epoch-interruption"]);
    // Compiled ahead of time for the same.
    place
        .run(&["compile", "-W", "fuel=1", "once.wat"])
        .prints("");
    let precompiled = ["--allow-precompiled", "--invoke", "f", "once.cwasm"];
    place
        .run(&[&["-W", "fuel=10"], &precompiled[..]].concat())
        .prints("7\n");
    place.run(&precompiled).fails(1, &["consume_fuel"]);
}

#[test]
fn a_timeout_ends_what_waits_in_the_host() {
    let place = Place::new();
    // Waits for a clock that is a minute ahead.
    place.file(
        "wait.wat",
        "(module
            (import \"wasi_snapshot_preview1\" \"poll_oneoff\"
                (func $poll (param i32 i32 i32 i32) (result i32)))
            (memory (export \"memory\") 1)
            (func (export \"_start\")
                (i32.store (i32.const 16) (i32.const 1))
                (i64.store (i32.const 24) (i64.const 60000000000))
                (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))",
    );
    place
        .run(&["-W", "timeout=10ms", "wait.wat"])
        .fails(134, &["longer than 10ms"]);
}
