//! Oracle: a valid module can be instantiated and called under any configuration, within limits; what goes wrong is an error.
//!
//! Results are not looked at, but that they have their types. What this finds is crashes, and panics of the host.

use crate::generate::{self, Purpose};
use crate::options::Options;
use crate::{Verdict, run};
use arbitrary::{Arbitrary, Result, Unstructured};

/// What a fuzzer's bytes stand for.
#[derive(Debug)]
pub struct Case {
    /// The module.
    pub wasm: Vec<u8>,
    /// The engine.
    pub options: Options,
    /// Seed of the arguments of calls.
    pub arguments: u64,
}

impl Case {
    /// Reads it from bytes.
    ///
    /// # Errors
    ///
    /// When they do not suffice.
    pub fn new(mut u: Unstructured<'_>) -> Result<Case> {
        Ok(Case {
            options: Options::arbitrary(&mut u)?,
            arguments: u.arbitrary()?,
            wasm: generate::module(&mut u, Purpose::Run)?,
        })
    }
}

/// Runs a module under a configuration.
///
/// # Panics
///
/// When a valid configuration or module is refused, a result has the wrong type, or the host panics.
pub fn check(u: Unstructured<'_>) -> Verdict {
    let Ok(case) = Case::new(u) else {
        return Verdict::NoInput;
    };
    let Some(module) = run::compile(&case.options, &case.wasm) else {
        return Verdict::Refused;
    };
    let outcome = run::run(&module, case.arguments, run::References::Seen);
    match outcome.steps.as_slice() {
        [(_, Err(_))] => Verdict::Refused,
        _ => Verdict::Checked,
    }
}
