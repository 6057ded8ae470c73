//! What calls through references call, as the first tier counts it.
//!
//! The one idea: each such call that is compiled gets a number, under which its code counts in [`vm::CodeRegion::call_profiles`]; here it is found again
//! by the offset of its opcode.

use super::module::locked;
use super::policy::Policy;
use meantime_abi::DefinedFuncIndex;
use meantime_optimize::Guess;
use meantime_vm as vm;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

/// The numbers of the calls of a module, by the offset of their opcodes in the module's bytes.
#[derive(Default)]
pub(super) struct Sites(Mutex<HashMap<u32, u32>>);

/// What a call was seen to call.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// What it called last, if that is a function of the module.
    pub callee: Option<DefinedFuncIndex>,
    /// That function's code as it stands in funcrefs.
    pub address: usize,
    pub calls: u32,
    /// How many of these went elsewhere than the one before.
    pub misses: u32,
}

impl Seen {
    /// Whether it is worth compiling the call for what it called.
    pub fn is_steady(&self, policy: &Policy) -> bool {
        self.calls >= policy.guess_calls && self.misses <= self.calls / policy.guess_ratio
    }
}

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

    /// What the call whose opcode is at this offset called.
    pub fn seen(&self, code: &vm::CodeRegion, offset: u32) -> Option<Seen> {
        let number = *locked(&self.0).get(&offset)?;
        Some(seen(code, number))
    }

    /// What the call whose opcode is at this offset mostly calls.
    pub fn mostly_called(
        &self,
        code: &vm::CodeRegion,
        offset: u32,
        policy: &Policy,
    ) -> Option<Guess> {
        let seen = self.seen(code, offset).filter(|s| s.is_steady(policy))?;
        Some(Guess {
            func: seen.callee?,
            address: seen.address,
        })
    }
}

fn seen(code: &vm::CodeRegion, number: u32) -> Seen {
    let profile = &code.call_profiles()[number as usize];
    let address = profile.code.load(Ordering::Relaxed).addr();
    Seen {
        callee: code.func_of_thunk(address),
        address,
        // Code counts downwards.
        calls: profile.calls.load(Ordering::Relaxed).wrapping_neg(),
        misses: profile.misses.load(Ordering::Relaxed).wrapping_neg(),
    }
}
