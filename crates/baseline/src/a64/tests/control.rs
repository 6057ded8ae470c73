//! Jumps, calls, frames.

use super::*;

type M = A64;

/// A jump to a label that is bound some words further.
fn forward(words: u32, far: bool, write: impl FnOnce(&mut Buffer, Label)) -> Vec<u8> {
    let mut b = Buffer::default();
    b.far = far;
    let label = b.label();
    write(&mut b, label);
    for _ in 0..words {
        M::trap(&mut b);
    }
    b.bind::<M>(label);
    b.code().to_vec()
}

#[test]
fn jumps() {
    let jump = |b: &mut Buffer, label| M::jump(b, label);
    let jump_if = |b: &mut Buffer, label| M::jump_if(b, Cond(0), label);
    let zero = |b: &mut Buffer, label| branch::jump_if_zero(b, Size::S64, 5, label);
    let near = |write: fn(&mut Buffer, Label)| listing(&forward(2, false, write)[..4]);
    assert_eq!(near(jump), "b $+0xc");
    assert_eq!(near(jump_if), "b.eq $+0xc");
    assert_eq!(near(zero), "cbz x5, $+0xc");
    let far = |write: fn(&mut Buffer, Label)| listing(&forward(1 << 19, true, write)[..8]);
    assert_eq!(far(jump_if), "b.ne $+0x8; b $+0x200004");
    assert_eq!(far(zero), "cbnz x5, $+0x8; b $+0x200004");
    assert_eq!(listing(&forward(1 << 19, true, jump)[..4]), "b $+0x200004");
}

#[test]
fn jumps_backward_are_as_long_as_they_must_be() {
    let of = |words: u32| {
        let mut b = Buffer::default();
        b.far = true;
        let label = b.label();
        b.bind::<M>(label);
        for _ in 0..words {
            M::trap(&mut b);
        }
        let at = b.at() as usize;
        M::jump_if(&mut b, Cond(1), label);
        listing(&b.code()[at..])
    };
    assert_eq!(of(3), "b.ne $-0xc");
    assert_eq!(of((1 << 18) - 1), "b.ne $-0xffffc");
    assert_eq!(of(1 << 18), "b.eq $+0x8; b $-0x100004");
}

#[test]
fn tables_hold_distances_from_their_start() {
    let mut b = Buffer::default();
    M::trap(&mut b);
    let labels = [b.label(), b.label(), b.label()];
    b.bind::<M>(labels[1]);
    M::trap(&mut b);
    M::jump_table(&mut b, X0, &labels);
    b.bind::<M>(labels[0]);
    // Farther than the 1 MiB that this processor's short branches reach.
    for _ in 0..1 << 19 {
        M::trap(&mut b);
    }
    b.bind::<M>(labels[2]);
    let code = b.code();
    let jump = "adr x16, $+0x10; ldrsw x0, [x16, x0, lsl #2]; add x0, x0, x16; br x0";
    assert_eq!(listing(&code[8..24]), jump);
    let entry = |i: usize| i32::from_le_bytes(code[24 + 4 * i..][..4].try_into().unwrap());
    assert_eq!([entry(0), entry(1), entry(2)], [12, -20, 12 + (4 << 19)]);
}

#[test]
fn calls() {
    check(&[
        (|b| M::trap(b), "udf #0x0"),
        (|b| M::jump_to(b, X1), "br x1"),
        (|b| assert_eq!(M::call_relative(b), 0), "bl $+0x0"),
        (|b| assert_eq!(M::jump_relative(b), 0), "b $+0x0"),
        (
            |b| M::call_memory(b, Address::new(X16, 400)),
            "ldr x17, [x16, #0x190]; blr x17",
        ),
        (|b| M::after_call(b, 32), "sub sp, sp, #0x20"),
        (
            |b| M::after_call(b, 16000),
            "sub sp, sp, #0x3, lsl #12; sub sp, sp, #0xe80",
        ),
        (|b| M::after_call(b, 0), ""),
    ]);
}

#[test]
fn frames() {
    check(&[
        (
            |b| {
                let at = M::enter_frame(b);
                M::set_frame_size(b, at, 0x12340);
            },
            "stp x29, x30, [sp, #-0x10]!; mov x29, sp; sub sp, sp, #0x340; sub sp, sp, #0x12, lsl #12",
        ),
        (|b| M::shrink_to_frame(b), "mov sp, x29"),
        (
            |b| M::leave_frame(b),
            "mov sp, x29; ldp x29, x30, [sp], #0x10",
        ),
        (|b| M::return_(b, 0), "ret"),
        (|b| M::return_(b, 32), "add sp, sp, #0x20; ret"),
        (
            |b| M::replace_frame(b, 0, 0),
            "mov sp, x29; ldp x29, x30, [sp], #0x10",
        ),
        (
            |b| M::replace_frame(b, 32, 0),
            "mov sp, x29; ldp x29, x30, [sp], #0x10; add sp, sp, #0x20",
        ),
        (
            |b| M::replace_frame(b, 0, 16),
            "ldp x10, x30, [x29]; add x16, x29, #0x0; ldr x9, [sp, #0x8]; str x9, [x16, #0x8]; ldr x9, [sp]; str x9, [x16]; mov sp, x16; mov x29, x10",
        ),
        (
            |b| M::replace_frame(b, 64, 16),
            "ldp x10, x30, [x29]; add x16, x29, #0x40; ldr x9, [sp, #0x8]; str x9, [x16, #0x8]; ldr x9, [sp]; str x9, [x16]; mov sp, x16; mov x29, x10",
        ),
        (
            |b| {
                M::clear_frame(b, -24, 3);
            },
            "sub x17, x29, #0x18; stp xzr, xzr, [x17]; str xzr, [x17, #0x10]",
        ),
        (
            |b| {
                M::clear_frame(b, -400, 33);
            },
            "sub x17, x29, #0x190; mov w16, #0x10; stp xzr, xzr, [x17], #0x10; subs x16, x16, #0x1; b.ne $-0x8; str xzr, [x17]",
        ),
    ]);
}
