//! No Rust file is so long that nobody reads it whole. One concept each is the rule; this is its
//! crude measure.

use super::Finding;
use super::tree::Tree;

const LIMIT: usize = 1000;

/// Files that may be longer, each with the reason why splitting it would help nobody.
const ALLOWED: &[(&str, &str)] = &[];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, ALLOWED)
}

fn check_with(tree: &Tree, allowed: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let lines = file.text.lines().count();
        if lines > LIMIT && !allowed.iter().any(|(path, _)| *path == file.path) {
            findings.push(Finding::new(
                &file.path,
                0,
                format!("has {lines} lines; more than {LIMIT} hide more than one concept"),
            ));
        }
    }
    for (path, reason) in allowed {
        let needed = tree
            .rust()
            .any(|file| file.path == *path && file.text.lines().count() > LIMIT);
        if !needed {
            findings.push(Finding::new(
                *path,
                0,
                "is allowed to be long but is not, or is gone; remove the entry",
            ));
        }
        if reason.is_empty() {
            findings.push(Finding::new(
                *path,
                0,
                "is allowed to be long without a reason",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_stale_entries_are_found() {
        let long = "\n".repeat(LIMIT + 1);
        let tree = Tree::of(&[("a.rs", &long), ("b.rs", "\n"), ("c.rs", &long)]);
        let findings = check_with(&tree, &[("a.rs", "a table"), ("b.rs", "was long once")]);
        let found: Vec<_> = findings
            .iter()
            .map(|finding| finding.place.as_str())
            .collect();
        assert_eq!(found, ["c.rs", "b.rs"]);
    }
}
