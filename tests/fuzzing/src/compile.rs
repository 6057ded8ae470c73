//! Oracle: whatever the bytes are, compiling them gives a module or an error, soon, and always the same.
//!
//! The bytes are hostile: a panic, a compilation without end or one that depends on how many threads took part is a failure.

use crate::Verdict;
use meantime::{Config, Engine, Module};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Longer than any compilation of a fuzzer's input takes, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(30);

static ENGINES: LazyLock<[Engine; 2]> = LazyLock::new(|| {
    [false, true].map(|parallel| {
        let mut config = Config::new();
        config.parallel_compilation(parallel);
        Engine::new(&config).expect("the configuration is valid")
    })
});

/// Compiles bytes twice, on one thread and on several.
///
/// # Panics
///
/// When compiling panics or takes long, when the two results differ, when validation alone has another opinion than compilation, or when the
/// message of an error has no text.
pub fn check(bytes: &[u8]) -> Verdict {
    let start = Instant::now();
    let [serial, parallel] = ENGINES.each_ref().map(|engine| Module::new(engine, bytes));
    let took = start.elapsed();
    assert!(
        took < LIMIT,
        "compiling {} bytes took {took:?}",
        bytes.len()
    );
    match (serial, parallel) {
        (Ok(serial), Ok(parallel)) => {
            let [serial, parallel] = [serial, parallel].map(|m| m.serialize().expect("serializes"));
            assert!(serial == parallel, "two compilations differ");
            if bytes.starts_with(b"\0asm") {
                let valid = Module::validate(&ENGINES[0], bytes);
                valid.expect("a module that compiles is valid");
            }
            Verdict::Checked
        }
        (Err(serial), Err(parallel)) => {
            let [serial, parallel] = [serial, parallel].map(|e| format!("{e:?}"));
            assert!(!serial.is_empty());
            assert_eq!(serial, parallel, "two compilations fail differently");
            Verdict::Refused
        }
        (serial, parallel) => panic!(
            "one compilation fails: {:?}, {:?}",
            serial.err(),
            parallel.err()
        ),
    }
}
