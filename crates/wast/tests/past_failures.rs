//! Mistakes that other engines have made, as scripts, in every configuration.
//!
//! Not the specification's scripts (those are in `spec`, and none of them caught these). The one idea: each
//! test is named for the mistake it looks for, and puts the compiler where it was made.

#[path = "spec/configurations.rs"]
mod configurations;

use std::fmt::Write as _;

use configurations::CONFIGURATIONS;
use meantime::{Config, Engine};
use meantime_wast::{Options, run_text};

fn run(script: &str) {
    for configuration in CONFIGURATIONS.iter().filter(|c| !c.heap) {
        let mut config = Config::new();
        (configuration.apply)(&mut config);
        let engine = Engine::new(&config).unwrap();
        let name = format!("script.wast [{}]", configuration.name);
        let mut options = Options::default();
        options.store_setup(configurations::set_up);
        if let Err(error) = run_text(&engine, &name, script, &options) {
            panic!("{error:#}");
        }
    }
}

/// A scalar load may become the memory operand of a vector instruction only if that reads no more than the
/// scalar: the bytes behind the last scalar of a memory are not the guest's, or not there.
#[test]
fn a_scalar_load_folded_into_a_vector_instruction_reads_no_more_than_the_scalar() {
    let mut script = String::from(
        "(module (memory 1 1)
           (data (i32.const 65528) \"\\00\\00\\00\\00\\00\\00\\10\\40\") ;; 4.0, its upper half is 2.25\n",
    );
    let mut asserts = String::new();
    let mut case = |name: &str, ty: &str, body: &str, result: &str| {
        let ty = format!("(param i32) (result {ty})");
        writeln!(script, "(func (export \"{name}\") {ty} {body})").unwrap();
        writeln!(
            asserts,
            "(assert_return (invoke \"{name}\" (i32.const 65528)) ({result}))"
        )
        .unwrap();
    };
    let f32 = "(f32.load offset=4 (local.get 0))";
    let f64 = "(f64.load (local.get 0))";
    let i32 = "(i32.load offset=4 (local.get 0))";
    let i64 = "(i64.load (local.get 0))";
    for (op, result) in [
        ("abs", "2.25"),
        ("neg", "-2.25"),
        ("sqrt", "1.5"),
        ("ceil", "3"),
        ("floor", "2"),
        ("trunc", "2"),
        ("nearest", "2"),
    ] {
        let result = format!("f32.const {result}");
        case(op, "f32", &format!("(f32.{op} {f32})"), &result);
    }
    for (op, result) in [
        ("add", "3.25"),
        ("sub", "-1.25"),
        ("mul", "2.25"),
        ("min", "1"),
        ("max", "2.25"),
        ("copysign", "1"),
    ] {
        let body = format!("(f32.{op} (f32.const 1) {f32})");
        case(op, "f32", &body, &format!("f32.const {result}"));
    }
    for (op, result) in [("abs", "4"), ("neg", "-4"), ("sqrt", "2"), ("ceil", "4")] {
        let name = format!("f64.{op}");
        let body = format!("(f64.{op} {f64})");
        case(&name, "f64", &body, &format!("f64.const {result}"));
    }
    for (op, result) in [("add", "5"), ("min", "1"), ("max", "4"), ("copysign", "1")] {
        let name = format!("f64.{op}");
        let body = format!("(f64.{op} (f64.const 1) {f64})");
        case(&name, "f64", &body, &format!("f64.const {result}"));
    }
    let cases = [
        (
            "promote",
            "f64",
            format!("(f64.promote_f32 {f32})"),
            "f64.const 2.25",
        ),
        (
            "demote",
            "f32",
            format!("(f32.demote_f64 {f64})"),
            "f32.const 4",
        ),
        (
            "convert",
            "f64",
            format!("(f64.convert_i32_s {i32})"),
            "f64.const 0x1.004p30",
        ),
        (
            "convert64",
            "f64",
            format!("(f64.convert_i64_s {i64})"),
            "f64.const 0x1.004p62",
        ),
        (
            "reinterpret",
            "f32",
            format!("(f32.reinterpret_i32 {i32})"),
            "f32.const 2.25",
        ),
        (
            "lt",
            "i32",
            format!("(f32.lt (f32.const 1) {f32})"),
            "i32.const 1",
        ),
        (
            "splat",
            "v128",
            format!("(f32x4.splat {f32})"),
            "v128.const f32x4 2.25 2.25 2.25 2.25",
        ),
        (
            "splat64",
            "v128",
            format!("(f64x2.splat {f64})"),
            "v128.const f64x2 4 4",
        ),
        (
            "isplat",
            "v128",
            format!("(i32x4.splat {i32})"),
            "v128.const f32x4 2.25 2.25 2.25 2.25",
        ),
        (
            "replace",
            "v128",
            format!("(f32x4.replace_lane 1 (v128.const f32x4 0 0 0 0) {f32})"),
            "v128.const f32x4 0 2.25 0 0",
        ),
        (
            "load32_zero",
            "v128",
            "(f32x4.sqrt (v128.load32_zero offset=4 (local.get 0)))".into(),
            "v128.const f32x4 1.5 0 0 0",
        ),
        (
            "load64_zero",
            "v128",
            "(f64x2.sqrt (v128.load64_zero (local.get 0)))".into(),
            "v128.const f64x2 2 0",
        ),
        (
            "load8x8",
            "v128",
            "(i16x8.neg (v128.load8x8_u (local.get 0)))".into(),
            "v128.const i16x8 0 0 0 0 0 0 -16 -64",
        ),
    ];
    for (name, ty, body, result) in cases {
        case(name, ty, &body, result);
    }
    script.push(')');
    run(&(script + &asserts));
}

/// A vector operand in memory that is not aligned must not become one that has to be.
#[test]
fn a_vector_load_folded_into_an_instruction_may_be_unaligned() {
    run(r#"
        (module (memory 1 1)
          (func (export "add") (param i32) (result v128)
            (i32x4.add (v128.const i32x4 1 2 3 4) (v128.load align=16 (local.get 0))))
          (func (export "sqrt") (param i32) (result v128)
            (f64x2.sqrt (v128.load (local.get 0)))))
        (assert_return (invoke "add" (i32.const 1)) (v128.const i32x4 1 2 3 4))
        (assert_return (invoke "add" (i32.const 65520)) (v128.const i32x4 1 2 3 4))
        (assert_trap (invoke "add" (i32.const 65521)) "out of bounds memory access")
        (assert_return (invoke "sqrt" (i32.const 7)) (v128.const f64x2 0 0))
        (assert_trap (invoke "sqrt" (i32.const 65521)) "out of bounds memory access")
    "#);
}

/// A 32-bit address is unsigned and alone: neither the upper half of the register it is in nor a sign counts,
/// and address plus offset has 33 bits.
#[test]
fn addresses_are_32_bits_zero_extended() {
    run(r#"
        (module (memory 1 1)
          (data (i32.const 16) "\2a")
          (func (export "wrap") (param i64) (result i32)
            (i32.load8_u (i32.wrap_i64 (local.get 0))))
          (func (export "add") (param i32 i32) (result i32)
            (i32.load8_u (i32.add (local.get 0) (local.get 1))))
          (func (export "sub") (param i32 i32) (result i32)
            (i32.load8_u (i32.sub (local.get 0) (local.get 1))))
          (func (export "shift") (param i32 i32) (result i32)
            (i32.load8_u (i32.shl (local.get 0) (local.get 1))))
          (func (export "offset") (param i32) (result i32)
            (i32.load8_u offset=17 (local.get 0)))
          (func (export "scaled") (param i32) (result i32)
            (i32.load8_u (i32.add (i32.mul (local.get 0) (i32.const 8)) (i32.const 8))))
          (func (export "extend8") (param i32) (result i32)
            (i32.load8_u offset=32 (i32.extend8_s (local.get 0))))
          (func $id (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
          (func (export "called") (param i64) (result i32)
            (i32.load8_u (call $id (local.get 0))))
          (func (export "selected") (param i64 i32) (result i32)
            (i32.load8_u (select (i32.wrap_i64 (local.get 0)) (i32.const 0) (local.get 1))))
          (func (export "looped") (param i64) (result i32) (local i32)
            (local.set 1 (i32.wrap_i64 (local.get 0)))
            (loop $again
              (if (i32.lt_u (local.get 1) (i32.const 16))
                (then (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br $again))))
            (i32.load8_u (local.get 1)))
          (func (export "store") (param i64)
            (i32.store8 (i32.wrap_i64 (local.get 0)) (i32.const 42)))
          (func (export "float") (param f64) (result i32)
            (i32.load8_u (i32.trunc_f64_u (local.get 0)))))
        (assert_return (invoke "wrap" (i64.const 0xffffffff_00000010)) (i32.const 42))
        (assert_return (invoke "called" (i64.const 0xdeadbeef_00000010)) (i32.const 42))
        (assert_return (invoke "selected" (i64.const 0xdeadbeef_00000010) (i32.const 1)) (i32.const 42))
        (assert_return (invoke "looped" (i64.const 0xdeadbeef_00000001)) (i32.const 42))
        (assert_return (invoke "store" (i64.const 0xffffffff_00000020)))
        (assert_return (invoke "wrap" (i64.const 0x20)) (i32.const 42))
        (assert_return (invoke "add" (i32.const -1) (i32.const 17)) (i32.const 42))
        (assert_return (invoke "add" (i32.const 0x80000008) (i32.const 0x80000008)) (i32.const 42))
        (assert_return (invoke "sub" (i32.const 15) (i32.const -1)) (i32.const 42))
        (assert_return (invoke "shift" (i32.const 0xf0000001) (i32.const 4)) (i32.const 42))
        (assert_return (invoke "scaled" (i32.const 0x20000001)) (i32.const 42))
        (assert_return (invoke "float" (f64.const 16)) (i32.const 42))
        (assert_trap (invoke "offset" (i32.const -1)) "out of bounds memory access")
        (assert_trap (invoke "extend8" (i32.const 0xf0)) "out of bounds memory access")
        (assert_trap (invoke "wrap" (i64.const 0x80000010)) "out of bounds memory access")
        (assert_trap (invoke "wrap" (i64.const 0xffffffff)) "out of bounds memory access")
        (assert_trap (invoke "float" (f64.const 4294967295)) "out of bounds memory access")
    "#);
}

/// A jump table of many entries, whose targets are farther away than a short branch reaches.
#[test]
fn br_tables_may_be_large() {
    const TARGETS: u32 = 4000;
    let mut script = String::from("(module (func (export \"f\") (param i32) (result i32)\n");
    script.push_str(&"(block ".repeat(TARGETS as usize));
    script.push_str("(br_table");
    for target in 0..TARGETS {
        write!(script, " {target}").unwrap();
    }
    script.push_str(" (local.get 0)))\n");
    for target in 0..TARGETS - 1 {
        writeln!(
            script,
            "(return (i32.add (i32.const {target}) (i32.shl (local.get 0) (i32.const 16)))))"
        )
        .unwrap();
    }
    writeln!(script, "(i32.const -1)))").unwrap();
    for index in [0, 1, 2, 127, 128, 1023, 1024, TARGETS - 2] {
        let result = index | index << 16;
        writeln!(
            script,
            "(assert_return (invoke \"f\" (i32.const {index})) (i32.const {result}))"
        )
        .unwrap();
    }
    for index in [
        TARGETS - 1,
        TARGETS,
        TARGETS + 1,
        0x7fff_ffff,
        0x8000_0000,
        u32::MAX,
    ] {
        writeln!(
            script,
            "(assert_return (invoke \"f\" (i32.const {index})) (i32.const -1))"
        )
        .unwrap();
    }
    run(&script);
}

/// A bulk operation that traps has done nothing, and one that a length of zero makes harmless still checks
/// its bounds.
#[test]
fn bulk_operations_that_trap_leave_no_trace() {
    run(r#"
        (module
          (memory 1 1)
          (data $d "abcdefgh")
          (table $t 4 4 funcref)
          (elem $e func $f $f $f)
          (func $f)
          (func (export "fill") (param i32 i32)
            (memory.fill (local.get 0) (i32.const 7) (local.get 1)))
          (func (export "copy") (param i32 i32 i32)
            (memory.copy (local.get 0) (local.get 1) (local.get 2)))
          (func (export "init") (param i32 i32 i32)
            (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
          (func (export "table.init") (param i32 i32 i32)
            (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))
          (func (export "table.fill") (param i32 i32)
            (table.fill $t (local.get 0) (ref.func $f) (local.get 1)))
          (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
          (func (export "null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0)))))
        (assert_trap (invoke "fill" (i32.const 65530) (i32.const 7)) "out of bounds memory access")
        (assert_return (invoke "load" (i32.const 65530)) (i32.const 0))
        (assert_trap (invoke "fill" (i32.const 0) (i32.const -1)) "out of bounds memory access")
        (assert_return (invoke "load" (i32.const 0)) (i32.const 0))
        (assert_trap (invoke "init" (i32.const 65530) (i32.const 0) (i32.const 8)) "out of bounds memory access")
        (assert_return (invoke "load" (i32.const 65530)) (i32.const 0))
        (assert_trap (invoke "init" (i32.const 0) (i32.const 4) (i32.const 5)) "out of bounds memory access")
        (assert_return (invoke "load" (i32.const 0)) (i32.const 0))
        (assert_return (invoke "init" (i32.const 0) (i32.const 0) (i32.const 8)))
        (assert_trap (invoke "copy" (i32.const 65532) (i32.const 0) (i32.const 8)) "out of bounds memory access")
        (assert_return (invoke "load" (i32.const 65532)) (i32.const 0))
        (assert_trap (invoke "copy" (i32.const 0) (i32.const 65532) (i32.const 8)) "out of bounds memory access")
        (assert_return (invoke "load" (i32.const 0)) (i32.const 97))
        (assert_return (invoke "copy" (i32.const 1) (i32.const 0) (i32.const 8)))
        (assert_return (invoke "load" (i32.const 8)) (i32.const 104))
        (assert_trap (invoke "table.init" (i32.const 2) (i32.const 0) (i32.const 3)) "out of bounds table access")
        (assert_return (invoke "null" (i32.const 2)) (i32.const 1))
        (assert_trap (invoke "table.fill" (i32.const 3) (i32.const 2)) "out of bounds table access")
        (assert_return (invoke "null" (i32.const 3)) (i32.const 1))
        (assert_return (invoke "fill" (i32.const 65536) (i32.const 0)))
        (assert_trap (invoke "fill" (i32.const 65537) (i32.const 0)) "out of bounds memory access")
        (assert_return (invoke "table.fill" (i32.const 4) (i32.const 0)))
        (assert_trap (invoke "table.fill" (i32.const 5) (i32.const 0)) "out of bounds table access")
    "#);
}

/// What a division leaves to explicit traps and what it leaves to the processor.
#[test]
fn divisions_trap_only_where_they_must() {
    run(r#"
        (module
          (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
          (func (export "rem") (param i32 i32) (result i32) (i32.rem_s (local.get 0) (local.get 1)))
          (func (export "div64") (param i64 i64) (result i64) (i64.div_s (local.get 0) (local.get 1)))
          (func (export "rem64") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
          (func (export "unused") (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))))
          (func (export "trunc") (param f64) (result i32) (i32.trunc_f64_s (local.get 0))))
        (assert_trap (invoke "div" (i32.const 0x80000000) (i32.const -1)) "integer overflow")
        (assert_return (invoke "rem" (i32.const 0x80000000) (i32.const -1)) (i32.const 0))
        (assert_trap (invoke "div64" (i64.const 0x8000000000000000) (i64.const -1)) "integer overflow")
        (assert_return (invoke "rem64" (i64.const 0x8000000000000000) (i64.const -1)) (i64.const 0))
        (assert_trap (invoke "rem" (i32.const 1) (i32.const 0)) "integer divide by zero")
        (assert_trap (invoke "unused" (i32.const 0)) "integer divide by zero")
        (assert_return (invoke "trunc" (f64.const -2147483648.9)) (i32.const 0x80000000))
        (assert_trap (invoke "trunc" (f64.const 2147483648)) "integer overflow")
        (assert_trap (invoke "trunc" (f64.const nan)) "invalid conversion to integer")
    "#);
}
