//! Optimized code that outlives the process: taken from a cache when the module is made, and kept there when it is dropped.
//!
//! The one idea: what was optimized before is published before the module runs, so it is as if the background had been done already.

use super::log::Tier;
use super::module::{ModuleTiers, locked, publish};
use super::stage::Stage;
use crate::cache::{Entry, Warm, content};
use crate::profile::Profile;
use meantime_abi::{CompiledFunction, DefinedFuncIndex};
use meantime_vm as vm;
use std::io::Read;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

/// What a module keeps in a cache.
pub(super) struct Kept {
    entry: Entry,
    functions: Mutex<Functions>,
    /// The profile that was there.
    before: OnceLock<Profile>,
}

#[derive(Default)]
struct Functions {
    /// In the order in which they were made.
    made: Vec<(DefinedFuncIndex, CompiledFunction)>,
    /// How many of them are in the cache.
    written: usize,
}

impl Kept {
    pub fn new(entry: Entry) -> Kept {
        Kept {
            entry,
            functions: Mutex::default(),
            before: OnceLock::new(),
        }
    }

    /// Notes what is to be kept.
    pub fn add(&self, func: DefinedFuncIndex, compiled: CompiledFunction) {
        locked(&self.functions).made.push((func, compiled));
    }

    /// The profile that was there.
    pub fn before(&self) -> Option<&Profile> {
        self.before.get()
    }

    fn read(&self) -> Option<Warm> {
        let mut bytes = Vec::new();
        self.entry.open()?.read_to_end(&mut bytes).ok()?;
        Warm::decode(content(&bytes)?)
    }
}

impl ModuleTiers {
    /// The profile of earlier processes.
    pub(super) fn before(&self) -> Option<&Profile> {
        self.kept.as_ref()?.before()
    }

    /// Publishes what a cache has of the module. No code of it runs yet.
    pub(crate) fn warm_up(&self, code: &vm::CodeRegion) {
        let Some(kept) = &self.kept else {
            return;
        };
        let warm = kept.read().filter(|w| w.profile.is_of(self.wasm()));
        kept.entry.count(warm.is_some());
        let Some(warm) = warm else {
            return;
        };
        // It was not there before.
        let _ = kept.before.set(warm.profile);
        let mut functions = locked(&kept.functions);
        for (func, compiled) in warm.functions {
            let began = Instant::now();
            if !self.adopt(code, func, &compiled) {
                continue;
            }
            self.log
                .note(func, Tier::Optimized, began, compiled.code.len());
            functions.made.push((func, compiled));
        }
        functions.written = functions.made.len();
    }

    /// Publishes a function that was optimized before, unless what it calls directly is not there.
    fn adopt(
        &self,
        code: &vm::CodeRegion,
        func: DefinedFuncIndex,
        compiled: &CompiledFunction,
    ) -> bool {
        let module = self.module();
        let is_there = |func: DefinedFuncIndex| {
            module.bodies().get(func).is_some() && self.function(func).stage() == Stage::Last
        };
        let reaches = compiled.relocations.iter().all(|relocation| {
            let target = module.defined_func(relocation.target);
            target.is_some_and(|target| target == func || is_there(target))
        });
        if module.bodies().get(func).is_none() || !reaches || is_there(func) {
            return false;
        }
        let Ok(address) = publish(code, func, compiled, None) else {
            return false;
        };
        let slot = &code.slots()[func.as_u32() as usize];
        slot.code.store(address.cast_mut(), Ordering::Release);
        self.count_optimized(compiled.code.len());
        self.function(func).advance(Stage::Cold, Stage::Last)
    }

    /// Writes what is to be kept, if there is anything new.
    pub(crate) fn keep(&self, code: &vm::CodeRegion) {
        let Some(kept) = &self.kept else {
            return;
        };
        let mut functions = locked(&kept.functions);
        if functions.made.len() == functions.written {
            return;
        }
        let mut profile = self.profile(code);
        if let Some(before) = kept.before() {
            profile.add(before);
        }
        let bytes = Warm::encode(functions.made.iter(), &profile);
        kept.entry.write(&bytes);
        functions.written = functions.made.len();
    }
}
