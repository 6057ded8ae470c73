//! What a program that throws and catches does, interpreted.
//!
//! The one idea: an exception of the guest is an error of Rust's, a `Try` looks at it, and all else passes it on.

use super::program::{Catch, EXCEPTIONS, Host, Kind, Op, Program, TAGS};

/// How a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With its `x`.
    Returns(u64),
    /// With an exception that has this tag, and what it carries in one number.
    Throws(usize, u64),
    /// With a trap of this name.
    Traps(String),
    /// With an error of the host's own.
    Fails(u64),
}

/// A call of the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was observed, in order.
    pub reports: Vec<u64>,
    /// And the end.
    pub end: End,
}

/// An exception, by its place in the list of all.
type Exn = usize;

#[derive(Clone, Debug)]
struct Exception {
    tag: usize,
    values: Vec<u64>,
    /// The exception that it carries, if one of the values is one.
    inner: Option<Exn>,
}

enum Stop {
    Throw(Exn),
    Trap(&'static str),
    Fail(u64),
    Long,
}

/// Where to go on after an operation.
enum Flow {
    Next,
    Leave,
    Return,
    Tail(usize),
}

/// Operations that a whole program may take.
const STEPS: u32 = 4_000;

struct Machine<'p> {
    program: &'p Program,
    exceptions: Vec<Exception>,
    saved: Option<Exn>,
    reports: Vec<u64>,
    steps: u32,
}

struct Frame {
    x: u64,
    e: [Option<Exn>; EXCEPTIONS],
    /// `Try`s around the operation.
    nesting: u32,
}

/// Every call that the host makes, in each round; none if the program takes too long.
pub fn run(program: &Program, rounds: usize) -> Option<Vec<Call>> {
    execute(program, rounds).0
}

/// Exceptions that are thrown in so many rounds.
pub fn throws(program: &Program, rounds: usize) -> usize {
    execute(program, rounds).1
}

fn execute(program: &Program, rounds: usize) -> (Option<Vec<Call>>, usize) {
    let mut machine = Machine {
        program,
        exceptions: Vec::new(),
        saved: None,
        reports: Vec::new(),
        steps: 0,
    };
    let mut calls = Vec::new();
    for _ in 0..rounds {
        for &(function, x) in &program.calls {
            let end = match machine.call(function, x, None) {
                Ok((x, _)) => End::Returns(x),
                Err(Stop::Throw(exn)) => {
                    let tag = machine.exceptions[exn].tag;
                    End::Throws(tag, machine.seen(exn, 0))
                }
                Err(Stop::Trap(name)) => End::Traps(name.to_string()),
                Err(Stop::Fail(x)) => End::Fails(x),
                Err(Stop::Long) => return (None, machine.exceptions.len()),
            };
            let reports = std::mem::take(&mut machine.reports);
            calls.push(Call { reports, end });
        }
    }
    (Some(calls), machine.exceptions.len())
}

/// A number that one thing after another went into.
pub fn mix(x: u64, value: u64) -> u64 {
    x.rotate_left(7) ^ value
}

/// The number that the `i`th value of an exception is made from.
pub fn offset(i: usize) -> u64 {
    (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// How a value that was made from this number reads; none for exceptions.
pub fn value(kind: Kind, number: u64) -> Option<u64> {
    Some(match kind {
        Kind::I32 | Kind::F32 => u64::from(number as u32),
        Kind::I64 | Kind::F64 | Kind::V128 => number,
        Kind::Any | Kind::Extern => number & 0x7fff_ffff,
        Kind::Func => number & 1,
        Kind::Exn => return None,
    })
}

impl Machine<'_> {
    fn exception(&mut self, tag: usize, x: u64, inner: Option<Exn>) -> Exn {
        let carries = TAGS[tag].contains(&Kind::Exn);
        let values = TAGS[tag].iter().enumerate();
        let values = values.map(|(i, kind)| value(*kind, x.wrapping_add(offset(i))).unwrap_or(0));
        self.exceptions.push(Exception {
            tag,
            values: values.collect(),
            inner: inner.filter(|_| carries),
        });
        self.exceptions.len() - 1
    }

    /// `x` after what an exception carries went in, the last value first. Of an exception in it, whether it is null.
    fn seen(&self, exn: Exn, x: u64) -> u64 {
        let exn = &self.exceptions[exn];
        let pairs = TAGS[exn.tag].iter().zip(&exn.values).rev();
        pairs.fold(x, |x, (kind, value)| match kind {
            Kind::Exn => mix(x, u64::from(exn.inner.is_none())),
            _ => mix(x, *value),
        })
    }

    fn call(
        &mut self,
        mut function: usize,
        x: u64,
        e: Option<Exn>,
    ) -> Result<(u64, Option<Exn>), Stop> {
        let program = self.program;
        let mut f = Frame {
            x,
            e: [e, None, None],
            nesting: 0,
        };
        loop {
            match self.block(&mut f, &program.functions[function])? {
                Flow::Tail(to) => {
                    function = to;
                    f = Frame {
                        x: f.x,
                        e: [f.e[0], None, None],
                        nesting: 0,
                    };
                }
                _ => return Ok((f.x, f.e[0])),
            }
        }
    }

    fn block(&mut self, f: &mut Frame, ops: &[Op]) -> Result<Flow, Stop> {
        for op in ops {
            self.steps += 1;
            if self.steps > STEPS {
                return Err(Stop::Long);
            }
            match self.op(f, op)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    fn op(&mut self, f: &mut Frame, op: &Op) -> Result<Flow, Stop> {
        match *op {
            Op::Observe => self.reports.push(f.x),
            Op::Add(number) => f.x = f.x.wrapping_add(number),
            Op::Throw(tag) => return Err(Stop::Throw(self.exception(tag, f.x, f.e[0]))),
            Op::ThrowRef { exn, safe } => match f.e[exn] {
                Some(exn) => return Err(Stop::Throw(exn)),
                None if safe => {}
                None => return Err(Stop::Trap("NullReference")),
            },
            Op::Try {
                ref body,
                ref catches,
            } => {
                f.nesting += 1;
                let flow = self.block(f, body);
                f.nesting -= 1;
                return match flow {
                    Err(Stop::Throw(exn)) => self.handle(f, exn, catches),
                    Ok(Flow::Leave) => Ok(Flow::Next),
                    other => other,
                };
            }
            Op::Leave if f.nesting > 0 => return Ok(Flow::Leave),
            Op::Leave => {}
            Op::Return => return Ok(Flow::Return),
            Op::Call { to, how: _ } => (f.x, f.e[0]) = self.call(to, f.x, f.e[0])?,
            Op::TailCall { to, how: _ } => return Ok(Flow::Tail(to)),
            Op::Host { to, what } => f.x = self.host(to, what, f.x)?,
            Op::HostThrow { tag } => return Err(Stop::Throw(self.exception(tag, f.x, None))),
            Op::Loop { times, ref body } => {
                for i in 0..times {
                    f.x = f.x.wrapping_add(u64::from(i));
                    match self.block(f, body)? {
                        Flow::Next => {}
                        other => return Ok(other),
                    }
                }
            }
            Op::If {
                bit,
                ref yes,
                ref no,
            } => {
                let ops = if f.x >> bit & 1 == 1 { yes } else { no };
                return self.block(f, ops);
            }
            Op::Collect => {}
            Op::Copy { to, from } => f.e[to] = f.e[from],
            Op::Save { exn } => self.saved = f.e[exn],
            Op::Restore { exn } => f.e[exn] = self.saved,
            Op::Unreachable => return Err(Stop::Trap("UnreachableCodeReached")),
        }
        Ok(Flow::Next)
    }

    fn handle(&mut self, f: &mut Frame, exn: Exn, catches: &[Catch]) -> Result<Flow, Stop> {
        let tag = self.exceptions[exn].tag;
        let found = catches
            .iter()
            .find(|catch| catch.tag.is_none_or(|t| t == tag));
        let Some(catch) = found else {
            return Err(Stop::Throw(exn));
        };
        if let Some(to) = catch.exn {
            f.e[to] = Some(exn);
        }
        if catch.tag.is_some() {
            f.x = self.seen(exn, f.x);
        }
        match &catch.then {
            Some(then) => self.block(f, then),
            None => Ok(Flow::Next),
        }
    }

    fn host(&mut self, to: usize, what: Host, x: u64) -> Result<u64, Stop> {
        let exn = match self.call(to, x, None) {
            Ok((x, _)) => return Ok(x),
            Err(Stop::Throw(exn)) => exn,
            Err(other) => return Err(other),
        };
        match what {
            Host::Through | Host::Rethrow => Err(Stop::Throw(exn)),
            Host::Swallow => {
                let tag = self.exceptions[exn].tag as u64;
                Ok(self.seen(exn, tag))
            }
            Host::Convert => {
                let tag = self.exceptions[exn].tag;
                let x = self.seen(exn, x);
                let next = (tag + 1) % TAGS.len();
                Err(Stop::Throw(self.exception(next, x, Some(exn))))
            }
            Host::Fail => Err(Stop::Fail(self.seen(exn, x))),
        }
    }
}
