//! The runner itself: that it sees what a script does wrong, and says where.
//!
//! Not the specification's scripts (those are in `spec`). The one idea: a runner that accepts everything
//! passes every good script, so most scripts here are wrong in one place and must fail there.

use meantime::{Config, Engine, Result, Trap, WasmBacktraceDetails, bail};
use meantime_wast::{Options, WastContext, run_file, run_text};

/// A module with something to assert on.
const MODULE: &str = r#"(module $M
  (global (export "g") i32 (i32.const 7))
  (memory 1)
  (func (export "id") (param i32) (result i32) (local.get 0))
  (func (export "f32") (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
  (func (export "pair") (result i32 i64) (i32.const 1) (i64.const 2))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "oob") (drop (i32.load (i32.const 65536))))
  (func $deep (export "deep") (call $deep))
  (func (export "extern") (param externref) (result externref) (local.get 0))
  (func (export "nofunc") (result funcref) (ref.null func))
  (func $f (export "func") (result funcref) (ref.func $f))
  (func (export "v128") (result v128) (v128.const i32x4 1 2 3 4))
)
"#;

fn run(script: &str) -> Result<()> {
    let mut options = Options::default();
    options.silent = true;
    run_text(&Engine::default(), "test.wast", script, &options)
}

/// Runs `directive` after [`MODULE`].
fn run_directive(directive: &str) -> Result<()> {
    run(&format!("{MODULE}{directive}"))
}

#[test]
fn right_directives_pass() -> Result<()> {
    for directive in [
        r#"(assert_return (invoke "id" (i32.const 3)) (i32.const 3))"#,
        r#"(assert_return (invoke $M "id" (i32.const 3)) (i32.const 3))"#,
        r#"(assert_return (get "g") (i32.const 7))"#,
        r#"(assert_return (get $M "g") (i32.const 7))"#,
        r#"(assert_return (invoke "pair") (i32.const 1) (i64.const 2))"#,
        r#"(assert_return (invoke "id" (i32.const 3)) (either (i32.const 2) (i32.const 3)))"#,
        r#"(assert_return (invoke "f32" (i32.const 0x7fc00000)) (f32.const nan:canonical))"#,
        r#"(assert_return (invoke "f32" (i32.const 0x7fc00001)) (f32.const nan:arithmetic))"#,
        r#"(assert_return (invoke "v128") (v128.const i32x4 1 2 3 4))"#,
        r#"(assert_return (invoke "v128") (v128.const i64x2 0x200000001 0x400000003))"#,
        r#"(assert_return (invoke "extern" (ref.extern 5)) (ref.extern 5))"#,
        r#"(assert_return (invoke "extern" (ref.extern 5)) (ref.extern))"#,
        r#"(assert_return (invoke "extern" (ref.null extern)) (ref.null extern))"#,
        r#"(assert_return (invoke "extern" (ref.null extern)) (ref.null))"#,
        r#"(assert_return (invoke "nofunc") (ref.null func))"#,
        r#"(assert_return (invoke "func") (ref.func))"#,
        r#"(assert_trap (invoke "div" (i32.const 1) (i32.const 0)) "integer divide by zero")"#,
        r#"(assert_trap (invoke "oob") "out of bounds memory access")"#,
        r#"(assert_trap (module (func unreachable) (start 0)) "unreachable")"#,
        r#"(assert_exhaustion (invoke "deep") "call stack exhausted")"#,
        r#"(assert_invalid (module (func (result i32))) "type mismatch")"#,
        r#"(assert_malformed (module quote "(func (none))") "unknown operator")"#,
        r#"(assert_malformed (module binary "") "unexpected end")"#,
        r#"(assert_unlinkable (module (import "x" "y" (func))) "unknown import")"#,
        r#"(assert_unlinkable (module (import "spectest" "print" (global i32))) "incompatible import type")"#,
        r#"(module quote "(func (export \"f\"))") (invoke "f")"#,
        r#"(module binary "\00asm" "\01\00\00\00")"#,
    ] {
        run_directive(directive).map_err(|e| e.context(directive))?;
    }
    Ok(())
}

#[test]
fn wrong_directives_fail_with_what_was_expected_and_what_was_got() {
    for (directive, message) in [
        (
            r#"(assert_return (invoke "id" (i32.const 3)) (i32.const 4))"#,
            "result 0 is not as expected: expected i32 4 (0x00000004), got i32 3 (0x00000003)",
        ),
        (
            r#"(assert_return (invoke "id" (i32.const 3)) (i64.const 3))"#,
            "expected i64 3 (0x0000000000000003), got i32 3",
        ),
        (
            r#"(assert_return (invoke "pair") (i32.const 1) (i64.const 3))"#,
            "result 1 is not as expected: expected i64 3",
        ),
        (
            r#"(assert_return (invoke "pair") (i32.const 1))"#,
            "expected 1 results, got 2",
        ),
        (
            r#"(assert_return (invoke "id" (i32.const 3)) (either (i32.const 1) (i32.const 2)))"#,
            "expected i32 1 (0x00000001) or i32 2 (0x00000002), got i32 3",
        ),
        (
            r#"(assert_return (invoke "f32" (i32.const 0x80000000)) (f32.const 0))"#,
            "expected f32 0.0 (0x00000000), got f32 -0.0 (0x80000000)",
        ),
        (
            r#"(assert_return (invoke "f32" (i32.const 0x7fc00001)) (f32.const nan:canonical))"#,
            "expected f32 nan:canonical, got f32 NaN (0x7fc00001)",
        ),
        (
            r#"(assert_return (invoke "v128") (v128.const i32x4 1 2 3 5))"#,
            "got v128 i32x4 [00000001, 00000002, 00000003, 00000004]",
        ),
        (
            r#"(assert_return (invoke "extern" (ref.extern 5)) (ref.extern 6))"#,
            "expected RefExtern(Some(6))",
        ),
        (
            r#"(assert_return (invoke "extern" (ref.null extern)) (ref.extern))"#,
            "got ExternRef(None)",
        ),
        (
            r#"(assert_return (invoke "nofunc") (ref.func))"#,
            "got FuncRef(None)",
        ),
        (
            r#"(assert_return (invoke "nofunc") (ref.null extern))"#,
            "got FuncRef(None)",
        ),
        (
            r#"(assert_return (invoke "oob"))"#,
            "expected results, got a trap",
        ),
        (
            r#"(assert_return (invoke "none"))"#,
            r#"no export named "none""#,
        ),
        (
            r#"(assert_return (invoke "g"))"#,
            r#"the export "g" is not a function"#,
        ),
        (
            r#"(assert_return (get "id"))"#,
            r#"the export "id" is not a global"#,
        ),
        (r#"(invoke $none "id")"#, "there is no instance `$none`"),
        (r#"(invoke "oob")"#, "failed to invoke a function"),
        (
            r#"(assert_trap (invoke "id" (i32.const 1)) "unreachable")"#,
            r#"expected the trap "unreachable", got the results [I32(1)]"#,
        ),
        (
            r#"(assert_trap (invoke "oob") "unreachable")"#,
            r#"expected an error that says "unreachable", got "wasm trap: out of bounds memory access""#,
        ),
        (
            r#"(assert_trap (invoke "none") "unreachable")"#,
            r#"expected the trap "unreachable", got an error"#,
        ),
        (
            r#"(assert_trap (module (import "x" "y" (func))) "unreachable")"#,
            "unknown import",
        ),
        (
            r#"(assert_exhaustion (invoke "oob") "out of bounds")"#,
            "expected a stack overflow",
        ),
        (
            r#"(assert_exception (invoke "oob"))"#,
            "expected an exception, got a trap",
        ),
        (
            r#"(assert_suspension (invoke "oob") "unhandled tag")"#,
            "assert_suspension is not supported",
        ),
        (
            r#"(assert_invalid (module (func)) "type mismatch")"#,
            "but it compiles",
        ),
        (
            r#"(assert_invalid (module (func (result i32))) "unknown local")"#,
            r#"expected an error that says "unknown local""#,
        ),
        (
            r#"(assert_malformed (module quote "(func)") "unexpected end")"#,
            "but it compiles",
        ),
        (
            r#"(assert_unlinkable (module) "unknown import")"#,
            "but it succeeds",
        ),
        (
            r#"(assert_unlinkable (module (func unreachable) (start 0)) "unknown import")"#,
            "got a trap at instantiation",
        ),
        (
            r#"(assert_unlinkable (module (func (result i32))) "unknown import")"#,
            "expected only not to link",
        ),
        (
            r#"(module (func (result i32)))"#,
            "failed to compile a module",
        ),
        (
            r#"(module (import "x" "y" (func)))"#,
            "failed to instantiate a module",
        ),
        (
            r#"(module instance $I $none)"#,
            "there is no module definition `$none`",
        ),
        (r#"(register "r" $none)"#, "there is no instance `$none`"),
        (r#"(wait $none)"#, "there is no thread `$none`"),
    ] {
        let error = match run_directive(directive) {
            Ok(()) => panic!("passes: {directive}"),
            Err(error) => format!("{error:#}"),
        };
        assert!(
            error.contains(message),
            "{directive}\n  says  {error}\n  not   {message}"
        );
        assert!(error.contains("test.wast:15:2"), "{directive}: {error}");
    }
}

#[test]
fn components_are_refused_and_not_taken_for_invalid() {
    for script in [
        r#"(component)"#,
        r#"(assert_invalid (component (import "a" (func (type 100)))) "unknown")"#,
        r#"(assert_malformed (component quote "(func") "unexpected end")"#,
    ] {
        let error = format!("{:#}", run(script).unwrap_err());
        assert!(error.contains("components"), "{script}: {error}");
    }
}

#[test]
fn a_script_that_does_not_parse_says_where() {
    let error = run("(module)\n  (assert_nothing)").unwrap_err().to_string();
    assert!(error.contains("test.wast:2:4"), "{error}");
}

#[test]
fn a_plain_module_is_a_script() -> Result<()> {
    run("(func (export \"f\"))")
}

#[test]
fn messages_can_be_ignored_but_not_kinds() {
    let mut options = Options::default();
    options.ignore_error_messages = true;
    let run = |directive: &str| {
        let script = format!("{MODULE}{directive}");
        run_text(&Engine::default(), "test.wast", &script, &options)
    };
    run(r#"(assert_trap (invoke "oob") "something else")"#).unwrap();
    run(r#"(assert_invalid (module (func (result i32))) "something else")"#).unwrap();
    run(r#"(assert_unlinkable (module (import "x" "y" (func))) "something else")"#).unwrap();
    run(r#"(assert_trap (invoke "none") "something else")"#).unwrap_err();
    run(r#"(assert_exhaustion (invoke "oob") "something else")"#).unwrap_err();
    run(r#"(assert_unlinkable (module) "something else")"#).unwrap_err();
}

#[test]
fn names_of_instances_definitions_and_registrations() -> Result<()> {
    run(r#"
        (module definition $Counter
          (global $n (mut i32) (i32.const 0))
          (func (export "next") (result i32)
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (global.get $n)))
        (module instance $a $Counter)
        (module instance $b $Counter)
        (module instance)
        (assert_return (invoke "next") (i32.const 1))
        (assert_return (invoke $a "next") (i32.const 1))
        (assert_return (invoke $a "next") (i32.const 2))
        (assert_return (invoke $b "next") (i32.const 1))
        (register "counter" $a)
        (module (import "counter" "next" (func $next (result i32)))
          (func (export "next") (result i32) (call $next)))
        (assert_return (invoke "next") (i32.const 3))
        (register "counter" $b)
        (module (import "counter" "next" (func $next (result i32)))
          (func (export "next") (result i32) (call $next)))
        (assert_return (invoke "next") (i32.const 2))
    "#)
}

#[test]
fn spectest_has_the_types_and_values_that_scripts_rely_on() -> Result<()> {
    run(r#"
        (module
          (import "spectest" "print" (func))
          (import "spectest" "print_i32" (func $print (param i32)))
          (import "spectest" "print_i64" (func (param i64)))
          (import "spectest" "print_f32" (func (param f32)))
          (import "spectest" "print_f64" (func (param f64)))
          (import "spectest" "print_i32_f32" (func (param i32 f32)))
          (import "spectest" "print_f64_f64" (func (param f64 f64)))
          (import "spectest" "global_i32" (global i32))
          (import "spectest" "global_i64" (global i64))
          (import "spectest" "global_f32" (global f32))
          (import "spectest" "global_f64" (global f64))
          (import "spectest" "table" (table 10 20 funcref))
          (import "spectest" "memory" (memory 1 2))
          (export "global_i32" (global 0))
          (export "global_i64" (global 1))
          (export "global_f32" (global 2))
          (export "global_f64" (global 3))
          (func (export "print") (call $print (i32.const 1))))
        (assert_return (get "global_i32") (i32.const 666))
        (assert_return (get "global_i64") (i64.const 666))
        (assert_return (get "global_f32") (f32.const 666.6))
        (assert_return (get "global_f64") (f64.const 666.6))
        (assert_return (invoke "print"))
    "#)
}

#[test]
fn a_host_error_is_no_trap_but_a_host_trap_is() -> Result<()> {
    let mut context = WastContext::new(&Engine::default(), &Options::default())?;
    context
        .linker()
        .func_wrap("host", "error", || -> Result<()> { bail!("unreachable") })?;
    context
        .linker()
        .func_wrap("host", "trap", || -> Result<()> {
            Err(Trap::UnreachableCodeReached.into())
        })?;
    let module = r#"(module
        (import "host" "error" (func $error)) (import "host" "trap" (func $trap))
        (func (export "error") (call $error)) (func (export "trap") (call $trap)))"#;
    context.run_text("test.wast", module)?;
    context.run_text(
        "test.wast",
        r#"(assert_trap (invoke "trap") "unreachable")"#,
    )?;
    let error = context
        .run_text(
            "test.wast",
            r#"(assert_trap (invoke "error") "unreachable")"#,
        )
        .unwrap_err();
    assert!(format!("{error:#}").contains("got an error"), "{error:#}");
    Ok(())
}

#[test]
fn run_all_reports_each_failure_and_goes_on() -> Result<()> {
    let mut context = WastContext::new(&Engine::default(), &Options::default())?;
    let report = context.run_all(
        "all.wast",
        r#"
        (module (func (export "f") (result i32) (i32.const 1)))
        (assert_return (invoke "f") (i32.const 2))
        (assert_return (invoke "f") (i32.const 1))
          (assert_return (invoke "f") (i32.const 3))
        "#,
    )?;
    assert_eq!(report.directives, 4);
    let places: Vec<_> = report.failures.iter().map(|f| (f.line, f.column)).collect();
    assert_eq!(places, [(3, 10), (5, 12)]);
    let shown = report.failures[1].to_string();
    assert_eq!(shown, "all.wast:5:12: result 0 is not as expected");
    Ok(())
}

#[test]
fn files_are_run_and_named_in_errors() -> Result<()> {
    let directory = std::env::temp_dir().join(format!("meantime-wast-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let path = directory.join("file.wast");
    std::fs::write(&path, "(module)\n(invoke \"f\")\n")?;
    let outcome = run_file(&Engine::default(), &path, &Options::default());
    let missing = run_file(
        &Engine::default(),
        directory.join("none.wast"),
        &Options::default(),
    );
    std::fs::remove_dir_all(&directory)?;
    let error = format!("{:#}", outcome.unwrap_err());
    assert!(error.contains("file.wast:2:2"), "{error}");
    let error = format!("{:#}", missing.unwrap_err());
    assert!(error.contains("none.wast"), "{error}");
    Ok(())
}

#[test]
fn the_store_is_set_up_before_anything_runs() {
    let mut options = Options::default();
    options.store_setup(|_store| bail!("no store today"));
    let error = run_text(&Engine::default(), "test.wast", "(module)", &options).unwrap_err();
    assert!(format!("{error:#}").contains("no store today"), "{error:#}");
}

#[test]
fn line_tables_lead_from_a_trap_to_the_script() -> Result<()> {
    let mut config = Config::new();
    config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
    let engine = Engine::new(&config)?;
    let script = "(module\n  (func (export \"f\")\n    unreachable))\n(invoke \"f\")";
    let mut options = Options::default();
    for (generate_dwarf, expected) in [(true, true), (false, false)] {
        options.generate_dwarf = generate_dwarf;
        let error = run_text(&engine, "lines.wast", script, &options).unwrap_err();
        let shown = format!("{error:?}");
        assert_eq!(shown.contains("lines.wast:3:5"), expected, "{shown}");
    }
    Ok(())
}
