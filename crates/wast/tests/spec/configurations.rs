//! The ways an engine is configured for the scripts.
//!
//! Not which features it has (that is `groups`). The one idea: each mechanism with a fallback (guard pages or
//! explicit bounds checks, copy-on-write images or copies, signals or explicit traps, many compiler threads
//! or one) is run both ways, in a few combinations instead of all of them; and scripts about the heap with every collector.

use meantime::{Collector, Config, Store, Strategy};
use std::num::NonZeroU32;

/// A named configuration.
pub struct Configuration {
    /// The last part of the tests' names.
    pub name: &'static str,
    /// Sets it, after the group's features.
    pub apply: fn(&mut Config),
    /// Whether only scripts about the heap are run with it.
    pub heap: bool,
}

/// Gives a store what scripts need where an engine interrupts them: more than any of them uses.
///
/// # Errors
///
/// As [`Store::set_fuel`], which there are none of here.
pub fn set_up(store: &mut Store<()>) -> meantime::Result<()> {
    store.set_epoch_deadline(1 << 40);
    match store.engine().get_consume_fuel() {
        true => store.set_fuel(u64::MAX),
        false => Ok(()),
    }
}

/// Code is compiled ahead of time by the optimizing compiler, unless said otherwise:
///
/// | name | bounds of memories | memory images | traps | compilation |
/// |---|---|---|---|---|
/// | `guard` | guard pages | copy-on-write | signals | parallel |
/// | `copied` | guard pages | copied | signals | serial |
/// | `bounds` | explicit; memories move as they grow | copy-on-write | signals | serial |
/// | `explicit` | explicit; memories move as they grow | copied | explicit | parallel |
///
/// These are as `guard`, but for when code is made:
///
/// | name | code |
/// |---|---|
/// | `tiers` | at the first call, better code in the background |
/// | `forced` | at the first call, better code at the second, and within every loop that is gone around |
/// | `counted` | the same, counting fuel, looking at the epoch and making NaNs canonical |
///
/// These are as `guard` and `explicit`, but compile with the baseline compiler what that can:
///
/// | name | as |
/// |---|---|
/// | `baseline` | `guard` |
/// | `baseline-explicit` | `explicit` |
///
/// These are as `guard`, but for the heap of objects:
///
/// | name | collections |
/// |---|---|
/// | `zeal` | at every second allocation |
/// | `null` | never |
pub const CONFIGURATIONS: &[Configuration] = &[
    Configuration {
        name: "guard",
        apply: |config| {
            config.memory_init_cow(true).parallel_compilation(true);
        },
        heap: false,
    },
    Configuration {
        name: "copied",
        apply: |config| {
            config.memory_init_cow(false).parallel_compilation(false);
        },
        heap: false,
    },
    Configuration {
        name: "bounds",
        apply: |config| {
            without_reservations(config);
            config.memory_init_cow(true).parallel_compilation(false);
        },
        heap: false,
    },
    Configuration {
        name: "explicit",
        apply: |config| {
            without_reservations(config);
            config
                .signals_based_traps(false)
                .memory_init_cow(false)
                .parallel_compilation(true);
        },
        heap: false,
    },
    Configuration {
        name: "tiers",
        apply: |config| {
            config.strategy(Strategy::Auto);
        },
        heap: false,
    },
    Configuration {
        name: "forced",
        apply: |config| {
            config
                .strategy(Strategy::Auto)
                .tier_up_budget(0)
                .tier_up_waits(true);
        },
        heap: false,
    },
    Configuration {
        name: "counted",
        apply: |config| {
            config
                .strategy(Strategy::Auto)
                .tier_up_budget(0)
                .tier_up_waits(true)
                .consume_fuel(true)
                .epoch_interruption(true)
                .cranelift_nan_canonicalization(true);
        },
        heap: false,
    },
    Configuration {
        name: "baseline",
        apply: |config| {
            config.strategy(Strategy::Winch);
        },
        heap: false,
    },
    Configuration {
        name: "baseline-explicit",
        apply: |config| {
            without_reservations(config);
            config
                .strategy(Strategy::Winch)
                .signals_based_traps(false)
                .memory_init_cow(false);
        },
        heap: false,
    },
    Configuration {
        name: "zeal",
        apply: |config| {
            let every = NonZeroU32::new(2);
            let set = config.gc_zeal_alloc_counter(every);
            assert!(set.is_ok(), "{set:?}");
        },
        heap: true,
    },
    Configuration {
        name: "null",
        apply: |config| {
            config.collector(Collector::Null);
        },
        heap: true,
    },
];

/// Memories are as large as they say and move when they grow, so each access needs its check.
fn without_reservations(config: &mut Config) {
    config
        .memory_reservation(0)
        .memory_guard_size(0)
        .memory_reservation_for_growth(0);
}
