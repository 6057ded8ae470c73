//! Programs that jump, as lists of blocks with a table that chooses among them, and how they are made from choices.
//!
//! A function has a number `x`, and a choice for each level of machines in each other; `x` and the first choice are its parameters. A function calls only
//! ones behind it, and whoever begins a block pays for it from a budget of all, so that every program ends.

use crate::choices::Choices;

/// Functions.
pub const FUNCTIONS: usize = 3;
/// Machines in each other.
pub const LEVELS: usize = 3;
/// Loops in each other, within a block.
pub const LOOPS: usize = 2;
/// Blocks that a call of the host's may begin.
pub const BUDGET: u32 = 300;
/// Most pages of the memory.
pub const PAGES: u64 = 3;

/// Where an entry of a table leads.
#[derive(Copy, Clone, Debug)]
pub enum To {
    /// To the block of this index.
    Block(usize),
    /// Out of the machine.
    Out,
}

/// What stands between the loop's beginning and its table.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// Nothing: the loop only chooses.
    Plain,
    /// An operator that does nothing.
    Nop,
    /// The choice is made from another value too, which is zero.
    Computed,
    /// The loop has an operand below it.
    Above,
}

/// A loop that chooses among blocks.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its level.
    pub level: usize,
    /// How it is written.
    pub style: Style,
    /// The blocks, each of which goes on with the next.
    pub blocks: Vec<Vec<Op>>,
    /// The entries of the table, its default last.
    pub table: Vec<To>,
}

/// An operation. `level`s are of the machine that is meant, `bit`s of `x`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as what is written for them")]
pub enum Op {
    Mix(u64),
    /// At an address that `x` says, which may be outside.
    Store(u64),
    Load(u64),
    Grow,
    Set {
        level: usize,
        choice: u32,
    },
    /// Chooses, mostly a constant, and begins the machine again.
    Jump {
        level: usize,
        choice: Option<u32>,
    },
    JumpVia {
        level: usize,
    },
    JumpIf {
        bit: u32,
        level: usize,
        choice: u32,
    },
    /// Chooses in any case.
    BranchIf {
        bit: u32,
        level: usize,
        choice: u32,
    },
    /// To a later block of a machine.
    Forward {
        bit: u32,
        level: usize,
        block: usize,
    },
    Out {
        bit: u32,
        level: usize,
    },
    Return {
        bit: u32,
    },
    Call {
        to: usize,
    },
    Loop {
        times: u32,
        depth: usize,
        body: Vec<Op>,
    },
    /// A machine in it, which begins with this choice.
    Inner(u32, Machine),
}

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    /// The bodies of functions.
    pub functions: Vec<Machine>,
    /// What the host calls: a function, its choice and its `x`.
    pub calls: Vec<(usize, u32, u64)>,
    /// Whether fuel is counted.
    pub fuel: bool,
    /// Whether the epoch is watched.
    pub epochs: bool,
}

impl Program {
    /// Makes one.
    pub fn new(choices: &mut Choices<'_>) -> Program {
        let (fuel, epochs) = (choices.one_in(6), choices.one_in(4));
        let functions = (0..FUNCTIONS).map(|function| {
            let mut maker = Maker {
                choices: &mut *choices,
                function,
                open: Vec::new(),
            };
            maker.machine()
        });
        let functions = functions.collect();
        let calls = (0..6).map(|i| {
            let choice = match choices.one_in(2) {
                true => 0,
                false => choices.below(16) as u32,
            };
            let x = u64::from(choices.byte()).wrapping_mul(0x0123_4567_89ab_cdef);
            (i % FUNCTIONS, choice, x ^ i as u64)
        });
        Program {
            functions,
            calls: calls.collect(),
            fuel,
            epochs,
        }
    }
}

struct Maker<'m, 'a> {
    choices: &'m mut Choices<'a>,
    function: usize,
    /// Of each open machine, how many blocks it has and which one is being made.
    open: Vec<(usize, usize)>,
}

impl Maker<'_, '_> {
    fn machine(&mut self) -> Machine {
        let level = self.open.len();
        let count = 1 + self.choices.below(if level == 0 { 9 } else { 4 });
        self.open.push((count, 0));
        let blocks = (0..count).map(|block| {
            self.open[level].1 = block;
            self.ops(4, 0)
        });
        let blocks = blocks.collect();
        self.open.pop();
        let entries = 1 + self.choices.below(2 * count + 1);
        let table = (0..entries).map(|i| match self.choices.below(8) {
            0 => To::Out,
            1 | 2 => To::Block(self.choices.below(count)),
            _ => To::Block(i.min(count - 1)),
        });
        let table = table.collect();
        let style = match self.choices.below(10) {
            0 => Style::Nop,
            1 => Style::Computed,
            2 => Style::Above,
            _ => Style::Plain,
        };
        Machine {
            level,
            style,
            blocks,
            table,
        }
    }

    fn ops(&mut self, most: usize, loops: usize) -> Vec<Op> {
        let count = self.choices.below(most + 1);
        (0..count).map(|_| self.op(loops)).collect()
    }

    fn op(&mut self, loops: usize) -> Op {
        let levels = self.open.len();
        // Mostly the innermost.
        let level = match self.choices.one_in(4) {
            true => self.choices.below(levels),
            false => levels - 1,
        };
        let (count, current) = self.open[level];
        let choice = self.choices.below(2 * count + 2) as u32;
        let bit = self.choices.below(8) as u32;
        let offset = u64::from(self.choices.byte()) * 8;
        match self.choices.below(28) {
            0..=2 => Op::Store(offset),
            3..=5 => Op::Load(offset),
            6 => Op::Grow,
            7 => Op::Set { level, choice },
            8..=10 => Op::Jump {
                level,
                choice: Some(choice),
            },
            11 => Op::Jump {
                level,
                choice: None,
            },
            12 => Op::JumpVia { level },
            13..=16 => Op::JumpIf { bit, level, choice },
            17..=18 => Op::BranchIf { bit, level, choice },
            19 if current + 1 < count => Op::Forward {
                bit,
                level,
                block: current + 1 + self.choices.below(count - current - 1),
            },
            20 => Op::Out { bit, level },
            21 if self.choices.one_in(4) => Op::Return { bit },
            22 if self.function + 1 < FUNCTIONS => Op::Call {
                to: self.function + 1 + self.choices.below(FUNCTIONS - self.function - 1),
            },
            23 | 24 if loops < LOOPS => Op::Loop {
                times: 1 + self.choices.below(4) as u32,
                depth: loops,
                body: self.ops(3, loops + 1),
            },
            25 | 26 if levels < LEVELS && loops == 0 => {
                let first = self.choices.below(4) as u32;
                Op::Inner(first, self.machine())
            }
            _ => Op::Mix(u64::from(self.choices.byte()).wrapping_mul(0x0101_0204_0810_2041)),
        }
    }
}
