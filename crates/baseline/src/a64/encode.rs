//! The encodings of AArch64: each instruction is one word, a row of the table below with its operands' fields filled in.
//!
//! Not what instructions are for. The one idea: a row is the word with all operand fields zero and for 32 bits; the functions below are the
//! manual's formats, which know where the fields are.

use crate::buffer::Buffer;
use crate::machine::Size;

/// An instruction without its operands.
pub(crate) type Op = u32;

/// The opcodes, by the mnemonics of the manual, grouped by the function that completes them.
#[rustfmt::skip]
pub(crate) mod ops {
    use super::Op;

    // `rrr`: two sources in registers, of which the second may be shifted in the first eight.
    pub(crate) const ADD: Op = 0x0b00_0000;
    pub(crate) const ADDS: Op = 0x2b00_0000;
    pub(crate) const SUB: Op = 0x4b00_0000;
    pub(crate) const SUBS: Op = 0x6b00_0000;
    pub(crate) const AND: Op = 0x0a00_0000;
    pub(crate) const ORR: Op = 0x2a00_0000;
    /// With the complement of the second source.
    pub(crate) const ORN: Op = 0x2a20_0000;
    pub(crate) const EOR: Op = 0x4a00_0000;
    pub(crate) const ANDS: Op = 0x6a00_0000;
    pub(crate) const ADCS: Op = 0x3a00_0000;
    pub(crate) const SBCS: Op = 0x7a00_0000;
    pub(crate) const UDIV: Op = 0x1ac0_0800;
    pub(crate) const SDIV: Op = 0x1ac0_0c00;
    pub(crate) const LSLV: Op = 0x1ac0_2000;
    pub(crate) const LSRV: Op = 0x1ac0_2400;
    pub(crate) const ASRV: Op = 0x1ac0_2800;
    pub(crate) const RORV: Op = 0x1ac0_2c00;
    /// `madd` with the zero register.
    pub(crate) const MUL: Op = 0x1b00_7c00;
    /// Only of 64 bits.
    pub(crate) const SMULH: Op = 0x1b40_7c00;
    pub(crate) const UMULH: Op = 0x1bc0_7c00;
    /// `subs` of a register that is extended as `uxtx` says, where 31 is the stack pointer.
    pub(crate) const SUBS_SP: Op = 0x6b20_6000;
    /// `subs` of a register's low half, extended to 64 bits.
    pub(crate) const SUBS_SXTW: Op = 0x6b20_c000;
    pub(crate) const SUBS_UXTW: Op = 0x6b20_4000;

    // `rr`: one source.
    pub(crate) const RBIT: Op = 0x5ac0_0000;
    pub(crate) const CLZ: Op = 0x5ac0_1000;

    // `imm12`: 31 is the stack pointer, but for a destination of those that set flags.
    pub(crate) const ADD_IMM: Op = 0x1100_0000;
    pub(crate) const ADDS_IMM: Op = 0x3100_0000;
    pub(crate) const SUB_IMM: Op = 0x5100_0000;
    pub(crate) const SUBS_IMM: Op = 0x7100_0000;

    // `logical`.
    pub(crate) const AND_IMM: Op = 0x1200_0000;
    pub(crate) const ORR_IMM: Op = 0x3200_0000;
    pub(crate) const EOR_IMM: Op = 0x5200_0000;
    pub(crate) const ANDS_IMM: Op = 0x7200_0000;

    // `wide_imm`.
    pub(crate) const MOVN: Op = 0x1280_0000;
    pub(crate) const MOVZ: Op = 0x5280_0000;
    pub(crate) const MOVK: Op = 0x7280_0000;

    // `bitfield`.
    pub(crate) const SBFM: Op = 0x1300_0000;
    pub(crate) const UBFM: Op = 0x5300_0000;

    // `conditional`.
    pub(crate) const CSEL: Op = 0x1a80_0000;
    pub(crate) const CSINC: Op = 0x1a80_0400;

    // Branches.
    pub(crate) const B: Op = 0x1400_0000;
    pub(crate) const BL: Op = 0x9400_0000;
    pub(crate) const B_COND: Op = 0x5400_0000;
    pub(crate) const CBZ: Op = 0x3400_0000;
    pub(crate) const CBNZ: Op = 0x3500_0000;
    pub(crate) const ADR: Op = 0x1000_0000;
    pub(crate) const BR: Op = 0xd61f_0000;
    pub(crate) const BLR: Op = 0xd63f_0000;
    pub(crate) const RET: Op = 0xd65f_03c0;
    pub(crate) const UDF: Op = 0;

    // `pair`.
    pub(crate) const STP: Op = 0xa900_0000;
    pub(crate) const LDP: Op = 0xa940_0000;
    pub(crate) const STP_PRE: Op = 0xa980_0000;
    pub(crate) const LDP_POST: Op = 0xa8c0_0000;

    /// `ldr` of an integer at a distance from the instruction.
    pub(crate) const LDR_LITERAL_S: Op = 0x1c00_0000;
    pub(crate) const LDR_LITERAL_D: Op = 0x5c00_0000;
    pub(crate) const LDR_LITERAL_Q: Op = 0x9c00_0000;

    // `float`: two sources, or one.
    pub(crate) const FADD: Op = 0x1e20_2800;
    pub(crate) const FSUB: Op = 0x1e20_3800;
    pub(crate) const FMUL: Op = 0x1e20_0800;
    pub(crate) const FDIV: Op = 0x1e20_1800;
    pub(crate) const FMAX: Op = 0x1e20_4800;
    pub(crate) const FMIN: Op = 0x1e20_5800;
    pub(crate) const FABS: Op = 0x1e20_c000;
    pub(crate) const FNEG: Op = 0x1e21_4000;
    pub(crate) const FSQRT: Op = 0x1e21_c000;
    /// From 32 bits to 64.
    pub(crate) const FCVT_TO_D: Op = 0x1e22_c000;
    /// From 64 bits to 32, which is what the type is given as.
    pub(crate) const FCVT_TO_S: Op = 0x1e22_4000;
    pub(crate) const FRINTN: Op = 0x1e24_4000;
    pub(crate) const FRINTP: Op = 0x1e24_c000;
    pub(crate) const FRINTM: Op = 0x1e25_4000;
    pub(crate) const FRINTZ: Op = 0x1e25_c000;
    /// Destination 0.
    pub(crate) const FCMP: Op = 0x1e20_2000;
    /// With the condition added.
    pub(crate) const FCSEL: Op = 0x1e20_0c00;
    /// With the immediate of eight bits added.
    pub(crate) const FMOV_IMM: Op = 0x1e20_1000;

    // `convert`: between a float and an integer.
    pub(crate) const FCVTZS: Op = 0x1e38_0000;
    pub(crate) const FCVTZU: Op = 0x1e39_0000;
    pub(crate) const SCVTF: Op = 0x1e22_0000;
    pub(crate) const UCVTF: Op = 0x1e23_0000;
    pub(crate) const FMOV_TO_INT: Op = 0x1e26_0000;
    pub(crate) const FMOV_OF_INT: Op = 0x1e27_0000;

    // `vector`: on whole registers or, with `.8b`, on their lower halves.
    pub(crate) const CNT_8B: Op = 0x0e20_5800;
    pub(crate) const ADDV_8B: Op = 0x0e31_b800;
    pub(crate) const BSL_8B: Op = 0x2e60_1c00;
    pub(crate) const ORR_16B: Op = 0x4ea0_1c00;
    /// `mov vd.d[1], xn`.
    pub(crate) const MOV_TO_UPPER: Op = 0x4e18_1c00;
    /// Zero.
    pub(crate) const MOVI_ZERO: Op = 0x2f00_e400;
}

/// Loads and stores, and the binary logarithm of how many bytes they access.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Access {
    op: Op,
    pub(crate) log2: u8,
}

/// The accesses, by the mnemonics of the manual.
#[rustfmt::skip]
pub(crate) mod accesses {
    use super::Access;

    const fn access(size: u32, float: bool, opc: u32, log2: u8) -> Access {
        Access { op: size << 30 | if float { 0x3d00_0000 } else { 0x3900_0000 } | opc << 22, log2 }
    }

    pub(crate) const STRB: Access = access(0, false, 0, 0);
    pub(crate) const STRH: Access = access(1, false, 0, 1);
    pub(crate) const STR_W: Access = access(2, false, 0, 2);
    pub(crate) const STR_X: Access = access(3, false, 0, 3);
    pub(crate) const LDRB: Access = access(0, false, 1, 0);
    pub(crate) const LDRH: Access = access(1, false, 1, 1);
    pub(crate) const LDR_W: Access = access(2, false, 1, 2);
    pub(crate) const LDR_X: Access = access(3, false, 1, 3);
    pub(crate) const LDRSB_X: Access = access(0, false, 2, 0);
    pub(crate) const LDRSB_W: Access = access(0, false, 3, 0);
    pub(crate) const LDRSH_X: Access = access(1, false, 2, 1);
    pub(crate) const LDRSH_W: Access = access(1, false, 3, 1);
    pub(crate) const LDRSW: Access = access(2, false, 2, 2);
    pub(crate) const STR_B: Access = access(0, true, 0, 0);
    pub(crate) const STR_H: Access = access(1, true, 0, 1);
    pub(crate) const LDR_B: Access = access(0, true, 1, 0);
    pub(crate) const LDR_H: Access = access(1, true, 1, 1);
    pub(crate) const STR_S: Access = access(2, true, 0, 2);
    pub(crate) const STR_D: Access = access(3, true, 0, 3);
    pub(crate) const LDR_S: Access = access(2, true, 1, 2);
    pub(crate) const LDR_D: Access = access(3, true, 1, 3);
    pub(crate) const STR_Q: Access = access(0, true, 2, 4);
    pub(crate) const LDR_Q: Access = access(0, true, 3, 4);
}

/// The zero register, or the stack pointer, as the instruction has it.
pub(crate) const ZR: u8 = 31;
pub(crate) const SP: u8 = 31;

/// What an access can compute of its address.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// A distance from a register, a multiple of the access' size below 4096 times that.
    Scaled { base: u8, offset: u32 },
    /// A distance from a register, of nine bits with a sign.
    Unscaled { base: u8, offset: i32 },
    /// The sum of two registers.
    Sum { base: u8, index: u8 },
    /// The same with the index multiplied by the access' size.
    Index { base: u8, index: u8 },
}

#[inline(always)]
pub(crate) fn put(b: &mut Buffer, word: u32) {
    b.put(u64::from(word), 4);
}

/// The bit that makes an integer instruction one of 64 bits.
#[inline(always)]
fn sf(size: Size) -> u32 {
    u32::from(size == Size::S64) << 31
}

/// The bit that makes a float instruction one of 64 bits.
#[inline(always)]
pub(crate) fn double(size: Size) -> u32 {
    u32::from(size == Size::S64) << 22
}

#[inline(always)]
fn regs(rd: u8, rn: u8, rm: u8) -> u32 {
    debug_assert!(rd < 32 && rn < 32 && rm < 32);
    u32::from(rm) << 16 | u32::from(rn) << 5 | u32::from(rd)
}

#[inline(always)]
pub(crate) fn rrr(b: &mut Buffer, op: Op, size: Size, rd: u8, rn: u8, rm: u8) {
    put(b, op | sf(size) | regs(rd, rn, rm));
}

/// The last source is shifted left.
pub(crate) fn rrr_lsl(b: &mut Buffer, op: Op, size: Size, regs_: [u8; 3], shift: u8) {
    let [rd, rn, rm] = regs_;
    debug_assert!(u32::from(shift) < size.bits());
    put(b, op | sf(size) | regs(rd, rn, rm) | u32::from(shift) << 10);
}

/// `rd = ra - rn * rm`.
pub(crate) fn msub(b: &mut Buffer, size: Size, rd: u8, rn: u8, rm: u8, ra: u8) {
    put(
        b,
        0x1b00_8000 | sf(size) | regs(rd, rn, rm) | u32::from(ra) << 10,
    );
}

pub(crate) fn rr(b: &mut Buffer, op: Op, size: Size, rd: u8, rn: u8) {
    put(b, op | sf(size) | regs(rd, rn, 0));
}

/// An immediate of twelve bits, shifted left by twelve perhaps.
#[inline(always)]
pub(crate) fn imm12(b: &mut Buffer, op: Op, size: Size, rd: u8, rn: u8, imm: u32, shifted: bool) {
    debug_assert!(imm < 4096);
    let imm = imm << 10 | u32::from(shifted) << 22;
    put(b, op | sf(size) | regs(rd, rn, 0) | imm);
}

/// An immediate as [`super::imm::logical`] encodes it.
pub(crate) fn logical(b: &mut Buffer, op: Op, size: Size, rd: u8, rn: u8, imm: u32) {
    put(b, op | sf(size) | regs(rd, rn, 0) | imm << 10);
}

/// Sixteen bits, as the halfword of this number.
pub(crate) fn wide_imm(b: &mut Buffer, op: Op, size: Size, rd: u8, imm: u16, halfword: u32) {
    put(
        b,
        op | sf(size) | halfword << 21 | u32::from(imm) << 5 | u32::from(rd),
    );
}

pub(crate) fn bitfield(b: &mut Buffer, op: Op, size: Size, rd: u8, rn: u8, r: u32, s: u32) {
    debug_assert!(r < size.bits() && s < size.bits());
    put(
        b,
        op | sf(size) | double(size) | regs(rd, rn, 0) | r << 16 | s << 10,
    );
}

/// Bits from `lsb` on of two registers side by side.
pub(crate) fn extr(b: &mut Buffer, size: Size, rd: u8, rn: u8, rm: u8, lsb: u32) {
    debug_assert!(lsb < size.bits());
    put(
        b,
        0x1380_0000 | sf(size) | double(size) | regs(rd, rn, rm) | lsb << 10,
    );
}

pub(crate) fn conditional(b: &mut Buffer, op: Op, size: Size, cond: u8, regs_: [u8; 3]) {
    let [rd, rn, rm] = regs_;
    put(b, op | sf(size) | regs(rd, rn, rm) | u32::from(cond) << 12);
}

/// `ccmn rn, #imm, #0, cond`: compares a register with the negated immediate where the condition holds, and else clears all flags.
pub(crate) fn ccmn(b: &mut Buffer, size: Size, rn: u8, imm: u8, cond: u8) {
    put(
        b,
        0x3a40_0800 | sf(size) | regs(0, rn, imm) | u32::from(cond) << 12,
    );
}

/// Notes that it is here, as it may fault.
#[inline(always)]
pub(crate) fn access(b: &mut Buffer, access: Access, rt: u8, mode: Mode) {
    let log2 = access.log2;
    let word = match mode {
        Mode::Scaled { base, offset } => {
            debug_assert!(offset >> log2 < 4096 && offset.trailing_zeros() >= u32::from(log2));
            access.op | regs(rt, base, 0) | (offset >> log2) << 10
        }
        Mode::Unscaled { base, offset } => {
            debug_assert!((-256..256).contains(&offset));
            (access.op ^ 1 << 24) | regs(rt, base, 0) | (offset as u32 & 0x1ff) << 12
        }
        Mode::Sum { base, index } => (access.op ^ 1 << 24) | 0x0020_6800 | regs(rt, base, index),
        Mode::Index { base, index } => (access.op ^ 1 << 24) | 0x0020_7800 | regs(rt, base, index),
    };
    b.note_access();
    put(b, word);
}

/// Two registers of 64 bits at a distance from a third.
pub(crate) fn pair(b: &mut Buffer, op: Op, rt: u8, rt2: u8, rn: u8, offset: i32) {
    debug_assert!(offset % 8 == 0 && (-512..512).contains(&offset));
    let imm = (offset as u32 >> 3 & 0x7f) << 15;
    put(b, op | imm | u32::from(rt2) << 10 | regs(rt, rn, 0));
}

#[inline(always)]
pub(crate) fn float(b: &mut Buffer, op: Op, size: Size, rd: u8, rn: u8, rm: u8) {
    put(b, op | double(size) | regs(rd, rn, rm));
}

pub(crate) fn convert(b: &mut Buffer, op: Op, int: Size, float: Size, rd: u8, rn: u8) {
    put(b, op | sf(int) | double(float) | regs(rd, rn, 0));
}

pub(crate) fn vector(b: &mut Buffer, op: Op, rd: u8, rn: u8, rm: u8) {
    put(b, op | regs(rd, rn, rm));
}
