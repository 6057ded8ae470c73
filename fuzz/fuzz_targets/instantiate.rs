//! Any module under any configuration: running it ends.
#![no_main]
use meantime_fuzzing::instantiate::check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    check(libfuzzer_sys::arbitrary::Unstructured::new(data));
});
