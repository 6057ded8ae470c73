//! The shortest paths through the whole pipeline: text in, results out.

use meantime::*;

fn run(wat: &str) -> Result<i32> {
    let engine = Engine::default();
    let module = Module::new(&engine, wat)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    instance
        .get_typed_func::<(), i32>(&mut store, "run")?
        .call(&mut store, ())
}

#[test]
fn a_function_returns() -> Result<()> {
    assert_eq!(
        run(r#"(module (func (export "run") (result i32) i32.const 42))"#)?,
        42
    );
    Ok(())
}

#[test]
fn memory_is_initialized_and_loads() -> Result<()> {
    let wat = r#"(module (memory 1) (data (i32.const 8) "\2a\00\00\00")
        (func (export "run") (result i32) (i32.load (i32.const 8))))"#;
    assert_eq!(run(wat)?, 42);
    Ok(())
}

#[test]
fn traps_are_errors_with_backtraces() {
    for (wat, trap) in [
        (
            r#"(module (func $f (export "run") (result i32) unreachable))"#,
            Trap::UnreachableCodeReached,
        ),
        (
            r#"(module (memory 1) (func $f (export "run") (result i32) (i32.load (i32.const -8))))"#,
            Trap::MemoryOutOfBounds,
        ),
        (
            r#"(module (func $f (export "run") (result i32) (i32.div_u (i32.const 1) (i32.const 0))))"#,
            Trap::IntegerDivisionByZero,
        ),
        (
            r#"(module (func $f (export "run") (result i32) (i32.add (i32.const 1) (call $f))))"#,
            Trap::StackOverflow,
        ),
    ] {
        let error = run(wat).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&trap), "{error:?}");
        let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
        assert_eq!(backtrace.frames()[0].func_name(), Some("f"));
    }
}

#[test]
fn host_functions_are_called_and_their_errors_come_back() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (import "" "f" (func $f (param i32) (result i64)))
            (func (export "run") (param i32) (result i64) (call $f (local.get 0))))"#,
    )?;
    let mut store = Store::new(&engine, 5i64);
    let f = Func::wrap(&mut store, |caller: Caller<'_, i64>, x: i32| {
        ensure!(x != 0, "zero");
        Ok(i64::from(x) + caller.data())
    });
    let instance = Instance::new(&mut store, &module, &[f.into()])?;
    let run = instance.get_typed_func::<i32, i64>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, 3)?, 8);
    let error = run.call(&mut store, 0).unwrap_err();
    assert!(format!("{error:#}").contains("zero"), "{error:?}");
    assert_eq!(run.call(&mut store, 4)?, 9);
    Ok(())
}

#[test]
fn indirect_calls_reach_their_functions() -> Result<()> {
    let wat = r#"(module
        (type $t (func (result i32)))
        (table funcref (elem $a $b))
        (func $a (result i32) i32.const 1)
        (func $b (result i32) i32.const 41)
        (func (export "run") (result i32)
            (i32.add (call_indirect (type $t) (i32.const 0)) (call_indirect (type $t) (i32.const 1)))))"#;
    assert_eq!(run(wat)?, 42);
    Ok(())
}

#[test]
fn serialized_modules_run() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (func (export "run") (result i32) i32.const 42))"#,
    )?;
    let bytes = module.serialize()?;
    // SAFETY: these bytes were made just now.
    #[allow(unsafe_code)]
    let module = unsafe { Module::deserialize(&engine, &bytes)? };
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ())?, 42);
    Ok(())
}
