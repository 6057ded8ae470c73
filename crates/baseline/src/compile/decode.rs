//! Reading operators and dispatching on them.
//!
//! The one idea: the bytes were validated, so reading has no errors of its own: what is beyond the end reads as zero, and the walk ends there.
//! Operators of one byte are read here, which lets the compiler look ahead at the next one; those with a prefix are in files of their own.

use super::control::BlockSig;
use super::value::Place;
use super::{Compiler, malformed};
use crate::machine::*;
use meantime_abi::{CompositeKind, TypeIndex, ValRepr};

impl<M: Machine> Compiler<'_, M> {
    #[inline(always)]
    pub(super) fn byte(&mut self) -> u8 {
        match self.code.get(self.at) {
            Some(byte) => {
                self.at += 1;
                *byte
            }
            None => self.end_of_code(),
        }
    }

    #[cold]
    fn end_of_code(&mut self) -> u8 {
        self.fail(malformed());
        0
    }

    #[inline(always)]
    pub(super) fn leb_u32(&mut self) -> u32 {
        let first = self.byte();
        if first < 0x80 {
            return u32::from(first);
        }
        self.leb_rest(first) as u32
    }

    #[inline]
    pub(super) fn leb_u64(&mut self) -> u64 {
        let first = self.byte();
        if first < 0x80 {
            return u64::from(first);
        }
        self.leb_rest(first)
    }

    /// A number whose first byte was read.
    fn leb_rest(&mut self, first: u8) -> u64 {
        if let Some(second @ ..0x80) = self.next_byte() {
            self.at += 1;
            return u64::from(first & 0x7f) | u64::from(second) << 7;
        }
        if let Some((value, bytes)) = self.number_at(self.at - 1) {
            self.at += bytes - 1;
            return value;
        }
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
            // Longer than any number is.
            if shift >= 63 {
                return value;
            }
            shift += 7;
        }
    }

    /// The bits of a number at a position and how many bytes it has, if it is followed by enough others that eight can be read at once.
    #[inline]
    fn number_at(&self, at: usize) -> Option<(u64, usize)> {
        number(u64::from_le_bytes(*self.code.get(at..)?.first_chunk()?))
    }

    #[inline]
    pub(super) fn leb_signed(&mut self) -> i64 {
        if let Some(&byte) = self.code.get(self.at)
            && byte < 0x80
        {
            self.at += 1;
            return i64::from((byte << 1) as i8 >> 1);
        }
        self.long_signed()
    }

    fn long_signed(&mut self) -> i64 {
        if let Some((value, bytes)) = self.number_at(self.at) {
            self.at += bytes;
            let unused = 64 - 7 * bytes;
            return (value << unused) as i64 >> unused;
        }
        let mut value = 0;
        let mut shift = 0;
        loop {
            let byte = self.byte();
            value |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 || shift >= 70 {
                let unused = 64u32.saturating_sub(shift);
                return value << unused >> unused;
            }
        }
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// A value type, unless it is none that is known.
    pub(super) fn val_type(&mut self) -> Option<ValRepr> {
        Some(match self.byte() {
            0x7f => ValRepr::I32,
            0x7e => ValRepr::I64,
            0x7d => ValRepr::F32,
            0x7c => ValRepr::F64,
            0x7b => ValRepr::V128,
            0x63 | 0x64 => self.heap_repr(),
            byte => abstract_repr(byte)?,
        })
    }

    /// How references to a heap type are represented.
    pub(super) fn heap_repr(&mut self) -> ValRepr {
        let ty = self.leb_signed();
        if ty < 0 {
            // One byte, which is read as a negative number.
            return abstract_repr(ty as u8 & 0x7f).unwrap_or(ValRepr::GcRef);
        }
        let ty = TypeIndex::from_u32(ty as u32);
        match self.module.types().get(ty).map(|ty| ty.composite.kind()) {
            Some(CompositeKind::Func) => ValRepr::FuncRef,
            _ => ValRepr::GcRef,
        }
    }

    /// A block's type.
    pub(super) fn block_sig(&mut self) -> Option<BlockSig> {
        let first = *self.code.get(self.at)?;
        if first == 0x40 {
            self.at += 1;
            return Some(BlockSig::Empty);
        }
        // A negative number of one byte is a value type.
        if first & 0xc0 == 0x40 {
            return self.val_type().map(BlockSig::One);
        }
        let index = self.leb_signed();
        let ty = TypeIndex::from_u32(u32::try_from(index).ok()?);
        self.module.types().get(ty)?.as_func()?;
        Some(BlockSig::Func(ty))
    }

    /// Whether the next operator has a use for a condition.
    pub(super) fn next_uses_condition(&self) -> bool {
        // `br_if`, `if`, `select`, `i32.eqz`.
        matches!(self.code.get(self.at), Some(0x0d | 0x04 | 0x1b | 0x45))
    }

    /// The next operator's first byte.
    pub(super) fn next_byte(&self) -> Option<u8> {
        self.code.get(self.at).copied()
    }

    /// Reads the next operator's first byte, for whom that has looked at.
    pub(super) fn begin_operator(&mut self) {
        self.begin_at(self.at);
    }

    /// Eight bytes from a position on, of which those that are beyond the end are zero. None at the end.
    #[inline(always)]
    pub(super) fn word(&self, at: usize) -> Option<u64> {
        match self.code.get(at..)?.first_chunk() {
            Some(bytes) => Some(u64::from_le_bytes(*bytes)),
            None => self.last_word(at),
        }
    }

    #[cold]
    #[inline(never)]
    fn last_word(&self, at: usize) -> Option<u64> {
        let rest = self.code.get(at..)?;
        let mut bytes = [0; 8];
        bytes.get_mut(..rest.len())?.copy_from_slice(rest);
        (!rest.is_empty()).then_some(u64::from_le_bytes(bytes))
    }

    /// Begins the operator at a position.
    #[inline(always)]
    pub(super) fn begin_at(&mut self, at: usize) {
        self.b.wasm_offset = self.start + at as u32;
        self.at = at + 1;
    }

    /// Compiles one operator, which can be reached. The word is what follows the opcode, seven bytes of it.
    #[rustfmt::skip]
    #[inline(always)]
    pub(super) fn operator(&mut self, opcode: u8, word: u64) {
        use FloatOp as FO;
        use FloatUnary as FU;
        use Size::{S32, S64};
        match opcode {
            0x00 => self.unreachable(),
            0x01 => {}
            0x02 => self.block(),
            0x03 => self.begin_loop(),
            0x04 => self.begin_if(),
            0x05 => self.begin_else(),
            0x08 => self.throw(),
            0x0a => self.throw_ref(),
            0x1f => self.begin_try(),
            0x0b => self.end(),
            0x0c => { let depth = self.leb_u32(); self.br(depth); }
            0x0d => { let depth = self.leb_u32(); self.br_if(depth); }
            0x0e => self.br_table(),
            0x0f => self.return_(),
            0x10 => { let index = self.leb_u32(); self.call(index, false); }
            0x11 => { let ty = self.leb_u32(); let table = self.leb_u32(); self.call_indirect(ty, table, false); }
            0x12 => { let index = self.leb_u32(); self.call(index, true); }
            0x13 => { let ty = self.leb_u32(); let table = self.leb_u32(); self.call_indirect(ty, table, true); }
            0x14 => { let ty = self.leb_u32(); self.call_ref(ty, false); }
            0x15 => { let ty = self.leb_u32(); self.call_ref(ty, true); }
            0x1a => self.drop_top(),
            0x1b => self.select(),
            0x1c => { for _ in 0..self.leb_u32() { self.val_type(); } self.select(); }

            0x20 => { let index = self.leb_u32(); self.local_get(index); }
            0x21 => { let index = self.leb_u32(); self.local_set(index); }
            0x22 => { let index = self.leb_u32(); self.local_tee(index); }
            0x23 => { let index = self.leb_u32(); self.global_get(index); }
            0x24 => { let index = self.leb_u32(); self.global_set(index); }
            0x25 => { let index = self.leb_u32(); self.table_get(index); }
            0x26 => { let index = self.leb_u32(); self.table_set(index); }

            0x28 | 0x29 | 0x2c..=0x35 => { let index = self.pop_number(); self.load(opcode, index, word); }
            0x2a => self.load_float(S32),
            0x2b => self.load_float(S64),
            0x36 | 0x37 | 0x3a..=0x3e => { let value = self.pop_number(); self.store(opcode, value, word); }
            0x38 => self.store_float(S32),
            0x39 => self.store_float(S64),
            0x3f => { let memory = self.leb_u32(); self.memory_size(memory); }
            0x40 => { let memory = self.leb_u32(); self.memory_grow(memory); }

            0x41 => { let value = self.leb_signed() as u32; self.push_const(ValRepr::I32, u64::from(value)); }
            0x42 => { let value = self.leb_signed() as u64; self.push_const(ValRepr::I64, value); }
            0x43 => { let bits = u32::from_le_bytes(self.bytes()); self.push_const(ValRepr::F32, u64::from(bits)); }
            0x44 => { let bits = u64::from_le_bytes(self.bytes()); self.push_const(ValRepr::F64, bits); }

            0x45 => self.eqz(S32),
            0x46..=0x4f | 0x51..=0x5a => self.int_compare(opcode),
            0x50 => self.eqz(S64),
            0x5b..=0x60 => self.float_compare(FLOAT_CCS[usize::from(opcode - 0x5b)], S32),
            0x61..=0x66 => self.float_compare(FLOAT_CCS[usize::from(opcode - 0x61)], S64),

            0x67 => self.bit_op(BitOp::Clz, S32),
            0x68 => self.bit_op(BitOp::Ctz, S32),
            0x69 => self.bit_op(BitOp::Popcnt, S32),
            0x6a => self.int_op(IntOp::Add, S32),
            0x6b => self.int_op(IntOp::Sub, S32),
            0x6c => self.int_op(IntOp::Mul, S32),
            0x6d => self.divide(S32, true, false),
            0x6e => self.divide(S32, false, false),
            0x6f => self.divide(S32, true, true),
            0x70 => self.divide(S32, false, true),
            0x71 => self.int_op(IntOp::And, S32),
            0x72 => self.int_op(IntOp::Or, S32),
            0x73 => self.int_op(IntOp::Xor, S32),
            0x74..=0x78 | 0x86..=0x8a => self.shift(opcode),
            0x79 => self.bit_op(BitOp::Clz, S64),
            0x7a => self.bit_op(BitOp::Ctz, S64),
            0x7b => self.bit_op(BitOp::Popcnt, S64),
            0x7c => self.int_op(IntOp::Add, S64),
            0x7d => self.int_op(IntOp::Sub, S64),
            0x7e => self.int_op(IntOp::Mul, S64),
            0x7f => self.divide(S64, true, false),
            0x80 => self.divide(S64, false, false),
            0x81 => self.divide(S64, true, true),
            0x82 => self.divide(S64, false, true),
            0x83 => self.int_op(IntOp::And, S64),
            0x84 => self.int_op(IntOp::Or, S64),
            0x85 => self.int_op(IntOp::Xor, S64),

            0x8b..=0x91 => self.float_unary(FLOAT_UNARY[usize::from(opcode - 0x8b)], S32),
            0x92..=0x98 => self.float_op(FLOAT_OPS[usize::from(opcode - 0x92)], S32),
            0x99..=0x9f => self.float_unary(FLOAT_UNARY[usize::from(opcode - 0x99)], S64),
            0xa0..=0xa6 => self.float_op(FLOAT_OPS[usize::from(opcode - 0xa0)], S64),

            0xa7 => self.wrap(),
            0xa8 => self.truncate(S32, S32, true, true),
            0xa9 => self.truncate(S32, S32, false, true),
            0xaa => self.truncate(S64, S32, true, true),
            0xab => self.truncate(S64, S32, false, true),
            0xac => self.extend(Extend::S32, S32, ValRepr::I64),
            0xad => self.zero_extend(),
            0xae => self.truncate(S32, S64, true, true),
            0xaf => self.truncate(S32, S64, false, true),
            0xb0 => self.truncate(S64, S64, true, true),
            0xb1 => self.truncate(S64, S64, false, true),
            0xb2 => self.int_to_float(true, S32, S32),
            0xb3 => self.int_to_float(false, S32, S32),
            0xb4 => self.int_to_float(true, S64, S32),
            0xb5 => self.int_to_float(false, S64, S32),
            0xb6 => self.convert_float(S64),
            0xb7 => self.int_to_float(true, S32, S64),
            0xb8 => self.int_to_float(false, S32, S64),
            0xb9 => self.int_to_float(true, S64, S64),
            0xba => self.int_to_float(false, S64, S64),
            0xbb => self.convert_float(S32),
            0xbc => self.float_bits(S32),
            0xbd => self.float_bits(S64),
            0xbe => self.float_of_bits(S32),
            0xbf => self.float_of_bits(S64),
            0xc0 => self.extend(Extend::S8, S32, ValRepr::I32),
            0xc1 => self.extend(Extend::S16, S32, ValRepr::I32),
            0xc2 => self.extend(Extend::S8, S64, ValRepr::I64),
            0xc3 => self.extend(Extend::S16, S64, ValRepr::I64),
            0xc4 => self.extend(Extend::S32, S64, ValRepr::I64),

            0xd0 => self.ref_null(),
            0xd1 => self.ref_is_null(),
            0xd2 => { let index = self.leb_u32(); self.ref_func(index); }
            0xd3 => self.ref_eq(),
            0xd4 => self.ref_as_non_null(),
            0xd5 => { let depth = self.leb_u32(); self.br_on_null(depth); }
            0xd6 => { let depth = self.leb_u32(); self.br_on_non_null(depth); }

            0xfb => self.object(),
            0xfc => self.numbered(),
            0xfd => self.vector(),
            0xfe => self.atomic(),
            _ => self.unsupported("an unknown operator"),
        }
        debug_assert!(
            self.s.stack.iter().rev().skip(1).take(4).all(|v| v.place() != Place::Flags),
            "a condition is on top"
        );

        const FLOAT_CCS: [FloatCc; 6] = [FloatCc::Eq, FloatCc::Ne, FloatCc::Lt, FloatCc::Gt, FloatCc::Le, FloatCc::Ge];
        const FLOAT_UNARY: [FloatUnary; 7] = [FU::Abs, FU::Neg, FU::Ceil, FU::Floor, FU::Trunc, FU::Nearest, FU::Sqrt];
        const FLOAT_OPS: [FloatOp; 7] = [FO::Add, FO::Sub, FO::Mul, FO::Div, FO::Min, FO::Max, FO::Copysign];
    }

    /// Operators with the prefix `0xfc`.
    #[rustfmt::skip]
    fn numbered(&mut self) {
        use Size::{S32, S64};
        match self.leb_u32() {
            0 => self.truncate(S32, S32, true, false),
            1 => self.truncate(S32, S32, false, false),
            2 => self.truncate(S64, S32, true, false),
            3 => self.truncate(S64, S32, false, false),
            4 => self.truncate(S32, S64, true, false),
            5 => self.truncate(S32, S64, false, false),
            6 => self.truncate(S64, S64, true, false),
            7 => self.truncate(S64, S64, false, false),
            8 => { let data = self.leb_u32(); let memory = self.leb_u32(); self.memory_init(memory, data); }
            9 => { let data = self.leb_u32(); self.data_drop(data); }
            10 => { let dst = self.leb_u32(); let src = self.leb_u32(); self.memory_copy(dst, src); }
            11 => { let memory = self.leb_u32(); self.memory_fill(memory); }
            12 => { let elem = self.leb_u32(); let table = self.leb_u32(); self.table_init(table, elem); }
            13 => { let elem = self.leb_u32(); self.elem_drop(elem); }
            14 => { let dst = self.leb_u32(); let src = self.leb_u32(); self.table_copy(dst, src); }
            15 => { let table = self.leb_u32(); self.table_grow(table); }
            16 => { let table = self.leb_u32(); self.table_size(table); }
            17 => { let table = self.leb_u32(); self.table_fill(table); }
            19 => self.add_wide(false),
            20 => self.add_wide(true),
            21 => self.multiply_wide(true),
            22 => self.multiply_wide(false),
            _ => self.unsupported("an unknown operator"),
        }
    }
}

/// The bits of the number that begins with the lowest byte, and how many bytes it has, unless it goes on after these eight.
#[inline]
pub(super) fn number(word: u64) -> Option<(u64, usize)> {
    let ends = !word & 0x8080_8080_8080_8080;
    if ends == 0 {
        return None;
    }
    let bits = ends.trailing_zeros() + 1;
    let groups = word & u64::MAX >> (64 - bits);
    // Groups of seven bits move together, then two of those, then two of those.
    let groups = groups & 0x007f_007f_007f_007f | (groups & 0x7f00_7f00_7f00_7f00) >> 1;
    let groups = groups & 0x0000_3fff_0000_3fff | (groups & 0x3fff_0000_3fff_0000) >> 2;
    let groups = groups & 0x0fff_ffff | (groups & 0x0fff_ffff_0000_0000) >> 4;
    Some((groups, bits as usize / 8))
}

/// How references to an abstract heap type are represented.
fn abstract_repr(byte: u8) -> Option<ValRepr> {
    Some(match byte {
        // `func` and `nofunc`.
        0x70 | 0x73 => ValRepr::FuncRef,
        0x69..=0x6f | 0x71 | 0x72 | 0x74 => ValRepr::GcRef,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_of_up_to_eight_bytes_are_read_at_once() {
        for len in 1..=8 {
            let mut bytes = [0xff; 8];
            let mut value = 0;
            for (i, byte) in bytes.iter_mut().enumerate().take(len) {
                let group = (0x35 + 0x0d * i as u8) & 0x7f;
                let more = if i + 1 < len { 0x80 } else { 0 };
                *byte = group | more;
                value |= u64::from(group) << (7 * i);
            }
            assert_eq!(number(u64::from_le_bytes(bytes)), Some((value, len)));
        }
        assert_eq!(number(u64::MAX), None);
    }
}
