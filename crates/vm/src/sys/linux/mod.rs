//! Linux: mappings by `mmap`, memory files by `memfd_create`, faults by `sigaction`.

mod icache;
mod mapping;
mod signals;
mod thread;
mod ucontext;

pub use icache::flush_instruction_cache;
pub use mapping::{Mapping, executable_memory_file, host_page_size, memory_file};
pub use signals::{FaultKind, FaultState, Resume, install_fault_handlers};
pub use thread::prepare_thread;
