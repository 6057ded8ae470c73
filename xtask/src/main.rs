//! `cargo xtask COMMAND`: the entry point of this repository's own tools. It only picks the command; each command's
//! arguments are read where the command lives.

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND [OPTIONS]

  bench    build real programs, run them side by side with peers, print tables of ratios (bench --help)
  tidy     check the tree: layers, module docs, SAFETY comments, names in ARCHITECTURE.md, file sizes, skip lists
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        Some("bench") => xtask::bench::main(&args[1..]),
        Some("tidy") => xtask::tidy::main(&args[1..]),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
