//! The options that all commands which compile or run something share: `-O`, `-C`, `-D`, `-W`, `-S`, `-R`, `--target`, `--config`.
//! Options of one command alone are in that command's file.
//!
//! The keys are rows of tables (see [`table`]); here is how clap meets them, and the order in which they take effect:
//! the file first, then the command line, each from left to right, so that the last word counts.

mod codegen;
mod debug;
mod file;
mod help;
mod optimize;
mod parse;
mod plan;
mod record;
mod table;
mod wasi;
mod wasm;

pub use codegen::CODEGEN;
pub use debug::DEBUG;
pub use optimize::OPTIMIZE;
pub use plan::{Bounds, Plan, UnknownImports};
pub use record::RECORD;
pub use wasi::WASI;
pub use wasm::WASM;

use crate::output;
use crate::report::{self, Usage};
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use meantime::{Cache, Result};
use std::ffi::OsStr;
use std::path::PathBuf;
use table::{Effect, Group, Setting, Value};

/// All groups, in the order of the documentation.
pub static GROUPS: [&Group; 6] = [&OPTIMIZE, &CODEGEN, &DEBUG, &WASM, &WASI, &RECORD];

/// What is said of everything that is known but not done yet.
pub fn not_supported(what: &str) -> String {
    format!("{what} is not supported by this version of Meantime")
}

/// The shared options, as clap sees them.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Engine options")]
pub struct CommonOptions {
    /// Optimisation and memory layout, `-O help` to list
    #[arg(short = 'O', long = "optimize", value_name = "KEY[=VAL],…", value_parser = GroupParser(&OPTIMIZE))]
    optimize: Vec<Settings>,

    /// Code generation, `-C help` to list
    #[arg(short = 'C', long = "codegen", value_name = "KEY[=VAL],…", value_parser = GroupParser(&CODEGEN))]
    codegen: Vec<Settings>,

    /// Debugging, `-D help` to list
    #[arg(short = 'D', long = "debug", value_name = "KEY[=VAL],…", value_parser = GroupParser(&DEBUG))]
    debug: Vec<Settings>,

    /// WebAssembly semantics and limits, `-W help` to list
    #[arg(short = 'W', long = "wasm", value_name = "KEY[=VAL],…", value_parser = GroupParser(&WASM))]
    wasm: Vec<Settings>,

    /// WASI, `-S help` to list
    #[arg(short = 'S', long = "wasi", value_name = "KEY[=VAL],…", value_parser = GroupParser(&WASI))]
    wasi: Vec<Settings>,

    /// Recording for replay, `-R help` to list
    #[arg(short = 'R', long = "record", value_name = "KEY[=VAL],…", value_parser = GroupParser(&RECORD), hide_short_help = true)]
    record: Vec<Settings>,

    /// The target to compile for [default: this machine]
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,

    /// Read options from a TOML file; those on the command line come after
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl CommonOptions {
    /// Adds up the file and the command line.
    ///
    /// # Errors
    ///
    /// The file cannot be read or has a key or value that does not fit; or two options contradict each other.
    pub fn plan(&self) -> Result<Plan> {
        let mut settings = match &self.config {
            Some(path) => file::read(path)?,
            None => Vec::new(),
        };
        let groups = [
            &self.optimize,
            &self.codegen,
            &self.debug,
            &self.wasm,
            &self.wasi,
            &self.record,
        ];
        settings.extend(
            groups
                .into_iter()
                .flatten()
                .flat_map(|Settings(settings)| settings.iter().cloned()),
        );
        refuse_contradictions(&settings)?;

        let mut plan = Plan {
            tiers: false,
            logging: true,
            ..Plan::default()
        };
        if let Some(target) = &self.target {
            if target.starts_with("pulley") {
                return Err(Usage(not_supported(&format!("--target {target}"))).into());
            }
            plan.config.target(target)?;
        }
        let (all, own): (Vec<_>, Vec<_>) = settings
            .iter()
            .partition(|setting| setting.key.name == wasm::ALL_PROPOSALS);
        for setting in all.into_iter().chain(own) {
            if let Effect::On { apply, .. } = setting.key.effect {
                apply(&mut plan, &setting.value);
            }
        }
        if plan.cache.unwrap_or(plan.cache_config.is_some()) {
            let cache = Cache::from_file(plan.cache_config.as_deref())?;
            plan.config.cache(Some(cache));
        }
        Ok(plan)
    }
}

/// Refuses pairs of options of which one would silently win.
fn refuse_contradictions(settings: &[Setting]) -> Result<()> {
    let given = |group: &Group, name: &str| {
        settings
            .iter()
            .any(|setting| setting.group.letter == group.letter && setting.key.name == name)
    };
    let on = |name: &str| {
        settings
            .iter()
            .rev()
            .find(|setting| setting.key.name == name)
            .map(|setting| &setting.value)
    };
    if given(&WASI, "common") && given(&WASI, "cli") {
        return Err(Usage(
            "-S common is the old name of -S cli; give only one of them".to_string(),
        )
        .into());
    }
    let both = ["unknown-imports-trap", "unknown-imports-default"];
    if both.iter().all(|name| on(name) == Some(&Value::Bool(true))) {
        return Err(Usage(
            "-W unknown-imports-trap and -W unknown-imports-default contradict each other"
                .to_string(),
        )
        .into());
    }
    Ok(())
}

/// The settings of one `-X` argument.
#[derive(Clone, Debug)]
struct Settings(Vec<Setting>);

/// How clap parses the arguments of one group. `-X help` prints and ends the process at once, so that it needs no module.
#[derive(Clone)]
struct GroupParser(&'static Group);

impl TypedValueParser for GroupParser {
    type Value = Settings;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        argument: &OsStr,
    ) -> Result<Settings, clap::Error> {
        let GroupParser(group) = *self;
        let problem = |message: String| {
            clap::Error::raw(ErrorKind::InvalidValue, message + "\n").with_cmd(command)
        };
        let Some(argument) = argument.to_str() else {
            return Err(problem(format!(
                "the argument of -{} is not UTF-8",
                group.letter
            )));
        };
        match argument {
            "help" => print_help(group, false),
            "help-long" => print_help(group, true),
            _ => parse::settings(group, argument)
                .map(Settings)
                .map_err(problem),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        None
    }
}

/// Prints the keys of a group and ends the process.
fn print_help(group: &Group, long: bool) -> ! {
    let text = help::text(group, long);
    let printed = output::print(|out| out.write_all(text.as_bytes()));
    std::process::exit(printed.map_or_else(|error| report::failure(&error), |()| 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Applies every row that is done, with a value of its kind: none may find a value of another.
    #[test]
    fn every_supported_row_applies() {
        let mut plan = Plan::default();
        for group in GROUPS {
            for key in group.keys {
                let Effect::On { apply, .. } = key.effect else {
                    continue;
                };
                let value = match key.kind {
                    table::Kind::Bool | table::Kind::BoolOr(_) => Value::Bool(true),
                    table::Kind::Int(_) => Value::Int(65536),
                    table::Kind::Choice(words) => Value::Text(words[0].to_string()),
                    table::Kind::Text(_) => Value::Text("text".to_string()),
                    table::Kind::Duration => Value::Duration(std::time::Duration::from_secs(1)),
                    table::Kind::Flag => Value::Flag("enable_verifier".to_string(), None),
                };
                apply(&mut plan, &value);
            }
        }
        assert_eq!(plan.limits.memory_size, Some(65536));
        assert_eq!(plan.wasi.max_random_size, Some(65536));
    }

    #[test]
    fn help_lists_every_key() {
        for group in GROUPS {
            let (short, long) = (help::text(group, false), help::text(group, true));
            for key in group.keys {
                assert!(
                    short.contains(&key.synopsis()) && long.contains(&key.synopsis()),
                    "{}",
                    key.name
                );
            }
        }
    }
}
