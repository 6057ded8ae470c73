//! What the code of one module asks for while it runs, and gets.
//!
//! The one idea: each function has a stage, which only rises. The first caller takes it from `Cold` to `Compiling` and others wait; whoever spends
//! a budget takes it from `First` to `Queued`, and a thread of the background to `Last` or `Refused` (`better`).

use super::EngineTiers;
use super::ahead::Ahead;
use super::better::Loops;
use super::kept::Kept;
use super::log::{Log, Tier};
use super::policy::Policy;
use super::sites::Sites;
use super::stage::{Function, Stage};
use crate::Error;
use crate::cache::Entry;
use crate::compilers::trampoline;
use crate::profile::Profile;
use crate::store::to_host_error;
use meantime_abi::{
    CodePtr, CompiledFunction, DefinedFuncIndex, FuncKey, Signature, Trampoline, TypeIndex,
};
use meantime_compile::patch_distance;
use meantime_module::Module;
use meantime_optimize::Limits;
use meantime_vm as vm;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The tiers of a module.
pub(crate) struct ModuleTiers {
    pub(super) engine: Arc<EngineTiers>,
    /// Its description, with the ranges of function bodies in `wasm`.
    module: Arc<dyn AsRef<Module> + Send + Sync>,
    wasm: vm::SharedBytes,
    functions: Box<[Function]>,
    /// How many threads wait for a stage to leave `Compiling`.
    waiting: AtomicUsize,
    first: Mutex<()>,
    compiled: Condvar,
    /// Where functions can be entered in their middle.
    pub(super) loops: Mutex<HashMap<DefinedFuncIndex, Loops>>,
    trampolines: Mutex<HashMap<(Trampoline, Signature), usize>>,
    pub(super) sites: Sites,
    pub(super) ahead: Ahead,
    /// Bytes of optimized code.
    optimized: AtomicUsize,
    /// What outlives the process, where there is a cache.
    pub(super) kept: Option<Kept>,
    pub(super) log: Log,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is changed in single steps.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ModuleTiers {
    pub(crate) fn new(
        engine: Arc<EngineTiers>,
        module: Arc<dyn AsRef<Module> + Send + Sync>,
        wasm: vm::SharedBytes,
        entry: Option<Entry>,
    ) -> ModuleTiers {
        let functions = (*module).as_ref().bodies().len();
        ModuleTiers {
            engine,
            module,
            wasm,
            functions: (0..functions).map(|_| Function::default()).collect(),
            waiting: AtomicUsize::new(0),
            first: Mutex::default(),
            compiled: Condvar::new(),
            loops: Mutex::default(),
            trampolines: Mutex::default(),
            sites: Sites::default(),
            ahead: Ahead::default(),
            optimized: AtomicUsize::new(0),
            kept: entry.map(Kept::new),
            log: Log::new(),
        }
    }

    /// Bytes to reserve for code and side tables: several times what the largest expansion seen takes, in both tiers.
    pub(crate) fn reserve(&self) -> usize {
        // Of a function with very many references and calls, the stack maps take megabytes.
        const LEAST: usize = 8 << 20;
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

    /// The bytes that the module was decoded from.
    pub(crate) fn wasm(&self) -> &vm::SharedBytes {
        &self.wasm
    }

    pub(super) fn module(&self) -> &Module {
        (*self.module).as_ref()
    }

    pub(super) fn function(&self, func: DefinedFuncIndex) -> &Function {
        &self.functions[func.as_u32() as usize]
    }

    /// Bytes of a function's body.
    pub(super) fn body_len(&self, func: DefinedFuncIndex) -> usize {
        self.module().bodies()[func].range.len()
    }

    /// Waits until nobody compiles a function for the first time.
    fn wait_for_first(&self, func: DefinedFuncIndex) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut first = locked(&self.first);
        while self.function(func).stage() == Stage::Compiling {
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
        let mut seen = self.see(code);
        let baseline = &self.engine.baseline;
        match baseline.compile_function(self.module(), &self.wasm, func, &mut seen) {
            Ok(compiled) => {
                let address = publish(code, func, &compiled, None)?;
                self.set_first_budget(code, func);
                let size = compiled.code.len();
                let took = self.log.note(func, Tier::Baseline, began, size);
                self.ahead.waited(took);
                if let Some(callees) = seen.callees() {
                    self.called(code, func, &callees);
                }
                return Ok((address, Stage::First));
            }
            Err(error) if error.unsupported => {}
            Err(error) => return Err(error.into()),
        }
        // On a thread with room: the guest's stack may be nearly full.
        let this = self.clone();
        let region = code.clone();
        let work = move || this.optimize(&region, func, None, Limits::NONE);
        let (compiled, _) =
            self.engine.background.call(work).ok_or_else(|| {
                crate::format_err!("there is no thread to compile a function with")
            })??;
        let address = publish(code, func, &compiled, None)?;
        let size = compiled.code.len();
        self.log.note(func, Tier::Optimized, began, size);
        Ok((address, Stage::Last))
    }

    /// Sets what a function may cost that nobody has run yet.
    pub(super) fn set_first_budget(&self, code: &vm::CodeRegion, func: DefinedFuncIndex) {
        let budget = self.engine.policy.first_budget(self.body_len(func));
        let slot = &code.slots()[func.as_u32() as usize];
        slot.budget.store(budget, Ordering::Relaxed);
    }

    /// Counts bytes of optimized code.
    pub(super) fn count_optimized(&self, bytes: usize) {
        self.optimized.fetch_add(bytes, Ordering::Relaxed);
        self.engine.optimized.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What was seen so far.
    pub(crate) fn profile(&self, code: &vm::CodeRegion) -> Profile {
        let module = self.module();
        let mut functions = BTreeMap::new();
        for (func, known) in module.bodies().keys().zip(&self.functions) {
            if known.was_called() {
                let spent = known.spent.load(Ordering::Relaxed);
                let cost = self.engine.policy.cost(spent, self.body_len(func));
                functions.insert(module.func_index(func).as_u32(), cost);
            }
        }
        Profile::new(&self.wasm, functions, self.sites.all(code))
    }

    /// What a function may cost that has spent its budget now.
    fn next_budget(&self, func: DefinedFuncIndex, stage: Stage) -> i32 {
        let budget = self.engine.policy.budget(self.body_len(func));
        match stage {
            Stage::Queued => budget.saturating_mul(Policy::WHILE_QUEUED) & !1,
            Stage::Refused => Policy::REST,
            _ => budget,
        }
    }

    /// A function has spent its budget: refills it. Says what stage it is in, and whether it was perhaps entered since it did so before.
    fn budget_spent(&self, code: &vm::CodeRegion, func: DefinedFuncIndex) -> (Stage, bool) {
        let function = self.function(func);
        let stage = function.stage();
        let slot = &code.slots()[func.as_u32() as usize];
        let left = slot
            .budget
            .swap(self.next_budget(func, stage), Ordering::Relaxed);
        let count = match stage {
            Stage::Queued => Policy::WHILE_QUEUED as u32,
            _ => 1,
        };
        function.spent.fetch_add(count, Ordering::Relaxed);
        (stage, left & 1 != 0)
    }
}

impl Drop for ModuleTiers {
    fn drop(&mut self) {
        let bytes = *self.optimized.get_mut();
        self.engine.optimized.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Adds a function's code to a module's, or code that starts at one of its loops.
pub(super) fn publish(
    code: &vm::CodeRegion,
    func: DefinedFuncIndex,
    compiled: &CompiledFunction,
    from_loop: Option<u32>,
) -> Result<CodePtr, Error> {
    let mut patched = Ok(());
    let patch = |address: CodePtr, bytes: &mut [u8]| {
        patched = compiled.relocations.iter().try_for_each(|relocation| {
            // Direct calls are of functions of the module that have their last code, or of the function itself, from its start.
            let target = relocation.target.as_u32() - code.func_imports();
            let to = match target == func.as_u32() && from_loop.is_none() {
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
pub(super) struct Claim<'a> {
    tiers: &'a ModuleTiers,
    func: DefinedFuncIndex,
    next: Stage,
}

impl<'a> Claim<'a> {
    pub fn new(tiers: &'a ModuleTiers, func: DefinedFuncIndex) -> Claim<'a> {
        let next = Stage::Cold;
        Claim { tiers, func, next }
    }

    /// It did not fail.
    pub fn ends_with(mut self, stage: Stage) {
        self.next = stage;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.tiers.function(self.func).set(self.next);
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
        let function = tiers.function(func);
        loop {
            let mut stage = function.stage();
            if stage == Stage::Ahead {
                tiers.wait_for_ahead(func);
                stage = function.stage();
            }
            match stage {
                Stage::Cold | Stage::Ahead => {
                    if !function.advance(stage, Stage::Compiling) {
                        continue;
                    }
                    let claim = Claim::new(tiers, func);
                    let compiled = tiers.compile_first(code, func);
                    let (address, stage) = compiled.map_err(to_host_error)?;
                    slot.code.store(address.cast_mut(), Ordering::Release);
                    claim.ends_with(stage);
                    return Ok(address);
                }
                Stage::Compiling => tiers.wait_for_first(func),
                Stage::Ready => {
                    if let Some(address) = tiers.take_ready(code, func) {
                        return Ok(address);
                    }
                }
                Stage::First | Stage::Queued | Stage::Last | Stage::Refused => {
                    return Ok(slot.code.load(Ordering::Acquire));
                }
            }
        }
    }

    fn budget_spent(&self, code: &Arc<vm::CodeRegion>, func: DefinedFuncIndex) {
        self.0.budget_spent(code, func);
        self.0.entered(code, func);
    }

    fn loop_budget_spent(
        &self,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
        loop_at: u32,
    ) -> Option<vm::Osr> {
        let (stage, entered) = self.0.budget_spent(code, func);
        if stage == Stage::Refused {
            return None;
        }
        self.0.at_loop(code, func, loop_at, entered)
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
