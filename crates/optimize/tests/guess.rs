//! Calls through references, with a profile: what the module says besides is not forgotten.
//!
//! The one idea: functions that are expected are called directly, which their relocations tell.

mod common;

use meantime_abi::{DefinedFuncIndex, Tunables};
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

/// A call through a table whose functions are so small that calls of them become what they do: a call of another.
const TABLE: &str = r#"(module
    (type $op (func (param i32) (result i32)))
    (type $dear (func (param i64) (result i32)))
    (table funcref (elem $first $second))
    (func $a (type $dear)
      (if (result i32) (i64.eqz (local.get 0)) (then (i32.const 1)) (else (call $a (i64.sub (local.get 0) (i64.const 1))))))
    (func $b (type $dear)
      (if (result i32) (i64.eqz (local.get 0)) (then (i32.const 2)) (else (call $b (i64.sub (local.get 0) (i64.const 1))))))
    (func (param i32) (result i32) (call_indirect (type $op) (i32.const 5) (local.get 0)))
    (func $first (type $op) (call $a (i64.extend_i32_u (local.get 0))))
    (func $second (type $op) (call $b (i64.extend_i32_u (local.get 0)))))"#;

/// Which functions one calls directly when this one is mostly called by its call through a reference.
fn called_directly(wat: &str, caller: u32, mostly: Option<u32>) -> BTreeSet<u32> {
    let wasm = wat::parse_str(wat).expect("the text parses");
    let module = common::decode(&wasm);
    let optimizer = common::optimizer(common::TARGETS[0], Tunables::default());
    let request = TierRequest {
        mostly_called: &|_| mostly.map(DefinedFuncIndex::from_u32),
        ..TierRequest::AHEAD
    };
    let caller = DefinedFuncIndex::from_u32(caller);
    let compiled = optimizer.compile_in_tiers(&module, &wasm, caller, &request);
    let (compiled, _) = compiled.expect("it compiles");
    let targets = compiled.relocations.iter().map(|r| r.target.as_u32());
    targets.collect()
}

#[test]
fn a_profile_adds_to_what_the_module_says_of_methods() {
    for mostly in [None, Some(0), Some(1)] {
        let called = called_directly(METHODS, 2, mostly);
        assert_eq!(
            called,
            BTreeSet::from([0, 1]),
            "{mostly:?} is mostly called"
        );
    }
}

#[test]
fn a_profile_adds_to_what_the_module_says_of_tables() {
    for mostly in [3, 4] {
        let called = called_directly(TABLE, 2, Some(mostly));
        assert_eq!(called, BTreeSet::from([0, 1]), "{mostly} is mostly called");
    }
    // Without one, the element is looked at and called.
    assert_eq!(called_directly(TABLE, 2, None), BTreeSet::new());
}
