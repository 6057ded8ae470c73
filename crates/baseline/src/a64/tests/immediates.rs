//! Immediates: what is encoded is what the processor makes of it.

use super::super::imm::*;
use super::*;

/// The manual's definition of what a logical immediate means.
fn decode_logical(encoded: u32) -> u64 {
    let (n, immr, imms) = (encoded >> 12 & 1, encoded >> 6 & 63, encoded & 63);
    let width = 1 << (31 - (n << 6 | !imms & 63).leading_zeros());
    let (ones, rotation) = ((imms & (width - 1)) + 1, immr & (width - 1));
    assert!(ones < width, "all ones are reserved");
    let mut element = u64::MAX >> (64 - ones);
    if rotation != 0 {
        element = element >> rotation | element << (width - rotation);
    }
    element &= u64::MAX >> (64 - width);
    (0..64 / width).fold(0, |all, i| all | element << (i * width))
}

#[test]
fn logical_immediates_are_all_found() {
    let mut found = 0;
    for width in [2, 4, 8, 16, 32, 64u32] {
        for ones in 1..width {
            for rotation in 0..width {
                let element = u64::MAX >> (64 - ones);
                let rotated =
                    element << rotation | element.checked_shr(width - rotation).unwrap_or(0);
                let mask = u64::MAX >> (64 - width);
                let value = (0..64 / width).fold(0, |v, i| v | (rotated & mask) << (i * width));
                let encoded = logical_imm(Size::S64, value).expect("is one");
                assert_eq!(decode_logical(encoded), value);
                if width < 64 {
                    let short = logical_imm(Size::S32, value & 0xffff_ffff);
                    assert_eq!(short, Some(encoded));
                }
                found += 1;
            }
        }
    }
    assert_eq!(found, 5334, "as many as the manual has");
    for none in [0, u64::MAX, 5, 0x1234, 0b1011, 0xff00_ff01] {
        assert_eq!(logical_imm(Size::S64, none), None);
    }
    assert_eq!(logical_imm(Size::S32, 0xffff_ffff), None);
}

#[test]
fn float_immediates_are_all_found() {
    for imm in 0..256u32 {
        let sign = if imm & 128 == 0 { 1.0 } else { -1.0 };
        let exponent = ((imm >> 4 & 7) ^ 4) as i32 - 3;
        let value = sign * (1.0 + f64::from(imm & 15) / 16.0) * f64::from(exponent).exp2();
        assert_eq!(float_imm(Size::S64, value.to_bits()), Some(imm));
        assert_eq!(
            float_imm(Size::S32, (value as f32).to_bits().into()),
            Some(imm)
        );
    }
    for none in [0.0, 0.1, 32.0, 0.0625, f64::INFINITY, f64::NAN, 1.03125] {
        assert_eq!(float_imm(Size::S64, none.to_bits()), None);
        assert_eq!(float_imm(Size::S32, (none as f32).to_bits().into()), None);
    }
}

/// What a sequence of moves of immediates leaves in a register.
fn run(code: &[u8]) -> u64 {
    let mut value = 0;
    for word in code.chunks(4) {
        let word = u32::from_le_bytes(word.try_into().unwrap());
        let wide = word >> 31 == 1;
        let (imm, shift) = (u64::from(word >> 5 & 0xffff), (word >> 21 & 3) * 16);
        value = match word & 0x7f80_0000 {
            ops::MOVZ => imm << shift,
            ops::MOVN => !(imm << shift),
            ops::MOVK => value & !(0xffff << shift) | imm << shift,
            ops::ORR_IMM => decode_logical(word >> 10 & 0x1fff),
            other => panic!("{other:#x}"),
        };
        if !wide {
            value &= 0xffff_ffff;
        }
    }
    value
}

#[test]
fn registers_get_what_they_should() {
    let halves = [0, 1, 0xffff, 0x1234, 0xfff0, 0x5555];
    for a in halves {
        for b in halves {
            for c in halves {
                for d in halves {
                    let value: u64 = a | b << 16 | c << 32 | d << 48;
                    let mut buffer = Buffer::default();
                    load(&mut buffer, X0, value);
                    let code = buffer.code();
                    assert_eq!(run(code), value, "{value:#x}: {}", listing(code));
                    assert!(code.len() as u32 / 4 <= cost(value), "{value:#x}");
                }
            }
        }
    }
    let mut buffer = Buffer::default();
    load(&mut buffer, X0, u64::MAX);
    assert_eq!(buffer.code().len(), 4);
}
