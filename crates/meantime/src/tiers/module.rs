//! What the code of one module asks for while it runs, and gets.
//!
//! The one idea: each function has a stage, which only rises. The first caller takes it from `Cold` to `Compiling` and others wait; whoever spends
//! a budget takes it from `First` to `Queued`, and a thread of the background to `Optimized`. Where a function can be entered in its middle is kept
//! apart, by loop.

use super::EngineTiers;
use super::log::{Log, Tier};
use crate::Error;
use crate::compilers::trampoline;
use crate::store::to_host_error;
use meantime_abi::{
    CodePtr, CompiledFunction, DefinedFuncIndex, FuncKey, Signature, Trampoline, TypeIndex,
};
use meantime_compile::{CompileError, patch_distance};
use meantime_module::Module;
use meantime_optimize::{Guess, TierRequest};
use meantime_vm as vm;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How far a function is.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Debug)]
#[repr(u8)]
enum Stage {
    /// It was never called.
    Cold,
    /// Someone compiles it for the first time.
    Compiling,
    /// It runs in the first tier.
    First,
    /// Better code is being made.
    Queued,
    /// It has the best code there is, or better code cannot be made.
    Last,
}

/// Where a function can be entered in its middle.
#[derive(Copy, Clone, Debug)]
enum LoopCode {
    Queued,
    Ready(usize, u32),
    Never,
}

/// The tiers of a module.
pub(crate) struct ModuleTiers {
    engine: Arc<EngineTiers>,
    /// Its description, with the ranges of function bodies in `wasm`.
    module: Arc<dyn AsRef<Module> + Send + Sync>,
    wasm: vm::SharedBytes,
    stages: Box<[AtomicU8]>,
    /// How many threads wait for a stage to leave `Compiling`.
    waiting: AtomicUsize,
    first: Mutex<()>,
    compiled: Condvar,
    loops: Mutex<HashMap<(DefinedFuncIndex, u32), LoopCode>>,
    trampolines: Mutex<HashMap<(Trampoline, Signature), usize>>,
    /// The profile of each call through a reference, by the offset of its opcode in `wasm`.
    sites: Mutex<HashMap<u32, u32>>,
    pub(super) log: Log,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is changed in single steps.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ModuleTiers {
    pub(crate) fn new(
        engine: Arc<EngineTiers>,
        module: Arc<dyn AsRef<Module> + Send + Sync>,
        wasm: vm::SharedBytes,
    ) -> ModuleTiers {
        let functions = (*module).as_ref().bodies().len();
        ModuleTiers {
            engine,
            module,
            wasm,
            stages: (0..functions).map(|_| AtomicU8::new(0)).collect(),
            waiting: AtomicUsize::new(0),
            first: Mutex::default(),
            compiled: Condvar::new(),
            loops: Mutex::default(),
            trampolines: Mutex::default(),
            sites: Mutex::default(),
            log: Log::new(),
        }
    }

    /// What a function may cost before it asks for better code.
    pub(crate) fn budget(&self) -> i32 {
        self.engine.policy.budget
    }

    /// Bytes to reserve for code and side tables: several times what the largest expansion seen takes, in both tiers.
    pub(crate) fn reserve(&self) -> usize {
        const LEAST: usize = 1 << 20;
        let bodies = self.module().bodies().values();
        let bytes: usize = bodies.map(|b| b.range.len()).sum();
        LEAST.saturating_add(bytes.saturating_mul(64))
    }

    /// How many profiles of calls there are at most: a call takes several bytes.
    pub(crate) fn profiles(&self) -> usize {
        const MOST: usize = 1 << 20;
        let bodies = self.module().bodies().values();
        let bytes: usize = bodies.map(|b| b.range.len()).sum();
        (bytes / 8).min(MOST)
    }

    /// A profile for the call whose opcode is at this offset; none when there are no more.
    fn profile(&self, code: &vm::CodeRegion, offset: u32) -> Option<u32> {
        let mut sites = locked(&self.sites);
        let next = sites.len() as u32;
        if (next as usize) < code.call_profiles().len() {
            return Some(*sites.entry(offset).or_insert(next));
        }
        sites.get(&offset).copied()
    }

    /// What the call whose opcode is at this offset mostly calls.
    fn mostly_called(&self, code: &vm::CodeRegion, offset: u32) -> Option<Guess> {
        let place = *locked(&self.sites).get(&offset)?;
        let profile = &code.call_profiles()[place as usize];
        let calls = profile.calls.load(Ordering::Relaxed).wrapping_neg();
        let misses = profile.misses.load(Ordering::Relaxed).wrapping_neg();
        let policy = &self.engine.policy;
        if calls < policy.guess_calls || misses > calls / policy.guess_ratio {
            return None;
        }
        let address = profile.code.load(Ordering::Relaxed).addr();
        let func = code.func_of_thunk(address)?;
        Some(Guess { func, address })
    }

    /// The bytes that the module was decoded from.
    pub(crate) fn wasm(&self) -> &vm::SharedBytes {
        &self.wasm
    }

    fn module(&self) -> &Module {
        (*self.module).as_ref()
    }

    fn stage(&self, func: DefinedFuncIndex) -> &AtomicU8 {
        &self.stages[func.as_u32() as usize]
    }

    /// Takes a function from one stage to the next; false when it is not there.
    fn advance(&self, func: DefinedFuncIndex, from: Stage, to: Stage) -> bool {
        let stage = self.stage(func);
        stage
            .compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Waits until nobody compiles a function for the first time.
    fn wait_for_first(&self, func: DefinedFuncIndex) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut first = locked(&self.first);
        while self.stage(func).load(Ordering::SeqCst) == Stage::Compiling as u8 {
            let woken = self.compiled.wait(first);
            first = woken.unwrap_or_else(PoisonError::into_inner);
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Compiles a function for the first time, in the tier that can.
    fn compile_first(
        self: &Arc<Self>,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
    ) -> Result<(CodePtr, Stage), Error> {
        let began = Instant::now();
        match (self.engine.baseline).compile_function(
            self.module(),
            &self.wasm,
            func,
            &mut |offset| self.profile(code, offset),
        ) {
            Ok(compiled) => {
                let address = publish(code, func, &compiled)?;
                let size = compiled.code.len();
                self.log.note(func, Tier::Baseline, began, size);
                return Ok((address, Stage::First));
            }
            Err(error) if error.unsupported => {}
            Err(error) => return Err(error.into()),
        }
        // On a thread with room: the guest's stack may be nearly full.
        let this = self.clone();
        let region = code.clone();
        let work = move || this.optimize(&region, func, None);
        let (compiled, _) =
            self.engine.background.call(work).ok_or_else(|| {
                crate::format_err!("there is no thread to compile a function with")
            })??;
        let address = publish(code, func, &compiled)?;
        let size = compiled.code.len();
        self.log.note(func, Tier::Optimized, began, size);
        Ok((address, Stage::Last))
    }

    /// Compiles a function with the optimizing compiler, from its start or from one of its loops; returns also how many values that takes.
    fn optimize(
        &self,
        code: &vm::CodeRegion,
        func: DefinedFuncIndex,
        from_loop: Option<u32>,
    ) -> Result<(CompiledFunction, u32), CompileError> {
        let direct = |callee: DefinedFuncIndex| {
            // Itself, as the code that is being made is the last.
            let itself = callee == func && from_loop.is_none();
            itself || self.stage(callee).load(Ordering::Acquire) == Stage::Last as u8
        };
        let request = TierRequest {
            from_loop,
            direct: &direct,
            mostly_called: &|offset| self.mostly_called(code, offset),
        };
        let (module, wasm) = (self.module(), &self.wasm);
        self.engine
            .optimizer
            .get()
            .compile_in_tiers(module, wasm, func, &request)
    }

    /// Has a function optimized, unless it is or will be.
    fn want_whole(self: &Arc<Self>, code: &Arc<vm::CodeRegion>, func: DefinedFuncIndex) {
        if !self.advance(func, Stage::First, Stage::Queued) {
            return;
        }
        let this = self.clone();
        let weak = Arc::downgrade(code);
        let queued = self.do_or_queue(1, move || {
            // Nobody runs code that is gone.
            let Some(code) = weak.upgrade() else {
                return;
            };
            let began = Instant::now();
            if let Ok((compiled, _)) = this.optimize(&code, func, None)
                && let Ok(address) = publish(&code, func, &compiled)
            {
                let slot = &code.slots()[func.as_u32() as usize];
                slot.code.store(address.cast_mut(), Ordering::Release);
                let size = compiled.code.len();
                this.log.note(func, Tier::Optimized, began, size);
            }
            this.advance(func, Stage::Queued, Stage::Last);
        });
        if !queued {
            self.advance(func, Stage::Queued, Stage::First);
        }
    }

    /// Has a function compiled that starts at a loop, unless it is or will be.
    fn want_loop(
        self: &Arc<Self>,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
        loop_at: u32,
    ) -> Option<vm::Osr> {
        let key = (func, loop_at);
        match locked(&self.loops).entry(key) {
            std::collections::hash_map::Entry::Occupied(entry) => return ready(*entry.get()),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(LoopCode::Queued),
        };
        let this = self.clone();
        let weak = Arc::downgrade(code);
        let queued = self.do_or_queue(2, move || {
            let Some(code) = weak.upgrade() else {
                return;
            };
            let found = this.compile_loop(&code, func, loop_at);
            locked(&this.loops).insert(key, found);
            if let LoopCode::Ready(..) = found {
                // Whoever is in the loop asks again at its next turn.
                let slot = &code.slots()[func.as_u32() as usize];
                slot.budget.store(0, Ordering::Relaxed);
            }
        });
        if !queued {
            locked(&self.loops).remove(&key);
            return None;
        }
        if self.engine.policy.waits {
            return locked(&self.loops).get(&key).copied().and_then(ready);
        }
        None
    }

    fn compile_loop(
        &self,
        code: &vm::CodeRegion,
        func: DefinedFuncIndex,
        loop_at: u32,
    ) -> LoopCode {
        let began = Instant::now();
        match self.optimize(code, func, Some(loop_at)) {
            Ok((compiled, values)) => match publish(code, func, &compiled) {
                Ok(address) => {
                    let size = compiled.code.len();
                    self.log.note(func, Tier::Loop(loop_at), began, size);
                    LoopCode::Ready(address.expose_provenance(), values)
                }
                Err(_) => LoopCode::Never,
            },
            Err(_) => LoopCode::Never,
        }
    }

    /// Does work in the background, or now and in another thread where tests want to see what comes of it.
    fn do_or_queue(&self, heat: u32, work: impl FnOnce() + Send + 'static) -> bool {
        match self.engine.policy.waits {
            true => self.engine.background.call(work).is_some(),
            false => self.engine.background.queue(heat, work),
        }
    }
}

fn ready(code: LoopCode) -> Option<vm::Osr> {
    match code {
        LoopCode::Ready(address, values) => Some(vm::Osr {
            code: std::ptr::with_exposed_provenance(address),
            values,
        }),
        LoopCode::Queued | LoopCode::Never => None,
    }
}

/// Adds a function's code to a module's.
fn publish(
    code: &vm::CodeRegion,
    func: DefinedFuncIndex,
    compiled: &CompiledFunction,
) -> Result<CodePtr, Error> {
    let mut patched = Ok(());
    let patch = |address: CodePtr, bytes: &mut [u8]| {
        patched = compiled.relocations.iter().try_for_each(|relocation| {
            // Direct calls are of functions of the module that have their last code, or of the function itself.
            let target = relocation.target.as_u32() - code.func_imports();
            let to = match target == func.as_u32() {
                true => address,
                false => code.slots()[target as usize].code.load(Ordering::Acquire),
            };
            let from = address.addr() + relocation.offset as usize;
            let distance = to.addr() as i64 - from as i64 + relocation.addend;
            patch_distance(bytes, relocation, distance)
        });
    };
    let (align, side) = (compiled.align as usize, &compiled.side_table);
    let published = code.publish(FuncKey::Func(func), &compiled.code, align, side, patch)?;
    patched?;
    published.ok_or_else(no_room)
}

#[cold]
fn no_room() -> Error {
    crate::format_err!("there is no more room for the module's code")
}

/// A function that this thread compiles for the first time. However that ends, others no longer wait; if it fails, the next caller tries again.
struct Claim<'a> {
    tiers: &'a ModuleTiers,
    func: DefinedFuncIndex,
    next: Stage,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let stage = self.tiers.stage(self.func);
        stage.store(self.next as u8, Ordering::SeqCst);
        // Who waits counted itself before it looked at the stage, so it is seen here or has seen the new stage.
        if self.tiers.waiting.load(Ordering::SeqCst) > 0 {
            let _first = locked(&self.tiers.first);
            self.tiers.compiled.notify_all();
        }
    }
}

/// The tiers as the runtime sees them.
pub(crate) struct Asked(pub(crate) Arc<ModuleTiers>);

impl vm::Tiers for Asked {
    fn compile(
        &self,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
    ) -> Result<CodePtr, vm::HostError> {
        let tiers = &self.0;
        let slot = &code.slots()[func.as_u32() as usize];
        loop {
            if tiers.advance(func, Stage::Cold, Stage::Compiling) {
                let mut claim = Claim {
                    tiers,
                    func,
                    next: Stage::Cold,
                };
                let compiled = tiers.compile_first(code, func);
                let (address, stage) = compiled.map_err(to_host_error)?;
                slot.code.store(address.cast_mut(), Ordering::Release);
                claim.next = stage;
                return Ok(address);
            }
            tiers.wait_for_first(func);
            if tiers.stage(func).load(Ordering::Acquire) != Stage::Cold as u8 {
                return Ok(slot.code.load(Ordering::Acquire));
            }
        }
    }

    fn budget_spent(&self, code: &Arc<vm::CodeRegion>, func: DefinedFuncIndex) {
        let slot = &code.slots()[func.as_u32() as usize];
        slot.budget.store(self.0.budget(), Ordering::Relaxed);
        self.0.want_whole(code, func);
    }

    fn loop_budget_spent(
        &self,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
        loop_at: u32,
    ) -> Option<vm::Osr> {
        let tiers = &self.0;
        let slot = &code.slots()[func.as_u32() as usize];
        slot.budget.store(tiers.budget(), Ordering::Relaxed);
        let osr = tiers.want_loop(code, func, loop_at);
        tiers.want_whole(code, func);
        osr
    }

    fn trampoline(&self, code: &vm::CodeRegion, way: Trampoline, ty: TypeIndex) -> Option<CodePtr> {
        let tiers = &self.0;
        let signature = tiers.module().types()[ty].as_func()?.signature();
        let mut known = locked(&tiers.trampolines);
        let key = (way, signature);
        if let Some(&address) = known.get(&key) {
            return Some(std::ptr::with_exposed_provenance(address));
        }
        let EngineTiers {
            baseline,
            optimizer,
            ..
        } = &*tiers.engine;
        let compiled = trampoline(baseline, optimizer, way, &key.1).ok()?;
        let (align, side) = (compiled.align as usize, &compiled.side_table);
        let key_of_code = FuncKey::Trampoline(way, ty);
        // Trampolines have no relocations.
        let published = code.publish(key_of_code, &compiled.code, align, side, |_, _| {});
        let address = published.ok()??;
        known.insert(key, address.expose_provenance());
        Some(address)
    }
}
