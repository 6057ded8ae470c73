//! Compiling a module: what a backend is, the driver that runs one over all functions in parallel, and the artifact that results.
//!
//! It knows neither a particular compiler nor the runtime. The one idea: everything of an artifact but its module's description is laid out so that
//! it is used where it lies, in memory or in a mapped `.cwasm` file.

mod artifact;
mod backend;
mod driver;
mod format;
mod info;
mod link;
mod load;
mod records;
mod text;
mod write;

pub use artifact::{Artifact, ArtifactView, Symbol};
pub use backend::{Backend, CompileError};
pub use driver::{
    CompileOptions, compile_module, compile_module_into, compile_module_with, describe_module,
};
pub use format::{Precompiled, detect_precompiled};
pub use info::{ArtifactInfo, Expect, Mismatch};
pub use link::patch_distance;
pub use load::{ArtifactError, LoadedArtifact};
pub use records::{FuncRecord, FuncTable};
pub use text::TextMemory;
