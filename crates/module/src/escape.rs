//! Which functions can become a `funcref`: those that need a place for one in every instance. The start function counts too, because the
//! host calls it.
//!
//! The one idea: a `ref.func` in a body may only name a function that also occurs outside of bodies (the specification's C.REFS),
//! so looking at exports, the start section, segments and constant expressions finds all.

use crate::{ElemItems, EntityIndex, Module, SegmentMode};
use meantime_abi::FuncIndex;

/// Numbers the functions that escape, in the order of their indices.
pub(crate) fn mark(module: &mut Module) {
    let mut escapes = vec![false; module.functions.len()];
    let mut mark = |func: FuncIndex| escapes[func.as_u32() as usize] = true;
    for export in &module.exports {
        if let EntityIndex::Func(func) = export.index {
            mark(func);
        }
    }
    // The host calls it as it calls an exported function.
    module.start.iter().copied().for_each(&mut mark);
    for init in module.global_inits.values() {
        init.funcs().for_each(&mut mark);
    }
    for table in module.table_inits.values() {
        table
            .init
            .iter()
            .flat_map(|init| init.funcs())
            .for_each(&mut mark);
    }
    for elem in module.elems.values() {
        if let SegmentMode::Active { offset, .. } = &elem.mode {
            offset.funcs().for_each(&mut mark);
        }
        match &elem.items {
            ElemItems::Funcs(funcs) => funcs.iter().flatten().copied().for_each(&mut mark),
            ElemItems::Exprs(exprs) => {
                exprs
                    .iter()
                    .flat_map(|expr| expr.funcs())
                    .for_each(&mut mark);
            }
        }
    }
    for (func, _) in escapes.iter().enumerate().filter(|(_, escapes)| **escapes) {
        let func = FuncIndex::from_u32(func as u32);
        let place = module.escaped.push(func);
        module.functions[func].escaped = Some(place);
    }
    module.counts.escaped_funcs = module.escaped.len() as u32;
}
