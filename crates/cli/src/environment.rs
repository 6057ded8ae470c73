//! The environment variables that the command reads: `MEANTIME_*`, and as a drop-in for scripts, `WASMTIME_*`.
//! Not the guest's environment, which is in `run::wasi`.

use std::ffi::OsString;

/// The value of `MEANTIME_<name>` or else `WASMTIME_<name>`.
pub fn variable(name: &str) -> Option<OsString> {
    ["MEANTIME_", "WASMTIME_"]
        .iter()
        .find_map(|prefix| std::env::var_os(format!("{prefix}{name}")))
}

/// Whether a variable is set to `1`.
pub fn switch(name: &str) -> bool {
    variable(name).is_some_and(|value| value == "1")
}
