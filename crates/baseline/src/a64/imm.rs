//! Immediates: which values fit into which instruction, and how others get into a register.
//!
//! The one idea: a value of 64 bits is four halfwords, and those that are all zeros (or all ones) need no instruction.

use super::encode::*;
use crate::buffer::Buffer;
use crate::machine::{Gpr, Size};

/// An immediate as it is in a register.
pub(super) fn extended(size: Size, value: i64) -> u64 {
    match size {
        Size::S32 => u64::from(value as u32),
        _ => value as u64,
    }
}

/// Twelve bits, and whether they are shifted left by twelve.
pub(super) fn twelve(value: u64) -> Option<(u32, bool)> {
    match value {
        0..0x1000 => Some((value as u32, false)),
        0..0x100_0000 if value & 0xfff == 0 => Some(((value >> 12) as u32, true)),
        _ => None,
    }
}

/// The encoding of what logical instructions take: a run of ones in an element of two to 64 bits, rotated, which is repeated.
pub(super) fn logical_imm(size: Size, value: u64) -> Option<u32> {
    let value = match size {
        Size::S32 => value & 0xffff_ffff | value << 32,
        _ => value,
    };
    if value == 0 || value == u64::MAX {
        return None;
    }
    let mut width = 64;
    while width > 2 {
        let half = width / 2;
        let low = value & ((1 << half) - 1);
        if value >> half & ((1 << half) - 1) != low {
            break;
        }
        width = half;
    }
    let mask = u64::MAX >> (64 - width);
    let element = value & mask;
    let ones = element.count_ones();
    // Where the run begins: it may go around the end, and then the zeros are a run that does not.
    let start = if element & 1 == 0 {
        element.trailing_zeros()
    } else {
        let zeros = !element & mask;
        (zeros.trailing_zeros() + width - ones) % width
    };
    let run = u64::MAX >> (64 - ones);
    let rotated = (run << start | run.checked_shr(width - start).unwrap_or(0)) & mask;
    if rotated != element {
        return None;
    }
    let rotation = (width - start) % width;
    let length = (!(width - 1) << 1 & 0x3f) | (ones - 1);
    Some(u32::from(width == 64) << 12 | rotation << 6 | length)
}

/// The eight bits of a float that `fmov` takes: sign, three bits of exponent, four of mantissa.
pub(super) fn float_imm(size: Size, bits: u64) -> Option<u32> {
    let (sign, exponent, fraction, fraction_bits, middle) = match size {
        Size::S32 => (
            bits >> 31 & 1,
            bits >> 23 & 0xff,
            bits & 0x7f_ffff,
            23,
            0x80,
        ),
        _ => {
            let fraction = bits & ((1 << 52) - 1);
            (bits >> 63, bits >> 52 & 0x7ff, fraction, 52, 0x400)
        }
    };
    // Exponents from -3 to 4.
    let exponent = exponent.wrapping_sub(middle - 4);
    if exponent >= 8 || fraction & ((1 << (fraction_bits - 4)) - 1) != 0 {
        return None;
    }
    // The topmost bit of the exponent is encoded inverted.
    let imm = sign << 7 | (exponent ^ 4) << 4 | fraction >> (fraction_bits - 4);
    Some(imm as u32)
}

/// How many instructions [`load`] takes for this.
pub(super) fn cost(value: u64) -> u32 {
    let used = |filler: u64| -> u32 {
        let halfwords = (0..4).map(|i| value >> (16 * i) & 0xffff);
        halfwords.filter(|h| *h != filler).count() as u32
    };
    if logical_imm(Size::S64, value).is_some() {
        return 1;
    }
    if value >> 32 == 0 {
        return used(0).clamp(1, 2);
    }
    used(0).min(used(0xffff)).max(1)
}

/// Puts a value into a register. Changes no flags.
pub(super) fn load(b: &mut Buffer, dst: Gpr, value: u64) {
    if value < 0x1_0000 {
        return wide_imm(b, ops::MOVZ, Size::S32, dst.0, value as u16, 0);
    }
    let size = if value >> 32 == 0 {
        Size::S32
    } else {
        Size::S64
    };
    let halfwords = size.bits() / 16;
    let halfword = |i: u32| (value >> (16 * i)) as u16;
    let count = |filler: u16| (0..halfwords).filter(|i| halfword(*i) != filler).count();
    let (zeros, ones) = (count(0), count(0xffff));
    if zeros.min(ones) > 1
        && let Some(imm) = logical_imm(size, value)
    {
        return logical(b, ops::ORR_IMM, size, dst.0, ZR, imm);
    }
    let (first, filler) = if ones < zeros {
        (ops::MOVN, 0xffff)
    } else {
        (ops::MOVZ, 0)
    };
    let mut op = first;
    for i in 0..halfwords {
        let bits = halfword(i);
        // All ones are written by what writes the last halfword, if nothing else was.
        if bits == filler && (op != first || i + 1 < halfwords) {
            continue;
        }
        let bits = if op == ops::MOVN { !bits } else { bits };
        wide_imm(b, op, size, dst.0, bits, i);
        op = ops::MOVK;
    }
}
