//! Oracle: what a program does is the same under every configuration.
//!
//! Results, traps and what is left in globals, tables and memories of a module, and of its fuel, are compared with those of a reference
//! configuration: guard pages, optimized, everything as by default. When the stack is used up may differ; nothing after that is compared.

use crate::generate::{self, Purpose};
use crate::options::Options;
use crate::outcome::Outcome;
use crate::{Verdict, run};
use arbitrary::{Result, Unstructured};

/// Configurations that are compared with the reference.
const OTHERS: usize = 2;

/// What a fuzzer's bytes stand for.
#[derive(Debug)]
pub struct Case {
    /// The module.
    pub wasm: Vec<u8>,
    /// The engines.
    pub options: Vec<Options>,
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
        let mut options = vec![Options::default()];
        for _ in 0..OTHERS {
            options.push(Options::comparable(&mut u)?);
        }
        let consume_fuel = u.ratio(1, 4)?;
        for options in &mut options {
            options.consume_fuel = consume_fuel;
        }
        Ok(Case {
            options,
            arguments: u.arbitrary()?,
            wasm: generate::module(&mut u, Purpose::Compare)?,
        })
    }
}

/// Runs a module under several configurations.
///
/// # Panics
///
/// When one differs, or as [`crate::instantiate::check`] does.
pub fn check(u: Unstructured<'_>) -> Verdict {
    let Ok(case) = Case::new(u) else {
        return Verdict::NoInput;
    };
    let modules = case.options.iter().map(|o| run::compile(o, &case.wasm));
    let modules: Vec<_> = modules.collect();
    if modules.iter().all(Option::is_none) {
        return Verdict::Refused;
    }
    let mut outcomes = modules.iter().map(|module| {
        let module = module.as_ref();
        run::run(
            module.expect("all engines accept a module or none does"),
            case.arguments,
            run::References::Seen,
        )
    });
    let reference = outcomes.next().expect("there is a reference");
    for (outcome, options) in outcomes.zip(&case.options[1..]) {
        if let Some(difference) = reference.difference(&outcome) {
            panic!("by default and with {options:?}: {difference}");
        }
    }
    Verdict::Checked
}

/// What a module does in the reference configuration; none if there is no module or it is refused.
pub fn reference(u: Unstructured<'_>) -> Option<Outcome> {
    let case = Case::new(u).ok()?;
    let module = run::compile(&case.options[0], &case.wasm)?;
    Some(run::run(&module, case.arguments, run::References::Seen))
}
