//! What is kept on disk for the next process, and profiles: each engine here stands for a process.

use meantime::*;
use std::path::{Path, PathBuf};

const WAT: &str = r#"(module
    (type $op (func (param i32) (result i32)))
    (table 2 funcref)
    (elem (i32.const 0) $next $double)
    (func $next (type $op) (i32.add (local.get 0) (i32.const 1)))
    (func $double (type $op) (i32.mul (local.get 0) (i32.const 2)))
    (func $far (param i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const -1)) (then (return (call $never (local.get 0)))))
        (call_indirect (type $op) (local.get 0) (i32.const 0)))
    (func $never (param i32) (result i32)
        (loop $again (br_if $again (local.tee 0 (i32.shr_u (local.get 0) (i32.const 1)))))
        (i32.const 5))
    (func (export "run") (param $n i32) (result i32) (local $x i32)
        (loop $again
            (local.set $x (call $far (local.get $x)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $x)))"#;

fn cache(directory: &Path) -> Cache {
    let mut config = CacheConfig::new();
    config.with_directory(directory);
    Cache::new(config).unwrap()
}

fn config(cache: &Cache, strategy: Strategy) -> Config {
    let mut config = Config::new();
    config
        .tier_up_budget(1000)
        .strategy(strategy)
        .cache(Some(cache.clone()));
    config
}

fn run(config: &Config, turns: i32) -> Vec<Tier> {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, WAT).unwrap();
    let before = module.compilations().iter().map(|c| c.tier).collect();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance
        .get_typed_func::<i32, i32>(&mut store, "run")
        .unwrap();
    for _ in 0..3 {
        assert_eq!(run.call(&mut store, turns).unwrap(), turns);
        engine.wait_for_tier_up();
    }
    before
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(directory).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|p| p.extension().is_some()).collect();
    paths.sort();
    paths
}

#[test]
fn hot_functions_are_optimized_from_the_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let cache = cache(directory.path());
    let config = config(&cache, Strategy::Auto);
    assert_eq!(run(&config, 100_000), []);
    assert_eq!((cache.cache_hits(), cache.cache_misses()), (0, 1));
    assert_eq!(files(directory.path()).len(), 1);
    let before = run(&config, 100_000);
    assert!(!before.is_empty());
    assert!(before.iter().all(|t| *t == Tier::Optimized), "{before:?}");
    assert_eq!((cache.cache_hits(), cache.cache_misses()), (1, 1));
}

#[test]
fn what_one_engine_accepts_another_may_refuse() {
    const VECTOR: &str = r#"(module (func (drop (v128.const i64x2 0 0))))"#;
    for strategy in [Strategy::Auto, Strategy::Cranelift, Strategy::Winch] {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path());
        let mut config = config(&cache, strategy);
        let new = |config: &Config| Module::new(&Engine::new(config).unwrap(), VECTOR);
        assert!(new(&config).is_ok());
        config.wasm_relaxed_simd(false).wasm_simd(false);
        assert!(new(&config).is_err(), "{strategy:?}");
    }
}

#[test]
fn what_is_damaged_is_compiled_again() {
    for strategy in [Strategy::Auto, Strategy::Cranelift, Strategy::Winch] {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path());
        let config = config(&cache, strategy);
        run(&config, 100_000);
        let [path] = &files(directory.path())[..] else {
            panic!("one module has one file");
        };
        let bytes = std::fs::read(path).unwrap();
        let damage: [fn(&mut Vec<u8>); 5] = [
            |b| b.clear(),
            |b| b.truncate(b.len() / 2),
            |b| b.push(0),
            |b| b[40] ^= 1,
            |b| *b.last_mut().unwrap() ^= 1,
        ];
        for (i, damage) in damage.iter().enumerate() {
            let mut damaged = bytes.clone();
            damage(&mut damaged);
            // As another process would: what is mapped does not change.
            let new = directory.path().join("x");
            std::fs::write(&new, damaged).unwrap();
            std::fs::rename(&new, path).unwrap();
            assert_eq!(run(&config, 100_000), [], "{strategy:?}");
            assert_eq!((cache.cache_hits(), cache.cache_misses()), (i, 2 + i));
            // It is there again.
            run(&config, 100_000);
            assert_eq!(cache.cache_hits(), i + 1);
        }
    }
}

#[test]
fn other_options_are_other_modules() {
    let directory = tempfile::tempdir().unwrap();
    let cache = cache(directory.path());
    let mut config = config(&cache, Strategy::Cranelift);
    run(&config, 10);
    run(config.cranelift_opt_level(OptLevel::None), 10);
    run(config.consume_fuel(false).epoch_interruption(false), 10);
    assert_eq!((cache.cache_hits(), cache.cache_misses()), (1, 2));
    run(config.strategy(Strategy::Winch), 10);
    assert_eq!((cache.cache_hits(), cache.cache_misses()), (1, 3));
    // A module that is invalid is so each time.
    let engine = Engine::new(&config).unwrap();
    for _ in 0..2 {
        assert!(Module::new(&engine, "(module (func (result i32)))").is_err());
    }
}

#[test]
fn many_use_one_cache_at_once() {
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for i in 0..4 {
            let strategy = [Strategy::Auto, Strategy::Cranelift][i % 2];
            let path = directory.path();
            scope.spawn(move || {
                for _ in 0..10 {
                    let mut settings = CacheConfig::new();
                    settings
                        .with_directory(path)
                        .with_file_count_soft_limit(1)
                        .with_cleanup_interval(std::time::Duration::ZERO);
                    let cache = Cache::new(settings).unwrap();
                    run(&config(&cache, strategy), 20_000);
                }
            });
        }
    });
    // None is left half written.
    assert!(files(directory.path()).len() <= 2);
}

#[test]
fn a_profile_is_used_by_the_compiler_ahead() {
    let engine = Engine::new(Config::new().tier_up_budget(1000)).unwrap();
    let module = Module::new(&engine, WAT).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance
        .get_typed_func::<i32, i32>(&mut store, "run")
        .unwrap();
    run.call(&mut store, 100_000).unwrap();
    let profile = module.profile().unwrap();
    let text = profile.to_text();
    let has = |start: &str| text.lines().any(|line| line.starts_with(start));
    // Functions 1 and 3 were never called.
    assert!(
        has("func 0 ") && has("func 2 ") && has("func 4 ") && has("call "),
        "{text}"
    );
    assert!(!has("func 1 ") && !has("func 3 "), "{text}");

    let ahead = Engine::new(Config::new().strategy(Strategy::Cranelift)).unwrap();
    let plain = ahead.precompile_module(WAT.as_bytes()).unwrap();
    let profiled = ahead
        .precompile_module_with_profile(WAT.as_bytes(), &profile)
        .unwrap();
    assert_ne!(plain, profiled);
    // SAFETY: made just now by this library.
    #[allow(unsafe_code)]
    let module = unsafe { Module::deserialize(&ahead, &profiled) }.unwrap();
    assert!(module.profile().is_none());
    let mut store = Store::new(&ahead, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance
        .get_typed_func::<i32, i32>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, 1000).unwrap(), 1000);

    let error = ahead
        .precompile_module_with_profile(b"(module)", &profile)
        .unwrap_err();
    assert!(error.to_string().contains("another module"), "{error}");
}
