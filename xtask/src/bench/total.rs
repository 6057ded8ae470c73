//! The whole life of a process that runs a program from its bytes: compiling, running, and in tiers both at once.
//!
//! The best of both means that the default is as good as whichever of its compilers alone is better, whether a program runs for a moment or for
//! seconds. So each program runs at several sizes, and the default is compared with the better of the two.

use super::engines::{ENGINES, Engine, Form, Ready};
use super::measure::{geomean, measure, median};
use super::table::{Table, ratio};
use super::{Built, Options};
use anyhow::Result;
use serde_json::{Value, json};

/// The engines that take part.
const COMPARED: [&str; 4] = ["wasmtime", "meantime", "baseline", "optimized"];
/// The engines whose better one the default is compared with.
const ALONE: [&str; 2] = ["baseline", "optimized"];

pub(super) fn run(options: &Options, programs: &[Built]) -> Result<Value> {
    let wanted = |name: &str| {
        options.engines.is_empty() || options.engines.iter().any(|wanted| wanted == name)
    };
    let engines: Vec<Ready> = ENGINES
        .iter()
        .filter(|engine| COMPARED.contains(&engine.name) && wanted(engine.name))
        .map(Engine::prepare)
        .collect::<Result<_>>()?;
    let place = |name: &str| engines.iter().position(|engine| engine.name == name);
    let (ours, wasmtime) = (place("meantime"), place("wasmtime"));
    let alone: Vec<usize> = ALONE.iter().filter_map(|name| place(name)).collect();
    let mut table = Table::new(
        ["program".to_owned(), "size".to_owned()]
            .into_iter()
            .chain(engines.iter().map(|engine| format!("{} ms", engine.name)))
            .chain(["of the better alone".to_owned(), "of wasmtime".to_owned()]),
    );
    let (mut of_better, mut of_wasmtime) = (Vec::new(), Vec::new());
    let mut record = Vec::new();
    for built in programs {
        if built.program.managed() || built.program.size.is_empty() {
            continue;
        }
        let name = built.program.guest.name;
        let sizes = built.program.small.into_iter().chain([built.program.size]);
        for size in sizes {
            eprintln!("running all of {name} {size}");
            let form = Form::Wasm(built.wasm.clone());
            let mut times = vec![Vec::new(); engines.len()];
            for _ in 0..options.runs {
                for (engine, times) in engines.iter().zip(&mut times) {
                    let sample = measure(engine.run(&form, &[size]))?;
                    times.push(sample.wall.as_secs_f64() * 1e3);
                }
            }
            let middle: Vec<f64> = times
                .iter()
                .map(|times| median(times.iter().copied()).unwrap_or(f64::NAN))
                .collect();
            let mut cells = vec![name.to_owned(), size.to_owned()];
            cells.extend(middle.iter().map(|ms| format!("{ms:.1}")));
            let better = alone
                .iter()
                .map(|&i| middle[i])
                .min_by(|a, b| a.total_cmp(b));
            let mut compare = |base: Option<f64>, all: &mut Vec<f64>| {
                let value = ours.zip(base).map(|(ours, base)| middle[ours] / base);
                all.extend(value);
                cells.push(value.map_or("-".to_owned(), ratio));
            };
            compare(better, &mut of_better);
            compare(wasmtime.map(|i| middle[i]), &mut of_wasmtime);
            eprintln!("  {}", cells.join("  "));
            table.row(cells);
            for (engine, times) in engines.iter().zip(&times) {
                record.push(
                    json!({ "program": name, "size": size, "engine": engine.name, "wall_ms": times }),
                );
            }
        }
    }
    let mean = |values: Vec<f64>| geomean(values).map_or("-".to_owned(), ratio);
    let empty = std::iter::repeat_n(String::new(), engines.len() + 1);
    table.row(
        std::iter::once("geomean".to_owned())
            .chain(empty)
            .chain([mean(of_better), mean(of_wasmtime)]),
    );
    println!(
        "\n## Whole runs from bytes\n\nMilliseconds from the start of the process to its end; medians of {} alternating runs.\n\n{table}",
        options.runs
    );
    Ok(Value::Array(record))
}
