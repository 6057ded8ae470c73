//! What calls through references call: what is noted when one of them is looked at, and what that says.
//!
//! The one idea: at first every call is looked at, later one in about 24, which stands for all that went by. How many go by differs from time to time, so
//! that callees that take turns are seen in proportion. When there are more than there is room for, a new one takes from each what it adds itself
//! (the algorithm of Misra and Gries); so what is called often enough stays, and was called at least as often as is counted.

use meantime_abi::{CallProfile, DefinedFuncIndex};
use std::sync::atomic::Ordering::Relaxed;

/// So many calls are all looked at.
const ALL: u32 = 32;
/// Afterwards at least so many are not, from one to the next, a power of two; and less than twice as many.
const WAIT: u32 = 16;
/// With so many calls everything is halved.
const MAX_CALLS: u32 = 1 << 30;

/// Notes what was called: a function of the same instance, or something else. Sets how many calls go by before the next that is looked at.
pub(crate) fn record(profile: &CallProfile, callee: Option<DefinedFuncIndex>) {
    let weight = profile.weight.load(Relaxed).clamp(1, 2 * WAIT);
    let calls = profile.calls.load(Relaxed).saturating_add(weight);
    profile.calls.store(calls, Relaxed);
    if let Some(callee) = callee {
        count(profile, callee.as_u32() + 1, weight);
    }
    if calls >= MAX_CALLS {
        for count in profile.counts.iter().chain([&profile.calls]) {
            count.store(count.load(Relaxed) / 2, Relaxed);
        }
    }
    let wait = if calls < ALL { 0 } else { WAIT + spread(calls) };
    profile.weight.store(wait + 1, Relaxed);
    profile.wait.store(wait as i32, Relaxed);
}

/// A number below [`WAIT`] that looks as if it were chosen by chance.
fn spread(calls: u32) -> u32 {
    calls.wrapping_mul(0x9e37_79b9) >> (32 - WAIT.ilog2())
}

/// Counts so many calls of a callee.
fn count(profile: &CallProfile, callee: u32, weight: u32) {
    let all = || profile.callees.iter().zip(&profile.counts);
    if let Some((_, count)) = all().find(|(known, _)| known.load(Relaxed) == callee) {
        count.store(count.load(Relaxed).saturating_add(weight), Relaxed);
        return;
    }
    let least = all().map(|(_, count)| count.load(Relaxed)).min();
    let taken = weight.min(least.unwrap_or(0));
    for (_, count) in all() {
        count.store(count.load(Relaxed).saturating_sub(taken), Relaxed);
    }
    if weight > taken
        && let Some((free, count)) = all().find(|(_, count)| count.load(Relaxed) == 0)
    {
        free.store(callee, Relaxed);
        count.store(weight - taken, Relaxed);
    }
}

/// How many calls there were, about, and those of the functions that were called most: these first.
pub fn profiled_callees(profile: &CallProfile) -> (u32, Vec<(DefinedFuncIndex, u32)>) {
    let all = profile.callees.iter().zip(&profile.counts);
    let all = all.map(|(callee, count)| (callee.load(Relaxed), count.load(Relaxed)));
    let mut callees: Vec<_> = all
        .filter(|(callee, count)| *callee > 0 && *count > 0)
        .map(|(callee, count)| (DefinedFuncIndex::from_u32(callee - 1), count))
        .collect();
    callees.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    (profile.calls.load(Relaxed), callees)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after these calls, where code looks at a call only when it is time to.
    fn after(calls: impl Iterator<Item = Option<u32>>) -> (u32, Vec<(u32, u32)>) {
        // SAFETY: all of it is atomic numbers.
        let profile: CallProfile = unsafe { std::mem::zeroed() };
        for callee in calls {
            if profile.wait.fetch_sub(1, Relaxed) <= 0 {
                record(&profile, callee.map(DefinedFuncIndex::from_u32));
            }
        }
        let (calls, callees) = profiled_callees(&profile);
        let callees = callees.into_iter().map(|(f, count)| (f.as_u32(), count));
        (calls, callees.collect())
    }

    /// Whether a number is at most a tenth of the whole away from a part of it.
    fn near(count: u32, part: u32, whole: u32) -> bool {
        count.abs_diff(part) <= whole / 10
    }

    #[test]
    fn the_first_calls_are_all_seen() {
        let calls = (0..20).map(|i| Some(i % 2 * 7));
        assert_eq!(after(calls), (20, vec![(0, 10), (7, 10)]));
        assert_eq!(after((0..9).map(|_| None)), (9, vec![]));
    }

    #[test]
    fn callees_in_turns_are_seen_in_proportion() {
        for period in [2, 3, 4, 8, 16, 17, 24, 32] {
            // Of so many calls, the first half is of one function and the rest of another.
            let calls = (0..200_000).map(|i| Some(u32::from(i % period < period / 2)));
            let (calls, callees) = after(calls);
            assert!(near(calls, 200_000, 200_000), "{calls}");
            let count_of = |func| callees.iter().find(|(f, _)| *f == func).map(|(_, n)| *n);
            let first = count_of(1).expect("it was called");
            let part = calls / period * (period / 2);
            assert!(near(first, part, calls), "{period}: {first} of {calls}");
        }
        let (calls, callees) = after((0..200_000).map(|i| Some(i % 4)));
        let all: u32 = callees.iter().map(|(_, count)| count).sum();
        assert_eq!(all, calls);
        assert!(
            callees.iter().all(|(_, n)| near(*n, calls / 4, calls)),
            "{callees:?}"
        );
    }

    #[test]
    fn what_is_called_often_stays_among_many() {
        // At first all others are called, then three in five calls are of one.
        let often = |i: u32| i >= 1000 && i % 5 < 3;
        let calls = (0..500_000).map(|i| Some(if often(i) { 5000 } else { i % 1000 }));
        let (calls, callees) = after(calls);
        assert_eq!(callees[0].0, 5000);
        assert!(callees[0].1 > calls / 3 && callees[0].1 <= calls * 2 / 3);
        // What is called by all of them equally is nothing.
        let (calls, callees) = after((0..500_000).map(|i| Some(i % 1000)));
        assert!(
            callees.iter().all(|(_, count)| *count < calls / 8),
            "{callees:?}"
        );
    }

    #[test]
    fn counts_do_not_overflow() {
        // SAFETY: as above.
        let profile: CallProfile = unsafe { std::mem::zeroed() };
        for _ in 0..4 {
            profile.calls.store(MAX_CALLS - 1, Relaxed);
            profile.weight.store(u32::MAX, Relaxed);
            record(&profile, Some(DefinedFuncIndex::from_u32(3)));
            let (calls, callees) = profiled_callees(&profile);
            assert!(calls < MAX_CALLS && callees[0].1 <= calls);
        }
    }
}
