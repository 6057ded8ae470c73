//! What ARCHITECTURE.md names in backticks exists: paths, packages, types, functions.
//!
//! A name is looked up by its form. Something with a `/` or a known ending is a path; an identifier
//! or a path of identifiers must occur in code or as a package or file. Commands, options,
//! operators and prose in backticks have forms that no name here has, and are left alone. So are
//! the names below the heading that says what is not built yet.

use super::tree::Tree;
use super::{Finding, lex};
use std::collections::HashSet;

const DOCUMENT: &str = "ARCHITECTURE.md";

/// The heading of what is planned. Names below it need not exist.
const PLANNED: &str = "Where things will stand";

/// Words in backticks that are names of something outside this tree.
const OUTSIDE: &[&str] = &["memfd", "mprotect", "mmap", "wat", "cargo", "rustc", "qemu"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(document) = tree.files.iter().find(|file| file.path == DOCUMENT) else {
        return Vec::new();
    };
    let known = Known::of(tree);
    let mut findings = Vec::new();
    let (mut fenced, mut planned) = (false, false);
    for (number, line) in document.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if let (false, Some(heading)) = (fenced, line.strip_prefix('#')) {
            planned = heading.trim_start_matches('#').trim() == PLANNED;
        }
        if fenced || planned {
            continue;
        }
        // Between backticks: every second piece.
        for quoted in line.split('`').skip(1).step_by(2) {
            if !known.has(quoted) {
                findings.push(Finding::new(
                    DOCUMENT,
                    number + 1,
                    format!("`{quoted}` is nowhere in the tree"),
                ));
            }
        }
    }
    findings
}

struct Known<'a> {
    paths: HashSet<&'a str>,
    names: HashSet<&'a str>,
    packages: HashSet<String>,
}

impl<'a> Known<'a> {
    fn of(tree: &'a Tree) -> Self {
        let mut known = Known {
            paths: HashSet::new(),
            names: HashSet::new(),
            packages: HashSet::new(),
        };
        for file in &tree.files {
            let mut path = file.path.as_str();
            known.paths.insert(path);
            while let Some((folder, _)) = path.rsplit_once('/') {
                known.paths.insert(folder);
                path = folder;
            }
            known.names.extend(lex::names(&file.code));
            if file.path.ends_with("Cargo.toml") {
                // Packages and features: everything left of `=` or within `name = "…"`.
                for line in file.text.lines() {
                    let (key, value) = line.split_once('=').unwrap_or((line, ""));
                    known
                        .packages
                        .insert(key.trim().trim_end_matches(".workspace").to_owned());
                    if key.trim() == "name" {
                        known
                            .packages
                            .insert(value.trim().trim_matches('"').to_owned());
                    }
                }
            }
        }
        known
    }

    fn has(&self, quoted: &str) -> bool {
        let name = quoted.trim().trim_end_matches("()").trim_end_matches('!');
        let path = name.trim_end_matches('/').trim_start_matches("./");
        let identifier = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if name.contains('/') && !name.contains(char::is_whitespace) && !name.contains('*') {
            return self.path(path);
        }
        if [".rs", ".toml", ".md", ".txt", ".c"]
            .iter()
            .any(|ending| name.len() > ending.len() && name.ends_with(ending))
        {
            return self.path(path);
        }
        if name.split("::").all(identifier) && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            // Folders under crates/ are called by their own name, and a package by the name in its
            // manifest.
            return OUTSIDE.contains(&name)
                || self.packages.contains(name)
                || self.path(name)
                || name
                    .split("::")
                    .all(|part| self.names.contains(part) || self.packages.contains(part));
        }
        if name.split('-').all(identifier) && name.contains('-') {
            return self.packages.contains(name) || self.path(name);
        }
        true
    }

    /// A path from the root, or the end of one: `types.rs` or `sys/unix` in some crate.
    fn path(&self, path: &str) -> bool {
        self.paths.contains(path)
            || self.paths.iter().any(|known| {
                known
                    .strip_suffix(path)
                    .is_some_and(|front| front.ends_with('/'))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_names_are_found() {
        let text = "`crates/a` has `Thing`, `Thing::new()`, `a`, `meantime-a`, `src/lib.rs` and `--dir`, `memory.grow`, `(module)`.\n\
                    `crates/b` has `Nothing`, `Thing::old`, `meantime-b`, `gone.rs`.\n```\n`InFence`\n```\n\
                    ## Where things will stand\n`crates/c`\n## After\n`crates/d`\n";
        let tree = Tree::of(&[
            (DOCUMENT, text),
            ("crates/a/Cargo.toml", "[package]\nname = \"meantime-a\"\n"),
            (
                "crates/a/src/lib.rs",
                "//! `Nothing` old\nstruct Thing; impl Thing { fn new() {} }\n",
            ),
        ]);
        let findings = check(&tree);
        let found: Vec<_> = findings
            .iter()
            .map(|finding| (finding.line, finding.message.split('`').nth(1).unwrap()))
            .collect();
        assert_eq!(
            found,
            [
                (2, "crates/b"),
                (2, "Nothing"),
                (2, "Thing::old"),
                (2, "meantime-b"),
                (2, "gone.rs"),
                (9, "crates/d")
            ]
        );
    }
}
