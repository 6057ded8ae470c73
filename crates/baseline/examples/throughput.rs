//! How fast the baseline compiler is: `throughput FILE.wasm…` compiles all functions of each module on one thread, several times, and prints the
//! processor's time for one, with what was left to the optimizing compiler and why.

use meantime_abi::Tunables;
use meantime_baseline::Baseline;
use meantime_module::{Module, WasmFeatures};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use target_lexicon::{Aarch64Architecture, Architecture};

fn main() {
    let mut tunables = Tunables::default();
    let mut architecture = Architecture::X86_64;
    let mut once = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--tiered" => tunables.tiered = true,
            "--explicit" => {
                tunables.signals_based_traps = false;
                tunables.memory_reservation = 0;
            }
            "--aarch64" => architecture = Architecture::Aarch64(Aarch64Architecture::Aarch64),
            "--once" => once = true,
            path => {
                let baseline = Baseline::new(architecture, tunables.clone());
                let baseline = baseline.expect("there is a compiler for this architecture");
                measure(path, &baseline, once);
            }
        }
    }
}

/// The time that this thread has run, where the system says so; otherwise that since the first call.
fn thread_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match stat.split(' ').next().and_then(|n| n.parse().ok()) {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => START.elapsed(),
    }
}

/// Time that the thread is measured for at least: the system may note it only every few milliseconds.
const LONG: Duration = Duration::from_millis(400);

/// What one of several rounds takes, and the last result. Of `once`, there is one round.
fn mean<T>(once: bool, mut work: impl FnMut() -> T) -> (Duration, T) {
    let start = thread_time();
    let mut rounds = 0;
    loop {
        let result = work();
        rounds += 1;
        let time = thread_time() - start;
        if once || time >= LONG {
            return (time / rounds, result);
        }
    }
}

fn measure(path: &str, baseline: &Baseline, once: bool) {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let (decode_time, module) = mean(once, || {
        Module::decode(&bytes, WasmFeatures::all(), false).unwrap_or_else(|e| panic!("{path}: {e}"))
    });
    let mut refused = BTreeMap::new();
    let (compile_time, (code, tables)) = mean(once, || {
        refused.clear();
        let (mut code, mut tables) = (0, 0);
        for (index, _) in module.bodies() {
            match baseline.compile_function(&module, &bytes, index, &mut |_: u32| None) {
                Ok(compiled) => {
                    code += compiled.code.len();
                    tables += compiled.side_table.len();
                }
                Err(error) => *refused.entry(error.to_string()).or_insert(0) += 1,
            }
        }
        (code, tables)
    });
    let body_bytes: usize = module
        .bodies()
        .values()
        .map(|b| (b.range.end - b.range.start) as usize)
        .sum();
    let rate = |time: Duration| body_bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{path}: {} functions, {:.2} MB of bodies; code {:.2} MB, side tables {:.2} MB",
        module.bodies().len(),
        body_bytes as f64 / 1e6,
        code as f64 / 1e6,
        tables as f64 / 1e6,
    );
    println!(
        "  compiles {:.1} ms, {:.1} MB/s; decodes and validates {:.1} ms; both {:.1} MB/s",
        compile_time.as_secs_f64() * 1e3,
        rate(compile_time),
        decode_time.as_secs_f64() * 1e3,
        rate(compile_time + decode_time),
    );
    for (reason, count) in refused {
        println!("  left to the optimizing compiler: {count} ({reason})");
    }
}
