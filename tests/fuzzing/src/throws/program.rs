//! Programs that throw and catch, as trees, and how they are made from choices.
//!
//! A function has a number `x`, and references to exceptions `e0`…; `x` and `e0` are its parameters and its results. A function calls only ones behind it,
//! so that every program ends.

use crate::choices::Choices;

/// Functions.
pub const FUNCTIONS: usize = 7;
/// References to exceptions that a function has.
pub const EXCEPTIONS: usize = 3;

/// What an exception carries.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the types are")]
pub enum Kind {
    I32,
    I64,
    F32,
    F64,
    V128,
    Any,
    Extern,
    Func,
    Exn,
}

/// The parameters of the tags. Two tags of one type are still two tags.
pub const TAGS: [&[Kind]; 8] = {
    use Kind::*;
    [
        &[],
        &[I32],
        &[I64, F64, F32],
        &[V128, I32],
        &[Any, Extern, Func],
        &[Exn, I64],
        &[I64, F64, I32, V128, F32, I64, Any, I64, I64, F64, F64, V128],
        &[],
    ]
};

/// How a function is called.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the instructions are")]
pub enum How {
    Direct,
    Ref,
    Indirect,
}

/// What the host does with the exception of a function that it calls.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// It passes it on.
    Through,
    /// It returns a number that depends on it.
    Swallow,
    /// It takes it, collects, and throws it again.
    Rethrow,
    /// It throws another instead.
    Convert,
    /// It fails with an error of its own.
    Fail,
}

/// A clause of a handler.
#[derive(Clone, Debug)]
pub struct Catch {
    /// The tag; none for all.
    pub tag: Option<usize>,
    /// Where the reference to the exception goes, if it is asked for.
    pub exn: Option<usize>,
    /// What is done then; none if it only leaves the handler, which only what carries nothing can.
    pub then: Option<Vec<Op>>,
}

/// An operation.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the instructions are")]
pub enum Op {
    Observe,
    Add(u64),
    Throw(usize),
    ThrowRef {
        exn: usize,
        safe: bool,
    },
    Try {
        body: Vec<Op>,
        catches: Vec<Catch>,
    },
    /// Out of the innermost `Try`, if there is one.
    Leave,
    Return,
    Call {
        to: usize,
        how: How,
    },
    TailCall {
        to: usize,
        how: How,
    },
    Host {
        to: usize,
        what: Host,
    },
    HostThrow {
        tag: usize,
    },
    Loop {
        times: u32,
        body: Vec<Op>,
    },
    /// By a bit of `x`.
    If {
        bit: u32,
        yes: Vec<Op>,
        no: Vec<Op>,
    },
    Collect,
    Copy {
        to: usize,
        from: usize,
    },
    Save {
        exn: usize,
    },
    Restore {
        exn: usize,
    },
    Unreachable,
}

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    /// The bodies of functions.
    pub functions: Vec<Vec<Op>>,
    /// What the host calls, with which `x`.
    pub calls: Vec<(usize, u64)>,
}

impl Program {
    /// Makes one.
    pub fn new(choices: &mut Choices<'_>) -> Program {
        let functions = (0..FUNCTIONS).map(|function| {
            let mut maker = Maker {
                choices: &mut *choices,
                function,
            };
            maker.ops(2, 6, 0)
        });
        Program {
            functions: functions.collect(),
            calls: (0..8)
                .map(|i| {
                    (
                        i % (FUNCTIONS - 2),
                        u64::from(choices.byte()) << (i * 7) | i as u64,
                    )
                })
                .collect(),
        }
    }
}

struct Maker<'m, 'a> {
    choices: &'m mut Choices<'a>,
    function: usize,
}

impl Maker<'_, '_> {
    fn ops(&mut self, least: usize, most: usize, depth: u32) -> Vec<Op> {
        let count = least + self.choices.below(most - least + 1);
        (0..count).map(|_| self.op(depth)).collect()
    }

    fn exn(&mut self) -> usize {
        self.choices.below(EXCEPTIONS)
    }

    fn catch(&mut self, depth: u32) -> Catch {
        let tag = match self.choices.one_in(4) {
            true => None,
            false => Some(self.choices.below(TAGS.len())),
        };
        let exn = match self.choices.one_in(2) {
            true => Some(self.exn()),
            false => None,
        };
        let empty = exn.is_none() && tag.is_none_or(|tag| TAGS[tag].is_empty());
        let then = match empty && self.choices.one_in(2) {
            true => None,
            false => Some(self.ops(0, 3, depth + 1)),
        };
        Catch { tag, exn, then }
    }

    fn op(&mut self, depth: u32) -> Op {
        let callee = match FUNCTIONS - self.function - 1 {
            0 => None,
            left => Some(self.function + 1 + self.choices.below(left)),
        };
        let how = self.choices.of(&[How::Direct, How::Ref, How::Indirect]);
        match (self.choices.below(32), callee) {
            (0 | 1, _) => Op::Observe,
            (2, _) => Op::Add(u64::from(self.choices.byte()).wrapping_mul(0x0123_4567_89ab_cdef)),
            (3..=5, _) if depth > 0 || self.choices.one_in(8) => {
                Op::Throw(self.choices.below(TAGS.len()))
            }
            (6, _) => Op::ThrowRef {
                exn: self.exn(),
                safe: !self.choices.one_in(20),
            },
            (7..=12, _) if depth < 4 => {
                let body = self.ops(1, 4, depth + 1);
                let clauses = self.choices.below(5);
                Op::Try {
                    body,
                    catches: (0..clauses).map(|_| self.catch(depth)).collect(),
                }
            }
            (13, _) => Op::Leave,
            (14, _) if depth > 0 && self.choices.one_in(3) => Op::Return,
            (15..=18, Some(to)) => Op::Call { to, how },
            (19, Some(to)) if depth > 0 => Op::TailCall { to, how },
            (20..=23, Some(to)) => {
                let what = match self.choices.below(10) {
                    0..=2 => Host::Through,
                    3 | 4 => Host::Swallow,
                    5 | 6 => Host::Rethrow,
                    7 | 8 => Host::Convert,
                    _ => Host::Fail,
                };
                Op::Host { to, what }
            }
            (24, _) if depth > 0 || self.choices.one_in(8) => Op::HostThrow {
                tag: self.choices.below(TAGS.len()),
            },
            (25 | 26, _) if depth < 4 => Op::Loop {
                times: 1 + self.choices.below(5) as u32,
                body: self.ops(1, 4, depth + 1),
            },
            (27, _) if depth < 4 => Op::If {
                bit: self.choices.below(8) as u32,
                yes: self.ops(1, 3, depth + 1),
                no: self.ops(0, 2, depth + 1),
            },
            (28, _) => Op::Collect,
            (29, _) => Op::Copy {
                to: self.exn(),
                from: self.exn(),
            },
            (30, _) => Op::Save { exn: self.exn() },
            (31, _) => match self.choices.one_in(12) {
                true => Op::Unreachable,
                false => Op::Restore { exn: self.exn() },
            },
            _ => Op::Add(1),
        }
    }
}
