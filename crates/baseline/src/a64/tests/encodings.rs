//! Every row of the tables of encodings, in every format, over all registers: the fields are where they should be.

use super::super::encode::*;
use super::*;
use Size::{S32, S64};

/// Not 31, which some instructions write as another instruction.
const REGS: std::ops::Range<u8> = 0..31;

fn name(size: Size, reg: u8) -> String {
    let letter = if size == S64 { 'x' } else { 'w' };
    format!("{letter}{reg}")
}

fn float_name(size: Size, reg: u8) -> String {
    let letter = if size == S64 { 'd' } else { 's' };
    format!("{letter}{reg}")
}

/// Three registers that differ, for each register in each place.
fn triples() -> impl Iterator<Item = [u8; 3]> {
    REGS.map(|r| [r, (r + 7) % 31, (r + 19) % 31])
}

#[test]
fn two_sources() {
    let rows = [
        (ops::ADD, "add"),
        (ops::ADDS, "adds"),
        (ops::SUB, "sub"),
        (ops::SUBS, "subs"),
        (ops::AND, "and"),
        (ops::ORR, "orr"),
        (ops::ORN, "orn"),
        (ops::EOR, "eor"),
        (ops::ANDS, "ands"),
        (ops::ADCS, "adcs"),
        (ops::SBCS, "sbcs"),
        (ops::UDIV, "udiv"),
        (ops::SDIV, "sdiv"),
        (ops::LSLV, "lsl"),
        (ops::LSRV, "lsr"),
        (ops::ASRV, "asr"),
        (ops::RORV, "ror"),
        (ops::MUL, "mul"),
    ];
    for (op, mnemonic) in rows {
        for size in [S32, S64] {
            for [d, n, m] in triples() {
                let names = [d, n, m].map(|r| name(size, r)).join(", ");
                let actual = text(|b| rrr(b, op, size, d, n, m));
                assert_eq!(actual, format!("{mnemonic} {names}"));
            }
        }
    }
    for (op, mnemonic) in [(ops::SMULH, "smulh"), (ops::UMULH, "umulh")] {
        for [d, n, m] in triples() {
            let actual = text(|b| rrr(b, op, S64, d, n, m));
            assert_eq!(actual, format!("{mnemonic} x{d}, x{n}, x{m}"));
        }
    }
    for [d, n, m] in triples() {
        let shifted = text(|b| rrr_lsl(b, ops::ADD, S64, [d, n, m], 5));
        assert_eq!(shifted, format!("add x{d}, x{n}, x{m}, lsl #5"));
        let sub = text(|b| msub(b, S32, d, n, m, 30 - d));
        assert_eq!(sub, format!("msub w{d}, w{n}, w{m}, w{}", 30 - d));
        let rotated = text(|b| extr(b, S64, d, n, m, 37));
        assert_eq!(rotated, format!("extr x{d}, x{n}, x{m}, #0x25"));
        let selected = text(|b| conditional(b, ops::CSEL, S64, 12, [d, n, m]));
        assert_eq!(selected, format!("csel x{d}, x{n}, x{m}, gt"));
        let next = text(|b| conditional(b, ops::CSINC, S32, 3, [d, n, m]));
        assert_eq!(next, format!("csinc w{d}, w{n}, w{m}, lo"));
        let low = text(|b| rrr(b, ops::SUBS_SXTW, S64, ZR, n, m));
        assert_eq!(low, format!("cmp x{n}, w{m}, sxtw"));
    }
}

#[test]
fn one_source() {
    for (d, n) in REGS.map(|r| (r, 30 - r)) {
        assert_eq!(
            text(|b| rr(b, ops::CLZ, S32, d, n)),
            format!("clz w{d}, w{n}")
        );
        assert_eq!(
            text(|b| rr(b, ops::RBIT, S64, d, n)),
            format!("rbit x{d}, x{n}")
        );
        let rows = [
            (ops::ADD_IMM, "add"),
            (ops::ADDS_IMM, "adds"),
            (ops::SUB_IMM, "sub"),
            (ops::SUBS_IMM, "subs"),
        ];
        for (op, mnemonic) in rows {
            let short = text(|b| imm12(b, op, S32, d, n, 0xabc, false));
            assert_eq!(short, format!("{mnemonic} w{d}, w{n}, #0xabc"));
            let long = text(|b| imm12(b, op, S64, d, n, 0xabc, true));
            assert_eq!(long, format!("{mnemonic} x{d}, x{n}, #0xabc, lsl #12"));
        }
        let rows = [
            (ops::AND_IMM, "and"),
            (ops::ORR_IMM, "orr"),
            (ops::EOR_IMM, "eor"),
            (ops::ANDS_IMM, "ands"),
        ];
        let bits = imm::logical_imm(S64, 0xff00).unwrap_or_default();
        for (op, mnemonic) in rows {
            let actual = text(|b| logical(b, op, S64, d, n, bits));
            assert_eq!(actual, format!("{mnemonic} x{d}, x{n}, #0xff00"));
        }
        let signed = text(|b| bitfield(b, ops::SBFM, S64, d, n, 0, 7));
        assert_eq!(signed, format!("sxtb x{d}, w{n}"));
        let shifted = text(|b| bitfield(b, ops::UBFM, S32, d, n, 9, 31));
        assert_eq!(shifted, format!("lsr w{d}, w{n}, #0x9"));
        let compared = text(|b| ccmn(b, S64, n, 1, 6));
        assert_eq!(compared, format!("ccmn x{n}, #0x1, #0x0, vs"));
        let moved = text(|b| wide_imm(b, ops::MOVK, S64, d, 0x1234, 3));
        assert_eq!(moved, format!("movk x{d}, #0x1234, lsl #48"));
    }
}

#[test]
fn accesses_in_every_mode() {
    let int = |size| move |r| name(size, r);
    let float = |size| move |r| float_name(size, r);
    type Row = (
        Access,
        &'static str,
        &'static str,
        Box<dyn Fn(u8) -> String>,
    );
    let rows: [Row; 17] = [
        (accesses::STRB, "strb", "sturb", Box::new(int(S32))),
        (accesses::STRH, "strh", "sturh", Box::new(int(S32))),
        (accesses::STR_W, "str", "stur", Box::new(int(S32))),
        (accesses::STR_X, "str", "stur", Box::new(int(S64))),
        (accesses::LDRB, "ldrb", "ldurb", Box::new(int(S32))),
        (accesses::LDRH, "ldrh", "ldurh", Box::new(int(S32))),
        (accesses::LDR_W, "ldr", "ldur", Box::new(int(S32))),
        (accesses::LDR_X, "ldr", "ldur", Box::new(int(S64))),
        (accesses::LDRSB_X, "ldrsb", "ldursb", Box::new(int(S64))),
        (accesses::LDRSB_W, "ldrsb", "ldursb", Box::new(int(S32))),
        (accesses::LDRSH_X, "ldrsh", "ldursh", Box::new(int(S64))),
        (accesses::LDRSH_W, "ldrsh", "ldursh", Box::new(int(S32))),
        (accesses::LDRSW, "ldrsw", "ldursw", Box::new(int(S64))),
        (accesses::STR_S, "str", "stur", Box::new(float(S32))),
        (accesses::STR_D, "str", "stur", Box::new(float(S64))),
        (accesses::LDR_S, "ldr", "ldur", Box::new(float(S32))),
        (accesses::LDR_D, "ldr", "ldur", Box::new(float(S64))),
    ];
    for (op, scaled, unscaled, name) in rows {
        for [t, base, index] in triples() {
            let t_name = name(t);
            let offset = 5 << op.log2;
            let near = text(|b| access(b, op, t, Mode::Scaled { base, offset }));
            assert_eq!(near, format!("{scaled} {t_name}, [x{base}, #{offset:#x}]"));
            let offset = -255;
            let below = text(|b| access(b, op, t, Mode::Unscaled { base, offset }));
            assert_eq!(below, format!("{unscaled} {t_name}, [x{base}, #-0xff]"));
            let sum = text(|b| access(b, op, t, Mode::Sum { base, index }));
            assert_eq!(sum, format!("{scaled} {t_name}, [x{base}, x{index}]"));
            if op.log2 > 0 {
                let element = text(|b| access(b, op, t, Mode::Index { base, index }));
                let log2 = op.log2;
                let expected = format!("{scaled} {t_name}, [x{base}, x{index}, lsl #{log2}]");
                assert_eq!(element, expected);
            }
        }
    }
    for [t, t2, base] in triples() {
        let stored = text(|b| pair(b, ops::STP, t, t2, base, -512));
        assert_eq!(stored, format!("stp x{t}, x{t2}, [x{base}, #-0x200]"));
        let loaded = text(|b| pair(b, ops::LDP, t, t2, base, 504));
        assert_eq!(loaded, format!("ldp x{t}, x{t2}, [x{base}, #0x1f8]"));
    }
}

#[test]
fn floats_in_every_register() {
    let binary = [
        (ops::FADD, "fadd"),
        (ops::FSUB, "fsub"),
        (ops::FMUL, "fmul"),
        (ops::FDIV, "fdiv"),
        (ops::FMAX, "fmax"),
        (ops::FMIN, "fmin"),
    ];
    let unary = [
        (ops::FABS, "fabs"),
        (ops::FNEG, "fneg"),
        (ops::FSQRT, "fsqrt"),
        (ops::FRINTN, "frintn"),
        (ops::FRINTP, "frintp"),
        (ops::FRINTM, "frintm"),
        (ops::FRINTZ, "frintz"),
    ];
    for size in [S32, S64] {
        for regs in triples() {
            let [d, n, m] = regs;
            let [fd, fn_, fm] = regs.map(|r| float_name(size, r));
            for (op, mnemonic) in binary {
                let actual = text(|b| float(b, op, size, d, n, m));
                assert_eq!(actual, format!("{mnemonic} {fd}, {fn_}, {fm}"));
            }
            for (op, mnemonic) in unary {
                let actual = text(|b| float(b, op, size, d, n, 0));
                assert_eq!(actual, format!("{mnemonic} {fd}, {fn_}"));
            }
            let compared = text(|b| float(b, ops::FCMP, size, 0, n, m));
            assert_eq!(compared, format!("fcmp {fn_}, {fm}"));
            let selected = text(|b| float(b, ops::FCSEL | 4 << 12, size, d, n, m));
            assert_eq!(selected, format!("fcsel {fd}, {fn_}, {fm}, mi"));
        }
    }
}

#[test]
fn conversions_between_all_widths() {
    let to_int = [(ops::FCVTZS, "fcvtzs"), (ops::FCVTZU, "fcvtzu")];
    let of_int = [(ops::SCVTF, "scvtf"), (ops::UCVTF, "ucvtf")];
    for int in [S32, S64] {
        for size in [S32, S64] {
            for (d, n) in REGS.map(|r| (r, 30 - r)) {
                for (op, mnemonic) in to_int {
                    let actual = text(|b| convert(b, op, int, size, d, n));
                    let (d, n) = (name(int, d), float_name(size, n));
                    assert_eq!(actual, format!("{mnemonic} {d}, {n}"));
                }
                for (op, mnemonic) in of_int {
                    let actual = text(|b| convert(b, op, int, size, d, n));
                    let (d, n) = (float_name(size, d), name(int, n));
                    assert_eq!(actual, format!("{mnemonic} {d}, {n}"));
                }
            }
        }
        for (d, n) in REGS.map(|r| (r, 30 - r)) {
            let bits = text(|b| convert(b, ops::FMOV_TO_INT, int, int, d, n));
            assert_eq!(
                bits,
                format!("fmov {}, {}", name(int, d), float_name(int, n))
            );
            let of = text(|b| convert(b, ops::FMOV_OF_INT, int, int, d, n));
            assert_eq!(of, format!("fmov {}, {}", float_name(int, d), name(int, n)));
        }
    }
    for [d, n, m] in triples() {
        let blended = text(|b| vector(b, ops::BSL_8B, d, n, m));
        assert_eq!(blended, format!("bsl v{d}.8b, v{n}.8b, v{m}.8b"));
        let moved = text(|b| vector(b, ops::ORR_16B, d, n, n));
        assert_eq!(moved, format!("mov v{d}.16b, v{n}.16b"));
        let counted = text(|b| vector(b, ops::CNT_8B, d, n, 0));
        assert_eq!(counted, format!("cnt v{d}.8b, v{n}.8b"));
        let summed = text(|b| vector(b, ops::ADDV_8B, d, n, 0));
        assert_eq!(summed, format!("addv b{d}, v{n}.8b"));
        let cleared = text(|b| vector(b, ops::MOVI_ZERO, d, 0, 0));
        assert_eq!(cleared, format!("movi d{d}, #0x0"));
    }
}
