//! A WebAssembly runtime to embed: it starts at once and optimizes in the meantime.
//!
//! The API is that of the `wasmtime` crate, version 48: a program written for it compiles with
//! `wasmtime = { package = "meantime", … }`.
//!
//! An [`Engine`] holds what is shared. A [`Module`] is compiled code. A [`Store`] holds instances and the host's own data. A
//! [`Linker`] gives modules what they import and makes an [`Instance`], whose exports are called.
//!
//! ```
//! use meantime::*;
//!
//! fn main() -> Result<()> {
//!     let engine = Engine::default();
//!     let module = Module::new(
//!         &engine,
//!         r#"(module
//!             (import "host" "double" (func $double (param i32) (result i32)))
//!             (func (export "run") (result i32) (call $double (i32.const 21))))"#,
//!     )?;
//!     let mut linker = Linker::new(&engine);
//!     linker.func_wrap("host", "double", |x: i32| x * 2)?;
//!     let mut store = Store::new(&engine, ());
//!     let instance = linker.instantiate(&mut store, &module)?;
//!     let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
//!     assert_eq!(run.call(&mut store, ())?, 42);
//!     Ok(())
//! }
//! ```
//!
//! The one idea of the layout: this crate is the only one that knows both what compiles code and what runs it; it turns modules into code,
//! code into shapes of instances, and handles into what `vm` works with. It knows neither WASI nor the command line.

mod cache;
mod compilers;
mod config;
mod const_expr;
mod engine;
pub mod error;
mod externals;
mod func;
mod gc;
mod instance;
mod instantiate;
mod limits;
mod linker;
mod module;
mod profile;
mod store;
mod tiers;
mod trap;
mod type_registry;
mod types;
mod val;

pub use cache::{Cache, CacheConfig};
pub use config::{
    Collector, Config, Enabled, Inlining, InstanceAllocationStrategy, ModuleVersionStrategy,
    OptLevel, PoolingAllocationConfig, ProfilingStrategy, RRConfig, RegallocAlgorithm, Strategy,
    WasmBacktraceDetails,
};
pub use engine::{Engine, EngineWeak, Precompiled};
pub use error::{Error, OutOfMemory, Result, ToWasmtimeResult};
pub use externals::{
    Extern, Global, Memory, MemoryAccessError, SharedMemory, Table, Tag, WaitResult,
};
#[doc(hidden)]
pub use func::HostFunc;
pub use func::{
    Caller, Func, IntoFunc, TypedFunc, WasmParams, WasmResults, WasmRet, WasmTy, WasmTyList,
};
pub use gc::{
    AnyRef, ArrayRef, ArrayRefPre, EqRef, ExnRef, ExnRefPre, ExternRef, GcHeapOutOfMemory, GcRef,
    I31, NoExtern, NoFunc, NoneRef, OwnedRooted, RootScope, Rooted, RootedGcRef, StructRef,
    StructRefPre, ThrownException,
};
pub use instance::{Export, Instance, InstancePre};
pub use limits::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};
pub use linker::{Linker, UnknownImportError};
pub use meantime_abi::ValRaw;
pub use meantime_module::{OperatorCost, VariableOperatorCost};
pub use module::{Module, ModuleExport, ModuleFunction, ResourcesRequired};
pub use profile::Profile;
pub use store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut, UpdateDeadline};
pub use tiers::{Compilation, Tier};
pub use trap::{FrameInfo, FrameSymbol, Trap, WasmBacktrace};
pub use types::{
    ArrayType, ContType, ExnType, ExportType, ExternType, FieldType, Finality, FuncType,
    GlobalType, HeapType, ImportType, MemoryType, MemoryTypeBuilder, Mutability, RefType,
    StorageType, StructType, TableType, TagType, ValType,
};
pub use val::{Ref, V128, Val};
pub use wasmparser::WasmFeatures;
