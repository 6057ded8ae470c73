//! What the checks look at: the text files of the workspace, and what Cargo says about its
//! packages. Read once.

use super::lex;
use crate::paths;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A text file.
#[derive(Debug)]
pub(super) struct File {
    /// Relative to the workspace, with `/` between folders.
    pub(super) path: String,
    pub(super) text: String,
    /// For Rust: the text with comments and the insides of literals blanked, line for line. Empty
    /// otherwise.
    pub(super) code: String,
}

impl File {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let code = if path.ends_with(".rs") {
            lex::code(&text)
        } else {
            String::new()
        };
        File { path, text, code }
    }
}

/// The workspace.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    /// `cargo metadata`, with resolved dependencies.
    pub(super) metadata: serde_json::Value,
}

/// Kinds of files that some check reads.
const EXTENSIONS: &[&str] = &[
    "rs", "toml", "md", "txt", "c", "h", "mjs", "js", "go", "wat", "wast", "sh", "py",
];

impl Tree {
    pub(super) fn load() -> Result<Self> {
        let root = paths::workspace();
        let mut files = Vec::new();
        read_below(&root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Tree {
            files,
            metadata: metadata(&root)?,
        })
    }

    /// The Rust files.
    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Tree {
            files: files
                .iter()
                .map(|(path, text)| File::new(*path, *text))
                .collect(),
            metadata: serde_json::Value::Null,
        }
    }
}

fn read_below(root: &Path, folder: &str, files: &mut Vec<File>) -> Result<()> {
    let dir = root.join(folder);
    for entry in fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        if entry.path().is_dir() {
            // Build output, version control and vendored packages are nobody's text here.
            if !matches!(
                name.as_str(),
                "target" | ".git" | "node_modules" | "corpus" | "artifacts"
            ) {
                read_below(root, &path, files)?;
            }
        } else if EXTENSIONS.iter().any(|extension| {
            name.rsplit_once('.')
                .is_some_and(|(_, found)| found == *extension)
        }) {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            files.push(File::new(path, String::from_utf8_lossy(&bytes)));
        }
    }
    Ok(())
}

fn metadata(root: &Path) -> Result<serde_json::Value> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--all-features"])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}
