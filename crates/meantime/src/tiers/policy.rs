//! The numbers: when a function is worth optimizing.

use crate::Config;

/// What a function may cost in the first tier before it is optimized, in units of about a nanosecond: see `CodeSlot::budget`.
const BUDGET: i32 = 20_000;

/// When to do what.
#[derive(Copy, Clone, Debug)]
pub(super) struct Policy {
    /// What a function may cost before anything is done about it, and again until that is done.
    pub budget: i32,
    /// How often a call must have been made to be optimized for what it called.
    pub guess_calls: u32,
    /// One in how many of these may have gone elsewhere than the one before.
    pub guess_ratio: u32,
    /// Whether the guest waits for optimized code, for tests.
    pub waits: bool,
}

impl Policy {
    pub fn new(config: &Config) -> Policy {
        Policy {
            budget: config.tier_up_budget.unwrap_or(BUDGET),
            guess_calls: 16,
            guess_ratio: 8,
            waits: config.tier_up_waits,
        }
    }
}
