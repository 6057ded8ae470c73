//! References in slots of the frame, as instructions read them.
//!
//! A reference that is used after a call is loaded from its slot, mostly to be extended and added to the heap's base. Cranelift takes the
//! address of a slot for a value worth keeping, so it computes it ahead of loops and keeps it in a register; and it does not see the slot
//! in a load that it makes part of an extension. The one idea: between its optimizations and its choice of instructions, each load
//! and store gets the address of its slot for itself, which is then part of the instruction, and what is extended is loaded so.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::immediates::Offset32;
use cranelift_codegen::ir::{
    Function, Inst, InstBuilder, InstructionData, MemFlags, Opcode, StackSlot, Type, Value, types,
};
use smallvec::SmallVec;

/// Where a slot is accessed: the slot, an offset of its address, another of the access, and its flags.
#[derive(Copy, Clone)]
struct Place {
    slot: StackSlot,
    base: Offset32,
    offset: Offset32,
    flags: MemFlags,
}

/// Whether there is anything to be done for a function.
pub(crate) fn has_slots(func: &Function) -> bool {
    !func.sized_stack_slots.is_empty()
}

/// Does it, for a function that was optimized.
pub(crate) fn place_addresses(func: &mut Function) {
    let mut uses = count_uses(func);
    let mut cursor = FuncCursor::new(func);
    // References that were loaded in the block, as long as their slots are as they were.
    let mut loaded = SmallVec::<[(Value, Place); 8]>::new();
    let mut extended = Vec::new();
    while cursor.next_block().is_some() {
        loaded.clear();
        while let Some(inst) = cursor.next_inst() {
            cursor.use_srcloc(inst);
            let opcode = cursor.func.dfg.insts[inst].opcode();
            if opcode.is_call() {
                loaded.clear();
            } else if let Some(place) = place_of(cursor.func, inst) {
                let address = address(&mut cursor, place);
                if let Some(arg) = cursor.func.dfg.inst_args_mut(inst).last_mut() {
                    *arg = address;
                }
                if opcode.can_store() {
                    loaded.retain(|(_, other)| other.slot != place.slot);
                } else if let Some(value) = result_of(cursor.func, inst, types::I32) {
                    loaded.push((value, place));
                }
            } else if opcode == Opcode::Uextend
                && result_of(cursor.func, inst, types::I64).is_some()
            {
                let value = cursor.func.dfg.inst_args(inst)[0];
                let value = cursor.func.dfg.resolve_aliases(value);
                if let Some(&(_, place)) = loaded.iter().find(|(known, _)| *known == value) {
                    uses[value] -= 1;
                    extended.push(value);
                    let address = address(&mut cursor, place);
                    // The result stays 64 bits.
                    cursor.func.dfg.insts[inst] = InstructionData::Load {
                        opcode: Opcode::Uload32,
                        arg: address,
                        flags: place.flags,
                        offset: place.offset,
                    };
                }
            }
        }
    }
    for value in extended {
        if uses[value] == 0
            && let Some(load) = func.dfg.value_def(value).inst()
            && func.layout.inst_block(load).is_some()
        {
            func.layout.remove_inst(load);
        }
    }
}

/// How often each value is used.
fn count_uses(func: &Function) -> SecondaryMap<Value, u32> {
    let mut uses = SecondaryMap::new();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            for value in func.dfg.inst_values(inst) {
                uses[func.dfg.resolve_aliases(value)] += 1;
            }
        }
    }
    uses
}

fn address(cursor: &mut FuncCursor<'_>, place: Place) -> Value {
    cursor.ins().stack_addr(types::I64, place.slot, place.base)
}

/// The place that a plain load or store accesses, if it is in a slot.
fn place_of(func: &Function, inst: Inst) -> Option<Place> {
    let (address, flags, offset) = match func.dfg.insts[inst] {
        InstructionData::Load {
            opcode: Opcode::Load,
            arg,
            flags,
            offset,
        } => (arg, flags, offset),
        InstructionData::Store {
            opcode: Opcode::Store,
            args,
            flags,
            offset,
        } => (args[1], flags, offset),
        _ => return None,
    };
    let address = func.dfg.resolve_aliases(address);
    let definition = func.dfg.value_def(address).inst()?;
    match func.dfg.insts[definition] {
        InstructionData::StackAddr {
            stack_slot,
            offset: base,
            ..
        } => Some(Place {
            slot: stack_slot,
            base,
            offset,
            flags,
        }),
        _ => None,
    }
}

/// The result of an instruction, if it is of this type.
fn result_of(func: &Function, inst: Inst, ty: Type) -> Option<Value> {
    let result = func.dfg.inst_results(inst).first().copied();
    result.filter(|&value| func.dfg.value_type(value) == ty)
}
