//! Constant expressions (section "Constant Expressions"): a validated list of operators, evaluated at instantiation.

use meantime_abi::{FuncIndex, GlobalIndex, HeapType};
use serde::{Deserialize, Serialize};

/// A constant expression. Validated: evaluating it from an empty stack leaves one value of the expected type.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ConstExpr {
    /// The operators, without the final `end`.
    pub ops: Vec<ConstOp>,
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
}
