//! Values on the command line: arguments for `--invoke` from text, and results to text.
//! References have no text that one could type, so they only come out.

use crate::output;
use meantime::{Result, V128, Val, ValType};
use std::ffi::OsStr;
use std::fmt;

/// Parses an argument of the given type: integers in decimal or `0x` hexadecimal, signed or as bits; floating point in decimal.
pub fn parse(ty: &ValType, text: &OsStr) -> Result<Val, String> {
    let wrong = || format!("`{}` is not an {ty}", text.display());
    let text = text.to_str().ok_or_else(wrong)?;
    match ty {
        ValType::I32 => integer(text, 32).map(|bits| Val::I32(bits as i32)),
        ValType::I64 => integer(text, 64).map(|bits| Val::I64(bits as i64)),
        ValType::V128 => integer(text, 128).map(|bits| Val::V128(V128::from(bits))),
        ValType::F32 => text
            .parse()
            .ok()
            .map(|value: f32| Val::F32(value.to_bits())),
        ValType::F64 => text
            .parse()
            .ok()
            .map(|value: f64| Val::F64(value.to_bits())),
        ValType::Ref(_) => {
            return Err(format!(
                "a value of type {ty} cannot be given on the command line"
            ));
        }
    }
    .ok_or_else(wrong)
}

/// Parses an integer of so many bits, which may be negative or use the highest bit.
fn integer(text: &str, bits: u32) -> Option<u128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    // `from_str_radix` would take another sign.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = u128::from_str_radix(digits, radix).ok()?;
    let most = if negative {
        1 << (bits - 1)
    } else {
        u128::MAX >> (128 - bits)
    };
    (magnitude <= most).then(|| {
        if negative {
            magnitude.wrapping_neg()
        } else {
            magnitude
        }
    })
}

/// Something of a type to be overwritten by a result.
pub fn placeholder(ty: &ValType) -> Val {
    Val::default_for_ty(ty).unwrap_or(Val::I32(0))
}

/// Prints results to stdout, one to a line.
pub fn print(results: &[Val]) -> Result<()> {
    output::print(|out| {
        results
            .iter()
            .try_for_each(|result| writeln!(out, "{}", Shown(result)))
    })
}

/// A result as it is shown.
pub struct Shown<'a>(pub &'a Val);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = |f: &mut fmt::Formatter<'_>, is_null: bool, name: &str| {
            write!(f, "<{}{name}>", if is_null { "null " } else { "" })
        };
        match self.0 {
            Val::I32(value) => write!(f, "{value}"),
            Val::I64(value) => write!(f, "{value}"),
            Val::F32(bits) => write!(f, "{}", f32::from_bits(*bits)),
            Val::F64(bits) => write!(f, "{}", f64::from_bits(*bits)),
            Val::V128(value) => write!(f, "{}", value.as_u128()),
            Val::FuncRef(value) => reference(f, value.is_none(), "funcref"),
            Val::ExternRef(value) => reference(f, value.is_none(), "externref"),
            Val::AnyRef(value) => reference(f, value.is_none(), "anyref"),
            Val::ExnRef(value) => reference(f, value.is_none(), "exnref"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ty: ValType, text: &str) -> Result<String, String> {
        parse(&ty, OsStr::new(text)).map(|value| Shown(&value).to_string())
    }

    fn is(ty: ValType, text: &str, expected: &str) {
        assert_eq!(shown(ty, text), Ok(expected.to_string()), "{text}");
    }

    #[test]
    fn integers() {
        is(ValType::I32, "7", "7");
        is(ValType::I32, "+7", "7");
        is(ValType::I32, "-2147483648", "-2147483648");
        is(ValType::I32, "0xffffffff", "-1");
        is(ValType::I32, "-0x1", "-1");
        is(ValType::I32, "4294967295", "-1");
        is(ValType::I64, "-9223372036854775808", "-9223372036854775808");
        is(ValType::I64, "0Xff", "255");
        is(
            ValType::V128,
            "0xffffffffffffffffffffffffffffffff",
            "340282366920938463463374607431768211455",
        );
        for text in [
            "",
            "-",
            "0x",
            "--1",
            "-+1",
            "1.0",
            "4294967296",
            "-2147483649",
            "0x100000000",
            "abc",
            "1_000",
        ] {
            assert!(
                shown(ValType::I32, text)
                    .unwrap_err()
                    .contains("is not an i32"),
                "{text}"
            );
        }
    }

    #[test]
    fn floating_point() {
        is(ValType::F32, "1.5", "1.5");
        is(ValType::F32, "-0", "-0");
        is(ValType::F64, "1e3", "1000");
        is(ValType::F64, "inf", "inf");
        is(ValType::F64, "nan", "NaN");
        assert!(shown(ValType::F64, "one").is_err());
    }

    #[test]
    fn references_cannot_be_given() {
        let why = shown(ValType::EXTERNREF, "null").unwrap_err();
        assert!(
            why.contains("extern") && why.contains("cannot be given"),
            "{why}"
        );
    }
}
