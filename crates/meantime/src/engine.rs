//! [`Engine`]: what modules and stores share: the configuration, the compiler, the canonical types, the allocator.

use crate::compilers::Compilers;
use crate::tiers::EngineTiers;
use crate::type_registry::TypeRegistry;
use crate::{Collector, Config, Error, FuncType, Module, ModuleVersionStrategy, Result, bail};
use meantime_abi as abi;
use meantime_abi::{CodePtr, MemoryPlan, Signature, Trampoline, Tunables};
use meantime_compile::Backend;
use meantime_vm as vm;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use wasmparser::WasmFeatures;

/// A context for compiling and running modules. Cheap to clone; clones are the same engine.
///
/// A program usually has one. Everything that is made in an engine (modules, types, stores, linkers) is used with that engine only.
///
/// ```
/// use meantime::*;
/// # fn main() -> Result<()> {
/// let engine = Engine::new(&Config::new())?;
/// let module = Module::new(&engine, "(module)")?;
/// assert!(Engine::same(&engine, module.engine()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine {
    inner: Arc<EngineInner>,
}

struct EngineInner {
    config: Config,
    tunables: Tunables,
    features: WasmFeatures,
    types: TypeRegistry,
    /// None where the configuration has no compiler.
    backend: Option<Compilers>,
    /// None where code is made ahead of time.
    tiers: Option<Arc<EngineTiers>>,
    allocator: Arc<dyn vm::Allocator>,
    epoch: Arc<vm::EpochCounter>,
    /// Trampolines to functions of the host that no module brought.
    trampolines: Mutex<HashMap<Signature, HostTrampoline>>,
}

/// A trampoline that the engine compiled by itself.
struct HostTrampoline {
    code: usize,
    _region: Arc<vm::CodeRegion>,
}

impl Engine {
    /// An engine with this configuration.
    ///
    /// # Errors
    ///
    /// When the configuration asks for what this version or this machine does not support, or contradicts itself.
    pub fn new(config: &Config) -> Result<Engine> {
        let (tunables, features) = config.validate()?;
        if tunables.signals_based_traps {
            vm::init_traps();
        }
        let backend = match config.enable_compiler {
            true => Some(Compilers::new(config, &tunables)?),
            false => None,
        };
        let tiers = match config.enable_compiler {
            true => EngineTiers::new(config, &tunables)?,
            false => None,
        };
        Ok(Engine {
            inner: Arc::new(EngineInner {
                config: config.clone(),
                tunables,
                features,
                types: TypeRegistry::new(),
                backend,
                tiers: tiers.map(Arc::new),
                allocator: Arc::new(vm::OnDemandAllocator::new()),
                epoch: Arc::default(),
                trampolines: Mutex::default(),
            }),
        })
    }

    /// Whether both are the same engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(&a.inner, &b.inner)
    }

    /// A handle that does not keep the engine alive.
    pub fn weak(&self) -> EngineWeak {
        EngineWeak {
            inner: Arc::downgrade(&self.inner),
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Compiles a module, in binary or text, to bytes for [`Module::deserialize`].
    ///
    /// Unlike [`Module::new`] it works for other targets than this machine ([`Config::target`]).
    ///
    /// # Errors
    ///
    /// As for [`Module::new`].
    pub fn precompile_module(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        Module::precompile(self, bytes, None)
    }

    /// What these bytes are, if they are the result of a compilation ahead of time. Looks at the first few only.
    pub fn detect_precompiled(bytes: &[u8]) -> Option<Precompiled> {
        meantime_compile::detect_precompiled(bytes).map(Precompiled::from)
    }

    /// The same for a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn detect_precompiled_file(path: impl AsRef<Path>) -> Result<Option<Precompiled>> {
        use std::io::Read;
        let mut start = Vec::new();
        std::fs::File::open(path)?
            .take(4096)
            .read_to_end(&mut start)?;
        Ok(Engine::detect_precompiled(&start))
    }

    /// A value whose hash is equal for engines that can load each other's compiled modules.
    pub fn precompile_compatibility_hash(&self) -> impl std::hash::Hash + '_ {
        let settings = self
            .backend()
            .map(|b| (b.triple().to_string(), b.settings()));
        let version = self.config().module_version.as_str();
        (version, self.tunables(), settings.ok())
    }

    /// Sets up this thread for running guests, which otherwise happens at the first call.
    pub fn tls_eager_initialize() {
        vm::init_thread();
    }

    /// Whether code is interpreted by Wasmtime's interpreter, which Meantime has not: never.
    pub fn is_pulley(&self) -> bool {
        false
    }

    /// Begins the next epoch: guests whose store's deadline ([`Store::set_epoch_deadline`](crate::Store::set_epoch_deadline)) it is are interrupted soon,
    /// on whatever thread they run, if the engine was made with [`Config::epoch_interruption`].
    ///
    /// Meant for a thread that does so at regular intervals, or a signal handler, where it is safe: it takes no lock and makes no call of the system. It
    /// looks at the deadline of each of the engine's stores. A thread that should not keep the engine alive can hold it by [`Engine::weak`].
    ///
    /// ```
    /// use meantime::*;
    /// use std::time::Duration;
    /// # fn main() -> Result<()> {
    /// let engine = Engine::new(Config::new().epoch_interruption(true))?;
    /// let weak = engine.weak();
    /// std::thread::spawn(move || {
    ///     while let Some(engine) = weak.upgrade() {
    ///         engine.increment_epoch();
    ///         drop(engine);
    ///         std::thread::sleep(Duration::from_millis(10));
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn increment_epoch(&self) {
        self.inner.epoch.increment();
    }

    pub(crate) fn epoch(&self) -> &Arc<vm::EpochCounter> {
        &self.inner.epoch
    }

    pub(crate) fn types(&self) -> &TypeRegistry {
        &self.inner.types
    }

    pub(crate) fn tunables(&self) -> &Tunables {
        &self.inner.tunables
    }

    pub(crate) fn features(&self) -> WasmFeatures {
        self.inner.features
    }

    pub(crate) fn backend(&self) -> Result<&Compilers> {
        match &self.inner.backend {
            Some(backend) => Ok(backend),
            None => {
                bail!("this engine has no compiler: it was disabled with `Config::enable_compiler`")
            }
        }
    }

    /// What makes code while it runs, if that is how this engine makes it.
    pub(crate) fn tiers(&self) -> Option<&Arc<EngineTiers>> {
        self.inner.tiers.as_ref()
    }

    /// Waits until no function is queued for the optimizing compiler or being compiled by it, for measurements and tests. Returns at once where all
    /// code is made ahead of time. Meantime's own.
    pub fn wait_for_tier_up(&self) {
        if let Some(tiers) = self.tiers() {
            tiers.wait();
        }
    }

    pub(crate) fn store_options(&self) -> vm::StoreOptions {
        let frames = self.config().wasm_backtrace_max_frames;
        vm::StoreOptions {
            max_wasm_stack: self.config().max_wasm_stack,
            max_backtrace_frames: frames.map_or(0, |n| n.get()),
            allocator: self.inner.allocator.clone(),
            gc: vm::GcOptions {
                collects: self.config().chosen_collector() == Collector::Copying,
                initial_size: self.config().gc_heap_initial_size,
                zeal: self.config().gc_zeal_alloc_counter,
                signals: self.tunables().signals_based_traps,
            },
        }
    }

    /// The version that artifacts carry, where the configuration says which.
    pub(crate) fn artifact_version(&self) -> Option<String> {
        match &self.config().module_version {
            ModuleVersionStrategy::WasmtimeVersion => None,
            ModuleVersionStrategy::None => Some(String::new()),
            ModuleVersionStrategy::Custom(version) => Some(version.clone()),
        }
    }

    /// A memory of this type as this engine lays it out.
    pub(crate) fn memory_shape(
        &self,
        ty: abi::MemoryType,
        image: Option<Arc<vm::MemoryImage>>,
    ) -> vm::MemoryShape {
        vm::MemoryShape {
            ty,
            plan: MemoryPlan::new(&ty, self.tunables()),
            growth_reserve: self.tunables().memory_reservation_for_growth,
            image,
        }
    }

    /// The trampoline from guests to host functions of this type, for a function that was given to a guest otherwise than as an import.
    pub(crate) fn host_trampoline(&self, ty: &FuncType) -> Result<CodePtr> {
        let signature = ty.abi().signature();
        let mut trampolines = self
            .inner
            .trampolines
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(trampoline) = trampolines.get(&signature) {
            return Ok(trampoline.code as CodePtr);
        }
        let compiled = self
            .backend()?
            .compile_trampoline(Trampoline::Host, &signature)?;
        let key = abi::FuncKey::Trampoline(Trampoline::Host, abi::TypeIndex::from_u32(0));
        let entry = vm::FuncEntry {
            start: 0,
            len: compiled.code.len() as u32,
            side_table_start: 0,
            side_table_len: compiled.side_table.len() as u32,
            key,
        };
        let memory = vm::CodeMemory::from_bytes(&compiled.code)?;
        let side_tables = vm::SharedBytes::from(compiled.side_table);
        let region = vm::CodeRegion::new(memory, side_tables, vec![entry], 0, false, Arc::new(()))
            .map_err(Error::new)?;
        let code = region.text().as_ptr() as usize;
        trampolines.insert(
            signature,
            HostTrampoline {
                code,
                _region: region,
            },
        );
        Ok(code as CodePtr)
    }
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new(&Config::default()).expect("the default configuration is valid")
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Engine")
            .field(&Arc::as_ptr(&self.inner))
            .finish()
    }
}

/// A handle to an engine that does not keep it alive.
#[derive(Clone, Default)]
pub struct EngineWeak {
    inner: Weak<EngineInner>,
}

impl EngineWeak {
    /// The engine, if it is still alive.
    pub fn upgrade(&self) -> Option<Engine> {
        Some(Engine {
            inner: self.inner.upgrade()?,
        })
    }
}

impl std::fmt::Debug for EngineWeak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineWeak").finish_non_exhaustive()
    }
}

/// What a compilation ahead of time made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Precompiled {
    /// A module.
    Module,
    /// A component.
    Component,
}

impl From<meantime_compile::Precompiled> for Precompiled {
    fn from(kind: meantime_compile::Precompiled) -> Precompiled {
        match kind {
            meantime_compile::Precompiled::Module => Precompiled::Module,
            meantime_compile::Precompiled::Component => Precompiled::Component,
        }
    }
}
