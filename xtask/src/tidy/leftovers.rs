//! Nothing unfinished is left in the code: no `todo!`, no test that is switched off.

use super::Finding;
use super::tree::Tree;

const LEFTOVERS: &[(&str, &str)] = &[
    ("todo!", "finish it"),
    (
        "unimplemented!",
        "finish it, or return an error that says what is missing",
    ),
    ("dbg!", "remove it"),
    (
        "#[ignore",
        "a test that does not run tests nothing; fix it or remove it",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        for (number, line) in file.code.lines().enumerate() {
            for (leftover, advice) in LEFTOVERS {
                let whole_word =
                    |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                if line.match_indices(leftover).any(|(at, _)| whole_word(at)) {
                    findings.push(Finding::new(
                        &file.path,
                        number + 1,
                        format!("`{leftover}`: {advice}"),
                    ));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_in_code_are_found_and_those_in_words_are_not() {
        let text = "//! No todo! here.\nfn f() {\n    todo!()\n}\n#[ignore = \"slow\"]\nfn g() { h(\"unimplemented!\"); my_todo!(); }\n";
        let lines: Vec<_> = check(&Tree::of(&[("a.rs", text)]))
            .into_iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(lines, [3, 5]);
    }
}
