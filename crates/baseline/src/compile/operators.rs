//! The loop over operators, and what is compiled without telling operators apart in a table.
//!
//! The one idea: locals that are read and constants are more than a third of all operators, and what follows them often takes them at once. Then they are
//! handed on as if they had been pushed and popped.

use super::Compiler;
use super::decode::number;
use super::value::{Place, Value};
use crate::machine::Machine;
use meantime_abi::ValRepr;

/// Opcodes of what is read without a table.
const LOCAL_GET: u8 = 0x20;
const I32_CONST: u8 = 0x41;

/// What an operator is that takes its topmost operand at once.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Next {
    /// A load of an integer: from a local.
    Load,
    /// A store of an integer.
    Store,
    /// `local.set`.
    Set,
    /// An operation on integers: with a small constant.
    Immediate,
    /// A comparison of integers, and a shift: with a constant.
    Compare,
    Shift,
    Other,
}

/// By opcode.
static NEXT: [Next; 256] = {
    let mut next = [Next::Other; 256];
    next[0x21] = Next::Set;
    let mut opcode = 0x28;
    while opcode <= 0x8a {
        next[opcode] = match opcode {
            0x28 | 0x29 | 0x2c..=0x35 => Next::Load,
            0x36 | 0x37 | 0x3a..=0x3e => Next::Store,
            0x46..=0x4f | 0x51..=0x5a => Next::Compare,
            0x74..=0x78 | 0x86..=0x8a => Next::Shift,
            _ => Next::Other,
        };
        opcode += 1;
    }
    let operations = [0x6a, 0x6b, 0x71, 0x72, 0x73, 0x7c, 0x7d, 0x83, 0x84, 0x85];
    let mut i = 0;
    while i < operations.len() {
        next[operations[i]] = Next::Immediate;
        i += 1;
    }
    next
};

impl<M: Machine> Compiler<'_, M> {
    /// Compiles operators that can be reached, up to one that may change that. What gets a local or is a constant is more than a third of all
    /// operators, which need not be told apart from the others in a table. None at the end.
    #[inline(always)]
    pub(super) fn operators(&mut self) -> Option<()> {
        let mut at = self.at;
        let mut word = self.word(at)?;
        if let Some(costs) = self.costs {
            self.begin_at(at);
            self.before_operator(costs, word as u8);
        } else {
            loop {
                let [opcode, number, next, ..] = word.to_le_bytes();
                let ty = opcode.wrapping_sub(I32_CONST);
                if opcode == LOCAL_GET {
                    if number >= 0x80 {
                        break;
                    }
                    let next_is = NEXT[usize::from(next)];
                    if let Next::Load | Next::Store | Next::Set = next_is {
                        let value = self.local_operand(number)?;
                        self.begin_at(at + 2);
                        match next_is {
                            Next::Load => self.load(next, value, word >> 24),
                            Next::Store => self.store(next, value, word >> 24),
                            _ => self.set_local(value),
                        }
                        return Some(());
                    }
                    if self.push_local(number.into()).is_none() {
                        break;
                    }
                    at += 2;
                } else if ty < 2 {
                    let (value, len) = match small_number(word >> 8) {
                        Some(number) => number,
                        None => break,
                    };
                    let (ty, bits) = if ty == 0 {
                        (ValRepr::I32, u64::from(value as u32))
                    } else {
                        (ValRepr::I64, value as u64)
                    };
                    at += 1 + len;
                    let next = (word >> (8 * (1 + len))) as u8;
                    let next_is = NEXT[usize::from(next)];
                    let takes = !matches!(next_is, Next::Other | Next::Load);
                    if takes && value.unsigned_abs() < 1 << 31 {
                        let value = self.operand(Place::Const, ty, bits);
                        self.begin_at(at);
                        match next_is {
                            Next::Immediate => self.int_op_by(next, value),
                            Next::Set => self.set_local(value),
                            Next::Store => {
                                let word = self.word(self.at)?;
                                self.store(next, value, word);
                            }
                            Next::Compare => self.int_compare_with(next, value),
                            _ => self.shift_by_constant(next, value),
                        }
                        return Some(());
                    }
                    self.push_number(Place::Const, ty, 0, bits);
                } else {
                    break;
                }
                word = self.word(at)?;
            }
            self.begin_at(at);
        }
        self.operator(word as u8, word >> 8);
        Some(())
    }

    /// Sets the local whose number follows.
    #[inline(always)]
    fn set_local(&mut self, value: Value) {
        let index = self.leb_u32();
        self.write_local(index as usize, value);
    }
}

/// The signed number that a word begins with, and how many bytes it has, unless those are more than six.
#[inline(always)]
fn small_number(word: u64) -> Option<(i64, usize)> {
    if word & 0x80 == 0 {
        return Some((i64::from((word << 1) as i8 >> 1), 1));
    }
    let (bits, len) = number(word).filter(|(_, len)| *len <= 6)?;
    let unused = 64 - 7 * len;
    Some(((bits << unused) as i64 >> unused, len))
}

#[cfg(test)]
mod tests {
    use super::small_number;

    #[test]
    fn numbers_of_up_to_six_bytes_have_a_sign() {
        for (bytes, number) in [
            (&[0x3f][..], Some((63, 1))),
            (&[0x40], Some((-64, 1))),
            (&[0xff, 0x7f], Some((-1, 2))),
            (
                &[0x80, 0x80, 0x80, 0x80, 0x78],
                Some((i64::from(i32::MIN), 5)),
            ),
            (
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0x1f],
                Some(((1 << 40) - 1, 6)),
            ),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00], None),
        ] {
            let mut word = [0x81; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            assert_eq!(small_number(u64::from_le_bytes(word)), number, "{bytes:x?}");
        }
    }
}
