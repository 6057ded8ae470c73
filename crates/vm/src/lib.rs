//! The execution core of Meantime: machine code in memory, memories, tables, instances, traps and unwinding.
//!
//! It never sees a module's bytes, a compiler or the embedding API; it is told what to make ([`InstanceShape`]), given finished code
//! ([`CodeRegion`]) and asks its store back through [`VmStore`]. Compiled code and this crate agree on `meantime-abi` and nothing else.
//!
//! Where to start reading: a call enters the guest in `enter`, through the few lines of assembly in `arch`. Compiled code comes back through
//! `builtins` or a function of the `host`. What stops it is in `trap`; the frames it leaves are walked in `backtrace`, and in `exception`
//! where one of them catches what was thrown. `store` and
//! `instance` own everything; `memory`, `table` and `gc` are what guests work on. `sys` is the operating system.
//!
//! The one idea: the crate is unsafe inside, and each unsafe block says which invariant it relies on; the largest ones are that a store is
//! used by one thread at a time, that instances and what they define live as long as their store and never move, and that while guest
//! code or a builtin runs, nobody holds a reference into the store.
#![allow(unsafe_code)]

mod allocator;
mod arch;
mod arena;
mod backtrace;
mod block;
mod builtins;
mod bytes;
mod call_profile;
mod code;
mod code_builder;
mod enter;
mod epoch;
mod error;
mod exception;
mod gc;
mod growing;
mod host;
mod image;
mod instance;
mod interrupt;
mod memory;
mod objects;
mod parking;
mod registry;
mod shape;
mod shared;
mod store;
mod stubs;
mod sys;
mod table;
mod table_ops;
mod threads;
mod tiers;
mod trap;

pub use allocator::{Allocator, OnDemandAllocator};
pub use arena::CodeArena;
pub use backtrace::{Backtrace, Frame};
pub use block::ZeroedBlock;
pub use builtins::BUILTINS;
pub use bytes::{MappedFile, SharedBytes};
pub use call_profile::profiled_callees;
pub use code::{CodeError, CodeMemory, CodeRegion, FuncEntry};
pub use code_builder::CodeBuilder;
pub use enter::{call_wasm, host_body, init_thread};
pub use epoch::EpochCounter;
pub use error::{AllocateError, GrowError};
pub use gc::{GcOptions, GcRef, GcStore, OwnedRoot, OwnedRootId, Root, RootScope};
pub use image::MemoryImage;
pub use instance::{Instance, InstanceId};
pub use memory::{LinearMemory, Memory};
pub use objects::{GlobalId, MemoryId, TableId, TagId};
pub use parking::WaitResult;
pub use registry::lookup_code;
pub use shape::{ElemShape, Imports, InstanceRequest, InstanceShape, MemoryShape, TableShape};
pub use shared::SharedMemory;
pub use store::{MemoryFault, OwnedStore, StoreCore, StoreOptions, VmStore};
pub use sys::host_page_size;
pub use table::{Table, TableElement};
pub use tiers::{Osr, Tiers};
pub use trap::{Pending, Unwind, UnwindReason, init_traps};

/// An error or a panic of the host, as it travels through the guest's frames.
pub type HostError = Box<dyn std::any::Any + Send>;
