//! References in slots of the frame, as instructions access them.
//!
//! A reference that is used after a call is loaded from its slot. Cranelift takes the address of a slot for a value worth keeping, so it
//! computes it ahead of loops and keeps it in a register. The one idea: between its optimizations and its choice of instructions, each
//! load and store gets the address of its slot for itself, which is then part of the instruction.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::immediates::Offset32;
use cranelift_codegen::ir::{
    Function, Inst, InstBuilder, InstructionData, Opcode, StackSlot, types,
};

/// Does it, for a function that was optimized.
pub(crate) fn place_addresses(func: &mut Function) {
    let mut cursor = FuncCursor::new(func);
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            let Some((slot, offset)) = place_of(cursor.func, inst) else {
                continue;
            };
            cursor.use_srcloc(inst);
            let address = cursor.ins().stack_addr(types::I64, slot, offset);
            if let Some(arg) = cursor.func.dfg.inst_args_mut(inst).last_mut() {
                *arg = address;
            }
        }
    }
}

/// The slot that a plain load or store accesses, if it does, and an offset in it to which that of the access is added.
fn place_of(func: &Function, inst: Inst) -> Option<(StackSlot, Offset32)> {
    let address = match func.dfg.insts[inst] {
        InstructionData::Load {
            opcode: Opcode::Load,
            arg,
            ..
        } => arg,
        InstructionData::Store {
            opcode: Opcode::Store,
            args,
            ..
        } => args[1],
        _ => return None,
    };
    let address = func.dfg.resolve_aliases(address);
    let definition = func.dfg.value_def(address).inst()?;
    match func.dfg.insts[definition] {
        InstructionData::StackAddr {
            stack_slot, offset, ..
        } => Some((stack_slot, offset)),
        _ => None,
    }
}
