//! `meantime compile`: makes machine code of a module ahead of time, in a `.cwasm` file.

use super::NotYet;
use crate::options::CommonOptions;
use crate::progress::Progress;
use crate::report::Usage;
use crate::{input, log};
use meantime::error::Context;
use meantime::{Engine, Profile, Result};
use std::path::{Path, PathBuf};

/// Compile a module to a .cwasm file, to be run later with --allow-precompiled
#[derive(clap::Args, Debug)]
#[command(
    version,
    after_help = "With --target, no features of a processor are assumed; give those it has as `-C cranelift-has_…`,\n\
                  see `meantime settings --target TRIPLE`."
)]
pub struct CompileCommand {
    /// Where to write the result [default: the module's file name with .cwasm, in this directory]
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,

    /// Compile for what `meantime run --profile-out` saw of the module
    #[arg(long, value_name = "FILE")]
    profile_in: Option<PathBuf>,

    /// Write the compiler's intermediate code (not supported yet)
    #[arg(long, value_name = "DIR", hide = true, value_parser = NotYet("--emit-clif"))]
    emit_clif: Option<String>,

    /// The module: binary, text, or `-` for stdin
    #[arg(value_name = "MODULE")]
    module: PathBuf,

    #[command(flatten)]
    common: CommonOptions,
}

impl CompileCommand {
    /// Compiles and writes the file.
    pub fn execute(self) -> Result<i32> {
        let output = match self.output {
            Some(path) => path,
            None => default_output(&self.module)?,
        };
        let plan = self.common.plan()?;
        if plan.logging {
            log::start()?;
        }
        let bytes = input::module_bytes(&self.module)?;
        let engine = Engine::new(&plan.config)?;
        let name = input::name(&self.module);
        let profile = self.profile_in.as_deref().map(profile).transpose()?;
        let progress = Progress::start(&name, bytes.len());
        let code = match &profile {
            Some(profile) => engine.precompile_module_with_profile(&bytes, profile),
            None => engine.precompile_module(&bytes),
        };
        let code = code.with_context(|| format!("cannot compile {name}"))?;
        drop(progress);
        std::fs::write(&output, code)
            .with_context(|| format!("cannot write `{}`", output.display()))?;
        Ok(0)
    }
}

/// Reads a profile.
fn profile(path: &Path) -> Result<Profile> {
    let shown = || format!("cannot read the profile `{}`", path.display());
    let text = std::fs::read_to_string(path).with_context(shown)?;
    Profile::from_text(&text).with_context(shown)
}

/// The module's file name with another ending.
fn default_output(module: &Path) -> Result<PathBuf> {
    match module.file_name() {
        Some(name) if name != "-" => Ok(Path::new(name).with_extension("cwasm")),
        _ => Err(Usage("where to write the result must be given with --output".to_string()).into()),
    }
}
