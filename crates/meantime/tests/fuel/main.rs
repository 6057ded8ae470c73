//! Fuel: how much small programs use, by the rules in `crates/abi/src/fuel.rs`, and what happens when there is none left.
//!
//! The one idea: counts are the same however code is made, so every program runs in each of several configurations.

mod ends;

use meantime::*;

/// Ways to make code.
fn configurations() -> Vec<(String, Config)> {
    type Change = fn(&mut Config);
    let strategies: [(&str, Change); 4] = [
        ("tiers", |_| {}),
        ("forced", |c| {
            c.tier_up_budget(0).tier_up_waits(true);
        }),
        ("ahead", |c| {
            c.strategy(Strategy::Cranelift);
        }),
        ("baseline", |c| {
            c.strategy(Strategy::Winch);
        }),
    ];
    let changes: [(&str, Change); 5] = [
        ("default", |_| {}),
        ("not optimized", |c| {
            c.cranelift_opt_level(OptLevel::None);
        }),
        ("not inlined", |c| {
            c.compiler_inlining(Inlining::No);
        }),
        ("no signals", |c| {
            c.signals_based_traps(false);
        }),
        ("epochs too", |c| {
            c.epoch_interruption(true);
        }),
    ];
    let make = |(name, strategy): (&str, Change), (other, change): (&str, Change)| {
        let mut config = Config::new();
        config.consume_fuel(true);
        strategy(&mut config);
        change(&mut config);
        (format!("{name}, {other}"), config)
    };
    let with_all = |strategy| changes.map(|change| make(strategy, change));
    strategies.into_iter().flat_map(with_all).collect()
}

/// How a run ended, and what was left of the fuel: at the end, and at each call of `look`.
#[derive(PartialEq, Debug)]
struct Run {
    trap: Option<Trap>,
    left: u64,
    seen: Vec<u64>,
}

fn run(config: &Config, fuel: u64, wat: &str) -> Result<Run> {
    let engine = Engine::new(config)?;
    let module = Module::new(&engine, wat)?;
    let mut linker: Linker<Vec<u64>> = Linker::new(&engine);
    linker.func_wrap(
        "",
        "look",
        |mut caller: Caller<'_, Vec<u64>>| -> Result<()> {
            let fuel = caller.get_fuel()?;
            caller.data_mut().push(fuel);
            Ok(())
        },
    )?;
    linker.func_wrap("", "set", |mut caller: Caller<'_, Vec<u64>>, fuel: u64| {
        caller.set_fuel(fuel)
    })?;
    linker.func_wrap(
        "",
        "again",
        |mut caller: Caller<'_, Vec<u64>>| -> Result<()> {
            let inner = caller
                .get_export("inner")
                .and_then(Extern::into_func)
                .expect("the module exports it");
            inner.typed::<(), ()>(&caller)?.call(&mut caller, ())
        },
    )?;
    let mut store = Store::new(&engine, Vec::new());
    store.set_fuel(fuel)?;
    store.set_epoch_deadline(1000);
    let trap = linker
        .instantiate(&mut store, &module)
        .and_then(|instance| {
            let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
            run.call(&mut store, ())
        })
        .err()
        .map(|error| *error.downcast_ref::<Trap>().expect("a trap"));
    Ok(Run {
        trap,
        left: store.get_fuel()?,
        seen: store.data().clone(),
    })
}

fn check(fuel: u64, wat: &str, expected: &Run) {
    for (name, config) in configurations() {
        let actual = run(&config, fuel, wat).expect("it compiles");
        assert_eq!(actual, *expected, "{name}: {wat}");
    }
}

/// A program that ends well uses this much.
#[track_caller]
fn uses(amount: u64, wat: &str) {
    const FUEL: u64 = 1_000_000;
    let expected = Run {
        trap: None,
        left: FUEL - amount,
        seen: Vec::new(),
    };
    check(FUEL, wat, &expected);
}

/// A program that traps leaves this much of a thousand.
#[track_caller]
fn traps(trap: Trap, left: u64, wat: &str) {
    let expected = Run {
        trap: Some(trap),
        left,
        seen: Vec::new(),
    };
    check(1000, wat, &expected);
}

/// With this much fuel, a program runs out of it, and with one more it does not.
#[track_caller]
fn runs_out(fuel: u64, left: u64, wat: &str) {
    let out = Run {
        trap: Some(Trap::OutOfFuel),
        left: 0,
        seen: Vec::new(),
    };
    check(fuel, wat, &out);
    let done = Run {
        trap: None,
        left,
        seen: Vec::new(),
    };
    check(fuel + 1, wat, &done);
}

#[test]
fn straight_code() {
    // One for the entry.
    uses(1, r#"(module (func (export "run")))"#);
    uses(
        2,
        r#"(module (func (export "run") nop block end i32.const 0 drop))"#,
    );
    uses(1, r#"(module (func (export "run") return))"#);
    // Two constants and an addition.
    uses(
        4,
        r#"(module (func (export "run") (drop (i32.add (i32.const 1) (i32.const 2)))))"#,
    );
}

#[test]
fn branches() {
    // The condition, `if`, and one arm.
    let arms = |condition| {
        format!(
            r#"(module (func (export "run") i32.const {condition}
                if i32.const 2 drop else i32.const 2 drop i32.const 3 drop end))"#
        )
    };
    uses(4, &arms(1));
    uses(5, &arms(0));
    let without_else = |condition| {
        format!(
            r#"(module (func (export "run") i32.const {condition}
                if i32.const 2 drop i32.const 2 drop end i32.const 1 drop))"#
        )
    };
    uses(6, &without_else(1));
    uses(4, &without_else(0));
    // A branch jumps over what it does not pay for: constant, `br`.
    uses(
        3,
        r#"(module (func (export "run") block i32.const 1 br 0 i32.const 1 drop end))"#,
    );
    // Four ways to one end. Entry, constant, `br_table`; what is before each way's `br`, and that; the end.
    for (way, cost) in [(0, 1), (1, 3), (2, 4), (9, 0)] {
        let wat = format!(
            r#"(module (func (export "run")
                block block block block
                    i32.const {way} br_table 0 1 2 3
                end br 2
                end i32.const 1 drop i32.const 1 drop br 1
                end i32.const 1 drop i32.const 1 drop i32.const 1 drop br 0
                end
                i32.const 1 drop))"#
        );
        uses(3 + cost + 1, &wat);
    }
    // A table of one. Entry, constant, `local.set`; five a round.
    for rounds in [1, 3] {
        let wat = format!(
            r#"(module (func (export "run") (local i32)
                i32.const {rounds} local.set 0
                loop
                    block
                    local.get 0 i32.const 1 i32.sub local.tee 0
                    br_table 0 1
                    end
                end))"#
        );
        uses(3 + 5 * rounds, &wat);
    }
    uses(
        // Entry; constant, constant, `br_table`; the end's `i32.eqz`.
        1 + 3 + 1,
        r#"(module (func (export "run")
            block (result i32) i32.const 7 i32.const 1 br_table 0 0 end i32.eqz drop))"#,
    );
}

#[test]
fn loops() {
    // Entry, constant, `local.set`; five operators a round.
    let rounds = |n| {
        format!(
            r#"(module (func (export "run") (local i32) i32.const {n} local.set 0
                loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end))"#
        )
    };
    uses(3 + 5, &rounds(1));
    uses(3 + 5 * 3, &rounds(3));
    uses(3 + 5 * 1000, &rounds(1000));
    // The last check is at the start of the third round, and what follows is on credit.
    runs_out(3 + 5 * 2, 0, &rounds(3));
    // Every other round has three operators more.
    uses(
        3 + 10 * (8 + 1) + 5 * 2,
        r#"(module (func (export "run") (local i32) i32.const 10 local.set 0
            loop
                local.get 0 i32.const 1 i32.and
                if i32.const 1 drop i32.const 2 drop end
                local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
            end))"#,
    );
}

#[test]
fn calls() {
    // Entry, `call`, entry.
    uses(3, r#"(module (func $f) (func (export "run") call $f))"#);
    uses(
        3,
        r#"(module (func $f) (func (export "run") return_call $f))"#,
    );
    // Small enough to be compiled into the caller, and with an early return: entry, constant, `call`; entry, `local.get`, `if`; the rest.
    for (argument, expected) in [(1, 3 + 3), (0, 3 + 3 + 3)] {
        let wat = format!(
            r#"(module
                (func $f (param i32) local.get 0 if return end
                    i32.const 1 i32.const 2 i32.add drop)
                (func (export "run") i32.const {argument} call $f))"#
        );
        uses(expected, &wat);
    }
    // Entry, `call`; ten times entry, `local.get`, `if`, and without the last `local.get`, constant, `sub`, `call`.
    uses(
        3 + 3 * 10 + 4 * 9,
        r#"(module
            (func $f (param i32) local.get 0 if local.get 0 i32.const 1 i32.sub call $f end)
            (func (export "run") i32.const 9 call $f))"#,
    );
    uses(
        // Entry, constant, `call_indirect`, entry.
        4,
        r#"(module (table funcref (elem $f)) (func $f)
            (func (export "run") i32.const 0 call_indirect))"#,
    );
}

#[test]
fn recognized_functions_pay_for_what_they_replace() {
    let multiply = r#"(func $m (param i32 i64 i64 i64 i64) (local i64)
        local.get 0
        local.get 4 local.get 1 i64.mul local.get 2 local.get 3 i64.mul i64.add
        local.get 3 i64.const 32 i64.shr_u local.tee 2 local.get 1 i64.const 32 i64.shr_u local.tee 4 i64.mul i64.add
        local.get 3 i64.const 0xffffffff i64.and local.tee 3 local.get 1 i64.const 0xffffffff i64.and local.tee 1 i64.mul
        local.tee 5 i64.const 32 i64.shr_u local.get 3 local.get 4 i64.mul i64.add local.tee 3
        i64.const 32 i64.shr_u i64.add
        local.get 3 i64.const 0xffffffff i64.and local.get 2 local.get 1 i64.mul i64.add local.tee 1
        i64.const 32 i64.shr_u i64.add
        i64.store offset=8
        local.get 0 local.get 1 i64.const 32 i64.shl local.get 5 i64.const 0xffffffff i64.and i64.or i64.store)"#;
    let wat = |call: &str| {
        format!(
            r#"(module (memory 1) {multiply} (func (export "run")
                i32.const 0 i64.const 3 i64.const 4 i64.const 5 i64.const 6 {call}))"#
        )
    };
    // Entry, five constants, `call`; entry, fifty-nine operators.
    uses(7 + 1 + 59, &wat("call $m"));
}

#[test]
fn operators_on_many() {
    let memory = |code: &str| format!(r#"(module (memory 1) (func (export "run") {code}))"#);
    // Entry, three constants, the operator, and what it works on.
    uses(
        5 + 100,
        &memory("i32.const 0 i32.const 0 i32.const 100 memory.fill"),
    );
    uses(
        5 + 60_000,
        &memory("i32.const 0 i32.const 0 i32.const 60000 memory.fill"),
    );
    uses(
        5 + 100,
        &memory("i32.const 0 i32.const 9 i32.const 100 memory.copy"),
    );
    uses(3, &memory("i32.const 3 memory.grow drop"));
    uses(3, &memory("i32.const -1 memory.grow drop"));
    let table = |code: &str| {
        format!(
            r#"(module (table $t 10 funcref) (elem $e func $f) (func $f) (func (export "run") {code}))"#
        )
    };
    uses(
        5 + 5,
        &table("i32.const 0 ref.null func i32.const 5 table.fill $t"),
    );
    uses(
        5 + 5,
        &table("i32.const 0 i32.const 2 i32.const 5 table.copy $t $t"),
    );
    uses(
        4 + 5,
        &table("ref.null func i32.const 5 table.grow $t drop"),
    );
    uses(
        5 + 1,
        &table("i32.const 0 i32.const 0 i32.const 1 table.init $t $e"),
    );
    let array = |code: &str| {
        format!(
            r#"(module (type $a (array (mut i8))) (data $d "abcdefgh") (func (export "run") {code}))"#
        )
    };
    uses(4 + 7, &array("i32.const 0 i32.const 7 array.new $a drop"));
    uses(3 + 7, &array("i32.const 7 array.new_default $a drop"));
    uses(
        5,
        &array("i32.const 1 i32.const 2 i32.const 3 array.new_fixed $a 3 drop"),
    );
    uses(
        4 + 7,
        &array("i32.const 0 i32.const 7 array.new_data $a $d drop"),
    );
}

#[test]
fn costs_can_be_chosen() -> Result<()> {
    let mut cost = OperatorCost::new();
    cost.End = 5;
    cost.Call = 100;
    cost.variable.memory_fill_per_byte = 3;
    cost.variable.memory_grow_per_page = 10;
    for (name, mut config) in configurations() {
        config.operator_cost(cost.clone());
        let used = |wat: &str| Ok::<_, Error>(10_000 - run(&config, 10_000, wat)?.left);
        let wat = r#"(module (func $f) (func (export "run") block end call $f))"#;
        assert_eq!(used(wat)?, 1 + 5 + 100 + (1 + 5) + 5, "{name}");
        // Not when a branch jumps over it.
        let wat = r#"(module (func (export "run") block br 0 end))"#;
        assert_eq!(used(wat)?, 1 + 1 + 5, "{name}");
        let wat = r#"(module (memory 1) (func (export "run") (local i32)
            i32.const 0 i32.const 0 i32.const 50 local.tee 0 memory.fill))"#;
        assert_eq!(used(wat)?, 1 + 5 + 150 + 5, "{name}");
        let wat = r#"(module (memory 1) (func (export "run") i32.const 7 memory.grow drop))"#;
        assert_eq!(used(wat)?, 1 + 2 + 70 + 5, "{name}");
    }
    Ok(())
}

#[test]
fn a_number_to_grow_by_is_no_way_to_more_fuel() {
    // As a signed number the operand is negative.
    let wat = r#"(module (memory i64 1) (func (export "run")
        i64.const 0x8000000000000000 memory.grow drop (loop br 0)))"#;
    for (name, mut config) in configurations() {
        let mut cost = OperatorCost::new();
        cost.variable.memory_grow_per_page = 255;
        config.operator_cost(cost);
        let run = run(&config, 1000, wat).expect("it compiles");
        assert_eq!(run.trap, Some(Trap::OutOfFuel), "{name}");
        assert_eq!(run.left, 0, "{name}");
    }
}

#[test]
fn nothing_is_left_when_it_runs_out() {
    // The entry's own cost must leave something.
    runs_out(1, 1, r#"(module (func (export "run")))"#);
    runs_out(3, 1, r#"(module (func $f) (func (export "run") call $f))"#);
    // What follows the last check is on credit.
    runs_out(
        1,
        0,
        r#"(module (func (export "run") i32.const 1 drop i32.const 1 drop))"#,
    );
    let forever = [
        r#"(module (func (export "run") (loop br 0)))"#,
        r#"(module (func $f (export "run") call $f))"#,
        r#"(module (func $f (export "run") return_call $f))"#,
        r#"(module (func $f) (func (export "run") (loop call $f br 0)))"#,
        r#"(module (func (export "run") (loop (loop (br 1)))))"#,
        r#"(module (tag $e) (func $f throw $e)
            (func (export "run") (loop (block (try_table (catch $e 0) (call $f))) br 0)))"#,
    ];
    for wat in forever {
        let expected = Run {
            trap: Some(Trap::OutOfFuel),
            left: 0,
            seen: Vec::new(),
        };
        check(5000, wat, &expected);
    }
}

#[test]
fn traps_leave_what_was_known_at_the_last_call_or_check() {
    let divide = "i32.const 1 i32.const 0 i32.div_s drop";
    // Nothing was known before.
    traps(
        Trap::IntegerDivisionByZero,
        1000,
        &format!(r#"(module (func (export "run") {divide}))"#),
    );
    // Whether or not the callee is compiled into its caller: entry, constant, `call`.
    traps(
        Trap::IntegerDivisionByZero,
        997,
        &format!(r#"(module (func $f {divide}) (func (export "run") i32.const 1 drop call $f))"#),
    );
    // Entry, `call`, entry, constant.
    traps(
        Trap::IntegerDivisionByZero,
        996,
        &format!(r#"(module (func $f i32.const 1 drop) (func (export "run") call $f {divide}))"#),
    );
    // Entry, constant.
    traps(
        Trap::UnreachableCodeReached,
        998,
        r#"(module (func (export "run") i32.const 1 drop unreachable))"#,
    );
}

#[test]
fn exceptions() {
    // Entry, `try_table`, `throw`.
    uses(
        3,
        r#"(module (tag $e) (func (export "run") block try_table (catch $e 0) throw $e end end))"#,
    );
    // Entry, `try_table`, `call`; entry, `throw`; the handler.
    uses(
        3 + 2 + 1,
        r#"(module (tag $e) (func $f throw $e)
            (func (export "run") block try_table (catch $e 0) call $f i32.const 1 drop end end
                i32.const 1 drop))"#,
    );
}

#[test]
fn host_functions_see_what_is_left_and_may_change_it() {
    let imports = r#"(import "" "look" (func $look)) (import "" "set" (func $set (param i64)))
        (import "" "again" (func $again)) (table funcref (elem $look))"#;
    let see = |fuel, wat: &str, left, seen: &[u64]| {
        let expected = Run {
            trap: None,
            left,
            seen: seen.to_vec(),
        };
        check(fuel, &format!("(module {imports} {wat})"), &expected);
    };
    see(
        100,
        r#"(func (export "run") call $look i32.const 1 drop call $look call $look)"#,
        95,
        &[98, 96, 95],
    );
    // In a loop: entry, constant, `local.set`; six a round, the first of which is the call.
    see(
        100,
        r#"(func (export "run") (local i32) i32.const 3 local.set 0
            loop call $look local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)"#,
        100 - 3 - 18,
        &[96, 90, 84],
    );
    // Through a table, and a function that is compiled into its caller.
    see(
        100,
        r#"(func $f i32.const 1 drop)
            (func (export "run") call $f i32.const 0 call_indirect call $f call $look)"#,
        100 - 1 - 3 - 2 - 3 - 1,
        &[94, 90],
    );
    see(
        100,
        r#"(func (export "run") call $look i64.const 50 call $set call $look i32.const 1 drop)"#,
        48,
        &[98, 49],
    );
    // A guest in a host function in a guest: `call`; entry, `call`; `call`.
    see(
        100,
        r#"(func (export "inner") call $look) (func (export "run") call $again call $look)"#,
        95,
        &[96, 95],
    );
    // The last of it may go into a call.
    see(2, r#"(func (export "run") call $look)"#, 0, &[0]);
    // A host function ends what the guest has, and the guest notices at the next check.
    let wat = format!(
        r#"(module {imports} (func (export "run") (loop (call $set (i64.const 0)) (br 0))))"#
    );
    let expected = Run {
        trap: Some(Trap::OutOfFuel),
        left: 0,
        seen: Vec::new(),
    };
    check(1_000_000, &wat, &expected);
}

#[test]
fn a_store_goes_on_after_it_ran_out() -> Result<()> {
    for (name, config) in configurations() {
        let engine = Engine::new(&config)?;
        let module = Module::new(
            &engine,
            r#"(module (func (export "forever") (loop br 0)) (func (export "once")))"#,
        )?;
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1);
        let instance = Instance::new(&mut store, &module, &[])?;
        let forever = instance.get_typed_func::<(), ()>(&mut store, "forever")?;
        let once = instance.get_typed_func::<(), ()>(&mut store, "once")?;
        // A new store has none.
        for _ in 0..3 {
            let error = once.call(&mut store, ()).unwrap_err();
            assert_eq!(
                error.downcast_ref::<Trap>(),
                Some(&Trap::OutOfFuel),
                "{name}"
            );
            store.set_fuel(100)?;
            let error = forever.call(&mut store, ()).unwrap_err();
            assert_eq!(
                error.downcast_ref::<Trap>(),
                Some(&Trap::OutOfFuel),
                "{name}"
            );
            assert_eq!(store.get_fuel()?, 0, "{name}");
        }
        store.set_fuel(u64::MAX)?;
        assert_eq!(store.get_fuel()?, u64::MAX);
        once.call(&mut store, ())?;
        assert_eq!(store.get_fuel()?, u64::MAX - 1);
        store.set_fuel(i64::MAX as u64 + 1)?;
        assert_eq!(store.get_fuel()?, i64::MAX as u64 + 1);
    }
    Ok(())
}

#[test]
fn without_counting_there_is_no_fuel() -> Result<()> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let message = "fuel is not configured in this store";
    assert_eq!(store.set_fuel(1).unwrap_err().to_string(), message);
    assert_eq!(store.get_fuel().unwrap_err().to_string(), message);
    let error = store.fuel_async_yield_interval(None).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert!(!engine.get_consume_fuel());

    let engine = Engine::new(Config::new().consume_fuel(true))?;
    assert!(engine.get_consume_fuel());
    let mut store = Store::new(&engine, ());
    store.fuel_async_yield_interval(None)?;
    let error = store.fuel_async_yield_interval(Some(0)).unwrap_err();
    assert_eq!(error.to_string(), "fuel_async_yield_interval must not be 0");
    let error = store.fuel_async_yield_interval(Some(5)).unwrap_err();
    assert!(error.to_string().contains("asynchronous"), "{error}");
    Ok(())
}

#[test]
fn compiled_modules_remember_what_operators_cost() -> Result<()> {
    let engine =
        |cost: OperatorCost| Engine::new(Config::new().consume_fuel(true).operator_cost(cost));
    let mut other = OperatorCost::new();
    other.I32Add = 9;
    let bytes = engine(other.clone())?.precompile_module(b"(module)")?;
    // SAFETY: made just now.
    #[allow(unsafe_code)]
    let load = |engine: &Engine| unsafe { Module::deserialize(engine, &bytes) };
    load(&engine(other.clone())?)?;
    let error = load(&engine(OperatorCost::new())?).unwrap_err();
    assert!(format!("{error:?}").contains("operator_cost"), "{error:?}");
    // Without counting they do not matter.
    let plain = Engine::default().precompile_module(b"(module)")?;
    let engine = Engine::new(Config::new().operator_cost(other))?;
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        Module::deserialize(&engine, &plain)?;
    }
    Ok(())
}
