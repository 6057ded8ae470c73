//! What a program that jumps does, interpreted.
//!
//! The one idea: an operation says where to go on, each machine and each loop looks whether it is meant, and all others pass it on.

use super::program::{BUDGET, Machine, Op, PAGES, Program, To};

/// Bytes of a page.
const PAGE: u64 = 65536;

/// How a call ends: with its `x`, or with the name of a trap.
pub type End = Result<u64, String>;

/// What all calls do, and what the memory is then.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How each call ended.
    pub ends: Vec<End>,
    /// The first page.
    pub memory: Vec<u8>,
    /// How many pages there are.
    pub pages: u64,
}

/// Where to go on after an operation.
enum Flow {
    Next,
    Again(usize),
    Forward(usize, usize),
    Out(usize),
    Return,
}

/// Where an access is: `x` bounded to a little more than the memory may have.
pub const REACH: u64 = PAGES * PAGE + 0xffff;

struct State<'p> {
    program: &'p Program,
    memory: Vec<u8>,
    budget: u32,
}

struct Frame {
    x: u64,
    choices: [u32; super::program::LEVELS],
}

/// Makes every call of the program, so often.
pub fn run(program: &Program, rounds: usize) -> Outcome {
    let mut state = State {
        program,
        memory: vec![0; PAGE as usize],
        budget: 0,
    };
    let mut ends = Vec::new();
    for _ in 0..rounds {
        for &(function, choice, x) in &program.calls {
            state.budget = BUDGET;
            ends.push(state.call(function, choice, x).map_err(str::to_owned));
        }
    }
    let pages = state.memory.len() as u64 / PAGE;
    state.memory.truncate(PAGE as usize);
    Outcome {
        ends,
        memory: state.memory,
        pages,
    }
}

/// A number that another went into.
fn mix(x: u64, value: u64) -> u64 {
    x.rotate_left(7) ^ value
}

impl State<'_> {
    fn call(&mut self, function: usize, choice: u32, x: u64) -> Result<u64, &'static str> {
        let mut frame = Frame {
            x,
            choices: [0; super::program::LEVELS],
        };
        frame.choices[0] = choice;
        let program = self.program;
        self.machine(&mut frame, &program.functions[function])?;
        Ok(frame.x)
    }

    fn machine(&mut self, f: &mut Frame, machine: &Machine) -> Result<Flow, &'static str> {
        let mut next = None;
        loop {
            let first = match next.take() {
                Some(block) => block,
                None => {
                    let choice = f.choices[machine.level] as usize;
                    let entry = choice.min(machine.table.len() - 1);
                    match machine.table[entry] {
                        To::Block(block) => block,
                        To::Out => return Ok(Flow::Next),
                    }
                }
            };
            let mut flow = Flow::Next;
            for block in &machine.blocks[first..] {
                self.budget -= 1;
                if self.budget == 0 {
                    return Err("UnreachableCodeReached");
                }
                flow = self.ops(f, block)?;
                if !matches!(flow, Flow::Next) {
                    break;
                }
            }
            match flow {
                Flow::Again(level) if level == machine.level => {}
                Flow::Forward(level, block) if level == machine.level => next = Some(block),
                Flow::Out(level) if level == machine.level => return Ok(Flow::Next),
                other => return Ok(other),
            }
        }
    }

    fn ops(&mut self, f: &mut Frame, ops: &[Op]) -> Result<Flow, &'static str> {
        for op in ops {
            match self.op(f, op)? {
                Flow::Next => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    /// The bytes that are accessed.
    fn place(&mut self, x: u64, offset: u64) -> Result<&mut [u8], &'static str> {
        let at = x % REACH + offset;
        let bytes = self.memory.get_mut(at as usize..at as usize + 8);
        bytes.ok_or("MemoryOutOfBounds")
    }

    fn op(&mut self, f: &mut Frame, op: &Op) -> Result<Flow, &'static str> {
        let has = |bit: u32| f.x >> bit & 1 == 1;
        Ok(match *op {
            Op::Mix(value) => {
                f.x = mix(f.x, value);
                Flow::Next
            }
            Op::Store(offset) => {
                let x = f.x;
                self.place(x, offset)?.copy_from_slice(&x.to_le_bytes());
                Flow::Next
            }
            Op::Load(offset) => {
                let bytes = self.place(f.x, offset)?;
                let value = bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
                f.x = mix(f.x, value);
                Flow::Next
            }
            Op::Grow => {
                let pages = self.memory.len() as u64 / PAGE;
                let before = match pages < PAGES {
                    true => {
                        self.memory.resize(((pages + 1) * PAGE) as usize, 0);
                        pages
                    }
                    false => u64::from(u32::MAX),
                };
                f.x = mix(f.x, before);
                Flow::Next
            }
            Op::Set { level, choice } => {
                f.choices[level] = choice;
                Flow::Next
            }
            Op::Jump { level, choice } => {
                f.choices[level] = choice.unwrap_or(f.choices[level]);
                Flow::Again(level)
            }
            Op::JumpVia { level } => {
                f.choices[level] = f.x as u32 & 15;
                Flow::Again(level)
            }
            Op::JumpIf { bit, level, choice } if has(bit) => {
                f.choices[level] = choice;
                Flow::Again(level)
            }
            Op::BranchIf { bit, level, choice } => {
                f.choices[level] = choice;
                match has(bit) {
                    true => Flow::Again(level),
                    false => Flow::Next,
                }
            }
            Op::Forward { bit, level, block } if has(bit) => Flow::Forward(level, block),
            Op::Out { bit, level } if has(bit) => Flow::Out(level),
            Op::Return { bit } if has(bit) => Flow::Return,
            Op::Call { to } => {
                f.x = self.call(to, f.x as u32 & 7, f.x)?;
                Flow::Next
            }
            Op::Loop {
                times, ref body, ..
            } => {
                for _ in 0..times {
                    match self.ops(f, body)? {
                        Flow::Next => {}
                        other => return Ok(other),
                    }
                }
                Flow::Next
            }
            Op::Inner(first, ref machine) => {
                f.choices[machine.level] = first;
                return self.machine(f, machine);
            }
            Op::JumpIf { .. } | Op::Forward { .. } | Op::Out { .. } | Op::Return { .. } => {
                Flow::Next
            }
        })
    }
}
