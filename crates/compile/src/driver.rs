//! The driver: runs a backend over every function of a module and every trampoline it needs, on all cores, and links the results.
//!
//! The one idea: the pieces of code are a list of independent tasks. Threads take them from the list largest first, so that all finish at
//! about the same time; a module with little to do is compiled right here, without starting a thread.

use crate::link::Linker;
use crate::{Artifact, ArtifactInfo, Backend, CompileError, TextMemory, records};
use meantime_abi::entity::EntityRef;
use meantime_abi::{CompiledFunction, DefinedFuncIndex, FuncKey, Signature, Trampoline, TypeIndex};
use meantime_module::{EntityIndex, Images, Module};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a trampoline costs to compile, in bytes of function bodies.
const TRAMPOLINE_COST: usize = 64;
/// Cost of all tasks below which starting threads is not worth it.
const PARALLEL_MIN_COST: usize = 4096;

/// How to compile a module.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// Whether to use several threads where it is worth it.
    pub parallel: bool,
    /// Which custom sections the artifact keeps.
    pub keep_custom: fn(&str) -> bool,
    /// What else a host must agree on, besides the backend's settings.
    pub settings: Vec<(String, String)>,
    /// The version that a host must have; this crate's if none.
    pub version: Option<String>,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions {
            parallel: true,
            keep_custom: keeps_by_default,
            settings: Vec::new(),
            version: None,
        }
    }
}

/// All but those that only linkers read, and the name section, which is decoded already.
fn keeps_by_default(name: &str) -> bool {
    !matches!(name, "name" | "linking" | "producers" | "target_features")
        && !name.starts_with("reloc.")
}

/// Compiles a module. `wasm` is what it was decoded from.
///
/// # Errors
///
/// The backend's error for the first function that it cannot compile; or that the module is too large for its target.
pub fn compile_module(
    module: &Module,
    wasm: &[u8],
    backend: &dyn Backend,
    parallel: bool,
) -> Result<Artifact, CompileError> {
    let options = CompileOptions {
        parallel,
        ..CompileOptions::default()
    };
    compile_module_with(module, wasm, backend, &options)
}

/// Compiles a module as the options say. `wasm` is what it was decoded from.
///
/// # Errors
///
/// As [`compile_module`].
pub fn compile_module_with(
    module: &Module,
    wasm: &[u8],
    backend: &dyn Backend,
    options: &CompileOptions,
) -> Result<Artifact, CompileError> {
    let mut text = Vec::new();
    let artifact = compile_module_into(module, wasm, backend, options, &mut text)?;
    text.shrink_to_fit();
    Ok(Artifact { text, ..artifact })
}

/// The same with the code put elsewhere: the artifact has none, and is looked at with it through [`Artifact::view_with`].
///
/// # Errors
///
/// As [`compile_module`], and when there is no memory for the code.
pub fn compile_module_into(
    module: &Module,
    wasm: &[u8],
    backend: &dyn Backend,
    options: &CompileOptions,
    text: &mut dyn TextMemory,
) -> Result<Artifact, CompileError> {
    let trampolines = NeededTrampolines::of(module);
    let keys: Vec<FuncKey> = module
        .bodies()
        .keys()
        .map(FuncKey::Func)
        .chain(trampolines.keys())
        .collect();
    let tasks = Tasks {
        module,
        wasm,
        backend,
        keys: &keys,
    };
    let mut linker = Linker::new(module, backend.triple(), text);
    tasks.run(options.parallel, |piece| linker.add(piece))?;
    let linked = linker.finish()?;
    let info = info_of(backend, options);
    let artifact = describe_module(module, wasm, info, options.keep_custom)?;
    Ok(Artifact {
        trampolines: trampolines.encode(&artifact.module, artifact.module.bodies().len()),
        funcs: records::encode(&keys, &linked),
        side: linked.side,
        ..artifact
    })
}

fn info_of(backend: &dyn Backend, options: &CompileOptions) -> ArtifactInfo {
    let mut settings = backend.settings();
    settings.extend(options.settings.iter().cloned());
    let version = options.version.clone();
    ArtifactInfo {
        version: version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
        triple: backend.triple().to_string(),
        settings,
        tunables: backend.tunables().clone(),
    }
}

/// Everything of an artifact but its code, for code that is made while it runs.
///
/// # Errors
///
/// When the module is too large.
pub fn describe_module(
    module: &Module,
    wasm: &[u8],
    info: ArtifactInfo,
    keep_custom: fn(&str) -> bool,
) -> Result<Artifact, CompileError> {
    let extracted = module.extract(wasm, &keep_custom, Images::Pieces);
    let Some((module, data)) = extracted else {
        return Err(CompileError {
            message: "data segments of the module exceed 4 GiB".to_owned(),
            unsupported: false,
            offset: None,
        });
    };
    Ok(Artifact {
        info,
        trampolines: Vec::new(),
        module,
        text: Vec::new(),
        funcs: Vec::new(),
        side: Vec::new(),
        data,
    })
}

/// The trampolines of a module, one of each kind for each signature that needs one.
struct NeededTrampolines {
    /// The first type with each type's signature, for types of functions.
    first: Vec<Option<TypeIndex>>,
    enter: Vec<TypeIndex>,
    host: Vec<TypeIndex>,
}

impl NeededTrampolines {
    fn of(module: &Module) -> NeededTrampolines {
        let mut by_signature: HashMap<Signature, TypeIndex> = HashMap::new();
        let mut first = Vec::with_capacity(module.types().len());
        for (index, ty) in module.types().iter() {
            let func = ty.as_func();
            first.push(func.map(|f| *by_signature.entry(f.signature()).or_insert(index)));
        }
        let type_of = |func| first[module.functions()[func].ty.index()];
        let exported = module.exports().iter().filter_map(|e| match e.index {
            EntityIndex::Func(func) => type_of(func),
            _ => None,
        });
        let imported = module.imports().iter().filter_map(|i| match i.index {
            EntityIndex::Func(func) => type_of(func),
            _ => None,
        });
        let start = module.start().and_then(type_of);
        let mut enter: Vec<TypeIndex> = exported.chain(start).collect();
        let mut host: Vec<TypeIndex> = imported.collect();
        if module.funcrefs_cross() {
            enter.extend(module.escaped().values().filter_map(|func| type_of(*func)));
            host.extend(first.iter().flatten());
        }
        for list in [&mut enter, &mut host] {
            list.sort_unstable();
            list.dedup();
        }
        NeededTrampolines { first, enter, host }
    }

    /// In the order in which they stand in the text.
    fn keys(&self) -> impl Iterator<Item = FuncKey> {
        let enter = self.enter.iter().map(|ty| (Trampoline::Enter, *ty));
        let host = self.host.iter().map(|ty| (Trampoline::Host, *ty));
        enter
            .chain(host)
            .map(|(kind, ty)| FuncKey::Trampoline(kind, ty))
    }

    /// For every type, the records of its two trampolines.
    fn encode(&self, module: &Module, functions: usize) -> Vec<u8> {
        let record = |list: &[TypeIndex], before: usize, ty: Option<TypeIndex>| {
            let at = list.binary_search(&ty?).ok()?;
            u32::try_from(before + at).ok()
        };
        let mut bytes = Vec::with_capacity(module.types().len() * records::TRAMPOLINE_PAIR);
        for ty in &self.first {
            let pair = [
                record(&self.enter, functions, *ty),
                record(&self.host, functions + self.enter.len(), *ty),
            ];
            bytes.extend(
                pair.into_iter()
                    .flat_map(|r| r.unwrap_or(records::NO_RECORD).to_le_bytes()),
            );
        }
        bytes
    }
}

/// What there is to compile.
struct Tasks<'a> {
    module: &'a Module,
    wasm: &'a [u8],
    backend: &'a dyn Backend,
    keys: &'a [FuncKey],
}

impl Tasks<'_> {
    fn cost(&self, key: FuncKey) -> usize {
        match key {
            FuncKey::Func(func) => self.module.bodies()[func].range.len(),
            FuncKey::Trampoline(..) => TRAMPOLINE_COST,
        }
    }

    fn compile(&self, key: FuncKey, into: &mut CompiledFunction) -> Result<(), CompileError> {
        match key {
            FuncKey::Func(func) => self
                .backend
                .compile_function_into(self.module, self.wasm, func, into)
                .map_err(|error| self.in_function(error, func)),
            FuncKey::Trampoline(kind, ty) => {
                let signature = self.module.type_as_func(ty).signature();
                *into = self.backend.compile_trampoline(kind, &signature)?;
                Ok(())
            }
        }
    }

    /// Says which function an error is about, and where it begins if the error does not know better.
    fn in_function(&self, error: CompileError, func: DefinedFuncIndex) -> CompileError {
        let index = self.module.func_index(func);
        let name = match self.module.func_name(index) {
            Some(name) => format!("function {} `{name}`", index.as_u32()),
            None => format!("function {}", index.as_u32()),
        };
        CompileError {
            message: format!("{name}: {}", error.message),
            unsupported: false,
            offset: error
                .offset
                .or(Some(self.module.bodies()[func].range.start)),
        }
    }

    /// Compiles everything, and hands it on in the order of the keys.
    fn run(
        &self,
        parallel: bool,
        mut done: impl FnMut(&CompiledFunction) -> Result<(), CompileError>,
    ) -> Result<(), CompileError> {
        let cost: usize = self.keys.iter().map(|key| self.cost(*key)).sum();
        if !parallel || self.keys.len() < 2 || cost < PARALLEL_MIN_COST {
            let mut piece = CompiledFunction::default();
            return self.keys.iter().try_for_each(|key| {
                self.compile(*key, &mut piece)?;
                done(&piece)
            });
        }
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(self.cost(self.keys[*i])));
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::with_capacity(self.keys.len()));
        let first_bad = AtomicUsize::new(usize::MAX);
        let work = || {
            let mut finished = Vec::new();
            while let Some(&i) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                // Only the first error counts, so that it is the same one every time; what comes after it is in vain.
                if i > first_bad.load(Ordering::Relaxed) {
                    continue;
                }
                let mut piece = CompiledFunction::default();
                let result = self.compile(self.keys[i], &mut piece).map(|()| piece);
                if result.is_err() {
                    first_bad.fetch_min(i, Ordering::Relaxed);
                }
                finished.push((i, result));
            }
            // A thread that panicked poisons nothing of use: the panic is passed on when the scope ends.
            results
                .lock()
                .unwrap_or_else(|poison| poison.into_inner())
                .extend(finished);
        };
        rayon::scope(|scope| {
            for _ in 0..rayon::current_num_threads().min(self.keys.len()) {
                scope.spawn(|_| work());
            }
        });
        let mut results = results.into_inner().unwrap_or_else(|p| p.into_inner());
        results.sort_unstable_by_key(|(i, _)| *i);
        results
            .into_iter()
            .try_for_each(|(_, result)| done(&result?))
    }
}
