//! Instantiation and calls across the boundary, in nanoseconds, through the embedding API.
//!
//! One host program, `benches/embed/src/main.rs`, is built twice: as a member of this workspace
//! against `meantime`, and by `benches/embed/peer/Cargo.toml` against `wasmtime`. It prints a line
//! for each thing measured.

use super::Options;
use super::measure::{geomean, median};
use super::table::{Table, ratio};
use crate::paths;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

pub(super) fn run(options: &Options) -> Result<Value> {
    let wanted = |name: &str| {
        options.engines.is_empty() || options.engines.iter().any(|engine| engine == name)
    };
    let mut hosts = Vec::new();
    if wanted("wasmtime") {
        hosts.push(("wasmtime", peer()?));
    }
    if wanted("meantime") {
        hosts.push(("meantime", ours()?));
    }
    let mut order: Vec<String> = Vec::new();
    let mut times: Vec<Vec<Vec<f64>>> = vec![Vec::new(); hosts.len()];
    for round in 0..options.runs {
        for (host, (name, executable)) in hosts.iter().enumerate() {
            eprintln!(
                "measuring the embedding of {name} ({}/{})",
                round + 1,
                options.runs
            );
            let output = Command::new(executable)
                .output()
                .with_context(|| format!("cannot start {}", executable.display()))?;
            ensure!(
                output.status.success(),
                "{} failed:\n{}",
                executable.display(),
                String::from_utf8_lossy(&output.stderr)
            );
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                let (what, ns) = line
                    .split_once('\t')
                    .with_context(|| format!("unexpected output {line:?}"))?;
                let row = order
                    .iter()
                    .position(|known| known == what)
                    .unwrap_or_else(|| {
                        order.push(what.to_owned());
                        order.len() - 1
                    });
                let rows = &mut times[host];
                rows.resize(rows.len().max(row + 1), Vec::new());
                rows[row].push(
                    ns.parse()
                        .with_context(|| format!("unexpected output {line:?}"))?,
                );
            }
        }
    }
    let compare = hosts.len() == 2;
    let mut table = Table::new(
        std::iter::once("ns each".to_owned())
            .chain(hosts.iter().map(|(name, _)| (*name).to_owned()))
            .chain(compare.then(|| "ratio".to_owned())),
    );
    let mut ratios = Vec::new();
    let mut record = Vec::new();
    for (row, what) in order.iter().enumerate() {
        let middle = |host: usize| {
            times[host]
                .get(row)
                .and_then(|values| median(values.iter().copied()))
        };
        let mut cells = vec![what.clone()];
        for (host, (name, _)) in hosts.iter().enumerate() {
            cells.push(middle(host).map_or("-".into(), |ns| format!("{ns:.1}")));
            record.push(json!({ "what": what, "engine": name, "ns": times[host].get(row) }));
        }
        if let (true, Some(base), Some(ours)) =
            (compare, middle(0), hosts.get(1).and_then(|_| middle(1)))
        {
            ratios.push(ours / base);
            cells.push(ratio(ours / base));
        }
        table.row(cells);
    }
    if let Some(mean) = geomean(ratios) {
        table.row([
            "geomean".to_owned(),
            String::new(),
            String::new(),
            ratio(mean),
        ]);
    }
    println!(
        "\n## Instantiation and host calls\n\nMedians of {} alternating runs of `benches/embed`.\n\n{table}",
        options.runs
    );
    Ok(Value::Array(record))
}

/// The host program on Wasmtime.
pub(super) fn peer() -> Result<PathBuf> {
    build(
        &["--manifest-path", "benches/embed/peer/Cargo.toml"],
        "embed-peer",
        "meantime-bench-embed-peer",
    )
}

/// The host program on Meantime.
pub(super) fn ours() -> Result<PathBuf> {
    build(
        &["--package", "meantime-bench-embed"],
        "",
        "meantime-bench-embed",
    )
}

/// Builds a host program; `folder` is its target folder below the cache, or nothing for the
/// workspace's own.
fn build(which: &[&str], folder: &str, name: &str) -> Result<PathBuf> {
    let target = if folder.is_empty() {
        paths::target()
    } else {
        paths::tools().join(folder)
    };
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release"])
        .args(which)
        .arg("--target-dir")
        .arg(&target)
        .current_dir(paths::workspace())
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the host program {name} does not build");
    Ok(target.join("release").join(name))
}
