//! Validating on several threads gives the same result as on one.

mod common;

use meantime_module::{Module, WasmFeatures};
use wasm_encoder::*;

/// Enough code to be worth threads, with mistakes in the functions named.
fn large(bad: &[u32]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    for i in 0..200 {
        functions.function(0);
        let mut body = Function::new([]);
        for _ in 0..2000 {
            body.instructions().nop();
        }
        if bad.contains(&i) {
            body.instructions().drop();
        }
        body.instructions().end();
        code.function(&body);
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&functions).section(&code);
    module.finish()
}

#[test]
fn valid_modules_are_the_same() {
    let wasm = large(&[]);
    let [one, many] = [false, true].map(|p| Module::decode(&wasm, WasmFeatures::all(), p).unwrap());
    assert_eq!(one, many);
}

#[test]
fn the_first_mistake_is_reported() {
    let wasm = large(&[190, 120, 60, 61]);
    let one = Module::decode(&wasm, WasmFeatures::all(), false).unwrap_err();
    for _ in 0..20 {
        let many = Module::decode(&wasm, WasmFeatures::all(), true).unwrap_err();
        assert_eq!(one, many);
    }
    assert!(one.message().contains("type mismatch"), "{one}");
}
