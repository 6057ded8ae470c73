//! Conditions: what sets them, and what uses them.

use super::*;
use Size::{S32, S64};
use Src::{Frame, Imm, Reg};

type M = A64;

#[test]
fn conditions() {
    use IntCc::*;
    check(&[
        (
            |b| {
                M::compare(b, Eq, S32, Reg(X0), Reg(X1));
            },
            "cmp w0, w1",
        ),
        (
            |b| {
                M::compare(b, Eq, S64, Reg(X0), Imm(5));
            },
            "cmp x0, #0x5",
        ),
        (
            |b| {
                M::compare(b, Eq, S64, Imm(-5), Reg(X0));
            },
            "cmn x0, #0x5",
        ),
        (
            |b| {
                M::compare(b, Eq, S32, Reg(X0), Imm(0x1_0001));
            },
            "mov w17, #0x10001; cmp w0, w17",
        ),
        (
            |b| {
                M::compare(b, Eq, S64, Frame(-8), Imm(0));
            },
            "ldur x16, [x29, #-0x8]; cmp x16, #0x0",
        ),
        (
            |b| {
                M::test(b, S32, Reg(X0), Imm(3));
            },
            "tst w0, #0x3",
        ),
        (
            |b| {
                M::test(b, S64, Frame(-8), Frame(-16));
            },
            "ldur x16, [x29, #-0x8]; ldur x17, [x29, #-0x10]; tst x16, x17",
        ),
        (
            |b| {
                M::test(b, S64, Imm(5), Reg(X0));
            },
            "mov w17, #0x5; tst x0, x17",
        ),
        (
            |b| {
                M::compare_memory(b, LtU, S64, Reg(X0), Address::new(X1, 8));
            },
            "ldr x17, [x1, #0x8]; cmp x0, x17",
        ),
        (
            |b| {
                M::compare_memory(b, LtU, S64, Imm(0x12345), Address::new(X16, 8));
            },
            "ldr x17, [x16, #0x8]; mov w16, #0x2345; movk w16, #0x1, lsl #16; cmp x17, x16",
        ),
        (
            |b| {
                M::compare_memory(b, LtU, S32, Reg(X16), Address::new(X1, 8));
            },
            "ldr w17, [x1, #0x8]; cmp w16, w17",
        ),
        (
            |b| {
                M::count_down(b, Address::new(X1, 8), 1);
            },
            "ldr w16, [x1, #0x8]; subs w16, w16, #0x1; str w16, [x1, #0x8]",
        ),
        (
            |b| {
                M::count_down(b, Address::new(X16, 0x12345678), 9);
            },
            "mov w17, #0x5678; movk w17, #0x1234, lsl #16; add x17, x16, x17; ldr w16, [x17]; subs w16, w16, #0x9; str w16, [x17]",
        ),
        (
            |b| {
                let (cond, at) = M::count_down(b, Address::new(X1, 8), 1);
                M::set_amount(b, at, 127);
                M::set(b, cond, X0);
            },
            "ldr w16, [x1, #0x8]; subs w16, w16, #0x7f; str w16, [x1, #0x8]; cset w0, mi",
        ),
        (
            |b| {
                let label = b.label();
                M::add_or_jump(b, X0, X1, Imm(8), label);
                M::add_or_jump(b, X0, X1, Imm(1 << 33), label);
            },
            "adds x0, x1, #0x8; b.hs $+0x0; mov x16, #0x200000000; adds x0, x1, x16; b.hs $+0x0",
        ),
        (
            |b| {
                M::compare_stack(b, Address::new(X16, 16));
            },
            "ldr x17, [x16, #0x10]; cmp sp, x17",
        ),
        (
            |b| M::select(b, Cond(0), S32, X0, Reg(X1)),
            "csel w0, w0, w1, eq",
        ),
        (
            |b| M::select(b, Cond(11), S64, X0, Imm(0)),
            "csel x0, x0, xzr, lt",
        ),
        (
            |b| M::select(b, Cond(11), S64, X0, Frame(-8)),
            "ldur x16, [x29, #-0x8]; csel x0, x0, x16, lt",
        ),
    ]);
}

#[test]
fn comparisons_have_the_processors_conditions() {
    use IntCc::*;
    let of = |cc| {
        text(|b| {
            let cond = M::compare(b, cc, S32, Reg(X0), Reg(X1));
            M::set(b, cond, X0);
        })
    };
    let names = [Eq, Ne, LtS, LtU, GtS, GtU, LeS, LeU, GeS, GeU].map(of);
    let names = names.map(|text| text.split_once("; ").unwrap().1.to_owned());
    let names = names.map(|text| text.trim_start_matches("cset w0, ").to_owned());
    assert_eq!(names.join(" "), "eq ne lt lo gt hi le ls ge hs");
}
