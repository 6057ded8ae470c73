//! Epochs: guests are interrupted wherever they could go on for ever, and the store decides what then happens.

use meantime::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

fn configurations() -> Vec<Config> {
    type Change = fn(&mut Config);
    let strategies: [Change; 4] = [
        |_| {},
        |c| {
            c.tier_up_budget(0).tier_up_waits(true);
        },
        |c| {
            c.strategy(Strategy::Cranelift);
        },
        |c| {
            c.strategy(Strategy::Winch);
        },
    ];
    let changes: [Change; 4] = [
        |_| {},
        |c| {
            c.cranelift_opt_level(OptLevel::None);
        },
        |c| {
            c.signals_based_traps(false);
        },
        |c| {
            c.consume_fuel(true);
        },
    ];
    let make = |strategy: Change, change: Change| {
        let mut config = Config::new();
        config.epoch_interruption(true);
        strategy(&mut config);
        change(&mut config);
        config
    };
    let with_all = |strategy| changes.map(|change| make(strategy, change));
    strategies.into_iter().flat_map(with_all).collect()
}

fn store<T>(engine: &Engine, data: T) -> Store<T> {
    let mut store = Store::new(engine, data);
    if engine.get_consume_fuel() {
        store.set_fuel(u64::MAX).expect("fuel is counted");
    }
    store
}

/// Guests that would never end by themselves. Each exports `run`.
const FOREVER: &[&str] = &[
    r#"(module (func (export "run") (loop br 0)))"#,
    // Nothing but a loop around a small loop.
    r#"(module (func (export "run") (local i32)
        (loop
            (local.set 0 (i32.const 3))
            (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (br 0))))"#,
    // Every way around the loop is another branch.
    r#"(module (global $n (mut i32) (i32.const 0)) (func (export "run")
        (loop $l
            (global.set $n (i32.add (global.get $n) (i32.const 1)))
            (block $b (block $a
                (br_table $a $b $l (i32.rem_u (global.get $n) (i32.const 3))))
                (br $l))
            (br_if $l (i32.const 1)))))"#,
    // No loops.
    r#"(module (func $f (export "run") (return_call $f)))"#,
    r#"(module (table funcref (elem $f)) (func $f (export "run") (return_call_indirect (i32.const 0))))"#,
    r#"(module (func $f (param i32)
            (if (i32.eqz (local.get 0)) (then return))
            (call $f (i32.sub (local.get 0) (i32.const 1)))
            (call $f (i32.sub (local.get 0) (i32.const 1))))
        (func (export "run") (call $f (i32.const 1000))))"#,
    // A callee that is compiled into its caller.
    r#"(module (global $n (mut i32) (i32.const 0))
        (func $f (global.set $n (i32.add (global.get $n) (i32.const 1))))
        (func (export "run") (loop (call $f) (br 0))))"#,
    // Exceptions are the way around.
    r#"(module (tag $e) (func $t throw $e)
        (func (export "run")
            (loop (block (try_table (catch $e 0) (call $t))) (br 0))))"#,
    // In the start function.
    r#"(module (func $s (loop br 0)) (start $s) (func (export "run")))"#,
];

fn run(store: &mut Store<()>, module: &Module) -> Result<()> {
    let instance = Instance::new(&mut *store, module, &[])?;
    let run = instance.get_typed_func::<(), ()>(&mut *store, "run")?;
    run.call(&mut *store, ())
}

#[test]
fn another_thread_interrupts_what_would_never_end() -> Result<()> {
    for config in configurations() {
        let engine = Engine::new(&config)?;
        for wat in FOREVER {
            let module = Module::new(&engine, wat)?;
            let mut store = store(&engine, ());
            store.set_epoch_deadline(2);
            let done = AtomicBool::new(false);
            let error = thread::scope(|scope| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        thread::sleep(Duration::from_millis(2));
                        engine.increment_epoch();
                    }
                });
                let result = run(&mut store, &module);
                done.store(true, Ordering::Relaxed);
                result.unwrap_err()
            });
            assert_eq!(
                error.downcast_ref::<Trap>(),
                Some(&Trap::Interrupt),
                "{wat}"
            );
            let backtrace = error.downcast_ref::<WasmBacktrace>().expect("there is one");
            assert!(!backtrace.frames().is_empty(), "{wat}");
        }
    }
    Ok(())
}

#[test]
fn a_new_store_is_interrupted_at_once() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    assert!(engine.get_epoch_interruption());
    let module = Module::new(&engine, FOREVER[0])?;
    let mut store = store(&engine, ());
    for _ in 0..2 {
        let error = run(&mut store, &module).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    }
    Ok(())
}

#[test]
fn a_deadline_is_so_many_epochs_from_now() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "tick" (func $tick (result i32)))
            (func (export "run") (result i32) (local i32)
                (loop
                    (local.set 0 (call $tick))
                    (br_if 0 (i32.lt_u (local.get 0) (i32.const 10))))
                (local.get 0)))"#,
    )?;
    for ahead in 0..3 {
        engine.increment_epoch();
        let _ = ahead;
    }
    let mut linker = Linker::new(&engine);
    linker.func_wrap("", "tick", |mut caller: Caller<'_, i32>| {
        caller.engine().increment_epoch();
        *caller.data_mut() += 1;
        *caller.data()
    })?;
    for (deadline, ticks) in [(1, 1), (5, 5), (9, 9)] {
        let mut store = store(&engine, 0);
        store.set_epoch_deadline(deadline);
        let instance = linker.instantiate(&mut store, &module)?;
        let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
        assert_eq!(*store.data(), ticks);
        // The store can be used again.
        store.set_epoch_deadline(u64::MAX);
        *store.data_mut() = 0;
        assert_eq!(run.call(&mut store, ())?, 10);
    }
    Ok(())
}

#[test]
fn a_host_function_may_set_the_deadline() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let module = Module::new(
        &engine,
        r#"(module (import "" "now" (func $now)) (func (export "run") (loop (call $now) (br 0))))"#,
    )?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("", "now", |mut caller: Caller<'_, ()>| {
        caller.as_context_mut().set_epoch_deadline(0);
    })?;
    let mut store = store(&engine, ());
    store.set_epoch_deadline(1000);
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    Ok(())
}

#[test]
fn a_callback_lets_the_guest_go_on_with_all_its_values() -> Result<()> {
    // Many values of every kind are alive at the check, and come out as they went in.
    let kinds = [
        ("i32", 12),
        ("i64", 12),
        ("f32", 12),
        ("f64", 12),
        ("v128", 12),
    ];
    let mut locals = String::new();
    let mut body = String::new();
    let mut sums = String::new();
    for (ty, count) in kinds {
        for i in 0..count {
            locals += &format!("(local ${ty}{i} {ty})");
            let (value, add) = match ty {
                "v128" => (
                    format!("(i32x4.splat (i32.const {i}))"),
                    "i32x4.add".to_string(),
                ),
                _ => (format!("({ty}.const {i})"), format!("{ty}.add")),
            };
            body += &format!("(local.set ${ty}{i} ({add} (local.get ${ty}{i}) {value}))");
            sums += &match ty {
                "i32" => format!(
                    "(local.set $sum (i64.add (local.get $sum) (i64.extend_i32_s (local.get $i32{i}))))"
                ),
                "i64" => format!("(local.set $sum (i64.add (local.get $sum) (local.get $i64{i})))"),
                "v128" => format!(
                    "(local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (i32x4.extract_lane 3 (local.get $v128{i})))))"
                ),
                float => format!(
                    "(local.set $sum (i64.add (local.get $sum) (i64.trunc_{float}_s (local.get ${float}{i}))))"
                ),
            };
        }
    }
    let wat = format!(
        r#"(module (func (export "run") (result i64) (local $n i32) (local $sum i64) {locals}
            (local.set $n (i32.const 1000))
            (loop {body} (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            {sums} (local.get $sum)))"#
    );
    for config in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, &wat)?;
        let mut store = store(&engine, 0);
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            // What the host does meanwhile leaves no register as it was.
            let values: Vec<f64> = (0..100).map(|n| f64::from(n).sqrt()).collect();
            assert!(values.iter().sum::<f64>() > 600.0);
            Ok(UpdateDeadline::Continue(0))
        });
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(), i64>(&mut store, "run")?;
        let each: i64 = (0..12).sum();
        assert_eq!(run.call(&mut store, ())?, 5 * each * 1000);
        // At each round, and perhaps at the start.
        assert!((1000..=1001).contains(store.data()), "{}", store.data());
    }
    Ok(())
}

type Model = fn(i32) -> i32;

/// Short loops, and what they return for how many rounds.
const SHORT: &[(&str, Model)] = &[
    (
        "(local $sum i32)
        (loop
            (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $n))))
            (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)",
        |n| (1..=n).sum(),
    ),
    // A value is passed on.
    (
        "(i32.const 1)
        (loop (param i32) (result i32)
            (i32.mul (i32.const 3))
            (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))",
        |n| 3_i32.wrapping_pow(n as u32),
    ),
    // A way out, with a value, and an end that cannot be reached.
    (
        "(local $sum i32)
        (block $out (result i32)
            (loop $next
                (drop (br_if $out (local.get $sum) (i32.eqz (local.get $n))))
                (local.set $sum (i32.add (local.get $sum) (local.get $n)))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br_if $next (i32.const 1)))
            (local.get $sum))",
        |n| (1..=n).sum(),
    ),
    // Two ways back, of which one passes a part of the loop by.
    (
        "(local $sum i32)
        (loop $next
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $next (i32.and (local.get $n) (i32.const 1)))
            (local.set $sum (i32.add (local.get $sum) (local.get $n)))
            (br_if $next (i32.gt_s (local.get $n) (i32.const 0))))
        (local.get $sum)",
        |n| (0..n).filter(|i| i % 2 == 0).sum(),
    ),
    // No way back.
    ("(loop (local.set $n (i32.add (local.get $n) (i32.const 1)))) (local.get $n)", |n| n + 1),
    // In another one, and at an address that is checked twice.
    (
        "(local $m i32)
        (loop $outer
            (local.set $m (local.get $n))
            (loop $inner
                (i32.store8 offset=256 (local.get $m) (i32.add (i32.load8_u offset=256 (local.get $m)) (local.get $m)))
                (br_if $inner (local.tee $m (i32.sub (local.get $m) (i32.const 1)))))
            (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.load8_u offset=256 (i32.const 3))",
        |n| 3 * (n - 2).max(0),
    ),
];

#[test]
fn short_loops_go_round_as_often_as_they_should() -> Result<()> {
    for (body, expected) in SHORT {
        let data: String = (0..32).map(|i| format!("\\{i:02x}")).collect();
        let wat = format!(
            r#"(module (memory 1) (data (i32.const 0) "{data}") (func (export "run") (param $n i32) (result i32) {body}))"#
        );
        for config in configurations() {
            let engine = Engine::new(&config)?;
            let module = Module::new(&engine, &wat)?;
            for n in 1..=9 {
                let mut store = store(&engine, 0);
                store.epoch_deadline_callback(|mut store| {
                    *store.data_mut() += 1;
                    Ok(UpdateDeadline::Continue(0))
                });
                let instance = Instance::new(&mut store, &module, &[])?;
                let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
                assert_eq!(
                    run.call(&mut store, n)?,
                    expected(n),
                    "{n} rounds of {body}"
                );
                let goes_round = body.contains("br_if 0") || body.contains("br_if $");
                assert!(
                    *store.data() > 0 || n < 3 || !goes_round,
                    "{n} rounds of {body}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn objects_are_found_by_a_collection_in_a_callback() -> Result<()> {
    let wat = r#"(module
        (type $s (struct (field i32)))
        (func (export "run") (result i32) (local $s (ref null $s)) (local $t (ref null $s)) (local $n i32)
            (local.set $s (struct.new $s (i32.const 40)))
            (local.set $n (i32.const 50))
            (loop
                (local.set $t (struct.new $s (i32.const 2)))
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (i32.add (struct.get $s 0 (local.get $s)) (struct.get $s 0 (local.get $t)))))"#;
    for config in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wat)?;
        let mut store = store(&engine, 0);
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            store.gc(None)?;
            Ok(UpdateDeadline::Continue(0))
        });
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
        assert_eq!(run.call(&mut store, ())?, 42);
        assert_eq!(*store.data(), 50);
    }
    Ok(())
}

#[test]
fn a_memory_that_a_callback_grows_has_moved_for_the_guest() -> Result<()> {
    // Reads what the callback writes into the new page, which is nowhere near if the memory had to move.
    let wat = r#"(module (memory (export "m") 1)
        (func (export "run") (result i32) (local $n i32)
            (local.set $n (i32.const 3))
            (i32.store (i32.const 8) (i32.const 7))
            (loop
                (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (i32.add (i32.load (i32.const 65536)) (i32.load (i32.const 8)))))"#;
    for mut config in configurations() {
        config.memory_reservation(0).memory_may_move(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wat)?;
        let mut store = store(&engine, 0);
        let instance = Instance::new(&mut store, &module, &[])?;
        let memory = instance.get_memory(&mut store, "m").expect("exported");
        store.epoch_deadline_callback(move |mut store| {
            *store.data_mut() += 1;
            if *store.data() == 1 {
                memory.grow(&mut store, 1)?;
                memory.write(&mut store, 65536, &[35, 0, 0, 0])?;
            }
            Ok(UpdateDeadline::Continue(0))
        });
        let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
        assert_eq!(run.call(&mut store, ())?, 42);
        // A short loop need not look each time.
        assert!((1..=3).contains(store.data()), "{}", store.data());
    }
    Ok(())
}

#[test]
fn exceptions_are_found_by_a_collection_in_a_callback() -> Result<()> {
    // No type of the module says that there are references: only the clause does.
    let wat = r#"(module (tag $e)
        (func $throw (throw $e))
        (func (export "run") (result i32) (local $exn exnref) (local $n i32)
            (local.set $n (i32.const 20))
            (loop $again
                (local.set $exn (block $b (result exnref)
                    (try_table (catch_all_ref $b) (call $throw))
                    unreachable))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.set $n (i32.const 20))
            (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (block $caught
                (try_table (catch $e $caught) (throw_ref (local.get $exn)))
                unreachable)
            (i32.const 42)))"#;
    for config in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wat)?;
        let mut store = store(&engine, 0);
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            store.gc(None)?;
            Ok(UpdateDeadline::Continue(0))
        });
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
        assert_eq!(run.call(&mut store, ())?, 42);
        assert!(*store.data() >= 40, "{}", store.data());
    }
    Ok(())
}

#[test]
fn an_interrupted_guest_says_where_it_was() -> Result<()> {
    let wat = r#"(module (import "" "increment" (func $increment))
        (func $inner (call $increment) (loop $l (br $l)))
        (func $outer (export "run") (call $inner) (call $inner)))"#;
    for config in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wat)?;
        let mut store = store(&engine, ());
        store.set_epoch_deadline(1);
        let increment = Func::wrap(&mut store, |caller: Caller<'_, ()>| {
            caller.engine().increment_epoch();
        });
        let instance = Instance::new(&mut store, &module, &[increment.into()])?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt));
        let trace = error.downcast_ref::<WasmBacktrace>();
        let names: Vec<_> = trace
            .expect("there is one")
            .frames()
            .iter()
            .map(|frame| frame.func_name())
            .collect();
        assert_eq!(names, [Some("inner"), Some("outer")]);
    }
    Ok(())
}

#[test]
fn a_guest_without_loops_is_interrupted_with_all_its_arguments() -> Result<()> {
    let wat = r#"(module
        (func $add (export "run") (param i32 i64 f32 f64 i32 i64 i32 i32 i32 i32) (result i64)
            (local i64)
            (if (i32.eqz (local.get 0)) (then (return (i64.const 0))))
            (local.set 10 (call $sum
                (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)
                (local.get 6) (local.get 7) (local.get 8) (local.get 9)))
            (i64.add (local.get 10) (call $add (i32.sub (local.get 0) (i32.const 1))
                (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)
                (local.get 6) (local.get 7) (local.get 8) (local.get 9))))
        (func $sum (param i64 f32 f64 i32 i64 i32 i32 i32 i32) (result i64)
            (i64.extend_i32_s (local.get 8)) (i64.extend_i32_s (local.get 7))
            (i64.extend_i32_s (local.get 6)) (i64.extend_i32_s (local.get 5))
            (i64.extend_i32_s (local.get 3)) (i64.trunc_f64_s (local.get 2))
            (i64.trunc_f32_s (local.get 1)) (local.get 4) (local.get 0)
            i64.add i64.add i64.add i64.add i64.add i64.add i64.add i64.add))"#;
    for config in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wat)?;
        let mut store = store(&engine, 0);
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            let trace = WasmBacktrace::force_capture(&store);
            let names = trace.frames().iter().map(|frame| frame.func_index());
            assert!(names.take(2).all(|index| index <= 1));
            Ok(UpdateDeadline::Continue(0))
        });
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_func(&mut store, "run").expect("exported");
        let arguments = [
            Val::I32(100),
            Val::I64(1 << 40),
            Val::F32(2.0f32.to_bits()),
            Val::F64(3.0f64.to_bits()),
            Val::I32(40),
            Val::I64(500),
            Val::I32(6000),
            Val::I32(70000),
            Val::I32(800_000),
            Val::I32(9_000_000),
        ];
        let mut results = [Val::I64(0)];
        run.call(&mut store, &arguments, &mut results)?;
        assert_eq!(results[0].i64(), Some(100 * ((1 << 40) + 9_876_545)));
        assert!(*store.data() >= 100, "{}", store.data());
    }
    Ok(())
}

#[test]
fn a_stack_that_overflows_while_it_is_interrupted_is_a_trap() -> Result<()> {
    let wat = r#"(module (func $run (export "run") (result i32)
        (i32.add (i32.const 1) (call $run))))"#;
    for config in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wat)?;
        let mut store = store(&engine, 0);
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            Ok(UpdateDeadline::Continue(0))
        });
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::StackOverflow));
        assert!(*store.data() >= 1000, "{}", store.data());
    }
    Ok(())
}

#[test]
fn rounds_that_call_their_function_again_are_interrupted() -> Result<()> {
    // The inner call returns at once; what is inlined calls nothing.
    let wat = r#"(module (func $run (export "run") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
        (loop $l (result i32)
            (drop (call $run (i32.const 0)))
            (br_if $l (i32.eqz (call $run (i32.and (local.get 0) (i32.const 2)))))
            (i32.const 1))))"#;
    for config in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wat)?;
        let mut store = store(&engine, 0);
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            match *store.data() {
                1000 => Ok(UpdateDeadline::Interrupt),
                _ => Ok(UpdateDeadline::Continue(0)),
            }
        });
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
        let error = run.call(&mut store, 1).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt));
    }
    Ok(())
}

#[test]
fn tail_calls_without_end_are_interrupted() -> Result<()> {
    let wat = r#"(module
        (func $a (export "run") (result i32) (return_call $b (i64.const 0) (i64.const 0)))
        (func $b (param i64 i64) (result i32) (return_call $a)))"#;
    for config in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, wat)?;
        let mut store = store(&engine, 0);
        store.epoch_deadline_callback(|mut store| {
            *store.data_mut() += 1;
            match *store.data() {
                1000 => Ok(UpdateDeadline::Interrupt),
                _ => Ok(UpdateDeadline::Continue(0)),
            }
        });
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt));
    }
    Ok(())
}

#[test]
fn callbacks_may_use_the_store_and_the_fuel() -> Result<()> {
    let mut config = Config::new();
    config.epoch_interruption(true).consume_fuel(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module (memory (export "m") 1)
            (func (export "run") (result i32)
                (i32.store (i32.const 0) (i32.const 1))
                (loop (br_if 0 (i32.eq (i32.load (i32.const 0)) (i32.const 1))))
                (i32.load (i32.const 0)))
            (func (export "inner") (result i32) (i32.const 42)))"#,
    )?;
    let mut store = Store::new(&engine, Vec::new());
    store.set_fuel(1000)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.get_memory(&mut store, "m").expect("exported");
    let inner = instance.get_typed_func::<(), i32>(&mut store, "inner")?;
    let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
    store.epoch_deadline_callback(move |mut store| {
        let fuel = store.get_fuel()?;
        store.data_mut().push(fuel);
        let value = inner.call(&mut store, ())?;
        if store.data().len() == 2 {
            memory.data_mut(&mut store)[0] = value as u8;
            store.set_fuel(500)?;
        }
        Ok(UpdateDeadline::Continue(0))
    });
    assert_eq!(run.call(&mut store, ())?, 42);
    // Entry and three; then entry and constant of `inner`, and five of a round.
    assert_eq!(store.data(), &[996, 996 - 2 - 5]);
    assert_eq!(store.get_fuel()?, 500 - 5 - 2);
    Ok(())
}

#[test]
fn what_a_callback_decides_is_done() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let module = Module::new(&engine, FOREVER[0])?;
    let mut store = store(&engine, ());

    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Interrupt));
    let error = run(&mut store, &module).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));

    store.epoch_deadline_callback(|_| bail!("no more"));
    let error = run(&mut store, &module).unwrap_err();
    assert_eq!(error.root_cause().to_string(), "no more");
    assert!(error.is::<WasmBacktrace>());

    for update in [
        (|| UpdateDeadline::Yield(1)) as fn() -> UpdateDeadline,
        || UpdateDeadline::YieldCustom(1, Box::pin(async {})),
    ] {
        store.epoch_deadline_callback(move |_| Ok(update()));
        let error = run(&mut store, &module).unwrap_err();
        assert!(
            error.root_cause().to_string().contains("asynchronous"),
            "{error:?}"
        );
    }

    // A callback can be the last.
    let calls = Arc::new(AtomicU32::new(0));
    let seen = calls.clone();
    store.epoch_deadline_callback(move |mut store| {
        seen.fetch_add(1, Ordering::Relaxed);
        store.epoch_deadline_trap();
        Ok(UpdateDeadline::Continue(0))
    });
    let error = run(&mut store, &module).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    assert_eq!(calls.load(Ordering::Relaxed), 1);

    // A guest that it calls has no callback.
    let (inner_engine, inner_module) = (engine.clone(), module.clone());
    store.epoch_deadline_callback(move |mut store| {
        assert!(Engine::same(store.engine(), &inner_engine));
        let instance = Instance::new(&mut store, &inner_module, &[])?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        let error = run.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
        bail!("as expected")
    });
    let error = run(&mut store, &module).unwrap_err();
    assert_eq!(error.root_cause().to_string(), "as expected");
    Ok(())
}

#[test]
fn a_panic_in_a_callback_comes_out_of_the_call() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let module = Module::new(&engine, FOREVER[0])?;
    let mut store = store(&engine, ());
    store.epoch_deadline_callback(|_| panic!("in the callback"));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&mut store, &module)))
        .unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"in the callback"));
    Ok(())
}

#[test]
fn long_operators_look_first() -> Result<()> {
    // No loops and no calls, but much to do.
    let wat = r#"(module (memory 1) (func (export "run") (param i32)
        (memory.fill (i32.const 0) (i32.const 1) (local.get 0))))"#;
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let module = Module::new(&engine, wat)?;
    let mut store = store(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let run = instance.get_typed_func::<i32, ()>(&mut store, "run")?;
    let error = run.call(&mut store, 60_000).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    store.set_epoch_deadline(1);
    run.call(&mut store, 60_000)
}

#[test]
fn without_checks_there_is_no_interruption() -> Result<()> {
    let engine = Engine::default();
    assert!(!engine.get_epoch_interruption());
    let module = Module::new(
        &engine,
        r#"(module (func (export "run") (local i32)
            (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000))))))"#,
    )?;
    let mut store = store(&engine, ());
    engine.increment_epoch();
    run(&mut store, &module)
}
