//! Any module under several configurations: they agree.
#![no_main]
use meantime_fuzzing::configurations::check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    check(libfuzzer_sys::arbitrary::Unstructured::new(data));
});
