//! Accesses of memory.

use super::*;
use Size::{S32, S64};

type M = A64;

fn at(disp: i32) -> Address {
    Address::new(X1, disp)
}

fn sum(disp: i32) -> Address {
    Address {
        base: X1,
        index: Some(X2),
        disp,
    }
}

#[test]
fn loads() {
    check(&[
        (|b| M::load(b, Load::S8, X0, at(1)), "ldrsb w0, [x1, #0x1]"),
        (
            |b| M::load(b, Load::S8Wide, X0, at(4095)),
            "ldrsb x0, [x1, #0xfff]",
        ),
        (|b| M::load(b, Load::U8, X0, at(0)), "ldrb w0, [x1]"),
        (|b| M::load(b, Load::S16, X0, at(2)), "ldrsh w0, [x1, #0x2]"),
        (
            |b| M::load(b, Load::S16Wide, X0, at(1)),
            "ldursh x0, [x1, #0x1]",
        ),
        (
            |b| M::load(b, Load::U16, X0, at(-1)),
            "ldurh w0, [x1, #-0x1]",
        ),
        (
            |b| M::load(b, Load::S32, X0, at(16380)),
            "ldrsw x0, [x1, #0x3ffc]",
        ),
        (
            |b| M::load(b, Load::U32, X0, at(16384)),
            "add x17, x1, #0x4, lsl #12; ldr w0, [x17]",
        ),
        (
            |b| M::load(b, Load::U64, X0, at(0x12348)),
            "add x17, x1, #0x12, lsl #12; ldr x0, [x17, #0x348]",
        ),
        (
            |b| M::load(b, Load::U64, X0, at(-0x12348)),
            "sub x17, x1, #0x13, lsl #12; ldr x0, [x17, #0xcb8]",
        ),
        (
            |b| M::load(b, Load::U64, X0, at(0x12345)),
            "add x17, x1, #0x12, lsl #12; add x17, x17, #0x345; ldr x0, [x17]",
        ),
        (
            |b| M::load(b, Load::U64, X0, at(i32::MAX)),
            "mov w17, #0x7fffffff; ldr x0, [x1, x17]",
        ),
        (
            |b| M::load(b, Load::U64, X0, at(i32::MIN)),
            "mov x17, #0xffffffff80000000; ldr x0, [x1, x17]",
        ),
        (|b| M::load(b, Load::U8, X0, sum(0)), "ldrb w0, [x1, x2]"),
        (|b| M::load(b, Load::S8, X0, sum(0)), "ldrsb w0, [x1, x2]"),
        (
            |b| M::load(b, Load::S16Wide, X0, sum(0)),
            "ldrsh x0, [x1, x2]",
        ),
        (|b| M::load(b, Load::S32, X0, sum(0)), "ldrsw x0, [x1, x2]"),
        (
            |b| M::load(b, Load::U32, X0, sum(8)),
            "add x17, x1, x2; ldr w0, [x17, #0x8]",
        ),
        (
            |b| M::load(b, Load::U64, X0, sum(0x12345)),
            "mov w17, #0x2345; movk w17, #0x1, lsl #16; add x17, x17, x2; ldr x0, [x1, x17]",
        ),
        (
            |b| M::load(b, Load::U64, X0, sum(i32::MAX)),
            "mov w17, #0x7fffffff; add x17, x17, x2; ldr x0, [x1, x17]",
        ),
        (|b| M::load_float(b, S32, V0, sum(0)), "ldr s0, [x1, x2]"),
        (|b| M::load_float(b, S64, V0, at(8)), "ldr d0, [x1, #0x8]"),
        (
            |b| M::load_float(b, S64, V0, at(-8)),
            "ldur d0, [x1, #-0x8]",
        ),
    ]);
}

#[test]
fn stores() {
    use Src::{Imm, Reg};
    check(&[
        (
            |b| M::store(b, Store::I8, at(1), Reg(X0)),
            "strb w0, [x1, #0x1]",
        ),
        (
            |b| M::store(b, Store::I16, sum(0), Reg(X0)),
            "strh w0, [x1, x2]",
        ),
        (
            |b| M::store(b, Store::I32, sum(4), Reg(X0)),
            "add x17, x1, x2; str w0, [x17, #0x4]",
        ),
        (
            |b| M::store(b, Store::I64, sum(0), Reg(X0)),
            "str x0, [x1, x2]",
        ),
        (
            |b| M::store(b, Store::I8, at(1), Imm(-1)),
            "mov w16, #0xff; strb w16, [x1, #0x1]",
        ),
        (
            |b| M::store(b, Store::I64, at(8), Imm(0)),
            "str xzr, [x1, #0x8]",
        ),
        (
            |b| M::store(b, Store::I64, at(8), Imm(-2)),
            "mov x16, #0xfffffffffffffffe; str x16, [x1, #0x8]",
        ),
        (
            |b| M::store(b, Store::I32, Address::new(X16, 8), Imm(7)),
            "mov w17, #0x7; str w17, [x16, #0x8]",
        ),
        (
            |b| M::store(b, Store::I32, Address::new(X16, i32::MAX), Imm(7)),
            "mov w17, #0x7fffffff; add x17, x16, x17; mov w16, #0x7; str w16, [x17]",
        ),
        (
            |b| M::store(b, Store::I32, sum(i32::MAX), Imm(7)),
            "mov w17, #0x7fffffff; add x17, x17, x2; mov w16, #0x7; str w16, [x1, x17]",
        ),
        (|b| M::store_float(b, S32, sum(0), V0), "str s0, [x1, x2]"),
        (
            |b| M::store_float(b, S64, sum(0x12345), V0),
            "mov w17, #0x2345; movk w17, #0x1, lsl #16; add x17, x17, x2; str d0, [x1, x17]",
        ),
    ]);
}

#[test]
fn addresses() {
    check(&[
        (|b| M::address(b, X0, at(0)), "mov x0, x1"),
        (
            |b| M::address(b, X0, at(0x12345)),
            "add x0, x1, #0x12, lsl #12; add x0, x0, #0x345",
        ),
        (
            |b| M::address(b, X2, sum(-1)),
            "add x2, x1, x2; sub x2, x2, #0x1",
        ),
        (
            |b| M::address(b, X0, sum(i32::MIN)),
            "add x0, x1, x2; mov x16, #0xffffffff80000000; add x0, x0, x16",
        ),
        (|b| M::scaled(b, X0, X1, X2, 3), "add x0, x1, x2, lsl #3"),
    ]);
}

/// Traps are found where the next instruction is, less four.
#[test]
fn the_access_is_the_last_instruction() {
    let disps = [0, 1, 8, -8, 255, 256, -257, 4095, 4096, 32760, 32768];
    let large = [1 << 20, (1 << 24) + 1, i32::MAX, i32::MIN];
    let bases = [
        (X1, None),
        (X1, Some(X2)),
        (X16, None),
        (X16, Some(X2)),
        (X1, Some(X16)),
    ];
    let last = |text: String| text.rsplit("; ").next().unwrap().to_owned();
    for disp in disps.into_iter().chain(large) {
        for (base, index) in bases {
            let address = Address { base, index, disp };
            let load = last(text(|b| M::load(b, Load::U32, X0, address)));
            assert!(load.starts_with("ld"), "{load}");
            for src in [Src::Reg(X0), Src::Imm(0), Src::Imm(77)] {
                let store = last(text(|b| M::store(b, Store::I32, address, src)));
                assert!(store.starts_with("st"), "{store}");
            }
        }
    }
}

#[test]
fn what_faults_is_the_first_access_after_it_is_expected() {
    let mut b = Buffer::default();
    M::load(&mut b, Load::U64, X0, at(0x12345));
    b.expect_fault();
    let begin = b.at();
    M::load(&mut b, Load::U64, X0, at(0x12345));
    let end = b.at();
    b.expect_fault();
    M::compare_memory(&mut b, IntCc::Eq, S32, Src::Reg(X0), at(8));
    M::load(&mut b, Load::U64, X0, at(0x12345));
    // The comparison's is where it was expected.
    assert_eq!(b.moved_faults(), [(begin, end - 4)]);
}
