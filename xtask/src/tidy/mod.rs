//! `cargo xtask tidy`: what the compiler, clippy and rustfmt do not check about this tree.
//!
//! Each check is one file with one function from the tree to a list of findings, and a test that
//! shows it finding something. A check that finds too much is to be made more exact, not switched
//! off.

mod architecture;
mod layers;
mod leftovers;
mod lex;
mod module_docs;
mod safety;
mod sizes;
mod skip_lists;
mod tree;

use anyhow::Result;
use std::process::ExitCode;
use tree::Tree;

/// One thing that is wrong: where, and what to do about it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// A path, relative to the workspace, or a package's name.
    place: String,
    /// The line, from 1; 0 when it is about the whole.
    line: usize,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Finding {
            place: place.into(),
            line,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.place, self.message),
            line => write!(out, "{}:{line}: {}", self.place, self.message),
        }
    }
}

type Check = fn(&Tree) -> Vec<Finding>;

const CHECKS: &[(&str, Check)] = &[
    ("layers", layers::check),
    ("module docs", module_docs::check),
    ("SAFETY comments", safety::check),
    ("names in ARCHITECTURE.md", architecture::check),
    ("file sizes", sizes::check),
    ("skip lists", skip_lists::check),
    ("leftovers", leftovers::check),
];

/// Runs every check over the workspace.
///
/// # Errors
/// When the tree or Cargo's metadata cannot be read, or an argument is given.
pub fn main(args: &[String]) -> Result<ExitCode> {
    anyhow::ensure!(args.is_empty(), "tidy takes no arguments");
    let tree = Tree::load()?;
    let mut count = 0;
    for (name, check) in CHECKS {
        let mut findings = check(&tree);
        findings.sort();
        count += findings.len();
        for finding in findings {
            println!("{finding} [{name}]");
        }
    }
    if count == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("tidy: {count} to put right");
    Ok(ExitCode::FAILURE)
}
