//! A program over objects does what its model says.
#![no_main]
use meantime_fuzzing::objects::check;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    check(libfuzzer_sys::arbitrary::Unstructured::new(data));
});
