//! The encodings of x86-64: prefixes, opcode, operands.
//!
//! Not what instructions are for. The one idea: an instruction is an [`Op`] (a row of the table below) and two operands, of which
//! one may be in memory; everything up to the displacement is collected in one 64-bit word and written at once.

use crate::buffer::Buffer;

/// An opcode with its mandatory prefix and its map, as the bytes that are written.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Op {
    /// The bytes from the map on; what may come between them and the prefix is REX.
    tail: u32,
    /// Bits of the tail, and of the prefix, which may be none.
    tail_len: u8,
    prefix_len: u8,
    prefix: u8,
    /// Whether it operates on bytes of registers, of which some need a REX prefix.
    bytes: bool,
}

/// The map is 0 for opcodes by themselves, 1 for those after `0f`, 2 and 3 for those after `0f 38` and `0f 3a`.
const fn op(prefix: u8, map: u8, opcode: u8) -> Op {
    let opcode = opcode as u32;
    let (tail, tail_len) = match map {
        0 => (opcode, 8),
        1 => (0x0f | opcode << 8, 16),
        2 => (0x380f | opcode << 16, 24),
        _ => (0x3a0f | opcode << 16, 24),
    };
    Op {
        tail,
        tail_len,
        prefix_len: if prefix == 0 { 0 } else { 8 },
        prefix,
        bytes: false,
    }
}

impl Op {
    const fn bytes(self) -> Op {
        Op {
            bytes: true,
            ..self
        }
    }

    /// Bytes without REX.
    #[inline(always)]
    const fn len(self) -> usize {
        (self.prefix_len + self.tail_len) as usize >> 3
    }

    /// The same where the operand of bytes is in memory.
    pub(crate) const fn of_memory(self) -> Op {
        Op {
            bytes: false,
            ..self
        }
    }

    /// The opcode with a number added: a condition, or an operation of a group.
    pub(crate) const fn plus(self, number: u8) -> Op {
        Op {
            tail: self.tail + ((number as u32) << (self.tail_len - 8)),
            ..self
        }
    }
}

/// The opcodes, by the mnemonics of the manual.
#[rustfmt::skip]
pub(crate) mod ops {
    use super::{Op, op};

    /// `mov r, rm`.
    pub(crate) const MOV_LOAD: Op = op(0, 0, 0x8b);
    /// `mov rm, r`.
    pub(crate) const MOV_STORE: Op = op(0, 0, 0x89);
    pub(crate) const MOV_STORE8: Op = op(0, 0, 0x88).bytes();
    pub(crate) const MOV_STORE16: Op = op(0x66, 0, 0x89);
    /// `mov rm, imm32`, number 0.
    pub(crate) const MOV_IMM: Op = op(0, 0, 0xc7);
    pub(crate) const MOV_IMM8: Op = op(0, 0, 0xc6);
    pub(crate) const MOV_IMM16: Op = op(0x66, 0, 0xc7);
    pub(crate) const MOVZX8: Op = op(0, 1, 0xb6).bytes();
    pub(crate) const MOVZX16: Op = op(0, 1, 0xb7);
    pub(crate) const MOVSX8: Op = op(0, 1, 0xbe).bytes();
    pub(crate) const MOVSX16: Op = op(0, 1, 0xbf);
    pub(crate) const MOVSXD: Op = op(0, 0, 0x63);
    pub(crate) const LEA: Op = op(0, 0, 0x8d);
    pub(crate) const XCHG: Op = op(0, 0, 0x87);
    /// For eight, 16, and 32 or 64 bits.
    pub(crate) const XCHG_FORMS: [Op; 3] = [op(0, 0, 0x86).bytes(), op(0x66, 0, 0x87), XCHG];
    pub(crate) const XADD_FORMS: [Op; 3] = [op(0, 1, 0xc0).bytes(), op(0x66, 1, 0xc1), op(0, 1, 0xc1)];
    pub(crate) const CMPXCHG_FORMS: [Op; 3] = [op(0, 1, 0xb0).bytes(), op(0x66, 1, 0xb1), op(0, 1, 0xb1)];

    /// The arithmetic group in the form `op r, rm`, plus eight times the operation's number.
    pub(crate) const ARITH: Op = op(0, 0, 0x03);
    /// The same with an immediate of 8 and of 32 bits.
    pub(crate) const ARITH_IMM8: Op = op(0, 0, 0x83);
    pub(crate) const ARITH_IMM32: Op = op(0, 0, 0x81);
    pub(crate) const AND8: Op = op(0, 0, 0x22).bytes();
    pub(crate) const OR8: Op = op(0, 0, 0x0a).bytes();
    /// `cmp rm, r`.
    pub(crate) const CMP_STORE: Op = op(0, 0, 0x39);
    pub(crate) const IMUL: Op = op(0, 1, 0xaf);
    pub(crate) const IMUL_IMM8: Op = op(0, 0, 0x6b);
    pub(crate) const IMUL_IMM32: Op = op(0, 0, 0x69);
    pub(crate) const TEST: Op = op(0, 0, 0x85);
    /// `test` (0), `not` (2), `neg` (3), `mul` (4), `imul` (5), `div` (6), `idiv` (7).
    pub(crate) const GROUP3: Op = op(0, 0, 0xf7);
    pub(crate) const SHIFT_IMM: Op = op(0, 0, 0xc1);
    pub(crate) const SHIFT_CL: Op = op(0, 0, 0xd3);
    pub(crate) const BSF: Op = op(0, 1, 0xbc);
    pub(crate) const BSR: Op = op(0, 1, 0xbd);
    pub(crate) const POPCNT: Op = op(0xf3, 1, 0xb8);
    pub(crate) const SETCC: Op = op(0, 1, 0x90).bytes();
    pub(crate) const CMOVCC: Op = op(0, 1, 0x40);
    /// `call` (2) and `jmp` (4).
    pub(crate) const GROUP5: Op = op(0, 0, 0xff);

    /// Whole registers of integers, by the map and the opcode.
    pub(crate) const fn simd(map: u8, opcode: u8) -> Op {
        op(0x66, map, opcode)
    }

    // Floats: prefix F3 is for 32 bits, F2 for 64; without or with 66, for whole registers or for comparisons.
    pub(crate) const fn scalar(double: bool, opcode: u8) -> Op {
        op(if double { 0xf2 } else { 0xf3 }, 1, opcode)
    }
    pub(crate) const fn packed(double: bool, opcode: u8) -> Op {
        op(if double { 0x66 } else { 0 }, 1, opcode)
    }
    /// Moves between registers and memory, of a float or a whole register wherever it is.
    pub(crate) const fn moves(size: crate::machine::Size, opcode: u8) -> Op {
        match size {
            crate::machine::Size::S32 => scalar(false, opcode),
            crate::machine::Size::S64 => scalar(true, opcode),
            crate::machine::Size::S128 => packed(false, opcode),
        }
    }
    pub(crate) const MOVS_LOAD: u8 = 0x10;
    pub(crate) const MOVS_STORE: u8 = 0x11;
    pub(crate) const SQRT: u8 = 0x51;
    pub(crate) const AND: u8 = 0x54;
    pub(crate) const OR: u8 = 0x56;
    pub(crate) const XOR: u8 = 0x57;
    pub(crate) const ADD: u8 = 0x58;
    pub(crate) const MUL: u8 = 0x59;
    pub(crate) const CVT_FLOAT: u8 = 0x5a;
    pub(crate) const SUB: u8 = 0x5c;
    pub(crate) const MIN: u8 = 0x5d;
    pub(crate) const DIV: u8 = 0x5e;
    pub(crate) const MAX: u8 = 0x5f;
    pub(crate) const CVT_FROM_INT: u8 = 0x2a;
    pub(crate) const CVTT_TO_INT: u8 = 0x2c;
    pub(crate) const UCOMIS: u8 = 0x2e;
    pub(crate) const MOVAPS: Op = op(0, 1, 0x28);
    /// `movd` or `movq xmm, rm`.
    pub(crate) const MOV_TO_XMM: Op = op(0x66, 1, 0x6e);
    pub(crate) const MOV_FROM_XMM: Op = op(0x66, 1, 0x7e);
    pub(crate) const ROUNDSS: Op = op(0x66, 3, 0x0a);
    pub(crate) const ROUNDSD: Op = op(0x66, 3, 0x0b);
}

/// No register, as an index.
pub(crate) const NO_INDEX: u8 = 0xff;

/// An operand in memory: a base register, perhaps a scaled index, a displacement.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Mem {
    pub(crate) base: u8,
    pub(crate) index: u8,
    /// Binary logarithm of the scale.
    pub(crate) scale: u8,
    pub(crate) disp: i32,
}

impl Mem {
    pub(crate) fn new(base: u8, disp: i32) -> Mem {
        Mem {
            base,
            index: NO_INDEX,
            scale: 0,
            disp,
        }
    }
}

/// Writes an instruction, whose operands are so many bytes, with REX if it says something or is forced. With REX, that is at most eight bytes in all.
#[inline(always)]
fn emit(b: &mut Buffer, op: Op, rex: u8, force: bool, operands: u64, len: usize) {
    debug_assert!(op.len() + 1 + len <= 8);
    let rest = u64::from(op.tail) | operands << op.tail_len;
    // It is put in front, and taken away again where it is not wanted.
    let unwanted = u32::from(rex == 0 && !force);
    let bits = (rest << 8 | u64::from(0x40 | rex)) >> (8 * unwanted);
    let bits = bits << op.prefix_len | u64::from(op.prefix);
    b.put(bits, op.len() + 1 + len - unwanted as usize);
}

/// The same with a displacement after the operands, for what may be longer.
#[inline(always)]
fn emit_with_disp(
    b: &mut Buffer,
    op: Op,
    (rex, force): (u8, bool),
    (operands, len): (u64, usize),
    (disp, disp_len): (i32, usize),
) {
    let disp = u64::from(disp as u32);
    if op.len() + 1 + len + disp_len <= 8 {
        emit(
            b,
            op,
            rex,
            force,
            operands | disp << (8 * len),
            len + disp_len,
        );
    } else {
        emit(b, op, rex, force, operands, len);
        b.put(disp, disp_len);
    }
}

/// An instruction on two registers: `reg` in the field of that name, `rm` in the other. `wide` is REX.W.
#[inline(always)]
pub(crate) fn rr(b: &mut Buffer, op: Op, wide: bool, reg: u8, rm: u8) {
    debug_assert!(reg < 16 && rm < 16);
    let rex = u8::from(wide) << 3 | (reg >> 3) << 2 | rm >> 3;
    let force = op.bytes && (reg >= 4 || rm >= 4);
    let modrm = 0xc0 | (reg & 7) << 3 | rm & 7;
    emit(b, op, rex, force, u64::from(modrm), 1);
}

/// An instruction on a register and memory.
#[inline(always)]
pub(crate) fn rm(b: &mut Buffer, op: Op, wide: bool, reg: u8, mem: Mem) {
    debug_assert!(reg < 16 && mem.base < 16 && mem.index != 4);
    let indexed = mem.index != NO_INDEX;
    let index = if indexed { mem.index } else { 4 };
    let rex = u8::from(wide) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | mem.base >> 3;
    let (mode, disp_len) = mode(mem.base, mem.disp);
    let force = op.bytes && reg >= 4;
    let reg = (reg & 7) << 3;
    let operands = if !indexed && mem.base & 7 != 4 {
        (u64::from(mode | reg | mem.base & 7), 1)
    } else {
        let sib = mem.scale << 6 | (index & 7) << 3 | mem.base & 7;
        (u64::from(mode | reg | 4) | u64::from(sib) << 8, 2)
    };
    emit_with_disp(b, op, (rex, force), operands, (mem.disp, disp_len));
}

/// The mode of a displacement, and its bytes.
#[inline(always)]
fn mode(base: u8, disp: i32) -> (u8, usize) {
    if disp == 0 && base & 7 != 5 {
        (0x00, 0)
    } else if i8::try_from(disp).is_ok() {
        (0x40, 1)
    } else {
        (0x80, 4)
    }
}

/// An instruction on a register and memory at a distance from a register, which is none of those that need more.
#[inline(always)]
pub(crate) fn rb(b: &mut Buffer, op: Op, wide: bool, reg: u8, base: u8, disp: i32) {
    debug_assert!(reg < 16 && base < 16 && base & 7 != 4);
    let rex = u8::from(wide) << 3 | (reg >> 3) << 2 | base >> 3;
    let force = op.bytes && reg >= 4;
    let (mode, disp_len) = mode(base, disp);
    let modrm = u64::from(mode | (reg & 7) << 3 | base & 7);
    emit_with_disp(b, op, (rex, force), (modrm, 1), (disp, disp_len));
}

/// An instruction on a register and memory at an index that is not scaled.
#[inline(always)]
pub(crate) fn rx(b: &mut Buffer, op: Op, wide: bool, reg: u8, base: u8, index: u8, disp: i32) {
    debug_assert!(reg < 16 && base < 16 && index < 16 && index != 4);
    let rex = u8::from(wide) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
    let force = op.bytes && reg >= 4;
    let (mode, disp_len) = mode(base, disp);
    let operands =
        u64::from(mode | (reg & 7) << 3 | 4) | u64::from((index & 7) << 3 | base & 7) << 8;
    emit_with_disp(b, op, (rex, force), (operands, 2), (disp, disp_len));
}

/// A register or a place in the frame, as the operand that may be in memory: its bytes, with room for the other register.
#[derive(Copy, Clone)]
pub(crate) struct Operand {
    bits: u64,
    len: usize,
    /// The register's upper bit.
    rex: u8,
}

impl Operand {
    #[inline(always)]
    pub(crate) fn reg(reg: u8) -> Operand {
        Operand {
            bits: u64::from(0xc0 | reg & 7),
            len: 1,
            rex: reg >> 3,
        }
    }

    /// At a distance from the frame pointer.
    #[inline(always)]
    pub(crate) fn frame(disp: i32) -> Operand {
        let short = i8::try_from(disp).is_ok();
        let (mode, len) = if short { (0x45, 2) } else { (0x85, 5) };
        Operand {
            bits: mode | u64::from(disp as u32) << 8,
            len,
            rex: 0,
        }
    }
}

/// An instruction on a register and an operand, of those without a prefix and that do not operate on bytes of registers.
#[inline(always)]
pub(crate) fn ro(b: &mut Buffer, op: Op, wide: bool, reg: u8, operand: Operand) {
    debug_assert!(reg < 16 && op.prefix_len == 0 && op.tail_len <= 16 && !op.bytes);
    let rex = u8::from(wide) << 3 | (reg >> 3) << 2 | operand.rex;
    let operands = operand.bits | u64::from(reg & 7) << 3;
    emit(b, op, rex, false, operands, operand.len);
}

/// An instruction of a group with an immediate, of eight bits where that is enough, on a register.
#[inline(always)]
pub(crate) fn ri(b: &mut Buffer, short: Op, long: Op, wide: bool, number: u8, reg: u8, value: i32) {
    let rex = u8::from(wide) << 3 | reg >> 3;
    let (op, len) = match i8::try_from(value) {
        Ok(_) => (short, 1),
        Err(_) => (long, 4),
    };
    let modrm = u64::from(0xc0 | number << 3 | reg & 7);
    let operands = modrm | u64::from(value as u32) << 8;
    emit(b, op, rex, false, operands, 1 + len);
}

/// An instruction on a register and memory at a distance from the instruction's end, which is written later: says where. Nothing follows.
pub(crate) fn rip(b: &mut Buffer, op: Op, wide: bool, reg: u8) -> u32 {
    let rex = u8::from(wide) << 3 | (reg >> 3) << 2;
    let modrm = (reg & 7) << 3 | 5;
    emit(b, op, rex, op.bytes && reg >= 4, u64::from(modrm), 1);
    let at = b.at();
    b.put(0, 4);
    at
}

/// A fused operation of three registers, `dst = y * dst + z`, of which the opcode says the signs.
pub(crate) fn fused(b: &mut Buffer, opcode: u8, wide: bool, dst: u8, y: u8, z: u8) {
    debug_assert!(dst < 16 && y < 16 && z < 16);
    // The register's upper bits are inverted; map 2, prefix 66.
    let regs = (dst >> 3 ^ 1) << 7 | 0x40 | (z >> 3 ^ 1) << 5 | 2;
    let rest = u8::from(wide) << 7 | (!y & 15) << 3 | 1;
    let modrm = 0xc0 | (dst & 7) << 3 | z & 7;
    let bytes = [0xc4, regs, rest, opcode, modrm, 0, 0, 0];
    b.put(u64::from_le_bytes(bytes), 5);
}

/// An immediate of eight bits.
#[inline(always)]
pub(crate) fn imm8(b: &mut Buffer, value: u8) {
    b.put(u64::from(value), 1);
}

/// An immediate of 32 bits.
#[inline(always)]
pub(crate) fn imm32(b: &mut Buffer, value: i32) {
    b.put(u64::from(value as u32), 4);
}

/// `mov r32, imm32`.
pub(crate) fn mov_imm32(b: &mut Buffer, dst: u8, value: u32) {
    if dst >= 8 {
        b.put(
            0x41 | u64::from(0xb8 + (dst & 7)) << 8 | u64::from(value) << 16,
            6,
        );
    } else {
        b.put(u64::from(0xb8 + dst) | u64::from(value) << 8, 5);
    }
}

/// `mov r64, imm64`.
pub(crate) fn mov_imm64(b: &mut Buffer, dst: u8, value: u64) {
    b.put(
        u64::from(0x48 | dst >> 3) | u64::from(0xb8 + (dst & 7)) << 8,
        2,
    );
    b.put(value, 8);
}

pub(crate) fn push(b: &mut Buffer, reg: u8) {
    if reg >= 8 {
        b.put(0x41, 1);
    }
    b.put(u64::from(0x50 + (reg & 7)), 1);
}
