//! Configurations of engines, as plain data that can be generated, printed and varied.
//!
//! Not here: which features modules may use, which are the same for all. The one idea: every combination is valid, so that an error from `Engine::new` is
//! a failure.

use crate::choices::Choices;
use crate::profile;
use arbitrary::{Arbitrary, Result, Unstructured};
use meantime::{
    Config, Engine, Inlining, Module, OptLevel, RegallocAlgorithm, Store, Strategy, UpdateDeadline,
};
use std::num::NonZeroU32;

/// How accesses of memories are kept within bounds.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Arbitrary)]
pub enum Bounds {
    /// 4 GiB reserved and guard pages after: 32-bit memories need no checks.
    Guards,
    /// The same, with guards too small for most constant offsets.
    SmallGuards,
    /// Explicit checks, of memories that do not move while they are small.
    SmallReservation,
    /// Explicit checks, of memories that move when they grow; no guards at all.
    Nothing,
}

/// When code is made, and by which compiler.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Arbitrary)]
pub enum Tiers {
    /// Ahead, by the optimizing one.
    Optimized,
    /// The same for a profile that is made up of this seed.
    Profiled(u64),
    /// Ahead, by the baseline compiler.
    Baseline,
    /// At the first call by the baseline compiler, and in the background by the optimizing one for what spends this budget, so that functions and loops
    /// change over at any time.
    Background(u8),
    /// At the first call by the baseline compiler; at every second call, and at every turn of a loop, the guest goes on in optimized code.
    Forced,
}

/// What an engine is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the options are")]
pub struct Options {
    pub tiers: Tiers,
    pub bounds: Bounds,
    pub signals_based_traps: bool,
    pub opt_level: OptLevel,
    pub regalloc: RegallocAlgorithm,
    pub inlining: bool,
    pub memory_init_cow: bool,
    pub force_memory_init_memfd: bool,
    pub guard_before_linear_memory: bool,
    pub table_lazy_init: bool,
    pub parallel_compilation: bool,
    pub consume_fuel: bool,
    pub epochs: bool,
    pub nan_canonicalization: bool,
    pub relaxed_simd_deterministic: bool,
    pub verifier: bool,
    pub backtraces: bool,
    pub gc_zeal: Option<NonZeroU32>,
    pub max_wasm_stack: usize,
}

impl Default for Options {
    /// The defaults of Meantime, but for results that are the same everywhere.
    fn default() -> Options {
        Options {
            tiers: Tiers::Optimized,
            bounds: Bounds::Guards,
            signals_based_traps: true,
            opt_level: OptLevel::Speed,
            regalloc: RegallocAlgorithm::Backtracking,
            inlining: true,
            memory_init_cow: true,
            force_memory_init_memfd: false,
            guard_before_linear_memory: true,
            table_lazy_init: true,
            parallel_compilation: false,
            consume_fuel: false,
            epochs: false,
            nan_canonicalization: true,
            relaxed_simd_deterministic: true,
            verifier: false,
            backtraces: true,
            gc_zeal: None,
            max_wasm_stack: 512 << 10,
        }
    }
}

impl<'a> Arbitrary<'a> for Options {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Options> {
        Ok(Options {
            nan_canonicalization: u.arbitrary()?,
            relaxed_simd_deterministic: u.arbitrary()?,
            parallel_compilation: u.ratio(1, 8)?,
            max_wasm_stack: u.int_in_range(16 << 10..=1 << 20)?,
            ..Options::comparable(u)?
        })
    }
}

impl Options {
    /// Any, under which results are the same as under [`Options::default`].
    ///
    /// # Errors
    ///
    /// When the bytes do not suffice.
    pub fn comparable(u: &mut Unstructured<'_>) -> Result<Options> {
        Ok(Options {
            tiers: u.arbitrary()?,
            bounds: u.arbitrary()?,
            signals_based_traps: u.ratio(2, 3)?,
            opt_level: *u.choose(&[OptLevel::None, OptLevel::Speed, OptLevel::SpeedAndSize])?,
            regalloc: match u.ratio(1, 4)? {
                true => RegallocAlgorithm::SinglePass,
                false => RegallocAlgorithm::Backtracking,
            },
            inlining: u.arbitrary()?,
            memory_init_cow: u.arbitrary()?,
            force_memory_init_memfd: u.arbitrary()?,
            guard_before_linear_memory: u.arbitrary()?,
            table_lazy_init: u.arbitrary()?,
            verifier: u.arbitrary()?,
            epochs: u.ratio(1, 4)?,
            backtraces: u.arbitrary()?,
            gc_zeal: match u.ratio(1, 3)? {
                true => NonZeroU32::new(u.int_in_range(1..=20)?),
                false => None,
            },
            ..Options::default()
        })
    }

    /// Two of that kind for a program that a model runs too, of which the first has code of the first tier.
    ///
    /// # Errors
    ///
    /// When the bytes do not suffice.
    pub fn for_a_model(mut u: Unstructured<'_>) -> Result<(Vec<Options>, Choices<'_>)> {
        let mut options = vec![Options::comparable(&mut u)?, Options::comparable(&mut u)?];
        let mut choices = Choices::new(u);
        options[0].tiers = choices.of(&[Tiers::Forced, Tiers::Background(3), Tiers::Baseline]);
        Ok((options, choices))
    }

    /// For the API.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .signals_based_traps(self.signals_based_traps)
            .cranelift_opt_level(self.opt_level)
            .cranelift_regalloc_algorithm(self.regalloc)
            .compiler_inlining(match self.inlining {
                true => Inlining::Yes,
                false => Inlining::No,
            })
            .memory_init_cow(self.memory_init_cow)
            .force_memory_init_memfd(self.force_memory_init_memfd)
            .guard_before_linear_memory(self.guard_before_linear_memory)
            .table_lazy_init(self.table_lazy_init)
            .parallel_compilation(self.parallel_compilation)
            .consume_fuel(self.consume_fuel)
            .epoch_interruption(self.epochs)
            .cranelift_nan_canonicalization(self.nan_canonicalization)
            .relaxed_simd_deterministic(self.relaxed_simd_deterministic)
            .cranelift_debug_verifier(self.verifier)
            .wasm_backtrace(self.backtraces)
            .max_wasm_stack(self.max_wasm_stack);
        if let Err(e) = config.gc_zeal_alloc_counter(self.gc_zeal) {
            panic!("{e:?}");
        }
        match self.tiers {
            Tiers::Optimized | Tiers::Profiled(_) => config.strategy(Strategy::Cranelift),
            Tiers::Baseline => config.strategy(Strategy::Winch),
            Tiers::Background(budget) => config.tier_up_budget(budget.into()),
            Tiers::Forced => config.tier_up_budget(0).tier_up_waits(true),
        };
        match self.bounds {
            Bounds::Guards => &mut config,
            Bounds::SmallGuards => config.memory_guard_size(64 << 10),
            Bounds::SmallReservation => config
                .memory_reservation(1 << 20)
                .memory_reservation_for_growth(1 << 20)
                .memory_guard_size(64 << 10),
            Bounds::Nothing => config
                .memory_reservation(0)
                .memory_reservation_for_growth(0)
                .memory_guard_size(0),
        };
        config
    }

    /// An engine.
    ///
    /// # Panics
    ///
    /// When the configuration is refused: all that can be made here are valid.
    pub fn engine(&self) -> Engine {
        Engine::new(&self.config()).unwrap_or_else(|e| panic!("{self:?} is refused: {e:?}"))
    }

    /// A module from its binary format, in an engine of its own.
    ///
    /// # Errors
    ///
    /// When the engine refuses it.
    #[allow(unsafe_code, reason = "code that is made ahead of time is trusted")]
    pub fn module(&self, wasm: &[u8]) -> meantime::Result<Module> {
        let engine = self.engine();
        let Tiers::Profiled(seed) = self.tiers else {
            return Module::from_binary(&engine, wasm);
        };
        // Whether it is valid is known before it is looked at for a profile.
        Module::validate(&engine, wasm)?;
        let profile = profile::made_up(wasm, seed);
        let code = engine.precompile_module_with_profile(wasm, &profile)?;
        // SAFETY: this very engine made it.
        unsafe { Module::deserialize(&engine, code) }
    }

    /// The same from the text format.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn module_of_text(&self, text: &str) -> Module {
        let wasm = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let module = self.module(&wasm);
        module.unwrap_or_else(|e| panic!("refused: {e:?}\n{text}"))
    }
}

/// Has the guests of a store interrupted at each of their first looks at the epoch, if their code has any, and then go on. Some find that the heap was
/// collected.
pub fn interrupt<T: 'static>(store: &mut Store<T>) {
    let mut left = 500u32;
    store.epoch_deadline_callback(move |mut store| {
        left = left.saturating_sub(1);
        if left % 16 == 1 {
            store.gc(None)?;
        }
        Ok(UpdateDeadline::Continue((left == 0).into()))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;

    #[test]
    fn all_options_are_valid() {
        for seed in 0..200 {
            let noise = seeds::bytes(seed, 256);
            let mut u = Unstructured::new(&noise);
            Options::arbitrary(&mut u).unwrap().engine();
            let comparable = Options::comparable(&mut u).unwrap();
            assert!(comparable.nan_canonicalization && comparable.relaxed_simd_deterministic);
            comparable.engine();
        }
    }
}
