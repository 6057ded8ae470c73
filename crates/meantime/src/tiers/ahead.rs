//! Functions compiled before they are called, by a core that has nothing else to do.
//!
//! The one idea: whoever is called for the first time will call others, in the order of its calls. Where a profile of another process says which, those
//! are compiled meanwhile, and wait as [`Stage::Ready`] for their first call. Without one nothing is done: about half of what a function may call
//! is not called soon or ever, and calls that nothing leads past are too few to be worth a thread.

use super::background::Work;
use super::log::Tier;
use super::module::{Claim, ModuleTiers, locked, publish};
use super::stage::Stage;
use meantime_abi::{CodePtr, DefinedFuncIndex};
use meantime_baseline::Calls;
use meantime_vm as vm;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::{Duration, Instant};

/// So long guests must have waited for the first tier before another thread is worth its start.
const START: Duration = Duration::from_millis(1);
/// So many bytes of bodies must be known to be called. With fewer nothing was gained, whatever is spent on it: a thread, and the misses of its caches.
const LEAST_KNOWN: usize = 160 << 10;
/// Functions that wait to be compiled; of more, those that are called last are forgotten.
const MAX_QUEUED: usize = 4096;
/// Callees of one function that are compiled ahead.
const MAX_CALLEES: usize = 64;
/// Bytes of bodies that may be compiled without having been called yet, besides as many as were called.
const MAX_READY: usize = 128 << 10;
/// With less room than this, nothing is begun.
const LEAST_ROOM: usize = 16 << 10;
/// How long a byte of a body is waited for at most that is being compiled: more than that takes, and less than compiling it twice.
const PATIENCE_PER_BYTE: Duration = Duration::from_nanos(60);

/// What a module has compiled ahead.
#[derive(Default)]
pub(super) struct Ahead {
    /// How long guests waited for the first tier, in nanoseconds.
    waited: AtomicU64,
    /// Whether it is worth it, once guests waited that long.
    pays: OnceLock<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is called next comes first.
    queue: VecDeque<DefinedFuncIndex>,
    /// Whether a thread works on it, or will.
    running: bool,
    ready: HashMap<DefinedFuncIndex, Ready>,
    /// Bytes of the bodies of those.
    ready_bytes: usize,
    /// Bytes of the bodies of functions that were called.
    called_bytes: usize,
}

/// A function that was compiled ahead.
struct Ready {
    code: usize,
    callees: Vec<DefinedFuncIndex>,
}

impl Ahead {
    /// A guest waited so long for the first tier.
    pub fn waited(&self, time: Duration) {
        let nanos = time.as_nanos() as u64;
        self.waited.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl State {
    /// Puts what a function calls in front.
    fn push(&mut self, callees: &[DefinedFuncIndex]) {
        let Some((first, others)) = callees.split_first() else {
            return;
        };
        // Who runs now calls the first before another thread could have compiled it.
        self.queue.push_front(*first);
        for &callee in others.iter().rev() {
            self.queue.push_front(callee);
        }
        self.queue.truncate(MAX_QUEUED);
    }

    /// How many bytes of bodies may be compiled now.
    fn room(&self) -> usize {
        (MAX_READY + self.called_bytes).saturating_sub(self.ready_bytes)
    }

    /// Whether there is something to do now.
    fn has_work(&self) -> bool {
        !self.queue.is_empty() && self.room() >= LEAST_ROOM
    }
}

/// What the baseline compiler says of a function's calls.
pub(super) struct Seen<'a> {
    tiers: &'a ModuleTiers,
    code: &'a vm::CodeRegion,
    /// What it will call that has no code, in that order; none where nobody wants to know.
    callees: Option<Vec<DefinedFuncIndex>>,
}

impl Seen<'_> {
    /// What the function will call that has no code, in that order; none where nobody wants to know.
    pub fn callees(self) -> Option<Vec<DefinedFuncIndex>> {
        self.callees
    }
}

impl Calls for Seen<'_> {
    fn number(&mut self, offset: u32) -> Option<u32> {
        self.tiers.sites.number(self.code, offset)
    }

    fn direct(&mut self, callee: DefinedFuncIndex) {
        let Some(callees) = &mut self.callees else {
            return;
        };
        let function = self.tiers.function(callee);
        if callees.len() < MAX_CALLEES
            && function.stage() == Stage::Cold
            && !function.tried_ahead.load(Ordering::Relaxed)
            && !callees.contains(&callee)
            && self.tiers.was_called_before(callee)
        {
            callees.push(callee);
        }
    }
}

/// A module's queue, for a thread of the background to work on until nothing is left to do.
struct Queue {
    tiers: Arc<ModuleTiers>,
    /// Nobody calls code that is gone.
    code: Weak<vm::CodeRegion>,
}

impl Work for Queue {
    fn urgency(&self) -> f64 {
        // A guest needs it sooner than better code, and it takes less time.
        f64::MAX
    }

    fn run(self: Box<Self>) {
        while let Some(func) = self.tiers.next_ahead() {
            let Some(code) = self.code.upgrade() else {
                return;
            };
            self.tiers.compile_ahead(&code, func);
        }
    }
}

impl ModuleTiers {
    /// Whether functions are compiled ahead by now.
    fn runs_ahead(&self) -> bool {
        self.ahead.waited.load(Ordering::Relaxed) >= START.as_nanos() as u64
            && *self.ahead.pays.get_or_init(|| self.pays_ahead())
    }

    /// Whether it is worth compiling functions ahead. Has those compiled first that were called in another process, whoever calls them.
    fn pays_ahead(&self) -> bool {
        let Some(before) = self.before().filter(|_| self.engine.ahead) else {
            return false;
        };
        let mut state = locked(&self.ahead.state);
        let mut bytes = 0;
        for (func, body) in self.module().bodies() {
            let is_cold = self.function(func).stage() == Stage::Cold;
            if is_cold && before.called(self.module().func_index(func)) {
                bytes += body.range.len();
                state.queue.push_back(func);
            }
        }
        let pays = bytes >= LEAST_KNOWN && self.engine.background.has_spare_cores();
        state.queue.truncate(if pays { MAX_QUEUED } else { 0 });
        pays
    }

    /// Whether another process was seen to call a function.
    fn was_called_before(&self, func: DefinedFuncIndex) -> bool {
        let index = self.module().func_index(func);
        self.before().is_some_and(|before| before.called(index))
    }

    /// Someone to tell of the calls of a function that is compiled.
    pub(super) fn see<'a>(&'a self, code: &'a vm::CodeRegion) -> Seen<'a> {
        Seen {
            tiers: self,
            code,
            callees: self.runs_ahead().then(Vec::new),
        }
    }

    /// A function was compiled because it is called: has compiled what it calls.
    pub(super) fn called(
        self: &Arc<Self>,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
        callees: &[DefinedFuncIndex],
    ) {
        let mut state = locked(&self.ahead.state);
        state.called_bytes += self.body_len(func);
        state.push(callees);
        self.work_on(code, state);
    }

    /// Has a thread work on the queue.
    fn work_on(self: &Arc<Self>, code: &Arc<vm::CodeRegion>, mut state: MutexGuard<'_, State>) {
        if state.running || !state.has_work() {
            return;
        }
        state.running = true;
        drop(state);
        let work = Box::new(Queue {
            tiers: self.clone(),
            code: Arc::downgrade(code),
        });
        if !self.engine.background.queue(work) {
            locked(&self.ahead.state).running = false;
        }
    }

    /// Puts code that was compiled ahead into its function's slot, for the one who calls it first. None when another was faster.
    pub(super) fn take_ready(
        self: &Arc<Self>,
        code: &Arc<vm::CodeRegion>,
        func: DefinedFuncIndex,
    ) -> Option<CodePtr> {
        let mut state = locked(&self.ahead.state);
        let ready = state.ready.remove(&func)?;
        let bytes = self.body_len(func);
        state.ready_bytes -= bytes;
        state.called_bytes += bytes;
        let address = std::ptr::with_exposed_provenance_mut(ready.code);
        let slot = &code.slots()[func.as_u32() as usize];
        slot.code.store(address, Ordering::Release);
        self.function(func).set(Stage::First);
        state.push(&ready.callees);
        self.work_on(code, state);
        Some(address)
    }

    /// Waits for a function that is being compiled ahead, about as long as that takes.
    pub(super) fn wait_for_ahead(&self, func: DefinedFuncIndex) {
        let began = Instant::now();
        let bytes = u32::try_from(self.body_len(func)).unwrap_or(u32::MAX);
        let most = PATIENCE_PER_BYTE * bytes;
        while self.function(func).stage() == Stage::Ahead && began.elapsed() < most {
            std::hint::spin_loop();
        }
    }

    /// The next function to be compiled ahead; none when there is nothing to do now.
    fn next_ahead(&self) -> Option<DefinedFuncIndex> {
        let mut state = locked(&self.ahead.state);
        while state.has_work()
            && let Some(func) = state.queue.pop_front()
        {
            let function = self.function(func);
            if function.stage() == Stage::Cold
                && self.body_len(func) <= state.room()
                && !function.tried_ahead.swap(true, Ordering::Relaxed)
            {
                return Some(func);
            }
        }
        state.running = false;
        None
    }

    /// Compiles a function that nobody has called so far.
    fn compile_ahead(&self, code: &vm::CodeRegion, func: DefinedFuncIndex) {
        let function = self.function(func);
        if !function.advance(Stage::Cold, Stage::Ahead) {
            return;
        }
        let began = Instant::now();
        let mut seen = self.see(code);
        let baseline = &self.engine.baseline;
        let compiled = baseline.compile_function(self.module(), self.wasm(), func, &mut seen);
        let Ok(compiled) = compiled else {
            // Who calls it finds out why.
            function.advance(Stage::Ahead, Stage::Cold);
            return;
        };
        // Otherwise who called it did not wait, and has compiled it, too.
        if !function.advance(Stage::Ahead, Stage::Compiling) {
            return;
        }
        let claim = Claim::new(self, func);
        let Ok(address) = publish(code, func, &compiled, None) else {
            return;
        };
        self.set_first_budget(code, func);
        self.log.note(func, Tier::Ahead, began, compiled.code.len());
        let callees = seen.callees().unwrap_or_default();
        let mut state = locked(&self.ahead.state);
        state.push(&callees);
        state.ready_bytes += self.body_len(func);
        let code = address.expose_provenance();
        state.ready.insert(func, Ready { code, callees });
        claim.ends_with(Stage::Ready);
    }
}
