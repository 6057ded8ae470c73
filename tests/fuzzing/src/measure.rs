//! What generated programs do, in numbers: a fuzzer whose programs all trap at once finds little.
//!
//! Not an oracle. The one idea: the steps of many outcomes, added up.

use crate::outcome::{Failure, Outcome};
use std::collections::BTreeMap;
use std::fmt;

/// Sums over outcomes.
#[derive(Clone, Debug, Default)]
pub struct Measure {
    /// Modules that were instantiated.
    pub instances: u64,
    /// Modules that were not.
    pub refused: u64,
    /// Calls of exported functions.
    pub calls: u64,
    /// Calls that returned.
    pub returned: u64,
    /// How the others ended.
    pub failures: BTreeMap<String, u64>,
    /// Functions and turns of loops that were entered in calls that returned.
    pub entered: u64,
    /// Calls that ended because they entered as many as they may.
    pub spent: u64,
}

impl Measure {
    /// Adds a module's life.
    pub fn add(&mut self, outcome: &Outcome) {
        let (first, calls) = outcome.steps.split_first().expect("there is a first step");
        match first.1 {
            Ok(_) => self.instances += 1,
            Err(_) => self.refused += 1,
        }
        self.entered += outcome.entered;
        self.spent += outcome.spent;
        for (_, step) in calls {
            self.calls += 1;
            match step {
                Ok(_) => self.returned += 1,
                Err(failure) => {
                    let name = match failure {
                        Failure::Trap(name) => name.clone(),
                        other => format!("{other:?}"),
                    };
                    *self.failures.entry(name).or_insert(0) += 1;
                }
            }
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_call = self.entered as f64 / self.returned.max(1) as f64;
        let share = 100.0 * self.returned as f64 / self.calls.max(1) as f64;
        writeln!(f, "{} instances, {} refused", self.instances, self.refused)?;
        let spent = 100.0 * self.spent as f64 / self.calls.max(1) as f64;
        writeln!(
            f,
            "{} calls, {share:.0}% returned, {spent:.0}% went round until they were stopped",
            self.calls
        )?;
        writeln!(
            f,
            "{per_call:.1} functions and turns of loops in each that returned"
        )?;
        write!(f, "others: {:?}", self.failures)
    }
}
