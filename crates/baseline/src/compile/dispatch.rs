//! Loops that only choose where to go: blocks around a `br_table` of a local. Toolchains whose source has a goto, such as Go's, write functions so:
//! each jump sets the local to a constant and goes to the loop's start.
//!
//! The one idea: such a jump leads where the table would send it. Labels keep the state that they were bound with, so it may also lead back; then it
//! counts, as the loop would have, and takes the way through the loop's start when the budget is spent.

use super::state::State;
use super::tier::cost;
use super::value::Value;
use super::{Compiler, Lists};
use crate::buffer::Label;
use crate::machine::{Gpr, IntCc, Machine, Size, Src};

/// How many such loops in each other are looked at.
const MAX_DEPTH: usize = 4;

/// A loop that is open and begins with a choice.
pub(super) struct Dispatch {
    /// Index of the loop's frame. Those of its blocks follow.
    frame: usize,
    /// Where the opcode of its `br_table` is in the body.
    table_at: usize,
    /// The local that chooses.
    local: u32,
    /// Index of the frame of its innermost block, and of the innermost that is still open, or of the loop's.
    innermost: usize,
    open: usize,
    /// Where its table's entries begin in [`Dispatches::targets`], its default last.
    first_target: usize,
    /// Where its blocks begin in [`Dispatches::ended`].
    first_ended: usize,
}

/// Where a block ended.
#[derive(Copy, Clone)]
struct Ended {
    label: Label,
    state: State,
    /// Where that is in the body.
    at: usize,
}

/// Such loops, innermost last.
#[derive(Default)]
pub(super) struct Dispatches {
    list: Vec<Dispatch>,
    /// Indices of the frames that entries lead to.
    targets: Vec<u32>,
    /// Blocks that ended, the innermost first.
    ended: Vec<Ended>,
    /// The last constant that was written to a local: where in the body that was, the local and the constant.
    constant: Option<(usize, u32, u32)>,
}

impl Dispatches {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.targets.clear();
        self.ended.clear();
        self.constant = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// Reads an unsigned number of at most five bytes; returns also what is behind it.
fn leb(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let len = 1 + bytes.iter().take(4).take_while(|b| **b >= 0x80).count();
    let (number, rest) = bytes.split_at_checked(len)?;
    let bits = number.iter().rev();
    Some((bits.fold(0, |n, b| n << 7 | u32::from(b & 0x7f)), rest))
}

impl<M: Machine> Compiler<'_, M> {
    /// At a loop's start, whose frame is open: finds out whether it begins with a choice.
    pub(super) fn begin_dispatch(&mut self) {
        let Some(rest) = self.code.get(self.at..) else {
            return;
        };
        // `block` without parameters and results.
        let pairs = rest.chunks_exact(2);
        let blocks = pairs.take_while(|pair| **pair == [0x02, 0x40]).count();
        if blocks == 0 || rest.get(2 * blocks) != Some(&0x20) {
            return;
        }
        let Some((local, [0x0e, table @ ..])) = leb(&rest[2 * blocks + 1..]) else {
            return;
        };
        let table_at = self.code.len() - table.len() - 1;
        // Each operator on the way uses fuel, and who watches the epoch does so at the loop's start.
        let watched = self.counts_fuel() || self.tunables.epoch_interruption;
        if watched || !self.s.stack.is_empty() || self.s.dispatches.list.len() == MAX_DEPTH {
            return;
        }
        let frame = self.s.frames.len() - 1;
        let dispatches = &mut self.s.dispatches;
        dispatches.list.push(Dispatch {
            frame,
            table_at,
            local,
            innermost: frame + blocks,
            open: frame + blocks,
            first_target: dispatches.targets.len(),
            first_ended: dispatches.ended.len(),
        });
    }

    /// At the `br_table` whose opcode is there, with these depths: says whether it is such a choice, and notes where it leads then.
    pub(super) fn note_dispatch(&mut self, table_at: usize, depths: &[u32]) -> bool {
        let outermost = self.s.frames.len() - 1;
        let Lists { dispatches, .. } = &mut self.s;
        match dispatches.list.last() {
            Some(dispatch) if dispatch.table_at == table_at => {}
            _ => return false,
        }
        let frames = depths.iter().map(|depth| outermost as u32 - depth);
        dispatches.targets.extend(frames);
        true
    }

    /// Leads to the first entry, which is where functions begin, ahead of the table.
    pub(super) fn choose_first(&mut self, index: Gpr, first: Label) {
        let (index, zero) = (Src::Reg(index), Src::Imm(0));
        let is_first = M::compare(&mut self.b, IntCc::Eq, Size::S32, index, zero);
        M::jump_if(&mut self.b, is_first, first);
    }

    /// A frame ended that had this index and this label: what follows it is the current position.
    pub(super) fn end_dispatched(&mut self, index: usize, label: Label) {
        let (state, at) = (self.state, self.at);
        let Dispatches {
            list,
            targets,
            ended,
            ..
        } = &mut self.s.dispatches;
        let Some(dispatch) = list.last_mut() else {
            return;
        };
        if index == dispatch.frame {
            targets.truncate(dispatch.first_target);
            ended.truncate(dispatch.first_ended);
            list.pop();
        } else if index == dispatch.open {
            ended.push(Ended { label, state, at });
            dispatch.open -= 1;
        }
    }

    /// A local is written. Its constants are of use while a choice may follow.
    pub(super) fn note_local(&mut self, local: usize, value: Value) {
        let constant = value.is_const().then_some(value.bits as u32);
        let at = self.at;
        self.s.dispatches.constant = constant.map(|constant| (at, local as u32, constant));
    }

    /// The constant that this local is at the `br` that was read last, if that is known: it stands right before.
    fn choice(&self, local: u32) -> Option<u32> {
        let (at, written, constant) = self.s.dispatches.constant?;
        let mut br_at = self.at.checked_sub(2)?;
        while *self.code.get(br_at)? >= 0x80 {
            br_at = br_at.checked_sub(1)?;
        }
        let before = self.code.get(at..br_at)?;
        let adjacent = match before {
            // How much of the operator was read when it wrote the local.
            [] => true,
            [0x21, rest @ ..] | rest => {
                leb(rest).is_some_and(|(l, rest)| l == local && rest.is_empty())
            }
        };
        (self.code[br_at] == 0x0c && written == local && adjacent).then_some(constant)
    }

    /// Writes a branch to the frame of this index that goes on at once where that would choose to go. False if that is not known.
    pub(super) fn follow(&mut self, index: usize) -> bool {
        let list = &self.s.dispatches.list;
        let Some(place) = list.iter().rposition(|d| d.frame == index) else {
            return false;
        };
        let end = list.get(place + 1).map(|d| d.first_target);
        let end = end.unwrap_or(self.s.dispatches.targets.len());
        let &Dispatch {
            local,
            innermost,
            open,
            first_target,
            first_ended,
            ..
        } = &list[place];
        let Some(last) = end.checked_sub(first_target + 1) else {
            return false;
        };
        let Some(chosen) = self.choice(local) else {
            return false;
        };
        let target = self.s.dispatches.targets[first_target + (chosen as usize).min(last)] as usize;
        if target == index {
            return false;
        }
        if target <= open {
            // It is still ahead, or around.
            self.branch(target);
            return true;
        }
        let ended = &self.s.dispatches.ended;
        let Some(&Ended { label, state, at }) = ended.get(first_ended + innermost - target) else {
            return false;
        };
        if self.tunables.tiered {
            self.agree(index);
            let start = self.s.frames[index].label;
            self.conform(&state);
            self.count_to(cost(self.at - at), start);
        } else {
            self.conform(&state);
        }
        M::jump(&mut self.b, label);
        self.reachable = false;
        true
    }
}
