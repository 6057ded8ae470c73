//! The values of constant expressions (section "Constant Expressions" of the specification).
//!
//! The one idea: an expression is a list of operators for a stack of raw values. Objects on the way are in no root, so the heap does not collect
//! while this runs; whoever calls it sees to that.

use crate::gc::object;
use crate::store::StoreOpaque;
use crate::{I31, Module, Result, ValRaw, ensure};
use meantime_abi::{ARRAY_ELEMENTS, CompositeType, FuncIndex, GcFields, GcStorage, TypeIndex};
use meantime_module::{ConstExpr, ConstOp};
use meantime_vm as vm;
use smallvec::SmallVec;

/// Evaluates a constant expression in an instance.
#[allow(unsafe_code)]
pub(crate) fn evaluate(
    store: &mut StoreOpaque,
    module: &Module,
    id: vm::InstanceId,
    expr: &ConstExpr,
) -> Result<ValRaw> {
    let mut stack = Stack::new();
    for op in &expr.ops {
        let mut binary = |f: fn(ValRaw, ValRaw) -> ValRaw| {
            let b = pop(&mut stack);
            let a = pop(&mut stack);
            f(a, b)
        };
        let value = match *op {
            ConstOp::I32Const(v) => ValRaw::i32(v),
            ConstOp::I64Const(v) => ValRaw::i64(v),
            ConstOp::F32Const(v) => ValRaw::f32(v),
            ConstOp::F64Const(v) => ValRaw::f64(v),
            ConstOp::V128Const(v) => ValRaw::v128(v),
            ConstOp::GlobalGet(index) => {
                let global = store.vm().global_id(id, index);
                // SAFETY: globals live as long as their store, and no guest runs.
                unsafe { (*store.vm().global(global)).0 }
            }
            ConstOp::RefNull(_) => ValRaw::ZERO,
            ConstOp::RefFunc(index) => func_value(store, id, index),
            ConstOp::I32Add => binary(|a, b| ValRaw::i32(a.get_i32().wrapping_add(b.get_i32()))),
            ConstOp::I32Sub => binary(|a, b| ValRaw::i32(a.get_i32().wrapping_sub(b.get_i32()))),
            ConstOp::I32Mul => binary(|a, b| ValRaw::i32(a.get_i32().wrapping_mul(b.get_i32()))),
            ConstOp::I64Add => binary(|a, b| ValRaw::i64(a.get_i64().wrapping_add(b.get_i64()))),
            ConstOp::I64Sub => binary(|a, b| ValRaw::i64(a.get_i64().wrapping_sub(b.get_i64()))),
            ConstOp::I64Mul => binary(|a, b| ValRaw::i64(a.get_i64().wrapping_mul(b.get_i64()))),
            ConstOp::RefI31 => ValRaw::gc_ref(I31::wrapping_i32(pop(&mut stack).get_i32()).bits()),
            // References of both hierarchies are the same numbers.
            ConstOp::AnyConvertExtern | ConstOp::ExternConvertAny => pop(&mut stack),
            ConstOp::StructNew(ty) => {
                let fields = struct_fields(module, ty);
                let values = pop_many(&mut stack, fields.fields.len());
                let object = object::alloc(store, module.type_id(ty), 0)?;
                let places = fields.fields.iter().copied();
                write_all(store, object, places.zip(values))?
            }
            ConstOp::StructNewDefault(ty) => {
                ValRaw::gc_ref(object::alloc(store, module.type_id(ty), 0)?.bits())
            }
            ConstOp::ArrayNew(ty) => {
                let len = pop(&mut stack).get_u32();
                let value = pop(&mut stack);
                let array = object::alloc(store, module.type_id(ty), len)?;
                object::fill_array(store, array, array_storage(module, ty), len, value)?;
                ValRaw::gc_ref(array.bits())
            }
            ConstOp::ArrayNewDefault(ty) => {
                let len = pop(&mut stack).get_u32();
                ValRaw::gc_ref(object::alloc(store, module.type_id(ty), len)?.bits())
            }
            ConstOp::ArrayNewFixed(ty, len) => {
                let values = pop_many(&mut stack, len as usize);
                let storage = array_storage(module, ty);
                let array = object::alloc(store, module.type_id(ty), len)?;
                // The array is in the heap, so all of its offsets fit.
                let places = (0..len).map(|i| (ARRAY_ELEMENTS + i * storage.size(), storage));
                write_all(store, array, places.zip(values))?
            }
        };
        stack.push(value);
    }
    Ok(pop(&mut stack))
}

type Stack = SmallVec<[ValRaw; 4]>;

fn pop(stack: &mut Stack) -> ValRaw {
    stack
        .pop()
        .expect("validated: operators have their operands")
}

/// The last so many values, in the order in which they were pushed.
fn pop_many(stack: &mut Stack, n: usize) -> Stack {
    stack.drain(stack.len() - n..).collect()
}

fn struct_fields(module: &Module, ty: TypeIndex) -> GcFields {
    match &module.env().types()[ty].composite {
        CompositeType::Struct(fields) => GcFields::of_struct(fields),
        _ => unreachable!("validated: a structure"),
    }
}

fn array_storage(module: &Module, ty: TypeIndex) -> GcStorage {
    match &module.env().types()[ty].composite {
        CompositeType::Array(element) => GcStorage::of(element),
        _ => unreachable!("validated: an array"),
    }
}

fn write_all(
    store: &mut StoreOpaque,
    object: vm::GcRef,
    values: impl Iterator<Item = ((u32, GcStorage), ValRaw)>,
) -> Result<ValRaw> {
    for ((offset, storage), value) in values {
        let written = store.vm_mut().gc_write(object, offset, storage, value);
        ensure!(written, "the GC heap is corrupt");
    }
    Ok(ValRaw::gc_ref(object.bits()))
}

fn func_value(store: &mut StoreOpaque, id: vm::InstanceId, index: FuncIndex) -> ValRaw {
    ValRaw::funcref(store.vm_mut().func_ref(id, index).as_ptr().cast())
}

/// The value of an expression that depends on nothing.
pub(crate) fn constant(expr: &ConstExpr) -> Option<ValRaw> {
    match expr.ops[..] {
        [ConstOp::I32Const(v)] => Some(ValRaw::i32(v)),
        [ConstOp::I64Const(v)] => Some(ValRaw::i64(v)),
        [ConstOp::F32Const(v)] => Some(ValRaw::f32(v)),
        [ConstOp::F64Const(v)] => Some(ValRaw::f64(v)),
        [ConstOp::V128Const(v)] => Some(ValRaw::v128(v)),
        [ConstOp::RefNull(_)] => Some(ValRaw::ZERO),
        _ => None,
    }
}
