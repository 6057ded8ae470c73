//! Oracle: exceptions go where a model says, in every configuration.
//!
//! A program is a tree of handlers, throws and calls ([`program`]), through frames of the guest and of the host. It is written as a module ([`text`])
//! and interpreted ([`model`]), where an exception is an error of Rust's. The one idea: a number goes through everything that is executed, and what
//! handlers get goes into it, so that one handler too many or too few shows.
//!
//! ```text
//! cargo run --release -p meantime-fuzzing -- throws --seconds 60
//! ```

pub mod host;
pub mod model;
pub mod program;
pub mod text;

use crate::Verdict;
use crate::options::Options;
use arbitrary::Unstructured;
use program::Program;

/// How often everything is called: code of both tiers is to run.
const ROUNDS: usize = 3;

/// What a fuzzer's bytes stand for.
#[derive(Debug)]
pub struct Case {
    /// The program.
    pub program: Program,
    /// The engines.
    pub options: Vec<Options>,
}

impl Case {
    /// Reads it from bytes; none if they are too few.
    pub fn new(u: Unstructured<'_>) -> Option<Case> {
        let (options, mut choices) = Options::for_a_model(u).ok()?;
        Some(Case {
            options,
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
        let calls = host::run(&case.program, &text, options, ROUNDS);
        assert_eq!(calls.len(), expected.len());
        for (i, (ours, expected)) in calls.iter().zip(&expected).enumerate() {
            assert!(
                ours == expected,
                "with {options:?}, call {i}: {ours:?}, expected {expected:?}"
            );
        }
    }
    Verdict::Checked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;
    use model::End;

    /// Programs whose every exception is caught at once, or none, find nothing.
    #[test]
    fn all_ends_are_met() {
        let (mut ends, mut throws) = ([0; 4], 0);
        for seed in 0..200 {
            let bytes = seeds::bytes(seed, 4096);
            let case = Case::new(Unstructured::new(&bytes)).expect("the bytes suffice");
            throws += model::throws(&case.program, 1);
            for call in model::run(&case.program, 1).unwrap_or_default() {
                ends[match call.end {
                    End::Returns(_) => 0,
                    End::Throws(..) => 1,
                    End::Traps(_) => 2,
                    End::Fails(_) => 3,
                }] += 1;
            }
        }
        println!("{ends:?}, {throws} exceptions");
        assert!(ends.iter().all(|count| *count > 10), "{ends:?}");
        assert!(ends[0] > 200 && throws > 1000, "{ends:?}, {throws}");
    }
}
