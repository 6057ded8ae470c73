//! Branches that leave loops, in the order in which Cranelift does best with them.
//!
//! The one idea: Cranelift goes through a function in the order of its dominator tree, and takes a loop for finished at the first block
//! outside of it. Of the two ways that a branch goes, it takes the second first. So a branch names that way first which leaves more
//! loops: then all of a loop comes before what follows it, in code as well, and what does not change in the loop moves out of it.

use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Block, Function, Inst, InstBuilder, InstructionData, Value};
use cranelift_codegen::loop_analysis::LoopAnalysis;

/// Turns branches around where that is due.
pub(crate) fn name_exits_first(context: &mut Context) {
    context.flowgraph();
    context.compute_loop_analysis();
    if context.loop_analysis.loops().len() > 0 {
        turn_branches(&mut context.func, &context.loop_analysis);
        // It is of another order now.
        context.domtree.clear();
    }
    context.loop_analysis.clear();
}

fn turn_branches(func: &mut Function, loops: &LoopAnalysis) {
    let mut next = func.layout.entry_block();
    while let Some(block) = next {
        next = func.layout.next_block(block);
        if let Some(branch) = func.layout.last_inst(block)
            && let Some((condition, ways)) = branch_of(func, branch)
        {
            let [first, second] = ways.map(|way| loops_kept(loops, block, way));
            // What goes around the loop is no way ahead.
            let goes_around = loops
                .is_loop_header(ways[0])
                .is_some_and(|it| loops.is_in_loop(block, it));
            if first > second && !goes_around {
                turn(func, branch, condition);
            }
        }
    }
}

/// The condition of a branch and where it leads.
fn branch_of(func: &Function, branch: Inst) -> Option<(Value, [Block; 2])> {
    let InstructionData::Brif { arg, blocks, .. } = func.dfg.insts[branch] else {
        return None;
    };
    let ways = blocks.map(|call| call.block(&func.dfg.value_lists));
    Some((arg, ways))
}

/// How many of the loops that a block is in a way from there stays in.
fn loops_kept(loops: &LoopAnalysis, block: Block, way: Block) -> usize {
    let mut kept = loops.innermost_loop(block);
    while let Some(within) = kept {
        if loops.is_in_loop(way, within) {
            return loops.loop_level(loops.loop_header(within)).level();
        }
        kept = loops.loop_parent(within);
    }
    0
}

/// Has a branch go the other way on the opposite of its condition.
fn turn(func: &mut Function, branch: Inst, condition: Value) {
    let mut cursor = FuncCursor::new(func).at_inst(branch);
    cursor.use_srcloc(branch);
    let opposite = opposite(&mut cursor, condition);
    if let InstructionData::Brif { arg, blocks, .. } = &mut cursor.func.dfg.insts[branch] {
        *arg = opposite;
        blocks.swap(0, 1);
    }
}

/// A value that is zero where `condition` is not.
fn opposite(cursor: &mut FuncCursor<'_>, condition: Value) -> Value {
    let dfg = &cursor.func.dfg;
    let inst = dfg.value_def(dfg.resolve_aliases(condition)).inst();
    match inst.map(|inst| dfg.insts[inst]) {
        Some(InstructionData::IntCompare {
            cond, args: [x, y], ..
        }) => cursor.ins().icmp(cond.complement(), x, y),
        Some(InstructionData::FloatCompare {
            cond, args: [x, y], ..
        }) => cursor.ins().fcmp(cond.complement(), x, y),
        _ => {
            let ty = dfg.value_type(condition);
            let zero = cursor.ins().iconst(ty, 0);
            cursor.ins().icmp(IntCC::Equal, condition, zero)
        }
    }
}
