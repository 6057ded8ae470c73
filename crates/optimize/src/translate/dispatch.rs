//! Loops that only choose where to go: blocks around a `br_table` of a local. Toolchains whose source has a goto, such as Go's, write functions so:
//! each jump sets the local to a constant and goes to the loop's start.
//!
//! The one idea: a branch to such a loop, where the local is a constant, leads where the table would send it. Code that was translated already is then
//! entered from later on, so what follows those blocks is treated as the start of a loop: nothing is known there but what was known before the loop,
//! and its predecessors are complete when the loop ends.

use super::Translator;
use cranelift_codegen::ir::{Block, InstBuilder, Value};
use wasmparser::BinaryReader;

/// The product of a table's length and the number of variables up to which this is done: the variables of each target are looked for in all of
/// its predecessors.
const MAX_WORK: usize = 1 << 20;
/// How many such loops in each other are looked at.
const MAX_DEPTH: usize = 4;

/// A loop that is open and begins with a choice.
pub(super) struct Dispatch {
    /// Index of the loop's frame.
    frame: usize,
    /// Offset of its opcode.
    loop_at: u32,
    /// Offset of its `br_table`.
    table_at: u64,
    /// The local that chooses.
    local: u32,
    /// How many blocks the table is in, within the loop.
    blocks: u32,
    /// Fuel that is owed at the loop's start, and then the fuel that the way from there to the table costs.
    fuel: i64,
    /// Where the table's entries lead, its default last, once it was translated; none where that is the loop itself.
    targets: Vec<Option<Target>>,
}

/// Where an entry leads.
#[derive(Copy, Clone)]
struct Target {
    /// Index of the frame while it is open.
    frame: usize,
    /// What follows one of the blocks in the loop; none if that is out of the loop.
    inside: Option<Block>,
    /// Fuel that is owed there.
    owed: i64,
}

impl Translator<'_> {
    /// At the start of a loop, whose frame is open: finds out whether it begins with a choice.
    pub(super) fn begin_dispatch(&mut self) {
        let frame = self.s.control.len() - 1;
        // The operands below a loop at which the function starts are other values inside.
        if !self.s.stack.is_empty() || self.is_inlined() || self.s.dispatches.len() == MAX_DEPTH {
            return;
        }
        let rest = usize::try_from(self.next).map(|next| self.wasm.get(next..));
        let Ok(Some(rest)) = rest else {
            return;
        };
        // `block` without parameters and results.
        let pairs = rest.chunks_exact(2);
        let blocks = pairs.take_while(|pair| **pair == [0x02, 0x40]).count();
        let mut reader = BinaryReader::new(&rest[2 * blocks..], self.next + 2 * blocks as u64);
        if blocks == 0 || !reader.read_u8().is_ok_and(|op| op == 0x20) {
            return;
        }
        let Ok(local) = reader.read_var_u32() else {
            return;
        };
        let table_at = reader.original_position();
        if !reader.read_u8().is_ok_and(|op| op == 0x0e) {
            return;
        }
        self.s.dispatches.push(Dispatch {
            frame,
            loop_at: self.location.offset,
            table_at,
            local,
            // Modules are smaller than 4 GiB.
            blocks: blocks as u32,
            fuel: self.flow.owed,
            targets: Vec::new(),
        });
    }

    /// Before the `br_table` at the current position is written, which leads to these depths: if it is such a choice, notes where it leads.
    pub(super) fn note_dispatch(&mut self, depths: &[u32]) -> bool {
        let here = u64::from(self.location.offset);
        let Some(dispatch) = self.s.dispatches.last() else {
            return false;
        };
        if dispatch.table_at != here || depths.len() * self.variables > MAX_WORK {
            return false;
        }
        let (blocks, mut targets) = (dispatch.blocks, Vec::with_capacity(depths.len()));
        for &depth in depths {
            let frame = self.frame_at(depth);
            let mut inside = None;
            if depth < blocks {
                inside = Some(self.target(frame).0);
                self.s.control[frame].entered_later = true;
            }
            targets.push((depth != blocks).then_some(Target {
                frame,
                inside,
                owed: self.s.control[frame].flow().owed,
            }));
        }
        let dispatch = self.s.dispatches.last_mut();
        let dispatch = dispatch.expect("it was there before");
        dispatch.targets = targets;
        dispatch.fuel = self.flow.owed - dispatch.fuel;
        true
    }

    /// Writes the way to the first entry, which is where functions begin, ahead of the table.
    pub(super) fn choose_first(&mut self, selector: Value) {
        let targets = self.s.dispatches.last().map(|d| &d.targets);
        let first = targets.and_then(|t| t.first().copied().flatten());
        let Some(first) = first.and_then(|target| target.inside) else {
            return;
        };
        let others = self.b.create_block();
        self.b.set_cold_block(others);
        let ins = self.b.ins();
        ins.brif(selector, others, &[], first, &[]);
        self.enter(others);
    }

    /// Writes a branch to the frame of this index up to where it leads, with all that is to be done on the way. Returns the frame that is left to be
    /// branched to, if what follows the branch's end is not known yet.
    pub(super) fn follow(&mut self, frame: usize) -> Option<usize> {
        let Some((target, loop_at, fuel)) = self.chosen(frame) else {
            return Some(frame);
        };
        // Who is stopped on the way is at the loop.
        let here = self.location.offset;
        self.set_location(loop_at);
        self.check_fuel_of_loop();
        self.flow.owed += fuel;
        let open = self.s.control.get(target.frame);
        let left = match target.inside {
            Some(block) if !open.is_some_and(|frame| frame.leads_to(block)) => {
                self.watch_with_fuel();
                self.owe(target.owed);
                self.b.ins().jump(block, &[]);
                None
            }
            _ => Some(target.frame),
        };
        self.set_location(here);
        left
    }

    /// Where a branch to the frame of this index goes on, and where the loop is and what the way there costs, if that is known.
    fn chosen(&mut self, frame: usize) -> Option<(Target, u32, i64)> {
        let found = self.s.dispatches.iter().rposition(|d| d.frame == frame)?;
        let last = self.s.dispatches[found].targets.len().checked_sub(1)?;
        let value = self.local(self.s.dispatches[found].local);
        let chosen = self.constant(value)?;
        let entry = usize::try_from(chosen).map_or(last, |chosen| chosen.min(last));
        let dispatch = &self.s.dispatches[found];
        Some((dispatch.targets[entry]?, dispatch.loop_at, dispatch.fuel))
    }

    /// At a loop's end, whose frame had this index.
    pub(super) fn end_dispatch(&mut self, frame: usize) {
        if self.s.dispatches.last().is_none_or(|d| d.frame != frame) {
            return;
        }
        let dispatch = self.s.dispatches.pop();
        let mut blocks: Vec<Block> = dispatch
            .into_iter()
            .flat_map(|d| d.targets)
            .flatten()
            .filter_map(|target| target.inside)
            .collect();
        blocks.sort_unstable();
        blocks.dedup();
        for block in blocks {
            self.b.seal_block(block);
        }
    }
}
