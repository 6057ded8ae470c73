//! What a profile is worth: code compiled ahead of time with and without one, and code in tiers when it starts for the first and the second time.
//!
//! All of it is this workspace's command. The program's own clock counts, so the first start pays for its warm-up and the second, which
//! finds the functions that were hot in the cache, does not.

use super::engines::{Form, Kind, Ready};
use super::measure::{Sample, geomean, measure};
use super::steady::{Run, alternate_runs, middle, unit};
use super::table::{Table, ratio};
use super::{Built, Options};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// What is compared; others are multiples of the first.
const COLUMNS: [&str; 4] = ["ahead", "ahead, profile", "first start", "second start"];

/// Programs that spend their time in indirect calls to few functions.
const INDIRECT: [&str; 7] = [
    "sort_callback",
    "streams",
    "shapes",
    "expressions",
    "richards",
    "gc_richards",
    "gc_sort",
];

pub(super) fn run(
    options: &Options,
    engines: &[Ready],
    programs: &[Built],
    failures: &mut Vec<String>,
) -> Result<Value> {
    let ours = |engine: &&Ready| engine.kind == Kind::Command && engine.name == "meantime";
    let Some(engine) = engines.iter().find(ours) else {
        return Ok(Value::Null);
    };
    let mut table = Table::new(
        [
            "program".to_owned(),
            format!("{} {}", COLUMNS[0], unit(options)),
        ]
        .into_iter()
        .chain(COLUMNS[1..].iter().map(|name| (*name).to_owned())),
    );
    let mut all = Means::default();
    let mut indirect = Means::default();
    let mut record = Vec::new();
    for built in programs {
        let name = built.program.guest.name;
        if built.program.size.is_empty() {
            continue;
        }
        eprintln!("running {name} with profiles");
        let samples = match alternate(options, engine, built) {
            Ok(samples) => samples,
            Err(error) => {
                failures.push(format!("{name} with profiles: {error:#}"));
                continue;
            }
        };
        let middles: Vec<f64> = samples.iter().map(|s| middle(options, s)).collect();
        let times: Vec<f64> = middles[1..].iter().map(|m| m / middles[0]).collect();
        all.add(&times);
        if INDIRECT.contains(&name) {
            indirect.add(&times);
        }
        let mut cells = vec![name.to_owned(), format!("{:.0}", middles[0])];
        cells.extend(times.iter().copied().map(ratio));
        eprintln!("  {}", cells.join("  "));
        table.row(cells);
        for (column, samples) in COLUMNS.iter().zip(&samples) {
            record.push(json!({
                "program": name,
                "column": column,
                "samples": samples.iter().map(Sample::to_json).collect::<Vec<_>>(),
            }));
        }
    }
    table.row(all.row("geomean"));
    table.row(indirect.row("of indirect calls"));
    println!(
        "\n## Profiles\n\nMedians of {} alternating runs, and multiples of what was compiled ahead of time without a profile. \
         Indirect calls decide {}.\n\n{table}",
        options.runs,
        INDIRECT.join(", ")
    );
    Ok(Value::Array(record))
}

/// Ratios of several programs, by column.
#[derive(Default)]
struct Means([Vec<f64>; COLUMNS.len() - 1]);

impl Means {
    fn add(&mut self, times: &[f64]) {
        for (mean, time) in self.0.iter_mut().zip(times) {
            mean.push(*time);
        }
    }

    fn row(self, name: &str) -> impl Iterator<Item = String> {
        let means = self
            .0
            .map(|ratios| geomean(ratios).map_or_else(|| "-".into(), ratio));
        [name.to_owned(), String::new()].into_iter().chain(means)
    }
}

/// Runs one program in every way in turn: samples of each.
fn alternate(options: &Options, engine: &Ready, built: &Built) -> Result<Vec<Vec<Sample>>> {
    let (wasm, size) = (&*built.wasm, built.program.size);
    let ahead = Form::Precompiled(engine.precompiled(wasm)?);
    let profile = wasm.with_extension("profile");
    measure(first_start(
        engine,
        wasm,
        size,
        &["--profile-out".as_ref(), &profile],
    ))?;
    let profiled = wasm.with_extension("profile.cwasm");
    let mut compile = engine.compile(wasm, &profiled, &[]);
    // The profile's option goes where any option may: behind the file.
    compile.arg("--profile-in").arg(&profile);
    let output = compile.output().context("cannot start the compiler")?;
    anyhow::ensure!(
        output.status.success(),
        "cannot compile with a profile:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let profiled = Form::Precompiled(profiled);
    let cache = wasm.with_extension("cache");
    // What another version of the program left there is of no use.
    if cache.exists() {
        std::fs::remove_dir_all(&cache)?;
    }
    let file = wasm.with_extension("cache.toml");
    std::fs::write(&file, format!("[cache]\ndirectory = {:?}\n", cache))?;
    let second_start = move || {
        let mut command = Command::new(engine.executable());
        command.arg("run").arg("-C");
        command.arg(format!("cache-config={}", file.display()));
        command.arg(wasm).arg(size);
        command
    };
    measure(second_start())?;
    let commands: [Box<dyn Fn() -> Command>; COLUMNS.len()] = [
        Box::new(move || engine.run(&ahead, &[size])),
        Box::new(move || engine.run(&profiled, &[size])),
        Box::new(move || first_start(engine, wasm, size, &[])),
        Box::new(second_start),
    ];
    let runs = COLUMNS.into_iter().zip(commands);
    let runs: Vec<_> = runs
        .map(|(name, command)| Run {
            name: name.to_owned(),
            command,
        })
        .collect();
    alternate_runs(options, &runs)
}

/// The command that runs a program from its bytes, without a cache.
fn first_start(engine: &Ready, wasm: &Path, size: &str, more: &[&Path]) -> Command {
    let mut command = Command::new(engine.executable());
    command.args(["run", "-C", "cache=n"]).args(more);
    command.arg(wasm).arg(size);
    command
}

#[cfg(test)]
mod tests {
    use super::super::programs::PROGRAMS;
    use super::*;

    #[test]
    fn programs_of_indirect_calls_are_of_the_suite() {
        for name in INDIRECT {
            let known = PROGRAMS.iter().any(|program| program.guest.name == name);
            assert!(known, "{name} is no program");
        }
    }
}
