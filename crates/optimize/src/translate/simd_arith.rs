//! Vector instructions that compute, with those of the relaxed SIMD proposal.
//!
//! A relaxed instruction may give one of several results where the strict one has one. With `Tunables::relaxed_simd_deterministic` it
//! gives the same on every machine; else what the machine does fastest.

use super::{Result, Translator};
use cranelift_codegen::ir::{
    ConstantData, InstBuilder, Type, Value,
    condcodes::{FloatCC, IntCC},
    types::{F32X4, F64X2, I8X16, I16X8, I32, I32X4, I64X2},
};
use wasmparser::Operator as O;

impl Translator<'_> {
    #[rustfmt::skip]
    pub(super) fn simd_arith(&mut self, op: &O<'_>) -> Result<bool> {
        use FloatCC as F;
        use IntCC as C;
        match *op {
            O::I8x16Eq => self.vicmp(C::Equal, I8X16), O::I16x8Eq => self.vicmp(C::Equal, I16X8),
            O::I32x4Eq => self.vicmp(C::Equal, I32X4), O::I64x2Eq => self.vicmp(C::Equal, I64X2),
            O::I8x16Ne => self.vicmp(C::NotEqual, I8X16), O::I16x8Ne => self.vicmp(C::NotEqual, I16X8),
            O::I32x4Ne => self.vicmp(C::NotEqual, I32X4), O::I64x2Ne => self.vicmp(C::NotEqual, I64X2),
            O::I8x16LtS => self.vicmp(C::SignedLessThan, I8X16), O::I16x8LtS => self.vicmp(C::SignedLessThan, I16X8),
            O::I32x4LtS => self.vicmp(C::SignedLessThan, I32X4), O::I64x2LtS => self.vicmp(C::SignedLessThan, I64X2),
            O::I8x16GtS => self.vicmp(C::SignedGreaterThan, I8X16), O::I16x8GtS => self.vicmp(C::SignedGreaterThan, I16X8),
            O::I32x4GtS => self.vicmp(C::SignedGreaterThan, I32X4), O::I64x2GtS => self.vicmp(C::SignedGreaterThan, I64X2),
            O::I8x16LeS => self.vicmp(C::SignedLessThanOrEqual, I8X16), O::I16x8LeS => self.vicmp(C::SignedLessThanOrEqual, I16X8),
            O::I32x4LeS => self.vicmp(C::SignedLessThanOrEqual, I32X4), O::I64x2LeS => self.vicmp(C::SignedLessThanOrEqual, I64X2),
            O::I8x16GeS => self.vicmp(C::SignedGreaterThanOrEqual, I8X16), O::I16x8GeS => self.vicmp(C::SignedGreaterThanOrEqual, I16X8),
            O::I32x4GeS => self.vicmp(C::SignedGreaterThanOrEqual, I32X4), O::I64x2GeS => self.vicmp(C::SignedGreaterThanOrEqual, I64X2),
            O::I8x16LtU => self.vicmp(C::UnsignedLessThan, I8X16), O::I16x8LtU => self.vicmp(C::UnsignedLessThan, I16X8),
            O::I32x4LtU => self.vicmp(C::UnsignedLessThan, I32X4),
            O::I8x16GtU => self.vicmp(C::UnsignedGreaterThan, I8X16), O::I16x8GtU => self.vicmp(C::UnsignedGreaterThan, I16X8),
            O::I32x4GtU => self.vicmp(C::UnsignedGreaterThan, I32X4),
            O::I8x16LeU => self.vicmp(C::UnsignedLessThanOrEqual, I8X16), O::I16x8LeU => self.vicmp(C::UnsignedLessThanOrEqual, I16X8),
            O::I32x4LeU => self.vicmp(C::UnsignedLessThanOrEqual, I32X4),
            O::I8x16GeU => self.vicmp(C::UnsignedGreaterThanOrEqual, I8X16), O::I16x8GeU => self.vicmp(C::UnsignedGreaterThanOrEqual, I16X8),
            O::I32x4GeU => self.vicmp(C::UnsignedGreaterThanOrEqual, I32X4),
            O::F32x4Eq => self.vfcmp(F::Equal, F32X4), O::F64x2Eq => self.vfcmp(F::Equal, F64X2),
            O::F32x4Ne => self.vfcmp(F::NotEqual, F32X4), O::F64x2Ne => self.vfcmp(F::NotEqual, F64X2),
            O::F32x4Lt => self.vfcmp(F::LessThan, F32X4), O::F64x2Lt => self.vfcmp(F::LessThan, F64X2),
            O::F32x4Gt => self.vfcmp(F::GreaterThan, F32X4), O::F64x2Gt => self.vfcmp(F::GreaterThan, F64X2),
            O::F32x4Le => self.vfcmp(F::LessThanOrEqual, F32X4), O::F64x2Le => self.vfcmp(F::LessThanOrEqual, F64X2),
            O::F32x4Ge => self.vfcmp(F::GreaterThanOrEqual, F32X4), O::F64x2Ge => self.vfcmp(F::GreaterThanOrEqual, F64X2),

            O::I8x16Abs => self.v1(I8X16, |t, x| t.b.ins().iabs(x)), O::I16x8Abs => self.v1(I16X8, |t, x| t.b.ins().iabs(x)),
            O::I32x4Abs => self.v1(I32X4, |t, x| t.b.ins().iabs(x)), O::I64x2Abs => self.v1(I64X2, |t, x| t.b.ins().iabs(x)),
            O::I8x16Neg => self.v1(I8X16, |t, x| t.b.ins().ineg(x)), O::I16x8Neg => self.v1(I16X8, |t, x| t.b.ins().ineg(x)),
            O::I32x4Neg => self.v1(I32X4, |t, x| t.b.ins().ineg(x)), O::I64x2Neg => self.v1(I64X2, |t, x| t.b.ins().ineg(x)),
            O::I8x16Popcnt => self.v1(I8X16, |t, x| t.b.ins().popcnt(x)),
            O::I8x16AllTrue => self.all_true(I8X16), O::I16x8AllTrue => self.all_true(I16X8),
            O::I32x4AllTrue => self.all_true(I32X4), O::I64x2AllTrue => self.all_true(I64X2),
            O::I8x16Bitmask => self.v1(I8X16, |t, x| t.b.ins().vhigh_bits(I32, x)), O::I16x8Bitmask => self.v1(I16X8, |t, x| t.b.ins().vhigh_bits(I32, x)),
            O::I32x4Bitmask => self.v1(I32X4, |t, x| t.b.ins().vhigh_bits(I32, x)), O::I64x2Bitmask => self.v1(I64X2, |t, x| t.b.ins().vhigh_bits(I32, x)),

            O::I8x16Shl => self.shift(I8X16, |t, x, n| t.b.ins().ishl(x, n)), O::I16x8Shl => self.shift(I16X8, |t, x, n| t.b.ins().ishl(x, n)),
            O::I32x4Shl => self.shift(I32X4, |t, x, n| t.b.ins().ishl(x, n)), O::I64x2Shl => self.shift(I64X2, |t, x, n| t.b.ins().ishl(x, n)),
            O::I8x16ShrS => self.shift(I8X16, |t, x, n| t.b.ins().sshr(x, n)), O::I16x8ShrS => self.shift(I16X8, |t, x, n| t.b.ins().sshr(x, n)),
            O::I32x4ShrS => self.shift(I32X4, |t, x, n| t.b.ins().sshr(x, n)), O::I64x2ShrS => self.shift(I64X2, |t, x, n| t.b.ins().sshr(x, n)),
            O::I8x16ShrU => self.shift(I8X16, |t, x, n| t.b.ins().ushr(x, n)), O::I16x8ShrU => self.shift(I16X8, |t, x, n| t.b.ins().ushr(x, n)),
            O::I32x4ShrU => self.shift(I32X4, |t, x, n| t.b.ins().ushr(x, n)), O::I64x2ShrU => self.shift(I64X2, |t, x, n| t.b.ins().ushr(x, n)),

            O::I8x16Add => self.v2(I8X16, |t, x, y| t.b.ins().iadd(x, y)), O::I16x8Add => self.v2(I16X8, |t, x, y| t.b.ins().iadd(x, y)),
            O::I32x4Add => self.v2(I32X4, |t, x, y| t.b.ins().iadd(x, y)), O::I64x2Add => self.v2(I64X2, |t, x, y| t.b.ins().iadd(x, y)),
            O::I8x16Sub => self.v2(I8X16, |t, x, y| t.b.ins().isub(x, y)), O::I16x8Sub => self.v2(I16X8, |t, x, y| t.b.ins().isub(x, y)),
            O::I32x4Sub => self.v2(I32X4, |t, x, y| t.b.ins().isub(x, y)), O::I64x2Sub => self.v2(I64X2, |t, x, y| t.b.ins().isub(x, y)),
            O::I8x16AddSatS => self.v2(I8X16, |t, x, y| t.b.ins().sadd_sat(x, y)), O::I16x8AddSatS => self.v2(I16X8, |t, x, y| t.b.ins().sadd_sat(x, y)),
            O::I8x16AddSatU => self.v2(I8X16, |t, x, y| t.b.ins().uadd_sat(x, y)), O::I16x8AddSatU => self.v2(I16X8, |t, x, y| t.b.ins().uadd_sat(x, y)),
            O::I8x16SubSatS => self.v2(I8X16, |t, x, y| t.b.ins().ssub_sat(x, y)), O::I16x8SubSatS => self.v2(I16X8, |t, x, y| t.b.ins().ssub_sat(x, y)),
            O::I8x16SubSatU => self.v2(I8X16, |t, x, y| t.b.ins().usub_sat(x, y)), O::I16x8SubSatU => self.v2(I16X8, |t, x, y| t.b.ins().usub_sat(x, y)),
            O::I16x8Mul => self.v2(I16X8, |t, x, y| t.b.ins().imul(x, y)), O::I32x4Mul => self.v2(I32X4, |t, x, y| t.b.ins().imul(x, y)),
            O::I64x2Mul => self.v2(I64X2, |t, x, y| t.b.ins().imul(x, y)),
            O::I8x16MinS => self.v2(I8X16, |t, x, y| t.b.ins().smin(x, y)), O::I16x8MinS => self.v2(I16X8, |t, x, y| t.b.ins().smin(x, y)),
            O::I32x4MinS => self.v2(I32X4, |t, x, y| t.b.ins().smin(x, y)),
            O::I8x16MinU => self.v2(I8X16, |t, x, y| t.b.ins().umin(x, y)), O::I16x8MinU => self.v2(I16X8, |t, x, y| t.b.ins().umin(x, y)),
            O::I32x4MinU => self.v2(I32X4, |t, x, y| t.b.ins().umin(x, y)),
            O::I8x16MaxS => self.v2(I8X16, |t, x, y| t.b.ins().smax(x, y)), O::I16x8MaxS => self.v2(I16X8, |t, x, y| t.b.ins().smax(x, y)),
            O::I32x4MaxS => self.v2(I32X4, |t, x, y| t.b.ins().smax(x, y)),
            O::I8x16MaxU => self.v2(I8X16, |t, x, y| t.b.ins().umax(x, y)), O::I16x8MaxU => self.v2(I16X8, |t, x, y| t.b.ins().umax(x, y)),
            O::I32x4MaxU => self.v2(I32X4, |t, x, y| t.b.ins().umax(x, y)),
            O::I8x16AvgrU => self.v2(I8X16, |t, x, y| t.b.ins().avg_round(x, y)), O::I16x8AvgrU => self.v2(I16X8, |t, x, y| t.b.ins().avg_round(x, y)),
            O::I16x8Q15MulrSatS => self.v2(I16X8, |t, x, y| t.b.ins().sqmul_round_sat(x, y)),

            O::I8x16NarrowI16x8S => self.v2(I16X8, |t, x, y| t.b.ins().snarrow(x, y)), O::I8x16NarrowI16x8U => self.v2(I16X8, |t, x, y| t.b.ins().unarrow(x, y)),
            O::I16x8NarrowI32x4S => self.v2(I32X4, |t, x, y| t.b.ins().snarrow(x, y)), O::I16x8NarrowI32x4U => self.v2(I32X4, |t, x, y| t.b.ins().unarrow(x, y)),
            O::I16x8ExtendLowI8x16S => self.v1(I8X16, |t, x| t.b.ins().swiden_low(x)), O::I16x8ExtendHighI8x16S => self.v1(I8X16, |t, x| t.b.ins().swiden_high(x)),
            O::I16x8ExtendLowI8x16U => self.v1(I8X16, |t, x| t.b.ins().uwiden_low(x)), O::I16x8ExtendHighI8x16U => self.v1(I8X16, |t, x| t.b.ins().uwiden_high(x)),
            O::I32x4ExtendLowI16x8S => self.v1(I16X8, |t, x| t.b.ins().swiden_low(x)), O::I32x4ExtendHighI16x8S => self.v1(I16X8, |t, x| t.b.ins().swiden_high(x)),
            O::I32x4ExtendLowI16x8U => self.v1(I16X8, |t, x| t.b.ins().uwiden_low(x)), O::I32x4ExtendHighI16x8U => self.v1(I16X8, |t, x| t.b.ins().uwiden_high(x)),
            O::I64x2ExtendLowI32x4S => self.v1(I32X4, |t, x| t.b.ins().swiden_low(x)), O::I64x2ExtendHighI32x4S => self.v1(I32X4, |t, x| t.b.ins().swiden_high(x)),
            O::I64x2ExtendLowI32x4U => self.v1(I32X4, |t, x| t.b.ins().uwiden_low(x)), O::I64x2ExtendHighI32x4U => self.v1(I32X4, |t, x| t.b.ins().uwiden_high(x)),
            O::I16x8ExtMulLowI8x16S => self.extended_multiply(I8X16, true, false), O::I16x8ExtMulHighI8x16S => self.extended_multiply(I8X16, true, true),
            O::I16x8ExtMulLowI8x16U => self.extended_multiply(I8X16, false, false), O::I16x8ExtMulHighI8x16U => self.extended_multiply(I8X16, false, true),
            O::I32x4ExtMulLowI16x8S => self.extended_multiply(I16X8, true, false), O::I32x4ExtMulHighI16x8S => self.extended_multiply(I16X8, true, true),
            O::I32x4ExtMulLowI16x8U => self.extended_multiply(I16X8, false, false), O::I32x4ExtMulHighI16x8U => self.extended_multiply(I16X8, false, true),
            O::I64x2ExtMulLowI32x4S => self.extended_multiply(I32X4, true, false), O::I64x2ExtMulHighI32x4S => self.extended_multiply(I32X4, true, true),
            O::I64x2ExtMulLowI32x4U => self.extended_multiply(I32X4, false, false), O::I64x2ExtMulHighI32x4U => self.extended_multiply(I32X4, false, true),
            O::I16x8ExtAddPairwiseI8x16S => self.v1(I8X16, |t, x| t.add_pairs(x, true)), O::I16x8ExtAddPairwiseI8x16U => self.v1(I8X16, |t, x| t.add_pairs(x, false)),
            O::I32x4ExtAddPairwiseI16x8S => self.v1(I16X8, |t, x| t.add_pairs(x, true)), O::I32x4ExtAddPairwiseI16x8U => self.v1(I16X8, |t, x| t.add_pairs(x, false)),
            O::I32x4DotI16x8S => self.v2(I16X8, |t, x, y| t.dot(x, y)),

            O::F32x4Ceil => self.v1(F32X4, |t, x| t.b.ins().ceil(x)), O::F64x2Ceil => self.v1(F64X2, |t, x| t.b.ins().ceil(x)),
            O::F32x4Floor => self.v1(F32X4, |t, x| t.b.ins().floor(x)), O::F64x2Floor => self.v1(F64X2, |t, x| t.b.ins().floor(x)),
            O::F32x4Trunc => self.v1(F32X4, |t, x| t.b.ins().trunc(x)), O::F64x2Trunc => self.v1(F64X2, |t, x| t.b.ins().trunc(x)),
            O::F32x4Nearest => self.v1(F32X4, |t, x| t.b.ins().nearest(x)), O::F64x2Nearest => self.v1(F64X2, |t, x| t.b.ins().nearest(x)),
            O::F32x4Abs => self.v1(F32X4, |t, x| t.b.ins().fabs(x)), O::F64x2Abs => self.v1(F64X2, |t, x| t.b.ins().fabs(x)),
            O::F32x4Neg => self.v1(F32X4, |t, x| t.b.ins().fneg(x)), O::F64x2Neg => self.v1(F64X2, |t, x| t.b.ins().fneg(x)),
            O::F32x4Sqrt => self.v1(F32X4, |t, x| t.b.ins().sqrt(x)), O::F64x2Sqrt => self.v1(F64X2, |t, x| t.b.ins().sqrt(x)),
            O::F32x4Add => self.v2(F32X4, |t, x, y| t.b.ins().fadd(x, y)), O::F64x2Add => self.v2(F64X2, |t, x, y| t.b.ins().fadd(x, y)),
            O::F32x4Sub => self.v2(F32X4, |t, x, y| t.b.ins().fsub(x, y)), O::F64x2Sub => self.v2(F64X2, |t, x, y| t.b.ins().fsub(x, y)),
            O::F32x4Mul => self.v2(F32X4, |t, x, y| t.b.ins().fmul(x, y)), O::F64x2Mul => self.v2(F64X2, |t, x, y| t.b.ins().fmul(x, y)),
            O::F32x4Div => self.v2(F32X4, |t, x, y| t.b.ins().fdiv(x, y)), O::F64x2Div => self.v2(F64X2, |t, x, y| t.b.ins().fdiv(x, y)),
            O::F32x4Min => self.v2(F32X4, |t, x, y| t.b.ins().fmin(x, y)), O::F64x2Min => self.v2(F64X2, |t, x, y| t.b.ins().fmin(x, y)),
            O::F32x4Max => self.v2(F32X4, |t, x, y| t.b.ins().fmax(x, y)), O::F64x2Max => self.v2(F64X2, |t, x, y| t.b.ins().fmax(x, y)),
            O::F32x4PMin => self.v2(F32X4, |t, x, y| t.pseudo(x, y, false)), O::F64x2PMin => self.v2(F64X2, |t, x, y| t.pseudo(x, y, false)),
            O::F32x4PMax => self.v2(F32X4, |t, x, y| t.pseudo(x, y, true)), O::F64x2PMax => self.v2(F64X2, |t, x, y| t.pseudo(x, y, true)),

            O::F32x4ConvertI32x4S => self.v1(I32X4, |t, x| t.b.ins().fcvt_from_sint(F32X4, x)),
            O::F32x4ConvertI32x4U => self.v1(I32X4, |t, x| t.b.ins().fcvt_from_uint(F32X4, x)),
            O::F64x2ConvertLowI32x4S => self.v1(I32X4, |t, x| { let x = t.b.ins().swiden_low(x); t.b.ins().fcvt_from_sint(F64X2, x) }),
            O::F64x2ConvertLowI32x4U => self.v1(I32X4, |t, x| { let x = t.b.ins().uwiden_low(x); t.b.ins().fcvt_from_uint(F64X2, x) }),
            O::F32x4DemoteF64x2Zero => self.v1(F64X2, |t, x| t.b.ins().fvdemote(x)),
            O::F64x2PromoteLowF32x4 => self.v1(F32X4, |t, x| t.b.ins().fvpromote_low(x)),
            O::I32x4TruncSatF32x4S => self.v1(F32X4, |t, x| t.b.ins().fcvt_to_sint_sat(I32X4, x)),
            O::I32x4TruncSatF64x2SZero => self.v1(F64X2, |t, x| t.truncate_low(x, false)),
            // No machine has a faster unsigned conversion, so the relaxed ones are the strict ones.
            O::I32x4TruncSatF32x4U | O::I32x4RelaxedTruncF32x4U => self.v1(F32X4, |t, x| t.b.ins().fcvt_to_uint_sat(I32X4, x)),
            O::I32x4TruncSatF64x2UZero | O::I32x4RelaxedTruncF64x2UZero => self.v1(F64X2, |t, x| {
                let wide = t.b.ins().fcvt_to_uint_sat(I64X2, x);
                let zero = t.zero_vector(I64X2);
                t.b.ins().uunarrow(wide, zero)
            }),

            O::I32x4RelaxedTruncF32x4S => self.v1(F32X4, |t, x| {
                if t.relaxed_x86() { t.b.ins().x86_cvtt2dq(I32X4, x) } else { t.b.ins().fcvt_to_sint_sat(I32X4, x) }
            }),
            O::I32x4RelaxedTruncF64x2SZero => self.v1(F64X2, |t, x| t.truncate_low(x, true)),
            O::I8x16RelaxedSwizzle => self.v2(I8X16, |t, x, y| {
                if t.relaxed_x86() { t.b.ins().x86_pshufb(x, y) } else { t.b.ins().swizzle(x, y) }
            }),
            O::F32x4RelaxedMin => self.relaxed_extremum(F32X4, false), O::F64x2RelaxedMin => self.relaxed_extremum(F64X2, false),
            O::F32x4RelaxedMax => self.relaxed_extremum(F32X4, true), O::F64x2RelaxedMax => self.relaxed_extremum(F64X2, true),
            O::F32x4RelaxedMadd => self.multiply_add(F32X4, false)?, O::F64x2RelaxedMadd => self.multiply_add(F64X2, false)?,
            O::F32x4RelaxedNmadd => self.multiply_add(F32X4, true)?, O::F64x2RelaxedNmadd => self.multiply_add(F64X2, true)?,
            O::I8x16RelaxedLaneselect => self.relaxed_select(I8X16), O::I16x8RelaxedLaneselect => self.relaxed_select(I16X8),
            O::I32x4RelaxedLaneselect => self.relaxed_select(I32X4), O::I64x2RelaxedLaneselect => self.relaxed_select(I64X2),
            O::I16x8RelaxedQ15mulrS => self.v2(I16X8, |t, x, y| {
                if t.relaxed_x86() { t.b.ins().x86_pmulhrsw(x, y) } else { t.b.ins().sqmul_round_sat(x, y) }
            }),
            O::I16x8RelaxedDotI8x16I7x16S => self.v2(I8X16, |t, x, y| {
                // The second operand has seven bits, so taking the *second* as unsigned changes nothing.
                if t.relaxed_x86() { t.b.ins().x86_pmaddubsw(x, y) } else { t.dot_pairs(x, y) }
            }),
            O::I32x4RelaxedDotI8x16I7x16AddS => self.dot_add(),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn v1(&mut self, ty: Type, operation: impl FnOnce(&mut Self, Value) -> Value) {
        let x = self.pop_vector(ty);
        let result = operation(self, x);
        self.push(result);
    }

    fn v2(&mut self, ty: Type, operation: impl FnOnce(&mut Self, Value, Value) -> Value) {
        let (x, y) = self.pop2_vectors(ty);
        let result = operation(self, x, y);
        self.push(result);
    }

    /// A shift by a scalar, which CLIF takes modulo the lane's width as Wasm does.
    fn shift(&mut self, ty: Type, operation: impl FnOnce(&mut Self, Value, Value) -> Value) {
        let count = self.pop();
        let x = self.pop_vector(ty);
        let result = operation(self, x, count);
        self.push(result);
    }

    fn vicmp(&mut self, cc: IntCC, ty: Type) {
        self.v2(ty, |t, x, y| t.b.ins().icmp(cc, x, y));
    }

    fn vfcmp(&mut self, cc: FloatCC, ty: Type) {
        self.v2(ty, |t, x, y| t.b.ins().fcmp(cc, x, y));
    }

    fn all_true(&mut self, ty: Type) {
        self.v1(ty, |t, x| {
            let result = t.b.ins().vall_true(x);
            t.b.ins().uextend(I32, result)
        });
    }

    fn zero_vector(&mut self, ty: Type) -> Value {
        let data = ConstantData::from(&[0; 16][..]);
        let constant = self.b.func.dfg.constants.insert(data);
        self.b.ins().vconst(ty, constant)
    }

    fn widen_half(&mut self, x: Value, signed: bool, high: bool) -> Value {
        match (signed, high) {
            (true, false) => self.b.ins().swiden_low(x),
            (true, true) => self.b.ins().swiden_high(x),
            (false, false) => self.b.ins().uwiden_low(x),
            (false, true) => self.b.ins().uwiden_high(x),
        }
    }

    fn extended_multiply(&mut self, ty: Type, signed: bool, high: bool) {
        self.v2(ty, |t, x, y| {
            let x = t.widen_half(x, signed, high);
            let y = t.widen_half(y, signed, high);
            t.b.ins().imul(x, y)
        });
    }

    fn add_pairs(&mut self, x: Value, signed: bool) -> Value {
        let low = self.widen_half(x, signed, false);
        let high = self.widen_half(x, signed, true);
        self.b.ins().iadd_pairwise(low, high)
    }

    /// Products of signed lanes, each twice as wide: of the lower half and of the upper.
    fn products(&mut self, x: Value, y: Value) -> (Value, Value) {
        let mut half = |high| {
            let x = self.widen_half(x, true, high);
            let y = self.widen_half(y, true, high);
            self.b.ins().imul(x, y)
        };
        (half(false), half(true))
    }

    fn dot(&mut self, x: Value, y: Value) -> Value {
        let (low, high) = self.products(x, y);
        self.b.ins().iadd_pairwise(low, high)
    }

    fn dot_pairs(&mut self, x: Value, y: Value) -> Value {
        self.dot(x, y)
    }

    fn dot_add(&mut self) {
        let sum = self.pop_vector(I32X4);
        self.v2(I8X16, |t, x, y| {
            let dot = if t.relaxed_x86() {
                let pairs = t.b.ins().x86_pmaddubsw(x, y);
                t.add_pairs(pairs, true)
            } else {
                // Exact: sums of two products can be too large for 16 bits.
                let (low, high) = t.products(x, y);
                let low = t.add_pairs(low, true);
                let high = t.add_pairs(high, true);
                t.b.ins().iadd_pairwise(low, high)
            };
            t.b.ins().iadd(dot, sum)
        });
    }

    /// `pmin` and `pmax`: the first operand unless the second is less, or greater. In this very form, machines have an instruction for it.
    fn pseudo(&mut self, x: Value, y: Value, max: bool) -> Value {
        let ty = self.type_of(x);
        let (less, than) = if max { (x, y) } else { (y, x) };
        let second = self.b.ins().fcmp(FloatCC::LessThan, less, than);
        let second = self.as_vector(second, ty);
        self.b.ins().bitselect(second, y, x)
    }

    /// The two lanes as 32-bit integers in the lower half.
    fn truncate_low(&mut self, x: Value, relaxed: bool) -> Value {
        let wide = if relaxed && self.relaxed_x86() {
            self.b.ins().x86_cvtt2dq(I64X2, x)
        } else {
            self.b.ins().fcvt_to_sint_sat(I64X2, x)
        };
        let zero = self.zero_vector(I64X2);
        self.b.ins().snarrow(wide, zero)
    }

    /// Whether relaxed instructions may do what x86-64 does.
    fn relaxed_x86(&self) -> bool {
        self.target.is_x86 && !self.target.tunables.relaxed_simd_deterministic
    }

    fn relaxed_extremum(&mut self, ty: Type, max: bool) {
        self.v2(ty, |t, x, y| match (t.relaxed_x86(), max) {
            (true, _) => t.pseudo(x, y, max),
            (false, false) => t.b.ins().fmin(x, y),
            (false, true) => t.b.ins().fmax(x, y),
        });
    }

    fn relaxed_select(&mut self, ty: Type) {
        let (x, y, mask) = self.pop3_vectors(ty);
        let blend = self.relaxed_x86() && self.target.isa.has_blendv_lowering(ty);
        let result = if blend {
            self.b.ins().blendv(mask, x, y)
        } else {
            self.b.ins().bitselect(mask, x, y)
        };
        self.push(result);
    }

    /// `x * y + z`, rounded once, or twice where the machine cannot and need not; with `x` negated or not.
    fn multiply_add(&mut self, ty: Type, negate: bool) -> Result<()> {
        let (x, y, z) = self.pop3_vectors(ty);
        let x = if negate { self.b.ins().fneg(x) } else { x };
        let result = if self.target.isa.has_native_fma() {
            self.b.ins().fma(x, y, z)
        } else if self.target.tunables.relaxed_simd_deterministic {
            return Err(self.error(
                "deterministic relaxed multiply-add needs a processor with fused multiply-add",
            ));
        } else {
            let product = self.b.ins().fmul(x, y);
            self.b.ins().fadd(product, z)
        };
        self.push(result);
        Ok(())
    }
}
