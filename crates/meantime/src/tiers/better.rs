//! Better code for functions that spend their budgets: whole, or to go on from a loop that runs.
//!
//! The one idea: a function that is entered again and again needs only its own better code. One that spends budget after budget without being entered
//! sits in a loop, and is compiled to start at that loop; so is one that is still in a loop of its old code when the better is there.

use super::background::Work;
use super::log::Tier;
use super::module::{ModuleTiers, locked, publish};
use super::policy::Policy;
use super::stage::Stage;
use crate::profile::mostly_called;
use meantime_abi::{CompiledFunction, DefinedFuncIndex};
use meantime_compile::CompileError;
use meantime_optimize::{Limits, MostlyCalled, TierRequest};
use meantime_vm as vm;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Instant;

/// Where a function can be entered in its middle.
#[derive(Default)]
pub(super) struct Loops {
    /// By the offset of the loop's opcode: where that code is and how many values it takes; none if there cannot be any.
    known: Vec<(u32, Option<(usize, u32)>)>,
    /// Whether one more is being made.
    queued: bool,
    /// Bytes of Wasm that were compiled for them.
    bytes: usize,
}

/// A piece of better code that was asked for.
struct Better {
    tiers: Arc<ModuleTiers>,
    /// Nobody runs code that is gone.
    code: Weak<vm::CodeRegion>,
    func: DefinedFuncIndex,
    from_loop: Option<u32>,
    since: Instant,
    /// How many budgets had been spent then.
    spent: u32,
}

impl Work for Better {
    fn urgency(&self) -> f64 {
        let spent = self.tiers.function(self.func).spent.load(Ordering::Relaxed);
        let bytes = self.tiers.body_len(self.func);
        // What it cost before it asked counts, too.
        let spent = spent.saturating_sub(self.spent) + 1;
        let cost = self.tiers.engine.policy.cost(spent, bytes);
        Policy::urgency(cost, self.since.elapsed(), bytes)
    }

    fn run(self: Box<Self>) {
        let Some(code) = self.code.upgrade() else {
            return;
        };
        match self.from_loop {
            None => self.tiers.make_whole(&code, self.func),
            Some(loop_at) => {
                self.tiers.make_loop(&code, self.func, loop_at);
                // The next process can start with the whole of it.
                if self.tiers.kept.is_some() && !self.tiers.engine.policy.waits {
                    self.tiers.optimize_later(&code, self.func);
                }
            }
        }
    }
}

impl ModuleTiers {
    /// A function spent its budget and is entered: has it optimized when that is worth it.
    pub(super) fn entered(self: &Arc<Self>, code: &Arc<vm::CodeRegion>, func: DefinedFuncIndex) {
        let function = self.function(func);
        function.stuck.store(0, Ordering::Relaxed);
        if function.spent.load(Ordering::Relaxed) >= self.engine.policy.patience {
            self.optimize_later(code, func);
        }
    }

    /// Has a function optimized, unless it is or will be.
    fn optimize_later(self: &Arc<Self>, code: &Arc<vm::CodeRegion>, func: DefinedFuncIndex) {
        let function = self.function(func);
        if function.stage() != Stage::First {
            return;
        }
        if self.is_too_large(func) {
            function.advance(Stage::First, Stage::Refused);
        } else if function.advance(Stage::First, Stage::Queued) && !self.ask(code, func, None) {
            function.advance(Stage::Queued, Stage::First);
        }
    }

    /// A function spent its budget at the start of a loop. Says where it can go on, if there is better code.
    pub(super) fn at_loop(
        self: &Arc<Self>,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
        loop_at: u32,
        entered: bool,
    ) -> Option<vm::Osr> {
        if let Some(known) = self.loop_code(func, loop_at) {
            if known.is_none() {
                // Where it cannot go on from here, it can be entered anew.
                self.entered(code, func);
            }
            return known;
        }
        if entered {
            self.entered(code, func);
            return None;
        }
        let stuck = self.function(func).stuck.fetch_add(1, Ordering::Relaxed);
        if stuck < self.engine.policy.stuck {
            return None;
        }
        if self.is_too_large(func) {
            self.function(func).advance(Stage::First, Stage::Refused);
            return None;
        }
        if self.may_ask_for_loop(func) && !self.ask(code, func, Some(loop_at)) {
            locked(&self.loops).entry(func).or_default().queued = false;
        }
        self.loop_code(func, loop_at)?
    }

    /// What is known of how to go on from a loop.
    fn loop_code(&self, func: DefinedFuncIndex, loop_at: u32) -> Option<Option<vm::Osr>> {
        let loops = locked(&self.loops);
        let known = &loops.get(&func)?.known;
        let (_, code) = known.iter().find(|(at, _)| *at == loop_at)?;
        Some(code.map(|(address, values)| vm::Osr {
            code: std::ptr::with_exposed_provenance(address),
            values,
        }))
    }

    /// Whether one more loop of a function may be compiled; if so, notes that it will be.
    fn may_ask_for_loop(&self, func: DefinedFuncIndex) -> bool {
        let mut loops = locked(&self.loops);
        let loops = loops.entry(func).or_default();
        let bytes = loops.bytes + self.body_len(func);
        if loops.queued || bytes > self.engine.policy.max_loops {
            return false;
        }
        (loops.queued, loops.bytes) = (true, bytes);
        true
    }

    /// Whether a function is not even tried.
    fn is_too_large(&self, func: DefinedFuncIndex) -> bool {
        let policy = &self.engine.policy;
        self.body_len(func) > policy.max_body
            || self.engine.optimized.load(Ordering::Relaxed) > policy.max_code
    }

    /// Has better code made in the background, or now and in another thread where tests want to see what comes of it. False when too much waits.
    fn ask(
        self: &Arc<Self>,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
        from_loop: Option<u32>,
    ) -> bool {
        let work = Box::new(Better {
            tiers: self.clone(),
            code: Arc::downgrade(code),
            func,
            from_loop,
            since: Instant::now(),
            spent: self.function(func).spent.load(Ordering::Relaxed),
        });
        let background = &self.engine.background;
        match self.engine.policy.waits {
            true => background.call(move || work.run()).is_some(),
            false => background.queue(work),
        }
    }

    fn make_whole(&self, code: &vm::CodeRegion, func: DefinedFuncIndex) {
        let made = self.make(code, func, None);
        let next = match made {
            Some((address, _)) => {
                let slot = &code.slots()[func.as_u32() as usize];
                slot.code.store(
                    std::ptr::with_exposed_provenance_mut(address),
                    Ordering::Release,
                );
                Stage::Last
            }
            None => Stage::Refused,
        };
        self.function(func).advance(Stage::Queued, next);
    }

    fn make_loop(&self, code: &vm::CodeRegion, func: DefinedFuncIndex, loop_at: u32) {
        let made = self.make(code, func, Some(loop_at));
        let mut loops = locked(&self.loops);
        let loops = loops.entry(func).or_default();
        loops.queued = false;
        loops.known.push((loop_at, made));
        self.function(func).stuck.store(0, Ordering::Relaxed);
        if made.is_some() {
            // Whoever is in the loop asks again at its next turn.
            let slot = &code.slots()[func.as_u32() as usize];
            slot.budget.store(0, Ordering::Relaxed);
        }
    }

    /// Compiles and publishes better code. None when that cannot be, or would cost too much.
    fn make(
        &self,
        code: &vm::CodeRegion,
        func: DefinedFuncIndex,
        from_loop: Option<u32>,
    ) -> Option<(usize, u32)> {
        let began = Instant::now();
        let limits = self.engine.policy.limits;
        let (compiled, values) = match self.optimize(code, func, from_loop, limits) {
            Ok(made) => made,
            Err(error) => {
                // Limits are kept to; all else is a mistake, which others than the embedder should see.
                debug_assert!(
                    error.unsupported,
                    "function {func:?}, loop {from_loop:?}: {error}"
                );
                return None;
            }
        };
        let address = publish(code, func, &compiled, from_loop).ok()?;
        let size = compiled.code.len();
        self.count_optimized(size);
        let tier = from_loop.map_or(Tier::Optimized, Tier::Loop);
        self.log.note(func, tier, began, size);
        if from_loop.is_none()
            && let Some(kept) = &self.kept
        {
            kept.add(func, compiled);
        }
        Some((address.expose_provenance(), values))
    }

    /// Compiles a function with the optimizing compiler, from its start or from one of its loops; returns also how many values that takes.
    pub(super) fn optimize(
        &self,
        code: &vm::CodeRegion,
        func: DefinedFuncIndex,
        from_loop: Option<u32>,
        limits: Limits,
    ) -> Result<(CompiledFunction, u32), CompileError> {
        let direct = |callee: DefinedFuncIndex| {
            // Itself, as the code that is being made is the last.
            let itself = callee == func && from_loop.is_none();
            itself || self.function(callee).stage() == Stage::Last
        };
        let mostly = |offset| {
            let seen = self.sites.called(code, offset);
            let now = seen.map_or_else(MostlyCalled::new, |c| mostly_called(&c, self.module()));
            match self.before() {
                Some(before) if now.is_empty() => before.mostly_called(self.module(), offset),
                _ => now,
            }
        };
        let request = TierRequest {
            from_loop,
            direct: &direct,
            mostly_called: &mostly,
            limits,
            ..TierRequest::AHEAD
        };
        let (module, wasm) = (self.module(), self.wasm());
        self.engine
            .optimizer
            .get()
            .compile_in_tiers(module, wasm, func, &request)
    }
}
