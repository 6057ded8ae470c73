//! `unsafe` stands only where the design allows it, and each use says why it holds.
//!
//! Clippy checks the comments of blocks in the crates that it compiles; this check also covers
//! other platforms' code, which is not compiled here, and where `unsafe` may be at all.

use super::Finding;
use super::tree::{File, Tree};

/// Where `unsafe` may be, each with the reason.
const ALLOWED: &[(&str, &str)] = &[
    ("crates/abi/", "layouts shared with machine code"),
    ("crates/vm/", "the unsafe core"),
    (
        "crates/meantime/",
        "typed calls into machine code, and the handles that the core trusts",
    ),
    ("crates/c-api/", "C's pointers"),
    (
        "examples/",
        "`Module::deserialize` trusts its file, and examples show it",
    ),
    (
        "benches/embed/",
        "`Module::deserialize` trusts its file, and it is measured",
    ),
    (
        "crates/cli/src/",
        "`Module::deserialize` for files that the user says to trust",
    ),
    ("fuzz/", "`Module::deserialize` of what was just serialized"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let test_code = file.path.contains("/tests/") || file.path.starts_with("tests/");
        for (number, line) in file.code.lines().enumerate() {
            let Some(kind) = unsafe_use(line) else {
                continue;
            };
            if !test_code
                && !ALLOWED
                    .iter()
                    .any(|(folder, _)| file.path.starts_with(folder))
            {
                findings.push(Finding::new(
                    &file.path,
                    number + 1,
                    format!("`{kind}` outside the crates that may have it"),
                ));
            }
            if !explained(file, number) {
                findings.push(Finding::new(
                    &file.path,
                    number + 1,
                    format!("`{kind}` without a `// SAFETY:` comment just above"),
                ));
            }
        }
    }
    findings
}

/// The block or implementation that starts on this line of code.
fn unsafe_use(line: &str) -> Option<&'static str> {
    for (at, word) in line.match_indices("unsafe") {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = line[at + word.len()..].trim_start();
        if rest.starts_with('{') {
            return Some("unsafe {");
        }
        if rest.starts_with("impl") {
            return Some("unsafe impl");
        }
    }
    None
}

/// Whether a `SAFETY:` comment stands on this line or above it, with nothing between but attributes
/// and the lines of the same statement.
fn explained(file: &File, line: usize) -> bool {
    let text: Vec<&str> = file.text.lines().collect();
    let code: Vec<&str> = file.code.lines().collect();
    if text[line].contains("SAFETY:") {
        return true;
    }
    for above in (0..line).rev() {
        let (text, code) = (
            text[above].trim(),
            code.get(above).map_or("", |code| code.trim()),
        );
        if text.contains("SAFETY:") {
            return true;
        }
        let comment = code.is_empty() && !text.is_empty();
        let attribute = code.starts_with('#');
        let ended = code.ends_with([';', '}']) || (code.ends_with('{') && !opens_arm(code));
        let same_statement = !code.is_empty() && !ended;
        if !(comment || attribute || same_statement) {
            return false;
        }
    }
    false
}

/// A line that ends in `{` and still belongs to the expression below it: `let x = {`, `return {`, a
/// match arm.
fn opens_arm(code: &str) -> bool {
    code.ends_with("=> {") || code.ends_with("= {") || code.ends_with("({")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn a_block_needs_its_reason() {
        let text = "fn f() {\n    unsafe { g() }\n    // SAFETY: g has no requirements.\n    unsafe { g() }\n    // SAFETY: nor does it here,\n    // on two lines.\n    let x =\n        unsafe { g() };\n    h();\n    let y = unsafe { g() };\n}\n// SAFETY: T is.\n#[cfg(unix)]\nunsafe impl Send for T {}\nunsafe impl Sync for T {}\n";
        assert_eq!(lines("crates/vm/src/a.rs", text), [2, 10, 15]);
    }

    #[test]
    fn words_and_declarations_are_not_uses() {
        assert!(
            lines(
                "crates/vm/src/a.rs",
                "// unsafe { }\nunsafe fn f();\nlet s = \"unsafe {\";\nunsafe extern \"C\" {}\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn other_crates_may_not() {
        let text = "// SAFETY: fine.\nunsafe { g() }\n";
        assert_eq!(lines("crates/module/src/a.rs", text), [2]);
        assert!(lines("crates/vm/src/a.rs", text).is_empty());
    }
}
