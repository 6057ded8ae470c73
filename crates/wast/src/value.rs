//! Arguments of a script to values of the engine, and results against the script's patterns.
//!
//! Not the references of garbage collection and exceptions (those are in `gc`). The one idea: floats are
//! compared as bits, because a script tells NaNs apart: `nan:canonical` is the NaN whose payload is only its
//! most significant bit, `nan:arithmetic` any NaN whose payload has that bit, and a value is itself alone.

use meantime::{ExternRef, Result, Rooted, Store, V128, Val, bail};
use wast::WastArg;
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};

use crate::gc;

/// Makes the value that an `invoke` passes.
pub(crate) fn argument(store: &mut Store<()>, arg: &WastArg<'_>) -> Result<Val> {
    let WastArg::Core(arg) = arg else {
        bail!("a component value cannot be passed to a core function");
    };
    Ok(match arg {
        WastArgCore::I32(x) => Val::I32(*x),
        WastArgCore::I64(x) => Val::I64(*x),
        WastArgCore::F32(x) => Val::F32(x.bits),
        WastArgCore::F64(x) => Val::F64(x.bits),
        WastArgCore::V128(x) => Val::V128(V128::from(u128::from_le_bytes(x.to_le_bytes()))),
        WastArgCore::RefNull(HeapType::Abstract { shared: false, ty }) => match ty {
            AbstractHeapType::Func | AbstractHeapType::NoFunc => Val::FuncRef(None),
            AbstractHeapType::Extern | AbstractHeapType::NoExtern => Val::ExternRef(None),
            _ => gc::null(*ty)?,
        },
        WastArgCore::RefNull(ty) => bail!("cannot pass a null of the type {ty:?}"),
        WastArgCore::RefExtern(x) => Val::ExternRef(Some(ExternRef::new(&mut *store, *x)?)),
        WastArgCore::RefHost(x) => gc::host_reference(store, *x)?,
    })
}

/// Checks one result against the script's pattern.
///
/// # Errors
///
/// One that shows both, if they do not match.
pub(crate) fn check(store: &mut Store<()>, actual: &Val, expected: &WastRetCore<'_>) -> Result<()> {
    if matches(store, actual, expected)? {
        return Ok(());
    }
    bail!(
        "expected {}, got {}",
        show_expected(expected),
        show_actual(actual, expected)
    )
}

fn matches(store: &mut Store<()>, actual: &Val, expected: &WastRetCore<'_>) -> Result<bool> {
    Ok(match (expected, actual) {
        (WastRetCore::I32(x), Val::I32(y)) => x == y,
        (WastRetCore::I64(x), Val::I64(y)) => x == y,
        (WastRetCore::F32(x), Val::F32(y)) => f32_matches(x, *y),
        (WastRetCore::F64(x), Val::F64(y)) => f64_matches(x, *y),
        (WastRetCore::V128(x), Val::V128(y)) => v128_matches(x, *y),

        // A null says nothing of the type it was made with, but the hierarchies are told apart.
        (WastRetCore::RefNull(Some(HeapType::Abstract { shared: false, ty })), actual) => {
            match ty {
                AbstractHeapType::Func | AbstractHeapType::NoFunc => {
                    matches!(actual, Val::FuncRef(None))
                }
                AbstractHeapType::Extern | AbstractHeapType::NoExtern => {
                    matches!(actual, Val::ExternRef(None))
                }
                _ => gc::is_null(*ty, actual),
            }
        }
        (WastRetCore::RefNull(_), actual) => actual.ref_().is_some_and(|r| r.is_null()),

        // A script may give the function's index, but scripts are not written to be held to it.
        (WastRetCore::RefFunc(_), actual) => matches!(actual, Val::FuncRef(Some(_))),
        (WastRetCore::RefExtern(None), actual) => matches!(actual, Val::ExternRef(Some(_))),
        (WastRetCore::RefExtern(Some(x)), Val::ExternRef(Some(y))) => is_host_value(store, *y, *x)?,

        (WastRetCore::Either(alternatives), actual) => {
            for alternative in alternatives {
                if matches(store, actual, alternative)? {
                    return Ok(true);
                }
            }
            false
        }
        (expected, actual) => gc::matches(store, actual, expected)?,
    })
}

/// Is `reference` one that a script got for `(ref.extern x)`?
pub(crate) fn is_host_value(
    store: &mut Store<()>,
    reference: Rooted<ExternRef>,
    x: u32,
) -> Result<bool> {
    let data = reference.data(&*store)?;
    Ok(data.and_then(|data| data.downcast_ref::<u32>()) == Some(&x))
}

fn f32_matches(expected: &NanPattern<F32>, actual: u32) -> bool {
    const QUIET_NAN: u32 = 0x7fc0_0000;
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff == QUIET_NAN,
        NanPattern::ArithmeticNan => actual & QUIET_NAN == QUIET_NAN,
        NanPattern::Value(expected) => actual == expected.bits,
    }
}

fn f64_matches(expected: &NanPattern<F64>, actual: u64) -> bool {
    const QUIET_NAN: u64 = 0x7ff8_0000_0000_0000;
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff_ffff_ffff == QUIET_NAN,
        NanPattern::ArithmeticNan => actual & QUIET_NAN == QUIET_NAN,
        NanPattern::Value(expected) => actual == expected.bits,
    }
}

fn v128_matches(expected: &V128Pattern, actual: V128) -> bool {
    let actual = actual.as_u128().to_le_bytes();
    match expected {
        V128Pattern::I8x16(lanes) => lanes.map(|x| x.to_le_bytes()) == lanes_of(actual),
        V128Pattern::I16x8(lanes) => lanes.map(|x| x.to_le_bytes()) == lanes_of(actual),
        V128Pattern::I32x4(lanes) => lanes.map(|x| x.to_le_bytes()) == lanes_of(actual),
        V128Pattern::I64x2(lanes) => lanes.map(|x| x.to_le_bytes()) == lanes_of(actual),
        V128Pattern::F32x4(lanes) => lanes
            .iter()
            .zip(lanes_of::<4, 4>(actual))
            .all(|(expected, lane)| f32_matches(expected, u32::from_le_bytes(lane))),
        V128Pattern::F64x2(lanes) => lanes
            .iter()
            .zip(lanes_of::<2, 8>(actual))
            .all(|(expected, lane)| f64_matches(expected, u64::from_le_bytes(lane))),
    }
}

/// Splits the bytes of a vector, lane 0 first, into `N` lanes of `SIZE` bytes.
fn lanes_of<const N: usize, const SIZE: usize>(bytes: [u8; 16]) -> [[u8; SIZE]; N] {
    const { assert!(N * SIZE == 16) };
    std::array::from_fn(|lane| std::array::from_fn(|byte| bytes[lane * SIZE + byte]))
}

fn show_expected(expected: &WastRetCore<'_>) -> String {
    match expected {
        WastRetCore::I32(x) => show_i32(*x),
        WastRetCore::I64(x) => show_i64(*x),
        WastRetCore::F32(x) => match x {
            NanPattern::CanonicalNan => "f32 nan:canonical".into(),
            NanPattern::ArithmeticNan => "f32 nan:arithmetic".into(),
            NanPattern::Value(x) => show_f32(x.bits),
        },
        WastRetCore::F64(x) => match x {
            NanPattern::CanonicalNan => "f64 nan:canonical".into(),
            NanPattern::ArithmeticNan => "f64 nan:arithmetic".into(),
            NanPattern::Value(x) => show_f64(x.bits),
        },
        WastRetCore::V128(x) => show_pattern(x),
        WastRetCore::Either(alternatives) => {
            let alternatives: Vec<_> = alternatives.iter().map(show_expected).collect();
            alternatives.join(" or ")
        }
        reference => format!("{reference:?}"),
    }
}

fn show_pattern(pattern: &V128Pattern) -> String {
    match pattern {
        V128Pattern::I8x16(x) => format!("v128 i8x16 {x:02x?}"),
        V128Pattern::I16x8(x) => format!("v128 i16x8 {x:04x?}"),
        V128Pattern::I32x4(x) => format!("v128 i32x4 {x:08x?}"),
        V128Pattern::I64x2(x) => format!("v128 i64x2 {x:016x?}"),
        V128Pattern::F32x4(lanes) => {
            let lanes = lanes.map(|lane| show_expected(&WastRetCore::F32(lane)));
            format!("v128 f32x4 [{}]", lanes.join(", "))
        }
        V128Pattern::F64x2(lanes) => {
            let lanes = lanes.map(|lane| show_expected(&WastRetCore::F64(lane)));
            format!("v128 f64x2 [{}]", lanes.join(", "))
        }
    }
}

/// Shows a value; a vector in the shape of what was expected of it.
fn show_actual(actual: &Val, expected: &WastRetCore<'_>) -> String {
    match actual {
        Val::I32(x) => show_i32(*x),
        Val::I64(x) => show_i64(*x),
        Val::F32(bits) => show_f32(*bits),
        Val::F64(bits) => show_f64(*bits),
        Val::V128(x) => {
            let shape = match expected {
                WastRetCore::V128(pattern) => Some(pattern),
                WastRetCore::Either(alternatives) => match alternatives.first() {
                    Some(WastRetCore::V128(pattern)) => Some(pattern),
                    _ => None,
                },
                _ => None,
            };
            show_vector(*x, shape)
        }
        reference => format!("{reference:?}"),
    }
}

fn show_vector(x: V128, shape: Option<&V128Pattern>) -> String {
    let bytes = x.as_u128().to_le_bytes();
    show_pattern(&match shape {
        Some(V128Pattern::I16x8(_)) => V128Pattern::I16x8(lanes_of(bytes).map(i16::from_le_bytes)),
        Some(V128Pattern::I32x4(_)) => V128Pattern::I32x4(lanes_of(bytes).map(i32::from_le_bytes)),
        Some(V128Pattern::I64x2(_)) => V128Pattern::I64x2(lanes_of(bytes).map(i64::from_le_bytes)),
        Some(V128Pattern::F32x4(_)) => V128Pattern::F32x4(lanes_of(bytes).map(|lane| {
            let bits = u32::from_le_bytes(lane);
            NanPattern::Value(F32 { bits })
        })),
        Some(V128Pattern::F64x2(_)) => V128Pattern::F64x2(lanes_of(bytes).map(|lane| {
            let bits = u64::from_le_bytes(lane);
            NanPattern::Value(F64 { bits })
        })),
        Some(V128Pattern::I8x16(_)) | None => {
            V128Pattern::I8x16(lanes_of(bytes).map(i8::from_le_bytes))
        }
    })
}

fn show_i32(x: i32) -> String {
    format!("i32 {x} ({x:#010x})")
}

fn show_i64(x: i64) -> String {
    format!("i64 {x} ({x:#018x})")
}

fn show_f32(bits: u32) -> String {
    format!("f32 {:?} ({bits:#010x})", f32::from_bits(bits))
}

fn show_f64(bits: u64) -> String {
    format!("f64 {:?} ({bits:#018x})", f64::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_patterns_look_at_sign_exponent_and_payload() {
        let canonical = NanPattern::CanonicalNan;
        let arithmetic = NanPattern::ArithmeticNan;
        for (bits, is_canonical, is_arithmetic) in [
            (0x7fc0_0000, true, true),
            (0xffc0_0000, true, true),
            (0x7fc0_0001, false, true),
            (0xffff_ffff, false, true),
            (0x7fa0_0000, false, false), // signalling
            (0x7f80_0000, false, false), // infinity
            (0x0040_0000, false, false), // subnormal
        ] {
            assert_eq!(f32_matches(&canonical, bits), is_canonical, "{bits:#x}");
            assert_eq!(f32_matches(&arithmetic, bits), is_arithmetic, "{bits:#x}");
        }
        let canonical = NanPattern::CanonicalNan;
        let arithmetic = NanPattern::ArithmeticNan;
        for (bits, is_canonical, is_arithmetic) in [
            (0x7ff8_0000_0000_0000, true, true),
            (0xfff8_0000_0000_0000, true, true),
            (0x7ff8_0000_0000_0001, false, true),
            (0x7ff4_0000_0000_0000, false, false),
            (0x7ff0_0000_0000_0000, false, false),
        ] {
            assert_eq!(f64_matches(&canonical, bits), is_canonical, "{bits:#x}");
            assert_eq!(f64_matches(&arithmetic, bits), is_arithmetic, "{bits:#x}");
        }
    }

    #[test]
    fn float_values_are_compared_as_bits() {
        let zero = NanPattern::Value(F32 { bits: 0 });
        assert!(f32_matches(&zero, 0));
        assert!(!f32_matches(&zero, 0x8000_0000));
        let nan = NanPattern::Value(F64 {
            bits: 0x7ff4_0000_0000_0000,
        });
        assert!(f64_matches(&nan, 0x7ff4_0000_0000_0000));
        assert!(!f64_matches(&nan, 0x7ffc_0000_0000_0000));
    }

    #[test]
    fn vectors_are_compared_lane_by_lane() {
        let bytes: [u8; 16] = std::array::from_fn(|i| i as u8);
        let vector = V128::from(u128::from_le_bytes(bytes));
        let i8x16 = V128Pattern::I8x16(bytes.map(|b| b as i8));
        assert!(v128_matches(&i8x16, vector));
        let mut lanes = [0x0302_0100, 0x0706_0504, 0x0b0a_0908, 0x0f0e_0d0c];
        assert!(v128_matches(&V128Pattern::I32x4(lanes), vector));
        lanes[3] += 1;
        assert!(!v128_matches(&V128Pattern::I32x4(lanes), vector));

        let one_and_nan = V128::from(u128::from(1.0_f64.to_bits()) | 0x7ff8_0000_0000_0000 << 64);
        let one = NanPattern::Value(F64 {
            bits: 1.0_f64.to_bits(),
        });
        let nan = NanPattern::CanonicalNan;
        assert!(v128_matches(&V128Pattern::F64x2([one, nan]), one_and_nan));
        assert!(!v128_matches(&V128Pattern::F64x2([nan, one]), one_and_nan));
    }

    #[test]
    fn vectors_are_shown_in_the_expected_shape() {
        let vector = V128::from(0x0000_0004_0000_0003_0000_0002_0000_0001);
        let shape = WastRetCore::V128(V128Pattern::I32x4([0; 4]));
        assert_eq!(
            show_actual(&Val::V128(vector), &shape),
            "v128 i32x4 [00000001, 00000002, 00000003, 00000004]"
        );
    }
}
