//! Oracle: programs over objects of the collected heap do what a model of them says, in every configuration.
//!
//! A program is a tree of operations ([`program`]). It is written as a module ([`text`]), and interpreted over plain Rust values that are never
//! collected ([`model`]). The one idea: what both report (numbers, and what the host sees of references) must be the same, wherever collections
//! fall, whichever tier runs, and whatever the host holds on to. Under a limit of the heap, what was reported before the heap was used up must be
//! the beginning of what the model reports, and the store must work on.
//!
//! ```text
//! cargo run --release -p meantime-fuzzing -- objects --seconds 60
//! ```

pub mod host;
pub mod model;
pub mod program;
pub mod text;

use crate::Verdict;
use crate::options::Options;
use arbitrary::Unstructured;
use host::End;
use program::Program;
use std::num::NonZeroU32;

/// How often everything is called: code of both tiers is to run.
const ROUNDS: usize = 2;

/// What a fuzzer's bytes stand for.
#[derive(Debug)]
pub struct Case {
    /// The program.
    pub program: Program,
    /// The engines.
    pub options: Vec<Options>,
    /// Bytes that the heap may have, if there is a limit.
    pub limit: Option<usize>,
}

impl Case {
    /// Reads it from bytes; none if they are too few.
    pub fn new(u: Unstructured<'_>) -> Option<Case> {
        let (mut options, mut choices) = Options::for_a_model(u).ok()?;
        for options in &mut options {
            let zeal = choices.of(&[0, 1, 2, 7]);
            options.gc_zeal = NonZeroU32::new(zeal);
        }
        let limit = match choices.one_in(4) {
            true => Some(choices.of(&[16 << 10, 128 << 10, 1 << 20])),
            false => None,
        };
        Some(Case {
            options,
            limit,
            program: Program::new(&mut choices),
        })
    }

    /// The module, as text.
    pub fn text(&self) -> String {
        text::module(&self.program)
    }
}

/// Runs a program and its model.
///
/// # Panics
///
/// When they differ.
pub fn check(u: Unstructured<'_>) -> Verdict {
    let Some(case) = Case::new(u) else {
        return Verdict::NoInput;
    };
    let Some(expected) = model::run(&case.program, ROUNDS) else {
        return Verdict::NoInput;
    };
    let text = case.text();
    for options in &case.options {
        let calls = host::run(&case.program, &text, options, case.limit, ROUNDS);
        for (i, (ours, expected)) in calls.iter().zip(&expected).enumerate() {
            if ours.end == End::HeapFull && case.limit.is_some() {
                let prefix = expected.reports.starts_with(&ours.reports);
                assert!(
                    prefix,
                    "with {options:?}, call {i}: {ours:?} is no part of {expected:?}"
                );
                break;
            }
            let right = ours.reports == expected.reports && ours.end.is(&expected.end);
            assert!(
                right,
                "with {options:?}, call {i}: {ours:?}, expected {expected:?}"
            );
        }
        let all = calls.len() == expected.len();
        let full = calls.last().is_some_and(|call| call.end == End::HeapFull);
        assert!(
            all || (full && case.limit.is_some()),
            "some calls were not made"
        );
    }
    Verdict::Checked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;
    use model::Expected;

    fn cases() -> impl Iterator<Item = Case> {
        (0..100).filter_map(|seed| {
            let bytes = seeds::bytes(seed, 4096);
            Case::new(Unstructured::new(&bytes))
        })
    }

    /// Programs that trap at once, or report nothing, find nothing.
    #[test]
    fn programs_report_and_return() {
        let (mut calls, mut returned, mut reports) = (0, 0, 0);
        for case in cases() {
            for call in model::run(&case.program, ROUNDS).unwrap_or_default() {
                calls += 1;
                returned += u64::from(matches!(call.end, Expected::Returns(..)));
                reports += call.reports.len();
            }
        }
        println!("{calls} calls, {returned} returned, {reports} reports");
        assert!(calls > 500 && returned * 2 > calls && reports as u64 * 2 > calls);
    }

    /// A program that reads one thing more reports something else.
    #[test]
    fn differences_are_seen() {
        let case = cases().next().expect("the bytes suffice");
        let mut other = case.program.clone();
        for function in &mut other.functions {
            function.body.insert(0, program::Op::I31 { dst: 0 });
            function.body.insert(
                1,
                program::Op::I31Get {
                    src: 0,
                    signed: true,
                    safe: true,
                },
            );
        }
        assert_ne!(model::run(&case.program, 1), model::run(&other, 1));
    }
}
