//! Short loops that are written twice, one copy after the other, where the epoch is watched: a look each time round is much of what they do.
//!
//! The one idea: in the first copy, a branch to the loop leads to the second, and there to the first. Only that goes back, so only there is a look.
//! What is written again are the same operators at the same offsets: the reader is put back to where the loop begins.

use super::Translator;
use super::interrupt::Flow;
use cranelift_codegen::ir::Block;
use meantime_module::fuel_unit;
use wasmparser::{BinaryReader, Operator, OperatorsReader};

/// How many operators such a loop may have.
const MAX_OPERATORS: usize = 40;
/// How many more values it may read than it writes. Cranelift computes a sum of what was read where it is used, so all of that stays in registers until
/// the loop goes back.
const MAX_UNWRITTEN: usize = 2;
/// Opcodes: those below are control, and the others come in this order.
const DROP: u8 = 0x1a;
const FIRST_LOAD: u8 = 0x28;
const LAST_LOAD: u8 = 0x35;
const FIRST_STORE: u8 = 0x36;
const LAST_STORE: u8 = 0x3e;

/// The first copy of a loop, which is open.
#[derive(Copy, Clone)]
pub(super) struct FirstCopy {
    /// Where it begins.
    pub(super) start: Block,
    /// What is known there.
    pub(super) flow: Flow,
    /// Whether anything leads to the second.
    pub(super) goes_on: bool,
}

/// What is to be done with the reader of operators.
#[derive(Copy, Clone)]
pub(super) enum Turn {
    /// This place is come back to.
    Keep,
    /// Back to that place.
    Back,
}

impl Translator<'_> {
    /// Before a loop is opened that will begin at this block: its first copy, if it is to be written twice.
    pub(super) fn first_copy(&mut self, start: Block) -> Option<FirstCopy> {
        if !self.polls || !self.optimizes || self.is_short_loop().is_none() {
            return None;
        }
        self.turn = Some(Turn::Keep);
        Some(FirstCopy {
            start,
            flow: self.flow,
            goes_on: false,
        })
    }

    /// Whether the loop whose operator is the current one has no structure inside and is short enough.
    fn is_short_loop(&self) -> Option<()> {
        let rest = self.wasm.get(usize::try_from(self.next).ok()?..)?;
        let mut operators = OperatorsReader::new(BinaryReader::new(rest, self.next));
        let (mut reads, mut writes) = (0, MAX_UNWRITTEN);
        for _ in 0..=MAX_OPERATORS {
            let opcode = rest.get((operators.original_position() - self.next) as usize)?;
            match (operators.read().ok()?, *opcode) {
                (Operator::End, _) => return (reads <= writes).then_some(()),
                (Operator::BrIf { .. }, _) => {}
                (Operator::V128Load { .. }, _) | (_, FIRST_LOAD..=LAST_LOAD) => reads += 1,
                (Operator::V128Store { .. }, _) | (_, FIRST_STORE..=LAST_STORE) => writes += 1,
                (Operator::TryTable { .. }, _) | (_, ..DROP) => return None,
                (op, _) if fuel_unit(&op).is_some() => return None,
                _ => {}
            }
        }
        None
    }
}
