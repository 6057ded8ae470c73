//! Operators by their first byte: what they take, what they leave, what follows them.
//!
//! The one idea: most operators take one or two operands of certain types and leave one; for them the row says all there is to know.

use super::*;

/// How the rest of an operator is read, and what else there is to it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// Nothing follows.
    Simple,
    /// An alignment of so much at most, and an offset. The address has the type of the memory's.
    Load,
    Store,
    /// A number of so many bytes.
    Bytes,
    /// A signed number.
    Const32,
    Const64,
    LocalGet,
    LocalSet,
    LocalTee,
    GlobalGet,
    GlobalSet,
    Unreachable,
    Nop,
    Block,
    Loop,
    If,
    Else,
    End,
    Br,
    BrIf,
    BrTable,
    Return,
    Call,
    CallIndirect,
    Drop,
    Select,
    MemorySize,
    MemoryGrow,
    Throw,
    ThrowRef,
    TryTable,
    /// The operator's number follows.
    Prefix,
    /// Not known here.
    Other,
}

/// An operator.
#[derive(Copy, Clone, Debug)]
pub(super) struct Row {
    pub class: Class,
    /// How many operands of the types below.
    pub pops: u8,
    /// The type of the result. Of a store, that of the value.
    pub push: Code,
    /// The alignment at most, as a binary logarithm; the number of bytes of a constant.
    pub number: u8,
    /// The two topmost types, as a number of 16 bits whose upper half is the topmost, where the mask has bits.
    pub pattern: u16,
    pub mask: u16,
}

const fn row(class: Class) -> Row {
    Row {
        class,
        pops: 0,
        push: OTHER,
        number: 0,
        pattern: 0,
        mask: 0,
    }
}

const fn unary(x: Code, push: Code) -> Row {
    Row {
        pops: 1,
        push,
        pattern: (x as u16) << 8,
        mask: 0xff00,
        ..row(Class::Simple)
    }
}

const fn binary(x: Code, push: Code) -> Row {
    Row {
        pops: 2,
        push,
        pattern: (x as u16) << 8 | x as u16,
        mask: 0xffff,
        ..row(Class::Simple)
    }
}

const fn access(class: Class, ty: Code, align: u8) -> Row {
    Row {
        push: ty,
        number: align,
        ..row(class)
    }
}

const fn constant(class: Class, push: Code, bytes: u8) -> Row {
    Row {
        push,
        number: bytes,
        ..row(class)
    }
}

/// A row for a range of opcodes.
const fn fill(mut rows: [Row; 256], from: u8, to: u8, with: Row) -> [Row; 256] {
    let mut at = from as usize;
    while at <= to as usize {
        rows[at] = with;
        at += 1;
    }
    rows
}

/// See the module.
pub(super) static ROWS: [Row; 256] = rows();

#[rustfmt::skip]
const fn rows() -> [Row; 256] {
    use Class::*;
    let mut r = [row(Other); 256];
    r[0x00] = row(Unreachable);
    r[0x01] = row(Nop);
    r[0x02] = row(Block);
    r[0x03] = row(Loop);
    r[0x04] = row(If);
    r[0x05] = row(Else);
    r[0x08] = row(Throw);
    r[0x0a] = row(ThrowRef);
    r[0x0b] = row(End);
    r[0x0c] = row(Br);
    r[0x0d] = row(BrIf);
    r[0x0e] = row(BrTable);
    r[0x0f] = row(Return);
    r[0x10] = row(Call);
    r[0x11] = row(CallIndirect);
    r[0x1a] = row(Drop);
    r[0x1b] = row(Select);
    r[0x1f] = row(TryTable);
    r[0x20] = row(LocalGet);
    r[0x21] = row(LocalSet);
    r[0x22] = row(LocalTee);
    r[0x23] = row(GlobalGet);
    r[0x24] = row(GlobalSet);

    r[0x28] = access(Load, I32, 2);
    r[0x29] = access(Load, I64, 3);
    r[0x2a] = access(Load, F32, 2);
    r[0x2b] = access(Load, F64, 3);
    r = fill(r, 0x2c, 0x2d, access(Load, I32, 0));
    r = fill(r, 0x2e, 0x2f, access(Load, I32, 1));
    r = fill(r, 0x30, 0x31, access(Load, I64, 0));
    r = fill(r, 0x32, 0x33, access(Load, I64, 1));
    r = fill(r, 0x34, 0x35, access(Load, I64, 2));
    r[0x36] = access(Store, I32, 2);
    r[0x37] = access(Store, I64, 3);
    r[0x38] = access(Store, F32, 2);
    r[0x39] = access(Store, F64, 3);
    r[0x3a] = access(Store, I32, 0);
    r[0x3b] = access(Store, I32, 1);
    r[0x3c] = access(Store, I64, 0);
    r[0x3d] = access(Store, I64, 1);
    r[0x3e] = access(Store, I64, 2);
    r[0x3f] = row(MemorySize);
    r[0x40] = row(MemoryGrow);

    r[0x41] = constant(Const32, I32, 0);
    r[0x42] = constant(Const64, I64, 0);
    r[0x43] = constant(Bytes, F32, 4);
    r[0x44] = constant(Bytes, F64, 8);

    r[0x45] = unary(I32, I32);
    r = fill(r, 0x46, 0x4f, binary(I32, I32));
    r[0x50] = unary(I64, I32);
    r = fill(r, 0x51, 0x5a, binary(I64, I32));
    r = fill(r, 0x5b, 0x60, binary(F32, I32));
    r = fill(r, 0x61, 0x66, binary(F64, I32));
    r = fill(r, 0x67, 0x69, unary(I32, I32));
    r = fill(r, 0x6a, 0x78, binary(I32, I32));
    r = fill(r, 0x79, 0x7b, unary(I64, I64));
    r = fill(r, 0x7c, 0x8a, binary(I64, I64));
    r = fill(r, 0x8b, 0x91, unary(F32, F32));
    r = fill(r, 0x92, 0x98, binary(F32, F32));
    r = fill(r, 0x99, 0x9f, unary(F64, F64));
    r = fill(r, 0xa0, 0xa6, binary(F64, F64));

    r[0xa7] = unary(I64, I32);
    r = fill(r, 0xa8, 0xa9, unary(F32, I32));
    r = fill(r, 0xaa, 0xab, unary(F64, I32));
    r = fill(r, 0xac, 0xad, unary(I32, I64));
    r = fill(r, 0xae, 0xaf, unary(F32, I64));
    r = fill(r, 0xb0, 0xb1, unary(F64, I64));
    r = fill(r, 0xb2, 0xb3, unary(I32, F32));
    r = fill(r, 0xb4, 0xb5, unary(I64, F32));
    r[0xb6] = unary(F64, F32);
    r = fill(r, 0xb7, 0xb8, unary(I32, F64));
    r = fill(r, 0xb9, 0xba, unary(I64, F64));
    r[0xbb] = unary(F32, F64);
    r[0xbc] = unary(F32, I32);
    r[0xbd] = unary(F64, I64);
    r[0xbe] = unary(I32, F32);
    r[0xbf] = unary(I64, F64);
    r = fill(r, 0xc0, 0xc1, unary(I32, I32));
    r = fill(r, 0xc2, 0xc4, unary(I64, I64));
    r[0xfc] = row(Prefix);
    r
}

/// Saturating truncations, the first eight operators with the prefix `0xfc`.
pub(super) static TRUNCATIONS: [Row; 8] = [
    unary(F32, I32),
    unary(F32, I32),
    unary(F64, I32),
    unary(F64, I32),
    unary(F32, I64),
    unary(F32, I64),
    unary(F64, I64),
    unary(F64, I64),
];
