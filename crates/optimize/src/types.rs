//! Types of Wasm as types of CLIF, signatures, and codes of traps.

use crate::Target;
use cranelift_codegen::ir::{self, AbiParam, ArgumentPurpose, TrapCode, types};
use cranelift_codegen::isa::CallConv;
use meantime_abi::{
    Builtin, BuiltinType, CompositeKind, FuncType, HeapType, RefRepr, Trap, TypeIndex, ValRepr,
    ValType,
};
use meantime_module::Module;
use wasmparser as wp;

/// The type of a pointer.
pub(crate) const PTR: ir::Type = types::I64;

/// Marks the instruction after a call that does not return. Never executed, and not in the side table.
pub(crate) const UNREACHED: TrapCode = TrapCode::unwrap_user(200);

/// The type of a value and whether the collector must see it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Repr {
    pub(crate) ty: ir::Type,
    pub(crate) gc: bool,
}

impl From<ValRepr> for Repr {
    fn from(repr: ValRepr) -> Repr {
        let ty = match repr {
            ValRepr::I32 | ValRepr::GcRef => types::I32,
            ValRepr::I64 => types::I64,
            ValRepr::F32 => types::F32,
            ValRepr::F64 => types::F64,
            ValRepr::V128 => types::I8X16,
            ValRepr::FuncRef => PTR,
        };
        Repr {
            ty,
            gc: repr == ValRepr::GcRef,
        }
    }
}

/// A heap type that the decoder gives, unless it is of a proposal that is not implemented.
pub(crate) fn heap_type(module: &Module, ty: wp::HeapType) -> Option<HeapType> {
    use wp::AbstractHeapType as Abstract;
    let wp::HeapType::Abstract { shared: false, ty } = ty else {
        let wp::HeapType::Concrete(index) = ty else {
            return None;
        };
        let index = TypeIndex::from_u32(index.as_module_index()?);
        let kind = module.types()[index].composite.kind();
        return Some(HeapType::Concrete(kind, index));
    };
    Some(match ty {
        Abstract::Func => HeapType::Func,
        Abstract::NoFunc => HeapType::NoFunc,
        Abstract::Extern => HeapType::Extern,
        Abstract::NoExtern => HeapType::NoExtern,
        Abstract::Any => HeapType::Any,
        Abstract::Eq => HeapType::Eq,
        Abstract::I31 => HeapType::I31,
        Abstract::Struct => HeapType::Struct,
        Abstract::Array => HeapType::Array,
        Abstract::None => HeapType::None,
        Abstract::Exn => HeapType::Exn,
        Abstract::NoExn => HeapType::NoExn,
        _ => return None,
    })
}

/// How references to a heap type that the decoder gives are represented.
pub(crate) fn heap_repr(module: &Module, ty: wp::HeapType) -> RefRepr {
    use wp::AbstractHeapType::{Func, NoFunc};
    match ty {
        wp::HeapType::Abstract {
            ty: Func | NoFunc, ..
        } => RefRepr::Func,
        wp::HeapType::Abstract { .. } => RefRepr::Gc,
        wp::HeapType::Concrete(index) | wp::HeapType::Exact(index) => {
            let Some(index) = index.as_module_index() else {
                return RefRepr::Gc;
            };
            let index = meantime_abi::TypeIndex::from_u32(index);
            match module.types()[index].composite.kind() {
                CompositeKind::Func => RefRepr::Func,
                CompositeKind::Struct | CompositeKind::Array => RefRepr::Gc,
            }
        }
    }
}

/// How a value of a type that the decoder gives is represented.
pub(crate) fn val_repr(module: &Module, ty: wp::ValType) -> Repr {
    let repr = match ty {
        wp::ValType::I32 => ValRepr::I32,
        wp::ValType::I64 => ValRepr::I64,
        wp::ValType::F32 => ValRepr::F32,
        wp::ValType::F64 => ValRepr::F64,
        wp::ValType::V128 => ValRepr::V128,
        wp::ValType::Ref(r) => match heap_repr(module, r.heap_type()) {
            RefRepr::Func => ValRepr::FuncRef,
            RefRepr::Gc => ValRepr::GcRef,
        },
    };
    repr.into()
}

/// How references to a heap type are represented.
pub(crate) fn ref_repr<T>(heap: &HeapType<T>) -> Repr {
    match heap.repr() {
        RefRepr::Func => ValRepr::FuncRef.into(),
        RefRepr::Gc => ValRepr::GcRef.into(),
    }
}

/// The signature of Wasm functions that take and return these.
pub(crate) fn signature(
    params: impl Iterator<Item = ValRepr>,
    results: impl Iterator<Item = ValRepr>,
) -> ir::Signature {
    let mut signature = ir::Signature::new(CallConv::Tail);
    let param = |repr| AbiParam::new(Repr::from(repr).ty);
    signature
        .params
        .push(AbiParam::special(PTR, ArgumentPurpose::VMContext));
    signature.params.extend(params.map(param));
    signature.returns.extend(results.map(param));
    signature
}

/// The signature of Wasm functions of this type.
pub(crate) fn func_signature(ty: &FuncType) -> ir::Signature {
    signature(
        ty.params.iter().map(|t| t.repr()),
        ty.results.iter().map(|t| t.repr()),
    )
}

/// A signature for calls in the scope of handlers, and what goes before arguments and results there.
pub(crate) struct TrySignature {
    pub(crate) signature: ir::Signature,
    /// How many words.
    pub(crate) before: usize,
}

/// How functions of this type are called so that registers which they preserve are also preserved where an exception lands: Cranelift
/// gives none back after a call in the `tail` convention. The platform's C convention is the same as long as all arguments and results are
/// in registers, but for where in the row of registers they begin; none where they are not.
pub(crate) fn try_signature(target: &Target, ty: &FuncType) -> Option<TrySignature> {
    // On AArch64 the `tail` convention leaves the first two registers out, of arguments and of results.
    let (before, max_params, max_results, max_float_results) = match target.is_x86 {
        true => (0, 6, 1, 2),
        false => (2, 8, 8, 8),
    };
    let is_float = |ty: &&ValType| matches!(ty.repr(), ValRepr::F32 | ValRepr::F64 | ValRepr::V128);
    let fits = |types: &[ValType], before: usize, max: usize, max_floats: usize| {
        let floats = types.iter().filter(is_float).count();
        types.len() - floats + before <= max && floats <= max_floats
    };
    if !fits(&ty.params, before + 1, max_params, 8)
        || !fits(&ty.results, before, max_results, max_float_results)
    {
        return None;
    }
    let mut signature = ir::Signature::new(CallConv::SystemV);
    let param = |repr: ValRepr| AbiParam::new(Repr::from(repr).ty);
    let words = || std::iter::repeat_n(AbiParam::new(PTR), before);
    signature.params.extend(words());
    signature.params.push(AbiParam::new(PTR));
    signature
        .params
        .extend(ty.params.iter().map(|t| param(t.repr())));
    if !ty.results.is_empty() {
        signature.returns.extend(words());
        signature
            .returns
            .extend(ty.results.iter().map(|t| param(t.repr())));
    }
    Some(TrySignature { signature, before })
}

/// The signature of a function of the runtime.
pub(crate) fn builtin_signature(target: &Target, builtin: Builtin) -> ir::Signature {
    let mut signature = ir::Signature::new(target.isa.default_call_conv());
    let param = |ty: &BuiltinType| {
        AbiParam::new(match ty {
            BuiltinType::I32 => types::I32,
            BuiltinType::I64 => types::I64,
            BuiltinType::Ptr => PTR,
        })
    };
    signature.params.push(AbiParam::new(PTR));
    signature.params.extend(builtin.params().iter().map(param));
    signature.returns.extend(builtin.result().iter().map(param));
    signature
}

/// The signature of what an interrupted guest calls.
pub(crate) fn interrupt_signature() -> ir::Signature {
    ir::Signature::new(CallConv::PreserveAll)
}

/// The signature of the runtime's function that throws, as a call in the scope of handlers sees it: arguments are where the platform's C
/// convention has them, and where an exception lands, no register is taken to be as it was. That function never returns.
pub(crate) fn throw_signature() -> ir::Signature {
    let mut signature = ir::Signature::new(CallConv::PreserveAll);
    signature.params.push(AbiParam::new(PTR));
    signature.params.push(AbiParam::new(types::I32));
    signature
}

/// The code that Cranelift carries for a trap.
pub(crate) fn trap_code(trap: Trap) -> TrapCode {
    match trap {
        Trap::StackOverflow => TrapCode::STACK_OVERFLOW,
        Trap::MemoryOutOfBounds => TrapCode::HEAP_OUT_OF_BOUNDS,
        Trap::IntegerOverflow => TrapCode::INTEGER_OVERFLOW,
        Trap::IntegerDivisionByZero => TrapCode::INTEGER_DIVISION_BY_ZERO,
        Trap::BadConversionToInteger => TrapCode::BAD_CONVERSION_TO_INTEGER,
        other => TrapCode::unwrap_user(other as u8),
    }
}

/// The trap that such a code stands for, unless it is one that cannot happen.
pub(crate) fn trap_of(code: TrapCode) -> Option<Trap> {
    match code {
        TrapCode::STACK_OVERFLOW => Some(Trap::StackOverflow),
        TrapCode::HEAP_OUT_OF_BOUNDS => Some(Trap::MemoryOutOfBounds),
        TrapCode::INTEGER_OVERFLOW => Some(Trap::IntegerOverflow),
        TrapCode::INTEGER_DIVISION_BY_ZERO => Some(Trap::IntegerDivisionByZero),
        TrapCode::BAD_CONVERSION_TO_INTEGER => Some(Trap::BadConversionToInteger),
        other => Trap::from_u8(other.as_raw().get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_traps_round_trip() {
        for &trap in Trap::ALL {
            assert_eq!(trap_of(trap_code(trap)), Some(trap));
        }
        assert_eq!(trap_of(UNREACHED), None);
    }
}
