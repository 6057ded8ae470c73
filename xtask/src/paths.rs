//! Where things are: the workspace, Cargo's target folder, and the cache of fetched tools inside
//! it.

use std::path::{Path, PathBuf};

/// The root of this workspace.
pub fn workspace() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

/// Cargo's target folder, as Cargo itself would choose it from the environment.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => std::path::absolute(Path::new(&dir)).unwrap_or_else(|_| PathBuf::from(dir)),
        None => workspace().join("target"),
    }
}

/// Everything that the tools below fetch or build and that can be deleted at any time.
pub fn tools() -> PathBuf {
    target().join("bench-tools")
}
