//! The `meantime` command: runs and compiles WebAssembly programs from a shell.
//! Not a library; programs that embed Meantime use the `meantime` crate, as this one does.
//!
//! The one idea: a short-lived process. Nothing is set up before it is needed: no thread, no logging, no file but the program, because
//! a small program should be over before a second thread would have started.

mod cli;
mod cmd;
mod colour;
mod environment;
mod input;
mod log;
mod objdump;
mod options;
mod output;
mod progress;
mod report;
mod run;

fn main() {
    std::process::exit(cli::main())
}
