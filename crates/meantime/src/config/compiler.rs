//! Options about compiling.

use super::{
    Cache, Config, Inlining, ModuleVersionStrategy, OptLevel, RegallocAlgorithm, Strategy,
};
use crate::error::{Result, bail};
use std::path::Path;
use std::str::FromStr;
use target_lexicon::Triple;

impl Config {
    /// Which compiler to use. [`Strategy::Auto`] by default.
    pub fn strategy(&mut self, strategy: Strategy) -> &mut Self {
        self.strategy = strategy;
        self
    }

    /// How often to look at a function in the baseline compiler's code: whenever it has cost so much, in units of about a nanosecond for every 32
    /// bytes of its body. At the fourth look it is optimized, or at the third if it was in a loop all the time. The default is what measurements
    /// say; zero has everything optimized that is called a few times. Meantime's own.
    pub fn tier_up_budget(&mut self, budget: u32) -> &mut Self {
        self.tier_up_budget = Some(i32::try_from(budget).unwrap_or(i32::MAX));
        self
    }

    /// Whether the guest waits where it asks for optimized code, and continues there if it can, rather than going on with what it has. For tests:
    /// what runs in which tier is then the same every time. False by default. Meantime's own.
    pub fn tier_up_waits(&mut self, waits: bool) -> &mut Self {
        self.tier_up_waits = waits;
        self
    }

    /// Settings of the code generator, by name and value.
    pub(crate) fn flags(&self) -> Vec<(String, String)> {
        let flags = self.compiler_flags.iter();
        flags.map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// Whether the engine can compile. If not, it only loads modules that were compiled before. True by default.
    pub fn enable_compiler(&mut self, enable: bool) -> &mut Self {
        self.enable_compiler = enable;
        self
    }

    /// What to compile for, as a target triple. The host by default; an engine for another can compile but not run.
    ///
    /// # Errors
    ///
    /// When it is no target triple.
    pub fn target(&mut self, target: &str) -> Result<&mut Self> {
        match Triple::from_str(target) {
            Ok(triple) => self.target = Some(triple),
            Err(error) => bail!("`{target}` is not a target triple: {error}"),
        }
        Ok(self)
    }

    /// Whether functions are compiled on several threads: all of them at once ahead of time; and while the program runs, where a cache knows what an
    /// earlier process called, before they are called. True by default.
    pub fn parallel_compilation(&mut self, parallel: bool) -> &mut Self {
        self.parallel_compilation = parallel;
        self
    }

    /// How hard to optimize. [`OptLevel::Speed`] by default.
    pub fn cranelift_opt_level(&mut self, level: OptLevel) -> &mut Self {
        self.tunables.opt_level = level;
        self
    }

    /// How to allocate registers. [`RegallocAlgorithm::Backtracking`] by default.
    pub fn cranelift_regalloc_algorithm(&mut self, algo: RegallocAlgorithm) -> &mut Self {
        self.tunables.regalloc = algo;
        self
    }

    /// Whether every NaN that an instruction makes is the canonical one, so that results are the same everywhere. False by default.
    pub fn cranelift_nan_canonicalization(&mut self, enable: bool) -> &mut Self {
        self.tunables.nan_canonicalization = enable;
        self
    }

    /// Whether relaxed vector instructions have the result that the specification's deterministic profile gives them. False by default.
    pub fn relaxed_simd_deterministic(&mut self, enable: bool) -> &mut Self {
        self.tunables.relaxed_simd_deterministic = enable;
        self
    }

    /// Whether the compiler checks its own intermediate results: slow, and of use to its authors only. False by default.
    pub fn cranelift_debug_verifier(&mut self, enable: bool) -> &mut Self {
        let flag = ("enable_verifier".to_string(), enable.to_string());
        self.compiler_flags.extend([flag]);
        self
    }

    /// Not supported by this version.
    pub fn cranelift_wasmtime_debug_checks(&mut self, enable: bool) -> &mut Self {
        self.not_yet("cranelift_wasmtime_debug_checks", enable)
    }

    /// Switches on a setting of the code generator. `Engine::new` refuses names that it does not know.
    ///
    /// # Safety
    ///
    /// The settings are not checked; some make wrong code.
    #[allow(unsafe_code, reason = "the signature of the API; no unsafe operation")]
    pub unsafe fn cranelift_flag_enable(&mut self, flag: &str) -> &mut Self {
        self.compiler_flag(flag, "true")
    }

    /// Gives a setting of the code generator a value. `Engine::new` refuses names and values that it does not know.
    ///
    /// # Safety
    ///
    /// The settings are not checked; some make wrong code.
    #[allow(unsafe_code, reason = "the signature of the API; no unsafe operation")]
    pub unsafe fn cranelift_flag_set(&mut self, name: &str, value: &str) -> &mut Self {
        self.compiler_flag(name, value)
    }

    /// Settings that have methods of their own go where those put them, so that the last call counts.
    fn compiler_flag(&mut self, name: &str, value: &str) -> &mut Self {
        match (name, value) {
            ("opt_level", "none") => self.cranelift_opt_level(OptLevel::None),
            ("opt_level", "speed") => self.cranelift_opt_level(OptLevel::Speed),
            ("opt_level", "speed_and_size") => self.cranelift_opt_level(OptLevel::SpeedAndSize),
            ("regalloc_algorithm", "backtracking") => {
                self.cranelift_regalloc_algorithm(RegallocAlgorithm::Backtracking)
            }
            ("regalloc_algorithm", "single_pass") => {
                self.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass)
            }
            ("enable_nan_canonicalization", "true") => self.cranelift_nan_canonicalization(true),
            ("enable_nan_canonicalization", "false") => self.cranelift_nan_canonicalization(false),
            _ => {
                self.compiler_flags.insert(name.into(), value.into());
                self
            }
        }
    }

    /// Which functions may be compiled into their callers. [`Inlining::Yes`] by default.
    ///
    /// Backtraces are the same either way.
    pub fn compiler_inlining(&mut self, inlining: Inlining) -> &mut Self {
        self.inlining = Some(inlining);
        self
    }

    /// What [`Config::compiler_inlining`] is.
    pub(crate) fn compiler_inlining_mode(&self) -> Inlining {
        self.inlining.unwrap_or(Inlining::Yes)
    }

    /// Whether code is laid out by the module's hints about which branches are likely (the section
    /// `metadata.code.branch_hint`). False by default. Hints cannot change what a program does, and wrong ones are never errors.
    pub fn wasm_branch_hinting(&mut self, enable: bool) -> &mut Self {
        self.tunables.branch_hinting = enable;
        self
    }

    /// Which version a serialized module says it is of, and must have to be loaded.
    ///
    /// # Errors
    ///
    /// When the version is longer than 255 bytes.
    pub fn module_version(&mut self, strategy: ModuleVersionStrategy) -> Result<&mut Self> {
        // Its length is written in one byte.
        if let ModuleVersionStrategy::Custom(version) = &strategy
            && version.len() > 255
        {
            bail!("custom module version cannot be more than 255 bytes: {version}");
        }
        self.module_version = strategy;
        Ok(self)
    }

    /// Where to keep compiled modules. Nowhere by default.
    pub fn cache(&mut self, cache: Option<Cache>) -> &mut Self {
        self.cache = cache;
        self
    }

    /// What else than the compiler's settings decides whether a module compiles, and to what.
    pub(crate) fn cached_choices(&self) -> impl std::fmt::Debug {
        let features = self.features().bits();
        (self.strategy, self.wasm_backtrace_details, features)
    }

    /// A folder for the compiler's intermediate code. Not supported by this version.
    pub fn emit_clif(&mut self, path: &Path) -> &mut Self {
        let _ = path;
        self.not_yet("emit_clif", true)
    }

    /// Which features of the processor compiled modules may use. Not supported by this version, which asks the processor itself.
    ///
    /// # Safety
    ///
    /// A wrong answer makes code that the processor cannot run.
    #[allow(unsafe_code, reason = "the signature of the API; no unsafe operation")]
    pub unsafe fn detect_host_feature(&mut self, detect: fn(&str) -> Option<bool>) -> &mut Self {
        let _ = detect;
        self.not_yet("detect_host_feature", true)
    }

    /// Whether the host passes floats in registers, on targets of x86-64 where that is not given. It is on all that Meantime supports,
    /// so this changes nothing.
    ///
    /// # Safety
    ///
    /// It must be true.
    #[allow(unsafe_code, reason = "the signature of the API; no unsafe operation")]
    pub unsafe fn x86_float_abi_ok(&mut self, enable: bool) -> &mut Self {
        let _ = enable;
        self
    }
}
