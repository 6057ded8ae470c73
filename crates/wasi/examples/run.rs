//! Runs a program of WASI preview 1: the smallest useful host.
//!
//! ```text
//! cargo run -p meantime-wasi --example run -- [--dir HOST::GUEST] [--ro-dir HOST::GUEST]
//!     [--env NAME=VALUE] [--listen ADDRESS] PROGRAM.wasm [ARGUMENT]...
//! ```
//!
//! `--listen` gives the program a listening socket, the descriptor after the last directory.

use meantime::{Engine, Linker, Module, Result, Store, bail, format_err};
use meantime_wasi::{FsPerms, I32Exit, WasiCtxBuilder, p0, p1};
use std::net::TcpListener;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(status as u8),
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<i32> {
    let mut builder = WasiCtxBuilder::new();
    builder.inherit_stdio();
    let mut arguments = std::env::args().skip(1);
    let program = loop {
        let argument = arguments
            .next()
            .ok_or_else(|| format_err!("no program given"))?;
        if !argument.starts_with("--") {
            break argument;
        }
        let value = arguments
            .next()
            .ok_or_else(|| format_err!("{argument} needs a value"))?;
        match &*argument {
            "--dir" | "--ro-dir" => {
                let (host, guest) = value.split_once("::").unwrap_or((&value, &value));
                let perms = if argument == "--dir" {
                    FsPerms::ReadWrite
                } else {
                    FsPerms::ReadOnly
                };
                builder.preopened_dir(host, guest, perms)?;
            }
            "--env" => {
                let (name, value) = value
                    .split_once('=')
                    .ok_or_else(|| format_err!("{value} is not NAME=VALUE"))?;
                builder.env(name, value);
            }
            "--listen" => {
                builder.preopened_socket(TcpListener::bind(value)?);
            }
            _ => bail!("unknown option {argument}"),
        }
    };
    builder.arg(&program);
    builder.args(&arguments.collect::<Vec<_>>());

    let engine = Engine::default();
    let module = Module::from_file(&engine, &program)?;
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
    p0::add_to_linker_sync(&mut linker, |ctx| ctx)?;
    let mut store = Store::new(&engine, builder.build_p1());
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    match start.call(&mut store, ()) {
        Ok(()) => Ok(0),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(exit.0),
            None => Err(error),
        },
    }
}
