//! What 64-bit addresses cost: kernels in C built for memory of 32-bit and of 64-bit addresses, both
//! without a C library, and each engine compared with itself.
//!
//! Where a kernel's data holds pointers there is more of it with 64 bits, which is a part of the
//! ratio that no engine can help.

use super::Options;
use super::engines::{Engine, Form, Kind, Ready};
use super::measure::{Sample, geomean};
use super::programs::Program;
use super::steady::{Run, alternate_runs, middle, unit};
use super::table::{Table, ratio};
use crate::toolbox::build::build;
use crate::toolbox::fetch::{self, Compilers};
use crate::toolbox::guest::Target;
use anyhow::Result;
use serde_json::{Value, json};

/// Those programs of the suite that need no more of a C library than
/// `benches/include/freestanding.h` has, and spend their time on memory.
const KERNELS: &[&str] = &[
    "sieve",
    "matmul",
    "sha256",
    "blake3",
    "quicksort",
    "sort_callback",
    "hash_map",
    "base64",
    "richards",
    "regex",
    "interpreter",
    "binary_trees",
];

const WIDTHS: [(u32, Target); 2] = [(32, Target::Freestanding32), (64, Target::Freestanding64)];

pub(super) fn run(options: &Options, failures: &mut Vec<String>) -> Result<Value> {
    let programs: Vec<&Program> = options
        .programs()
        .into_iter()
        .filter(|program| KERNELS.contains(&program.guest.name))
        .collect();
    let engines = options
        .engines()
        .into_iter()
        .filter(|engine| engine.kind == Kind::Command)
        .map(Engine::prepare)
        .collect::<Result<Vec<_>>>()?;
    if programs.is_empty() || engines.is_empty() {
        return Ok(Value::Null);
    }
    let compilers = fetch::compilers()?;
    let mut table = Table::new(std::iter::once("program".to_owned()).chain(
        engines.iter().flat_map(|engine| {
            [
                format!("{} {}", engine.name, unit(options)),
                format!("{} 64/32", engine.name),
            ]
        }),
    ));
    let mut ratios = vec![Vec::new(); engines.len()];
    let mut record = Vec::new();
    for program in programs {
        let name = program.guest.name;
        eprintln!("running {name} with both widths");
        let rows = match alternate(options, &compilers, &engines, program) {
            Ok(rows) => rows,
            Err(error) => {
                failures.push(format!("{name} of memory64: {error:#}"));
                continue;
            }
        };
        let mut cells = vec![name.to_owned()];
        for (index, (engine, widths)) in engines.iter().zip(rows.chunks(2)).enumerate() {
            for ((width, _), samples) in WIDTHS.iter().zip(widths) {
                record.push(json!({
                    "program": name,
                    "engine": engine.name,
                    "width": width,
                    "samples": samples.iter().map(Sample::to_json).collect::<Vec<_>>(),
                }));
            }
            let (narrow, wide) = (middle(options, &widths[0]), middle(options, &widths[1]));
            ratios[index].push(wide / narrow);
            cells.push(format!("{narrow:.0}"));
            cells.push(ratio(wide / narrow));
        }
        eprintln!("  {}", cells.join("  "));
        table.row(cells);
    }
    table.row(
        std::iter::once("geomean".to_owned()).chain(ratios.into_iter().flat_map(|ratios| {
            [
                String::new(),
                geomean(ratios).map_or_else(|| "-".into(), ratio),
            ]
        })),
    );
    println!(
        "\n## 64-bit memories\n\nThe same C for both widths; medians of {} alternating runs, and what 64 bits take as a multiple of 32.\n\n{table}",
        options.runs
    );
    Ok(Value::Array(record))
}

/// Runs one program with both widths on every engine in turn, as often as asked: samples of each width, those of an engine together.
fn alternate(
    options: &Options,
    compilers: &Compilers,
    engines: &[Ready],
    program: &Program,
) -> Result<Vec<Vec<Sample>>> {
    let mut wasm = Vec::new();
    for (_, target) in WIDTHS {
        wasm.push(build(compilers, &program.guest, target)?);
    }
    let mut runs = Vec::new();
    for engine in engines {
        for ((width, _), wasm) in WIDTHS.iter().zip(&wasm) {
            let form = Form::Precompiled(engine.precompiled(wasm)?);
            runs.push(Run {
                name: format!("{} with {width} bits", engine.name),
                command: Box::new(move || engine.run(&form, &[program.size])),
            });
        }
    }
    alternate_runs(options, &runs)
}

#[cfg(test)]
mod tests {
    use super::super::programs::PROGRAMS;
    use super::*;

    #[test]
    fn kernels_are_programs_of_the_suite() {
        for name in KERNELS {
            assert!(
                PROGRAMS.iter().any(|program| program.guest.name == *name),
                "{name} is no program"
            );
        }
    }
}
