//! What an [`Engine`] was configured with, to be asked: a method for each option that can be.
//!
//! The one idea: they say what is so, not what was called: defaults are filled in, sizes are rounded.

use super::{Collector, Inlining, OptLevel, PoolingAllocationConfig, RegallocAlgorithm, Strategy};
use crate::{Engine, InstanceAllocationStrategy};
use meantime_abi::{GC_GUARD, GC_REGION};
use std::num::NonZeroU32;
use wasmparser::WasmFeatures;

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $ty:ty = |$engine:ident| $value:expr;)*) => {
        impl Engine {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> $ty {
                    let $engine = self;
                    $value
                }
            )*
        }
    };
}

getters! {
    /// See [`Config::async_stack_size`](crate::Config::async_stack_size).
    get_async_stack_size -> usize = |e| e.config().async_stack_size;
    /// See [`Config::async_stack_zeroing`](crate::Config::async_stack_zeroing), which this version refuses.
    get_async_stack_zeroing -> bool = |_e| false;
    /// The collector that stores use. See [`Config::collector`](crate::Config::collector).
    get_collector -> Option<Collector> = |e| Some(e.config().chosen_collector());
    /// See [`Config::compiler_inlining`](crate::Config::compiler_inlining).
    get_compiler_inlining -> Inlining = |e| e.config().compiler_inlining_mode();
    /// See [`Config::concurrency_support`](crate::Config::concurrency_support), which this version refuses.
    get_concurrency_support -> bool = |_e| false;
    /// See [`Config::consume_fuel`](crate::Config::consume_fuel).
    get_consume_fuel -> bool = |e| e.tunables().consume_fuel;
    /// See [`Config::cranelift_debug_verifier`](crate::Config::cranelift_debug_verifier).
    get_cranelift_debug_verifier -> Option<bool> = |e| {
        let flag = e.config().compiler_flags.get("enable_verifier")?;
        Some(flag == "true")
    };
    /// See [`Config::cranelift_nan_canonicalization`](crate::Config::cranelift_nan_canonicalization).
    get_cranelift_nan_canonicalization -> Option<bool> = |e| Some(e.tunables().nan_canonicalization);
    /// See [`Config::cranelift_opt_level`](crate::Config::cranelift_opt_level).
    get_cranelift_opt_level -> Option<OptLevel> = |e| Some(e.tunables().opt_level);
    /// See [`Config::cranelift_regalloc_algorithm`](crate::Config::cranelift_regalloc_algorithm).
    get_cranelift_regalloc_algorithm -> Option<RegallocAlgorithm> = |e| Some(e.tunables().regalloc);
    /// See [`Config::debug_info`](crate::Config::debug_info), which this version refuses.
    get_debug_info -> bool = |_e| false;
    /// See [`Config::debug_symbols`](crate::Config::debug_symbols).
    get_debug_symbols -> bool = |_e| true;
    /// See [`Config::epoch_interruption`](crate::Config::epoch_interruption).
    get_epoch_interruption -> bool = |e| e.tunables().epoch_interruption;
    /// See [`Config::gc_heap_guard_size`](crate::Config::gc_heap_guard_size).
    get_gc_heap_guard_size -> u64 = |_e| GC_GUARD;
    /// See [`Config::gc_heap_initial_size`](crate::Config::gc_heap_initial_size).
    get_gc_heap_initial_size -> u64 = |e| e.config().gc_heap_initial_size;
    /// See [`Config::gc_heap_may_move`](crate::Config::gc_heap_may_move).
    get_gc_heap_may_move -> bool = |e| e.config().gc_heap_may_move;
    /// See [`Config::gc_heap_reservation`](crate::Config::gc_heap_reservation).
    get_gc_heap_reservation -> u64 = |_e| GC_REGION;
    /// See [`Config::gc_heap_reservation_for_growth`](crate::Config::gc_heap_reservation_for_growth).
    get_gc_heap_reservation_for_growth -> u64 = |e| e.config().gc_heap_reservation_for_growth;
    /// See [`Config::gc_zeal_alloc_counter`](crate::Config::gc_zeal_alloc_counter).
    get_gc_zeal_alloc_counter -> Option<NonZeroU32> = |e| e.config().gc_zeal_alloc_counter;
    /// See [`Config::generate_address_map`](crate::Config::generate_address_map).
    get_generate_address_map -> bool = |e| e.tunables().generate_address_map;
    /// See [`Config::guard_before_linear_memory`](crate::Config::guard_before_linear_memory).
    get_guard_before_linear_memory -> bool = |e| e.tunables().guard_before_linear_memory;
    /// See [`Config::guest_debug`](crate::Config::guest_debug), which this version refuses.
    get_guest_debug -> bool = |_e| false;
    /// See [`Config::max_wasm_stack`](crate::Config::max_wasm_stack).
    get_max_wasm_stack -> usize = |e| e.config().max_wasm_stack;
    /// See [`Config::memory_guaranteed_dense_image_size`](crate::Config::memory_guaranteed_dense_image_size).
    get_memory_guaranteed_dense_image_size -> u64 = |e| e.config().memory_guaranteed_dense_image_size;
    /// See [`Config::memory_guard_size`](crate::Config::memory_guard_size).
    get_memory_guard_size -> u64 = |e| e.tunables().memory_guard_size;
    /// See [`Config::memory_init_cow`](crate::Config::memory_init_cow).
    get_memory_init_cow -> bool = |e| e.tunables().memory_init_cow;
    /// See [`Config::memory_may_move`](crate::Config::memory_may_move).
    get_memory_may_move -> bool = |e| e.tunables().memory_may_move;
    /// See [`Config::memory_reservation`](crate::Config::memory_reservation).
    get_memory_reservation -> u64 = |e| e.tunables().memory_reservation;
    /// See [`Config::memory_reservation_for_growth`](crate::Config::memory_reservation_for_growth).
    get_memory_reservation_for_growth -> u64 = |e| e.tunables().memory_reservation_for_growth;
    /// See [`Config::metadata_for_gc_heap_corruption`](crate::Config::metadata_for_gc_heap_corruption).
    get_metadata_for_gc_heap_corruption -> bool = |e| e.config().metadata_for_gc_heap_corruption;
    /// See [`Config::metadata_for_internal_asserts`](crate::Config::metadata_for_internal_asserts), which this version refuses.
    get_metadata_for_internal_asserts -> bool = |_e| false;
    /// See [`Config::native_unwind_info`](crate::Config::native_unwind_info), which this version refuses.
    get_native_unwind_info -> Option<bool> = |_e| Some(false);
    /// See [`Config::parallel_compilation`](crate::Config::parallel_compilation).
    get_parallel_compilation -> bool = |e| e.config().parallel_compilation;
    /// See [`Config::allocation_strategy`](crate::Config::allocation_strategy).
    get_pooling_config -> Option<&PoolingAllocationConfig> = |e| match &e.config().allocation_strategy {
        InstanceAllocationStrategy::Pooling(pool) => Some(pool),
        InstanceAllocationStrategy::OnDemand => None,
    };
    /// See [`Config::relaxed_simd_deterministic`](crate::Config::relaxed_simd_deterministic).
    get_relaxed_simd_deterministic -> bool = |e| e.tunables().relaxed_simd_deterministic;
    /// See [`Config::shared_memory`](crate::Config::shared_memory).
    get_shared_memory -> bool = |e| e.config().shared_memory;
    /// See [`Config::signals_based_traps`](crate::Config::signals_based_traps).
    get_signals_based_traps -> bool = |e| e.tunables().signals_based_traps;
    /// The compiler, unless there is none. See [`Config::strategy`](crate::Config::strategy).
    get_strategy -> Option<Strategy> = |e| e.backend().is_ok().then_some(match e.config().strategy {
        Strategy::Auto => Strategy::Cranelift,
        chosen => chosen,
    });
    /// See [`Config::table_lazy_init`](crate::Config::table_lazy_init).
    get_table_lazy_init -> bool = |e| e.tunables().table_lazy_init;
    /// What was given to [`Config::target`](crate::Config::target).
    get_target -> Option<String> = |e| e.config().target.as_ref().map(ToString::to_string);
    /// See [`Config::wasm_backtrace_max_frames`](crate::Config::wasm_backtrace_max_frames); zero means no backtraces.
    get_wasm_backtrace_max_frames -> usize = |e| e.config().wasm_backtrace_max_frames.map_or(0, |n| n.get());
    /// See [`Config::wasm_branch_hinting`](crate::Config::wasm_branch_hinting).
    get_wasm_branch_hinting -> bool = |e| e.tunables().branch_hinting;
    /// The features that modules may use. See [`Config::wasm_features`](crate::Config::wasm_features).
    get_wasm_features -> WasmFeatures = |e| e.features();
}

impl Engine {
    /// Settings of the code generator that are switched on.
    pub fn get_cranelift_flags_enabled(&self) -> impl Iterator<Item = &str> {
        let flags = self.config().compiler_flags.iter();
        flags.filter_map(|(name, value)| (value == "true").then_some(name.as_str()))
    }

    /// Settings of the code generator that have a value.
    pub fn get_cranelift_flags_set(&self) -> impl Iterator<Item = (&str, &str)> {
        let flags = self.config().compiler_flags.iter();
        let set = flags.filter(|(_, value)| *value != "true");
        set.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn an_engine_says_what_it_was_made_with() {
        let engine = Engine::default();
        assert_eq!(engine.get_collector(), Some(Collector::Copying));
        assert_eq!(engine.get_gc_heap_reservation(), 4 << 30);
        assert_eq!(engine.get_wasm_backtrace_max_frames(), 20);
        assert_eq!(engine.get_strategy(), Some(Strategy::Cranelift));
        assert!(engine.get_wasm_features().contains(WasmFeatures::GC));
        assert!(engine.get_target().is_none() && engine.get_pooling_config().is_none());

        let mut config = Config::new();
        config
            .collector(Collector::Null)
            .gc_heap_initial_size(1 << 20)
            .memory_guard_size(1)
            .cranelift_debug_verifier(true)
            .max_wasm_stack(1 << 20)
            .wasm_gc(false);
        config.gc_zeal_alloc_counter(NonZeroU32::new(7)).unwrap();
        let engine = Engine::new(&config).unwrap();
        assert_eq!(engine.get_collector(), Some(Collector::Null));
        assert_eq!(engine.get_gc_heap_initial_size(), 1 << 20);
        assert_eq!(engine.get_gc_zeal_alloc_counter(), NonZeroU32::new(7));
        assert_eq!(engine.get_memory_guard_size(), 64 << 10);
        assert_eq!(engine.get_max_wasm_stack(), 1 << 20);
        assert_eq!(engine.get_cranelift_debug_verifier(), Some(true));
        let enabled: Vec<&str> = engine.get_cranelift_flags_enabled().collect();
        assert_eq!(enabled, ["enable_verifier"]);
        assert_eq!(engine.get_cranelift_flags_set().count(), 0);
        assert!(!engine.get_wasm_features().contains(WasmFeatures::GC));
    }
}
