//! Code that is made while the program runs: results, traps and backtraces are those of any other, whatever tier a function is in.

use meantime::*;

fn engine(budget: u32, waits: bool) -> Engine {
    let mut config = Config::new();
    config.tier_up_budget(budget).tier_up_waits(waits);
    Engine::new(&config).unwrap()
}

/// With every function and loop optimized as soon as it asks, with what is usual, and with nothing optimized.
fn engines() -> [Engine; 3] {
    [
        engine(0, true),
        engine(1000, false),
        engine(u32::MAX, false),
    ]
}

fn run<P: WasmParams, R: WasmResults>(
    engine: &Engine,
    wat: &str,
    name: &str,
    params: P,
) -> Result<R> {
    let module = Module::new(engine, wat)?;
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let func = instance.get_typed_func::<P, R>(&mut store, name)?;
    func.call(&mut store, params)
}

#[test]
fn functions_call_each_other() {
    let wat = r#"(module
        (func $fib (export "fib") (param i32) (result i32)
            (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
                (then (local.get 0))
                (else (i32.add
                    (call $fib (i32.sub (local.get 0) (i32.const 1)))
                    (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#;
    for engine in engines() {
        assert_eq!(run::<_, i32>(&engine, wat, "fib", 20).unwrap(), 6765);
    }
}

#[test]
fn a_loop_continues_in_better_code() {
    // Values below the loop, parameters of the loop, locals of every type, and a loop in a loop.
    let wat = r#"(module
        (memory 1)
        (func (export "run") (param $n i32) (param $x f64) (result i64)
            (local $i i32) (local $sum i64) (local $f f32) (local $v v128)
            (local.set $v (v128.const i64x2 3 4))
            (i64.const 1000)
            (i32.const 5)
            (f64.const 0.5)
            (loop $outer (param f64)
                (local.set $x (f64.add (local.get $x)))
                (local.set $i (i32.const 0))
                (loop $inner
                    (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
                    (local.set $f (f32.add (local.get $f) (f32.const 1)))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $inner (i32.lt_u (local.get $i) (i32.const 100))))
                (local.set $v (i64x2.add (local.get $v) (v128.const i64x2 1 1)))
                (f64.const 0.25)
                (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1))))
                (drop))
            (i64.extend_i32_u)
            (i64.add)
            (i64.add (local.get $sum))
            (i64.add (i64.trunc_f64_s (local.get $x)))
            (i64.add (i64.trunc_f32_s (local.get $f)))
            (i64.add (i64x2.extract_lane 1 (local.get $v)))))"#;
    let n = 2000;
    let expected =
        1000 + 5 + 4950 * n + (0.5 + 0.25 * (n - 1) as f64 + 1.0) as i64 + 100 * n + 4 + n;
    for engine in engines() {
        let result: i64 = run(&engine, wat, "run", (n as i32, 1.0)).unwrap();
        assert_eq!(result, expected);
    }
}

#[test]
fn a_loop_of_a_function_that_calls_itself_continues_in_better_code() {
    // The function has its last code when its first frame leaves for code that starts at the loop, and from there it is called from its start.
    let wat = r#"(module
        (func $f (export "run") (param $n i32) (param $turns i32) (result i32) (local $x i32)
            (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
            (loop $again
                (local.set $x (i32.add (local.get $x)
                    (call $f (i32.sub (local.get $n) (i32.const 1)) (i32.const 3))))
                (br_if $again (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
            (local.get $x)))"#;
    for engine in engines() {
        let result: i32 = run(&engine, wat, "run", (5, 1000)).unwrap();
        assert_eq!(result, 81_000);
    }
}

/// Loops in loops, in a function that is called once, with values below them and many locals.
const NESTED: &str = r#"(module
    (memory 1)
    (func (export "run") (param $n i32) (param $x f64) (result i64)
        (local $i i32) (local $sum i64) (local $f f32)
        (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i64)
        (i64.const 1000)
        (i32.const 5)
        (f64.const 0.5)
        (loop $outer (param f64)
            (local.set $x (f64.add (local.get $x)))
            (local.set $i (i32.const 0))
            (loop $inner
                (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
                (local.set $f (f32.add (local.get $f) (f32.const 1)))
                (local.set $a (i32.add (local.get $a) (i32.const 1)))
                (local.set $b (i32.add (local.get $b) (local.get $a)))
                (local.set $c (i32.xor (local.get $b) (local.get $c)))
                (local.set $d (i32.add (local.get $d) (i32.const 3)))
                (local.set $e (i64.add (local.get $e) (i64.const 7)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $inner (i32.lt_u (local.get $i) (i32.const 100))))
            (i32.store (i32.const 8) (local.get $c))
            (f64.const 0.25)
            (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1))))
            (drop))
        (i64.extend_i32_u)
        (i64.add)
        (i64.add (local.get $sum))
        (i64.add (i64.trunc_f64_s (local.get $x)))
        (i64.add (i64.trunc_f32_s (local.get $f)))
        (i64.add (i64.extend_i32_u (local.get $d)))
        (i64.add (local.get $e))
        (i64.xor (i64.extend_i32_u (i32.load (i32.const 8))))))"#;

#[test]
fn a_loop_of_the_first_tier_continues_in_the_second() {
    let run = |config: &Config| {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, NESTED).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_typed_func::<(i32, f64), i64>(&mut store, "run");
        let result = run.unwrap().call(&mut store, (2000, 1.0)).unwrap();
        let tiers: Vec<Tier> = module.compilations().iter().map(|c| c.tier).collect();
        (result, tiers)
    };
    let (expected, none) = run(Config::new().strategy(Strategy::Cranelift));
    assert!(none.is_empty());
    let mut config = Config::new();
    for (budget, waits) in [(0, true), (100, true), (1000, false), (30_000, false)] {
        config.tier_up_budget(budget).tier_up_waits(waits);
        let (result, tiers) = run(&config);
        assert_eq!(result, expected);
        assert_eq!(tiers[0], Tier::Baseline);
        if waits {
            assert!(
                tiers.iter().any(|t| matches!(t, Tier::Loop(_))),
                "{tiers:?}"
            );
        }
    }
    config.tier_up_budget(u32::MAX);
    assert_eq!(run(&config), (expected, vec![Tier::Baseline]));
}

#[test]
fn traps_and_backtraces_are_the_same() {
    let wat = r#"(module
        (func $inner (param i32) (result i32)
            (i32.div_u (i32.const 10) (local.get 0)))
        (func $outer (export "run") (param $n i32)
            (loop $again
                (drop (call $inner (local.get $n)))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br $again))))"#;
    for engine in engines() {
        let error = run::<_, ()>(&engine, wat, "run", 3000).unwrap_err();
        assert_eq!(
            error.downcast_ref::<Trap>(),
            Some(&Trap::IntegerDivisionByZero)
        );
        let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
        let names: Vec<_> = backtrace.frames().iter().map(|f| f.func_name()).collect();
        assert_eq!(names, [Some("inner"), Some("outer")]);
    }
}

#[test]
fn references_to_functions_stay_good() {
    let wat = r#"(module
        (type $op (func (param i32) (result i32)))
        (table 2 funcref)
        (elem (i32.const 0) $double $next)
        (func $double (type $op) (i32.mul (local.get 0) (i32.const 2)))
        (func $next (type $op) (i32.add (local.get 0) (i32.const 1)))
        (func (export "run") (param $n i32) (result i32) (local $x i32)
            (loop $again
                (local.set $x (call_indirect (type $op) (local.get $x)
                    (i32.and (local.get $n) (i32.const 1))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $x)))"#;
    let mut x = 0i32;
    for n in (1..=5001).rev() {
        x = if n & 1 == 1 { x + 1 } else { x.wrapping_mul(2) };
    }
    for engine in engines() {
        assert_eq!(run::<_, i32>(&engine, wat, "run", 5001).unwrap(), x);
    }
}

#[test]
fn many_results_are_returned_from_any_tier() {
    let results = "i64 ".repeat(10);
    let gets = "(local.get 0) ".repeat(10);
    let adds = "(i64.add) ".repeat(9);
    let wat = format!(
        r#"(module
            (type $many (func (param i64) (result {results})))
            (table 1 funcref)
            (elem (i32.const 0) $many)
            (func $many (type $many) {gets})
            (func (export "run") (param $n i64) (result i64) (local $sum i64)
                (loop $again
                    (call $many (local.get $n)) {adds}
                    (call_indirect (type $many) (local.get $n) (i32.const 0)) {adds}
                    (local.set $sum (i64.add (i64.add (local.get $sum))))
                    (local.set $n (i64.sub (local.get $n) (i64.const 1)))
                    (br_if $again (i64.ne (local.get $n) (i64.const 0))))
                (local.get $sum)))"#
    );
    for engine in engines() {
        let result: i64 = run(&engine, &wat, "run", 1000i64).unwrap();
        assert_eq!(result, 20 * 500_500);
    }
}

#[test]
fn a_module_is_serialized_as_if_compiled_ahead() {
    let wat = r#"(module (func (export "run") (result i32) i32.const 7))"#;
    let engine = engine(0, true);
    let bytes = Module::new(&engine, wat).unwrap().serialize().unwrap();
    // SAFETY: made just now by this library.
    #[allow(unsafe_code)]
    let module = unsafe { Module::deserialize(&engine, &bytes) }.unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance
        .get_typed_func::<(), i32>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 7);
}

#[test]
fn engines_end_while_their_threads_compile() {
    let wat = r#"(module
        (func (export "run") (param $n i32) (result i32)
            (loop $again
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $n)))"#;
    for _ in 0..200 {
        let engine = engine(10, false);
        assert_eq!(run::<_, i32>(&engine, wat, "run", 300).unwrap(), 0);
    }
}

#[test]
fn many_threads_call_for_the_first_time() {
    let functions: String = (0..64)
        .map(|i| format!("(func (export \"f{i}\") (param i32) (result i32) (i32.add (local.get 0) (i32.const {i})))"))
        .collect();
    let wat = format!("(module {functions})");
    for _ in 0..20 {
        let engine = engine(0, false);
        let module = Module::new(&engine, &wat).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut store = Store::new(&engine, ());
                    let instance = Instance::new(&mut store, &module, &[]).unwrap();
                    for i in 0..64 {
                        let name = format!("f{i}");
                        let func = instance
                            .get_typed_func::<i32, i32>(&mut store, &name)
                            .unwrap();
                        assert_eq!(func.call(&mut store, 1).unwrap(), i + 1);
                    }
                });
            }
        });
        engine.wait_for_tier_up();
    }
}

#[test]
fn what_is_mostly_called_is_called_with_its_own_context() {
    // Both instances put their own function, of the same index, into the table that they share.
    let wat = r#"(module
        (type $op (func (param i32) (result i32)))
        (import "" "table" (table 2 funcref))
        (global $own (export "own") (mut i32) (i32.const 0))
        (func $add (type $op) (i32.add (local.get 0) (global.get $own)))
        (elem declare func $add)
        (func (export "fill") (param i32)
            (table.set (local.get 0) (ref.func $add)))
        (func (export "run") (param $n i32) (param $change i32) (result i32) (local $x i32)
            (loop $again
                (local.set $x (call_indirect (type $op) (local.get $x)
                    (i32.lt_u (local.get $n) (local.get $change))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $x)))"#;
    for engine in engines() {
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        let ty = TableType::new(RefType::FUNCREF, 2, None);
        let table = Table::new(&mut store, ty, Ref::Func(None)).unwrap();
        let mut instances = Vec::new();
        for (i, own) in [1, 1000].into_iter().enumerate() {
            let instance = Instance::new(&mut store, &module, &[table.into()]).unwrap();
            let global = instance.get_global(&mut store, "own").unwrap();
            global.set(&mut store, Val::I32(own)).unwrap();
            let fill = instance
                .get_typed_func::<i32, ()>(&mut store, "fill")
                .unwrap();
            fill.call(&mut store, i as i32).unwrap();
            instances.push(instance);
        }
        // Element 0, of the first instance, is called nearly always; element 1, of the other, for the last rounds.
        let run = instances[0]
            .get_typed_func::<(i32, i32), i32>(&mut store, "run")
            .unwrap();
        for _ in 0..3 {
            let result = run.call(&mut store, (5000, 11)).unwrap();
            assert_eq!(result, 4990 + 10 * 1000);
            engine.wait_for_tier_up();
        }
        let run = instances[1]
            .get_typed_func::<(i32, i32), i32>(&mut store, "run")
            .unwrap();
        assert_eq!(run.call(&mut store, (100, 11)).unwrap(), 90 + 10 * 1000);
    }
}

/// Small functions that take turns in one call, and elements that are something else: large, trapping, null, of another type.
const TURNS: &str = r#"(module
    (type $op (func (param i32) (result i32)))
    (table funcref (elem $add $times $xor $large $divide $null $other))
    (func $add (type $op) (i32.add (local.get 0) (i32.const 1)))
    (func $times (type $op) (i32.mul (local.get 0) (i32.const 3)))
    (func $xor (type $op) (i32.xor (local.get 0) (i32.const 5)))
    (func $large (type $op)
        (loop $again (br_if $again (i32.lt_s (local.tee 0 (i32.add (local.get 0) (i32.const 64))) (i32.const 0))))
        (local.get 0))
    (func $divide (type $op) (i32.div_u (local.get 0) (i32.const 0)))
    (func $null (type $op) (unreachable))
    (func $other (param i64))
    (func (export "clear") (table.set (i32.const 5) (ref.null func)))
    (func $run (export "run") (param $n i32) (param $last i32) (result i32) (local $x i32)
        (loop $again
            (local.set $x (call_indirect (type $op) (local.get $x)
                (select
                    (i32.rem_u (local.get $n) (i32.const 3))
                    (local.get $last)
                    (i32.gt_u (local.get $n) (i32.const 1)))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $x)))"#;

/// What it should return.
fn turns(n: i32, last: i32) -> i32 {
    (1..=n)
        .rev()
        .fold(0, |x: i32, n| match if n > 1 { n % 3 } else { last } {
            0 => x.wrapping_add(1),
            1 => x.wrapping_mul(3),
            2 => x ^ 5,
            _ => (1..)
                .map(|i| x.wrapping_add(64 * i))
                .find(|x| *x >= 0)
                .expect("it ends"),
        })
}

#[test]
fn functions_that_take_turns_are_all_expected() {
    for (i, engine) in engines().into_iter().enumerate() {
        let module = Module::new(&engine, TURNS).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance
            .get_typed_func::<(i32, i32), i32>(&mut store, "run")
            .unwrap();
        let clear = instance
            .get_typed_func::<(), ()>(&mut store, "clear")
            .unwrap();
        clear.call(&mut store, ()).unwrap();
        for n in [1, 40, 3000, 3001] {
            for last in 0..4 {
                let result = run.call(&mut store, (n, last)).unwrap();
                assert_eq!(result, turns(n, last), "{n} {last}");
                engine.wait_for_tier_up();
            }
            let traps = [
                (4, Trap::IntegerDivisionByZero, &["divide", "run"][..]),
                (5, Trap::IndirectCallToNull, &["run"]),
                (6, Trap::BadSignature, &["run"]),
                (7, Trap::TableOutOfBounds, &["run"]),
            ];
            for (last, trap, names) in traps {
                let error = run.call(&mut store, (n, last)).unwrap_err();
                assert_eq!(error.downcast_ref::<Trap>(), Some(&trap), "{n}");
                let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
                let called: Vec<_> = frames.iter().filter_map(FrameInfo::func_name).collect();
                assert_eq!(called, names, "{n}");
            }
        }
        if i == 0 {
            // Code of the first tier, which sees calls, never ran.
            continue;
        }
        let profile = module.profile().unwrap().to_text();
        let call = profile.lines().find(|line| line.starts_with("call "));
        let words: Vec<u64> = call
            .expect("a call was seen")
            .split(' ')
            .skip(1)
            .map(|word| word.parse().unwrap())
            .collect();
        // Offset, calls, and four callees each with a count: the small ones have nearly all.
        assert!(words.len() >= 8, "{profile}");
        let mut most = [words[2], words[4], words[6]];
        most.sort_unstable();
        assert_eq!(most, [0, 1, 2], "{profile}");
        let counts = words[3] + words[5] + words[7];
        assert!(counts * 10 >= words[1] * 9, "{profile}");
    }
}

/// A function with a body of many additions, which is called often and has a loop.
fn long_function(additions: usize) -> String {
    let additions = "(i32.add (i32.const 1))".repeat(additions);
    format!(
        r#"(module
            (func $long (export "long") (param $n i32) (result i32) (local $x i32)
                (loop $again
                    (local.set $x (i32.add (local.get $x) (i32.const 1)))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $x)
                {additions}))"#
    )
}

fn tiers_of(config: &Config, wat: &str, calls: u32, param: i32, result: i32) -> Vec<Tier> {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let long = instance
        .get_typed_func::<i32, i32>(&mut store, "long")
        .unwrap();
    for _ in 0..calls {
        assert_eq!(long.call(&mut store, param).unwrap(), result);
    }
    module.compilations().iter().map(|c| c.tier).collect()
}

#[test]
fn a_function_that_is_too_long_stays_in_the_first_tier() {
    // Three bytes each: more than half a mebibyte.
    let long = 180_000;
    let wat = long_function(long);
    let mut config = Config::new();
    config.tier_up_budget(0).tier_up_waits(true);
    let result = 5000 + long as i32;
    let tiers = tiers_of(&config, &wat, 3, 5000, result);
    assert_eq!(tiers, [Tier::Baseline]);
    // One that is just not too long is optimized both ways.
    let tiers = tiers_of(&config, &long_function(1000), 3, 5000, 6000);
    assert!(tiers.contains(&Tier::Optimized), "{tiers:?}");
    assert!(
        tiers.iter().any(|t| matches!(t, Tier::Loop(_))),
        "{tiers:?}"
    );
}

#[test]
fn what_becomes_too_large_on_the_way_stays_in_the_first_tier() {
    // Each of these bytes is many instructions.
    let tests = "(ref.test (ref $sub) (local.get $any)) (i32.add)".repeat(60_000);
    let wat = format!(
        r#"(module
            (type $super (sub (struct)))
            (type $sub (sub $super (struct (field i32))))
            (func $long (export "long") (param $n i32) (result i32) (local $any anyref)
                (loop $again
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (local.get $n)
                (drop (br_if 0 (i32.const 0) (i32.const 1)))
                {tests}))"#
    );
    let mut config = Config::new();
    config.tier_up_budget(0).tier_up_waits(true).wasm_gc(true);
    config.wasm_function_references(true);
    let tiers = tiers_of(&config, &wat, 2, 5000, 0);
    assert_eq!(tiers, [Tier::Baseline]);
}

#[test]
fn a_function_that_is_entered_again_and_again_needs_no_code_for_its_loops() {
    let wat = r#"(module
        (func $short (param $n i32) (result i32) (local $x i32)
            (loop $again
                (local.set $x (i32.add (local.get $x) (local.get $n)))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $x))
        (func (export "long") (param $n i32) (result i32) (local $x i32)
            (local.set $x (call $short (i32.const 3)))
            (local.set $x (call $short (i32.const 4)))
            (call $short (local.get $n))))"#;
    let engine = engine(2000, false);
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let long = instance
        .get_typed_func::<i32, i32>(&mut store, "long")
        .unwrap();
    for _ in 0..20_000 {
        assert_eq!(long.call(&mut store, 7).unwrap(), 28);
    }
    engine.wait_for_tier_up();
    let compilations = module.compilations();
    let of = |function| compilations.iter().filter(move |c| c.function == function);
    assert!(of(0).any(|c| c.tier == Tier::Optimized));
    assert!(of(0).all(|c| !matches!(c.tier, Tier::Loop(_))));
}

#[test]
fn an_engine_ends_while_a_large_function_is_being_optimized() {
    // Optimizing it takes a good part of a second at least where tests run.
    let wat = long_function(100_000);
    let mut config = Config::new();
    config.tier_up_budget(0);
    let began = std::time::Instant::now();
    let tiers = tiers_of(&config, &wat, 3, 10, 10 + 100_000);
    let ran = began.elapsed();
    // Nobody waited for it, neither the guest nor who dropped the engine.
    assert_eq!(tiers, [Tier::Baseline], "within {ran:?}");
}
