//! A host program that measures what embedders pay: instantiation, calls in both directions,
//! loading modules.
//!
//! Written once against the public API and built twice, here against `meantime` and by
//! `peer/Cargo.toml` against the crate whose API it is. It prints a line for each thing measured:
//! what, a tab, nanoseconds each. `cargo xtask bench` compares.

use meantime::{
    Caller, Config, Engine, Extern, Func, FuncType, InstanceAllocationStrategy, InstancePre,
    Linker, Memory, Module, PoolingAllocationConfig, Result, Store, Strategy, Val, ValType,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long one sample of a measurement runs, and how many samples there are.
const SAMPLE: Duration = Duration::from_millis(30);
const SAMPLES: usize = 7;

/// How often the guest's loops call the host for each call from the host.
const LOOP: u64 = 1000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [command, file, times] = &args[..]
        && command == "compile"
    {
        return compile(file, times.parse()?);
    }
    instantiation()?;
    calls_into_the_guest()?;
    calls_into_the_host()?;
    traps()?;
    modules()
}

/// Loads a module with the baseline compiler, on one thread, so often: `compile FILE TIMES`. The processor time of one goes to stderr.
fn compile(file: &str, times: usize) -> Result<()> {
    let wasm = std::fs::read(file)?;
    let mut config = Config::new();
    config.strategy(Strategy::Winch).parallel_compilation(false);
    let engine = Engine::new(&config)?;
    let before = processor_time();
    for _ in 0..times {
        black_box(Module::from_binary(&engine, &wasm)?);
    }
    let each = (processor_time() - before).as_nanos() / times.max(1) as u128;
    eprintln!("cpu_ns {each}");
    Ok(())
}

/// What all threads of this process have taken so far.
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
}

/// Prints the median of several samples of `work`, divided by `each`.
fn measure(what: &str, each: u64, mut work: impl FnMut() -> Result<()>) -> Result<()> {
    // Enough repetitions that the clock does not matter; the first ones warm up.
    let mut repeat: u64 = 1;
    loop {
        let started = Instant::now();
        for _ in 0..repeat {
            work()?;
        }
        if started.elapsed() > SAMPLE / 2 {
            break;
        }
        repeat *= 2;
    }
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let started = Instant::now();
        for _ in 0..repeat {
            work()?;
        }
        samples.push(started.elapsed().as_nanos() as f64 / (repeat * each) as f64);
    }
    samples.sort_by(f64::total_cmp);
    println!("{what}\t{:.2}", samples[SAMPLES / 2]);
    Ok(())
}

const EMPTY: &str = "(module)";

/// What a small plug-in looks like: a memory with some data, a table of functions, a global, an
/// import.
const PLUGIN: &str = r#"(module
    (import "host" "log" (func $log (param i32 i32)))
    (memory (export "memory") 17)
    (global $stack (mut i32) (i32.const 65536))
    (table 32 funcref)
    (elem (i32.const 1) $a $b $c $a $b $c $a $b)
    (data (i32.const 1024) "some text that a plug-in has, and a table of numbers after it \00\01\02\03")
    (data (i32.const 70000) "and more of it further up")
    (func $a (export "a") (param i32) (result i32) local.get 0 i32.const 1 i32.add)
    (func $b (export "b") (param i32) (result i32) local.get 0 call $a global.get $stack i32.add)
    (func $c (export "c") (param i32) (result i32) i32.const 1024 i32.const 10 call $log local.get 0))"#;

fn pooling() -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_memories(64)
        .total_tables(64)
        .total_core_instances(64);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

fn instantiation() -> Result<()> {
    let mut engines = vec![("on demand", Engine::default())];
    // An engine without a pool says so, and has no such rows.
    match pooling() {
        Ok(engine) => engines.push(("pooling", engine)),
        Err(error) => eprintln!("not measured: {error}"),
    }
    for (allocator, engine) in engines {
        measure(&format!("make and drop a store ({allocator})"), 1, || {
            black_box(Store::new(&engine, ()));
            Ok(())
        })?;
        let mut linker: Linker<()> = Linker::new(&engine);
        linker.func_wrap("host", "log", |_: i32, _: i32| {})?;
        let image = format!(
            "(module (memory 64) (data (i32.const 0) \"{}\"))",
            "text of a megabyte, ".repeat(52_429)
        );
        for (name, text) in [
            ("an empty module", EMPTY),
            ("a plug-in", PLUGIN),
            ("a module with a megabyte of data", &image),
        ] {
            let pre: InstancePre<()> = linker.instantiate_pre(&Module::new(&engine, text)?)?;
            measure(
                &format!("instantiate {name} in a new store ({allocator})"),
                1,
                || {
                    let mut store = Store::new(&engine, ());
                    black_box(pre.instantiate(&mut store)?);
                    Ok(())
                },
            )?;
        }
        let pre = linker.instantiate_pre(&Module::new(&engine, PLUGIN)?)?;
        measure(
            &format!("instantiate a plug-in and call it ({allocator})"),
            1,
            || {
                let mut store = Store::new(&engine, ());
                let instance = pre.instantiate(&mut store)?;
                let b = instance.get_typed_func::<i32, i32>(&mut store, "b")?;
                black_box(b.call(&mut store, 1)?);
                Ok(())
            },
        )?;
    }
    Ok(())
}

fn calls_into_the_guest() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (memory (export "memory") 1)
            (func (export "nothing"))
            (func (export "two") (param i32 i64) (result i32) local.get 0)
            (func (export "many") (param i32 i64 f32 f64 i32 i64 f32 f64) (result i64 f64) local.get 1 local.get 3))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    let nothing = instance.get_typed_func::<(), ()>(&mut store, "nothing")?;
    measure("call the guest: typed, () -> ()", 1, || {
        nothing.call(&mut store, ())
    })?;
    let two = instance.get_typed_func::<(i32, i64), i32>(&mut store, "two")?;
    measure("call the guest: typed, (i32, i64) -> i32", 1, || {
        black_box(two.call(&mut store, (1, 2))?);
        Ok(())
    })?;
    let many = instance.get_typed_func::<(i32, i64, f32, f64, i32, i64, f32, f64), (i64, f64)>(
        &mut store, "many",
    )?;
    measure("call the guest: typed, 8 -> 2", 1, || {
        black_box(many.call(&mut store, (1, 2, 3.0, 4.0, 5, 6, 7.0, 8.0))?);
        Ok(())
    })?;
    let untyped = instance
        .get_func(&mut store, "two")
        .expect("it is exported");
    let mut results = [Val::I32(0)];
    measure("call the guest: untyped, (i32, i64) -> i32", 1, || {
        untyped.call(&mut store, &[Val::I32(1), Val::I64(2)], &mut results)?;
        black_box(&results);
        Ok(())
    })?;
    measure("look up an export and its type", 1, || {
        black_box(instance.get_typed_func::<(i32, i64), i32>(&mut store, "two")?);
        Ok(())
    })?;
    let memory = instance
        .get_memory(&mut store, "memory")
        .expect("it is exported");
    let mut buffer = [0; 64];
    measure("read 64 bytes of memory", 1, || {
        memory.read(&store, black_box(128), &mut buffer)?;
        black_box(&buffer);
        Ok(())
    })
}

fn calls_into_the_host() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "nothing" (func $nothing))
            (import "host" "two" (func $two (param i32 i64) (result i32)))
            (import "host" "untyped" (func $untyped (param i32 i64) (result i32)))
            (import "host" "read" (func $read (param i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "nothing") (param $n i64)
                (loop $again
                    call $nothing
                    (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0)))))
            (func (export "two") (param $n i64)
                (loop $again
                    (drop (call $two (i32.const 1) (local.get $n)))
                    (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0)))))
            (func (export "untyped") (param $n i64)
                (loop $again
                    (drop (call $untyped (i32.const 1) (local.get $n)))
                    (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0)))))
            (func (export "read") (param $n i64)
                (loop $again
                    (drop (call $read (i32.const 16)))
                    (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))))"#,
    )?;
    let mut store: Store<(u64, Option<Memory>)> = Store::new(&engine, (0, None));
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "nothing", || {})?;
    linker.func_wrap(
        "host",
        "two",
        |mut caller: Caller<'_, (u64, Option<Memory>)>, a: i32, b: i64| {
            caller.data_mut().0 += b as u64;
            a
        },
    )?;
    linker.func_wrap(
        "host",
        "read",
        |caller: Caller<'_, (u64, Option<Memory>)>, at: i32| {
            let memory = caller.data().1.expect("it is set before any call");
            i32::from(memory.data(&caller)[at as usize])
        },
    )?;
    let ty = FuncType::new(&engine, [ValType::I32, ValType::I64], [ValType::I32]);
    let untyped = Func::new(
        &mut store,
        ty,
        |mut caller: Caller<'_, (u64, Option<Memory>)>, arguments, results| {
            caller.data_mut().0 += arguments[1].unwrap_i64() as u64;
            results[0] = arguments[0];
            Ok(())
        },
    );
    linker.define(&store, "host", "untyped", Extern::Func(untyped))?;
    let instance = linker.instantiate(&mut store, &module)?;
    store.data_mut().1 = instance.get_memory(&mut store, "memory");
    for (export, what) in [
        ("nothing", "call the host: wrapped, () -> ()"),
        ("two", "call the host: wrapped, (i32, i64) -> i32"),
        ("untyped", "call the host: untyped, (i32, i64) -> i32"),
        ("read", "call the host: wrapped, reading memory"),
    ] {
        let function = instance.get_typed_func::<i64, ()>(&mut store, export)?;
        measure(what, LOOP, || function.call(&mut store, LOOP as i64))?;
    }
    Ok(())
}

fn traps() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (func $inner (export "inner") unreachable)
            (func $middle call $inner)
            (func (export "outer") call $middle))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    let outer = instance.get_typed_func::<(), ()>(&mut store, "outer")?;
    measure("trap below three frames, with backtrace", 1, || {
        assert!(outer.call(&mut store, ()).is_err(), "it always traps");
        Ok(())
    })
}

#[allow(
    unsafe_code,
    reason = "loading compiled code trusts it, and is one of the things measured"
)]
fn modules() -> Result<()> {
    let engine = Engine::default();
    measure("compile a plug-in", 1, || {
        black_box(Module::new(&engine, PLUGIN)?);
        Ok(())
    })?;
    let functions: String = (0..1000)
        .map(|i| format!("(func (param i32) (result i32) local.get 0 i32.const {i} i32.add)"))
        .collect();
    let bytes = Module::new(&engine, format!("(module {functions})"))?.serialize()?;
    measure("deserialize a module of 1000 functions", 1, || {
        // SAFETY: the bytes were serialized just above by this engine.
        black_box(unsafe { Module::deserialize(&engine, &bytes)? });
        Ok(())
    })
}
