//! The command line's options: help, refusals, the TOML file.

use crate::Place;

fn place() -> Place {
    let place = Place::new();
    place.file(
        "m.wat",
        "(module (func (export \"f\") (result i32) i32.const 1))",
    );
    place
}

#[test]
fn groups_explain_themselves() {
    let place = Place::new();
    for (group, key) in [
        ("-O", "opt-level"),
        ("-C", "cranelift-KEY"),
        ("-D", "address-map"),
        ("-W", "simd"),
        ("-S", "cli"),
        ("-R", "path"),
    ] {
        let help = place.run(&[group, "help"]);
        help.shows(&[key, group]);
        assert!(!help.stdout.contains("error:"), "{}", help.stdout);
        place
            .run(&["run", group, "help-long"])
            .shows(&[key, "Default: "]);
    }
    place
        .run(&["compile", "-Ohelp"])
        .shows(&["opt-level=0|1|2|s"]);
    place.run(&["--wasm", "help"]).shows(&[
        "not supported by this version of Meantime",
        "component-model-async",
    ]);
}

#[test]
fn keys_that_are_not_done_yet() {
    let place = place();
    let not_yet =
        |what: &str| format!("error: {what} is not supported by this version of Meantime");
    for (arguments, what) in [
        (
            &["-W", "component-model-async", "m.wat"][..],
            "-W component-model-async",
        ),
        (&["-Wwmemcheck", "m.wat"], "-W wmemcheck"),
        (&["--wasm=stack-switching", "m.wat"], "-W stack-switching"),
        (
            &["-O", "opt-level=2,pooling-allocator", "m.wat"],
            "-O pooling-allocator",
        ),
        (&["-S", "http", "m.wat"], "-S http"),
        (&["-R", "path=x", "m.wat"], "-R path"),
        (&["--target", "pulley64", "m.wat"], "--target pulley64"),
        (&["--profile", "perfmap", "m.wat"], "--profile"),
        (&["-g", "1234", "m.wat"], "-g / --gdbstub"),
        (&["compile", "--emit-clif", "d", "m.wat"], "--emit-clif"),
        (&["wast", "--async", "x.wast"], "--async"),
        (
            &["serve", "--addr", "0.0.0.0:80", "m.wat"],
            "`meantime serve`",
        ),
        (&["serve", "--help"], "`meantime serve`"),
        (&["hot-blocks"], "`meantime hot-blocks`"),
    ] {
        place.run(arguments).fails(2, &[&not_yet(what)]);
    }
    // Asking for what is so anyway is no reason to refuse.
    place
        .run(&[
            "-W",
            "component-model-async=n,gc=n",
            "-O",
            "pooling-allocator=n",
            "-C",
            "cache=n",
            "-S",
            "http=n",
            "m.wat",
        ])
        .prints("");
}

#[test]
fn keys_that_nobody_knows() {
    let place = place();
    place
        .run(&["-O", "speed=9", "m.wat"])
        .fails(2, &["error: unknown key `speed`", "`-O help`"]);
    place
        .run(&["-O", "opt-levl=1", "m.wat"])
        .fails(2, &["did you mean `opt-level`"]);
    place
        .run(&["-O", "opt-level=9", "m.wat"])
        .fails(2, &["-O opt-level: `9` is not one of 0, 1, 2, s"]);
    place
        .run(&["-W", "max-memory-size=big", "m.wat"])
        .fails(2, &["`big` is not a number"]);
    place
        .run(&["-W", "simd=maybe", "m.wat"])
        .fails(2, &["`maybe` is not one of y, n"]);
    place
        .run(&["--no-such-option", "m.wat"])
        .fails(2, &["--no-such-option"]);
    place
        .run(&["-C", "cranelift-no_such_flag", "m.wat"])
        .fails(1, &["no_such_flag"]);
    place
        .run(&["--target", "pdp11", "m.wat"])
        .fails(1, &["pdp11"]);
}

#[test]
fn nothing_at_all_is_a_usage_error() {
    Place::new()
        .run(&[])
        .fails(2, &["Usage: meantime", "compile"]);
    Place::new().run(&["run"]).fails(2, &["<WASM>"]);
}

#[test]
fn settings_take_effect() {
    let place = place();
    let all = "opt-level=0,regalloc-algorithm=single-pass,memory-may-move=y,memory-reservation=0,memory-guard-size=0,\
               guard-before-linear-memory=n,table-lazy-init=n,memory-init-cow=n,signals-based-traps=n";
    place
        .run(&["-O", all, "--invoke", "f", "m.wat"])
        .prints("1\n");
    place
        .run(&[
            "-D",
            "address-map=n",
            "-C",
            "parallel-compilation=n",
            "--invoke",
            "f",
            "m.wat",
        ])
        .prints("1\n");
    // More than a stack for async calls has by default: it follows, unless it was given, too.
    place
        .run(&["-W", "max-wasm-stack=4194304", "--invoke", "f", "m.wat"])
        .prints("1\n");
    let both = "async-stack-size=2097152,max-wasm-stack=4194304";
    place
        .run(&["-W", both, "--invoke", "f", "m.wat"])
        .fails(1, &["max_wasm_stack size cannot exceed"]);
    place
        .run(&[
            "-W",
            "nan-canonicalization,max-wasm-stack=65536",
            "--invoke",
            "f",
            "m.wat",
        ])
        .prints("1\n");
    place
        .run(&[
            "-C",
            "cranelift-enable_verifier=true",
            "--invoke",
            "f",
            "m.wat",
        ])
        .prints("1\n");
    place.file(
        "simd.wat",
        "(module (func (result v128) (v128.const i64x2 0 0)))",
    );
    place.run(&["simd.wat"]).prints("");
    for without in ["simd=n,relaxed-simd=n", "all-proposals=n"] {
        let refused = place.run(&["-W", without, "simd.wat"]);
        assert_eq!(refused.status, 1);
        assert!(
            refused.stderr.to_lowercase().contains("simd"),
            "{}",
            refused.stderr
        );
    }
    // A proposal's own setting holds against all of them, wherever it stands.
    place
        .run(&["-W", "simd,all-proposals=n", "simd.wat"])
        .prints("");
}

#[test]
fn the_last_word_counts() {
    let place = place();
    place.file(
        "g.wat",
        "(module (memory 1) (func (export \"grow\") (result i32) (memory.grow (i32.const 1))))",
    );
    let limits = [
        "-W",
        "max-memory-size=65536",
        "-W",
        "max-memory-size=131072",
        "--invoke",
        "grow",
        "g.wat",
    ];
    place.run(&limits).prints("1\n");
}

#[test]
fn the_options_file() {
    let place = place();
    place.file(
        "g.wat",
        "(module (memory 1) (func (export \"grow\") (result i32) (memory.grow (i32.const 1))))",
    );
    place.file(
        "o.toml",
        "[wasm]\nmax-memory-size = 65536\n[optimize]\nopt-level = 0\n",
    );
    place
        .run(&["--config", "o.toml", "--invoke", "grow", "g.wat"])
        .prints("-1\n");
    place
        .run(&[
            "--config",
            "o.toml",
            "-W",
            "max-memory-size=131072",
            "--invoke",
            "grow",
            "g.wat",
        ])
        .prints("1\n");
    place.file("bad.toml", "[wasm]\nmax-memory = 1\n");
    place
        .run(&["--config", "bad.toml", "g.wat"])
        .fails(2, &["`bad.toml`", "[wasm] unknown key `max-memory`"]);
    place.file("later.toml", "[wasm]\nwmemcheck = true\n");
    place
        .run(&["--config", "later.toml", "g.wat"])
        .fails(2, &["-W wmemcheck is not supported"]);
    place
        .run(&["--config", "none.toml", "g.wat"])
        .fails(1, &["cannot read options from `none.toml`"]);
}

#[test]
fn logging_only_where_it_is_asked_for() {
    let place = place();
    for name in ["MEANTIME_LOG", "WASMTIME_LOG"] {
        let mut command = place.command(&["--invoke", "f", "m.wat"]);
        command.env(name, "a=b=c");
        crate::outcome(command.output().unwrap()).fails(1, &["MEANTIME_LOG"]);
        let mut command = place.command(&["-D", "logging=n", "--invoke", "f", "m.wat"]);
        command.env(name, "a=b=c");
        crate::outcome(command.output().unwrap()).prints("1\n");
        let mut command = place.command(&["--invoke", "f", "m.wat"]);
        command.env(name, "off");
        crate::outcome(command.output().unwrap()).prints("1\n");
    }
}
