//! Modules in text format: what they share is put in, and they are assembled.
//!
//! A line that is `(@include "FILE")` and nothing else stands for the text of that file, a path relative to the workspace.
//! That is an annotation to the text format, so editors and tools take such a file for the module that it is.

use crate::paths;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// How deep included files may include others: enough, and an end to a file that includes itself.
const DEPTH: usize = 8;

/// Assembles `file` to `output`, unless that holds the very same module already: its time tells others when to compile
/// again.
pub(super) fn build(file: &str, output: &Path) -> Result<std::path::PathBuf> {
    let text = included(file, &|file| {
        let path = paths::workspace().join(file);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    })?;
    let module = wat::parse_str(&text).map_err(|error| {
        // Positions are those of the whole text, so it is left to look at.
        let whole = output.with_extension("wat");
        let seen = fs::write(&whole, &text).map(|()| whole.display().to_string());
        anyhow::anyhow!(
            "{file} does not assemble (the whole text is in {}):\n{error}",
            seen.unwrap_or_else(|error| error.to_string())
        )
    })?;
    if !fs::read(output).is_ok_and(|found| found == module) {
        eprintln!("assembling {file}");
        fs::write(output, module).with_context(|| format!("cannot write {}", output.display()))?;
    }
    Ok(output.to_owned())
}

/// The text of `file` with every included file in its place.
fn included(file: &str, read: &dyn Fn(&str) -> Result<String>) -> Result<String> {
    fn add(
        text: &mut String,
        file: &str,
        read: &dyn Fn(&str) -> Result<String>,
        depth: usize,
    ) -> Result<()> {
        ensure!(depth < DEPTH, "{file} is included too deep");
        for line in read(file)?.lines() {
            let name = line
                .trim()
                .strip_prefix("(@include \"")
                .and_then(|rest| rest.strip_suffix("\")"));
            match name {
                Some(name) => add(text, name, read, depth + 1)
                    .with_context(|| format!("included by {file}"))?,
                None => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        Ok(())
    }
    let mut text = String::new();
    add(&mut text, file, read, 0)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    fn read(file: &str) -> Result<String> {
        Ok(match file {
            "program" => "(module\n  (@include \"shared\")\n  (func $g))\n",
            "shared" => ";; Not here: (@include \"nothing\")\n(func $f)\n",
            "endless" => "(@include \"endless\")\n",
            "lacking" => "(@include \"missing\")\n",
            _ => bail!("no file {file}"),
        }
        .to_owned())
    }

    #[test]
    fn included_files_stand_in_their_places() {
        let text = included("program", &read).unwrap();
        assert_eq!(
            text,
            "(module\n;; Not here: (@include \"nothing\")\n(func $f)\n  (func $g))\n"
        );
        assert!(wat::parse_str(text).is_ok());
    }

    #[test]
    fn a_file_that_includes_itself_or_a_missing_one_is_an_error() {
        assert!(included("endless", &read).is_err());
        let error = format!("{:#}", included("lacking", &read).unwrap_err());
        assert_eq!(error, "included by lacking: no file missing");
    }
}
