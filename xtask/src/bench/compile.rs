//! Compile throughput: megabytes of Wasm per second of processor time, over the suite's larger
//! modules.
//!
//! User and system time of the whole `compile` command are added, so that compiling on many cores
//! does not look cheap.

use super::engines::{Kind, Ready};
use super::measure::{geomean, measure, median};
use super::table::Table;
use super::{Built, Options};
use anyhow::Result;
use serde_json::{Value, json};

/// Both ways to compile: as the command does by itself, and on one thread.
const MODES: [(&str, &[&str]); 2] = [("", &[]), (" 1 thread", &["-C", "parallel-compilation=n"])];

pub(super) fn run(options: &Options, engines: &[Ready], programs: &[Built]) -> Result<Value> {
    let engines: Vec<&Ready> = engines
        .iter()
        .filter(|engine| engine.kind == Kind::Command)
        .collect();
    let columns = || {
        engines.iter().flat_map(|engine| {
            MODES
                .iter()
                .map(move |(label, more)| (*engine, *label, *more))
        })
    };
    let mut table = Table::new(
        ["module".to_owned(), "MB".to_owned()]
            .into_iter()
            .chain(columns().map(|(engine, label, _)| format!("{}{label}", engine.name))),
    );
    let mut rates = vec![Vec::new(); columns().count()];
    let mut record = Vec::new();
    let output = crate::paths::tools().join("compile-throughput.cwasm");
    for built in programs.iter().filter(|built| built.program.large) {
        let name = built.program.guest.name;
        eprintln!("compiling {name}");
        let megabytes = std::fs::metadata(&built.wasm)?.len() as f64 / 1e6;
        let mut seconds = vec![Vec::new(); rates.len()];
        for _ in 0..options.runs.min(5) {
            for (index, (engine, _, more)) in columns().enumerate() {
                let sample = measure(engine.compile(&built.wasm, &output, more))?;
                seconds[index].push(sample.cpu.as_secs_f64());
            }
        }
        let mut cells = vec![name.to_owned(), format!("{megabytes:.2}")];
        for (index, (engine, label, _)) in columns().enumerate() {
            let rate = megabytes / median(seconds[index].iter().copied()).unwrap_or(f64::NAN);
            rates[index].push(rate);
            cells.push(format!("{rate:.2}"));
            record.push(json!({ "module": name, "engine": engine.name, "mode": label.trim(), "bytes": megabytes * 1e6, "cpu_s": seconds[index] }));
        }
        table.row(cells);
    }
    let means = rates.iter().map(|values| {
        geomean(values.iter().copied()).map_or("-".into(), |mean| format!("{mean:.2}"))
    });
    table.row(
        ["geomean".to_owned(), String::new()]
            .into_iter()
            .chain(means),
    );
    println!(
        "\n## Compile throughput\n\nMB of Wasm per second of processor time (user and system); more is better.\n\n{table}"
    );
    Ok(Value::Array(record))
}
