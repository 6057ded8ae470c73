//! Guests that start threads of their own, as WASI's threads do: each is an instance of the same module, in a store of its own, over one shared memory.
//!
//! Each round has a new module, so that threads meet in everything that happens once: first calls, changes of code while others run it, growth
//! of the memory. The one idea: rounds are short and go on for as many seconds as `MEANTIME_STRESS_SECONDS` says (by default for one), so that
//! the same test is a quick check here and a long one elsewhere.

use meantime::*;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Threads that a guest starts.
const THREADS: i32 = 4;
/// Numbers that are added up, in pieces that threads take one after the other.
const NUMBERS: u64 = 20_000;

/// `main` fills the memory, starts threads, and waits for them; each takes pieces, adds them up in calls of its own, puts its sum under a
/// mutex into a list of nodes whose places it takes from the memory's end, which it makes grow. `main` then adds the list up.
///
/// 0: the next number; 8: the mutex; 16: the head of the list; 24: threads that are done; 32: how often the mutex was held; 65536: the numbers.
const PROGRAM: &str = r#"(module
    (import "env" "memory" (memory 4 200 shared))
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))

    (func $lock
        (block $held
            (br_if $held (i32.eqz (i32.atomic.rmw.cmpxchg (i32.const 8) (i32.const 0) (i32.const 1))))
            (loop $again
                (br_if $held (i32.eqz (i32.atomic.rmw.xchg (i32.const 8) (i32.const 2))))
                (drop (memory.atomic.wait32 (i32.const 8) (i32.const 2) (i64.const 20000000000)))
                (br $again))))
    (func $unlock
        (if (i32.eq (i32.atomic.rmw.xchg (i32.const 8) (i32.const 0)) (i32.const 2))
            (then (drop (memory.atomic.notify (i32.const 8) (i32.const 1))))))

    (func $number (param $i i32) (result i64)
        (i64.load (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 3)))))

    (func $piece (param $from i32) (param $to i32) (result i64) (local $sum i64)
        (loop $more
            (if (i32.lt_u (local.get $from) (local.get $to))
                (then
                    (local.set $sum (i64.add (local.get $sum) (call $number (local.get $from))))
                    (local.set $from (i32.add (local.get $from) (i32.const 1)))
                    (br $more))))
        (local.get $sum))

    ;; Puts a sum in front of the list. The node is the start of a page that only this thread has.
    (func $put (param $sum i64) (local $node i32)
        (local.set $node (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
        (i64.store offset=8 (local.get $node) (local.get $sum))
        (call $lock)
        (i32.store (local.get $node) (i32.load (i32.const 16)))
        (i32.store (i32.const 16) (local.get $node))
        (i32.store (i32.const 32) (i32.add (i32.load (i32.const 32)) (i32.const 1)))
        (call $unlock))

    (func (export "wasi_thread_start") (param $id i32) (param $count i32) (local $at i32) (local $sum i64) (local $pieces i32)
        (loop $more
            (local.set $at (i32.atomic.rmw.add (i32.const 0) (i32.const 64)))
            (if (i32.lt_u (local.get $at) (local.get $count))
                (then
                    (local.set $sum
                        (i64.add (local.get $sum)
                            (call $piece (local.get $at)
                                (select (local.get $count) (i32.add (local.get $at) (i32.const 64))
                                    (i32.lt_u (local.get $count) (i32.add (local.get $at) (i32.const 64)))))))
                    (local.set $pieces (i32.add (local.get $pieces) (i32.const 1)))
                    (if (i32.eqz (i32.and (local.get $pieces) (i32.const 15)))
                        (then (call $put (local.get $sum)) (local.set $sum (i64.const 0))))
                    (br $more))))
        (call $put (local.get $sum))
        (drop (i32.atomic.rmw.add (i32.const 24) (i32.const 1)))
        (drop (memory.atomic.notify (i32.const 24) (i32.const 1))))

    ;; The sum of the numbers below `count`; -1 if a thread cannot be started, -2 if one does not end.
    (func (export "main") (param $threads i32) (param $count i32) (result i64)
        (local $i i32) (local $done i32) (local $node i32) (local $sum i64)
        (loop $fill
            (i64.store (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 3))) (i64.extend_i32_u (local.get $i)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $fill (i32.lt_u (local.get $i) (local.get $count))))
        (local.set $i (i32.const 0))
        (loop $start
            (if (i32.lt_s (call $spawn (local.get $count)) (i32.const 0)) (then (return (i64.const -1))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $start (i32.lt_u (local.get $i) (local.get $threads))))
        (loop $wait
            (local.set $done (i32.atomic.load (i32.const 24)))
            (if (i32.ne (local.get $done) (local.get $threads))
                (then
                    (if (i32.eq (i32.const 2)
                            (memory.atomic.wait32 (i32.const 24) (local.get $done) (i64.const 20000000000)))
                        (then (return (i64.const -2))))
                    (br $wait))))
        (local.set $node (i32.load (i32.const 16)))
        (loop $add
            (local.set $sum (i64.add (local.get $sum) (i64.load offset=8 (local.get $node))))
            (local.set $node (i32.load (local.get $node)))
            (br_if $add (local.get $node)))
        (local.get $sum))
    (func (export "nodes") (result i32) (i32.load (i32.const 32))))"#;

/// What guests start threads with.
#[derive(Clone)]
struct Threads {
    module: Module,
    linker: Arc<Linker<Threads>>,
    next: Arc<AtomicI32>,
    started: Arc<Mutex<Vec<JoinHandle<Result<()>>>>>,
}

/// `thread-spawn` of WASI's threads: the thread's number.
fn spawn(caller: Caller<'_, Threads>, argument: i32) -> i32 {
    let threads = caller.data().clone();
    let id = threads.next.fetch_add(1, Ordering::Relaxed);
    let run = {
        let threads = threads.clone();
        move || {
            let mut store = Store::new(threads.module.engine(), threads.clone());
            let instance = threads.linker.instantiate(&mut store, &threads.module)?;
            let start =
                instance.get_typed_func::<(i32, i32), ()>(&mut store, "wasi_thread_start")?;
            start.call(&mut store, (id, argument))
        }
    };
    let mut started = threads.started.lock().expect("nobody panics");
    started.push(std::thread::spawn(run));
    id
}

fn round(engine: &Engine) -> Result<()> {
    let memory = SharedMemory::new(engine, MemoryType::shared(4, 200))?;
    let mut linker = Linker::<Threads>::new(engine);
    linker.func_wrap("wasi", "thread-spawn", spawn)?;
    let module = Module::new(engine, PROGRAM)?;
    let threads = Threads {
        module: module.clone(),
        linker: Arc::new(linker.clone()),
        next: Arc::new(AtomicI32::new(1)),
        started: Arc::default(),
    };
    let mut store = Store::new(engine, threads);
    // Complete only now: something is defined with a store, though a shared memory belongs to none.
    linker.define(&store, "env", "memory", memory.clone())?;
    store.data_mut().linker = Arc::new(linker.clone());
    let instance = linker.instantiate(&mut store, &module)?;
    let main = instance.get_typed_func::<(i32, i32), i64>(&mut store, "main")?;
    let sum = main.call(&mut store, (THREADS, NUMBERS as i32))?;
    let started = std::mem::take(&mut *store.data().started.lock().expect("nobody panics"));
    assert_eq!(started.len(), THREADS as usize);
    for thread in started {
        thread.join().expect("no thread panics")?;
    }
    assert_eq!(sum as u64, NUMBERS * (NUMBERS - 1) / 2);
    // Each node has a page of its own.
    let nodes = instance.get_typed_func::<(), i32>(&mut store, "nodes")?;
    let nodes = nodes.call(&mut store, ())?;
    assert_eq!(memory.size(), 4 + nodes as u64);
    Ok(())
}

fn engines() -> Result<Vec<(&'static str, Engine)>> {
    let engine = |change: fn(&mut Config) -> &mut Config| {
        let mut config = Config::new();
        config.shared_memory(true);
        Engine::new(change(&mut config))
    };
    Ok(vec![
        ("by default", engine(|config| config)?),
        (
            "soon optimized",
            engine(|config| config.tier_up_budget(20))?,
        ),
        (
            "forced",
            engine(|config| config.tier_up_budget(0).tier_up_waits(true))?,
        ),
        (
            "baseline",
            engine(|config| config.strategy(Strategy::Winch))?,
        ),
        (
            "optimized",
            engine(|config| config.strategy(Strategy::Cranelift))?,
        ),
    ])
}

#[test]
fn guests_with_threads_lose_nothing() -> Result<()> {
    let seconds = match std::env::var("MEANTIME_STRESS_SECONDS") {
        Ok(seconds) => seconds
            .parse()
            .expect("MEANTIME_STRESS_SECONDS is a number"),
        Err(_) => 1,
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let engines = engines()?;
    let mut rounds = 0;
    while rounds == 0 || Instant::now() < end {
        for (name, engine) in &engines {
            round(engine).map_err(|e| e.context(format!("{name}, round {rounds}")))?;
        }
        rounds += 1;
    }
    println!("{rounds} rounds of {}", engines.len());
    Ok(())
}
