//! Constant expressions (section "Constant Expressions"): a validated list of operators, evaluated at instantiation.
//!
//! This reads them and can say the value of one that depends on nothing but the module; the rest the runtime evaluates.

use crate::ModuleError;
use crate::convert::{Types, unsupported};
use meantime_abi::{FuncIndex, GlobalIndex, HeapType, TypeIndex};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use wasmparser::Operator;

/// A constant expression. Validated: evaluating it from an empty stack leaves one value of the expected type. Nearly every one is a single operator.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<ConstOp>", into = "Vec<ConstOp>")]
pub struct ConstExpr {
    /// The operators, without the final `end`.
    pub ops: SmallVec<[ConstOp; 1]>,
}

impl From<Vec<ConstOp>> for ConstExpr {
    fn from(ops: Vec<ConstOp>) -> ConstExpr {
        let ops = SmallVec::from_vec(ops);
        ConstExpr { ops }
    }
}

impl From<ConstExpr> for Vec<ConstOp> {
    fn from(expr: ConstExpr) -> Vec<ConstOp> {
        expr.ops.into_vec()
    }
}

/// An operator of a constant expression. Floats are bits.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ConstOp {
    /// `i32.const`
    I32Const(i32),
    /// `i64.const`
    I64Const(i64),
    /// `f32.const`
    F32Const(u32),
    /// `f64.const`
    F64Const(u64),
    /// `v128.const`
    V128Const(u128),
    /// `global.get`
    GlobalGet(GlobalIndex),
    /// `ref.null`
    RefNull(HeapType),
    /// `ref.func`
    RefFunc(FuncIndex),
    /// `i32.add`
    I32Add,
    /// `i32.sub`
    I32Sub,
    /// `i32.mul`
    I32Mul,
    /// `i64.add`
    I64Add,
    /// `i64.sub`
    I64Sub,
    /// `i64.mul`
    I64Mul,
    /// `struct.new`
    StructNew(TypeIndex),
    /// `struct.new_default`
    StructNewDefault(TypeIndex),
    /// `array.new`
    ArrayNew(TypeIndex),
    /// `array.new_default`
    ArrayNewDefault(TypeIndex),
    /// `array.new_fixed` with so many elements
    ArrayNewFixed(TypeIndex, u32),
    /// `ref.i31`
    RefI31,
    /// `any.convert_extern`
    AnyConvertExtern,
    /// `extern.convert_any`
    ExternConvertAny,
}

/// An integer that a constant expression has as its value.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum ConstInt {
    I32(i32),
    I64(i64),
}

impl ConstInt {
    /// As an address of a memory or table: addresses are unsigned.
    pub(crate) fn address(self) -> u64 {
        match self {
            ConstInt::I32(value) => u64::from(value as u32),
            ConstInt::I64(value) => value as u64,
        }
    }
}

impl ConstExpr {
    /// Takes a validated expression.
    pub(crate) fn read(
        expr: &wasmparser::ConstExpr<'_>,
        types: &Types,
    ) -> Result<ConstExpr, ModuleError> {
        let mut ops = SmallVec::new();
        for op in expr.get_operators_reader().into_iter_with_offsets() {
            let (op, offset) = op.map_err(ModuleError::malformed)?;
            ops.push(match op {
                Operator::End => continue,
                Operator::I32Const { value } => ConstOp::I32Const(value),
                Operator::I64Const { value } => ConstOp::I64Const(value),
                Operator::F32Const { value } => ConstOp::F32Const(value.bits()),
                Operator::F64Const { value } => ConstOp::F64Const(value.bits()),
                Operator::V128Const { value } => {
                    ConstOp::V128Const(u128::from_le_bytes(*value.bytes()))
                }
                Operator::GlobalGet { global_index } => {
                    ConstOp::GlobalGet(GlobalIndex::from_u32(global_index))
                }
                Operator::RefNull { hty } => ConstOp::RefNull(types.heap_type(hty, offset)?),
                Operator::RefFunc { function_index } => {
                    ConstOp::RefFunc(FuncIndex::from_u32(function_index))
                }
                Operator::I32Add => ConstOp::I32Add,
                Operator::I32Sub => ConstOp::I32Sub,
                Operator::I32Mul => ConstOp::I32Mul,
                Operator::I64Add => ConstOp::I64Add,
                Operator::I64Sub => ConstOp::I64Sub,
                Operator::I64Mul => ConstOp::I64Mul,
                Operator::StructNew { struct_type_index } => {
                    ConstOp::StructNew(TypeIndex::from_u32(struct_type_index))
                }
                Operator::StructNewDefault { struct_type_index } => {
                    ConstOp::StructNewDefault(TypeIndex::from_u32(struct_type_index))
                }
                Operator::ArrayNew { array_type_index } => {
                    ConstOp::ArrayNew(TypeIndex::from_u32(array_type_index))
                }
                Operator::ArrayNewDefault { array_type_index } => {
                    ConstOp::ArrayNewDefault(TypeIndex::from_u32(array_type_index))
                }
                Operator::ArrayNewFixed {
                    array_type_index,
                    array_size,
                } => ConstOp::ArrayNewFixed(TypeIndex::from_u32(array_type_index), array_size),
                Operator::RefI31 => ConstOp::RefI31,
                Operator::AnyConvertExtern => ConstOp::AnyConvertExtern,
                Operator::ExternConvertAny => ConstOp::ExternConvertAny,
                _ => {
                    let what = "this operator in constant expressions is";
                    return Err(unsupported(what, offset));
                }
            });
        }
        Ok(ConstExpr { ops })
    }

    /// The functions that it refers to.
    pub fn funcs(&self) -> impl Iterator<Item = FuncIndex> {
        self.ops.iter().filter_map(|op| match op {
            ConstOp::RefFunc(func) => Some(*func),
            _ => None,
        })
    }

    /// The function or null that it is, when it is just that.
    pub(crate) fn as_func(&self) -> Option<Option<FuncIndex>> {
        match self.ops.as_slice() {
            [ConstOp::RefFunc(func)] => Some(Some(*func)),
            [ConstOp::RefNull(_)] => Some(None),
            _ => None,
        }
    }

    /// The integer that is its value, when that depends on nothing but integers and `globals`, which says those that are known.
    pub(crate) fn int(
        &self,
        globals: impl Fn(GlobalIndex) -> Option<ConstInt>,
    ) -> Option<ConstInt> {
        match self.ops[..] {
            [ConstOp::I32Const(value)] => return Some(ConstInt::I32(value)),
            [ConstOp::I64Const(value)] => return Some(ConstInt::I64(value)),
            _ => {}
        }
        let mut stack = Vec::new();
        for op in &self.ops {
            let value = match *op {
                ConstOp::I32Const(value) => ConstInt::I32(value),
                ConstOp::I64Const(value) => ConstInt::I64(value),
                ConstOp::GlobalGet(global) => globals(global)?,
                _ => {
                    let (b, a) = (stack.pop()?, stack.pop()?);
                    binary(*op, a, b)?
                }
            };
            stack.push(value);
        }
        match stack.as_slice() {
            [value] => Some(*value),
            _ => None,
        }
    }
}

/// An operator on two integers, modulo their width as the specification says.
fn binary(op: ConstOp, a: ConstInt, b: ConstInt) -> Option<ConstInt> {
    use ConstInt::{I32, I64};
    Some(match (op, a, b) {
        (ConstOp::I32Add, I32(a), I32(b)) => I32(a.wrapping_add(b)),
        (ConstOp::I32Sub, I32(a), I32(b)) => I32(a.wrapping_sub(b)),
        (ConstOp::I32Mul, I32(a), I32(b)) => I32(a.wrapping_mul(b)),
        (ConstOp::I64Add, I64(a), I64(b)) => I64(a.wrapping_add(b)),
        (ConstOp::I64Sub, I64(a), I64(b)) => I64(a.wrapping_sub(b)),
        (ConstOp::I64Mul, I64(a), I64(b)) => I64(a.wrapping_mul(b)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(ops: Vec<ConstOp>) -> Option<ConstInt> {
        ConstExpr::from(ops).int(|global| (global.as_u32() == 3).then_some(ConstInt::I32(1000)))
    }

    #[test]
    fn arithmetic_wraps_and_keeps_the_order_of_operands() {
        use ConstOp::*;
        assert_eq!(
            int(vec![I32Const(7), I32Const(9), I32Sub]),
            Some(ConstInt::I32(-2))
        );
        assert_eq!(
            int(vec![I32Const(i32::MAX), I32Const(1), I32Add]),
            Some(ConstInt::I32(i32::MIN))
        );
        assert_eq!(
            int(vec![I64Const(i64::MAX), I64Const(2), I64Mul]),
            Some(ConstInt::I64(-2))
        );
        assert_eq!(ConstInt::I32(-1).address(), u64::from(u32::MAX));
    }

    #[test]
    fn globals_are_used_where_they_are_known() {
        use ConstOp::*;
        let known = vec![GlobalGet(GlobalIndex::from_u32(3)), I32Const(24), I32Add];
        assert_eq!(int(known), Some(ConstInt::I32(1024)));
        assert_eq!(int(vec![GlobalGet(GlobalIndex::from_u32(2))]), None);
        assert_eq!(int(vec![F32Const(0)]), None);
    }
}
