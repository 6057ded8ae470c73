//! What it costs that guests can be interrupted: every program with and without checks of an epoch, and with and without counting of
//! fuel, each engine compared with itself.

use super::engines::{Form, Kind, Ready};
use super::measure::{Sample, geomean};
use super::steady::{Run, alternate_runs, middle, unit};
use super::table::{Table, ratio};
use super::{Built, Options};
use anyhow::Result;
use serde_json::{Value, json};

/// Name, and options of both `compile` and `run`, none of which ever interrupts anything. The first is what others are compared with.
const VARIANTS: [(&str, &[&str]); 3] = [
    ("", &[]),
    ("epochs", &["-W", "epoch-interruption,timeout=36000s"]),
    ("fuel", &["-W", "fuel=4611686018427387904"]),
];

pub(super) fn run(
    options: &Options,
    engines: &[Ready],
    programs: &[Built],
    failures: &mut Vec<String>,
) -> Result<Value> {
    let engines: Vec<&Ready> = engines
        .iter()
        .filter(|engine| engine.kind == Kind::Command)
        .collect();
    let mut record = Vec::new();
    for (managed, title) in [
        (false, "Interruption"),
        (true, "Interruption: objects and exceptions"),
    ] {
        let engines: Vec<&Ready> = engines
            .iter()
            .filter(|engine| engine.managed || !managed)
            .copied()
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
            "\n## {title}\n\nMedians of {} alternating runs, and what checks of an epoch and counting of fuel take as multiples of them.\n\n{table}",
            options.runs
        );
    }
    Ok(Value::Array(record))
}

fn compare(
    options: &Options,
    engines: &[&Ready],
    programs: &[&Built],
    failures: &mut Vec<String>,
    record: &mut Vec<Value>,
) -> Table {
    let headings = engines.iter().flat_map(|engine| {
        VARIANTS.iter().enumerate().map(|(index, (variant, _))| {
            let what = if index == 0 { unit(options) } else { variant };
            format!("{} {what}", engine.name)
        })
    });
    let mut table = Table::new(std::iter::once("program".to_owned()).chain(headings));
    let mut ratios = vec![Vec::new(); engines.len() * VARIANTS.len()];
    for built in programs {
        let name = built.program.guest.name;
        eprintln!("running {name} with interruption");
        let samples = match alternate(options, engines, built) {
            Ok(samples) => samples,
            Err(error) => {
                failures.push(format!("{name} with interruption: {error:#}"));
                continue;
            }
        };
        let medians: Vec<f64> = samples
            .iter()
            .map(|samples| middle(options, samples))
            .collect();
        let mut cells = vec![name.to_owned()];
        for (index, samples) in samples.iter().enumerate() {
            let (engine, variant) = (index / VARIANTS.len(), index % VARIANTS.len());
            let times = medians[index] / medians[engine * VARIANTS.len()];
            ratios[index].push(times);
            cells.push(match variant {
                0 => format!("{:.0}", medians[index]),
                _ => ratio(times),
            });
            record.push(json!({
                "program": name,
                "engine": engines[engine].name,
                "variant": VARIANTS[variant].0,
                "samples": samples.iter().map(Sample::to_json).collect::<Vec<_>>(),
            }));
        }
        eprintln!("  {}", cells.join("  "));
        table.row(cells);
    }
    let means = ratios.into_iter().enumerate().map(|(index, ratios)| {
        let mean = geomean(ratios).filter(|_| index % VARIANTS.len() != 0);
        mean.map_or_else(String::new, ratio)
    });
    table.row(std::iter::once("geomean".to_owned()).chain(means));
    table
}

/// Runs one program in every variant of every engine in turn, as often as asked: a list of samples for each, variants of an engine together.
fn alternate(options: &Options, engines: &[&Ready], built: &Built) -> Result<Vec<Vec<Sample>>> {
    let mut runs = Vec::new();
    for engine in engines {
        for (variant, more) in VARIANTS {
            let engine = engine.variant(variant, more);
            let form = Form::Precompiled(engine.precompiled(&built.wasm)?);
            runs.push(Run {
                name: format!("{} {variant}", engine.name),
                command: Box::new(move || engine.run(&form, &[built.program.size])),
            });
        }
    }
    alternate_runs(options, &runs)
}
