//! Any module here and in Wasmi: they agree.
#![no_main]
use meantime_fuzzing::differential::check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    check(libfuzzer_sys::arbitrary::Unstructured::new(data));
});
