//! How fast compiled code runs: each program's own clock around its work, everything compiled
//! beforehand.
//!
//! Programs with collected objects or exceptions have a table of their own, with the engines that
//! run them, so that the means of a table are over the same programs.

use super::engines::{Form, Kind, Ready};
use super::measure::{Sample, geomean, measure, measure_instructions, median};
use super::table::{Table, ratio};
use super::{Built, Options};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::process::Command;

pub(super) fn run(
    options: &Options,
    engines: &[Ready],
    programs: &[Built],
    failures: &mut Vec<String>,
) -> Result<Value> {
    ensure!(!engines.is_empty(), "no engine was chosen");
    let mut record = Vec::new();
    for (managed, title) in [
        (false, "Steady state"),
        (true, "Steady state: objects and exceptions"),
    ] {
        let engines: Vec<&Ready> = engines
            .iter()
            .filter(|engine| engine.managed || !managed)
            .collect();
        let programs: Vec<&Built> = programs
            .iter()
            .filter(|built| built.program.managed() == managed && !built.program.size.is_empty())
            .collect();
        if engines.is_empty() || programs.is_empty() {
            continue;
        }
        let table = compare(options, &engines, &programs, failures, &mut record);
        println!(
            "\n## {title}\n\nMedians of {} alternating runs; columns after the second are multiples of {}'s.\n\n{table}",
            options.runs, engines[0].name
        );
    }
    Ok(Value::Array(record))
}

/// The table of `programs`, the first of `engines` being what others are compared with.
fn compare(
    options: &Options,
    engines: &[&Ready],
    programs: &[&Built],
    failures: &mut Vec<String>,
    record: &mut Vec<Value>,
) -> Table {
    let unit = unit(options);
    let mut table = Table::new(
        ["program".to_owned(), format!("{} {unit}", engines[0].name)]
            .into_iter()
            .chain(engines[1..].iter().map(|engine| engine.name.to_owned())),
    );
    let mut ratios = vec![Vec::new(); engines.len()];
    for built in programs {
        let name = built.program.guest.name;
        eprintln!("running {name}");
        let samples = match alternate(options, engines, built) {
            Ok(samples) => samples,
            Err(error) => {
                failures.push(format!("{name}: {error:#}"));
                continue;
            }
        };
        for (engine, samples) in engines.iter().zip(&samples) {
            record.push(json!({
                "program": name,
                "engine": engine.name,
                "checksum": samples[0].checksum,
                "samples": samples.iter().map(Sample::to_json).collect::<Vec<_>>(),
            }));
        }
        if let Some(difference) = disagreement(engines, &samples) {
            failures.push(format!("{name}: {difference}"));
            continue;
        }
        let middles: Vec<f64> = samples
            .iter()
            .filter_map(|samples| median(samples.iter().filter_map(|sample| cost(options, sample))))
            .collect();
        if middles.len() != engines.len() {
            failures.push(format!(
                "{name}: an engine's run printed no time of its own"
            ));
            continue;
        }
        let others = middles[1..].iter().map(|middle| middle / middles[0]);
        for (column, value) in others.clone().enumerate() {
            ratios[column + 1].push(value);
        }
        let cells: Vec<String> = [name.to_owned(), format!("{:.0}", middles[0])]
            .into_iter()
            .chain(others.map(ratio))
            .collect();
        // The whole takes minutes; what is known is shown at once.
        eprintln!("  {}", cells.join("  "));
        table.row(cells);
    }
    let means = ratios[1..]
        .iter()
        .map(|values| geomean(values.iter().copied()).map_or("-".into(), ratio));
    table.row(
        ["geomean".to_owned(), String::new()]
            .into_iter()
            .chain(means),
    );
    table
}

/// Runs one program on every engine in turn, as often as asked: one list of samples for each
/// engine.
fn alternate(options: &Options, engines: &[&Ready], built: &Built) -> Result<Vec<Vec<Sample>>> {
    let mut forms = Vec::new();
    for engine in engines {
        forms.push(match engine.kind {
            Kind::Native => Form::Native(built.native()?),
            Kind::Node => Form::Warm(built.wasm.clone()),
            Kind::Command => Form::Precompiled(engine.precompiled(&built.wasm)?),
        });
    }
    let mut samples = vec![Vec::new(); engines.len()];
    for _ in 0..options.steady_runs() {
        for (index, engine) in engines.iter().enumerate() {
            let command = engine.run(&forms[index], &[built.program.size]);
            samples[index].push(sample(options, command)?);
        }
    }
    Ok(samples)
}

/// The unit of [`cost`].
pub(super) fn unit(options: &Options) -> &'static str {
    match (options.instructions, options.cpu) {
        (true, _) => "M instructions",
        (false, true) => "ms of CPU",
        (false, false) => "ms",
    }
}

/// One run, measured as was asked for.
pub(super) fn sample(options: &Options, command: Command) -> Result<Sample> {
    if options.instructions {
        measure_instructions(command)
    } else {
        measure(command)
    }
}

/// A command that is run repeatedly, and what it is called when it is wrong.
pub(super) struct Run<'a> {
    pub(super) name: String,
    pub(super) command: Box<dyn Fn() -> Command + 'a>,
}

/// Runs each in turn, as often as asked: a list of samples for each. All must print the same checksum.
pub(super) fn alternate_runs(options: &Options, runs: &[Run<'_>]) -> Result<Vec<Vec<Sample>>> {
    let mut samples = vec![Vec::new(); runs.len()];
    let mut expected: Option<String> = None;
    for _ in 0..options.steady_runs() {
        for (run, samples) in runs.iter().zip(&mut samples) {
            let new = sample(options, (run.command)())?;
            let expected = expected.get_or_insert_with(|| new.checksum.clone());
            ensure!(
                new.checksum == *expected,
                "{} says {:?}, not {expected:?}",
                run.name,
                new.checksum
            );
            cost(options, &new).context("the program printed no time of its own")?;
            samples.push(new);
        }
    }
    Ok(samples)
}

/// The median of what samples cost; not a number if there is none.
pub(super) fn middle(options: &Options, samples: &[Sample]) -> f64 {
    median(samples.iter().filter_map(|sample| cost(options, sample))).unwrap_or(f64::NAN)
}

/// Milliseconds of the program's own clock or of processor time, or millions of instructions.
pub(super) fn cost(options: &Options, sample: &Sample) -> Option<f64> {
    if options.instructions {
        return sample.instructions.map(|count| count as f64 / 1e6);
    }
    if options.cpu {
        return Some(sample.cpu.as_secs_f64() * 1e3);
    }
    sample.own.map(|own| own.as_secs_f64() * 1e3)
}

/// Names two engines whose checksums differ, or one that printed none.
fn disagreement(engines: &[&Ready], samples: &[Vec<Sample>]) -> Option<String> {
    let expected = &samples[0][0].checksum;
    if !expected.starts_with("checksum ") {
        return Some(format!(
            "{} printed {expected:?} and no checksum",
            engines[0].name
        ));
    }
    for (engine, samples) in engines.iter().zip(samples) {
        if let Some(other) = samples.iter().find(|sample| sample.checksum != *expected) {
            return Some(format!(
                "{} says {expected:?}, {} says {:?}",
                engines[0].name, engine.name, other.checksum
            ));
        }
    }
    None
}
