//! What is left when a guest ends otherwise than well, and when guest and host hand fuel to each other.
//!
//! The one idea: whoever counts, the number is the same in every configuration, and the store never has more than what the guest had at its last check, call or return.

use super::{configurations, run, traps};
use meantime::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Two whole rounds of a loop, and in the third this code. Entry, constant, `local.set`; six operators a round but for the third.
fn in_third_round(code: &str) -> String {
    format!(
        r#"(module
            (type $t (func)) (type $array (array i32)) (type $other (func (param i32)))
            (memory 1) (table $t 2 funcref) (elem (table $t) (i32.const 0) func $f) (elem declare func $f)
            (tag $e) (func $f (param i32))
            (func (export "run") (local i32)
                i32.const 3 local.set 0
                loop
                    local.get 0 i32.const 1 i32.sub local.tee 0
                    if br 1 end
                    {code}
                end))"#
    )
}

#[test]
fn any_trap_leaves_what_was_known_at_the_check() {
    let left = 1000 - 3 - 2 * 6;
    let kinds = [
        (
            Trap::IntegerDivisionByZero,
            "i32.const 1 i32.const 0 i32.div_s drop",
        ),
        (
            Trap::IntegerOverflow,
            "i32.const 0x80000000 i32.const -1 i32.div_s drop",
        ),
        (
            Trap::BadConversionToInteger,
            "f32.const nan i32.trunc_f32_s drop",
        ),
        (Trap::MemoryOutOfBounds, "i32.const 65536 i32.load drop"),
        (
            Trap::MemoryOutOfBounds,
            "i32.const 65535 i32.const 0 i32.const 2 memory.fill",
        ),
        (
            Trap::MemoryOutOfBounds,
            "i32.const 65535 i32.const 0 i32.const 50000 memory.fill",
        ),
        (Trap::TableOutOfBounds, "i32.const 2 table.get $t drop"),
        (
            Trap::TableOutOfBounds,
            "i32.const 1 ref.null func i32.const 2 table.fill $t",
        ),
        (
            Trap::TableOutOfBounds,
            "i32.const 2 call_indirect (type $t)",
        ),
        (
            Trap::IndirectCallToNull,
            "i32.const 1 call_indirect (type $t)",
        ),
        (Trap::BadSignature, "i32.const 0 call_indirect (type $t)"),
        (Trap::NullReference, "ref.null $t call_ref $t"),
        (
            Trap::ArrayOutOfBounds,
            "i32.const 2 array.new_default $array i32.const 2 array.get $array drop",
        ),
        (
            Trap::CastFailure,
            "i32.const 1 ref.i31 ref.cast (ref struct) drop",
        ),
    ];
    for (trap, code) in kinds {
        traps(trap, left, &in_third_round(code));
    }
    // `local.get` to `if`, then the operator itself, which pays as it would for an exception.
    traps(
        Trap::UnreachableCodeReached,
        left - 5,
        &in_third_round("unreachable"),
    );
    // Those to the call, the call, and what the callee used; not what follows.
    traps(
        Trap::IntegerDivisionByZero,
        left - 5 - 2 - 1,
        &in_third_round(
            "i32.const 1 call $f i32.const 5 drop i32.const 1 i32.const 0 i32.div_s drop",
        ),
    );
}

#[test]
fn a_stack_that_overflows_leaves_less_for_each_call() {
    let wat = r#"(module (func $f (export "run") (local i64 i64 i64 i64) call $f call $f))"#;
    for (name, config) in configurations() {
        let run = run(&config, 1_000_000_000, wat).expect("it compiles");
        assert_eq!(run.trap, Some(Trap::StackOverflow), "{name}");
        let used = 1_000_000_000 - run.left;
        // Entry and `call`. The stack has room for more than a thousand frames.
        assert!((2000..10_000_000).contains(&used), "{name}: {used}");
    }
}

/// A store whose data are what was seen of the fuel, with this much of it.
fn store(config: &Config, fuel: u64) -> Result<Store<Vec<u64>>> {
    let engine = Engine::new(config)?;
    let mut store = Store::new(&engine, Vec::new());
    store.set_fuel(fuel)?;
    store.set_epoch_deadline(1000);
    Ok(store)
}

#[test]
fn a_host_function_that_fails_leaves_what_it_saw_or_set() -> Result<()> {
    for (name, config) in configurations() {
        for set in [None, Some(7)] {
            for (how, fail) in [
                ("error", (|| bail!("no more")) as fn() -> Result<()>),
                ("trap", || Err(Trap::UnreachableCodeReached.into())),
                ("panic", || panic!("no more")),
            ] {
                let mut store = store(&config, 100)?;
                let module = Module::new(
                    store.engine(),
                    r#"(module (import "" "fail" (func $fail (param i32 f64) (result f32)))
                        (func (export "run") (loop i32.const 1 f64.const 2 call $fail drop br 0)))"#,
                )?;
                let ty =
                    FuncType::new(store.engine(), [ValType::I32, ValType::F64], [ValType::F32]);
                let host = Func::new(&mut store, ty, move |mut caller, _, _| {
                    if let Some(fuel) = set {
                        caller.set_fuel(fuel)?;
                    }
                    fail()
                });
                let instance = Instance::new(&mut store, &module, &[host.into()])?;
                let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
                let result = catch_unwind(AssertUnwindSafe(|| run.call(&mut store, ())));
                assert!(!matches!(result, Ok(Ok(()))));
                // Entry, two constants, `call`.
                let left = set.unwrap_or(96);
                assert_eq!(store.get_fuel()?, left, "{name}, {how}");
            }
        }
    }
    Ok(())
}

#[test]
fn what_a_callback_of_the_host_uses_is_used() -> Result<()> {
    for (name, config) in configurations() {
        let mut store = store(&config, 1000)?;
        let module = Module::new(
            store.engine(),
            r#"(module (import "" "again" (func $again (param i32)))
                (func (export "inner") (param i32)
                    local.get 0 if i32.const 1 i32.const 0 i32.div_s drop end)
                (func (export "run")
                    i32.const 1 call $again i32.const 0 call $again i32.const 1 call $again
                    i32.const 5 i32.const 0 i32.div_s drop))"#,
        )?;
        let again = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<u64>>, how: i32| {
            let inner = caller.get_export("inner").and_then(Extern::into_func);
            let inner = inner.expect("it is exported").typed::<i32, ()>(&caller)?;
            let before = caller.get_fuel()?;
            caller.data_mut().push(before);
            let trapped = inner.call(&mut caller, how).is_err();
            assert_eq!(trapped, how != 0);
            let after = caller.get_fuel()?;
            caller.data_mut().push(before - after);
            Ok(())
        });
        let instance = Instance::new(&mut store, &module, &[again.into()])?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        let error = run.call(&mut store, ()).unwrap_err();
        let trap = error.downcast_ref::<Trap>();
        assert_eq!(trap, Some(&Trap::IntegerDivisionByZero), "{name}");
        // Entry, constant, `call`; a trap leaves what was there at the entry; entry, `local.get`, `if`.
        let seen = [997, 0, 995, 3, 990, 0];
        assert_eq!(store.data()[..], seen, "{name}");
        assert_eq!(store.get_fuel()?, 990, "{name}");
    }
    Ok(())
}

#[test]
fn modules_hand_it_to_each_other() -> Result<()> {
    for (name, config) in configurations() {
        let mut store = store(&config, 1000)?;
        let engine = store.engine().clone();
        let callee = Module::new(
            &engine,
            r#"(module (import "" "look" (func $look))
                (func (export "f") (param i32) (result i32)
                    local.get 0 if call $look end local.get 0 i32.const 1 i32.sub)
                (func (export "tail") return_call $look))"#,
        )?;
        let caller = Module::new(
            &engine,
            r#"(module (import "" "f" (func $f (param i32) (result i32)))
                (import "" "tail" (func $tail))
                (type $f (func (param i32) (result i32)))
                (table funcref (elem $f $tail)) (elem declare func $f)
                (func (export "run") (local i32)
                    i32.const 2 local.set 0
                    loop
                        local.get 0 call $f local.set 0
                        local.get 0 i32.const 0 call_indirect (type $f) local.set 0
                        local.get 0 ref.func $f call_ref $f drop
                        call $tail
                        i32.const 1 return_call_indirect
                    end))"#,
        )?;
        let look = Func::wrap(
            &mut store,
            |mut caller: Caller<'_, Vec<u64>>| -> Result<()> {
                let fuel = caller.get_fuel()?;
                caller.data_mut().push(fuel);
                Ok(())
            },
        );
        let callee = Instance::new(&mut store, &callee, &[look.into()])?;
        let imports = ["f", "tail"].map(|name| callee.get_export(&mut store, name).expect(name));
        let instance = Instance::new(&mut store, &caller, &imports)?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        run.call(&mut store, ())?;
        // Entry, two for the local; `local.get`, `call`; entry, `local.get`, `if`, `call`.
        let first = 1000 - 3 - 2 - 4;
        // Three; `local.set`, `local.get`, constant, `call_indirect`; as above.
        let second = first - 3 - 4 - 4;
        // Three; `local.set`; `local.get`, `ref.func`, `call_ref`; without the call to look, three and three.
        let third = second - 3 - 4 - 3 - 3 - 1 - 1 - 1;
        let fourth = third - 1 - 1 - 1 - 1;
        assert_eq!(store.data()[..], [first, second, third, fourth], "{name}");
        assert_eq!(store.get_fuel()?, fourth, "{name}");
    }
    Ok(())
}

#[test]
fn exceptions_of_the_host_leave_what_it_saw_or_set() -> Result<()> {
    for (name, config) in configurations() {
        for set in [None, Some(50)] {
            let mut store = store(&config, 100)?;
            let engine = store.engine().clone();
            let tag_type = TagType::new(FuncType::new(&engine, [], []));
            let tag = Tag::new(&mut store, &tag_type)?;
            let module = Module::new(
                &engine,
                r#"(module (import "" "tag" (tag $tag)) (import "" "throw" (func $throw))
                    (func $middle (param i32) i32.const 1 drop call $throw)
                    (func (export "run") (result i32)
                        block try_table (catch $tag 0) i32.const 1 call $middle end end
                        i32.const 1 i32.const 0 i32.div_s))"#,
            )?;
            let throw = Func::wrap(
                &mut store,
                move |mut caller: Caller<'_, Vec<u64>>| -> Result<()> {
                    if let Some(fuel) = set {
                        caller.set_fuel(fuel)?;
                    }
                    let ty = ExnType::from_tag_type(&tag.ty(&caller))?;
                    let pre = ExnRefPre::new(&mut caller, ty);
                    let exception = ExnRef::new(&mut caller, &pre, &tag, &[])?;
                    caller.as_context_mut().throw(exception)
                },
            );
            let instance = Instance::new(&mut store, &module, &[tag.into(), throw.into()])?;
            let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
            let error = run.call(&mut store, ()).unwrap_err();
            let trap = error.downcast_ref::<Trap>();
            assert_eq!(trap, Some(&Trap::IntegerDivisionByZero), "{name}");
            // Entry, `try_table`, constant, `call`; entry, constant, `call`. What follows the handler was not known.
            let left = set.unwrap_or(100 - 4 - 3);
            assert_eq!(store.get_fuel()?, left, "{name}");
        }
    }
    Ok(())
}

#[test]
fn a_callback_at_the_deadline_may_change_it_before_a_trap() -> Result<()> {
    for (name, mut config) in configurations() {
        config.epoch_interruption(true);
        let mut store = store(&config, 1000)?;
        let module = Module::new(
            store.engine(),
            r#"(module (func (export "run") (loop i32.const 1 i32.const 0 i32.div_s br_if 0)))"#,
        )?;
        store.epoch_deadline_callback(|mut store| {
            let fuel = store.get_fuel()?;
            store.data_mut().push(fuel);
            store.set_fuel(500)?;
            Ok(UpdateDeadline::Continue(1000))
        });
        store.set_epoch_deadline(0);
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        run.call(&mut store, ()).unwrap_err();
        assert_eq!(store.data()[..], [999], "{name}");
        assert_eq!(store.get_fuel()?, 500, "{name}");
    }
    Ok(())
}
