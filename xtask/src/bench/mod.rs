//! `cargo xtask bench`: real programs, side by side with peers, as Markdown tables of ratios.
//!
//! Its sections are a file each: `steady` (how fast compiled code runs), `compile` (Wasm per CPU second), `tiers` (the same for baseline
//! compilers), `start` (a process that does little), `total` (a process that does much, from bytes), `embed` (instantiation and host calls through
//! the API), `memory64` (what 64-bit addresses cost), `interruption` (what fuel and epochs cost) and `profile` (what profiles are worth). Runs of the engines alternate, so that a
//! machine that slows down slows all of them down,
//! and medians are compared. A program whose checksum differs between two engines is a failure and
//! not a line of a table.

mod compile;
mod embed;
mod engines;
mod interruption;
mod measure;
mod memory64;
mod profile;
pub mod programs;
mod start;
mod steady;
mod table;
mod tiers;
mod total;

use crate::toolbox::build::build;
use crate::toolbox::fetch;
use crate::toolbox::guest::Target;
use anyhow::{Context, Result, bail, ensure};
use engines::{ENGINES, Engine, Kind, Ready};
use programs::{PROGRAMS, Program};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask bench [OPTIONS]

  --section A,B     steady, compile, tiers, start, total, embed, memory64, interruption,
                    profile; all by default
  --programs A,B    only programs whose name contains one of these
  --engines A,B     only these engines; a ratio's base is `wasmtime`, or the first of them
  --runs N          runs of each steady-state pair; 5 by default (start-up takes four times as many)
  --instructions    compare instructions instead of time in the steady section, counted with `perf stat`; without node
  --cpu             compare processor time of the whole process instead of the program's own clock in the steady
                    and memory64 sections: less exact, but the thing to do on a machine that is busy with something else
  --json FILE       write every sample there
  --list            print programs and engines, measure nothing
";

const SECTIONS: [&str; 9] = [
    "steady",
    "compile",
    "tiers",
    "start",
    "total",
    "embed",
    "memory64",
    "interruption",
    "profile",
];

/// What was asked for on the command line.
#[derive(Debug)]
struct Options {
    sections: Vec<String>,
    programs: Vec<String>,
    engines: Vec<String>,
    runs: usize,
    instructions: bool,
    cpu: bool,
    json: Option<PathBuf>,
    list: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Option<Self>> {
        let mut options = Options {
            sections: SECTIONS.map(String::from).into(),
            programs: Vec::new(),
            engines: Vec::new(),
            runs: 5,
            instructions: false,
            cpu: false,
            json: None,
            list: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| args.next().cloned())
                    .with_context(|| format!("{name} needs a value"))
            };
            let list = |text: String| {
                text.split(',')
                    .map(|part| part.trim().to_owned())
                    .collect::<Vec<_>>()
            };
            match name {
                "--section" | "--sections" => options.sections = list(value()?),
                "--programs" => options.programs = list(value()?),
                "--engines" => options.engines = list(value()?),
                "--runs" => options.runs = value()?.parse().context("--runs needs a number")?,
                "--json" => options.json = Some(value()?.into()),
                "--instructions" => options.instructions = true,
                "--cpu" => options.cpu = true,
                "--list" => options.list = true,
                "--help" | "-h" => return Ok(None),
                _ => bail!("unknown option {arg}\n{USAGE}"),
            }
        }
        for section in &options.sections {
            ensure!(
                SECTIONS.contains(&section.as_str()),
                "no section is called {section}"
            );
        }
        for engine in &options.engines {
            ensure!(
                ENGINES.iter().any(|known| known.name == engine),
                "no engine is called {engine}; see --list"
            );
        }
        ensure!(options.runs > 0, "--runs must be at least 1");
        Ok(Some(options))
    }

    fn has(&self, section: &str) -> bool {
        self.sections.iter().any(|wanted| wanted == section)
    }

    fn engines(&self) -> Vec<&'static Engine> {
        ENGINES
            .iter()
            .filter(|engine| match self.engines.is_empty() {
                true => engine.by_default,
                false => self.engines.iter().any(|name| name == engine.name),
            })
            .collect()
    }

    /// How often each thing runs in a comparison of running times.
    fn steady_runs(&self) -> usize {
        // Counts of instructions hardly vary.
        if self.instructions { 1 } else { self.runs }
    }

    fn programs(&self) -> Vec<&'static Program> {
        let wanted = |program: &&Program| {
            self.programs.is_empty()
                || self
                    .programs
                    .iter()
                    .any(|part| program.guest.name.contains(part.as_str()))
        };
        PROGRAMS.iter().filter(wanted).collect()
    }
}

/// A program that has been built for every target that the chosen engines need.
#[derive(Debug)]
struct Built {
    program: &'static Program,
    wasm: PathBuf,
    native: Option<PathBuf>,
}

impl Built {
    fn native(&self) -> Result<PathBuf> {
        self.native
            .clone()
            .with_context(|| format!("{} has no native form", self.program.guest.name))
    }
}

/// Runs the command.
///
/// # Errors
/// When tools cannot be fetched, a program does not build or fails, or checksums disagree.
pub fn main(args: &[String]) -> Result<ExitCode> {
    if let Some((measure::PEAK, command)) = args.split_first().map(|(a, b)| (a.as_str(), b)) {
        measure::print_peak(command)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(options) = Options::parse(args)? else {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    if options.list {
        list(&options);
        return Ok(ExitCode::SUCCESS);
    }
    let mut record = serde_json::Map::new();
    let mut failures = Vec::new();
    if [
        "steady",
        "compile",
        "tiers",
        "start",
        "total",
        "interruption",
        "profile",
    ]
    .iter()
    .any(|section| options.has(section))
    {
        let (engines, programs) = prepare(&options)?;
        if options.has("steady") {
            record.insert(
                "steady".into(),
                steady::run(&options, &engines, &programs, &mut failures)?,
            );
        }
        if options.has("compile") {
            record.insert(
                "compile".into(),
                compile::run(&options, &engines, &programs)?,
            );
        }
        if options.has("tiers") {
            record.insert("tiers".into(), tiers::run(&options, &engines, &programs)?);
        }
        if options.has("start") {
            record.insert("start".into(), start::run(&options, &engines, &programs)?);
        }
        if options.has("total") {
            record.insert("total".into(), total::run(&options, &programs)?);
        }
        if options.has("interruption") {
            record.insert(
                "interruption".into(),
                interruption::run(&options, &engines, &programs, &mut failures)?,
            );
        }
        if options.has("profile") {
            record.insert(
                "profile".into(),
                profile::run(&options, &engines, &programs, &mut failures)?,
            );
        }
    }
    if options.has("embed") {
        record.insert("embed".into(), embed::run(&options)?);
    }
    if options.has("memory64") {
        record.insert("memory64".into(), memory64::run(&options, &mut failures)?);
    }
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&record)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    for failure in &failures {
        eprintln!("FAILED: {failure}");
    }
    Ok(if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn list(options: &Options) {
    println!("engines:");
    for engine in options.engines() {
        println!("  {:<16} {}", engine.name, engine.about);
    }
    println!("programs:");
    for program in options.programs() {
        println!(
            "  {:<16} steady size {:<9} start-up {:<5} {}",
            program.guest.name,
            program.size,
            program.small.unwrap_or("-"),
            what(program)
        );
    }
}

fn what(program: &Program) -> String {
    use crate::toolbox::guest::Source;
    match program.guest.source {
        Source::C(file) | Source::Go(file) | Source::Text(file) => file.to_owned(),
        Source::Library(library) => format!("{} + {}", library.driver, library.package),
    }
}

/// Fetches tools and builds engines and programs, before anything is timed.
fn prepare(options: &Options) -> Result<(Vec<Ready>, Vec<Built>)> {
    let engines = options
        .engines()
        .into_iter()
        .filter(|engine| !(options.instructions && engine.name == "node"))
        .map(Engine::prepare)
        .collect::<Result<Vec<_>>>()?;
    let compilers = fetch::compilers()?;
    let native = engines.iter().any(|engine| engine.kind == Kind::Native);
    let mut built = Vec::new();
    let empty = options.has("start").then_some(&programs::EMPTY);
    for program in empty.into_iter().chain(options.programs()) {
        built.push(Built {
            program,
            wasm: build(&compilers, &program.guest, Target::Wasm)?,
            native: if native && !program.managed() {
                Some(build(&compilers, &program.guest, Target::Native)?)
            } else {
                None
            },
        });
    }
    Ok((engines, built))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn parse(args: &[&str]) -> Result<Option<Options>> {
        Options::parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_wrong_ones_refused() {
        let options = parse(&[
            "--programs",
            "fib,sha2",
            "--engines=wasmtime,native",
            "--runs",
            "3",
        ])
        .unwrap()
        .unwrap();
        let names: Vec<_> = options
            .programs()
            .iter()
            .map(|program| program.guest.name)
            .collect();
        assert_eq!(names, ["fib", "sha256"]);
        assert_eq!(options.engines().len(), 2);
        assert_eq!(options.runs, 3);
        assert!(parse(&["--help"]).unwrap().is_none());
        for wrong in [
            &["--runs", "0"][..],
            &["--runs"],
            &["--section", "stedy"],
            &["--engines", "v9"],
            &["fib"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?} was accepted");
        }
    }

    #[test]
    fn names_are_unique_and_there_are_enough_programs() {
        let names: HashSet<_> = PROGRAMS.iter().map(|program| program.guest.name).collect();
        assert_eq!(names.len(), PROGRAMS.len());
        assert!(PROGRAMS.len() >= 25);
    }
}
