//! From an artifact, in memory or mapped from a file, to a [`Module`] that can run.

use super::new::compile_whole;
use super::{CodeOwner, Module, ModuleInner};
use crate::const_expr::constant;
use crate::instantiate::Recipe;
use crate::tiers::{Asked, ModuleTiers};
use crate::type_registry::ModuleTypes;
use crate::{Engine, Error, Result, ValRaw, bail};
use meantime_abi::entity::{PrimaryMap, SecondaryMap};
use meantime_abi::{CompositeType, RefRepr, Trampoline, TypeIndex, ValType};
use meantime_compile::{Artifact, ArtifactView, Backend, Expect, LoadedArtifact};
use meantime_module::{ElemItems, SegmentMode};
use meantime_vm as vm;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use wasmparser::WasmFeatures;

/// Where a module's artifact is.
pub(super) enum Source {
    /// It was compiled just now; its code is where it runs.
    Compiled(Artifact),
    /// It was read.
    Loaded {
        artifact: LoadedArtifact,
        bytes: vm::SharedBytes,
    },
}

impl Source {
    pub(super) fn view(&self) -> ArtifactView<'_> {
        match self {
            Source::Compiled(artifact) => artifact.view(),
            Source::Loaded { artifact, bytes } => artifact.view(bytes),
        }
    }
}

impl AsRef<meantime_module::Module> for Source {
    fn as_ref(&self) -> &meantime_module::Module {
        self.view().module()
    }
}

/// What a module's code is.
enum Code {
    /// Finished.
    Whole(vm::CodeMemory),
    /// Made while it runs.
    Tiered(Arc<ModuleTiers>),
}

/// A part of an artifact that others hold on to.
struct Part(Arc<Source>, fn(ArtifactView<'_>) -> &[u8]);

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        (self.1)(self.0.view())
    }
}

impl Module {
    /// The bytes of the compiled module, for [`Module::deserialize`].
    ///
    /// # Errors
    ///
    /// When it is too large.
    pub fn serialize(&self) -> Result<Vec<u8>> {
        if let Some(tiers) = &self.inner.tiers {
            return Ok(compile_whole(self.engine(), tiers.wasm())?.to_elf()?);
        }
        match &*self.inner.source {
            Source::Compiled(artifact) => Ok(artifact.to_elf_with(self.inner.region.text())?),
            Source::Loaded { bytes, .. } => Ok(bytes.to_vec()),
        }
    }

    /// A module from what [`Module::serialize`] or [`Engine::precompile_module`] made.
    ///
    /// # Errors
    ///
    /// When the bytes are something else, or were made by another version, for another machine, or with other options.
    ///
    /// # Safety
    ///
    /// The bytes are machine code and are trusted: they must come unchanged from this library.
    #[allow(unsafe_code)]
    pub unsafe fn deserialize(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        let bytes = vm::SharedBytes::from(bytes.as_ref().to_vec());
        Module::from_artifact_bytes(engine, bytes, None)
    }

    /// The same from a file, which is mapped rather than read.
    ///
    /// # Errors
    ///
    /// As for [`Module::deserialize`], and when the file cannot be mapped.
    ///
    /// # Safety
    ///
    /// As for [`Module::deserialize`]; the file must not change as long as the module lives.
    #[allow(unsafe_code)]
    pub unsafe fn deserialize_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| {
            Error::new(e).context(format!("failed to open file `{}`", path.display()))
        })?;
        // SAFETY: by the caller.
        unsafe { Module::deserialize_open_file(engine, file) }
            .map_err(|e| e.context(format!("failed to load code from `{}`", path.display())))
    }

    /// The same from an open file.
    ///
    /// # Errors
    ///
    /// As for [`Module::deserialize_file`].
    ///
    /// # Safety
    ///
    /// As for [`Module::deserialize_file`].
    #[allow(unsafe_code)]
    pub unsafe fn deserialize_open_file(engine: &Engine, file: File) -> Result<Module> {
        // SAFETY: by the caller the file does not change.
        let file = Arc::new(unsafe { vm::MappedFile::open(file)? });
        let bytes = vm::SharedBytes::new(file.clone());
        Module::from_artifact_bytes(engine, bytes, Some(file))
    }

    /// The same from a file of a cache, which ends with a hash.
    #[allow(unsafe_code)]
    pub(super) fn from_cache(engine: &Engine, file: File) -> Result<Module> {
        // SAFETY: files of a cache are replaced and deleted, never written to.
        let file = Arc::new(unsafe { vm::MappedFile::open(file)? });
        let bytes = vm::SharedBytes::new(file.clone());
        if crate::cache::content(&bytes).is_none() {
            bail!("the file is damaged");
        }
        Module::from_artifact_bytes(engine, bytes, Some(file))
    }

    fn from_artifact_bytes(
        engine: &Engine,
        bytes: vm::SharedBytes,
        file: Option<Arc<vm::MappedFile>>,
    ) -> Result<Module> {
        let mut expect = Expect::of(engine.backend()? as &dyn Backend);
        expect.version = engine.artifact_version();
        let artifact = LoadedArtifact::parse(&bytes, &expect)?;
        let text = artifact.text_range();
        let data_offset = artifact.data_range().start;
        let code = match &file {
            Some(file) => {
                // SAFETY: the callers of `deserialize_file` promise that the file does not change.
                #[allow(unsafe_code)]
                unsafe {
                    vm::CodeMemory::from_file(file.file(), text.start as u64, text.len())?
                }
            }
            None => vm::CodeMemory::from_bytes(&bytes[text])?,
        };
        let source = Arc::new(Source::Loaded { artifact, bytes });
        let file = file.map(|file| (file, data_offset as u64));
        Module::with_code(engine, source, Code::Whole(code), file, false)
    }

    /// A module that was compiled just now, with its code.
    pub(super) fn load(
        engine: &Engine,
        artifact: Artifact,
        code: vm::CodeBuilder,
        debug_info: bool,
    ) -> Result<Module> {
        let info = artifact.info();
        if info.triple != meantime_optimize::native_triple().to_string() {
            bail!(
                "cannot load a module that was compiled for `{}` on this machine",
                info.triple
            );
        }
        let source = Arc::new(Source::Compiled(artifact));
        Module::with_code(
            engine,
            source,
            Code::Whole(code.finish()?),
            None,
            debug_info,
        )
    }

    /// A module whose code is made while it runs.
    pub(super) fn with_tiers(
        engine: &Engine,
        source: Arc<Source>,
        tiers: ModuleTiers,
        debug_info: bool,
    ) -> Result<Module> {
        let code = Code::Tiered(Arc::new(tiers));
        let module = Module::with_code(engine, source, code, None, debug_info)?;
        if let Some(tiers) = module.tiers() {
            tiers.warm_up(module.code());
        }
        Ok(module)
    }

    fn with_code(
        engine: &Engine,
        source: Arc<Source>,
        code: Code,
        file: Option<(Arc<vm::MappedFile>, u64)>,
        debug_info: bool,
    ) -> Result<Module> {
        let view = source.view();
        let env = view.module();
        let groups = env.rec_groups().values().cloned();
        let types = engine.types().register_module(env.types(), groups)?;
        let recipe = Recipe::new(env);
        let sees_objects = sees_objects(env, engine.features());
        let debug_info = debug_info || env.custom_section(".debug_info").is_some();
        let mut failed = None;
        let tiers = match &code {
            Code::Whole(_) => None,
            Code::Tiered(tiers) => Some(tiers.clone()),
        };
        let inner = Arc::new_cyclic(|weak| {
            let region = region(&source, code, CodeOwner(weak.clone()))
                .inspect_err(|e| failed = Some(format!("{e:#}")))
                .unwrap_or_else(|_| empty_region());
            let mut shape = shape(engine, &source, &types, region.clone(), file);
            if tiers.is_some() {
                shape.enters = Box::default();
            }
            let shape = Arc::new(shape);
            ModuleInner {
                engine: engine.clone(),
                source: source.clone(),
                tiers,
                types,
                region,
                shape,
                recipe,
                sees_objects,
                debug_info,
                symbols: OnceLock::new(),
            }
        });
        match failed {
            Some(message) => bail!("failed to load compiled code: {message}"),
            None => Ok(Module { inner }),
        }
    }
}

/// Whether code of a module may come across objects: whether it can make any (structures, arrays and exceptions), or get any from
/// elsewhere. What is got from elsewhere comes as a parameter, a result, or through an import; external references may be objects, too.
fn sees_objects(env: &meantime_module::Module, features: WasmFeatures) -> bool {
    if !features.intersects(WasmFeatures::GC | WasmFeatures::EXCEPTIONS) {
        return false;
    }
    let counts = env.counts();
    let globals = env.globals().values().take(counts.global_imports as usize);
    let tables = env.tables().values().take(counts.table_imports as usize);
    let signatures = env.types().values().any(|ty| match &ty.composite {
        CompositeType::Func(func) => func
            .params
            .iter()
            .chain(&func.results)
            .any(ValType::is_gc_ref),
        CompositeType::Struct(_) | CompositeType::Array(_) => true,
    });
    let mut imports = globals
        .map(|ty| ty.content)
        .chain(tables.map(|ty| ValType::Ref(ty.element)));
    signatures || !env.tags().is_empty() || imports.any(|ty| ty.is_gc_ref())
}

/// Stands in where code could not be loaded, until the error is returned.
fn empty_region() -> Arc<vm::CodeRegion> {
    let memory = vm::CodeMemory::from_bytes(&[]).expect("no bytes need no memory");
    let tables = vm::SharedBytes::default();
    vm::CodeRegion::new(memory, tables, Vec::new(), 0, false, Arc::new(()))
        .expect("no functions are sorted")
}

fn region(source: &Arc<Source>, code: Code, owner: CodeOwner) -> Result<Arc<vm::CodeRegion>> {
    let view = source.view();
    let func_imports = view.module().counts().func_imports;
    let code = match code {
        Code::Whole(code) => code,
        Code::Tiered(tiers) => {
            let module = view.module();
            let types = module.bodies().keys();
            let types = types.map(|func| module.func_type(module.func_index(func)));
            let room_first: Vec<bool> = types.map(|ty| ty.results_in_memory()).collect();
            let (reserve, profiles) = (tiers.reserve(), tiers.profiles());
            let tiers = Arc::new(Asked(tiers));
            let owner = Arc::new(owner);
            let region =
                vm::CodeRegion::tiered(&room_first, func_imports, reserve, profiles, tiers, owner)?;
            return Ok(region);
        }
    };
    let functions = view.funcs().iter().map(|record| vm::FuncEntry {
        start: record.code.start,
        len: record.code.end - record.code.start,
        side_table_start: record.side.start,
        side_table_len: record.side.end - record.side.start,
        key: record.key,
    });
    let side_tables = Part(source.clone(), |view| view.side_tables());
    vm::CodeRegion::new(
        code,
        vm::SharedBytes::new(Arc::new(side_tables)),
        functions.collect(),
        func_imports,
        true,
        Arc::new(owner),
    )
    .map_err(Error::new)
}

/// What instances of the module look like.
fn shape(
    engine: &Engine,
    source: &Arc<Source>,
    types: &ModuleTypes,
    region: Arc<vm::CodeRegion>,
    file: Option<(Arc<vm::MappedFile>, u64)>,
) -> vm::InstanceShape {
    let view = source.view();
    let env = view.module();
    let counts = *env.counts();
    let data_bytes = vm::SharedBytes::new(Arc::new(Part(source.clone(), |view| view.data())));
    let mut escaped = SecondaryMap::new();
    for (index, func) in env.functions() {
        if let Some(place) = func.escaped {
            escaped[index] = place.into();
        }
    }
    let enter = |ty: TypeIndex| {
        env.types()[ty].as_func()?;
        Some(view.trampoline(Trampoline::Enter, ty)?.code.start)
    };
    let memories = env.memory_images().keys().map(|index| {
        let ty = env.memories()[env.memory_index(index)];
        let image = env.memory_images()[index].as_ref().map(|image| {
            let ready = view.memory_image_range(index);
            Arc::new(match (&file, ready) {
                (Some((file, offset)), Some(range))
                    if engine.tunables().memory_init_cow
                        && !engine.config().force_memory_init_memfd =>
                {
                    let bytes = data_bytes
                        .slice(range.clone())
                        .expect("checked when it was read");
                    let at = offset + range.start as u64;
                    vm::MemoryImage::from_file(image.start, file.file().clone(), at, bytes)
                }
                _ => {
                    let bytes = view.memory_image(index).expect("it has one");
                    let bytes = vm::SharedBytes::from(bytes.into_owned());
                    vm::MemoryImage::new(image.start, bytes, engine.tunables().memory_init_cow)
                }
            })
        });
        engine.memory_shape(ty, image)
    });
    let tables = env.table_inits().iter().map(|(index, init)| {
        let ty = env.tables()[env.table_index(index)];
        let repr = ty.element.heap.repr();
        // A table that starts otherwise than as null is filled by instantiation, image and all.
        let image = match init.init {
            Some(_) => Box::default(),
            None => init.image.iter().map(|f| (*f).into()).collect(),
        };
        vm::TableShape {
            repr,
            min: ty.min,
            max: ty.max,
            lazy: repr == RefRepr::Func && engine.tunables().table_lazy_init,
            image,
        }
    });
    let globals = env.global_inits().values();
    let gc_globals = env.global_inits().keys();
    let elems = env
        .elems()
        .values()
        .map(|elem| match (&elem.mode, &elem.items) {
            (SegmentMode::Passive, ElemItems::Funcs(funcs)) => {
                vm::ElemShape::Funcs(funcs.iter().map(|f| (*f).into()).collect())
            }
            (SegmentMode::Passive, ElemItems::Exprs(_)) => vm::ElemShape::Evaluated,
            (
                SegmentMode::Active {
                    in_image: false, ..
                },
                ElemItems::Exprs(_),
            ) => vm::ElemShape::Evaluated,
            _ => vm::ElemShape::Funcs(Box::default()),
        });
    let data = env.datas().values().map(|data| match data.mode {
        SegmentMode::Passive => data.range.start as usize..data.range.end as usize,
        _ => 0..0,
    });
    vm::InstanceShape {
        layout: env.layout(),
        code: Some(region),
        type_ids: types.ids().into(),
        func_types: env
            .bodies()
            .keys()
            .map(|i| env.functions()[env.func_index(i)].ty)
            .collect(),
        enters: env.types().keys().map(enter).collect(),
        escaped,
        memories: PrimaryMap::from_iter(memories),
        tables: PrimaryMap::from_iter(tables),
        globals: globals
            .map(|init| constant(init).unwrap_or(ValRaw::ZERO))
            .collect(),
        gc_globals: gc_globals
            .filter(|i| env.globals()[env.global_index(*i)].content.is_gc_ref())
            .collect(),
        tags: env
            .tags()
            .values()
            .skip(counts.tag_imports as usize)
            .map(|t| t.func)
            .collect(),
        data: PrimaryMap::from_iter(data),
        data_bytes,
        elems: PrimaryMap::from_iter(elems),
    }
}
