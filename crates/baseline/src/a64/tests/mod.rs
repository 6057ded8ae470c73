//! Encodings, as a disassembler reads them.

mod atomic;
mod conditions;
mod control;
mod encodings;
mod floats;
mod immediates;
mod integers;
mod memory;
mod vectors;

use super::*;
use yaxpeax_arch::{Decoder as _, U8Reader};
use yaxpeax_arm::armv8::a64::InstDecoder;

const X0: Gpr = Gpr(0);
const X1: Gpr = Gpr(1);
const X2: Gpr = Gpr(2);
const X3: Gpr = Gpr(3);
const X16: Gpr = Gpr(16);
const V0: Fpr = Fpr(0);
const V1: Fpr = Fpr(1);
const V2: Fpr = Fpr(2);

/// What is written, a line for each instruction.
fn text(write: impl FnOnce(&mut Buffer)) -> String {
    let mut b = Buffer::default();
    b.clear();
    write(&mut b);
    listing(b.code())
}

fn listing(code: &[u8]) -> String {
    assert!(code.len().is_multiple_of(4));
    let decoder = InstDecoder::default();
    let word = |word: &[u8]| match decoder.decode(&mut U8Reader::new(word)) {
        Ok(instruction) => instruction.to_string(),
        Err(error) => format!("{word:02x?}: {error}"),
    };
    let lines: Vec<String> = code.chunks(4).map(word).collect();
    lines.join("; ")
}

/// What writes some code, and what that is.
type Case<'a> = (fn(&mut Buffer), &'a str);

/// Each case is what to write and what that is. `BLESS` in the environment prints the second halves.
#[track_caller]
fn check(cases: &[Case<'_>]) {
    let bless = std::env::var_os("BLESS").is_some();
    for (i, (write, expected)) in cases.iter().enumerate() {
        let actual = text(write);
        if bless {
            println!("BLESS {actual:?}");
        } else {
            assert_eq!(actual, *expected, "case {i}");
        }
    }
}
