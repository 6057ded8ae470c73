//! Clamps of 64-bit indices made cheap where the index is below 4 GiB: what is below 4 GiB is what its lower half is.
//!
//! The one idea: a comparison of the index with its lower half, a branch if they are not equal, and an access at the lower half cost less
//! than a clamp of the index does, and no time at all before the access, which waits for nothing but the lower half. The clamp is where the branch leads,
//! out of the way. The branch may be predicted wrongly, but then the access is at the lower half, which is in the reservation as well.

use super::State;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    BlockArg, Function, Inst, InstBuilder,
    condcodes::IntCC,
    types::{I32, I64},
};

/// In a function with more clamps than this only those in loops become larger code that takes longer to compile.
const FEW_CLAMPS: usize = 8;

/// So many are moved out of the way in one function: each adds blocks, and allocating registers takes more than twice as long for twice the blocks.
const MOST_CLAMPS: usize = 1000;

/// A clamp that may be moved out of the way.
#[derive(Copy, Clone)]
pub(super) struct Movable {
    /// The comparison with the limit.
    pub(super) compare: Inst,
    /// The choice between the limit and the index.
    pub(super) select: Inst,
    /// Whether it is in a loop.
    pub(super) in_loop: bool,
}

impl State {
    /// Moves those clamps out of the way, in a function that is finished, that are likely to be executed often.
    pub(super) fn truncate_indices(&mut self, func: &mut Function) {
        let few = self.clamps.len() <= FEW_CLAMPS;
        self.clamps.retain(|clamp| few || clamp.in_loop);
        self.clamps.truncate(MOST_CLAMPS);
        // The last one first, so that what is behind it in its block is split off but once.
        for clamp in self.clamps.drain(..).rev() {
            move_away(func, clamp);
        }
    }
}

/// Makes a clamp one for large indices only.
fn move_away(func: &mut Function, clamp: Movable) {
    let Movable {
        compare, select, ..
    } = clamp;
    let layout = &func.layout;
    let (Some(block), Some(after)) = (layout.inst_block(select), layout.next_inst(select)) else {
        unreachable!("a block does not end with a choice");
    };
    if layout.is_cold(block) {
        return;
    }
    let (large, join) = (func.dfg.make_block(), func.dfg.make_block());
    let layout = &mut func.layout;
    layout.split_block(join, after);
    layout.remove_inst(compare);
    layout.remove_inst(select);
    let index = func.dfg.inst_args(select)[2];
    // What was the choice's result is the block's parameter now.
    let clamped = func.dfg.first_result(select);
    func.dfg.detach_inst_results(select);
    func.dfg.attach_block_param(join, clamped);
    func.dfg.make_inst_results(select, I64);

    let mut cursor = FuncCursor::new(func).at_bottom(block);
    let half = cursor.ins().ireduce(I32, index);
    let half = cursor.ins().uextend(I64, half);
    let is_large = cursor.ins().icmp(IntCC::NotEqual, half, index);
    let half = BlockArg::Value(half);
    cursor.ins().brif(is_large, large, &[], join, &[half]);
    cursor.insert_block(large);
    cursor.func.layout.set_cold(large);
    cursor.insert_inst(compare);
    cursor.insert_inst(select);
    let clamped = BlockArg::Value(cursor.func.dfg.first_result(select));
    cursor.ins().jump(join, &[clamped]);
}
