//! Every form of every instruction, decoded again by an independent decoder.
//!
//! The one idea: a test writes instructions of which it knows the text, over all registers and over displacements and immediates of every length, and
//! compares with the text that the decoder makes of the bytes.

mod vectors;

use super::encode::*;
use super::*;
use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

/// What the decoder makes of some code.
fn decode(code: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let mut formatter = IntelFormatter::new();
    formatter
        .options_mut()
        .set_space_after_operand_separator(true);
    formatter.options_mut().set_hex_prefix("0x");
    formatter.options_mut().set_hex_suffix("");
    formatter.options_mut().set_uppercase_hex(false);
    formatter
        .options_mut()
        .set_small_hex_numbers_in_decimal(false);
    formatter.options_mut().set_rip_relative_addresses(true);
    formatter.options_mut().set_show_branch_size(false);
    let mut lines = Vec::new();
    for instruction in &mut decoder {
        assert!(!instruction.is_invalid(), "{code:02x?}");
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        lines.push(line);
    }
    lines
}

/// Writes code and decodes it.
fn written(write: impl FnOnce(&mut Buffer)) -> Vec<String> {
    let mut b = Buffer::default();
    write(&mut b);
    decode(b.code())
}

fn one(write: impl FnOnce(&mut Buffer)) -> String {
    let lines = written(write);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.into_iter().next().unwrap_or_default()
}

const NAMES64: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];
const NAMES32: [&str; 16] = [
    "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d",
    "r13d", "r14d", "r15d",
];
const NAMES8: [&str; 16] = [
    "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b",
    "r13b", "r14b", "r15b",
];

fn name(reg: u8, wide: bool) -> &'static str {
    if wide {
        NAMES64[reg as usize]
    } else {
        NAMES32[reg as usize]
    }
}

fn hex(disp: i32) -> String {
    match disp {
        0 => String::new(),
        d if d < 0 => format!("-{:#x}", -i64::from(d)),
        d => format!("+{d:#x}"),
    }
}

const DISPS: [i32; 9] = [0, 8, -8, 127, -128, 128, -129, i32::MAX, i32::MIN + 1];

#[test]
fn registers_and_registers() {
    let table = [
        (ops::MOV_LOAD, "mov"),
        (ops::ARITH, "add"),
        (ops::ARITH.plus(int::SUB * 8), "sub"),
        (ops::ARITH.plus(int::CMP * 8), "cmp"),
        (ops::IMUL, "imul"),
        (ops::BSF, "bsf"),
        (ops::BSR, "bsr"),
        (ops::POPCNT, "popcnt"),
        (ops::CMOVCC.plus(4), "cmove"),
    ];
    for (op, mnemonic) in table {
        for wide in [false, true] {
            for x in 0..16 {
                for y in 0..16 {
                    let expected = format!("{mnemonic} {}, {}", name(x, wide), name(y, wide));
                    assert_eq!(one(|b| rr(b, op, wide, x, y)), expected);
                }
            }
        }
    }
}

#[test]
fn registers_of_bytes() {
    for x in 0..16 {
        let expected = format!("sete {}", NAMES8[x as usize]);
        assert_eq!(one(|b| rr(b, ops::SETCC.plus(4), false, 0, x)), expected);
        for y in 0..16 {
            let expected = format!("movzx {}, {}", NAMES32[x as usize], NAMES8[y as usize]);
            assert_eq!(one(|b| rr(b, ops::MOVZX8, false, x, y)), expected);
            let expected = format!("and {}, {}", NAMES8[x as usize], NAMES8[y as usize]);
            assert_eq!(one(|b| rr(b, ops::AND8, false, x, y)), expected);
        }
        for disp in DISPS {
            let to = Mem::new(RBX.0, disp);
            let expected = format!("mov [rbx{}], {}", hex(disp), NAMES8[x as usize]);
            assert_eq!(
                one(|b| memory::store(b, Store::I8, to, Src::Reg(Gpr(x)))),
                expected
            );
        }
    }
}

#[test]
fn registers_and_memory() {
    for wide in [false, true] {
        for reg in 0..16 {
            for base in 0..16 {
                for disp in DISPS {
                    let of = Mem::new(base, disp);
                    let place = format!("[{}{}]", NAMES64[base as usize], hex(disp));
                    let expected = format!("mov {}, {place}", name(reg, wide));
                    assert_eq!(one(|b| rm(b, ops::MOV_LOAD, wide, reg, of)), expected);
                    let expected = format!("mov {place}, {}", name(reg, wide));
                    assert_eq!(one(|b| rm(b, ops::MOV_STORE, wide, reg, of)), expected);
                }
            }
        }
    }
}

#[test]
fn scaled_indices() {
    for base in 0..16 {
        for index in (0..16).filter(|i| *i != 4) {
            for scale in 0..4 {
                for disp in [0, 8, 128] {
                    let of = Mem {
                        base,
                        index,
                        scale,
                        disp,
                    };
                    let (base, index) = (NAMES64[base as usize], NAMES64[index as usize]);
                    let times = match scale {
                        0 => String::new(),
                        n => format!("*{}", 1 << n),
                    };
                    let expected = format!("lea rax, [{base}+{index}{times}{}]", hex(disp));
                    assert_eq!(one(|b| rm(b, ops::LEA, true, 0, of)), expected);
                }
            }
        }
    }
}

#[test]
fn loads() {
    let from = Mem::new(RBP.0, -8);
    let table = [
        (Load::S8, "movsx r9d, byte ptr [rbp-0x8]"),
        (Load::S8Wide, "movsx r9, byte ptr [rbp-0x8]"),
        (Load::U8, "movzx r9d, byte ptr [rbp-0x8]"),
        (Load::S16, "movsx r9d, word ptr [rbp-0x8]"),
        (Load::S16Wide, "movsx r9, word ptr [rbp-0x8]"),
        (Load::U16, "movzx r9d, word ptr [rbp-0x8]"),
        (Load::S32, "movsxd r9, [rbp-0x8]"),
        (Load::U32, "mov r9d, [rbp-0x8]"),
        (Load::U64, "mov r9, [rbp-0x8]"),
    ];
    for (load, expected) in table {
        assert_eq!(one(|b| memory::load(b, load, R9, from)), expected);
    }
}

#[test]
fn stores() {
    let to = Mem::new(RSP.0, 16);
    let table = [
        (Store::I8, Src::Reg(RSI), "mov [rsp+0x10], sil"),
        (Store::I16, Src::Reg(R8), "mov [rsp+0x10], r8w"),
        (Store::I32, Src::Reg(RAX), "mov [rsp+0x10], eax"),
        (Store::I64, Src::Reg(R15), "mov [rsp+0x10], r15"),
        (Store::I8, Src::Imm(-1), "mov byte ptr [rsp+0x10], 0xff"),
        (Store::I16, Src::Imm(-2), "mov word ptr [rsp+0x10], 0xfffe"),
        (Store::I32, Src::Imm(7), "mov dword ptr [rsp+0x10], 0x7"),
        (Store::I64, Src::Imm(7), "mov qword ptr [rsp+0x10], 0x7"),
    ];
    for (store, src, expected) in table {
        assert_eq!(one(|b| memory::store(b, store, to, src)), expected);
    }
}

#[test]
fn immediates() {
    let load = |value: u64| one(|b| int::load_imm(b, R10, value));
    assert_eq!(load(0), "mov r10d, 0x0");
    assert_eq!(load(u32::MAX.into()), "mov r10d, 0xffffffff");
    assert_eq!(load(-5i64 as u64), "mov r10, 0xfffffffffffffffb");
    assert_eq!(load(0x1234_5678_9abc), "mov r10, 0x123456789abc");
    for x in 0..16 {
        for (value, text) in [
            (5, "0x5"),
            (127, "0x7f"),
            (128, "0x80"),
            (1 << 30, "0x40000000"),
        ] {
            let expected = format!("sub {}, {text}", NAMES64[x as usize]);
            assert_eq!(
                one(|b| int::arith_imm(b, int::SUB, true, Gpr(x), value)),
                expected
            );
        }
    }
}

#[test]
fn sums_have_three_operands() {
    let sum = |dst, x, y| written(|b| int::op(b, IntOp::Add, Size::S32, dst, x, y));
    assert_eq!(
        sum(RAX, Src::Reg(RCX), Src::Reg(RDX)),
        ["lea eax, [rcx+rdx]"]
    );
    assert_eq!(
        sum(RAX, Src::Reg(R13), Src::Reg(R12)),
        ["lea eax, [r13+r12]"]
    );
    assert_eq!(sum(RAX, Src::Reg(RAX), Src::Reg(RDX)), ["add eax, edx"]);
    assert_eq!(sum(RAX, Src::Reg(RDX), Src::Reg(RAX)), ["add eax, edx"]);
    assert_eq!(sum(RAX, Src::Imm(8), Src::Reg(RDX)), ["lea eax, [rdx+0x8]"]);
    let lines = sum(RAX, Src::Frame(-8), Src::Frame(-16));
    assert_eq!(lines, ["mov eax, [rbp-0x8]", "add eax, [rbp-0x10]"]);
}

#[test]
fn differences_may_overwrite_either_operand() {
    let sub = |dst, x, y| written(|b| int::op(b, IntOp::Sub, Size::S64, dst, x, y));
    assert_eq!(sub(RAX, Src::Reg(RAX), Src::Reg(RCX)), ["sub rax, rcx"]);
    assert_eq!(
        sub(RAX, Src::Reg(RCX), Src::Reg(RAX)),
        ["neg rax", "add rax, rcx"]
    );
    assert_eq!(sub(RAX, Src::Reg(RAX), Src::Reg(RAX)), ["sub rax, rax"]);
    assert_eq!(
        sub(RAX, Src::Imm(0), Src::Reg(RAX)),
        ["neg rax", "add rax, 0x0"]
    );
    assert_eq!(
        sub(RAX, Src::Reg(RCX), Src::Imm(128)),
        ["lea rax, [rcx-0x80]"]
    );
}

#[test]
fn floats() {
    let f = |n| Fpr(n);
    assert_eq!(
        one(|b| float::load(b, Size::S64, f(9), FSrc::Frame(-8))),
        "movsd xmm9, [rbp-0x8]"
    );
    assert_eq!(
        one(|b| float::load(b, Size::S32, f(9), FSrc::Reg(f(1)))),
        "movaps xmm9, xmm1"
    );
    assert_eq!(
        one(|b| float::load(b, Size::S32, f(9), FSrc::Bits(0))),
        "xorps xmm9, xmm9"
    );
    let op = |op, size, dst, x, y| {
        written(|b| float::op(b, op, size, Fpr(dst), FSrc::Reg(Fpr(x)), FSrc::Reg(Fpr(y))))
    };
    assert_eq!(op(FloatOp::Add, Size::S64, 1, 1, 12), ["addsd xmm1, xmm12"]);
    assert_eq!(op(FloatOp::Add, Size::S32, 1, 2, 1), ["addss xmm1, xmm2"]);
    assert_eq!(
        op(FloatOp::Sub, Size::S64, 1, 2, 1),
        ["movaps xmm7, xmm1", "movaps xmm1, xmm2", "subsd xmm1, xmm7"]
    );
    assert_eq!(op(FloatOp::Div, Size::S64, 3, 3, 3), ["divsd xmm3, xmm3"]);
    let round =
        |b: &mut Buffer| float::unary(b, FloatUnary::Floor, Size::S64, f(10), FSrc::Reg(f(3)));
    assert_eq!(one(round), "roundsd xmm10, xmm3, 0x9");
    let bits = |b: &mut Buffer| X64::float_bits(b, Size::S64, R11, f(8));
    assert_eq!(one(bits), "movq r11, xmm8");
    let bits = |b: &mut Buffer| X64::float_of_bits(b, Size::S32, f(8), RAX);
    assert_eq!(one(bits), "movd xmm8, eax");
    let cc = |cc| {
        one(|b| {
            float::compare(b, cc, Size::S64, f(1), f(9));
        })
    };
    assert_eq!(cc(FloatCc::Gt), "ucomisd xmm1, xmm9");
    assert_eq!(cc(FloatCc::Lt), "ucomisd xmm9, xmm1");
}

#[test]
fn constants_are_aligned_and_shared() {
    let mut b = Buffer::default();
    for op in [FloatUnary::Neg, FloatUnary::Neg] {
        float::unary(&mut b, op, Size::S64, Fpr(0), FSrc::Reg(Fpr(0)));
    }
    b.put_constants::<X64>();
    let code = b.code();
    assert_eq!(code.len(), 32, "{code:02x?}");
    let lines = decode(&code[..14]);
    assert_eq!(lines, ["xorps xmm0, [rip+0x9]", "xorps xmm0, [rip+0x2]"]);
    assert_eq!(&code[16..24], &(1u64 << 63).to_le_bytes());
}

#[test]
fn jumps_reach_their_labels() {
    let mut b = Buffer::default();
    let (before, after) = (b.label(), b.label());
    b.bind::<X64>(before);
    X64::jump_if(&mut b, int::EQUAL, after);
    X64::jump(&mut b, before);
    X64::jump_if(&mut b, branch::FLOAT_EQUAL, after);
    b.bind::<X64>(after);
    b.put(0xc3, 1);
    let lines = decode(b.code());
    assert_eq!(
        lines,
        [
            "je 0x0000000000000014",
            "jmp 0x0000000000000000",
            "jp 0x0000000000000014",
            "je 0x0000000000000014",
            "ret"
        ]
        .map(|line| line.to_owned())
    );
}

#[test]
fn far_jumps_backward_are_long() {
    let mut b = Buffer::default();
    let label = b.label();
    b.bind::<X64>(label);
    for _ in 0..200 {
        b.put(0x90, 1);
    }
    X64::jump(&mut b, label);
    assert_eq!(decode(&b.code()[200..205])[0], "jmp 0xffffffffffffff38");
}

#[test]
fn frames() {
    let lines = written(|b| {
        let at = X64::enter_frame(b);
        X64::set_frame_size(b, at, 0x1230);
        X64::leave_frame(b);
        X64::return_(b, 0);
        X64::return_(b, 32);
    });
    assert_eq!(
        lines,
        [
            "push rbp",
            "mov rbp, rsp",
            "sub rsp, 0x1230",
            "leave",
            "ret",
            "ret 0x20"
        ]
    );
}

#[test]
fn cleared_slots() {
    let clear = |slots| {
        written(|b| {
            frame::clear(b, -64, slots);
        })
    };
    assert_eq!(clear(1), ["mov qword ptr [rbp-0x40], 0x0"]);
    assert_eq!(
        clear(3),
        [
            "xorps xmm7, xmm7",
            "movups [rbp-0x40], xmm7",
            "movups [rbp-0x38], xmm7"
        ]
    );
    assert_eq!(
        clear(100),
        [
            "lea rdi, [rbp-0x40]",
            "xor eax, eax",
            "mov ecx, 0x64",
            "rep stosq [rdi]"
        ]
    );
}

#[test]
fn calls() {
    assert_eq!(one(|b| X64::call_to(b, RAX)), "call rax");
    assert_eq!(one(|b| X64::jump_to(b, R10)), "jmp r10");
    let code = Address::new(R11, 0x120);
    assert_eq!(
        one(|b| X64::call_memory(b, code)),
        "call qword ptr [r11+0x120]"
    );
    let budget = Address::new(R11, 24);
    let lines = written(|b| {
        let (_, at) = X64::count_down(b, budget, 1);
        X64::set_amount(b, at, 99);
    });
    assert_eq!(lines, ["sub dword ptr [r11+0x18], 0x63"]);
}

#[test]
fn atomic_instructions() {
    use crate::atomic::{AtomicMachine, AtomicOp};
    let update = |op, size| written(|b| X64::atomic_update(b, op, size, RAX, RSI, R9));
    assert_eq!(
        update(AtomicOp::Add, Store::I32),
        ["lock xadd [rsi], r9d", "mov eax, r9d"]
    );
    assert_eq!(
        update(AtomicOp::Sub, Store::I8),
        ["neg r9", "lock xadd [rsi], r9b", "movzx eax, r9b"]
    );
    assert_eq!(
        update(AtomicOp::Exchange, Store::I16),
        ["xchg [rsi], r9w", "movzx eax, r9w"]
    );
    let lines = update(AtomicOp::And, Store::I64);
    assert_eq!(
        lines[..4],
        [
            "mov rax, [rsi]",
            "mov r11, rax",
            "and r11, r9",
            "lock cmpxchg [rsi], r11"
        ]
    );
    assert!(lines[4].starts_with("jne"), "{lines:?}");
    let exchange = |size| written(|b| X64::compare_exchange(b, size, RAX, R13, RAX, RSI));
    assert_eq!(
        exchange(Store::I8),
        ["lock cmpxchg [r13], sil", "movzx eax, al"]
    );
    assert_eq!(
        exchange(Store::I32),
        ["lock cmpxchg [r13], esi", "mov eax, eax"]
    );
    let line = one(|b| X64::atomic_store(b, Store::I8, R12, RDI));
    assert_eq!(line, "xchg [r12], dil");
    assert_eq!(one(X64::fence), "mfence");
}
