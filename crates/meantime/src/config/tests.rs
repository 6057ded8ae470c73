//! Defaults, what each option changes, and that nothing unsupported is ever ignored.

use super::*;

fn valid(config: &Config) -> (Tunables, WasmFeatures) {
    config.validate().unwrap()
}

fn error(change: impl FnOnce(&mut Config) -> &mut Config) -> String {
    let mut config = Config::new();
    let error = change(&mut config).validate().unwrap_err();
    format!("{error:#}")
}

fn tunables(change: impl FnOnce(&mut Config) -> &mut Config) -> Tunables {
    let mut config = Config::new();
    valid(change(&mut config)).0
}

#[test]
fn defaults() {
    let config = Config::default();
    let (tunables, features) = valid(&config);
    assert_eq!(tunables, Tunables::default());
    for flag in [
        WasmFeatures::WASM2,
        WasmFeatures::THREADS,
        WasmFeatures::MEMORY64,
        WasmFeatures::TAIL_CALL,
        WasmFeatures::FUNCTION_REFERENCES,
        WasmFeatures::GC,
        WasmFeatures::EXCEPTIONS,
    ] {
        assert!(features.contains(flag), "{flag:?}");
    }
    for flag in [
        WasmFeatures::CUSTOM_PAGE_SIZES,
        WasmFeatures::COMPACT_IMPORTS,
        WasmFeatures::COMPONENT_MODEL,
    ] {
        assert!(!features.intersects(flag), "{flag:?}");
    }
    assert_eq!(config.max_wasm_stack, 512 << 10);
    assert_eq!(config.wasm_backtrace_max_frames, NonZeroUsize::new(20));
    assert!(config.parallel_compilation && config.enable_compiler);
    assert!(!config.shared_memory && config.target.is_none());
    assert_eq!(config.module_version.as_str(), "1");
}

#[test]
fn every_feature_is_supported_or_refused_by_name() {
    for (name, flag) in WasmFeatures::all().iter_names() {
        let mut config = Config::new();
        config.wasm_features(flag, true);
        match config.validate() {
            Ok((_, features)) => assert!(features.contains(flag)),
            Err(error) => assert_eq!(
                error.to_string(),
                format!(
                    "the wasm_{} feature is not supported by this version of Meantime",
                    name.to_lowercase()
                )
            ),
        }
        // Switching off is never an error, but for what another needs.
        config.wasm_features(flag, false);
        if flag != WasmFeatures::SIMD {
            assert!(!valid(&config).1.contains(flag));
        }
    }
}

#[test]
fn features_by_method() {
    let mut config = Config::new();
    config
        .wasm_multi_value(false)
        .wasm_threads(false)
        .gc_support(false);
    let (_, features) = valid(&config);
    assert!(!features.multi_value() && !features.threads() && !features.gc_types());
    config
        .wasm_multi_value(true)
        .wasm_threads(true)
        .gc_support(true);
    assert_eq!(valid(&config).1, valid(&Config::new()).1);
    assert_eq!(
        error(|c| c.wasm_stack_switching(true)),
        "the wasm_stack_switching feature is not supported by this version of Meantime"
    );
    assert!(error(|c| c.wasm_component_model(true)).contains("wasm_component_model feature"));
    assert_eq!(
        error(|c| c.wasm_simd(false)),
        "cannot disable the simd proposal but enable the relaxed simd proposal"
    );
    let mut config = Config::new();
    assert!(
        !valid(config.wasm_simd(false).wasm_relaxed_simd(false))
            .1
            .simd()
    );
}

#[test]
fn what_is_not_supported_yet_is_refused_until_it_is_switched_off() {
    let mut config = Config::new();
    config.async_stack_zeroing(true).concurrency_support(true);
    let message = config.validate().unwrap_err().to_string();
    assert_eq!(
        message,
        "`Config::async_stack_zeroing` is not supported by this version of Meantime"
    );
    config.async_stack_zeroing(false);
    assert!(
        config
            .validate()
            .unwrap_err()
            .to_string()
            .contains("concurrency_support")
    );
    config.concurrency_support(false);
    valid(&config);

    type Change = fn(&mut Config) -> &mut Config;
    let refused: &[(&str, Change)] = &[
        ("native_unwind_info", |c| c.native_unwind_info(true)),
        ("debug_symbols(false)", |c| c.debug_symbols(false)),
        ("debug_info", |c| c.debug_info(true)),
        ("guest_debug", |c| c.guest_debug(true)),
        ("coredump_on_trap", |c| c.coredump_on_trap(true)),
        ("wmemcheck", |c| c.wmemcheck(true)),
        ("profiler", |c| c.profiler(ProfilingStrategy::PerfMap)),
        ("gc_heap_reservation", |c| c.gc_heap_reservation(1)),
        ("gc_heap_guard_size", |c| c.gc_heap_guard_size(32 << 20)),
        ("emit_clif", |c| c.emit_clif(std::path::Path::new("/"))),
        ("concurrency_support", |c| c.concurrency_support(true)),
        ("async_stack_zeroing", |c| c.async_stack_zeroing(true)),
        ("cranelift_wasmtime_debug_checks", |c| {
            c.cranelift_wasmtime_debug_checks(true)
        }),
        ("metadata_for_internal_asserts", |c| {
            c.metadata_for_internal_asserts(true)
        }),
        ("debug_adapter_modules", |c| c.debug_adapter_modules(true)),
    ];
    for (name, change) in refused {
        let expected = format!("`Config::{name}` is not supported by this version of Meantime");
        assert_eq!(error(*change), expected);
    }
    let mut config = Config::new();
    config
        .debug_info(false)
        .native_unwind_info(false)
        .debug_symbols(true)
        .profiler(ProfilingStrategy::None)
        .collector(Collector::Auto)
        .rr(RRConfig::None)
        .macos_use_mach_ports(true)
        .metadata_for_gc_heap_corruption(true)
        .cache(None);
    valid(&config);
    assert!(
        error(|c| c.allocation_strategy(InstanceAllocationStrategy::pooling())).contains("pooling")
    );
    valid(Config::new().allocation_strategy(InstanceAllocationStrategy::OnDemand));
    valid(Config::new().strategy(Strategy::Winch));
    valid(Config::new().strategy(Strategy::Cranelift));
}

#[test]
fn stacks() {
    assert_eq!(
        error(|c| c.max_wasm_stack(3 << 20)),
        "max_wasm_stack size cannot exceed the async_stack_size"
    );
    assert_eq!(
        error(|c| c.max_wasm_stack(0)),
        "max_wasm_stack size cannot be zero"
    );
    valid(
        Config::new()
            .max_wasm_stack(3 << 20)
            .async_stack_size(4 << 20),
    );
}

#[test]
fn memories() {
    let t = tunables(|c| c.memory_reservation(1).memory_guard_size(65537));
    assert_eq!(
        (t.memory_reservation, t.memory_guard_size),
        (64 << 10, 128 << 10)
    );
    let t = tunables(|c| {
        c.memory_reservation(0)
            .memory_guard_size(0)
            .memory_may_move(false)
    });
    assert_eq!(
        (t.memory_reservation, t.memory_guard_size, t.memory_may_move),
        (0, 0, false)
    );
    let t = tunables(|c| {
        c.memory_reservation_for_growth(1 << 20)
            .guard_before_linear_memory(false)
    });
    assert_eq!(t.memory_reservation_for_growth, 1 << 20);
    assert!(!t.guard_before_linear_memory);
    let t = tunables(|c| {
        c.memory_init_cow(false)
            .table_lazy_init(false)
            .signals_based_traps(false)
    });
    assert!(!t.memory_init_cow && !t.table_lazy_init && !t.signals_based_traps);
    for size in [u64::MAX, 1 << 63] {
        let message = error(|c| c.memory_reservation(size));
        assert!(
            message.starts_with("the sizes of memories' reservations and guards: "),
            "{message}"
        );
    }
    assert!(error(|c| c.memory_guard_size(1 << 62)).contains("address space"));
    let mut config = Config::new();
    config
        .shared_memory(true)
        .force_memory_init_memfd(true)
        .memory_guaranteed_dense_image_size(5);
    assert!(config.shared_memory && config.force_memory_init_memfd);
    assert_eq!(config.memory_guaranteed_dense_image_size, 5);
}

#[test]
#[allow(unsafe_code, reason = "flags that cannot make wrong code")]
fn compiler_options() {
    let t = tunables(|c| {
        c.cranelift_opt_level(OptLevel::None)
            .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass)
            .cranelift_nan_canonicalization(true)
            .relaxed_simd_deterministic(true)
            .generate_address_map(false)
    });
    assert_eq!(
        (t.opt_level, t.regalloc),
        (OptLevel::None, RegallocAlgorithm::SinglePass)
    );
    assert!(t.nan_canonicalization && t.relaxed_simd_deterministic && !t.generate_address_map);

    let mut config = Config::new();
    config.cranelift_debug_verifier(true);
    // SAFETY: these settings make no wrong code.
    unsafe {
        config.cranelift_flag_enable("enable_pcc");
        config.cranelift_flag_set("opt_level", "speed_and_size");
        config.cranelift_flag_set("regalloc_algorithm", "single_pass");
        config.cranelift_flag_set("enable_nan_canonicalization", "true");
        config.cranelift_flag_set("opt_level", "bogus");
    }
    let (t, _) = valid(&config);
    assert_eq!(
        (t.opt_level, t.regalloc),
        (OptLevel::SpeedAndSize, RegallocAlgorithm::SinglePass)
    );
    assert!(t.nan_canonicalization);
    let flags: Vec<_> = config
        .compiler_flags
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    assert_eq!(
        flags,
        ["enable_pcc=true", "enable_verifier=true", "opt_level=bogus"]
    );

    assert!(tunables(|c| c).inlining);
    assert!(!tunables(|c| c.compiler_inlining(Inlining::No)).inlining);
    assert!(!tunables(|c| c.compiler_inlining(Inlining::InterModule)).inlining);
    assert_eq!(Config::new().compiler_inlining_mode(), Inlining::Yes);
}

#[test]
fn targets() {
    let mut config = Config::new();
    valid(config.target("aarch64-unknown-linux-gnu").unwrap());
    valid(config.target("x86_64-unknown-linux-gnu").unwrap());
    let error = config.target("not a target").unwrap_err().to_string();
    assert!(
        error.starts_with("`not a target` is not a target triple"),
        "{error}"
    );
    let error = config
        .target("riscv64gc-unknown-linux-gnu")
        .unwrap()
        .validate()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "support for the architecture of target `riscv64gc-unknown-linux-gnu` is not in this version of Meantime; it has \
         x86_64 and aarch64"
    );
}

#[test]
fn versions() {
    let mut config = Config::new();
    config
        .module_version(ModuleVersionStrategy::Custom("v".repeat(255)))
        .unwrap();
    let long = ModuleVersionStrategy::Custom("v".repeat(256));
    let error = config.module_version(long).unwrap_err().to_string();
    assert!(error.starts_with("custom module version cannot be more than 255 bytes: vvv"));
    assert_eq!(config.module_version.as_str().len(), 255);
    config.module_version(ModuleVersionStrategy::None).unwrap();
    assert_eq!(config.module_version.as_str(), "");
}

#[test]
fn backtraces() {
    let mut config = Config::new();
    assert!(config.wasm_backtrace_details_env_used);
    config.wasm_backtrace(false);
    assert_eq!(config.wasm_backtrace_max_frames, None);
    config.wasm_backtrace(true);
    assert_eq!(config.wasm_backtrace_max_frames, NonZeroUsize::new(20));
    config
        .wasm_backtrace_max_frames(NonZeroUsize::new(3))
        .wasm_backtrace(true);
    assert_eq!(config.wasm_backtrace_max_frames, NonZeroUsize::new(3));
    config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
    assert!(config.wasm_backtrace_details && !config.wasm_backtrace_details_env_used);
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    assert!(!config.wasm_backtrace_details);
}

#[test]
fn inlining_modes_print_and_parse() {
    for mode in [
        Inlining::Yes,
        Inlining::InterModuleAndIntraGc,
        Inlining::InterModule,
        Inlining::Intrinsics,
        Inlining::No,
    ] {
        assert_eq!(mode.to_string().parse::<Inlining>().unwrap(), mode);
    }
    assert_eq!("true".parse::<Inlining>().unwrap(), Inlining::Yes);
    assert!(
        "maybe"
            .parse::<Inlining>()
            .unwrap_err()
            .to_string()
            .contains("`maybe`")
    );
}

#[test]
fn debug_shows_features_and_options() {
    let text = format!("{:?}", Config::new().wasm_gc(false));
    for part in [
        "wasm_gc: false",
        "wasm_simd: true",
        "wasm_exceptions: true",
        "collector: Auto",
        "max_wasm_stack: 524288",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn heaps() {
    for collector in [Collector::Auto, Collector::Copying, Collector::Null] {
        valid(Config::new().collector(collector));
    }
    let mut config = Config::new();
    assert_eq!(config.chosen_collector(), Collector::Copying);
    config.collector(Collector::DeferredReferenceCounting);
    let message = config.validate().unwrap_err().to_string();
    assert!(message.contains("reference-counting collector is not in"));
    // What a heap is like anyway can be asked for.
    config
        .collector(Collector::Null)
        .gc_heap_reservation(4 << 30)
        .gc_heap_guard_size(64 << 10)
        .gc_heap_reservation_for_growth(1)
        .gc_heap_may_move(false)
        .gc_heap_initial_size(1 << 20)
        .gc_zeal_alloc_counter(NonZeroU32::new(3))
        .unwrap();
    valid(&config);
    assert!(error(|c| c.gc_heap_initial_size(3 << 30)).contains("gc_heap_initial_size"));
}

#[test]
fn pools() {
    let mut pool = PoolingAllocationConfig::new();
    assert_eq!(pool.get_total_memories(), 1000);
    assert_eq!(pool.get_max_memory_size(), 4 << 30);
    assert_eq!(pool.get_table_elements(), 20_000);
    pool.linear_memory_keep_resident(7)
        .memory_protection_keys(Enabled::Auto);
    assert_eq!(pool.get_memory_keep_resident(), 7);
    assert_eq!(pool.get_memory_protection_keys(), Enabled::Auto);
    assert!(!PoolingAllocationConfig::are_memory_protection_keys_available());
}
