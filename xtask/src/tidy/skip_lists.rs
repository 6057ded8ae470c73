//! A list of skipped tests says why, entry by entry.
//!
//! A skip list is a text file whose name begins with `skip`. An entry is a line that is neither
//! blank nor a `#` comment: what is skipped, where, and then the reason, which has to be more than
//! a word.

use super::Finding;
use super::tree::Tree;

/// The words before the reason: the test and the configuration.
const COLUMNS: usize = 2;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        if !(name.starts_with("skip") && name.ends_with(".txt")) {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.split_whitespace().count() < COLUMNS + 2 {
                findings.push(Finding::new(
                    &file.path,
                    number + 1,
                    "is skipped without a reason: TEST CONFIGURATION REASON",
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_without_reasons_are_found() {
        let text = "# why\n\na.wast:3  *  needs a later version\nb.wast  *\nc.wast  *  broken\n";
        let tree = Tree::of(&[
            ("crates/wast/tests/skips.txt", text),
            ("notes.txt", "b.wast\n"),
        ]);
        let lines: Vec<_> = check(&tree)
            .into_iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [4, 5]);
    }
}
