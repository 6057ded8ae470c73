//! What the tests of this crate share: compiling every function and trampoline of a module, and checking what comes out.

#![allow(dead_code)]

use meantime_abi::{
    CompiledFunction, ContextPlace, HandlerKind, OptLevel, RegallocAlgorithm, RelocationKind,
    SideTable, Signature, Trampoline, Tunables,
};
use meantime_compile::{Backend, CompileError};
use meantime_module::{Module, WasmFeatures};
use meantime_optimize::Optimizer;
use std::collections::BTreeSet;

/// The targets that code is made for.
pub const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// A compiler for a target that checks its own work.
pub fn optimizer(target: &str, tunables: Tunables) -> Optimizer {
    let flags = [("enable_verifier".to_owned(), "true".to_owned())];
    let triple = target.parse().expect("a triple");
    Optimizer::new(Some(triple), &flags, tunables).expect("a target of ours")
}

/// Memories with explicit checks, traps by branches, eager tables: the opposite of every default.
pub fn opposite() -> Tunables {
    Tunables {
        memory_reservation: 0,
        memory_guard_size: 0,
        signals_based_traps: false,
        table_lazy_init: false,
        generate_address_map: false,
        relaxed_simd_deterministic: true,
        nan_canonicalization: true,
        inlining: false,
        ..Tunables::default()
    }
}

/// As little work of the compiler as there can be.
pub fn quick() -> Tunables {
    Tunables {
        opt_level: OptLevel::None,
        regalloc: RegallocAlgorithm::SinglePass,
        ..Tunables::default()
    }
}

/// Explicit checks of memories, told by the hardware.
pub fn explicit() -> Tunables {
    Tunables {
        memory_reservation: 1 << 20,
        memory_guard_size: 1 << 16,
        ..Tunables::default()
    }
}

/// Decodes with everything that the decoder knows.
pub fn decode(wasm: &[u8]) -> Module {
    Module::decode(wasm, WasmFeatures::all(), false).expect("a valid module")
}

/// Compiles all of a module and checks it. Errors are returned, not made up for.
pub fn compile_all(optimizer: &Optimizer, module: &Module, wasm: &[u8]) -> Vec<CompileError> {
    let mut errors = Vec::new();
    for index in module.bodies().keys() {
        match optimizer.compile_function(module, wasm, index) {
            Ok(code) => check(&code, module, wasm),
            Err(error) => errors.push(error),
        }
    }
    let types = module.types().values().filter_map(|ty| ty.as_func());
    let signatures: BTreeSet<Signature> = types.map(|ty| ty.signature()).collect();
    for signature in &signatures {
        for kind in [Trampoline::Enter, Trampoline::Host] {
            let code = optimizer
                .compile_trampoline(kind, signature)
                .expect("any signature has trampolines");
            assert!(code.relocations.is_empty());
            check(&code, module, wasm);
        }
    }
    errors
}

fn check(code: &CompiledFunction, module: &Module, wasm: &[u8]) {
    assert!(!code.code.is_empty() && code.align.is_power_of_two());
    let table = SideTable::new(&code.side_table).expect("a side table");
    for point in table.points() {
        assert!(point.code_offset as usize <= code.code.len());
        assert!(point.wasm_offset.is_none_or(|o| (o as usize) < wasm.len()));
        assert!(point.inline.is_none_or(|i| table.inline_frame(i).is_some()));
    }
    for point in table.points() {
        for handler in table.handlers(point.code_offset) {
            assert!((handler.landing as usize) < code.code.len());
            assert!(handler.sp_below_fp.is_multiple_of(16));
            if let HandlerKind::Tag(tag) = handler.kind {
                assert!(module.tags().get(tag).is_some());
                match handler.context {
                    ContextPlace::BelowFp(at) => assert!((1..=handler.sp_below_fp).contains(&at)),
                    ContextPlace::Register(register) => assert!(register < 32),
                }
            }
        }
    }
    for saved in table.saved_registers() {
        assert!(saved.register < 32 && saved.below_fp >= 8);
    }
    for relocation in &code.relocations {
        assert!(relocation.offset as usize + 4 <= code.code.len());
        assert!(module.defined_func(relocation.target).is_some());
        if relocation.kind == RelocationKind::X86Pc32 {
            assert_eq!(relocation.addend, -4);
        }
    }
}
