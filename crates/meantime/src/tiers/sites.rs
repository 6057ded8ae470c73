//! What calls through references call, as the first tier counts it.
//!
//! The one idea: each such call that is compiled gets a number, under which its code counts in [`vm::CodeRegion::call_profiles`]; here it is found again
//! by the offset of its opcode.

use super::module::locked;
use crate::profile::Calls;
use meantime_abi::{DefinedFuncIndex, FuncIndex};
use meantime_vm as vm;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

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

    /// What the call whose opcode is at this offset mostly calls.
    pub fn mostly_called(&self, code: &vm::CodeRegion, offset: u32) -> Option<DefinedFuncIndex> {
        let number = *locked(&self.0).get(&offset)?;
        let (callee, seen) = seen(code, number)?;
        seen.are_steady().then_some(callee)
    }

    /// What all calls were seen to call, by offset.
    pub fn all(&self, code: &vm::CodeRegion) -> BTreeMap<u32, Calls> {
        let sites = locked(&self.0);
        let all = sites.iter().filter_map(|(&offset, &number)| {
            let (_, seen) = seen(code, number)?;
            Some((offset, seen))
        });
        all.collect()
    }
}

/// What was counted under a number, if the last callee was a function of the module.
fn seen(code: &vm::CodeRegion, number: u32) -> Option<(DefinedFuncIndex, Calls)> {
    let profile = &code.call_profiles()[number as usize];
    let callee = code.func_of_thunk(profile.code.load(Ordering::Relaxed).addr())?;
    let seen = Calls {
        callee: FuncIndex::from_u32(code.func_imports() + callee.as_u32()),
        // Code counts downwards.
        calls: profile.calls.load(Ordering::Relaxed).wrapping_neg(),
        misses: profile.misses.load(Ordering::Relaxed).wrapping_neg(),
    };
    Some((callee, seen))
}
