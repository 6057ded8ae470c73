//! `meantime config new`: writes a configuration file for the cache of compiled code, with everything at its default.

use crate::output;
use meantime::error::Context;
use meantime::{CacheConfig, Result, bail, format_err};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

/// Make configuration files
#[derive(clap::Args, Debug)]
pub struct ConfigCommand {
    #[command(subcommand)]
    command: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    /// Write a new configuration file
    New(New),
}

#[derive(clap::Args, Debug)]
struct New {
    /// Where to write it [default: the platform's place for configuration]
    #[arg(value_name = "FILE_PATH")]
    path: Option<PathBuf>,
}

/// A file that says nothing but shows what could be said.
const TEMPLATE: &str = "\
# Configuration of Meantime's cache of compiled code. What is not set has its default.

[cache]
# The directory that holds the compiled code, an absolute path.
# directory = \"/home/me/.cache/meantime\"

# How many files there may be, and how large they may be together, before old ones are deleted.
# file-count-soft-limit = \"64Ki\"
# files-total-size-soft-limit = \"512Mi\"
";

impl ConfigCommand {
    /// Writes the file, unless there is one.
    pub fn execute(self) -> Result<i32> {
        let What::New(New { path }) = self.command;
        let path = match path {
            Some(path) => path,
            None => CacheConfig::user_file().ok_or_else(|| {
                format_err!("this platform has no place for configuration; give a path")
            })?,
        };
        let shown = path.display();
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("cannot make the directory for `{shown}`"))?;
        }
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                bail!("there is a file `{shown}` already; delete it first to start anew")
            }
            opened => opened.with_context(|| format!("cannot make `{shown}`"))?,
        };
        file.write_all(TEMPLATE.as_bytes())
            .with_context(|| format!("cannot write `{shown}`"))?;
        output::print(|out| writeln!(out, "Wrote `{shown}`."))?;
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_toml_and_so_is_what_it_shows() {
        let file: toml::Table = TEMPLATE.parse().unwrap();
        assert!(file["cache"].as_table().unwrap().is_empty());
        let shown: String = TEMPLATE
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .filter(|line| line.contains(" = "))
            .fold(String::new(), |text, line| text + line + "\n");
        assert_eq!(shown.parse::<toml::Table>().unwrap().len(), 3);
    }
}
