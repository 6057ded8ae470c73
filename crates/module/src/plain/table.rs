//! Operators by their first byte: what they take, what they leave, what follows them.
//!
//! The one idea: most operators are followed by at most one number, take at most two operands of certain types and leave at most one; for them the row
//! says all there is to know, in the form in which it is compared.

use super::*;

/// How the rest of an operator is read, and what else there is to it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// Nothing follows.
    Simple,
    /// An alignment and an offset.
    Access,
    /// As many bytes as the row says.
    Bytes,
    /// A signed number.
    Const32,
    Const64,
    /// The number of a local, which is got, set, or both.
    Local,
    GlobalGet,
    GlobalSet,
    Unreachable,
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

/// In place of a type: that of the local whose number follows. Those of all locals come after the types themselves in one list.
pub(super) const LOCALS: u8 = 8;

/// Where a number of one byte ends, as a mask of its bytes; where one of at most four does.
pub(super) const ONE_BYTE: u32 = 0x80;
const FOUR_BYTES: u32 = 0x8080_8080;

/// An operator. Aligned to its size.
#[derive(Copy, Clone, Debug)]
#[repr(align(16))]
pub(super) struct Row {
    pub class: Class,
    /// How many operands of the types below.
    pub pops: u8,
    /// How many results, none or one.
    pub pushes: u8,
    /// The type of the result, or [`LOCALS`].
    pub result: Code,
    /// The largest first byte after the opcode: the alignment at most, as a binary logarithm.
    pub max_align: u8,
    /// Where the number begins, in bits from the opcode on. Without one, where no byte is complete.
    pub shift: u8,
    /// How many bytes there are besides the number, or besides the opcode where there is none.
    pub bytes: u8,
    /// Which bits of the number are a local's. These include all bits of types.
    pub local: u8,
    /// The two topmost types, as a number of 16 bits whose upper half is the topmost, where the mask has bits.
    pub pattern: u16,
    pub mask: u16,
    /// The bits that may end the number, of which one must be zero; none for what is not read by the row alone.
    pub stops: u32,
}

const _: () = assert!(size_of::<Row>() == 16);

const fn row(class: Class) -> Row {
    Row {
        class,
        pops: 0,
        pushes: 0,
        result: OTHER,
        max_align: 0xff,
        shift: 63,
        bytes: 0,
        local: 0,
        pattern: 0,
        mask: 0,
        stops: 0,
    }
}

/// Without operands and a result, and nothing follows.
const fn nop() -> Row {
    Row {
        stops: ONE_BYTE,
        ..row(Class::Simple)
    }
}

const fn drop() -> Row {
    Row {
        pops: 1,
        stops: ONE_BYTE,
        ..row(Class::Drop)
    }
}

const fn unary(x: Code, result: Code) -> Row {
    Row {
        pops: 1,
        pushes: 1,
        result,
        pattern: (x as u16) << 8,
        mask: 0xff00,
        ..nop()
    }
}

const fn binary(x: Code, result: Code) -> Row {
    Row {
        pops: 2,
        pattern: (x as u16) << 8 | x as u16,
        mask: 0xffff,
        ..unary(x, result)
    }
}

/// What follows an access. Where there is no memory, nothing is known.
const fn access(memory: Code, max_align: u8, of: Row) -> Row {
    if memory == OTHER {
        return row(Class::Other);
    }
    Row {
        class: Class::Access,
        max_align,
        shift: 16,
        bytes: 2,
        stops: FOUR_BYTES,
        ..of
    }
}

const fn load(memory: Code, ty: Code, max_align: u8) -> Row {
    access(memory, max_align, unary(memory, ty))
}

const fn store(memory: Code, ty: Code, max_align: u8) -> Row {
    let operands = Row {
        pushes: 0,
        pattern: (ty as u16) << 8 | memory as u16,
        ..binary(ty, OTHER)
    };
    access(memory, max_align, operands)
}

const fn bytes(result: Code, bytes: u8) -> Row {
    Row {
        class: Class::Bytes,
        pushes: 1,
        result,
        bytes,
        ..nop()
    }
}

const fn number(class: Class, result: Code) -> Row {
    Row {
        class,
        shift: 8,
        stops: FOUR_BYTES,
        ..bytes(result, 1)
    }
}

const fn local(sets: bool, gets: bool) -> Row {
    Row {
        pops: sets as u8,
        pushes: gets as u8,
        local: 0x7f,
        mask: if sets { 0xff00 } else { 0 },
        // Where the type is that of a local, the row is not all there is to it.
        stops: 0,
        ..number(Class::Local, LOCALS)
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

/// See the module. By the type of the memory's addresses.
pub(super) static ROWS: [[Row; 256]; 3] = [rows(OTHER), rows(I32), rows(I64)];

#[rustfmt::skip]
const fn rows(memory: Code) -> [Row; 256] {
    use Class::*;
    let mut r = [row(Other); 256];
    r[0x00] = row(Unreachable);
    r[0x01] = nop();
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
    r[0x1a] = drop();
    r[0x1b] = row(Select);
    r[0x1f] = row(TryTable);
    r[0x20] = local(false, true);
    r[0x21] = local(true, false);
    r[0x22] = local(true, true);
    r[0x23] = row(GlobalGet);
    r[0x24] = row(GlobalSet);

    r[0x28] = load(memory, I32, 2);
    r[0x29] = load(memory, I64, 3);
    r[0x2a] = load(memory, F32, 2);
    r[0x2b] = load(memory, F64, 3);
    r = fill(r, 0x2c, 0x2d, load(memory, I32, 0));
    r = fill(r, 0x2e, 0x2f, load(memory, I32, 1));
    r = fill(r, 0x30, 0x31, load(memory, I64, 0));
    r = fill(r, 0x32, 0x33, load(memory, I64, 1));
    r = fill(r, 0x34, 0x35, load(memory, I64, 2));
    r[0x36] = store(memory, I32, 2);
    r[0x37] = store(memory, I64, 3);
    r[0x38] = store(memory, F32, 2);
    r[0x39] = store(memory, F64, 3);
    r[0x3a] = store(memory, I32, 0);
    r[0x3b] = store(memory, I32, 1);
    r[0x3c] = store(memory, I64, 0);
    r[0x3d] = store(memory, I64, 1);
    r[0x3e] = store(memory, I64, 2);
    r[0x3f] = row(MemorySize);
    r[0x40] = row(MemoryGrow);

    r[0x41] = number(Const32, I32);
    r[0x42] = number(Const64, I64);
    r[0x43] = bytes(F32, 4);
    r[0x44] = bytes(F64, 8);

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
