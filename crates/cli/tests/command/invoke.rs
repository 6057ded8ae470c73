//! `--invoke`: arguments in, results out.

use crate::Place;

const MODULE: &str = r#"(module
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "wide") (param i64) (result i64) (local.get 0))
    (func (export "half") (param f32 f64) (result f32 f64)
        (f32.mul (local.get 0) (f32.const 0.5)) (f64.mul (local.get 1) (f64.const 0.5)))
    (func (export "vector") (param v128) (result v128) (local.get 0))
    (func (export "refs") (result externref funcref) (ref.null extern) (ref.null func))
    (func (export "take") (param externref))
    (func (export "nothing"))
    (func (export "fall") (result i32) unreachable)
    (memory (export "memory") 1))"#;

fn place() -> Place {
    let place = Place::new();
    place.file("m.wat", MODULE);
    place
}

#[test]
fn results_one_to_a_line() {
    let place = place();
    let invoke = |function: &str, arguments: &[&str]| {
        place.run(&[&["run", "--invoke", function, "m.wat"], arguments].concat())
    };
    invoke("add", &["1", "-3"]).prints("-2\n");
    invoke("add", &["0xffffffff", "0x10"]).prints("15\n");
    invoke("wide", &["-9223372036854775808"]).prints("-9223372036854775808\n");
    invoke("half", &["3", "-1e2"]).prints("1.5\n-50\n");
    invoke("half", &["inf", "nan"]).prints("inf\nNaN\n");
    invoke("vector", &["0x10000000000000000"]).prints("18446744073709551616\n");
    invoke("refs", &[]).prints("<null externref>\n<null funcref>\n");
    invoke("nothing", &[]).prints("");
}

#[test]
fn arguments_that_do_not_fit() {
    let place = place();
    place
        .run(&["--invoke", "add", "m.wat", "1"])
        .fails(1, &["`add` takes 2 arguments, but 1 are given"]);
    place
        .run(&["--invoke", "add", "m.wat", "1", "x"])
        .fails(1, &["argument 2 of `add`", "`x` is not an i32"]);
    place.run(&["--invoke", "take", "m.wat", "1"]).fails(
        1,
        &[
            "argument 1 of `take`",
            "cannot be given on the command line",
        ],
    );
}

#[test]
fn functions_that_are_not_there() {
    let place = place();
    place
        .run(&["--invoke", "sub", "m.wat"])
        .fails(1, &["no function `sub`", "`add`, `wide`", "`fall`"]);
    place
        .run(&["--invoke", "memory", "m.wat"])
        .fails(1, &["no function `memory`"]);
    place.file("e.wat", "(module)");
    place
        .run(&["--invoke", "f", "e.wat"])
        .fails(1, &["exports no function `f`, nor any other"]);
}

#[test]
fn a_trap_gives_134_and_a_backtrace() {
    let outcome = place().run(&["--invoke", "fall", "m.wat"]);
    outcome.fails(
        134,
        &[
            "failed to run main module `m.wat`",
            "wasm trap: wasm `unreachable` instruction executed",
        ],
    );
    outcome.fails(134, &["wasm backtrace", "0:"]);
    assert_eq!(outcome.stdout, "");
    assert!(
        !outcome.stderr.contains('\x1b'),
        "no colours where there is no terminal"
    );
}
