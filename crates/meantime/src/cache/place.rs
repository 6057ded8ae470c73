//! Where the platform keeps caches and configuration.

use std::env;
use std::path::PathBuf;

/// The directory of the cache, unless it is configured.
pub(super) fn cache_directory() -> Option<PathBuf> {
    let directory = if cfg!(windows) {
        absolute("LOCALAPPDATA")?
    } else if cfg!(target_os = "macos") {
        absolute("HOME")?.join("Library/Caches")
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?
    };
    Some(directory.join("meantime").join("modules"))
}

/// The file that configures it.
pub(super) fn config_file() -> Option<PathBuf> {
    let directory = if cfg!(windows) {
        absolute("APPDATA")?
    } else if cfg!(target_os = "macos") {
        absolute("HOME")?.join("Library/Application Support")
    } else {
        absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?
    };
    Some(directory.join("meantime").join("config.toml"))
}

fn absolute(name: &str) -> Option<PathBuf> {
    let path = env::var_os(name).map(PathBuf::from);
    path.filter(|path| path.is_absolute())
}
