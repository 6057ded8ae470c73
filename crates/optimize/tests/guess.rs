//! Calls through references, with a profile: what it says comes first, and what the module says besides is not forgotten.
//!
//! The one idea: functions that are expected are called directly, which their relocations tell.

mod common;

use meantime_abi::{DefinedFuncIndex, FuncIndex, Tunables};
use meantime_optimize::TierRequest;
use std::collections::BTreeSet;

/// Two functions whose numbers a method table may hold, and one that calls what is in it.
const METHODS: &str = r#"(module
    (type $method (func (param i32) (result i32)))
    (type $vtable (struct (field (ref $method))))
    (func $first (type $method)
      (if (result i32) (local.get 0) (then (call $first (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
    (func $second (type $method)
      (if (result i32) (local.get 0) (then (call $second (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 2))))
    (elem declare func $first $second)
    (func (param (ref $vtable)) (result i32)
      (call_ref $method (i32.const 5) (struct.get $vtable 0 (local.get 0)))))"#;

#[test]
fn a_profile_adds_to_what_the_module_says() {
    let wasm = wat::parse_str(METHODS).expect("the text parses");
    let module = common::decode(&wasm);
    let optimizer = common::optimizer(common::TARGETS[0], Tunables::default());
    let caller = DefinedFuncIndex::from_u32(2);
    for mostly in [None, Some(0), Some(1)] {
        let request = TierRequest {
            mostly_called: &|_| mostly.map(DefinedFuncIndex::from_u32),
            ..TierRequest::AHEAD
        };
        let compiled = optimizer.compile_in_tiers(&module, &wasm, caller, &request);
        let (compiled, _) = compiled.expect("it compiles");
        let targets: BTreeSet<_> = compiled.relocations.iter().map(|r| r.target).collect();
        let both = [0, 1].map(FuncIndex::from_u32);
        assert_eq!(targets, BTreeSet::from(both), "{mostly:?} is mostly called");
    }
}
