//! Atomic instructions, of every size.

use super::*;
use crate::atomic::{AtomicMachine, AtomicOp};

#[test]
fn loads_stores_and_fences() {
    check(&[
        (
            |b| A64::atomic_load(b, Load::U8, Gpr(1), Gpr(2)),
            "ldarb w1, [x2]",
        ),
        (
            |b| A64::atomic_load(b, Load::U16, Gpr(1), Gpr(2)),
            "ldarh w1, [x2]",
        ),
        (
            |b| A64::atomic_load(b, Load::U32, Gpr(1), Gpr(2)),
            "ldar w1, [x2]",
        ),
        (
            |b| A64::atomic_load(b, Load::U64, Gpr(1), Gpr(2)),
            "ldar x1, [x2]",
        ),
        (
            |b| A64::atomic_store(b, Store::I8, Gpr(1), Gpr(2)),
            "stlrb w2, [x1]",
        ),
        (
            |b| A64::atomic_store(b, Store::I64, Gpr(1), Gpr(2)),
            "stlr x2, [x1]",
        ),
        (A64::fence, "dmb ish"),
    ]);
}

#[test]
fn updates() {
    check(&[
        (
            |b| A64::atomic_update(b, AtomicOp::Sub, Store::I16, Gpr(1), Gpr(2), Gpr(3)),
            "ldaxrh w1, [x2]; sub w16, w1, w3; stlxrh w17, w16, [x2]; cbnz w17, $-0xc",
        ),
        (
            |b| A64::atomic_update(b, AtomicOp::Xor, Store::I64, Gpr(1), Gpr(2), Gpr(3)),
            "ldaxr x1, [x2]; eor x16, x1, x3; stlxr w17, x16, [x2]; cbnz w17, $-0xc",
        ),
        (
            |b| A64::atomic_update(b, AtomicOp::Exchange, Store::I8, Gpr(1), Gpr(2), Gpr(3)),
            "ldaxrb w1, [x2]; stlxrb w17, w3, [x2]; cbnz w17, $-0x8",
        ),
        (
            |b| A64::compare_exchange(b, Store::I32, Gpr(1), Gpr(2), Gpr(3), Gpr(4)),
            "mov w16, w3; ldaxr w1, [x2]; cmp x1, x16; b.ne $+0xc; stlxr w17, w4, [x2]; cbnz w17, $-0x10",
        ),
        (
            |b| A64::compare_exchange(b, Store::I8, Gpr(1), Gpr(2), Gpr(3), Gpr(4)),
            "uxtb w16, w3; ldaxrb w1, [x2]; cmp x1, x16; b.ne $+0xc; stlxrb w17, w4, [x2]; cbnz w17, $-0x10",
        ),
    ]);
}
