//! A fast validator of plain function bodies: those that compute with numbers, as nearly all of them do.
//!
//! It is the algorithm of the specification's appendix on validation, for a part of the language: numbers, vectors and exceptions as values, the
//! numeric operators, locals, globals, one memory, structured control, direct and indirect calls, exceptions thrown and caught. It says yes or it does not know: whatever is outside of
//! that part, and whatever is wrong, is for the full validator to judge, which has the words for it too. So what is said here can only be wrong in
//! one way, by a yes that the other would not give; tests compare the two on modules that were changed at random.
//!
//! The one idea: a type is a byte, so the operand stack is a string of bytes, and what most operators want of it is a comparison of two bytes with
//! a row of a table ([`table`]).
//!
//! Spec: Appendix, Validation Algorithm.

mod body;
mod data;
mod table;
#[cfg(test)]
mod tests;

use crate::Module;
use body::Walk;
pub(crate) use data::datas;
use meantime_abi::{AddrType, CompositeType, HeapType, RefType, TypeIndex, ValType};
use std::ops::Range;
use wasmparser::WasmFeatures;

/// A type of values. Zero is none of those known here.
type Code = u8;

const I32: Code = 1;
const I64: Code = 2;
const F32: Code = 3;
const F64: Code = 4;
const V128: Code = 5;
/// `exnref`, the one reference there is.
const EXN: Code = 6;
const OTHER: Code = 0;

/// Proposals whose operators are known here, which is only right where all of them are enabled.
const ASSUMED: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::FLOATS);

/// Parameters and results, as ranges of [`Plain::codes`].
#[derive(Copy, Clone, Debug, Default)]
struct Signature {
    params: Span,
    results: Span,
}

impl Signature {
    /// Whether there are neither parameters nor results.
    #[inline]
    fn is_empty(&self) -> bool {
        self.params.len() | self.results.len() == 0
    }
}

/// A range of [`Plain::codes`].
#[derive(Copy, Clone, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// One type.
    fn one(ty: Code) -> Span {
        let start = u32::from(ty);
        Span {
            start,
            end: start + 1,
        }
    }

    fn len(self) -> u32 {
        self.end - self.start
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What bodies need to know of their module.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    /// The types of all signatures, one after the other; first each type by itself, which is where results of blocks are that have one.
    codes: Vec<Code>,
    /// By type, where it is of functions and plain.
    types: Vec<Option<Signature>>,
    /// By function.
    functions: Vec<Option<Signature>>,
    /// By global: its type, and whether it can be set.
    globals: Vec<(Code, bool)>,
    /// By table, the type of its indices, where it holds any function.
    tables: Vec<Code>,
    /// The type of addresses of the first memory, if there is one.
    memory: Code,
    /// By tag.
    tags: Vec<Option<Signature>>,
    /// Whether there are exceptions.
    exceptions: bool,
}

/// Memory that one body leaves for the next.
#[derive(Default)]
pub(crate) struct Scratch {
    stack: Stack,
    types: Vec<Code>,
    frames: Vec<body::Frame>,
}

/// The types of operands. One more than there can be, so that two can be read at any place.
struct Stack([Code; body::DEPTH + 1]);

impl Default for Stack {
    fn default() -> Stack {
        Stack([OTHER; body::DEPTH + 1])
    }
}

fn code(ty: &ValType) -> Code {
    match ty {
        ValType::I32 => I32,
        ValType::I64 => I64,
        ValType::F32 => F32,
        ValType::F64 => F64,
        ValType::V128 => V128,
        ValType::Ref(RefType {
            nullable: true,
            heap: HeapType::Exn,
        }) => EXN,
        ValType::Ref(_) => OTHER,
    }
}

fn addr_code(ty: AddrType) -> Code {
    match ty {
        AddrType::I32 => I32,
        AddrType::I64 => I64,
    }
}

impl Plain {
    /// What there is to know of a module whose sections before the code were validated. None where nothing can be said with these features.
    pub(crate) fn new(module: &Module, features: &WasmFeatures) -> Option<Plain> {
        if !features.contains(ASSUMED) {
            return None;
        }
        let mut plain = Plain {
            codes: (0..=EXN).collect(),
            exceptions: features.contains(WasmFeatures::EXCEPTIONS),
            ..Plain::default()
        };
        for ty in module.types.values() {
            let signature = match &ty.composite {
                CompositeType::Func(ty) => plain.signature(&ty.params, &ty.results),
                _ => None,
            };
            plain.types.push(signature);
        }
        let signature = |ty: TypeIndex| *plain.types.get(ty.as_u32() as usize)?;
        let functions = module.functions.values();
        let functions = functions.map(|function| signature(function.ty)).collect();
        let tags = module
            .tags
            .values()
            .map(|tag| signature(tag.func))
            .collect();
        plain.functions = functions;
        plain.tags = tags;
        let globals = module.globals.values();
        plain.globals = globals.map(|ty| (code(&ty.content), ty.mutable)).collect();
        let tables = module.tables.values();
        plain.tables = tables
            .map(|ty| match ty.element.heap {
                HeapType::Func => addr_code(ty.addr),
                _ => OTHER,
            })
            .collect();
        let memory = module.memories.values().next();
        plain.memory = memory.map_or(OTHER, |ty| addr_code(ty.addr));
        Some(plain)
    }

    fn signature(&mut self, params: &[ValType], results: &[ValType]) -> Option<Signature> {
        Some(Signature {
            params: self.span(params)?,
            results: self.span(results)?,
        })
    }

    fn span(&mut self, types: &[ValType]) -> Option<Span> {
        let start = u32::try_from(self.codes.len()).ok()?;
        self.codes.extend(types.iter().map(code));
        let end = u32::try_from(self.codes.len()).ok()?;
        let span = Span { start, end };
        (!self.codes[span.range()].contains(&OTHER)).then_some(span)
    }

    /// Whether the body of a function of this type is known to be valid.
    pub(crate) fn validate(&self, scratch: &mut Scratch, ty: u32, body: &[u8]) -> bool {
        let signature = self.types.get(ty as usize).copied().flatten();
        signature.is_some_and(|ty| Walk::new(self, scratch, ty, body).run().is_some())
    }
}
