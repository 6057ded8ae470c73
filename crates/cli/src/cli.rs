//! The command line as a whole: which commands there are, and which one is meant.
//! Not what they do; each is a file in `cmd`.
//!
//! The one idea: without a command, it is `run`. So `meantime app.wasm` and `meantime run app.wasm` are the same, and a file may not
//! be named like a command unless a `./` is put before it.

use crate::cmd::{compile, completion, config, objdump, run, settings, wast};
use crate::options::not_supported;
use crate::report::{self, Usage};
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use meantime::Result;
use std::ffi::OsString;

/// The version as `--version` shows it: with the commit and its date where they are known.
pub const VERSION: &str = env!("MEANTIME_VERSION");

#[derive(Debug, Parser)]
#[command(
    name = "meantime",
    version = VERSION,
    about = "Runs WebAssembly programs",
    after_help = "Without a command, `meantime app.wasm …` is `meantime run app.wasm …`.",
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunCommand,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Run(run::RunCommand),
    Compile(compile::CompileCommand),
    Wast(wast::WastCommand),
    Objdump(objdump::ObjdumpCommand),
    Settings(settings::SettingsCommand),
    Config(config::ConfigCommand),
    Completion(completion::CompletionCommand),
    #[command(hide = true, disable_help_flag = true)]
    Serve(NotYet),
    #[command(hide = true, disable_help_flag = true)]
    Explore(NotYet),
    #[command(hide = true, disable_help_flag = true)]
    HotBlocks(NotYet),
    #[command(hide = true, disable_help_flag = true)]
    Wizer(NotYet),
    #[command(hide = true, disable_help_flag = true)]
    Replay(NotYet),
}

/// A command that is known but that this version of Meantime refuses, whatever follows it.
#[derive(Debug, clap::Args)]
struct NotYet {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

impl NotYet {
    fn refuse(&self, name: &str) -> Result<i32> {
        Err(Usage(not_supported(&format!("`meantime {name}`"))).into())
    }
}

/// How `run` is asked for by its name.
const RUN: &str = "run";

/// The parser of `run` by its name, which knows nothing of the other commands: to describe them all takes a twentieth of the time of a program that does nothing.
fn run_command() -> clap::Command {
    let command = clap::Command::new(RUN).bin_name("meantime run");
    run::RunCommand::augment_args(command)
}

/// Does what the command line says and returns the exit status.
pub fn main() -> i32 {
    if std::env::args_os().nth(1).is_some_and(|name| name == RUN) {
        let matches = run_command().get_matches_from(std::env::args_os().skip(1));
        let command = run::RunCommand::from_arg_matches(&matches);
        let command = command.unwrap_or_else(|error| error.format(&mut run_command()).exit());
        return status(command.execute());
    }
    let command_line = CommandLine::parse();
    let done = match command_line.command {
        None => command_line.run.execute(),
        Some(Command::Run(command)) => command.execute(),
        Some(Command::Compile(command)) => command.execute(),
        Some(Command::Wast(command)) => command.execute(),
        Some(Command::Objdump(command)) => command.execute(),
        Some(Command::Settings(command)) => command.execute(),
        Some(Command::Config(command)) => command.execute(),
        Some(Command::Completion(command)) => command.execute(),
        Some(Command::Serve(command)) => command.refuse("serve"),
        Some(Command::Explore(command)) => command.refuse("explore"),
        Some(Command::HotBlocks(command)) => command.refuse("hot-blocks"),
        Some(Command::Wizer(command)) => command.refuse("wizer"),
        Some(Command::Replay(command)) => command.refuse("replay"),
    };
    status(done)
}

fn status(done: Result<i32>) -> i32 {
    done.unwrap_or_else(|error| report::failure(&error))
}

/// Whether there is a command of this name.
pub fn is_command(name: &str) -> bool {
    CommandLine::command().find_subcommand(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_no_fault() {
        CommandLine::command().debug_assert();
        run_command().debug_assert();
    }

    #[test]
    fn run_by_its_name_is_the_command_run() {
        for rest in [
            &["--help"][..],
            &["-h"],
            &["--version"],
            &[],
            &["--no-such-option"],
            &["-C"],
            &["--dir"],
            &["-O", "no-such-option", "a.wasm"],
            &["compile"],
        ] {
            let whole = CommandLine::command()
                .try_get_matches_from([&["meantime", RUN][..], rest].concat());
            let alone = run_command().try_get_matches_from([&[RUN][..], rest].concat());
            let text = |result: Result<_, clap::Error>| result.map(drop).map_err(|e| e.to_string());
            assert_eq!(text(alone), text(whole), "{rest:?}");
        }
    }
}
