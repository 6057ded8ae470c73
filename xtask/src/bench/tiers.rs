//! The first tier by itself: how fast baseline compilers compile, on one thread and with validation, within one process.
//!
//! Megabytes are those of the code section: names and data cost next to nothing.

use super::engines::{Kind, Ready};
use super::measure::{geomean, measure, median};
use super::table::{Table, ratio};
use super::{Built, Options};
use crate::paths;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Code below which a module is compiled often, so that a sample is long enough.
const TIMES_MEGABYTES: f64 = 8.0;
const MOST_TIMES: f64 = 50.0;

/// The command that compiles a file so often.
type Compile = Box<dyn Fn(&Path, usize) -> Command>;

/// What is compared: by what the process says a compilation took, so that its start is none of it.
struct Column {
    name: &'static str,
    command: Compile,
}

pub(super) fn run(options: &Options, engines: &[Ready], programs: &[Built]) -> Result<Value> {
    let columns = columns(options, engines)?;
    let mut table = Table::new(
        ["module".to_owned(), "MB of code".to_owned()]
            .into_iter()
            .chain(columns.iter().map(|c| format!("{} MB/s", c.name)))
            .chain(
                columns[1..]
                    .iter()
                    .map(|c| format!("{} / {}", columns[0].name, c.name)),
            ),
    );
    let mut rates = vec![Vec::new(); columns.len()];
    let mut record = Vec::new();
    for built in programs.iter().filter(|built| built.program.large) {
        let name = built.program.guest.name;
        eprintln!("compiling {name} with baseline compilers");
        let megabytes = code_bytes(&std::fs::read(&built.wasm)?)
            .with_context(|| format!("{name} is not a module"))? as f64
            / 1e6;
        let times = (TIMES_MEGABYTES / megabytes).clamp(1.0, MOST_TIMES) as usize;
        let mut seconds = vec![Vec::new(); columns.len()];
        for _ in 0..options.runs {
            for (column, seconds) in columns.iter().zip(&mut seconds) {
                let sample = measure((column.command)(&built.wasm, times))?;
                seconds.push(sample.cpu.as_secs_f64());
            }
        }
        let mut cells = vec![name.to_owned(), format!("{megabytes:.2}")];
        let middle: Vec<f64> = seconds
            .iter()
            .map(|s| megabytes / median(s.iter().copied()).unwrap_or(f64::NAN))
            .collect();
        for (index, rate) in middle.iter().enumerate() {
            rates[index].push(*rate);
            cells.push(format!("{rate:.1}"));
            record.push(json!({ "module": name, "compiler": columns[index].name, "code_bytes": megabytes * 1e6, "cpu_s": seconds[index] }));
        }
        cells.extend(middle[1..].iter().map(|rate| ratio(middle[0] / rate)));
        table.row(cells);
    }
    let means: Vec<f64> = rates
        .iter()
        .map(|values| geomean(values.iter().copied()).unwrap_or(f64::NAN))
        .collect();
    table.row(
        ["geomean".to_owned(), String::new()]
            .into_iter()
            .chain(means.iter().map(|mean| format!("{mean:.1}")))
            .chain(means[1..].iter().map(|mean| ratio(means[0] / mean))),
    );
    println!(
        "\n## Baseline compilers\n\nMB of code per second of processor time, validation included, one thread, in one process; medians of {} alternating runs.\n\n{table}",
        options.runs
    );
    Ok(Value::Array(record))
}

fn columns(options: &Options, engines: &[Ready]) -> Result<Vec<Column>> {
    let wanted = |name: &str| {
        options.engines.is_empty() || options.engines.iter().any(|engine| engine == name)
    };
    let host = |name: &'static str, executable: std::path::PathBuf| Column {
        name,
        command: Box::new(move |wasm, times| {
            let mut command = Command::new(&executable);
            command.arg("compile").arg(wasm).arg(times.to_string());
            command
        }),
    };
    let mut columns = vec![host("baseline", super::embed::ours()?)];
    if wanted("winch") {
        columns.push(host("winch", super::embed::peer()?));
    }
    if let Some(node) = engines.iter().find(|engine| engine.kind == Kind::Node) {
        let executable = node.executable().to_owned();
        columns.push(Column {
            name: "liftoff",
            command: Box::new(move |wasm, times| {
                let mut command = Command::new(&executable);
                command
                    .args([
                        "--no-warnings",
                        "--liftoff-only",
                        "--no-wasm-lazy-compilation",
                    ])
                    .arg(paths::workspace().join("benches/node/compile.mjs"))
                    .arg(wasm)
                    .arg(times.to_string());
                command
            }),
        });
    }
    ensure!(columns.len() > 1, "there is nothing to compare with");
    Ok(columns)
}

/// Bytes of a module's code section.
fn code_bytes(wasm: &[u8]) -> Option<usize> {
    const CODE: u8 = 10;
    let mut rest = wasm.strip_prefix(b"\0asm\x01\0\0\0")?;
    while let Some((&id, after)) = rest.split_first() {
        let (mut size, mut shift, mut after) = (0usize, 0, after);
        loop {
            let (&byte, next) = after.split_first()?;
            after = next;
            size |= usize::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if id == CODE {
            return Some(size);
        }
        rest = after.get(size..)?;
    }
    Some(0)
}

#[cfg(test)]
mod tests {
    use super::code_bytes;

    #[test]
    fn the_code_section_is_found() {
        let wasm = b"\0asm\x01\0\0\0\x01\x02ab\x0a\x85\x00abcde";
        assert_eq!(code_bytes(wasm), Some(5));
        assert_eq!(code_bytes(b"\0asm\x01\0\0\0"), Some(0));
        assert_eq!(code_bytes(b"\0asm\x01\0\0\0\x01\x09ab"), None);
        assert_eq!(code_bytes(b"\x7fELF"), None);
    }
}
