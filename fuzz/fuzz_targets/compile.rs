//! Any bytes: compiling ends with a module or an error.
#![no_main]
use meantime_fuzzing::compile::check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    check(data);
});
