//! Functions that another core compiles before they are called: only what an earlier process called, once each, and whatever happens in between.

use meantime::*;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many functions there are that `run` calls.
const CALLED: usize = 50;

/// A body that adds a number to its parameter, and is so many steps long.
fn long(number: usize, steps: usize) -> String {
    let step = "(local.set 0 (i32.add (local.get 0) (i32.xor (i32.load (i32.const 0)) (i32.load (i32.const 8)))))";
    let skipped = step.repeat(steps);
    format!(
        "(block (br_if 0 (i32.ge_s (local.get 0) (i32.const 0))) {skipped})
         (i32.add (local.get 0) (i32.const {number}))"
    )
}

/// Functions that are called: some certainly, others behind a condition; those come in pairs of which only the first is called. Before them, the
/// host is called. A large one is called at the end. Another function becomes hot, and so has everything kept.
fn module() -> String {
    let mut wat = r#"(module (import "" "wait" (func $wait)) (memory 1)"#.to_owned();
    // It takes more than a millisecond to compile.
    let body = long(1, 30_000);
    let _ = write!(wat, "(func $warm (param i32) (result i32) {body})");
    for number in 0..CALLED {
        let body = long(number, 50);
        let _ = write!(wat, "(func $f{number} (param i32) (result i32) {body})");
        let _ = write!(wat, "(func $g{number} (param i32) (result i32) {body})");
        let _ = write!(wat, "(func $never{number} (param i32) (result i32) {body})");
    }
    wat.push_str(
        r#"(func $more (param i32) (result i32) (call $warm (local.get 0)))
        (func (export "hot") (param i32)
            (loop $again
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (param i32) (result i32)
            (drop (call $more (i32.const 0)))
            (call $late (call $all (local.get 0))))
        (func $all (param i32) (result i32) (local $x i32) (call $wait)"#,
    );
    for number in 0..CALLED {
        let _ = write!(wat, "(local.set $x (call $f{number} (local.get $x)))");
    }
    for number in 0..CALLED {
        let _ = write!(
            wat,
            "(if (local.get 0)
                (then (local.set $x (call $g{number} (local.get $x))))
                (else (local.set $x (call $never{number} (local.get $x)))))"
        );
    }
    let body = long(0, 6000);
    let _ = write!(
        wat,
        "(local.get $x)) (func $late (param i32) (result i32) {body}))"
    );
    wat
}

const RESULT: i32 = (CALLED * (CALLED - 1)) as i32;

fn config(directory: &Path) -> Config {
    let mut cache = CacheConfig::new();
    cache.with_directory(directory);
    let mut config = Config::new();
    config.cache(Some(Cache::new(cache).unwrap()));
    config
}

/// A cache that knows of a process which called what is called.
fn known() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::new(&config(directory.path())).unwrap();
    let module = Module::new(&engine, module()).unwrap();
    assert_eq!(run(&engine, &module, 0), RESULT);
    assert_eq!(ahead(&module).len(), 0);
    let mut store = Store::new(&engine, ());
    let wait = Func::wrap(&mut store, || {});
    let instance = Instance::new(&mut store, &module, &[wait.into()]).unwrap();
    let hot = instance
        .get_typed_func::<i32, ()>(&mut store, "hot")
        .unwrap();
    let optimized = |c: &Compilation| c.tier == Tier::Optimized;
    while !module.compilations().iter().any(optimized) {
        hot.call(&mut store, 100_000).unwrap();
    }
    directory
}

fn ahead(module: &Module) -> Vec<Compilation> {
    let mut all = module.compilations();
    all.retain(|c| c.tier == Tier::Ahead);
    all
}

/// Runs it once; while the host is called, so many functions are compiled ahead.
fn run(engine: &Engine, module: &Module, expected: usize) -> i32 {
    let mut store = Store::new(engine, module.clone());
    let wait = Func::wrap(&mut store, move |caller: Caller<'_, Module>| {
        let began = Instant::now();
        while ahead(caller.data()).len() < expected && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let all = ahead(caller.data());
        assert_eq!(all.len(), expected);
        assert!(all.iter().all(|c| !c.called));
    });
    let instance = Instance::new(&mut store, module, &[wait.into()]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run");
    run.unwrap().call(&mut store, 1).unwrap()
}

#[test]
fn what_an_earlier_process_called_is_compiled_ahead() {
    let cache = known();
    let engine = Engine::new(&config(cache.path())).unwrap();
    let module = Module::new(&engine, module()).unwrap();
    let spare = std::thread::available_parallelism().is_ok_and(|n| n.get() > 1);
    let expected = if spare { 2 * CALLED } else { 0 };
    assert_eq!(run(&engine, &module, expected), RESULT);
    let all = ahead(&module);
    let is_called = |c: &Compilation| !c.name.as_ref().unwrap().starts_with("never");
    assert!(all.iter().all(|c| c.called && is_called(c)), "{all:?}");
}

#[test]
fn nothing_is_compiled_ahead_where_nobody_may() {
    let cache = known();
    let mut one = config(cache.path());
    one.parallel_compilation(false);
    let mut waits = config(cache.path());
    waits.tier_up_waits(true);
    for config in [one, waits] {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, module()).unwrap();
        assert_eq!(run(&engine, &module, 0), RESULT);
        engine.wait_for_tier_up();
        assert_eq!(ahead(&module).len(), 0);
    }
}

#[test]
fn threads_that_race_for_a_function_get_one() {
    let cache = known();
    for _ in 0..5 {
        let engine = Engine::new(&config(cache.path())).unwrap();
        let module = Module::new(&engine, module()).unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (engine, module) = (engine.clone(), module.clone());
                std::thread::spawn(move || run_at_once(&engine, &module))
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), RESULT);
        }
        engine.wait_for_tier_up();
        let first = |c: &&Compilation| matches!(c.tier, Tier::Baseline | Tier::Ahead);
        let all = module.compilations();
        let mut functions: Vec<u32> = all.iter().filter(first).map(|c| c.function).collect();
        let published = functions.len();
        functions.sort_unstable();
        functions.dedup();
        assert_eq!(functions.len(), published);
        assert_eq!(functions.len(), 2 * CALLED + 5);
    }
}

fn run_at_once(engine: &Engine, module: &Module) -> i32 {
    let mut store = Store::new(engine, ());
    let wait = Func::wrap(&mut store, || {});
    let instance = Instance::new(&mut store, module, &[wait.into()]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run");
    run.unwrap().call(&mut store, 1).unwrap()
}

#[test]
fn a_module_ends_while_its_functions_are_compiled() {
    let (cache, wat) = (known(), module());
    let leave = |mut caller: Caller<'_, u32>| -> Result<()> {
        *caller.data_mut() += 1;
        bail!("enough")
    };
    for _ in 0..10 {
        let engine = Engine::new(&config(cache.path())).unwrap();
        let module = Module::new(&engine, &wat).unwrap();
        let mut store = Store::new(&engine, 0);
        let wait = Func::wrap(&mut store, leave);
        let instance = Instance::new(&mut store, &module, &[wait.into()]).unwrap();
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run");
        assert!(run.unwrap().call(&mut store, 1).is_err());
        assert_eq!(*store.data(), 1);
    }
}
