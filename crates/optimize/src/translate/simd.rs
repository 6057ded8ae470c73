//! Vector instructions that move values: memory accesses, constants, splats, lanes, shuffles, and bitwise operations.
//!
//! Arithmetic on vectors is in `simd_arith.rs`.

use super::{Result, Translator};
use cranelift_codegen::ir::{
    ConstantData, InstBuilder, Opcode, Type, Value,
    types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2},
};
use wasmparser::{MemArg, Operator as O};

impl Translator<'_> {
    #[rustfmt::skip]
    pub(super) fn simd(&mut self, op: &O<'_>) -> Result<bool> {
        match *op {
            O::V128Load8x8S { memarg } => self.load_vector(Opcode::Sload8x8, I16X8, &memarg)?,
            O::V128Load8x8U { memarg } => self.load_vector(Opcode::Uload8x8, I16X8, &memarg)?,
            O::V128Load16x4S { memarg } => self.load_vector(Opcode::Sload16x4, I32X4, &memarg)?,
            O::V128Load16x4U { memarg } => self.load_vector(Opcode::Uload16x4, I32X4, &memarg)?,
            O::V128Load32x2S { memarg } => self.load_vector(Opcode::Sload32x2, I64X2, &memarg)?,
            O::V128Load32x2U { memarg } => self.load_vector(Opcode::Uload32x2, I64X2, &memarg)?,
            O::V128Load8Splat { memarg } => self.load_splat(I8X16, &memarg)?,
            O::V128Load16Splat { memarg } => self.load_splat(I16X8, &memarg)?,
            O::V128Load32Splat { memarg } => self.load_splat(I32X4, &memarg)?,
            O::V128Load64Splat { memarg } => self.load_splat(I64X2, &memarg)?,
            O::V128Load32Zero { memarg } => self.load_zero(I32X4, &memarg)?,
            O::V128Load64Zero { memarg } => self.load_zero(I64X2, &memarg)?,
            O::V128Load8Lane { memarg, lane } => self.load_lane(I8X16, &memarg, lane)?,
            O::V128Load16Lane { memarg, lane } => self.load_lane(I16X8, &memarg, lane)?,
            O::V128Load32Lane { memarg, lane } => self.load_lane(I32X4, &memarg, lane)?,
            O::V128Load64Lane { memarg, lane } => self.load_lane(I64X2, &memarg, lane)?,
            O::V128Store8Lane { memarg, lane } => self.store_lane(I8X16, &memarg, lane)?,
            O::V128Store16Lane { memarg, lane } => self.store_lane(I16X8, &memarg, lane)?,
            O::V128Store32Lane { memarg, lane } => self.store_lane(I32X4, &memarg, lane)?,
            O::V128Store64Lane { memarg, lane } => self.store_lane(I64X2, &memarg, lane)?,

            O::V128Const { value } => { let v = self.vector_const(value.bytes()); self.push(v); }
            O::I8x16Shuffle { lanes } => {
                let (x, y) = self.pop2_vectors(I8X16);
                let mask = self.b.func.dfg.immediates.push(ConstantData::from(&lanes[..]));
                let v = self.b.ins().shuffle(x, y, mask);
                self.push(v);
            }
            O::I8x16Swizzle => { let (x, y) = self.pop2_vectors(I8X16); let v = self.b.ins().swizzle(x, y); self.push(v); }

            O::I8x16Splat => self.splat(I8X16),
            O::I16x8Splat => self.splat(I16X8),
            O::I32x4Splat => self.splat(I32X4),
            O::I64x2Splat => self.splat(I64X2),
            O::F32x4Splat => self.splat(F32X4),
            O::F64x2Splat => self.splat(F64X2),

            O::I8x16ExtractLaneS { lane } => { let v = self.extract(I8X16, lane); let v = self.b.ins().sextend(I32, v); self.push(v); }
            O::I8x16ExtractLaneU { lane } => { let v = self.extract(I8X16, lane); let v = self.b.ins().uextend(I32, v); self.push(v); }
            O::I16x8ExtractLaneS { lane } => { let v = self.extract(I16X8, lane); let v = self.b.ins().sextend(I32, v); self.push(v); }
            O::I16x8ExtractLaneU { lane } => { let v = self.extract(I16X8, lane); let v = self.b.ins().uextend(I32, v); self.push(v); }
            O::I32x4ExtractLane { lane } => { let v = self.extract(I32X4, lane); self.push(v); }
            O::I64x2ExtractLane { lane } => { let v = self.extract(I64X2, lane); self.push(v); }
            O::F32x4ExtractLane { lane } => { let v = self.extract(F32X4, lane); self.push(v); }
            O::F64x2ExtractLane { lane } => { let v = self.extract(F64X2, lane); self.push(v); }
            O::I8x16ReplaceLane { lane } => self.replace(I8X16, lane),
            O::I16x8ReplaceLane { lane } => self.replace(I16X8, lane),
            O::I32x4ReplaceLane { lane } => self.replace(I32X4, lane),
            O::I64x2ReplaceLane { lane } => self.replace(I64X2, lane),
            O::F32x4ReplaceLane { lane } => self.replace(F32X4, lane),
            O::F64x2ReplaceLane { lane } => self.replace(F64X2, lane),

            O::V128Not => { let x = self.pop(); let v = self.b.ins().bnot(x); self.push(v); }
            O::V128And => { let (x, y) = self.pop2_vectors(I8X16); let v = self.b.ins().band(x, y); self.push(v); }
            O::V128AndNot => { let (x, y) = self.pop2_vectors(I8X16); let v = self.b.ins().band_not(x, y); self.push(v); }
            O::V128Or => { let (x, y) = self.pop2_vectors(I8X16); let v = self.b.ins().bor(x, y); self.push(v); }
            O::V128Xor => { let (x, y) = self.pop2_vectors(I8X16); let v = self.b.ins().bxor(x, y); self.push(v); }
            O::V128Bitselect => {
                let (x, y, mask) = self.pop3_vectors(I8X16);
                let v = self.b.ins().bitselect(mask, x, y);
                self.push(v);
            }
            O::V128AnyTrue => {
                let x = self.pop_vector(I8X16);
                let v = self.b.ins().vany_true(x);
                let v = self.b.ins().uextend(I32, v);
                self.push(v);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Loads eight bytes, extended lane by lane.
    fn load_vector(&mut self, opcode: Opcode, ty: Type, memarg: &MemArg) -> Result<()> {
        if let Some(value) = self.load_value(opcode, ty, 8, memarg)? {
            self.push(value);
        }
        Ok(())
    }

    /// Loads one lane's bytes, as an integer.
    fn load_scalar(&mut self, ty: Type, memarg: &MemArg) -> Result<Option<Value>> {
        let lane = Self::int_of_size(ty.lane_type().bytes());
        self.load_value(Opcode::Load, lane, lane.bytes(), memarg)
    }

    fn load_splat(&mut self, ty: Type, memarg: &MemArg) -> Result<()> {
        if let Some(value) = self.load_scalar(ty, memarg)? {
            let value = self.b.ins().splat(ty, value);
            self.push(value);
        }
        Ok(())
    }

    fn load_zero(&mut self, ty: Type, memarg: &MemArg) -> Result<()> {
        if let Some(value) = self.load_scalar(ty, memarg)? {
            let value = self.b.ins().scalar_to_vector(ty, value);
            self.push(value);
        }
        Ok(())
    }

    fn load_lane(&mut self, ty: Type, memarg: &MemArg, lane: u8) -> Result<()> {
        let vector = self.pop_vector(ty);
        if let Some(value) = self.load_scalar(ty, memarg)? {
            let value = self.b.ins().insertlane(vector, value, lane);
            self.push(value);
        }
        Ok(())
    }

    fn store_lane(&mut self, ty: Type, memarg: &MemArg, lane: u8) -> Result<()> {
        let vector = self.pop_vector(ty);
        let value = self.b.ins().extractlane(vector, lane);
        self.store_value(Opcode::Store, value, ty.lane_type().bytes(), memarg)
    }

    /// An operand as a lane of a vector: 8 and 16 bits come as 32.
    fn pop_lane(&mut self, ty: Type) -> Value {
        let value = self.pop();
        match ty.lane_type() {
            lane @ (I8 | I16) => self.b.ins().ireduce(lane, value),
            _ => value,
        }
    }

    fn splat(&mut self, ty: Type) {
        let lane = self.pop_lane(ty);
        let value = self.b.ins().splat(ty, lane);
        self.push(value);
    }

    fn extract(&mut self, ty: Type, lane: u8) -> Value {
        let vector = self.pop_vector(ty);
        self.b.ins().extractlane(vector, lane)
    }

    fn replace(&mut self, ty: Type, lane: u8) {
        let value = self.pop_lane(ty);
        let vector = self.pop_vector(ty);
        let value = self.b.ins().insertlane(vector, value, lane);
        self.push(value);
    }
}
