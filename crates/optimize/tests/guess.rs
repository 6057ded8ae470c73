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

/// Which functions one calls directly when these are mostly called by its call through a reference.
fn called_directly(wat: &str, caller: u32, mostly: &[u32]) -> BTreeSet<u32> {
    calls(wat, caller, mostly).into_iter().collect()
}

/// The same, each as often as there are calls of it.
fn calls(wat: &str, caller: u32, mostly: &[u32]) -> Vec<u32> {
    let wasm = wat::parse_str(wat).expect("the text parses");
    let module = common::decode(&wasm);
    let optimizer = common::optimizer(common::TARGETS[0], Tunables::default());
    let request = TierRequest {
        mostly_called: &|_| {
            mostly
                .iter()
                .copied()
                .map(DefinedFuncIndex::from_u32)
                .collect()
        },
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
    for mostly in [&[][..], &[0], &[1], &[1, 0]] {
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
        let called = called_directly(TABLE, 2, &[mostly]);
        assert_eq!(called, BTreeSet::from([0, 1]), "{mostly} is mostly called");
    }
    // Without one, the element is looked at and called.
    assert_eq!(called_directly(TABLE, 2, &[]), BTreeSet::new());
}

/// A call through a table of more functions than a module's own account of them is made for; the last is too large to be inlined.
fn many() -> String {
    let small = |i: u32| {
        format!("(func $f{i} (type $op) (call $dear (i32.add (local.get 0) (i32.const {i}))))")
    };
    let small: String = (0..6).map(small).collect();
    let additions = "(i32.add (i32.const 1))".repeat(100);
    format!(
        r#"(module
            (type $op (func (param i32) (result i32)))
            (table funcref (elem $f0 $f1 $f2 $f3 $f4 $f5 $large))
            {small}
            (func $large (type $op) (local.get 0) {additions})
            (func (param i32) (result i32) (call_indirect (type $op) (i32.const 5) (local.get 0)))
            (func $dear (param i32) (result i32)
              (if (result i32) (local.get 0) (then (call $dear (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1)))))"#
    )
}

#[test]
fn each_of_several_is_inlined() {
    let (caller, dear, large) = (7, 8, 6);
    let calls = |mostly: &[u32]| calls(&many(), caller, mostly);
    assert_eq!(calls(&[]), []);
    assert_eq!(calls(&[2]), [dear]);
    assert_eq!(calls(&[2, 4]), [dear; 2]);
    assert_eq!(calls(&[5, 4, 3, 2]), [dear; 4]);
    // Only alone is one called that cannot be.
    assert_eq!(calls(&[large]), [large]);
    assert_eq!(calls(&[large, 0]), [dear]);
}
