//! What a program did, in a form that can be compared between engines.
//!
//! Not here: running it ([`crate::run`] and [`crate::differential`]). The one idea: everything is reduced to plain data; of references only whether they are
//! null is kept, and of memories a hash.

use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::Hasher;

/// A value, floats by their bits.
#[derive(Copy, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the types are")]
pub enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    Ref { null: bool },
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::I32(x) => write!(f, "i32 {x}"),
            Value::I64(x) => write!(f, "i64 {x}"),
            Value::F32(bits) => write!(f, "f32 {bits:#010x}"),
            Value::F64(bits) => write!(f, "f64 {bits:#018x}"),
            Value::V128(bits) => write!(f, "v128 {bits:#034x}"),
            Value::Ref { null: true } => write!(f, "null"),
            Value::Ref { null: false } => write!(f, "ref"),
        }
    }
}

/// Why a call or an instantiation has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A trap, by the name that both engines have for it.
    Trap(String),
    /// The stack or the heap was used up. When that is differs between engines and configurations.
    Exhausted,
    /// An exception that nothing caught.
    Exception,
    /// Any other error: a limit of the host's.
    Error,
}

/// The name of a step that says what fuel a trap left.
pub const FUEL_AT_TRAP: &str = "fuel at a trap";

/// What came out of a step.
pub type Step = Result<Vec<Value>, Failure>;

/// A module's whole life.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Instantiation, which has no values, and then each call by what was called.
    pub steps: Vec<(String, Step)>,
    /// What is exported and is not a function, by name, after the last step: its size and contents.
    pub state: Vec<(String, String)>,
    /// Whether the guest could be interrupted: then what it knew of its fuel at a trap depends on where that happened.
    pub interrupted: bool,
    /// Functions and turns of loops that were entered in calls that returned.
    pub entered: u64,
    /// Calls that ended because they entered as many as they may. For statistics only.
    pub spent: u64,
}

impl Outcome {
    /// Adds a step; false if nothing after it can be compared or, when it is the instantiation, even be done.
    pub fn step(&mut self, name: &str, step: Step) -> bool {
        let on = match &step {
            Ok(_) => true,
            Err(Failure::Exhausted) => false,
            Err(_) => !self.steps.is_empty(),
        };
        self.steps.push((name.to_string(), step));
        on
    }

    /// Adds a global.
    pub fn global(&mut self, name: &str, value: Value) {
        self.state.push((name.to_string(), format!("{value:?}")));
    }

    /// Adds a memory.
    pub fn memory(&mut self, name: &str, data: &[u8]) {
        let mut hasher = DefaultHasher::new();
        hasher.write(data);
        let state = format!("{} bytes, hash {:016x}", data.len(), hasher.finish());
        self.state.push((name.to_string(), state));
    }

    /// Adds a table by which of its elements are null.
    pub fn table(&mut self, name: &str, nulls: impl Iterator<Item = bool>) {
        let marks: String = nulls.map(|null| if null { '.' } else { 'r' }).collect();
        self.state.push((name.to_string(), marks));
    }

    /// Whether a step used up the stack or the heap.
    pub fn overflowed(&self) -> bool {
        let overflow = |(_, step): &(String, Step)| *step == Err(Failure::Exhausted);
        self.steps.iter().any(overflow)
    }

    /// The first difference, for a person. Steps are compared up to where one of the two ran out of stack or heap.
    pub fn difference(&self, other: &Outcome) -> Option<String> {
        for (a, b) in self.steps.iter().zip(&other.steps) {
            let overflow = Err(Failure::Exhausted);
            if a.1 == overflow || b.1 == overflow {
                return None;
            }
            let interrupted = self.interrupted || other.interrupted;
            if interrupted && a.0 == FUEL_AT_TRAP && b.0 == FUEL_AT_TRAP {
                continue;
            }
            if a != b {
                return Some(format!("{a:?} != {b:?}"));
            }
        }
        if self.steps.len() != other.steps.len() || self.state.len() != other.state.len() {
            return Some(format!("{self:?} != {other:?}"));
        }
        if self.entered != other.entered {
            return Some(format!("{} entries != {}", self.entered, other.entered));
        }
        let mut pairs = self.state.iter().zip(&other.state);
        let (a, b) = pairs.find(|(a, b)| a != b)?;
        Some(format!("after all calls, {a:?} != {b:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(results: &[Step], global: i32) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.step("instantiate", Ok(Vec::new()));
        for (i, step) in results.iter().enumerate() {
            outcome.step(&i.to_string(), step.clone());
        }
        outcome.global("g", Value::I32(global));
        outcome
    }

    #[test]
    fn differences_are_found() {
        let one = outcome(&[Ok(vec![Value::I32(1)])], 7);
        let two = outcome(&[Ok(vec![Value::I32(2)])], 7);
        let trap = outcome(&[Err(Failure::Trap("x".into()))], 7);
        let state = outcome(&[Ok(vec![Value::I32(1)])], 8);
        assert_eq!(one.difference(&one), None);
        for other in [&two, &trap, &state, &outcome(&[], 7)] {
            assert!(one.difference(other).is_some(), "{other:?}");
            assert!(other.difference(&one).is_some(), "{other:?}");
        }
    }

    #[test]
    fn stack_overflows_end_the_comparison() {
        let one = outcome(&[Ok(Vec::new()), Ok(vec![Value::I32(1)])], 7);
        let overflow = outcome(&[Ok(Vec::new()), Err(Failure::Exhausted)], 8);
        let early = outcome(&[Err(Failure::Error), Err(Failure::Exhausted)], 7);
        assert_eq!(one.difference(&overflow), None);
        assert!(one.difference(&early).is_some());
        assert!(overflow.overflowed() && !one.overflowed());
    }

    #[test]
    fn fuel_at_traps_is_compared_where_nothing_interrupts() {
        let left = |name: &str, left, interrupted| {
            let mut outcome = outcome(&[Err(Failure::Trap("x".into()))], 7);
            outcome.interrupted = interrupted;
            outcome.step(name, Ok(vec![Value::I64(left)]));
            outcome
        };
        for (name, interrupted, compared) in [
            (FUEL_AT_TRAP, false, true),
            (FUEL_AT_TRAP, true, false),
            ("fuel", true, true),
        ] {
            let one = left(name, 10, false);
            let differs = |n| one.difference(&left(name, n, interrupted)).is_some();
            assert_eq!((differs(10), differs(9)), (false, compared), "{name}");
        }
        let returned = left("fuel", 10, true);
        assert!(returned.difference(&left(FUEL_AT_TRAP, 10, true)).is_some());
    }

    #[test]
    fn contents_count() {
        let memory = |data: &[u8]| {
            let mut outcome = Outcome::default();
            outcome.memory("m", data);
            outcome.table("t", [true, false].into_iter());
            outcome
        };
        assert_eq!(memory(&[1]).difference(&memory(&[1])), None);
        assert!(memory(&[1]).difference(&memory(&[2])).is_some());
        assert!(memory(&[0]).difference(&memory(&[0, 0])).is_some());
    }
}
