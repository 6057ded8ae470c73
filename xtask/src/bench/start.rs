//! Cold start: a whole process, from being started to its exit, that has next to nothing to do.
//!
//! Commands are measured both from Wasm bytes (compiling is part of starting) and from a `.cwasm`
//! file; and how much memory they take at their peak.

use super::engines::{Form, Kind, Ready};
use super::measure::{geomean, measure, median, peak_mib};
use super::table::{Table, ratio};
use super::{Built, Options};
use crate::toolbox::fetch;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long the runs of one program may take together before there are no more of them, if there
/// are a few already.
const PATIENCE: Duration = Duration::from_secs(15);
const ENOUGH: usize = 3;
/// The engine that the others are compared with.
const OURS: &str = "meantime";

/// A program that does little.
struct Case {
    name: &'static str,
    wasm: PathBuf,
    native: Option<PathBuf>,
    args: Vec<&'static str>,
    /// Whether it is also started from a file that was compiled before.
    precompiled: bool,
}

/// The programs of the suite that can do little, and one that is much larger than they are.
fn cases(options: &Options, programs: &[Built]) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for built in programs {
        let Some(small) = built.program.small else {
            continue;
        };
        cases.push(Case {
            name: built.program.guest.name,
            wasm: built.wasm.clone(),
            native: built.native.clone(),
            args: Some(small)
                .filter(|arg| !arg.is_empty())
                .into_iter()
                .collect(),
            precompiled: true,
        });
    }
    let wanted = |part: &String| "yosys".contains(part.as_str());
    if options.programs.is_empty() || options.programs.iter().any(wanted) {
        cases.push(Case {
            name: "yosys",
            wasm: fetch::yosys()?.wasm,
            native: None,
            args: vec!["--version"],
            precompiled: false,
        });
    }
    Ok(cases)
}

pub(super) fn run(options: &Options, engines: &[Ready], programs: &[Built]) -> Result<Value> {
    let mut headings = vec!["program".to_owned()];
    for engine in engines {
        headings.push(engine.name.to_owned());
        if engine.kind == Kind::Command {
            headings.push(format!("{} .cwasm", engine.name));
        }
    }
    let columns = headings.len() - 1;
    let ours = headings[1..].iter().position(|heading| heading == OURS);
    let mut table = Table::new(headings.clone());
    let mut ratios = Table::new(headings.clone());
    let mut memory = Table::new(headings.clone());
    let mut all = vec![Vec::new(); columns];
    let mut record = Vec::new();
    for case in cases(options, programs)? {
        let name = case.name;
        eprintln!("starting {name}");
        let mut forms: Vec<Option<(&Ready, Form)>> = Vec::new();
        for engine in engines {
            match engine.kind {
                Kind::Native => {
                    let form = case.native.clone().map(Form::Native);
                    forms.push(form.map(|form| (engine, form)));
                }
                Kind::Node => forms.push(Some((engine, Form::Wasm(case.wasm.clone())))),
                Kind::Command => {
                    forms.push(Some((engine, Form::Wasm(case.wasm.clone()))));
                    forms.push(if case.precompiled {
                        let path = engine.precompiled(&case.wasm)?;
                        Some((engine, Form::Precompiled(path)))
                    } else {
                        None
                    });
                }
            }
        }
        let mut times = vec![Vec::new(); columns];
        let started = Instant::now();
        for run in 0..options.runs * 4 {
            // Large modules take seconds to compile; a few runs of those are enough.
            if run >= ENOUGH && started.elapsed() > PATIENCE {
                break;
            }
            for (form, times) in forms.iter().zip(&mut times) {
                if let Some((engine, form)) = form {
                    let sample = measure(engine.run(form, &case.args))?;
                    times.push(sample.wall.as_secs_f64() * 1e3);
                }
            }
        }
        let middle: Vec<Option<f64>> = times
            .iter()
            .map(|times| median(times.iter().copied()))
            .collect();
        let ours = ours.and_then(|ours| middle[ours]);
        let mut cells = vec![[name.to_owned(), name.to_owned(), name.to_owned()]];
        for (index, form) in forms.iter().enumerate() {
            let peak = match form {
                Some((engine, form)) => Some(peak_mib(engine.run(form, &case.args))?),
                None => None,
            };
            let of_ours = ours.zip(middle[index]).map(|(ours, other)| ours / other);
            all[index].extend(middle[index].zip(of_ours));
            let show = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.1}"));
            let ratio = of_ours.map_or("-".to_owned(), ratio);
            cells.push([show(middle[index]), ratio, show(peak)]);
            record.push(json!({
                "program": name, "engine": headings[index + 1], "wall_ms": times[index], "peak_mib": peak,
            }));
        }
        let column = |n: usize| -> Vec<String> { cells.iter().map(|c| c[n].clone()).collect() };
        table.row(column(0));
        ratios.row(column(1));
        memory.row(column(2));
    }
    let mean = |take: fn(&(f64, f64)) -> f64, show: fn(f64) -> String| {
        let means = all
            .iter()
            .map(|values| geomean(values.iter().map(take)).map_or("-".into(), show));
        std::iter::once("geomean".to_owned())
            .chain(means)
            .collect::<Vec<_>>()
    };
    table.row(mean(|(time, _)| *time, |mean| format!("{mean:.1}")));
    ratios.row(mean(|(_, of_ours)| *of_ours, ratio));
    println!(
        "\n## Cold start\n\nMilliseconds of a whole process that does little; medians of up to {} alternating runs.\n\n{table}",
        options.runs * 4
    );
    if ours.is_some() {
        println!("\nThe time of {OURS} from bytes, as a part of the others':\n\n{ratios}");
    }
    println!("\nMiB of memory at the peak:\n\n{memory}");
    Ok(Value::Array(record))
}
