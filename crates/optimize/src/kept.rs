//! Values that are computed again where they had better be kept.
//!
//! Cranelift computes a sum, a difference and the like of a value and a constant again in each block that uses it: it is one instruction, and the result needs
//! no register in between. But a counter that was counted up is kept for the next turn of its loop anyway; to count up again after the loop only keeps the
//! old one, too, and has the loop copy one to the other. And what does not change in a loop is computed at each turn. The one idea: between Cranelift's
//! optimizations and its choice of instructions, such a block gets the value that was computed first.

use cranelift_codegen::Context;
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::ir::{
    Block, BlockArg, Function, Inst, InstructionData, Opcode, Value, ValueDef,
};
use hashbrown::{HashMap, HashSet};

/// An operation on a value and a constant, in either order.
type Operation = (Opcode, [Value; 2]);

/// Does it, for a function that was optimized.
pub(crate) fn keep(context: &mut Context) {
    let again = computed_again(&context.func, &context.domtree);
    if again.is_empty() {
        return;
    }
    let uses = Uses::of(&context.func, &again);
    // Loops are those that there were when it was optimized: it may have found out that one never turns.
    let (func, domtree, loops) = (&mut context.func, &context.domtree, &context.loop_analysis);
    let mut any = false;
    for (first, again) in again {
        let block_of = |inst| func.layout.inst_block(inst);
        let (Some(before), Some(block)) = (block_of(first), block_of(again)) else {
            continue;
        };
        let [value, copy] = [first, again].map(|inst| func.dfg.first_result(inst));
        // Its block comes before the loop, or within it: after the loop's first.
        let same_at_each_turn = loops
            .innermost_loop(block)
            .is_some_and(|lp| !domtree.block_dominates(loops.loop_header(lp), before));
        if counted(func, first).is_some_and(|loop_| uses.passed.contains(&(value, loop_)))
            || same_at_each_turn && !uses.addresses.contains(&copy)
        {
            func.dfg.clear_results(again);
            func.dfg.change_to_alias(copy, value);
            func.layout.remove_inst(again);
            any = true;
        }
    }
    if any {
        func.dfg.resolve_all_aliases();
    }
}

/// Operations that were done before wherever they are done again, and those that do them again.
fn computed_again(func: &Function, domtree: &DominatorTree) -> Vec<(Inst, Inst)> {
    let mut all = Vec::new();
    let mut first = HashMap::<Operation, (Block, Inst)>::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            let Some(operation) = operation(func, inst) else {
                continue;
            };
            all.push((operation, block, inst));
            let known = first.entry(operation).or_insert((block, inst));
            if known.0 != block && domtree.block_dominates(block, known.0) {
                *known = (block, inst);
            }
        }
    }
    if all.len() == first.len() {
        return Vec::new();
    }
    all.retain(|(operation, block, _)| {
        let before = first[operation].0;
        before != *block && domtree.block_dominates(before, *block)
    });
    let again = all.into_iter();
    again.map(|(op, _, inst)| (first[&op].1, inst)).collect()
}

/// What an instruction does, if it is one of those that are done again.
fn operation(func: &Function, inst: Inst) -> Option<Operation> {
    use Opcode::{Band, Bor, Bxor, Iadd, Isub};
    let InstructionData::Binary {
        opcode: opcode @ (Iadd | Isub | Band | Bor | Bxor),
        args,
    } = func.dfg.insts[inst]
    else {
        return None;
    };
    let is_constant = |value: Value| {
        let inst = func.dfg.value_def(value).inst();
        inst.is_some_and(|inst| func.dfg.insts[inst].opcode() == Opcode::Iconst)
    };
    args.into_iter().any(is_constant).then_some((opcode, args))
}

/// The block of which an operation's operand is a parameter: if that counts a loop's turns, the loop's first.
fn counted(func: &Function, inst: Inst) -> Option<Block> {
    let mut args = func.dfg.inst_args(inst).iter();
    args.find_map(|&arg| match func.dfg.value_def(arg) {
        ValueDef::Param(block, _) => Some(block),
        _ => None,
    })
}

/// What else is done with values that are computed again.
struct Uses {
    /// The first ones, and blocks to which branches pass them.
    passed: HashSet<(Value, Block)>,
    /// Later ones at which memory is accessed: those the access computes itself.
    addresses: HashSet<Value>,
}

impl Uses {
    /// Looks at each instruction once.
    fn of(func: &Function, again: &[(Inst, Inst)]) -> Uses {
        let dfg = &func.dfg;
        let results = |pick: fn(&(Inst, Inst)) -> Inst| -> HashSet<Value> {
            let insts = again.iter().map(pick);
            insts.map(|inst| dfg.first_result(inst)).collect()
        };
        let (first, later) = (results(|pair| pair.0), results(|pair| pair.1));
        let mut uses = Uses {
            passed: HashSet::new(),
            addresses: HashSet::new(),
        };
        for inst in func
            .layout
            .blocks()
            .flat_map(|b| func.layout.block_insts(b))
        {
            match &dfg.insts[inst] {
                InstructionData::Load { arg, .. } if later.contains(arg) => {
                    uses.addresses.insert(*arg);
                }
                InstructionData::Store { args, .. } if later.contains(&args[1]) => {
                    uses.addresses.insert(args[1]);
                }
                branch if branch.opcode().is_terminator() => {
                    for call in branch.branch_destination(&dfg.jump_tables, &dfg.exception_tables) {
                        let to = call.block(&dfg.value_lists);
                        let values = call.args(&dfg.value_lists).filter_map(|arg| match arg {
                            BlockArg::Value(value) if first.contains(&value) => Some((value, to)),
                            _ => None,
                        });
                        uses.passed.extend(values);
                    }
                }
                _ => {}
            }
        }
        uses
    }
}
