//! Byte streams as later previews of WASI know them, for embedders that replace a guest's standard
//! streams.
//!
//! Not here: the interfaces of preview 2 themselves. What is here is shared by all previews.

pub mod pipe;
mod streams;

pub use streams::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};
