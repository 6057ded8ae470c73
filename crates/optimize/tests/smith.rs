//! Compiles random valid modules for both targets, with Cranelift's verifier on.

mod common;

use arbitrary::Unstructured;
use common::{TARGETS, compile_all, decode, explicit, opposite, optimizer};
use meantime_abi::Tunables;
use wasm_smith::{Config, Module};

/// A small generator of bytes, the same on every machine.
fn bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn config() -> Config {
    Config {
        max_funcs: 12,
        min_funcs: 1,
        max_memories: 3,
        max_tables: 3,
        max_instructions: 400,
        memory64_enabled: true,
        threads_enabled: true,
        relaxed_simd_enabled: true,
        tail_call_enabled: true,
        wide_arithmetic_enabled: true,
        multi_value_enabled: true,
        reference_types_enabled: true,
        bulk_memory_enabled: true,
        simd_enabled: true,
        exceptions_enabled: true,
        gc_enabled: true,
        ..Config::default()
    }
}

#[test]
fn random_modules() {
    let tunables = [Tunables::default(), opposite(), explicit()];
    let compilers: Vec<_> = TARGETS
        .iter()
        .flat_map(|target| tunables.iter().map(move |t| (target, t.clone())))
        .map(|(target, mut tunables)| {
            tunables.relaxed_simd_deterministic &= !target.starts_with("x86");
            optimizer(target, tunables)
        })
        .collect();
    let mut functions = 0;
    for seed in 1..250 {
        let bytes = bytes(seed, 30_000);
        let mut input = Unstructured::new(&bytes);
        let Ok(module) = Module::new(config(), &mut input) else {
            continue;
        };
        let wasm = module.to_bytes();
        let module = decode(&wasm);
        for compiler in &compilers {
            if let Some(error) = compile_all(compiler, &module, &wasm).into_iter().next() {
                panic!("seed {seed}: {error}");
            }
        }
        functions += module.bodies().len();
    }
    assert!(functions > 100, "{functions} functions");
}
