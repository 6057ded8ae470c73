//! WASI for a program that is run: what it imports is provided, with the arguments, variables and directories of the command line.
//! The only file that knows `meantime_wasi`.
//!
//! Nothing of it is set up for a program that imports none of it.

use super::{Host, argv0};
use crate::cmd::run::RunCommand;
use crate::options::Plan;
use meantime::error::Context;
use meantime::{Error, Linker, Module, Result, format_err};
use meantime_wasi::p1::{self, WasiP1Ctx};
use meantime_wasi::{FsPerms, I32Exit, WasiCtxBuilder, p0};
use std::net::TcpListener;

/// Which versions of WASI some modules import from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    preview0: bool,
    preview1: bool,
}

impl Needs {
    /// What the imports of `modules` need.
    pub fn of<'a>(modules: impl Iterator<Item = &'a Module>) -> Needs {
        let mut needs = Needs::default();
        for import in modules.flat_map(Module::imports) {
            needs.preview0 |= import.module() == "wasi_unstable";
            needs.preview1 |= import.module() == "wasi_snapshot_preview1";
        }
        needs
    }

    fn any(self) -> bool {
        self.preview0 || self.preview1
    }
}

/// The guest's view of the host, for programs that have one.
pub struct State(Option<WasiP1Ctx>);

impl State {
    /// Sets up what the command line gives the program.
    ///
    /// # Errors
    ///
    /// A directory cannot be opened, or an argument or variable is not UTF-8.
    pub fn new(command: &RunCommand, plan: &Plan, needs: Needs) -> Result<State> {
        // A directory or address that is wrong is worth a message even if the program would not have looked.
        let asked = needs.any() || !command.dirs.is_empty() || !plan.wasi.tcp_listen.is_empty();
        if !plan.wasi.cli || !asked {
            return Ok(State(None));
        }
        let mut builder = WasiCtxBuilder::new();
        if plan.wasi.inherit_stdin {
            builder.inherit_stdin();
        }
        if plan.wasi.inherit_stdout {
            builder.inherit_stdout();
        }
        if plan.wasi.inherit_stderr {
            builder.inherit_stderr();
        }
        if let Some(bytes) = plan.wasi.max_random_size {
            builder.max_random_size(bytes);
        }
        builder.arg(argv0(command)?);
        for (index, argument) in command.module_and_arguments.iter().enumerate().skip(1) {
            builder.arg(
                argument
                    .to_str()
                    .ok_or_else(|| format_err!("argument {index} is not UTF-8"))?,
            );
        }
        if plan.wasi.inherit_env {
            for (name, value) in std::env::vars_os() {
                builder.env(utf8(&name, &name)?, utf8(&name, &value)?);
            }
        }
        for (name, value) in &command.variables {
            match value {
                Some(value) => builder.env(name, value),
                // One that the host does not have, the guest does not get.
                None => match std::env::var_os(name) {
                    Some(value) => builder.env(name, utf8(name.as_ref(), &value)?),
                    None => continue,
                },
            };
        }
        for (host, guest) in &command.dirs {
            builder
                .preopened_dir(host, guest, FsPerms::ReadWrite)
                .with_context(|| format!("cannot open directory `{host}` for the program"))?;
        }
        for address in &plan.wasi.tcp_listen {
            let listener = TcpListener::bind(address)
                .with_context(|| format!("cannot listen at `{address}`"))?;
            builder.preopened_socket(listener);
        }
        Ok(State(Some(builder.build_p1())))
    }
}

/// The text of a variable's name or value.
fn utf8<'a>(name: &std::ffi::OsStr, text: &'a std::ffi::OsStr) -> Result<&'a str> {
    text.to_str()
        .ok_or_else(|| format_err!("the variable `{}` is not UTF-8", name.display()))
}

/// Defines the imports that the program needs.
pub fn provide(linker: &mut Linker<Host>, plan: &Plan, needs: Needs) -> Result<()> {
    fn context(host: &mut Host) -> &mut WasiP1Ctx {
        let State(context) = &mut host.wasi;
        context
            .as_mut()
            .expect("WASI's functions are only defined where there is a context")
    }
    if plan.wasi.cli && needs.preview1 {
        p1::add_to_linker_sync(linker, context)?;
    }
    if plan.wasi.cli && plan.wasi.preview0 && needs.preview0 {
        p0::add_to_linker_sync(linker, context)?;
    }
    Ok(())
}

/// The status of a program that ended by exiting, as opposed to failing.
pub fn exit_status(error: &Error) -> Option<i32> {
    error
        .downcast_ref::<I32Exit>()
        .map(|I32Exit(status)| *status)
}
