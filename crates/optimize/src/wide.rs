//! Integers of 32 bits that are loaded and then extended, as addresses are.
//!
//! Cranelift loads such an integer in one instruction and extends it in another, unless it is used for nothing else. The one idea: both
//! machines extend what they load anyway, so 64 bits are loaded, and the 32 bits are the lower half of those, which takes no instruction.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{Function, Inst, InstBuilder, InstructionData, Opcode, Value, types};

/// Does it, for a function that was optimized.
pub(crate) fn widen_loads(func: &mut Function) {
    let mut cursor = FuncCursor::new(func);
    let mut any = false;
    while cursor.next_block().is_some() {
        while let Some(inst) = cursor.next_inst() {
            if let Some((result, value)) = extension(cursor.func, inst)
                && let Some(wide) = wide(cursor.func, value)
            {
                cursor.func.dfg.clear_results(inst);
                cursor.func.dfg.change_to_alias(result, wide);
                cursor.remove_inst_and_step_back();
                any = true;
            }
        }
    }
    if any {
        func.dfg.resolve_all_aliases();
    }
}

/// The result of an instruction that extends 32 bits to 64, and what it extends.
fn extension(func: &Function, inst: Inst) -> Option<(Value, Value)> {
    let InstructionData::Unary {
        opcode: Opcode::Uextend,
        arg,
    } = func.dfg.insts[inst]
    else {
        return None;
    };
    let (result, value) = (func.dfg.first_result(inst), func.dfg.resolve_aliases(arg));
    let types = (func.dfg.value_type(value), func.dfg.value_type(result));
    (types == (types::I32, types::I64)).then_some((result, value))
}

/// The 64 bits of which a value is the lower half, if it was loaded.
fn wide(func: &mut Function, value: Value) -> Option<Value> {
    let load = func.dfg.value_def(value).inst()?;
    match func.dfg.insts[load] {
        InstructionData::Load {
            opcode: Opcode::Load,
            arg,
            flags,
            offset,
        } => {
            let mut cursor = FuncCursor::new(func).at_inst(load);
            cursor.use_srcloc(load);
            let flags = cursor.func.dfg.mem_flags[flags];
            let wide = cursor.ins().uload32(flags, arg, offset);
            cursor.func.dfg.insts[load] = InstructionData::Unary {
                opcode: Opcode::Ireduce,
                arg: wide,
            };
            Some(wide)
        }
        // It was done for another use.
        InstructionData::Unary {
            opcode: Opcode::Ireduce,
            arg,
        } => {
            let load = func.dfg.value_def(arg).inst()?;
            (func.dfg.insts[load].opcode() == Opcode::Uload32).then_some(arg)
        }
        _ => None,
    }
}
