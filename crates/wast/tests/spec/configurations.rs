//! The ways an engine is configured for the scripts.
//!
//! Not which features it has (that is `groups`). The one idea: each mechanism with a fallback (guard pages or
//! explicit bounds checks, copy-on-write images or copies, signals or explicit traps, many compiler threads
//! or one) is run both ways, in a few combinations instead of all of them.

use meantime::Config;

/// A named configuration.
pub struct Configuration {
    /// The last part of the tests' names.
    pub name: &'static str,
    /// Sets it, after the group's features.
    pub apply: fn(&mut Config),
}

/// | name | bounds of memories | memory images | traps | compilation |
/// |---|---|---|---|---|
/// | `guard` | guard pages | copy-on-write | signals | parallel |
/// | `copied` | guard pages | copied | signals | serial |
/// | `bounds` | explicit; memories move as they grow | copy-on-write | signals | serial |
/// | `explicit` | explicit; memories move as they grow | copied | explicit | parallel |
pub const CONFIGURATIONS: &[Configuration] = &[
    Configuration {
        name: "guard",
        apply: |config| {
            config.memory_init_cow(true).parallel_compilation(true);
        },
    },
    Configuration {
        name: "copied",
        apply: |config| {
            config.memory_init_cow(false).parallel_compilation(false);
        },
    },
    Configuration {
        name: "bounds",
        apply: |config| {
            without_reservations(config);
            config.memory_init_cow(true).parallel_compilation(false);
        },
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
    },
];

/// Memories are as large as they say and move when they grow, so each access needs its check.
fn without_reservations(config: &mut Config) {
    config
        .memory_reservation(0)
        .memory_guard_size(0)
        .memory_reservation_for_growth(0);
}
