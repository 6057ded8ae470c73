//! Generators of hostile and of well-behaved input, and the oracles that say whether Meantime treats it right.
//!
//! Not here: the fuzz targets (`fuzz/fuzz_targets`), which are a line each. The one idea: an oracle is a function that panics when
//! something is wrong and else says how far its input came ([`Verdict`]), so that a fuzzer, a test over fixed seeds and a loop from the command line
//! (`cargo run --release -p meantime-fuzzing`) all use the same one.
//!
//! ```
//! use meantime_fuzzing::{Oracle, Verdict, seeds};
//!
//! let verdict = Oracle::Configurations.check(&seeds::bytes(7, 4096));
//! assert!(matches!(verdict, Verdict::Checked | Verdict::Refused | Verdict::NoInput));
//! ```

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

mod canonical;
pub mod choices;
pub mod compile;
pub mod configurations;
pub mod differential;
pub mod generate;
pub mod instantiate;
pub mod jumps;
pub mod measure;
pub mod objects;
pub mod options;
pub mod outcome;
pub mod peer;
pub mod profile;
pub mod run;
pub mod seeds;
pub mod throws;

/// Panics of threads that optimize in the background, where they only leave code as it is.
static BACKGROUND_PANICS: AtomicUsize = AtomicUsize::new(0);

/// Has them counted from now on.
fn watch_background() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() == Some("meantime-optimize") {
                BACKGROUND_PANICS.fetch_add(1, Ordering::Relaxed);
            }
            before(info);
        }));
    });
}

/// What an oracle made of its input. That something is wrong is a panic.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything that the oracle looks at was looked at.
    Checked,
    /// The engine refused the module with an error, as it may.
    Refused,
    /// The bytes were not enough to generate anything from.
    NoInput,
}

/// The oracles by name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// [`compile::check`].
    Compile,
    /// [`instantiate::check`].
    Instantiate,
    /// [`configurations::check`].
    Configurations,
    /// [`differential::check`].
    Differential,
    /// [`objects::check`].
    Objects,
    /// [`throws::check`].
    Throws,
    /// [`jumps::check`].
    Jumps,
    /// [`peer::check`]. Not one of [`Oracle::ALL`], as it needs another program.
    Peer,
}

impl Oracle {
    /// Every oracle that needs nothing but this crate.
    pub const ALL: [Oracle; 7] = [
        Oracle::Compile,
        Oracle::Instantiate,
        Oracle::Configurations,
        Oracle::Differential,
        Oracle::Objects,
        Oracle::Throws,
        Oracle::Jumps,
    ];

    /// As it is called on the command line and as a fuzz target.
    pub fn name(self) -> &'static str {
        match self {
            Oracle::Compile => "compile",
            Oracle::Instantiate => "instantiate",
            Oracle::Configurations => "configurations",
            Oracle::Differential => "differential",
            Oracle::Objects => "objects",
            Oracle::Throws => "throws",
            Oracle::Jumps => "jumps",
            Oracle::Peer => "peer",
        }
    }

    /// Runs it on a fuzzer's bytes.
    ///
    /// # Panics
    ///
    /// When something is wrong with Meantime.
    pub fn check(self, data: &[u8]) -> Verdict {
        watch_background();
        let u = arbitrary::Unstructured::new(data);
        let verdict = match self {
            Oracle::Compile => compile::check(data),
            Oracle::Instantiate => instantiate::check(u),
            Oracle::Configurations => configurations::check(u),
            Oracle::Differential => differential::check(u),
            Oracle::Objects => objects::check(u),
            Oracle::Throws => throws::check(u),
            Oracle::Jumps => jumps::check(u),
            Oracle::Peer => peer::check(u),
        };
        let panics = BACKGROUND_PANICS.swap(0, Ordering::Relaxed);
        assert_eq!(panics, 0, "code could not be optimized");
        verdict
    }

    /// The bytes that a seed stands for. What reads modules gets modules with a few bytes changed; what generates
    /// modules gets noise.
    pub fn input(self, seed: u64) -> Vec<u8> {
        match self {
            Oracle::Compile => generate::nearly_a_module(seed),
            _ => seeds::bytes(seed, seeds::length(seed)),
        }
    }

    /// The text of the module that the oracle would compile from these bytes, if there is one.
    pub fn text(self, data: &[u8]) -> Option<String> {
        let u = arbitrary::Unstructured::new(data);
        let wasm = match self {
            Oracle::Compile => Some(data.to_vec()),
            Oracle::Instantiate => instantiate::Case::new(u).ok().map(|case| case.wasm),
            Oracle::Configurations => configurations::Case::new(u).ok().map(|case| case.wasm),
            Oracle::Differential => differential::Case::new(u).ok().map(|case| case.wasm),
            Oracle::Peer => peer::case(u).ok().map(|case| case.wasm),
            Oracle::Objects => return objects::Case::new(u).map(|case| case.text()),
            Oracle::Throws => return throws::Case::new(u).map(|case| case.text()),
            Oracle::Jumps => return jumps::Case::new(u).map(|case| case.text()),
        };
        wasmprinter::print_bytes(wasm?).ok()
    }
}
