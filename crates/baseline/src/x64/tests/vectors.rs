//! Vectors: what is one instruction, by its text; what is several, by which registers they write.

use super::*;
use crate::vector::{Lanes, VectorMachine, VectorOp};
use iced_x86::{OpKind, Register};

fn f(n: u8) -> Fpr {
    Fpr(n)
}

/// An operation of xmm9, xmm1 and xmm12 to a register, with xmm3 for the machine.
fn operation(op: VectorOp, dst: u8) -> Vec<String> {
    written(|b| X64::vector_op(b, op, f(dst), [f(9), f(1), f(12)], f(3)))
}

/// The operators that are one instruction, by their numbers.
const SINGLE: &[(u32, &str)] = &[
    (0x13, "pshufd xmm9, xmm9, 0x0"),
    (0x14, "movddup xmm9, xmm9"),
    (0x23, "pcmpeqb xmm9, xmm1"),
    (0x27, "pcmpgtb xmm9, xmm1"),
    (0x2d, "pcmpeqw xmm9, xmm1"),
    (0x31, "pcmpgtw xmm9, xmm1"),
    (0x37, "pcmpeqd xmm9, xmm1"),
    (0x3b, "pcmpgtd xmm9, xmm1"),
    (0x41, "cmpeqps xmm9, xmm1"),
    (0x42, "cmpneqps xmm9, xmm1"),
    (0x43, "cmpltps xmm9, xmm1"),
    (0x45, "cmpleps xmm9, xmm1"),
    (0x47, "cmpeqpd xmm9, xmm1"),
    (0x48, "cmpneqpd xmm9, xmm1"),
    (0x49, "cmpltpd xmm9, xmm1"),
    (0x4b, "cmplepd xmm9, xmm1"),
    (0x4e, "pand xmm9, xmm1"),
    (0x50, "por xmm9, xmm1"),
    (0x51, "pxor xmm9, xmm1"),
    (0x5e, "cvtpd2ps xmm9, xmm9"),
    (0x5f, "cvtps2pd xmm9, xmm9"),
    (0x60, "pabsb xmm9, xmm9"),
    (0x65, "packsswb xmm9, xmm1"),
    (0x66, "packuswb xmm9, xmm1"),
    (0x67, "roundps xmm9, xmm9, 0xa"),
    (0x68, "roundps xmm9, xmm9, 0x9"),
    (0x69, "roundps xmm9, xmm9, 0xb"),
    (0x6a, "roundps xmm9, xmm9, 0x8"),
    (0x6e, "paddb xmm9, xmm1"),
    (0x6f, "paddsb xmm9, xmm1"),
    (0x70, "paddusb xmm9, xmm1"),
    (0x71, "psubb xmm9, xmm1"),
    (0x72, "psubsb xmm9, xmm1"),
    (0x73, "psubusb xmm9, xmm1"),
    (0x74, "roundpd xmm9, xmm9, 0xa"),
    (0x75, "roundpd xmm9, xmm9, 0x9"),
    (0x76, "pminsb xmm9, xmm1"),
    (0x77, "pminub xmm9, xmm1"),
    (0x78, "pmaxsb xmm9, xmm1"),
    (0x79, "pmaxub xmm9, xmm1"),
    (0x7a, "roundpd xmm9, xmm9, 0xb"),
    (0x7b, "pavgb xmm9, xmm1"),
    (0x80, "pabsw xmm9, xmm9"),
    (0x85, "packssdw xmm9, xmm1"),
    (0x86, "packusdw xmm9, xmm1"),
    (0x87, "pmovsxbw xmm9, xmm9"),
    (0x89, "pmovzxbw xmm9, xmm9"),
    (0x8e, "paddw xmm9, xmm1"),
    (0x8f, "paddsw xmm9, xmm1"),
    (0x90, "paddusw xmm9, xmm1"),
    (0x91, "psubw xmm9, xmm1"),
    (0x92, "psubsw xmm9, xmm1"),
    (0x93, "psubusw xmm9, xmm1"),
    (0x94, "roundpd xmm9, xmm9, 0x8"),
    (0x95, "pmullw xmm9, xmm1"),
    (0x96, "pminsw xmm9, xmm1"),
    (0x97, "pminuw xmm9, xmm1"),
    (0x98, "pmaxsw xmm9, xmm1"),
    (0x99, "pmaxuw xmm9, xmm1"),
    (0x9b, "pavgw xmm9, xmm1"),
    (0xa0, "pabsd xmm9, xmm9"),
    (0xa7, "pmovsxwd xmm9, xmm9"),
    (0xa9, "pmovzxwd xmm9, xmm9"),
    (0xae, "paddd xmm9, xmm1"),
    (0xb1, "psubd xmm9, xmm1"),
    (0xb5, "pmulld xmm9, xmm1"),
    (0xb6, "pminsd xmm9, xmm1"),
    (0xb7, "pminud xmm9, xmm1"),
    (0xb8, "pmaxsd xmm9, xmm1"),
    (0xb9, "pmaxud xmm9, xmm1"),
    (0xba, "pmaddwd xmm9, xmm1"),
    (0xc7, "pmovsxdq xmm9, xmm9"),
    (0xc9, "pmovzxdq xmm9, xmm9"),
    (0xce, "paddq xmm9, xmm1"),
    (0xd1, "psubq xmm9, xmm1"),
    (0xd6, "pcmpeqq xmm9, xmm1"),
    (0xd9, "pcmpgtq xmm9, xmm1"),
    (0xe3, "sqrtps xmm9, xmm9"),
    (0xe4, "addps xmm9, xmm1"),
    (0xe5, "subps xmm9, xmm1"),
    (0xe6, "mulps xmm9, xmm1"),
    (0xe7, "divps xmm9, xmm1"),
    (0xef, "sqrtpd xmm9, xmm9"),
    (0xf0, "addpd xmm9, xmm1"),
    (0xf1, "subpd xmm9, xmm1"),
    (0xf2, "mulpd xmm9, xmm1"),
    (0xf3, "divpd xmm9, xmm1"),
    (0xfa, "cvtdq2ps xmm9, xmm9"),
    (0xfe, "cvtdq2pd xmm9, xmm9"),
    (0x100, "pshufb xmm9, xmm1"),
    (0x101, "cvttps2dq xmm9, xmm9"),
    (0x103, "cvttpd2dq xmm9, xmm9"),
    (0x111, "pmulhrsw xmm9, xmm1"),
];

#[test]
fn operations() {
    for &(opcode, text) in SINGLE {
        let op = VectorOp::of(opcode).expect("an operation");
        assert_eq!(operation(op, 9), [text], "{opcode:#x}");
        // Elsewhere, the first operand is moved there first, if the instruction changes its operand.
        let text = text.replacen("xmm9", "xmm10", 1);
        let expected = match op.operands() {
            1 => vec![text],
            _ => vec!["movaps xmm10, xmm9".to_owned(), text],
        };
        assert_eq!(operation(op, 10), expected, "{opcode:#x}");
    }
}

#[test]
fn operands_exchanged() {
    let table = [
        (0x25, "pcmpgtb"),
        (0x44, "cmpltps"),
        (0x4f, "pandn"),
        (0xea, "minps"),
        (0xf7, "maxpd"),
        (0x112, "pmaddubsw"),
    ];
    for (opcode, mnemonic) in table {
        let op = VectorOp::of(opcode).expect("an operation");
        let expected = [
            "movaps xmm7, xmm1".to_owned(),
            format!("{mnemonic} xmm7, xmm9"),
            "movaps xmm9, xmm7".to_owned(),
        ];
        assert_eq!(operation(op, 9), expected);
        let expected = [
            "movaps xmm10, xmm1".to_owned(),
            format!("{mnemonic} xmm10, xmm9"),
        ];
        assert_eq!(operation(op, 10), expected);
    }
}

/// Whatever an operation takes, it writes only to the destination and to what is scratch, and reads nothing but its operands before it was written.
#[test]
fn sequences_keep_to_their_registers() {
    let mut count = 0;
    for op in (0..0x120).filter_map(VectorOp::of) {
        for (dst, fma) in [(9, false), (10, false), (9, true), (10, true)] {
            let mut b = Buffer::default();
            b.fma = fma;
            let operands = [f(9), f(1), f(12)];
            X64::vector_op(&mut b, op, f(dst), operands, f(3));
            if let Some(size) = op.arithmetic(X64::EXACT_EXTREMA) {
                X64::canonical_nans(&mut b, size, f(dst), f(3));
            }
            let xmm = |n: u8| Register::XMM0 + u32::from(n);
            let may_write = [xmm(dst), xmm(3), xmm(7)];
            let mut known: Vec<Register> =
                operands[..op.operands()].iter().map(|r| xmm(r.0)).collect();
            for instruction in &mut Decoder::with_ip(64, b.code(), 0, DecoderOptions::NONE) {
                assert!(!instruction.is_invalid());
                assert!(may_write.contains(&instruction.op0_register()), "{op:?}");
                let regs: Vec<Register> = (0..instruction.op_count())
                    .filter(|i| instruction.op_kind(*i) == OpKind::Register)
                    .map(|i| instruction.op_register(i))
                    .collect();
                // Comparing or subtracting a register with itself reads nothing.
                if let [x, y] = regs[..]
                    && x == y
                {
                    known.push(x);
                }
                assert!(regs[1..].iter().all(|r| known.contains(r)), "{op:?}");
                known.push(regs[0]);
            }
            assert!(known.contains(&xmm(dst)), "{op:?}");
            count += 1;
        }
    }
    assert_eq!(count, 4 * 193);
}

#[test]
fn fused() {
    let text = |size, negate, dst| {
        let mut b = Buffer::default();
        b.fma = true;
        let operands = [f(9), f(1), f(12)];
        let op = VectorOp::MultiplyAdd(size, negate);
        X64::vector_op(&mut b, op, f(dst), operands, f(3));
        decode(b.code()).pop().unwrap_or_default()
    };
    assert_eq!(text(Size::S32, false, 9), "vfmadd213ps xmm9, xmm1, xmm12");
    assert_eq!(text(Size::S64, false, 2), "vfmadd213pd xmm2, xmm1, xmm12");
    assert_eq!(text(Size::S32, true, 9), "vfnmadd213ps xmm9, xmm1, xmm12");
    let any = |dst, y, z| one(|b| encode::fused(b, 0xa8, false, dst, y, z));
    for x in 0..16 {
        for y in 0..16 {
            let expected = format!("vfmadd213ps xmm{x}, xmm{y}, xmm{}", 15 - x);
            assert_eq!(any(x, y, 15 - x), expected);
        }
    }
}

#[test]
fn lanes() {
    use Lanes::{I8, I16, I32, I64};
    let extract = |lanes, signed, lane| {
        written(|b| X64::extract_lane(b, lanes, signed, RSI, f(9), lane)).join("; ")
    };
    assert_eq!(
        extract(I8, true, 15),
        "pextrb esi, xmm9, 0xf; movsx esi, sil"
    );
    assert_eq!(extract(I8, false, 0), "pextrb esi, xmm9, 0x0");
    assert_eq!(
        extract(I16, true, 7),
        "pextrw esi, xmm9, 0x7; movsx esi, si"
    );
    assert_eq!(extract(I32, false, 0), "movd esi, xmm9");
    assert_eq!(extract(I32, false, 3), "pextrd esi, xmm9, 0x3");
    assert_eq!(extract(I64, false, 0), "movq rsi, xmm9");
    assert_eq!(extract(I64, false, 1), "pextrq rsi, xmm9, 0x1");
    let replace = |lanes, src| written(|b| X64::replace_lane(b, lanes, f(9), src, 1)).join("; ");
    assert_eq!(replace(I8, Src::Reg(RSI)), "pinsrb xmm9, esi, 0x1");
    assert_eq!(replace(I16, Src::Reg(R8)), "pinsrw xmm9, r8d, 0x1");
    assert_eq!(
        replace(I32, Src::Imm(5)),
        "mov r11d, 0x5; pinsrd xmm9, r11d, 0x1"
    );
    assert_eq!(replace(I64, Src::Reg(RSI)), "pinsrq xmm9, rsi, 0x1");
    let splat = |lanes| written(|b| X64::splat(b, lanes, f(9), Src::Reg(R8))).join("; ");
    assert_eq!(
        splat(I8),
        "movd xmm9, r8d; pxor xmm7, xmm7; pshufb xmm9, xmm7"
    );
    assert_eq!(
        splat(I16),
        "movd xmm9, r8d; pshuflw xmm9, xmm9, 0x0; pshufd xmm9, xmm9, 0x0"
    );
    assert_eq!(splat(I64), "movq xmm9, r8; punpcklqdq xmm9, xmm9");
    let float = |size, lane| {
        let mut lines = written(|b| X64::extract_float(b, size, f(9), f(1), lane));
        lines.extend(written(|b| X64::replace_float(b, size, f(9), f(1), lane)));
        lines.join("; ")
    };
    assert_eq!(
        float(Size::S32, 3),
        "pshufd xmm9, xmm1, 0x3; insertps xmm9, xmm1, 0x30"
    );
    assert_eq!(float(Size::S64, 0), "movaps xmm9, xmm1; movsd xmm9, xmm1");
    assert_eq!(
        float(Size::S64, 1),
        "pshufd xmm9, xmm1, 0xee; unpcklpd xmm9, xmm1"
    );
    let mask = |lanes| written(|b| X64::bitmask(b, lanes, RSI, f(9))).join("; ");
    assert_eq!(mask(I8), "pmovmskb esi, xmm9");
    assert_eq!(
        mask(I16),
        "movaps xmm7, xmm9; packsswb xmm7, xmm7; pmovmskb esi, xmm7; movzx esi, sil"
    );
    assert_eq!(mask(I32), "movmskps esi, xmm9");
    assert_eq!(mask(I64), "movmskpd esi, xmm9");
}

/// The access comes first, as it may fault.
#[test]
fn accesses() {
    use Lanes::{I8, I16, I32, I64};
    let at = Address {
        base: RSI,
        index: Some(RAX),
        disp: 16,
    };
    let extend = |lanes, signed| one(|b| X64::load_extend(b, lanes, signed, f(9), at));
    assert_eq!(extend(I8, true), "pmovsxbw xmm9, [rsi+rax+0x10]");
    assert_eq!(extend(I16, false), "pmovzxwd xmm9, [rsi+rax+0x10]");
    assert_eq!(extend(I32, true), "pmovsxdq xmm9, [rsi+rax+0x10]");
    let splat = |lanes| written(|b| X64::load_splat(b, lanes, f(9), at)).swap_remove(0);
    assert_eq!(splat(I8), "movzx r11d, byte ptr [rsi+rax+0x10]");
    assert_eq!(splat(I16), "movzx r11d, word ptr [rsi+rax+0x10]");
    assert_eq!(splat(I32), "movss xmm9, [rsi+rax+0x10]");
    assert_eq!(splat(I64), "movddup xmm9, [rsi+rax+0x10]");
    let lane = |lanes| {
        let load = one(|b| X64::load_lane(b, lanes, f(9), at, 1));
        let store = one(|b| X64::store_lane(b, lanes, at, f(9), 1));
        format!("{load}; {store}")
    };
    assert_eq!(
        lane(I8),
        "pinsrb xmm9, [rsi+rax+0x10], 0x1; pextrb [rsi+rax+0x10], xmm9, 0x1"
    );
    assert_eq!(
        lane(I16),
        "pinsrw xmm9, [rsi+rax+0x10], 0x1; pextrw [rsi+rax+0x10], xmm9, 0x1"
    );
    assert_eq!(
        lane(I32),
        "pinsrd xmm9, [rsi+rax+0x10], 0x1; pextrd [rsi+rax+0x10], xmm9, 0x1"
    );
    assert_eq!(
        lane(I64),
        "pinsrq xmm9, [rsi+rax+0x10], 0x1; pextrq [rsi+rax+0x10], xmm9, 0x1"
    );
    let whole = written(|b| {
        X64::load_float(b, Size::S128, f(9), at);
        X64::store_float(b, Size::S128, at, f(9));
        X64::move_float(b, Size::S128, f(9), FSrc::Frame(-32));
        X64::store_frame_float(b, Size::S128, -48, FSrc::Frame(-32));
    });
    assert_eq!(
        whole,
        [
            "movups xmm9, [rsi+rax+0x10]",
            "movups [rsi+rax+0x10], xmm9",
            "movups xmm9, [rbp-0x20]",
            "movups xmm7, [rbp-0x20]",
            "movups [rbp-0x30], xmm7"
        ]
    );
}

#[test]
fn shifts() {
    let shift = |op, lanes, count| {
        written(|b| X64::vector_shift(b, op, lanes, f(9), f(9), count, f(3))).join("; ")
    };
    let n = Src::Imm(17);
    assert_eq!(shift(ShiftOp::Shl, Lanes::I16, n), "psllw xmm9, 0x1");
    assert_eq!(shift(ShiftOp::ShrS, Lanes::I32, n), "psrad xmm9, 0x11");
    assert_eq!(shift(ShiftOp::ShrU, Lanes::I64, n), "psrlq xmm9, 0x11");
    let n = Src::Reg(RAX);
    assert_eq!(
        shift(ShiftOp::ShrU, Lanes::I32, n),
        "mov r11d, eax; and r11d, 0x1f; movd xmm7, r11d; psrld xmm9, xmm7"
    );
    assert_eq!(
        shift(ShiftOp::ShrS, Lanes::I8, Src::Imm(9)),
        "mov r11d, 0x1; movd xmm7, r11d; movaps xmm3, xmm9; punpckhbw xmm3, xmm3; punpcklbw xmm9, xmm9; \
         psraw xmm3, 0x8; psraw xmm3, xmm7; psraw xmm9, 0x8; psraw xmm9, xmm7; packsswb xmm9, xmm3"
    );
    assert_eq!(
        shift(ShiftOp::Shl, Lanes::I8, Src::Imm(1)),
        "mov r11d, 0x1; movd xmm7, r11d; pcmpeqd xmm3, xmm3; psrlw xmm3, 0x8; psrlw xmm3, xmm7; \
         packuswb xmm3, xmm3; pand xmm9, xmm3; psllw xmm9, xmm7"
    );
}

#[test]
fn shuffles() {
    let shuffle = |bytes: [u8; 16], y| {
        let mut b = Buffer::default();
        X64::shuffle(&mut b, bytes, f(9), f(9), f(y));
        b.put_constants::<X64>();
        let code = b.code();
        let constants = code.len() / 16;
        let last = code[16 * (constants - 1)..].to_vec();
        (constants, last)
    };
    let low: [u8; 16] = std::array::from_fn(|i| 15 - i as u8);
    let high = low.map(|n| n + 16);
    // One instruction with one constant, which is of one vector's bytes.
    assert_eq!(shuffle(low, 1), (2, low.to_vec()));
    assert_eq!(shuffle(high, 1), (2, low.to_vec()));
    assert_eq!(shuffle(high, 9), (2, low.to_vec()));
    let mut mixed = low;
    mixed[3] = 20;
    let (_, last) = shuffle(mixed, 1);
    assert_eq!(last[..5], [15, 14, 13, 0x80, 11]);
}
