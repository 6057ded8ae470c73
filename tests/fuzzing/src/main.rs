//! Runs an oracle over seeds: fuzzing without a fuzzer, for machines without one and for a quick look.
//!
//!     cargo run --release -p meantime-fuzzing -- configurations --seconds 60
//!     cargo run --release -p meantime-fuzzing -- print configurations 1234
//!     cargo run --release -p meantime-fuzzing -- measure 1000
//!
//! Unlike a fuzzer it learns nothing from what it has covered. A seed that fails is named, and the search goes on; before a crash of the
//! process, `--trace` names each seed.

use arbitrary::Unstructured;
use meantime_fuzzing::measure::Measure;
use meantime_fuzzing::{Oracle, configurations};
use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str =
    "usage: meantime-fuzzing ORACLE [--from SEED] [--count N] [--seconds N] [--trace]
       meantime-fuzzing print ORACLE SEED|FILE
       meantime-fuzzing measure COUNT
oracles: compile, instantiate, configurations, differential, objects, throws, jumps, peer";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Some(code) => code,
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// None if the arguments make no sense.
fn run(args: &[String]) -> Option<ExitCode> {
    let (first, rest) = args.split_first()?;
    if first == "print" {
        let [name, what] = rest else { return None };
        return print(oracle(name)?, what);
    }
    if first == "measure" {
        let [count] = rest else { return None };
        return Some(measure(count.parse().ok()?));
    }
    let mut search = Search::new(oracle(first)?);
    let mut rest = rest.iter();
    while let Some(option) = rest.next() {
        match option.as_str() {
            "--from" => search.from = rest.next()?.parse().ok()?,
            "--count" => search.count = rest.next()?.parse().ok()?,
            "--seconds" => search.time = Duration::from_secs(rest.next()?.parse().ok()?),
            "--trace" => search.trace = true,
            _ => return None,
        }
    }
    Some(search.run())
}

fn oracle(name: &str) -> Option<Oracle> {
    let mut all = Oracle::ALL.into_iter().chain([Oracle::Peer]);
    all.find(|oracle| oracle.name() == name)
}

/// The module of a seed, or of a file that a fuzzer left, as text.
fn print(oracle: Oracle, what: &str) -> Option<ExitCode> {
    let data = match what.parse() {
        Ok(seed) => oracle.input(seed),
        Err(_) => std::fs::read(what).ok()?,
    };
    match oracle.text(&data) {
        Some(text) => println!("{text}"),
        None => println!(";; no module"),
    }
    Some(ExitCode::SUCCESS)
}

/// What the programs of the oracle for configurations do.
fn measure(count: u64) -> ExitCode {
    let mut measure = Measure::default();
    for seed in 0..count {
        let data = Oracle::Configurations.input(seed);
        if let Some(outcome) = configurations::reference(Unstructured::new(&data)) {
            measure.add(&outcome);
        }
    }
    println!("{measure}");
    ExitCode::SUCCESS
}

struct Search {
    oracle: Oracle,
    from: u64,
    count: u64,
    time: Duration,
    trace: bool,
}

impl Search {
    fn new(oracle: Oracle) -> Search {
        Search {
            oracle,
            from: 0,
            count: u64::MAX,
            time: Duration::from_secs(10),
            trace: false,
        }
    }

    fn run(&self) -> ExitCode {
        let start = Instant::now();
        let (mut seeds, mut failures) = (0, Vec::new());
        let mut verdicts = BTreeMap::new();
        while seeds < self.count && start.elapsed() < self.time {
            let seed = self.from.wrapping_add(seeds);
            if self.trace {
                eprintln!("seed {seed}");
            }
            seeds += 1;
            match catch_unwind(|| self.oracle.check(&self.oracle.input(seed))) {
                Ok(verdict) => *verdicts.entry(verdict).or_insert(0) += 1,
                Err(_) => {
                    eprintln!("FAILED: {} {seed}", self.oracle.name());
                    failures.push(seed);
                }
            }
        }
        let per_second = seeds as f64 / start.elapsed().as_secs_f64();
        println!("{seeds} seeds, {per_second:.1} per second: {verdicts:?}, failed: {failures:?}");
        match failures.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }
}
