//! Guests on several host threads, each with its own store, over one shared memory: nothing is lost, reordered or woken
//! too late, however the threads interleave.
//!
//! The programs are what threads are used for: a queue without locks, a mutex and turns by wait and notify, phases between
//! barriers, a memory that grows under its users. How much each does is bounded, and so is how long it waits: what never comes
//! is a failure and no hang.

use meantime::*;
use std::thread;

/// How long a guest waits for another at most, in nanoseconds; longer than any scheduler takes.
const PATIENCE: &str = "(i64.const 20000000000)";

/// Calls `f` on `count` threads at once, each with an instance of the module in a store of its own; returns what the calls
/// return, in the order of their numbers.
fn on_threads<R: Send>(
    engine: &Engine,
    memory: &SharedMemory,
    wat: &str,
    count: i32,
    f: impl Fn(&mut Store<()>, Instance, i32) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let module = Module::new(engine, wat)?;
    let run = |number| {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, &module, &[memory.clone().into()])?;
        f(&mut store, instance, number)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| scope.spawn(move || run(number)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no thread panics"))
            .collect()
    })
}

fn shared(pages: u32, maximum: u32) -> Result<(Engine, SharedMemory)> {
    let engine = Engine::new(Config::new().shared_memory(true))?;
    let memory = SharedMemory::new(&engine, MemoryType::shared(pages, maximum))?;
    Ok((engine, memory))
}

/// The plain bytes of a memory that no thread uses any more.
fn bytes(memory: &SharedMemory, from: usize, len: usize) -> Vec<u8> {
    let read = |cell: &core::cell::UnsafeCell<u8>| {
        // SAFETY: the threads that wrote have ended.
        #[allow(unsafe_code)]
        unsafe {
            *cell.get()
        }
    };
    memory.data()[from..from + len].iter().map(read).collect()
}

fn word(memory: &SharedMemory, at: usize) -> u64 {
    u64::from_le_bytes(bytes(memory, at, 8).try_into().expect("eight bytes"))
}

/// Two threads put numbers into a bounded queue and two take them out: Vyukov's, where each cell's sequence number says
/// whose turn it is. The numbers themselves are written plainly, so they are right only if atomic accesses order plain ones.
#[test]
fn a_lock_free_queue_loses_and_doubles_nothing() -> Result<()> {
    const EACH: i32 = 2_000_000;
    let (engine, memory) = shared(64, 64)?;
    // 0: where to put next; 64: where to take next; 128: how many were taken; 192: what naps wait for; 1024: the 1024 cells, a
    // sequence number and a value each; 65536: a byte for each number, how often it was taken.
    let wat = format!(
        r#"(module
        (import "env" "memory" (memory 64 64 shared))

        (func $nap
            (drop (memory.atomic.wait32 (i32.const 192) (i32.const 0) (i64.const 20000))))

        (func $cell (param $at i32) (result i32)
            (i32.add (i32.const 1024) (i32.shl (i32.and (local.get $at) (i32.const 1023)) (i32.const 3))))

        (func (export "prepare") (local $i i32)
            (loop $more
                (i32.atomic.store (call $cell (local.get $i)) (local.get $i))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $i) (i32.const 1024)))))

        ;; Whether there was room.
        (func $put (param $value i32) (result i32)
            (local $at i32) (local $cell i32) (local $ahead i32) (local $seen i32)
            (local.set $at (i32.atomic.load (i32.const 0)))
            (loop $again
                (local.set $cell (call $cell (local.get $at)))
                (local.set $ahead (i32.sub (i32.atomic.load (local.get $cell)) (local.get $at)))
                (if (i32.lt_s (local.get $ahead) (i32.const 0)) (then (return (i32.const 0))))
                (if (i32.gt_s (local.get $ahead) (i32.const 0))
                    (then (local.set $at (i32.atomic.load (i32.const 0))) (br $again)))
                (local.set $seen
                    (i32.atomic.rmw.cmpxchg (i32.const 0) (local.get $at) (i32.add (local.get $at) (i32.const 1))))
                (if (i32.ne (local.get $seen) (local.get $at))
                    (then (local.set $at (local.get $seen)) (br $again))))
            (i32.store offset=4 (local.get $cell) (local.get $value))
            (i32.atomic.store (local.get $cell) (i32.add (local.get $at) (i32.const 1)))
            (i32.const 1))

        ;; The next number, or -1.
        (func $take (result i32)
            (local $at i32) (local $cell i32) (local $ahead i32) (local $seen i32) (local $value i32)
            (local.set $at (i32.atomic.load (i32.const 64)))
            (loop $again
                (local.set $cell (call $cell (local.get $at)))
                (local.set $ahead
                    (i32.sub (i32.atomic.load (local.get $cell)) (i32.add (local.get $at) (i32.const 1))))
                (if (i32.lt_s (local.get $ahead) (i32.const 0)) (then (return (i32.const -1))))
                (if (i32.gt_s (local.get $ahead) (i32.const 0))
                    (then (local.set $at (i32.atomic.load (i32.const 64))) (br $again)))
                (local.set $seen
                    (i32.atomic.rmw.cmpxchg (i32.const 64) (local.get $at) (i32.add (local.get $at) (i32.const 1))))
                (if (i32.ne (local.get $seen) (local.get $at))
                    (then (local.set $at (local.get $seen)) (br $again))))
            (local.set $value (i32.load offset=4 (local.get $cell)))
            (i32.atomic.store (local.get $cell) (i32.add (local.get $at) (i32.const 1024)))
            (local.get $value))

        ;; Puts the numbers from `first` on; how many there was room for in time.
        (func (export "produce") (param $first i32) (result i32) (local $done i32) (local $naps i32)
            (loop $more
                (if (call $put (i32.add (local.get $first) (local.get $done)))
                    (then
                        (local.set $naps (i32.const 0))
                        (local.set $done (i32.add (local.get $done) (i32.const 1))))
                    (else
                        (local.set $naps (i32.add (local.get $naps) (i32.const 1)))
                        (if (i32.gt_u (local.get $naps) (i32.const 500000)) (then (return (local.get $done))))
                        (call $nap)))
                (br_if $more (i32.lt_u (local.get $done) (i32.const {EACH}))))
            (local.get $done))

        ;; Takes numbers until all were taken; how many this thread took. -1 when two of one producer come in the wrong order,
        ;; -2 when nothing comes any more.
        (func (export "consume") (result i32)
            (local $taken i32) (local $value i32) (local $naps i32) (local $last_a i32) (local $last_b i32)
            (local.set $last_a (i32.const -1))
            (local.set $last_b (i32.const -1))
            (loop $more
                (local.set $value (call $take))
                (if (i32.ge_s (local.get $value) (i32.const 0))
                    (then
                        (local.set $naps (i32.const 0))
                        (if (i32.lt_s (local.get $value) (i32.const {EACH}))
                            (then
                                (if (i32.le_s (local.get $value) (local.get $last_a)) (then (return (i32.const -1))))
                                (local.set $last_a (local.get $value)))
                            (else
                                (if (i32.le_s (local.get $value) (local.get $last_b)) (then (return (i32.const -1))))
                                (local.set $last_b (local.get $value))))
                        (drop (i32.atomic.rmw8.add_u offset=65536 (local.get $value) (i32.const 1)))
                        (drop (i32.atomic.rmw.add (i32.const 128) (i32.const 1)))
                        (local.set $taken (i32.add (local.get $taken) (i32.const 1))))
                    (else
                        (local.set $naps (i32.add (local.get $naps) (i32.const 1)))
                        (if (i32.gt_u (local.get $naps) (i32.const 500000)) (then (return (i32.const -2))))
                        (call $nap)))
                (br_if $more (i32.lt_u (i32.atomic.load (i32.const 128)) (i32.const {}))))
            (local.get $taken)))"#,
        2 * EACH
    );
    on_threads(&engine, &memory, &wat, 1, |store, instance, _| {
        instance
            .get_typed_func::<(), ()>(&mut *store, "prepare")?
            .call(store, ())
    })?;
    let counts = on_threads(&engine, &memory, &wat, 4, |store, instance, number| {
        if number < 2 {
            let produce = instance.get_typed_func::<i32, i32>(&mut *store, "produce")?;
            produce.call(store, number * EACH)
        } else {
            let consume = instance.get_typed_func::<(), i32>(&mut *store, "consume")?;
            consume.call(store, ())
        }
    })?;
    assert_eq!(counts[..2], [EACH, EACH], "not everything could be put");
    assert!(counts[2] >= 0 && counts[3] >= 0, "{counts:?}");
    assert_eq!(counts[2] + counts[3], 2 * EACH);
    let times = bytes(&memory, 65536, 2 * EACH as usize);
    let wrong = times.iter().position(|times| *times != 1);
    assert_eq!(wrong, None, "the first number not taken exactly once");
    Ok(())
}

/// Four threads change two plain words under a mutex that sleeps when it must: Drepper's, with one word that is 0 when
/// free, 1 when held, and 2 when somebody may be asleep.
#[test]
fn a_futex_mutex_excludes_and_wakes() -> Result<()> {
    const EACH: i32 = 1_000_000;
    let (engine, memory) = shared(1, 1)?;
    // 0: the mutex; 64 and 72: the words.
    let wat = format!(
        r#"(module
        (import "env" "memory" (memory 1 1 shared))

        (func $lock (local $was i32)
            (local.set $was (i32.atomic.rmw.cmpxchg (i32.const 0) (i32.const 0) (i32.const 1)))
            (block $held
                (br_if $held (i32.eqz (local.get $was)))
                (if (i32.ne (local.get $was) (i32.const 2))
                    (then (local.set $was (i32.atomic.rmw.xchg (i32.const 0) (i32.const 2)))))
                (loop $asleep
                    (br_if $held (i32.eqz (local.get $was)))
                    ;; Nobody sleeps for so long unless a wake-up was lost.
                    (if (i32.eq (i32.const 2) (memory.atomic.wait32 (i32.const 0) (i32.const 2) {PATIENCE}))
                        (then (unreachable)))
                    (local.set $was (i32.atomic.rmw.xchg (i32.const 0) (i32.const 2)))
                    (br $asleep))))

        (func $unlock
            (if (i32.ne (i32.atomic.rmw.sub (i32.const 0) (i32.const 1)) (i32.const 1))
                (then
                    (i32.atomic.store (i32.const 0) (i32.const 0))
                    (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))))

        ;; How often the words did not agree while the mutex was held.
        (func (export "run") (param $rounds i32) (result i32) (local $wrong i32) (local $i i32)
            (loop $more
                (call $lock)
                (if (i64.ne (i64.load (i32.const 64)) (i64.load (i32.const 72)))
                    (then (local.set $wrong (i32.add (local.get $wrong) (i32.const 1)))))
                (i64.store (i32.const 64) (i64.add (i64.load (i32.const 64)) (i64.const 1)))
                ;; Now and then it is held for long enough that the others fall asleep.
                (local.set $i (select (i32.const 0) (i32.const 2000) (i32.and (local.get $rounds) (i32.const 63))))
                (loop $linger
                    (drop (i32.atomic.load (i32.const 128)))
                    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
                    (br_if $linger (i32.gt_s (local.get $i) (i32.const 0))))
                (i64.store (i32.const 72) (i64.add (i64.load (i32.const 72)) (i64.const 1)))
                (call $unlock)
                (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
                (br_if $more (local.get $rounds)))
            (local.get $wrong)))"#
    );
    let wrong = on_threads(&engine, &memory, &wat, 4, |store, instance, _| {
        let run = instance.get_typed_func::<i32, i32>(&mut *store, "run")?;
        run.call(store, EACH)
    })?;
    assert_eq!(wrong, [0; 4]);
    let words = [word(&memory, 64), word(&memory, 72)];
    assert_eq!(words, [4 * EACH as u64; 2]);
    assert_eq!(word(&memory, 0), 0, "the mutex is free in the end");
    Ok(())
}

/// Three threads take turns by one 64-bit word, in which each waits for its number. Whoever wakes too few or too late is found
/// out: nobody else can go on.
#[test]
fn turns_are_handed_round() -> Result<()> {
    const ROUNDS: i64 = 50_000;
    let (engine, memory) = shared(1, 1)?;
    let wat = format!(
        r#"(module
        (import "env" "memory" (memory 1 1 shared))
        (func (export "run") (param $number i64) (local $turn i64)
            (loop $more
                (block $mine
                    (loop $wait
                        (local.set $turn (i64.atomic.load (i32.const 8)))
                        (br_if $mine (i64.eq (i64.rem_u (local.get $turn) (i64.const 3)) (local.get $number)))
                        (br_if $wait
                            (i32.ne (i32.const 2) (memory.atomic.wait64 (i32.const 8) (local.get $turn) {PATIENCE})))
                        (unreachable)))
                (i64.atomic.store (i32.const 8) (i64.add (local.get $turn) (i64.const 1)))
                (drop (memory.atomic.notify (i32.const 8) (i32.const -1)))
                (br_if $more (i64.lt_u (local.get $turn) (i64.const {})))))"#,
        3 * (ROUNDS - 1)
    )
    // The module's own bracket.
    + ")";
    on_threads(&engine, &memory, &wat, 3, |store, instance, number| {
        let run = instance.get_typed_func::<i64, ()>(&mut *store, "run")?;
        run.call(store, i64::from(number))
    })?;
    assert_eq!(word(&memory, 8), 3 * ROUNDS as u64);
    Ok(())
}

/// Four threads fill a quarter of an array each, wait for one another, add up the quarter of a neighbour, and wait again:
/// a barrier is worth something only if plain writes before it are seen after it.
#[test]
fn sums_of_what_others_wrote_are_right() -> Result<()> {
    const THREADS: i32 = 4;
    const ROUNDS: i32 = 10_000;
    const LENGTH: i64 = 4096;
    let (engine, memory) = shared(4, 4)?;
    // 0: the sum; 64: how many have arrived; 128: how often all had; 65536: four quarters.
    let wat = format!(
        r#"(module
        (import "env" "memory" (memory 4 4 shared))

        (func $barrier (local $generation i32)
            (local.set $generation (i32.atomic.load (i32.const 128)))
            (if (i32.eq (i32.atomic.rmw.add (i32.const 64) (i32.const 1)) (i32.const {last}))
                (then
                    (i32.atomic.store (i32.const 64) (i32.const 0))
                    (i32.atomic.store (i32.const 128) (i32.add (local.get $generation) (i32.const 1)))
                    (drop (memory.atomic.notify (i32.const 128) (i32.const -1)))
                    (return)))
            (loop $asleep
                (if (i32.eq (i32.const 2)
                        (memory.atomic.wait32 (i32.const 128) (local.get $generation) {PATIENCE}))
                    (then (unreachable)))
                (br_if $asleep (i32.eq (i32.atomic.load (i32.const 128)) (local.get $generation)))))

        ;; Where a quarter begins.
        (func $quarter (param $number i32) (result i32)
            (i32.add (i32.const 65536)
                (i32.mul (i32.rem_u (local.get $number) (i32.const {THREADS})) (i32.const {bytes}))))

        (func (export "run") (param $number i32) (local $round i32) (local $i i32) (local $at i32) (local $sum i64)
            (loop $more
                (local.set $at (call $quarter (local.get $number)))
                (local.set $i (i32.const 0))
                (loop $write
                    (i64.store
                        (i32.add (local.get $at) (i32.shl (local.get $i) (i32.const 3)))
                        (i64.extend_i32_u (i32.add (local.get $i) (local.get $round))))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $write (i32.lt_u (local.get $i) (i32.const {LENGTH}))))
                (call $barrier)
                (local.set $at (call $quarter (i32.add (local.get $number) (i32.const 1))))
                (local.set $i (i32.const 0))
                (local.set $sum (i64.const 0))
                (loop $read
                    (local.set $sum
                        (i64.add (local.get $sum)
                            (i64.load (i32.add (local.get $at) (i32.shl (local.get $i) (i32.const 3))))))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $read (i32.lt_u (local.get $i) (i32.const {LENGTH}))))
                (drop (i64.atomic.rmw.add (i32.const 0) (local.get $sum)))
                (call $barrier)
                (local.set $round (i32.add (local.get $round) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $round) (i32.const {ROUNDS}))))))"#,
        last = THREADS - 1,
        bytes = LENGTH * 8,
    );
    on_threads(
        &engine,
        &memory,
        &wat,
        THREADS,
        |store, instance, number| {
            let run = instance.get_typed_func::<i32, ()>(&mut *store, "run")?;
            run.call(store, number)
        },
    )?;
    let expected: i64 = (0..i64::from(ROUNDS))
        .map(|round| (0..LENGTH).map(|i| i + round).sum::<i64>())
        .sum();
    assert_eq!(word(&memory, 0), (expected * i64::from(THREADS)) as u64);
    Ok(())
}

/// One thread grows the memory a page at a time and marks each new page; two others use whatever `memory.size` says is
/// there, at once.
#[test]
fn a_memory_grows_under_its_users() -> Result<()> {
    const PAGES: u32 = 4000;
    let (engine, memory) = shared(1, PAGES)?;
    let wat = format!(
        r#"(module
        (import "env" "memory" (memory 1 {PAGES} shared))

        (func (export "grow") (result i32) (local $page i32)
            (block $full
                (loop $more
                    (local.set $page (memory.grow (i32.const 1)))
                    (br_if $full (i32.eq (local.get $page) (i32.const -1)))
                    (i32.atomic.store (i32.shl (local.get $page) (i32.const 16)) (local.get $page))
                    (i32.atomic.store (i32.const 0) (local.get $page))
                    (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const 20000)))
                    (br $more)))
            (memory.size))

        ;; Writes to the last byte of each page there is and reads the mark of the newest page that is said to have one, until all
        ;; pages are there; how many marks were wrong.
        (func (export "use") (result i32) (local $wrong i32) (local $page i32) (local $writes i32)
            (loop $more
                (i32.store8
                    (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 1))
                    (local.get $writes))
                (local.set $writes (i32.add (local.get $writes) (i32.const 1)))
                (local.set $page (i32.atomic.load (i32.const 0)))
                (if (local.get $page)
                    (then
                        (if (i32.ne (i32.load (i32.shl (local.get $page) (i32.const 16))) (local.get $page))
                            (then (local.set $wrong (i32.add (local.get $wrong) (i32.const 1)))))))
                (br_if $more (i32.lt_u (local.get $page) (i32.const {}))))
            (local.get $wrong)))"#,
        PAGES - 1
    );
    let results = on_threads(&engine, &memory, &wat, 3, |store, instance, number| {
        let name = if number == 0 { "grow" } else { "use" };
        let run = instance.get_typed_func::<(), i32>(&mut *store, name)?;
        run.call(store, ())
    })?;
    assert_eq!(results, [PAGES as i32, 0, 0]);
    assert_eq!(memory.size(), u64::from(PAGES));
    Ok(())
}
