//! Where paths meet of which one knows more of what registers hold than the other, code goes on with what both know.
//!
//! The one idea: all pairs of paths of a few kinds, after each of which all is used that a register may hold: the instance's context, the start of its memory, and
//! a local that is a float. Calls lead to another instance with another memory, so that to go on with a register that a call lost is to see that instance's.

use meantime::*;
use std::fmt::Write;

/// What a path does.
#[derive(Copy, Clone, Debug)]
enum Path {
    Nothing,
    Calls,
    Loads,
    Sets,
    Doubles,
}

use Path::*;

const PATHS: [Path; 5] = [Nothing, Calls, Loads, Sets, Doubles];

/// How paths meet.
#[derive(Copy, Clone, Debug)]
enum Shape {
    If,
    IfElse,
    BrIf,
    BrTable,
    Loop,
}

const SHAPES: [Shape; 5] = [
    Shape::If,
    Shape::IfElse,
    Shape::BrIf,
    Shape::BrTable,
    Shape::Loop,
];

/// Parts of a function of one parameter, `$c`.
type Parts = (Path, Shape, Path, Path);

fn all() -> Vec<Parts> {
    let mut all = Vec::new();
    for first in PATHS {
        for shape in SHAPES {
            for one in PATHS {
                all.extend(PATHS.map(|other| (first, shape, one, other)));
            }
        }
    }
    all
}

impl Path {
    fn text(self) -> &'static str {
        match self {
            Nothing => "",
            Calls => "(call $other)",
            Loads => "(local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 8))))",
            Sets => "(global.set $g (i32.add (global.get $g) (i32.const 1)))",
            Doubles => "(local.set $x (f64.add (local.get $x) (local.get $x)))",
        }
    }
}

fn text((first, shape, one, other): Parts) -> String {
    let (first, one, other) = (first.text(), one.text(), other.text());
    let meeting = match shape {
        Shape::If => format!("(if (local.get $c) (then {one}))"),
        Shape::IfElse => format!("(if (local.get $c) (then {one}) (else {other}))"),
        Shape::BrIf => format!("(block {one} (br_if 0 (local.get $c)) {other})"),
        Shape::BrTable => {
            format!("(block (block {one} (br_table 0 1 (local.get $c))) {other} (br 0))")
        }
        Shape::Loop => format!(
            "(loop {one} (if (local.get $c) (then {other} (local.set $c (i32.const 0)) (br 1))))"
        ),
    };
    format!(
        "(param $c i32) (result i32) (local $sum i32) (local $x f64)
         (local.set $x (f64.load (i32.const 16))) (global.set $g (i32.const 100))
         {first} {meeting}
         (local.get $sum) (i32.load (i32.const 8)) (global.get $g) (i32.trunc_f64_s (local.get $x))
         i32.add i32.add i32.add"
    )
}

/// What the function does with a parameter.
fn expected((first, shape, one, other): Parts, c: bool) -> i32 {
    let taken = match (shape, c) {
        (Shape::If, true) => vec![one],
        (Shape::If, false) => vec![],
        (Shape::IfElse, c) => vec![if c { one } else { other }],
        (Shape::BrIf | Shape::BrTable, true) => vec![one],
        (Shape::BrIf | Shape::BrTable, false) => vec![one, other],
        (Shape::Loop, true) => vec![one, other, one],
        (Shape::Loop, false) => vec![one],
    };
    let (mut sum, mut global, mut x) = (0, 100, 1000);
    for path in [first].into_iter().chain(taken) {
        match path {
            Nothing | Calls => {}
            Loads => sum += 7,
            Sets => global += 1,
            Doubles => x *= 2,
        }
    }
    sum + 7 + global + x
}

#[test]
fn paths_go_on_with_what_both_know() {
    let other = r#"(module (memory 1) (global $g (mut i32) (i32.const 0)) (func (export "other")
        (local $x f64) (local.set $x (f64.const 5))
        (global.set $g (i32.add (global.get $g) (i32.const 1)))
        (f64.store (i32.const 8) (f64.add (local.get $x) (f64.load (i32.const 8))))))"#;
    let mut main = String::from(
        r#"(module (import "" "other" (func $other)) (global $g (mut i32) (i32.const 0)) (memory 1)
           (data (i32.const 8) "\07\00\00\00") (data (i32.const 16) "\00\00\00\00\00\40\8f\40")"#,
    );
    let all = all();
    for (i, parts) in all.iter().enumerate() {
        write!(main, "(func (export \"{i}\") {})", text(*parts)).unwrap();
    }
    main += ")";
    for strategy in [Strategy::Winch, Strategy::Cranelift] {
        for (fuel, epochs, faults) in [
            (false, false, true),
            (true, false, true),
            (false, true, true),
            (true, true, false),
        ] {
            let mut config = Config::new();
            config.strategy(strategy);
            config.consume_fuel(fuel).epoch_interruption(epochs);
            if !faults {
                config.signals_based_traps(false).memory_reservation(0);
            }
            let engine = Engine::new(&config).unwrap();
            let mut store = Store::new(&engine, ());
            if fuel {
                store.set_fuel(u64::MAX).unwrap();
            }
            store.set_epoch_deadline(1);
            let other = Module::new(&engine, other).unwrap();
            let other = Instance::new(&mut store, &other, &[]).unwrap();
            let other = other.get_func(&mut store, "other").unwrap();
            let main = Module::new(&engine, &main).unwrap();
            let main = Instance::new(&mut store, &main, &[other.into()]).unwrap();
            for (i, parts) in all.iter().enumerate() {
                let name = i.to_string();
                let f = main.get_typed_func::<i32, i32>(&mut store, &name).unwrap();
                for c in [false, true] {
                    let found = f.call(&mut store, c.into()).unwrap();
                    assert_eq!(found, expected(*parts, c), "{strategy:?}: {parts:?} of {c}");
                }
            }
        }
    }
}
