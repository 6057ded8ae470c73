//! Numeric instructions on scalars: constants, comparisons, arithmetic, conversions, and the wide arithmetic proposal.

use super::{Result, Translator};
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Type, Value,
    condcodes::{FloatCC, IntCC},
    immediates::{Ieee32, Ieee64},
    types::{F32, F64, I8, I16, I32, I64, I128},
};
use meantime_abi::Trap;
use wasmparser::Operator as O;

impl Translator<'_> {
    #[rustfmt::skip]
    pub(super) fn numeric(&mut self, op: &O<'_>) -> Result<bool> {
        match *op {
            O::I32Const { value } => { let v = self.b.ins().iconst(I32, i64::from(value)); self.push(v); }
            O::I64Const { value } => { let v = self.b.ins().iconst(I64, value); self.push(v); }
            O::F32Const { value } => { let v = self.b.ins().f32const(Ieee32::with_bits(value.bits())); self.push(v); }
            O::F64Const { value } => { let v = self.b.ins().f64const(Ieee64::with_bits(value.bits())); self.push(v); }

            O::I32Eqz | O::I64Eqz => self.eqz(),
            O::I32Eq | O::I64Eq => self.icmp(IntCC::Equal),
            O::I32Ne | O::I64Ne => self.icmp(IntCC::NotEqual),
            O::I32LtS | O::I64LtS => self.icmp(IntCC::SignedLessThan),
            O::I32LtU | O::I64LtU => self.icmp(IntCC::UnsignedLessThan),
            O::I32GtS | O::I64GtS => self.icmp(IntCC::SignedGreaterThan),
            O::I32GtU | O::I64GtU => self.icmp(IntCC::UnsignedGreaterThan),
            O::I32LeS | O::I64LeS => self.icmp(IntCC::SignedLessThanOrEqual),
            O::I32LeU | O::I64LeU => self.icmp(IntCC::UnsignedLessThanOrEqual),
            O::I32GeS | O::I64GeS => self.icmp(IntCC::SignedGreaterThanOrEqual),
            O::I32GeU | O::I64GeU => self.icmp(IntCC::UnsignedGreaterThanOrEqual),
            O::F32Eq | O::F64Eq => self.fcmp(FloatCC::Equal),
            O::F32Ne | O::F64Ne => self.fcmp(FloatCC::NotEqual),
            O::F32Lt | O::F64Lt => self.fcmp(FloatCC::LessThan),
            O::F32Gt | O::F64Gt => self.fcmp(FloatCC::GreaterThan),
            O::F32Le | O::F64Le => self.fcmp(FloatCC::LessThanOrEqual),
            O::F32Ge | O::F64Ge => self.fcmp(FloatCC::GreaterThanOrEqual),

            O::I32Clz | O::I64Clz => { let x = self.pop(); let v = self.b.ins().clz(x); self.push(v); }
            O::I32Ctz | O::I64Ctz => { let x = self.pop(); let v = self.b.ins().ctz(x); self.push(v); }
            O::I32Popcnt | O::I64Popcnt => { let x = self.pop(); let v = self.b.ins().popcnt(x); self.push(v); }
            O::I32Add | O::I64Add => { let (x, y) = self.pop2(); let v = self.b.ins().iadd(x, y); self.push(v); }
            O::I32Sub | O::I64Sub => { let (x, y) = self.pop2(); let v = self.b.ins().isub(x, y); self.push(v); }
            O::I32Mul | O::I64Mul => { let (x, y) = self.pop2(); let v = self.b.ins().imul(x, y); self.push(v); }
            O::I32And | O::I64And => { let (x, y) = self.pop2(); let v = self.b.ins().band(x, y); self.push(v); }
            O::I32Or | O::I64Or => { let (x, y) = self.pop2(); let v = self.b.ins().bor(x, y); self.push(v); }
            O::I32Xor | O::I64Xor => { let (x, y) = self.pop2(); let v = self.b.ins().bxor(x, y); self.push(v); }
            O::I32Shl | O::I64Shl => { let (x, y) = self.pop2(); let v = self.b.ins().ishl(x, y); self.push(v); }
            O::I32ShrS | O::I64ShrS => { let (x, y) = self.pop2(); let v = self.b.ins().sshr(x, y); self.push(v); }
            O::I32ShrU | O::I64ShrU => { let (x, y) = self.pop2(); let v = self.b.ins().ushr(x, y); self.push(v); }
            O::I32Rotl | O::I64Rotl => { let (x, y) = self.pop2(); let v = self.b.ins().rotl(x, y); self.push(v); }
            O::I32Rotr | O::I64Rotr => { let (x, y) = self.pop2(); let v = self.b.ins().rotr(x, y); self.push(v); }
            O::I32DivS | O::I64DivS => self.divide(true, false),
            O::I32DivU | O::I64DivU => self.divide(false, false),
            O::I32RemS | O::I64RemS => self.divide(true, true),
            O::I32RemU | O::I64RemU => self.divide(false, true),

            O::F32Abs | O::F64Abs => { let x = self.pop(); let v = self.b.ins().fabs(x); self.push(v); }
            O::F32Neg | O::F64Neg => { let x = self.pop(); let v = self.b.ins().fneg(x); self.push(v); }
            O::F32Ceil | O::F64Ceil => { let x = self.pop(); let v = self.b.ins().ceil(x); self.push(v); }
            O::F32Floor | O::F64Floor => { let x = self.pop(); let v = self.b.ins().floor(x); self.push(v); }
            O::F32Trunc | O::F64Trunc => { let x = self.pop(); let v = self.b.ins().trunc(x); self.push(v); }
            O::F32Nearest | O::F64Nearest => { let x = self.pop(); let v = self.b.ins().nearest(x); self.push(v); }
            O::F32Sqrt | O::F64Sqrt => { let x = self.pop(); let v = self.b.ins().sqrt(x); self.push(v); }
            O::F32Add | O::F64Add => { let (x, y) = self.pop2(); let v = self.b.ins().fadd(x, y); self.push(v); }
            O::F32Sub | O::F64Sub => { let (x, y) = self.pop2(); let v = self.b.ins().fsub(x, y); self.push(v); }
            O::F32Mul | O::F64Mul => { let (x, y) = self.pop2(); let v = self.b.ins().fmul(x, y); self.push(v); }
            O::F32Div | O::F64Div => { let (x, y) = self.pop2(); let v = self.b.ins().fdiv(x, y); self.push(v); }
            O::F32Min | O::F64Min => { let (x, y) = self.pop2(); let v = self.b.ins().fmin(x, y); self.push(v); }
            O::F32Max | O::F64Max => { let (x, y) = self.pop2(); let v = self.b.ins().fmax(x, y); self.push(v); }
            O::F32Copysign | O::F64Copysign => { let (x, y) = self.pop2(); let v = self.b.ins().fcopysign(x, y); self.push(v); }

            O::I32WrapI64 => { let x = self.pop(); let v = self.b.ins().ireduce(I32, x); self.push(v); }
            O::I64ExtendI32S => { let x = self.pop(); let v = self.b.ins().sextend(I64, x); self.push(v); }
            O::I64ExtendI32U => { let x = self.pop(); let v = self.b.ins().uextend(I64, x); self.push(v); }
            O::I32Extend8S => self.extend(I8, I32),
            O::I32Extend16S => self.extend(I16, I32),
            O::I64Extend8S => self.extend(I8, I64),
            O::I64Extend16S => self.extend(I16, I64),
            O::I64Extend32S => self.extend(I32, I64),

            O::I32TruncF32S | O::I32TruncF64S => self.truncate(I32, true),
            O::I32TruncF32U | O::I32TruncF64U => self.truncate(I32, false),
            O::I64TruncF32S | O::I64TruncF64S => self.truncate(I64, true),
            O::I64TruncF32U | O::I64TruncF64U => self.truncate(I64, false),
            O::I32TruncSatF32S | O::I32TruncSatF64S => { let x = self.pop(); let v = self.b.ins().fcvt_to_sint_sat(I32, x); self.push(v); }
            O::I32TruncSatF32U | O::I32TruncSatF64U => { let x = self.pop(); let v = self.b.ins().fcvt_to_uint_sat(I32, x); self.push(v); }
            O::I64TruncSatF32S | O::I64TruncSatF64S => { let x = self.pop(); let v = self.b.ins().fcvt_to_sint_sat(I64, x); self.push(v); }
            O::I64TruncSatF32U | O::I64TruncSatF64U => { let x = self.pop(); let v = self.b.ins().fcvt_to_uint_sat(I64, x); self.push(v); }
            O::F32ConvertI32S | O::F32ConvertI64S => { let x = self.pop(); let v = self.b.ins().fcvt_from_sint(F32, x); self.push(v); }
            O::F32ConvertI32U | O::F32ConvertI64U => { let x = self.pop(); let v = self.b.ins().fcvt_from_uint(F32, x); self.push(v); }
            O::F64ConvertI32S | O::F64ConvertI64S => { let x = self.pop(); let v = self.b.ins().fcvt_from_sint(F64, x); self.push(v); }
            O::F64ConvertI32U | O::F64ConvertI64U => { let x = self.pop(); let v = self.b.ins().fcvt_from_uint(F64, x); self.push(v); }
            O::F32DemoteF64 => { let x = self.pop(); let v = self.b.ins().fdemote(F32, x); self.push(v); }
            O::F64PromoteF32 => { let x = self.pop(); let v = self.b.ins().fpromote(F64, x); self.push(v); }
            O::I32ReinterpretF32 => self.reinterpret(I32),
            O::I64ReinterpretF64 => self.reinterpret(I64),
            O::F32ReinterpretI32 => self.reinterpret(F32),
            O::F64ReinterpretI64 => self.reinterpret(F64),

            O::I64Add128 => self.wide(|t, x, y| t.b.ins().iadd(x, y)),
            O::I64Sub128 => self.wide(|t, x, y| t.b.ins().isub(x, y)),
            O::I64MulWideS => self.wide_multiply(true),
            O::I64MulWideU => self.wide_multiply(false),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn icmp(&mut self, cc: IntCC) {
        let (x, y) = self.pop2();
        let result = self.b.ins().icmp(cc, x, y);
        let result = self.b.ins().uextend(I32, result);
        self.push(result);
    }

    fn eqz(&mut self) {
        let x = self.pop();
        let ty = self.type_of(x);
        let zero = self.b.ins().iconst(ty, 0);
        let result = self.b.ins().icmp(IntCC::Equal, x, zero);
        let result = self.b.ins().uextend(I32, result);
        self.push(result);
    }

    fn fcmp(&mut self, cc: FloatCC) {
        let (x, y) = self.pop2();
        let result = self.b.ins().fcmp(cc, x, y);
        let result = self.b.ins().uextend(I32, result);
        self.push(result);
    }

    fn extend(&mut self, from: Type, to: Type) {
        let x = self.pop();
        let low = self.b.ins().ireduce(from, x);
        let result = self.b.ins().sextend(to, low);
        self.push(result);
    }

    fn reinterpret(&mut self, to: Type) {
        let x = self.pop();
        let result = self.b.ins().bitcast(to, MemFlagsData::new(), x);
        self.push(result);
    }

    fn divide(&mut self, signed: bool, remainder: bool) {
        let (x, y) = self.pop2();
        if !self.signals() {
            self.check_division(x, y, signed && !remainder);
        }
        let result = match (signed, remainder) {
            (true, false) => self.b.ins().sdiv(x, y),
            (false, false) => self.b.ins().udiv(x, y),
            (true, true) => self.b.ins().srem(x, y),
            (false, true) => self.b.ins().urem(x, y),
        };
        self.push(result);
    }

    /// Traps explicitly where a division would fault.
    fn check_division(&mut self, x: Value, y: Value, overflows: bool) {
        let ty = self.type_of(y);
        let constant = self.constant(y);
        if constant.is_none_or(|y| y == 0) {
            self.trap_unless(y, Trap::IntegerDivisionByZero);
        }
        let minus_one = u64::MAX >> (64 - ty.bits());
        if overflows && constant.is_none_or(|y| y == minus_one) {
            let lowest = self.b.ins().iconst(ty, i64::MIN >> (64 - ty.bits()));
            let is_lowest = self.b.ins().icmp(IntCC::Equal, x, lowest);
            let minus_one = self.b.ins().iconst(ty, -1);
            let is_minus_one = self.b.ins().icmp(IntCC::Equal, y, minus_one);
            let overflow = self.b.ins().band(is_lowest, is_minus_one);
            self.trap_if(overflow, Trap::IntegerOverflow);
        }
    }

    /// Float to integer, trapping.
    fn truncate(&mut self, to: Type, signed: bool) {
        let x = self.pop();
        if self.signals() {
            let result = if signed {
                self.b.ins().fcvt_to_sint(to, x)
            } else {
                self.b.ins().fcvt_to_uint(to, x)
            };
            self.push(result);
            return;
        }
        let is_nan = self.b.ins().fcmp(FloatCC::Unordered, x, x);
        self.trap_if(is_nan, Trap::BadConversionToInteger);
        let (low, inclusive, high) = truncation_bounds(self.type_of(x), to, signed);
        let low = self.float_const(self.type_of(x), low);
        let high = self.float_const(self.type_of(x), high);
        let cc = if inclusive {
            FloatCC::LessThan
        } else {
            FloatCC::LessThanOrEqual
        };
        let below = self.b.ins().fcmp(cc, x, low);
        let above = self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, x, high);
        let outside = self.b.ins().bor(below, above);
        self.trap_if(outside, Trap::IntegerOverflow);
        // In range, saturation changes nothing, and this form has no trap of its own.
        let result = if signed {
            self.b.ins().fcvt_to_sint_sat(to, x)
        } else {
            self.b.ins().fcvt_to_uint_sat(to, x)
        };
        self.push(result);
    }

    fn float_const(&mut self, ty: Type, value: f64) -> Value {
        if ty == F32 {
            self.b.ins().f32const(Ieee32::with_float(value as f32))
        } else {
            self.b.ins().f64const(Ieee64::with_float(value))
        }
    }

    /// A 128-bit operation on two pairs of halves, low first.
    fn wide(&mut self, operation: impl FnOnce(&mut Self, Value, Value) -> Value) {
        let (y_low, y_high) = self.pop2();
        let (x_low, x_high) = self.pop2();
        let x = self.b.ins().iconcat(x_low, x_high);
        let y = self.b.ins().iconcat(y_low, y_high);
        let result = operation(self, x, y);
        self.push_halves(result);
    }

    fn wide_multiply(&mut self, signed: bool) {
        let (x, y) = self.pop2();
        let (x, y) = if signed {
            (self.b.ins().sextend(I128, x), self.b.ins().sextend(I128, y))
        } else {
            (self.b.ins().uextend(I128, x), self.b.ins().uextend(I128, y))
        };
        let result = self.b.ins().imul(x, y);
        self.push_halves(result);
    }

    fn push_halves(&mut self, value: Value) {
        let (low, high) = self.b.ins().isplit(value);
        self.push(low);
        self.push(high);
    }
}

/// The bounds within which a float has an integer value after truncation: the lower one, whether it is itself within, and the
/// upper one, which is not. All of them are exact in the float's type.
fn truncation_bounds(from: Type, to: Type, signed: bool) -> (f64, bool, f64) {
    match (from, to, signed) {
        // Every `f64` above -2^31 - 1 truncates to at least -2^31; `f32` has no value between the two.
        (F64, I32, true) => (-2147483649.0, false, 2147483648.0),
        (_, I32, true) => (-2147483648.0, true, 2147483648.0),
        (_, I64, true) => (-9223372036854775808.0, true, 9223372036854775808.0),
        (_, I32, false) => (-1.0, false, 4294967296.0),
        (_, _, _) => (-1.0, false, 18446744073709551616.0),
    }
}
