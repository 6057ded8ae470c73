//! Loops as Cranelift does best with them: in which order branches name the ways out, and where what was known of memory ends.
//!
//! Two facts of it. It goes through a function in the order of its dominator tree, and takes a loop for finished at the first block outside of
//! it; of the two ways that a branch goes, it takes the second first. So a branch names that way first which leaves more loops: then all
//! of a loop comes before what follows it, in code as well, and what does not change in the loop moves out of it.
//!
//! And it finds out what memory holds by going round loops: a block that it has been in once, and where it then knows less, forgets all
//! that differs, even what holds since the loop began. In a loop with a call nothing outlives a turn. So such a loop begins with a mark
//! that says so from the start, and what is loaded in one block of it is known in those after that. The mark is no code.

use cranelift_codegen::Context;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Block, Function, Inst, InstBuilder, InstructionData, Value};
use cranelift_codegen::loop_analysis::{Loop, LoopAnalysis};

/// As many loops around others are looked at for one that two blocks are in.
const MAX_LEVELS: usize = 32;

/// Does both, for a function that is to be optimized.
pub(crate) fn prepare(context: &mut Context) {
    context.flowgraph();
    context.compute_loop_analysis();
    if context.loop_analysis.loops().len() > 0 {
        turn_branches(&mut context.func, &context.loop_analysis);
        mark_loops_with_calls(&mut context.func, &context.loop_analysis);
        // It is of another order now.
        context.domtree.clear();
    }
    context.loop_analysis.clear();
}

/// Begins each loop in which there is a call with a mark.
fn mark_loops_with_calls(func: &mut Function, loops: &LoopAnalysis) {
    let mut marked = SecondaryMap::<Loop, bool>::new();
    let mut next = func.layout.entry_block();
    while let Some(block) = next {
        next = func.layout.next_block(block);
        let mut within = loops.innermost_loop(block).filter(|&lp| !marked[lp]);
        if within.is_none() || !has_call(func, block) {
            continue;
        }
        // Those around a loop that is marked are marked.
        while let Some(lp) = within {
            marked[lp] = true;
            let header = loops.loop_header(lp);
            FuncCursor::new(func)
                .at_first_insertion_point(header)
                .ins()
                .sequence_point();
            within = loops.loop_parent(lp).filter(|&lp| !marked[lp]);
        }
    }
}

fn has_call(func: &Function, block: Block) -> bool {
    let mut insts = func.layout.block_insts(block);
    insts.any(|inst| func.dfg.insts[inst].opcode().is_call())
}

/// Turns branches around where that is due.
fn turn_branches(func: &mut Function, loops: &LoopAnalysis) {
    let mut next = func.layout.entry_block();
    while let Some(block) = next {
        next = func.layout.next_block(block);
        if let Some(branch) = func.layout.last_inst(block)
            && let Some((condition, ways)) = branch_of(func, branch)
        {
            let [first, second] = ways.map(|way| common_loop(loops, block, way));
            // What goes around a loop is no way ahead.
            let goes_around = first.is_some_and(|lp| loops.loop_header(lp) == ways[0]);
            if level(loops, first) > level(loops, second) && !goes_around {
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

/// The innermost loop that both blocks are in, unless it is far outside.
fn common_loop(loops: &LoopAnalysis, block: Block, way: Block) -> Option<Loop> {
    let (mut from, mut to) = (loops.innermost_loop(block)?, loops.innermost_loop(way)?);
    for _ in 0..MAX_LEVELS {
        if from == to {
            return Some(from);
        }
        if level(loops, Some(from)) >= level(loops, Some(to)) {
            from = loops.loop_parent(from)?;
        } else {
            to = loops.loop_parent(to)?;
        }
    }
    None
}

/// How many loops this one is in, itself included.
fn level(loops: &LoopAnalysis, lp: Option<Loop>) -> usize {
    lp.map_or(0, |lp| loops.loop_level(loops.loop_header(lp)).level())
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
