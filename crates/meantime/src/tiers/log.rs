//! What was compiled, when, and what it cost: for people who want to know what their program did.

use crate::Module;
use meantime_abi::DefinedFuncIndex;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What made a piece of code.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Tier {
    /// The baseline compiler, when the function was called first.
    Baseline,
    /// The baseline compiler, in the background, before the function was called.
    Ahead,
    /// The optimizing compiler.
    Optimized,
    /// The optimizing compiler, to go on from a loop that was running: the one whose opcode is at this offset of the module's bytes.
    Loop(u32),
}

/// A piece of code that was made while the program ran. See [`Module::compilations`].
#[derive(Clone, Debug)]
pub struct Compilation {
    /// The function's index among all functions of the module.
    pub function: u32,
    /// Its name, from the name section.
    pub name: Option<String>,
    /// What made the code.
    pub tier: Tier,
    /// When it was there, counted from when the module was made.
    pub at: Duration,
    /// How long it took to make.
    pub took: Duration,
    /// Whether the function was called so far.
    pub called: bool,
    /// Bytes of the function's body.
    pub wasm_bytes: usize,
    /// Bytes of its machine code.
    pub code_bytes: usize,
}

/// One entry, without what the module knows.
#[derive(Copy, Clone)]
struct Entry {
    func: DefinedFuncIndex,
    tier: Tier,
    at: Duration,
    took: Duration,
    code_bytes: usize,
}

/// The entries of a module, in the order in which code was there.
pub(super) struct Log {
    began: Instant,
    entries: Mutex<Vec<Entry>>,
}

impl Log {
    pub fn new() -> Log {
        Log {
            began: Instant::now(),
            entries: Mutex::default(),
        }
    }

    /// Notes a piece of code whose making began at `began`. Says how long that took.
    pub fn note(
        &self,
        func: DefinedFuncIndex,
        tier: Tier,
        began: Instant,
        code_bytes: usize,
    ) -> Duration {
        let now = Instant::now();
        let entry = Entry {
            func,
            tier,
            at: now - self.began,
            took: now - began,
            code_bytes,
        };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push(entry);
        entry.took
    }

    fn entries(&self) -> Vec<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clone()
    }
}

impl Module {
    /// What was compiled so far while the module ran, in that order. Empty for a module that was compiled ahead of time. Meantime's own.
    ///
    /// ```
    /// use meantime::*;
    /// # fn main() -> Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"(module (func (export "f")))"#)?;
    /// for compilation in module.compilations() {
    ///     println!("{:?} {:?}", compilation.name, compilation.tier);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn compilations(&self) -> Vec<Compilation> {
        let Some(tiers) = self.tiers() else {
            return Vec::new();
        };
        let env = self.env();
        let compilation = |entry: Entry| {
            let index = env.func_index(entry.func);
            Compilation {
                function: index.as_u32(),
                name: env.func_name(index).map(str::to_owned),
                tier: entry.tier,
                at: entry.at,
                took: entry.took,
                called: tiers.function(entry.func).was_called(),
                wasm_bytes: env.bodies()[entry.func].range.len(),
                code_bytes: entry.code_bytes,
            }
        };
        let entries = tiers.log.entries().into_iter();
        entries.map(compilation).collect()
    }
}
