//! Mistakes that were made once, each kept from coming back.

use meantime::*;

/// Functions of default values once assumed a store without data.
#[test]
fn default_functions_work_in_stores_of_any_data() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (import "a" "b" (func $f (param i32) (result i64 f32 externref)))
            (func (export "run") (result i64 f32 externref) (call $f (i32.const 1))))"#,
    )?;
    let mut store = Store::new(&engine, [String::from("data"), String::from("more")]);
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_default_values(&mut store, &module)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_func(&mut store, "run").expect("exported");
    let mut results = [Val::I32(0), Val::I32(0), Val::I32(0)];
    run.call(&mut store, &[], &mut results)?;
    assert_eq!(results[0].unwrap_i64(), 0);
    assert_eq!(results[1].unwrap_f32(), 0.0);
    assert!(results[2].unwrap_externref().is_none());
    assert_eq!(store.data()[1], "more");
    Ok(())
}

/// A small function that traps once lost its frame by being compiled into its caller.
#[test]
fn functions_that_trap_keep_their_frames() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (memory 1)
            (func $give_up unreachable)
            (func $load (param i32) (result i32) (i32.load (local.get 0)))
            (func $choose (export "choose") (param i32)
                (if (local.get 0) (then (call $give_up)))
                (drop (call $load (i32.const -4)))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let choose = instance.get_typed_func::<i32, ()>(&mut store, "choose")?;
    for (argument, inner) in [(1, "give_up"), (0, "load")] {
        let error = choose.call(&mut store, argument).unwrap_err();
        let backtrace = error
            .downcast_ref::<WasmBacktrace>()
            .expect("recorded by default");
        let names: Vec<_> = backtrace.frames().iter().map(|f| f.func_name()).collect();
        assert_eq!(names, [Some(inner), Some("choose")]);
    }
    Ok(())
}

/// A table or global of another engine's type once came in with a null.
#[test]
fn types_of_other_engines_are_refused() {
    let (ours, theirs) = (Engine::default(), Engine::default());
    let mut store = Store::new(&ours, ());
    let foreign = HeapType::ConcreteFunc(FuncType::new(&theirs, [ValType::I32], []));
    let ty = TableType::new(RefType::new(true, foreign.clone()), 1, None);
    assert!(Table::new(&mut store, ty, Ref::Func(None)).is_err());
    let ty = GlobalType::new(RefType::new(true, foreign).into(), Mutability::Var);
    assert!(Global::new(&mut store, ty, Val::FuncRef(None)).is_err());
}

/// A host function whose import failed to link once kept the address of a module that was gone.
#[test]
fn a_failed_instantiation_leaves_host_functions_usable() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 7);
    let get = Func::wrap(&mut store, |caller: Caller<'_, i32>| *caller.data());
    let wat = |segment: &str| {
        format!(
            r#"(module (import "" "" (func $get (result i32))) (memory 1) {segment}
                (func (export "run") (result i32) (call $get)))"#
        )
    };
    let failing = Module::new(&engine, wat(r#"(data (i32.const 65536) "x")"#))?;
    assert!(Instance::new(&mut store, &failing, &[get.into()]).is_err());
    drop(failing);
    let module = Module::new(&engine, wat(""))?;
    let instance = Instance::new(&mut store, &module, &[get.into()])?;
    assert_eq!(
        instance
            .get_typed_func::<(), i32>(&mut store, "run")?
            .call(&mut store, ())?,
        7
    );
    Ok(())
}

/// Code that starts at a loop goes on in the loops around it, and what lies below those on the operand stack was made before it started.
#[test]
fn operands_below_the_loops_around_a_loop_that_code_starts_at() {
    let wat = r#"(module
        (func (export "run") (param $n i32) (result i32)
            (local $i i32) (local $j i32) (local $sum i32)
            (i32.mul (local.get $n) (i32.const 1000))
            (loop $outer
                (i32.add (local.get $i) (i32.const 7))
                (local.set $j (i32.const 0))
                (loop $inner
                    (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
                    (local.set $j (i32.add (local.get $j) (i32.const 1)))
                    (br_if $inner (i32.lt_u (local.get $j) (i32.const 50))))
                (local.set $sum (i32.add (local.get $sum)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $outer (i32.lt_u (local.get $i) (local.get $n))))
            (i32.add (local.get $sum))))"#;
    for (budget, waits) in [(0, true), (100, true), (200, false)] {
        let mut config = Config::new();
        config
            .tier_up_budget(budget)
            .tier_up_waits(waits)
            .cranelift_debug_verifier(true);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance
            .get_typed_func::<i32, i32>(&mut store, "run")
            .unwrap();
        let n = 200;
        let expected = 1000 * n + 50 * n + (0..n).map(|i| i + 7).sum::<i32>();
        assert_eq!(run.call(&mut store, n).unwrap(), expected);
        let compilations = module.compilations();
        let tiers: Vec<Tier> = compilations.iter().map(|c| c.tier).collect();
        if (budget, waits) == (100, true) {
            // The inner loop, by where it is in the module.
            assert!(tiers.contains(&Tier::Loop(53)), "{tiers:?}");
        }
    }
}
