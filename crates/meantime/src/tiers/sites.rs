//! What calls through references call, as the first tier sees it.
//!
//! The one idea: each such call that is compiled gets a number, under which is noted what it calls in [`vm::CodeRegion::call_profiles`]; here it is found again
//! by the offset of its opcode.

use super::module::locked;
use crate::profile::Calls;
use meantime_abi::{DefinedFuncIndex, FuncIndex};
use meantime_vm as vm;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

/// The numbers of the calls of a module, by the offset of their opcodes in the module's bytes.
#[derive(Default)]
pub(super) struct Sites(Mutex<HashMap<u32, u32>>);

impl Sites {
    /// A number for the call whose opcode is at this offset; none when there are no more.
    pub fn number(&self, code: &vm::CodeRegion, offset: u32) -> Option<u32> {
        let mut sites = locked(&self.0);
        let next = sites.len() as u32;
        if (next as usize) < code.call_profiles().len() {
            return Some(*sites.entry(offset).or_insert(next));
        }
        sites.get(&offset).copied()
    }

    /// What the call whose opcode is at this offset calls, as far as that is known.
    pub fn called(&self, code: &vm::CodeRegion, offset: u32) -> Option<Calls> {
        let number = *locked(&self.0).get(&offset)?;
        Some(seen(code, number))
    }

    /// What all calls that were made call, by offset.
    pub fn all(&self, code: &vm::CodeRegion) -> BTreeMap<u32, Calls> {
        let sites = locked(&self.0);
        let all = sites
            .iter()
            .map(|(&offset, &number)| (offset, seen(code, number)));
        all.filter(|(_, seen)| seen.calls > 0).collect()
    }
}

/// What was seen under a number.
fn seen(code: &vm::CodeRegion, number: u32) -> Calls {
    let (calls, callees) = vm::profiled_callees(&code.call_profiles()[number as usize]);
    let imports = code.func_imports();
    let index = |func: DefinedFuncIndex| FuncIndex::from_u32(imports + func.as_u32());
    let callees = callees
        .into_iter()
        .map(|(func, count)| (index(func), count));
    Calls {
        calls,
        callees: callees.collect(),
    }
}
