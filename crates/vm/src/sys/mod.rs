//! What the crate needs of the operating system, one folder per platform with the same names in each.
//!
//! Nothing here knows stores, instances or the guest. The one idea: the rest of the crate names no system call; to port it, write
//! another folder with the items that this file re-exports.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(not(target_os = "linux"))]
compile_error!(
    "meantime-vm has no operating-system layer for this platform yet: write one in src/sys/<platform>/ with the items of src/sys/linux/"
);

pub use platform::{
    FaultKind, FaultState, Mapping, Resume, executable_memory_file, flush_instruction_cache,
    host_page_size, install_fault_handlers, memory_file, prepare_thread,
};
