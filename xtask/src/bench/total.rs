//! The whole life of a process that runs a program from its bytes: compiling, running, and in tiers both at once.
//!
//! The best of both means that the default is as good as whichever of its compilers alone is better, whether a program runs for a moment or for
//! seconds. So each program runs at several sizes, and the default is compared with the better of the two. Whatever else a machine does adds to
//! times and takes nothing away, and here few runs decide; so the fastest runs are compared as well as the medians.

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
/// What the default is compared with.
const COMPARISONS: [&str; 3] = ["of the better alone", "of its fastest run", "of wasmtime"];

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
            .chain(COMPARISONS.map(str::to_owned)),
    );
    let mut means: [Vec<f64>; COMPARISONS.len()] = Default::default();
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
            let least = |values: &mut dyn Iterator<Item = f64>| values.min_by(f64::total_cmp);
            let middle = |i: usize| median(times[i].iter().copied()).unwrap_or(f64::NAN);
            let fastest = |i: usize| least(&mut times[i].iter().copied()).unwrap_or(f64::NAN);
            let mut cells = vec![name.to_owned(), size.to_owned()];
            cells.extend((0..engines.len()).map(|i| format!("{:.1}", middle(i))));
            let better = |of: &dyn Fn(usize) -> f64| least(&mut alone.iter().map(|i| of(*i)));
            let compared = [
                (ours.map(middle), better(&middle)),
                (ours.map(fastest), better(&fastest)),
                (ours.map(middle), wasmtime.map(middle)),
            ];
            for ((ours, base), mean) in compared.into_iter().zip(&mut means) {
                let value = ours.zip(base).map(|(ours, base)| ours / base);
                mean.extend(value);
                cells.push(value.map_or("-".to_owned(), ratio));
            }
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
            .chain(means.map(mean)),
    );
    println!(
        "\n## Whole runs from bytes\n\nMilliseconds from the start of the process to its end; medians of {} alternating runs, \
         and the fastest run of the default as a multiple of the fastest run of the better.\n\n{table}",
        options.runs
    );
    Ok(Value::Array(record))
}
