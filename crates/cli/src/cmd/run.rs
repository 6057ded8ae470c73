//! `meantime run`: compiles or loads a program, gives it what it imports, and runs it.
//! Its steps are in the `run` folder: WASI, arguments for `--invoke`, and the call itself.

use super::NotYet;
use crate::options::CommonOptions;
use crate::{log, run};
use meantime::Result;
use std::ffi::OsString;
use std::path::PathBuf;

/// Run a WebAssembly program
#[derive(clap::Args, Debug)]
pub struct RunCommand {
    /// Call this export, with the arguments after the module, and print its results
    #[arg(long, value_name = "FUNCTION")]
    pub invoke: Option<String>,

    /// Instantiate a module first, so that imports from NAME find its exports
    #[arg(long, value_name = "NAME=PATH", value_parser = preload)]
    pub preload: Vec<(String, PathBuf)>,

    /// What the program is told it is called [default: the module's file name]
    #[arg(long, value_name = "ARGV0")]
    pub argv0: Option<String>,

    /// Accept compiled modules (.cwasm); only for files you trust, for they can do anything
    #[arg(long)]
    pub allow_precompiled: bool,

    /// Let the program use a directory, by the name GUEST [default: HOST]
    #[arg(long = "dir", value_name = "HOST[::GUEST]", value_parser = directory)]
    pub dirs: Vec<(String, String)>,

    /// Set a variable for the program, or pass on the host's
    #[arg(long = "env", value_name = "NAME[=VAL]", value_parser = variable)]
    pub variables: Vec<(String, Option<String>)>,

    /// Write what was seen of the program to a file, for `meantime compile --profile-in`
    #[arg(long, value_name = "FILE")]
    pub profile_out: Option<PathBuf>,

    /// Profile the program (not supported yet)
    #[arg(long, value_name = "STRATEGY", hide = true, value_parser = NotYet("--profile"))]
    profile: Option<String>,

    /// Wait for a debugger (not supported yet)
    #[arg(short = 'g', long, value_name = "[ADDR:]PORT", hide = true, value_parser = NotYet("-g / --gdbstub"))]
    gdbstub: Option<String>,

    /// The module (binary, text, or `-` for stdin), and arguments for the program
    #[arg(value_name = "WASM", required = true, trailing_var_arg = true)]
    pub module_and_arguments: Vec<OsString>,

    #[command(flatten)]
    pub common: CommonOptions,
}

impl RunCommand {
    /// Runs the program; the status is the one that it exits with.
    pub fn execute(self) -> Result<i32> {
        let plan = self.common.plan()?;
        if plan.logging {
            log::start()?;
        }
        run::program(&self, &plan)
    }
}

fn preload(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !path.is_empty() => Ok((name.to_string(), PathBuf::from(path))),
        _ => Err("should be NAME=PATH".to_string()),
    }
}

fn directory(text: &str) -> Result<(String, String), String> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    if host.is_empty() || guest.is_empty() {
        return Err("should be HOST or HOST::GUEST".to_string());
    }
    Ok((host.to_string(), guest.to_string()))
}

fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_string())),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("should be NAME or NAME=VAL".to_string());
    }
    Ok((name.to_string(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories() {
        assert_eq!(directory("a"), Ok(("a".into(), "a".into())));
        assert_eq!(directory("a::/b"), Ok(("a".into(), "/b".into())));
        assert_eq!(directory("C:\\x::b"), Ok(("C:\\x".into(), "b".into())));
        assert!(directory("::b").is_err() && directory("a::").is_err() && directory("").is_err());
    }

    #[test]
    fn variables() {
        assert_eq!(variable("A"), Ok(("A".into(), None)));
        assert_eq!(variable("A="), Ok(("A".into(), Some(String::new()))));
        assert_eq!(variable("A=b=c"), Ok(("A".into(), Some("b=c".into()))));
        assert!(variable("=b").is_err());
    }
}
