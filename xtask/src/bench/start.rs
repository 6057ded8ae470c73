//! Cold start: a whole process, from being started to its exit, that has next to nothing to do.
//!
//! Commands are measured both from Wasm bytes (compiling is part of starting) and from a `.cwasm`
//! file.

use super::engines::{Form, Kind, Ready};
use super::measure::{geomean, measure, median};
use super::table::Table;
use super::{Built, Options};
use anyhow::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the runs of one program may take together before there are no more of them, if there
/// are a few already.
const PATIENCE: Duration = Duration::from_secs(15);
const ENOUGH: usize = 3;

pub(super) fn run(options: &Options, engines: &[Ready], programs: &[Built]) -> Result<Value> {
    let mut headings = vec!["program".to_owned()];
    for engine in engines {
        headings.push(engine.name.to_owned());
        if engine.kind == Kind::Command {
            headings.push(format!("{} .cwasm", engine.name));
        }
    }
    let columns = headings.len() - 1;
    let mut table = Table::new(headings.clone());
    let mut all = vec![Vec::new(); columns];
    let mut record = Vec::new();
    for built in programs {
        let Some(small) = built.program.small else {
            continue;
        };
        let name = built.program.guest.name;
        eprintln!("starting {name}");
        let args: Vec<&str> = if small.is_empty() {
            vec![]
        } else {
            vec![small]
        };
        let mut forms = Vec::new();
        for engine in engines {
            match engine.kind {
                Kind::Native => forms.push((engine, Form::Native(built.native()?))),
                Kind::Node => forms.push((engine, Form::Wasm(built.wasm.clone()))),
                Kind::Command => {
                    forms.push((engine, Form::Wasm(built.wasm.clone())));
                    forms.push((engine, Form::Precompiled(engine.precompiled(&built.wasm)?)));
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
            for (index, (engine, form)) in forms.iter().enumerate() {
                times[index].push(measure(engine.run(form, &args))?.wall.as_secs_f64() * 1e3);
            }
        }
        let mut cells = vec![name.to_owned()];
        for (index, times) in times.iter().enumerate() {
            let middle = median(times.iter().copied()).unwrap_or(f64::NAN);
            all[index].push(middle);
            cells.push(format!("{middle:.1}"));
            record
                .push(json!({ "program": name, "engine": headings[index + 1], "wall_ms": times }));
        }
        table.row(cells);
    }
    let means = all.iter().map(|values| {
        geomean(values.iter().copied()).map_or("-".into(), |mean| format!("{mean:.1}"))
    });
    table.row(std::iter::once("geomean".to_owned()).chain(means));
    println!(
        "\n## Cold start\n\nMilliseconds of a whole process that does little; medians of up to {} alternating runs.\n\n{table}",
        options.runs * 4
    );
    Ok(Value::Array(record))
}
