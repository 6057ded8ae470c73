//! The numbers: when a function is worth optimizing, and when it is not.
//!
//! The one idea: whatever the guest does, the background stays within bounds that are known in advance. A function that is too large is never begun, as
//! nobody can stop the optimizing compiler; it stays in the first tier for good.

use crate::Config;
use meantime_optimize::Limits;
use std::time::Duration;

/// A part of what a function of [`BYTES`] may cost in the first tier before it is optimized, in about nanoseconds.
const BUDGET: i32 = 20_000;
/// How many budgets a function must spend that is entered again and again. So many are about what it costs to optimize it: whoever has run so long
/// will likely run as long again, and the gain is a part of that.
const PATIENCE: u32 = 4;
/// So long a function is as cheap to optimize as the smallest one.
const BYTES: i32 = 32;
/// Units of `CodeSlot::budget` per about a nanosecond.
const UNITS: i32 = 2;

/// When to do what.
#[derive(Copy, Clone, Debug)]
pub(super) struct Policy {
    /// What the smallest function may cost before anything is done about it, in units of `CodeSlot::budget`.
    budget: i32,
    /// How many budgets a function must have spent before it is optimized.
    pub patience: u32,
    /// How often in a row a function must have spent its budget without being entered in between before one of its loops is optimized.
    pub stuck: u32,
    /// Bytes of the longest body that is optimized.
    pub max_body: usize,
    /// Bytes of Wasm that are compiled at most for the loops of one function, which is all of it each time.
    pub max_loops: usize,
    /// How large a function may become on the way.
    pub limits: Limits,
    /// Bytes of optimized code of all modules of the engine, beyond which none is made.
    pub max_code: usize,
    /// Whether the guest waits for optimized code, for tests.
    pub waits: bool,
}

impl Policy {
    /// What a function may cost that will not be optimized, so that it hardly ever asks: an even number.
    pub const REST: i32 = i32::MAX - 1;

    /// How much more a function may cost whose better code is being made: enough to count how hot it is.
    pub const WHILE_QUEUED: i32 = 4;

    pub fn new(config: &Config) -> Policy {
        let budget = config.tier_up_budget.unwrap_or(BUDGET);
        Policy {
            budget: budget.saturating_mul(UNITS) & !1,
            patience: if config.tier_up_waits { 0 } else { PATIENCE },
            stuck: if config.tier_up_waits { 0 } else { 2 },
            max_body: 512 << 10,
            max_loops: 1 << 20,
            limits: Limits {
                instructions: 400_000,
                block_variables: 64 << 20,
            },
            max_code: 256 << 20,
            waits: config.tier_up_waits,
        }
    }

    /// What a function whose body has so many bytes may cost before anything is done about it, and again until that is done: an even number of units
    /// of `CodeSlot::budget`.
    pub fn budget(&self, bytes: usize) -> i32 {
        let times = i32::try_from(bytes).map_or(i32::MAX, |bytes| bytes / BYTES + 1);
        self.budget.saturating_mul(times) & !1
    }

    /// What it may cost before it asks for the first time. It is odd and so is what the first entry costs: then the lowest bit is set whenever
    /// there was an odd number of entries besides that.
    pub fn first_budget(&self, bytes: usize) -> i32 {
        self.budget(bytes) | 1
    }

    /// About how many nanoseconds so many budgets of such a function are.
    pub fn cost(&self, spent: u32, bytes: usize) -> u64 {
        u64::from(spent) * (self.budget(bytes) / UNITS) as u64
    }

    /// How urgent a piece of work is whose function has cost so much within that time, and is so many bytes long: how much is gained, by what it
    /// costs.
    pub fn urgency(cost: u64, within: Duration, bytes: usize) -> f64 {
        let rate = cost as f64 / (within + Duration::from_millis(1)).as_secs_f64();
        // Even the smallest function costs something to compile.
        rate / (bytes + 100) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_even_but_for_the_first() {
        for budget in [0, 1, 1000, u32::MAX] {
            let policy = Policy::new(Config::new().tier_up_budget(budget));
            for bytes in [0, 1, 1000, 7_000_000, usize::MAX] {
                assert_eq!(policy.budget(bytes) & 1, 0);
                assert_eq!(policy.first_budget(bytes) & 1, 1);
                assert!(policy.first_budget(bytes) > 0);
            }
        }
        assert_eq!(Policy::REST & 1, 0);
    }

    #[test]
    fn what_is_dear_to_optimize_must_have_cost_more() {
        let policy = Policy::new(&Config::new());
        assert!(policy.budget(10_000) > 100 * policy.budget(10));
        let nothing = Policy::new(Config::new().tier_up_budget(0));
        assert_eq!(nothing.budget(10_000), 0);
    }

    #[test]
    fn small_and_hot_comes_first() {
        let second = Duration::from_secs(1);
        let some = Policy::urgency(10, second, 1000);
        assert!(Policy::urgency(20, second, 1000) > some);
        assert!(Policy::urgency(10, second, 500) > some);
        assert!(Policy::urgency(10, second * 2, 1000) < some);
    }
}
