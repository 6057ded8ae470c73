//! WASI for Meantime: the interface through which a WebAssembly program reaches files, clocks,
//! streams and sockets.
//!
//! What this crate is: the host side of `wasi_snapshot_preview1` (module [`p1`]) and of its
//! predecessor `wasi_unstable` (module [`p0`]), all functions of both, written against the public
//! embedding API alone. What it is not: a runtime. It never sees compiled code or the inside of a
//! store.
//!
//! The one idea: a program has no ambient authority. Everything it can reach was put into a
//! [`WasiCtx`] by the host, one capability at a time, with a [`WasiCtxBuilder`]; a directory given
//! to a guest is a handle, and no path, `..` or symbolic link leads out of it.
//!
//! ```
//! use meantime::{Engine, Linker, Module, Store};
//! use meantime_wasi::p1::{self, WasiP1Ctx};
//! use meantime_wasi::{I32Exit, WasiCtxBuilder};
//!
//! # fn main() -> meantime::Result<()> {
//! let engine = Engine::default();
//! let module = Module::new(
//!     &engine,
//!     r#"(module
//!         (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
//!         (memory (export "memory") 1)
//!         (func (export "_start") (call $exit (i32.const 7))))"#,
//! )?;
//! let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
//! p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;
//!
//! let wasi = WasiCtxBuilder::new().inherit_stdio().arg("seven").build_p1();
//! let mut store = Store::new(&engine, wasi);
//! let instance = linker.instantiate(&mut store, &module)?;
//! let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
//! let error = start.call(&mut store, ()).unwrap_err();
//! assert_eq!(error.downcast_ref::<I32Exit>().unwrap().0, 7);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod cli;
pub mod clocks;
mod ctx;
mod error;
mod executor;
pub mod filesystem;
pub mod p0;
pub mod p1;
pub mod p2;
pub mod random;
pub mod sockets;
mod sys;

pub use async_trait::async_trait;
pub use clocks::{HostMonotonicClock, HostWallClock};
pub use ctx::{WasiCtx, WasiCtxBuilder};
pub use error::I32Exit;
pub use filesystem::FsPerms;
pub use rand_core::Rng;
pub use random::Deterministic;
