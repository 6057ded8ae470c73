//! Jumps go where a model says.
#![no_main]
use meantime_fuzzing::jumps::check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    check(libfuzzer_sys::arbitrary::Unstructured::new(data));
});
