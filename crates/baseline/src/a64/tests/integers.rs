//! Integers: moves and arithmetic.

use super::*;
use Size::{S32, S64};
use Src::{Frame, Imm, Reg};

type M = A64;

fn division(size: Size, signed: bool, remainder: bool) -> Division {
    Division {
        size,
        signed,
        remainder,
        zero: true,
        minus_one: true,
    }
}

#[test]
fn moves() {
    check(&[
        (|b| M::move_int(b, S32, X0, Reg(X1)), "mov w0, w1"),
        (|b| M::move_int(b, S64, X0, Reg(X1)), "mov x0, x1"),
        (|b| M::move_int(b, S64, X1, Reg(X1)), ""),
        (|b| M::move_int(b, S32, X0, Imm(-1)), "mov w0, #0xffffffff"),
        (
            |b| M::move_int(b, S64, X0, Imm(-1)),
            "mov x0, #0xffffffffffffffff",
        ),
        (
            |b| M::move_int(b, S64, X0, Frame(-8)),
            "ldur x0, [x29, #-0x8]",
        ),
        (
            |b| M::move_int(b, S32, X0, Frame(-256)),
            "ldur w0, [x29, #-0x100]",
        ),
        (
            |b| M::move_int(b, S32, X0, Frame(-264)),
            "sub x0, x29, #0x108; ldr w0, [x0]",
        ),
        (
            |b| M::move_int(b, S64, X0, Frame(-0x12348)),
            "sub x0, x29, #0x13, lsl #12; ldr x0, [x0, #0xcb8]",
        ),
        (
            |b| M::move_int(b, S64, X0, Frame(16)),
            "ldr x0, [x29, #0x10]",
        ),
        (
            |b| M::store_frame(b, S64, -8, Reg(X0)),
            "stur x0, [x29, #-0x8]",
        ),
        (
            |b| M::store_frame(b, S32, -16, Imm(0)),
            "stur wzr, [x29, #-0x10]",
        ),
        (
            |b| M::store_frame(b, S32, -4096, Imm(7)),
            "mov w16, #0x7; sub x17, x29, #0x1, lsl #12; str w16, [x17]",
        ),
        (
            |b| M::store_frame(b, S64, -16, Frame(-24)),
            "ldur x16, [x29, #-0x18]; stur x16, [x29, #-0x10]",
        ),
        (|b| M::store_arg(b, S64, 8, Reg(X0)), "str x0, [sp, #0x8]"),
        (
            |b| M::store_arg(b, S64, 16000, Imm(-1)),
            "mov x16, #0xffffffffffffffff; str x16, [sp, #0x3e80]",
        ),
        (
            |b| M::swap_int(b, X0, X1),
            "mov x16, x0; mov x0, x1; mov x1, x16",
        ),
        (|b| M::frame_address(b, X0, -8), "sub x0, x29, #0x8"),
        (
            |b| M::frame_address(b, X0, -0x12348),
            "sub x0, x29, #0x12, lsl #12; sub x0, x0, #0x348",
        ),
    ]);
}

#[test]
fn arithmetic() {
    use IntOp::*;
    check(&[
        (
            |b| M::int_op(b, Add, S32, X0, Reg(X1), Reg(X2)),
            "add w0, w1, w2",
        ),
        (
            |b| M::int_op(b, Add, S64, X0, Reg(X1), Reg(X2)),
            "add x0, x1, x2",
        ),
        (
            |b| M::int_op(b, Add, S32, X0, Imm(5), Reg(X2)),
            "add w0, w2, #0x5",
        ),
        (
            |b| M::int_op(b, Add, S32, X0, Reg(X1), Imm(-5)),
            "sub w0, w1, #0x5",
        ),
        (
            |b| M::int_op(b, Add, S64, X0, Reg(X1), Imm(0x5000)),
            "add x0, x1, #0x5, lsl #12",
        ),
        (
            |b| M::int_op(b, Add, S64, X0, Reg(X1), Imm(0x12_3456)),
            "add x0, x1, #0x123, lsl #12; add x0, x0, #0x456",
        ),
        (
            |b| M::int_op(b, Add, S64, X0, Reg(X1), Imm(0x1234_5678)),
            "mov w17, #0x5678; movk w17, #0x1234, lsl #16; add x0, x1, x17",
        ),
        (
            |b| M::int_op(b, Add, S64, X0, Reg(X16), Imm(0x1234_5678)),
            "mov w17, #0x5678; movk w17, #0x1234, lsl #16; add x0, x16, x17",
        ),
        (
            |b| M::int_op(b, Add, S64, X0, Frame(-8), Frame(-16)),
            "ldur x16, [x29, #-0x8]; ldur x17, [x29, #-0x10]; add x0, x16, x17",
        ),
        (
            |b| M::int_op(b, Add, S64, X0, Frame(-8), Reg(X16)),
            "ldur x17, [x29, #-0x8]; add x0, x17, x16",
        ),
        (
            |b| M::int_op(b, Sub, S32, X0, Reg(X1), Reg(X2)),
            "sub w0, w1, w2",
        ),
        (
            |b| M::int_op(b, Sub, S64, X0, Imm(0), Reg(X2)),
            "neg x0, x2",
        ),
        (
            |b| M::int_op(b, Sub, S64, X0, Imm(1), Reg(X2)),
            "mov w16, #0x1; sub x0, x16, x2",
        ),
        (
            |b| M::int_op(b, Sub, S64, X0, Reg(X2), Imm(1)),
            "sub x0, x2, #0x1",
        ),
        (
            |b| M::int_op(b, Sub, S32, X0, Reg(X2), Imm(i64::from(i32::MIN))),
            "mov w17, #0x80000000; sub w0, w2, w17",
        ),
        (
            |b| M::int_op(b, Mul, S32, X0, Reg(X1), Reg(X2)),
            "mul w0, w1, w2",
        ),
        (
            |b| M::int_op(b, Mul, S64, X0, Reg(X1), Imm(8)),
            "lsl x0, x1, #0x3",
        ),
        (
            |b| M::int_op(b, Mul, S64, X0, Reg(X1), Imm(10)),
            "mov w17, #0xa; mul x0, x1, x17",
        ),
        (
            |b| M::int_op(b, And, S32, X0, Reg(X1), Reg(X2)),
            "and w0, w1, w2",
        ),
        (
            |b| M::int_op(b, And, S32, X0, Reg(X1), Imm(255)),
            "and w0, w1, #0xff",
        ),
        (
            |b| M::int_op(b, And, S64, X0, Reg(X1), Imm(-16)),
            "and x0, x1, #0xfffffffffffffff0",
        ),
        (
            |b| M::int_op(b, Or, S64, X0, Reg(X1), Reg(X2)),
            "orr x0, x1, x2",
        ),
        (
            |b| M::int_op(b, Or, S32, X0, Reg(X1), Imm(i64::from(i32::MIN))),
            "orr w0, w1, #0x80000000",
        ),
        (
            |b| M::int_op(b, Or, S32, X0, Reg(X1), Imm(5)),
            "mov w17, #0x5; orr w0, w1, w17",
        ),
        (
            |b| M::int_op(b, Xor, S64, X0, Reg(X1), Reg(X2)),
            "eor x0, x1, x2",
        ),
        (
            |b| M::int_op(b, Xor, S32, X0, Reg(X1), Imm(-1)),
            "mvn w0, w1",
        ),
        (
            |b| M::int_op(b, Xor, S32, X0, Reg(X1), Imm(0xff0)),
            "eor w0, w1, #0xff0",
        ),
        (
            |b| M::add_carry(b, false, (X0, X1), (Reg(X2), Imm(0))),
            "adds x0, x0, x2; adcs x1, x1, xzr",
        ),
        (
            |b| M::add_carry(b, true, (X0, X1), (Reg(X2), Reg(X3))),
            "subs x0, x0, x2; sbcs x1, x1, x3",
        ),
        (
            |b| M::multiply_wide(b, true, (X0, X1), X0, Reg(X1)),
            "mul x17, x0, x1; smulh x1, x0, x1; mov x0, x17",
        ),
        (
            |b| M::multiply_wide(b, false, (X0, X1), X2, Imm(3)),
            "mov w16, #0x3; mul x17, x2, x16; umulh x1, x2, x16; mov x0, x17",
        ),
    ]);
}

#[test]
fn shifts_and_bits() {
    use ShiftOp::*;
    check(&[
        (
            |b| M::shift(b, Shl, S32, X0, Reg(X1), Reg(X2)),
            "lsl w0, w1, w2",
        ),
        (
            |b| M::shift(b, ShrS, S64, X0, Reg(X1), Reg(X2)),
            "asr x0, x1, x2",
        ),
        (
            |b| M::shift(b, ShrU, S32, X0, Reg(X1), Reg(X2)),
            "lsr w0, w1, w2",
        ),
        (
            |b| M::shift(b, Rotr, S64, X0, Reg(X1), Reg(X2)),
            "ror x0, x1, x2",
        ),
        (
            |b| M::shift(b, Rotl, S32, X0, Reg(X1), Reg(X2)),
            "neg w16, w2; ror w0, w1, w16",
        ),
        (
            |b| M::shift(b, Rotl, S32, X0, Frame(-8), Frame(-16)),
            "ldur w16, [x29, #-0x8]; ldur w17, [x29, #-0x10]; neg w17, w17; ror w0, w16, w17",
        ),
        (
            |b| M::shift(b, Shl, S32, X0, Reg(X1), Imm(3)),
            "lsl w0, w1, #0x3",
        ),
        (
            |b| M::shift(b, Shl, S64, X0, Reg(X1), Imm(63)),
            "lsl x0, x1, #0x3f",
        ),
        (
            |b| M::shift(b, ShrS, S32, X0, Reg(X1), Imm(31)),
            "asr w0, w1, #0x1f",
        ),
        (
            |b| M::shift(b, ShrU, S64, X0, Reg(X1), Imm(1)),
            "lsr x0, x1, #0x1",
        ),
        (
            |b| M::shift(b, Rotr, S32, X0, Reg(X1), Imm(8)),
            "ror w0, w1, #0x8",
        ),
        (
            |b| M::shift(b, Rotl, S64, X0, Reg(X1), Imm(8)),
            "ror x0, x1, #0x38",
        ),
        (
            |b| M::shift(b, Rotl, S64, X0, Reg(X1), Imm(64)),
            "mov x0, x1",
        ),
        (|b| M::bit_op(b, BitOp::Clz, S32, X0, Reg(X1)), "clz w0, w1"),
        (
            |b| M::bit_op(b, BitOp::Ctz, S64, X0, Reg(X1)),
            "rbit x0, x1; clz x0, x0",
        ),
        (
            |b| M::bit_op(b, BitOp::Popcnt, S32, X0, Reg(X1)),
            "fmov s31, w1; cnt v31.8b, v31.8b; addv b31, v31.8b; fmov w0, s31",
        ),
        (
            |b| M::bit_op(b, BitOp::Popcnt, S64, X0, Frame(-8)),
            "ldur x16, [x29, #-0x8]; fmov d31, x16; cnt v31.8b, v31.8b; addv b31, v31.8b; fmov w0, s31",
        ),
        (
            |b| M::extend(b, Extend::S8, S32, X0, Reg(X1)),
            "sxtb w0, w1",
        ),
        (
            |b| M::extend(b, Extend::S16, S64, X0, Reg(X1)),
            "sxth x0, w1",
        ),
        (
            |b| M::extend(b, Extend::S32, S64, X0, Reg(X1)),
            "sxtw x0, w1",
        ),
        (
            |b| M::extend(b, Extend::U32, S64, X0, Reg(X0)),
            "mov w0, w0",
        ),
        (
            |b| M::extend(b, Extend::S8, S64, X0, Frame(-8)),
            "ldursb x0, [x29, #-0x8]",
        ),
        (
            |b| M::extend(b, Extend::S16, S32, X0, Frame(-8)),
            "ldursh w0, [x29, #-0x8]",
        ),
        (
            |b| M::extend(b, Extend::S32, S64, X0, Frame(-8)),
            "ldursw x0, [x29, #-0x8]",
        ),
        (
            |b| M::extend(b, Extend::S8, S32, X0, Imm(0x80)),
            "mov w0, #0xffffff80",
        ),
    ]);
}

#[test]
fn divisions() {
    check(&[
        (
            |b| M::divide(b, division(S32, true, false), X0, X0, Reg(X1)),
            "cbz w1, $+0x0; cmp w0, #0x1; ccmn w1, #0x1, #0x0, vs; b.eq $+0x0; sdiv w0, w0, w1",
        ),
        (
            |b| M::divide(b, division(S64, true, true), X0, X0, Reg(X1)),
            "cbz x1, $+0x0; sdiv x16, x0, x1; msub x0, x16, x1, x0",
        ),
        (
            |b| M::divide(b, division(S32, false, false), X0, X1, Frame(-8)),
            "ldur w16, [x29, #-0x8]; cbz w16, $+0x0; udiv w0, w1, w16",
        ),
        (
            |b| {
                let d = Division {
                    zero: false,
                    ..division(S64, false, true)
                };
                M::divide(b, d, X0, X1, Imm(10));
            },
            "mov w16, #0xa; udiv x0, x1, x16; msub x0, x0, x16, x1",
        ),
    ]);
}
