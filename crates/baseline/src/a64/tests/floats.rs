//! Floats.

use super::*;
use FSrc::{Bits, Frame, Reg};
use Size::{S32, S64};

type M = A64;

fn truncation(from: Size, to: Size, signed: bool, traps: bool) -> Truncation {
    Truncation {
        from,
        to,
        signed,
        traps,
    }
}

#[test]
fn moves() {
    check(&[
        (|b| M::move_float(b, S32, V0, Reg(V1)), "mov v0.16b, v1.16b"),
        (|b| M::move_float(b, S64, V1, Reg(V1)), ""),
        (
            |b| M::move_float(b, S64, V0, Frame(-8)),
            "ldur d0, [x29, #-0x8]",
        ),
        (
            |b| M::move_float(b, S32, V0, Frame(-1000)),
            "sub x17, x29, #0x3e8; ldr s0, [x17]",
        ),
        (|b| M::move_float(b, S64, V0, Bits(0)), "movi d0, #0x0"),
        (
            |b| M::move_float(b, S64, V0, Bits(1.0f64.to_bits())),
            "fmov d0, #1.0",
        ),
        (
            |b| M::move_float(b, S32, V0, Bits((-31.0f32).to_bits().into())),
            "fmov s0, #-31.0",
        ),
        (
            |b| M::move_float(b, S32, V0, Bits(0.1f32.to_bits().into())),
            "mov w17, #0xcccd; movk w17, #0x3dcc, lsl #16; fmov s0, w17",
        ),
        (
            |b| M::move_float(b, S64, V0, Bits(1e3f64.to_bits())),
            "mov x17, #0x400000000000; movk x17, #0x408f, lsl #48; fmov d0, x17",
        ),
        (
            |b| M::move_float(b, S64, V0, Bits(0.1f64.to_bits())),
            "ldr d0, $+0x0",
        ),
        (
            |b| M::store_frame_float(b, S32, -8, Reg(V0)),
            "stur s0, [x29, #-0x8]",
        ),
        (
            |b| M::store_frame_float(b, S64, -8, Bits(0.1f64.to_bits())),
            "mov x16, #0x999a; movk x16, #0x9999, lsl #16; movk x16, #0x9999, lsl #32; movk x16, #0x3fb9, lsl #48; stur x16, [x29, #-0x8]",
        ),
        (
            |b| M::store_frame_float(b, S64, -8, Frame(-16)),
            "ldur x16, [x29, #-0x10]; stur x16, [x29, #-0x8]",
        ),
        (
            |b| M::store_arg_float(b, S64, 8, Reg(V0)),
            "str d0, [sp, #0x8]",
        ),
        (
            |b| M::swap_float(b, V0, V1),
            "mov v31.16b, v0.16b; mov v0.16b, v1.16b; mov v1.16b, v31.16b",
        ),
        (|b| M::float_bits(b, S32, X0, V0), "fmov w0, s0"),
        (|b| M::float_bits(b, S64, X0, V0), "fmov x0, d0"),
        (|b| M::float_of_bits(b, S32, V0, X0), "fmov s0, w0"),
        (|b| M::float_of_bits(b, S64, V0, X0), "fmov d0, x0"),
    ]);
}

#[test]
fn constants_are_loaded_from_memory() {
    let mut b = Buffer::default();
    M::move_float(&mut b, S64, V0, Bits(0.1f64.to_bits()));
    M::move_float(&mut b, S64, V1, Bits(0.1f64.to_bits()));
    b.put_constants::<M>();
    let code = b.code();
    assert_eq!(listing(&code[..8]), "ldr d0, $+0x10; ldr d1, $+0xc");
    assert_eq!(code[16..24], 0.1f64.to_le_bytes());
}

#[test]
fn arithmetic() {
    use FloatOp::*;
    use FloatUnary::*;
    check(&[
        (
            |b| M::float_op(b, Add, S32, V0, Reg(V1), Reg(V2)),
            "fadd s0, s1, s2",
        ),
        (
            |b| M::float_op(b, Sub, S64, V0, Reg(V1), Reg(V2)),
            "fsub d0, d1, d2",
        ),
        (
            |b| M::float_op(b, Mul, S64, V0, Frame(-8), Frame(-16)),
            "ldur d31, [x29, #-0x8]; ldur d30, [x29, #-0x10]; fmul d0, d31, d30",
        ),
        (
            |b| M::float_op(b, Div, S32, V0, Reg(V1), Reg(V2)),
            "fdiv s0, s1, s2",
        ),
        (
            |b| M::float_op(b, Min, S64, V0, Reg(V1), Reg(V2)),
            "fmin d0, d1, d2",
        ),
        (
            |b| M::float_op(b, Max, S32, V0, Reg(V1), Reg(V2)),
            "fmax s0, s1, s2",
        ),
        (
            |b| M::float_op(b, Copysign, S32, V0, Reg(V1), Reg(V0)),
            "movi d31, #0x0; fneg s31, s31; bsl v31.8b, v0.8b, v1.8b; mov v0.16b, v31.16b",
        ),
        (
            |b| M::float_op(b, Copysign, S64, V0, Reg(V0), Frame(-8)),
            "ldur d30, [x29, #-0x8]; movi d31, #0x0; fneg d31, d31; bsl v31.8b, v30.8b, v0.8b; mov v0.16b, v31.16b",
        ),
        (
            |b| M::float_op(b, Copysign, S64, V0, Frame(-16), Frame(-8)),
            "ldur d30, [x29, #-0x10]; ldur d0, [x29, #-0x8]; movi d31, #0x0; fneg d31, d31; bsl v31.8b, v0.8b, v30.8b; mov v0.16b, v31.16b",
        ),
        (|b| M::float_unary(b, Abs, S32, V0, Reg(V1)), "fabs s0, s1"),
        (|b| M::float_unary(b, Neg, S64, V0, Reg(V1)), "fneg d0, d1"),
        (
            |b| M::float_unary(b, Ceil, S32, V0, Reg(V1)),
            "frintp s0, s1",
        ),
        (
            |b| M::float_unary(b, Floor, S64, V0, Reg(V1)),
            "frintm d0, d1",
        ),
        (
            |b| M::float_unary(b, Trunc, S32, V0, Reg(V1)),
            "frintz s0, s1",
        ),
        (
            |b| M::float_unary(b, Nearest, S64, V0, Reg(V1)),
            "frintn d0, d1",
        ),
        (
            |b| M::float_unary(b, Sqrt, S32, V0, Reg(V1)),
            "fsqrt s0, s1",
        ),
        (|b| M::convert_float(b, S32, V0, Reg(V1)), "fcvt d0, s1"),
        (|b| M::convert_float(b, S64, V0, Reg(V1)), "fcvt s0, d1"),
        (
            |b| {
                M::compare_float(b, FloatCc::Lt, S32, V0, V1);
            },
            "fcmp s0, s1",
        ),
        (
            |b| {
                M::compare_float(b, FloatCc::Lt, S64, V0, V1);
            },
            "fcmp d0, d1",
        ),
        (
            |b| M::select_float(b, Cond(4), S32, V0, Reg(V1)),
            "fcsel s0, s0, s1, mi",
        ),
        (
            |b| M::select_float(b, Cond(12), S64, V0, Frame(-8)),
            "ldur d31, [x29, #-0x8]; fcsel d0, d0, d31, gt",
        ),
    ]);
}

#[test]
fn conversions() {
    check(&[
        (
            |b| M::int_to_float(b, true, S32, S32, V0, Src::Reg(X0)),
            "scvtf s0, w0",
        ),
        (
            |b| M::int_to_float(b, true, S64, S32, V0, Src::Reg(X0)),
            "scvtf s0, x0",
        ),
        (
            |b| M::int_to_float(b, false, S32, S64, V0, Src::Reg(X0)),
            "ucvtf d0, w0",
        ),
        (
            |b| M::int_to_float(b, false, S64, S64, V0, Src::Frame(-8)),
            "ldur x16, [x29, #-0x8]; ucvtf d0, x16",
        ),
        (
            |b| M::truncate(b, truncation(S32, S32, true, false), X0, V0),
            "fcvtzs w0, s0",
        ),
        (
            |b| M::truncate(b, truncation(S64, S32, false, false), X0, V0),
            "fcvtzu w0, d0",
        ),
        (
            |b| M::truncate(b, truncation(S32, S64, true, false), X0, V0),
            "fcvtzs x0, s0",
        ),
        (
            |b| M::truncate(b, truncation(S64, S64, false, false), X0, V0),
            "fcvtzu x0, d0",
        ),
        (
            |b| M::truncate(b, truncation(S32, S32, true, true), X0, V0),
            "fcmp s0, s0; b.vs $+0x0; fcvtzs x16, s0; cmp x16, w16, sxtw; b.ne $+0x0; mov w0, w16",
        ),
        (
            |b| M::truncate(b, truncation(S64, S32, false, true), X0, V0),
            "fcmp d0, d0; b.vs $+0x0; fcvtzs x16, d0; cmp x16, w16; b.ne $+0x0; mov w0, w16",
        ),
        (
            |b| M::truncate(b, truncation(S64, S64, true, true), X0, V0),
            "fcmp d0, d0; b.vs $+0x0; mov x17, #0xc3e0000000000000; fmov d31, x17; fcmp d0, d31; b.lt $+0x0; mov x17, #0x43e0000000000000; fmov d31, x17; fcmp d0, d31; b.ge $+0x0; fcvtzs x0, d0",
        ),
        (
            |b| M::truncate(b, truncation(S32, S64, false, true), X0, V0),
            "fcmp s0, s0; b.vs $+0x0; fmov s31, #-1.0; fcmp s0, s31; b.le $+0x0; mov w17, #0x5f800000; fmov s31, w17; fcmp s0, s31; b.ge $+0x0; fcvtzu x0, s0",
        ),
    ]);
}

#[test]
fn comparisons_are_false_of_what_is_unordered() {
    use FloatCc::*;
    let of = |cc| {
        text(|b| {
            let cond = M::compare_float(b, cc, S32, V0, V1);
            M::set(b, cond, X0);
        })
    };
    let names = [Eq, Ne, Lt, Gt, Le, Ge].map(of);
    let names = names.map(|text| text.split_once("; ").unwrap().1.to_owned());
    let expected = "cset w0, eq; cset w0, ne; cset w0, mi; cset w0, gt; cset w0, ls; cset w0, ge";
    assert_eq!(names.join("; "), expected);
}
