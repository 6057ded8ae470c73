//! From bytes, text or files to a [`Module`].

use super::{Module, load::Source};
use crate::profile::Profile;
use crate::tiers::ModuleTiers;
use crate::{Engine, Error, Result, bail, ensure};
use meantime_compile::{
    Artifact, ArtifactInfo, Backend, CompileOptions, TextMemory, compile_module_into,
    compile_module_with, describe_module,
};
use meantime_module::Module as Decoded;
use meantime_vm as vm;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

impl Module {
    /// Compiles a module from bytes: the binary format, or the text format.
    ///
    /// # Errors
    ///
    /// When the bytes are not a valid module (the message has the offset), use features that the engine does not allow, or need more than
    /// the machine has.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        let wasm = to_binary(bytes.as_ref(), None)?;
        Module::from_bytes(engine, wasm)
    }

    /// The same from a file.
    ///
    /// # Errors
    ///
    /// As for [`Module::new`], and when the file cannot be read.
    pub fn from_file(engine: &Engine, file: impl AsRef<Path>) -> Result<Module> {
        let path = file.as_ref();
        let bytes = read(path)?;
        let in_file =
            |e: Error| e.context(format!("failed to load module from `{}`", path.display()));
        let wasm = match to_binary(&bytes, Some(path)).map_err(in_file)? {
            Cow::Owned(wasm) => wasm,
            Cow::Borrowed(_) => bytes,
        };
        Module::from_bytes(engine, Cow::Owned(wasm))
    }

    /// The same from bytes in the binary format only.
    ///
    /// # Errors
    ///
    /// As for [`Module::new`].
    pub fn from_binary(engine: &Engine, binary: &[u8]) -> Result<Module> {
        Module::from_bytes(engine, Cow::Borrowed(binary))
    }

    fn from_bytes(engine: &Engine, wasm: Cow<'_, [u8]>) -> Result<Module> {
        let cache = engine.config().cache.as_ref();
        let entry = cache.map(|cache| cache.entry(engine, &wasm)).transpose()?;
        if let Some(entry) = &entry
            && engine.tiers().is_none()
        {
            // The bytes that it was compiled from were valid with the features of this engine.
            let found = entry
                .open()
                .and_then(|f| Module::from_cache(engine, f).ok());
            entry.count(found.is_some());
            if let Some(module) = found {
                return Ok(module);
            }
        }
        let decoded = decode(engine, &wasm)?;
        let debug_info = has_debug_info(&decoded);
        match engine.tiers() {
            Some(tiers) => {
                let info = ArtifactInfo {
                    // What is made while it runs is not loaded by anyone.
                    version: String::new(),
                    triple: String::new(),
                    settings: Vec::new(),
                    tunables: engine.tunables().clone(),
                };
                let keep_custom = options(engine).keep_custom;
                let artifact = describe_module(&decoded, &wasm, info, keep_custom)?;
                let source = Arc::new(Source::Compiled(artifact));
                let wasm = vm::SharedBytes::from(wasm.into_owned());
                let tiers = ModuleTiers::new(tiers.clone(), source.clone(), wasm, entry);
                Module::with_tiers(engine, source, tiers, debug_info)
            }
            None => {
                let mut text = Text(vm::CodeBuilder::new(0)?);
                let backend: &dyn Backend = engine.backend()?;
                let options = options(engine);
                let artifact = compile_module_into(&decoded, &wasm, backend, &options, &mut text)?;
                if let Some(entry) = &entry {
                    entry.write(&artifact.to_elf_with(text.bytes())?);
                }
                Module::load(engine, artifact, text.0, debug_info)
            }
        }
    }

    /// From a file that is either a module, as for [`Module::from_file`], or the result of [`Module::serialize`].
    ///
    /// # Errors
    ///
    /// As for both.
    ///
    /// # Safety
    ///
    /// As for [`Module::deserialize_file`].
    #[allow(unsafe_code)]
    pub unsafe fn from_trusted_file(engine: &Engine, file: impl AsRef<Path>) -> Result<Module> {
        let path = file.as_ref();
        match Engine::detect_precompiled_file(path)? {
            // SAFETY: by the caller.
            Some(_) => unsafe { Module::deserialize_file(engine, path) },
            None => Module::from_file(engine, path),
        }
    }

    /// Checks that bytes in the binary format are a valid module, without compiling it.
    ///
    /// # Errors
    ///
    /// As for [`Module::new`].
    pub fn validate(engine: &Engine, binary: &[u8]) -> Result<()> {
        decode(engine, binary)?;
        Ok(())
    }

    /// Compiles to bytes, perhaps for another machine.
    pub(crate) fn precompile(
        engine: &Engine,
        bytes: &[u8],
        profile: Option<&Profile>,
    ) -> Result<Vec<u8>> {
        let wasm = to_binary(bytes, None)?;
        let decoded = decode(engine, &wasm)?;
        let artifact = match profile {
            None => compile(engine, &decoded, &wasm)?,
            Some(profile) => {
                ensure!(profile.is_of(&wasm), "the profile is of another module");
                let backend = engine.backend()?.with_profile(profile);
                compile_module_with(&decoded, &wasm, &backend, &options(engine))?
            }
        };
        Ok(artifact.to_elf()?)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        Error::new(e).context(format!("failed to read input file `{}`", path.display()))
    })
}

#[cfg(feature = "wat")]
fn to_binary<'a>(bytes: &'a [u8], path: Option<&Path>) -> Result<Cow<'a, [u8]>> {
    Ok(meantime_module::parse_text_at(bytes, path)?)
}

#[cfg(not(feature = "wat"))]
fn to_binary<'a>(bytes: &'a [u8], _path: Option<&Path>) -> Result<Cow<'a, [u8]>> {
    Ok(Cow::Borrowed(bytes))
}

fn decode(engine: &Engine, wasm: &[u8]) -> Result<Decoded> {
    let parallel = engine.config().parallel_compilation;
    let module = Decoded::decode(wasm, engine.features(), parallel)?;
    if !engine.config().shared_memory && module.memories().values().any(|m| m.shared) {
        bail!(
            "shared memories are disabled for this engine: enable them with `Config::shared_memory`"
        );
    }
    Ok(module)
}

/// Compiles all of a module.
pub(super) fn compile_whole(engine: &Engine, wasm: &[u8]) -> Result<Artifact> {
    compile(engine, &decode(engine, wasm)?, wasm)
}

fn compile(engine: &Engine, decoded: &Decoded, wasm: &[u8]) -> Result<Artifact> {
    let backend: &dyn Backend = engine.backend()?;
    Ok(compile_module_with(
        decoded,
        wasm,
        backend,
        &options(engine),
    )?)
}

/// Code is put together where it runs.
struct Text(vm::CodeBuilder);

impl TextMemory for Text {
    fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }

    fn reserve(&mut self, bytes: usize) {
        self.0.reserve(bytes);
    }

    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.append(bytes)
    }
}

fn options(engine: &Engine) -> CompileOptions {
    let keep_custom: fn(&str) -> bool = match engine.config().wasm_backtrace_details {
        true => |name| name.starts_with(".debug_"),
        false => |_| false,
    };
    CompileOptions {
        parallel: engine.config().parallel_compilation,
        keep_custom,
        settings: Vec::new(),
        version: engine.artifact_version(),
    }
}

fn has_debug_info(decoded: &Decoded) -> bool {
    decoded
        .custom_sections()
        .iter()
        .any(|s| s.name == ".debug_info")
}
