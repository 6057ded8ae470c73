//! A backend that makes up code: enough to see what the driver asks for and what becomes of the answers.

#![allow(dead_code)]

use meantime_abi::*;
use meantime_compile::{Artifact, ArtifactView, Backend, CompileError, Expect, compile_module};
use meantime_module::{Module, WasmFeatures, parse_text};
use std::sync::Mutex;
use std::thread::ThreadId;
use target_lexicon::Triple;

/// Makes for each function: a marker with its index, a call for each call of a defined function, and a return.
pub struct Fake {
    pub triple: Triple,
    pub tunables: Tunables,
    pub settings: Vec<(String, String)>,
    /// Functions that it refuses.
    pub refuses: Vec<u32>,
    /// Which threads asked for something.
    pub threads: Mutex<Vec<ThreadId>>,
}

pub fn x86() -> Fake {
    Fake {
        triple: "x86_64-unknown-linux-gnu".parse().unwrap(),
        tunables: Tunables::default(),
        settings: vec![
            ("opt_level".to_owned(), "speed".to_owned()),
            ("has_avx".to_owned(), "true".to_owned()),
        ],
        refuses: Vec::new(),
        threads: Mutex::new(Vec::new()),
    }
}

pub fn aarch64() -> Fake {
    Fake {
        triple: "aarch64-unknown-linux-gnu".parse().unwrap(),
        ..x86()
    }
}

impl Fake {
    fn is_x86(&self) -> bool {
        self.triple.architecture == target_lexicon::Architecture::X86_64
    }

    fn marker(&self, marker: u32) -> Vec<u8> {
        self.threads
            .lock()
            .unwrap()
            .push(std::thread::current().id());
        marker.to_le_bytes().to_vec()
    }
}

/// The defined functions that a body calls.
fn calls(module: &Module, wasm: &[u8], func: DefinedFuncIndex) -> Vec<FuncIndex> {
    let range = &module.bodies()[func].range;
    let body = &wasm[range.start as usize..range.end as usize];
    let body = wasmparser::FunctionBody::new(wasmparser::BinaryReader::new(body, 0));
    let mut calls = Vec::new();
    for op in body.get_operators_reader().unwrap() {
        if let wasmparser::Operator::Call { function_index } = op.unwrap() {
            let callee = FuncIndex::from_u32(function_index);
            if module.defined_func(callee).is_some() {
                calls.push(callee);
            }
        }
    }
    calls
}

impl Backend for Fake {
    fn triple(&self) -> &Triple {
        &self.triple
    }

    fn tunables(&self) -> &Tunables {
        &self.tunables
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }

    fn compile_function(
        &self,
        module: &Module,
        wasm: &[u8],
        index: DefinedFuncIndex,
    ) -> Result<CompiledFunction, CompileError> {
        if self.refuses.contains(&index.as_u32()) {
            return Err(CompileError {
                message: "refused".to_owned(),
                unsupported: false,
                offset: None,
            });
        }
        let mut code = self.marker(index.as_u32());
        let mut relocations = Vec::new();
        for target in calls(module, wasm, index) {
            let (opcode, addend, kind) = if self.is_x86() {
                (&[0xe8][..], -4, RelocationKind::X86Pc32)
            } else {
                (&[][..], 0, RelocationKind::Aarch64Branch26)
            };
            code.extend_from_slice(opcode);
            relocations.push(Relocation {
                offset: code.len() as u32,
                kind,
                target,
                addend,
            });
            // A `bl`, or an empty distance.
            code.extend_from_slice(if self.is_x86() {
                &[0; 4]
            } else {
                &[0, 0, 0, 0x94]
            });
        }
        code.push(0xc3);
        let mut side = SideTableBuilder::new();
        side.point(Point {
            code_offset: 4,
            wasm_offset: Some(module.bodies()[index].range.start),
            trap: Some(Trap::UnreachableCodeReached),
            inline: None,
        });
        Ok(CompiledFunction {
            code,
            align: 32,
            relocations,
            side_table: side.finish(),
        })
    }

    fn compile_trampoline(
        &self,
        kind: Trampoline,
        signature: &Signature,
    ) -> Result<CompiledFunction, CompileError> {
        let kind = match kind {
            Trampoline::Enter => 0x1000,
            Trampoline::Host => 0x2000,
        };
        let sizes = (signature.params.len() << 4 | signature.results.len()) as u32;
        Ok(CompiledFunction {
            code: self.marker(kind | sizes),
            align: 16,
            relocations: Vec::new(),
            side_table: SideTableBuilder::new().finish(),
        })
    }
}

pub fn module(text: &str) -> (Module, Vec<u8>) {
    let wasm = parse_text(text.as_bytes()).unwrap().into_owned();
    let module = Module::decode(&wasm, WasmFeatures::all(), false).unwrap();
    (module, wasm)
}

pub fn compile(text: &str, backend: &dyn Backend) -> Artifact {
    let (module, wasm) = module(text);
    compile_module(&module, &wasm, backend, true).unwrap()
}

pub fn word(bytes: &[u8], at: u32) -> u32 {
    let at = at as usize;
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Looks at everything that there is in an artifact.
pub fn look_at_all(view: ArtifactView<'_>) -> usize {
    let mut seen = view.text().len() + view.data().len();
    for symbol in view.symbols() {
        seen += symbol.name.len() + symbol.code.len();
        if let Some(table) = symbol.side_table {
            seen += table.points().count();
        }
        seen += usize::from(view.find(symbol.record.code.start).is_some());
    }
    for func in view.module().bodies().keys() {
        seen += view.func(func).code.len();
    }
    for ty in view.module().types().keys() {
        for kind in [Trampoline::Enter, Trampoline::Host] {
            seen += view.trampoline(kind, ty).map_or(0, |r| r.code.len());
        }
    }
    for memory in view.module().memory_images().keys() {
        seen += view.memory_image(memory).map_or(0, |image| image.len());
        seen += view
            .memory_image_range(memory)
            .map_or(0, |range| range.len());
    }
    for data in view.module().datas().keys() {
        seen += view.data_segment(data).len();
    }
    for section in view.module().custom_sections() {
        seen += view.custom_section(&section.name).map_or(0, <[u8]>::len);
    }
    for export in view.module().exports() {
        seen += usize::from(view.module().export(&export.name).is_some());
    }
    seen
}

pub fn expect() -> Expect {
    Expect::of(&x86())
}

/// A module with something of everything.
pub const EVERYTHING: &str = r#"(module $everything
    (type $struct_free (func (param i32 i32) (result i64)))
    (import "host" "f" (func $imported (param i32)))
    (import "host" "g" (global $g i32))
    (func $main (export "main") (call $leaf) (call $imported (i32.const 1)) (call $main))
    (func $leaf (drop (i32.const 7)))
    (func (export "other") (type $struct_free) (call $main) (i64.const 0))
    (table 10 funcref) (elem (i32.const 2) $leaf $main)
    (memory (export "memory") 4) (memory 1)
    (data (i32.const 65536) "in an image") (data "passive")
    (data (memory 1) (global.get $g) "somewhere")
    (@custom ".debug_info" "debugging") (@custom "producers" "dropped"))"#;
