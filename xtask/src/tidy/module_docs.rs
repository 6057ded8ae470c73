//! Every Rust file opens with `//!`, so that a reader who opens it knows what it is.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let opens = |text: &str| {
        text.lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .is_some_and(|line| line.starts_with("//! "))
    };
    tree.rust()
        .filter(|file| !opens(&file.text))
        .map(|file| {
            Finding::new(
                &file.path,
                1,
                "does not open with `//!`: say what the file is, and what it is not",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_docs_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! A.\nfn f() {}\n"),
            ("crates/a/src/b.rs", "use x;\n//! B.\n"),
            ("xtask/src/c.rs", "//!\n"),
        ]);
        let found: Vec<_> = check(&tree)
            .into_iter()
            .map(|finding| finding.place)
            .collect();
        assert_eq!(found, ["crates/a/src/b.rs", "xtask/src/c.rs"]);
    }
}
