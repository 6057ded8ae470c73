//! Streams of the host that can stand in for a guest's standard streams.
//!
//! Not here: the calls that read and write them for preview 1 (`p1::io`), which go to the operating
//! system directly from guest memory. The [`InputStream`] and [`OutputStream`] implementations
//! below are for everyone else.

use super::{IsTerminal, StdinStream, StdoutStream};
use crate::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use crate::sys;
use bytes::{Bytes, BytesMut};
use std::fs::File;
use std::io;
use std::sync::Arc;

/// The most that one call of a stream moves, so that a guest cannot choose the size of a host
/// allocation.
const CHUNK: usize = 64 << 10;

/// A stream that the operating system knows.
#[derive(Clone, Debug)]
pub enum HostStream {
    /// Nothing: reading is at the end, writing is discarded.
    Empty,
    /// The host's standard input.
    Stdin,
    /// The host's standard output.
    Stdout,
    /// The host's standard error.
    Stderr,
    /// A file, pipe or device.
    File(Arc<File>),
}

impl HostStream {
    /// Waits until the stream can be read (or written). A stream that cannot be waited for is
    /// ready.
    fn wait(&self, interest: sys::Interest) {
        if let Some(handle) = sys::stream_handle(self) {
            sys::wait(handle, interest);
        }
    }

    fn is_ready(&self, interest: sys::Interest) -> bool {
        sys::stream_handle(self).is_none_or(|handle| sys::is_ready(handle, interest))
    }
}

impl IsTerminal for HostStream {
    fn is_terminal(&self) -> bool {
        sys::stream_handle(self).is_some_and(sys::is_terminal)
    }
}

impl StdinStream for HostStream {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(HostInput(self.clone()))
    }

    fn host_stream(&self) -> Option<HostStream> {
        Some(self.clone())
    }
}

impl StdoutStream for HostStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(HostOutput(self.clone()))
    }

    fn host_stream(&self) -> Option<HostStream> {
        Some(self.clone())
    }
}

macro_rules! host_stdio {
    ($(#[$doc:meta])* $name:ident, $constructor:ident, $trait:ident, $stream:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        $(#[$doc])*
        pub fn $constructor() -> $name {
            $name
        }

        impl IsTerminal for $name {
            fn is_terminal(&self) -> bool {
                HostStream::$name.is_terminal()
            }
        }

        impl $trait for $name {
            fn p2_stream(&self) -> Box<dyn $stream> {
                $trait::p2_stream(&HostStream::$name)
            }

            fn host_stream(&self) -> Option<HostStream> {
                Some(HostStream::$name)
            }
        }
    };
}

host_stdio! {
    /// The host's standard input, unbuffered: what the host itself has read ahead is lost to the
    /// guest.
    Stdin, stdin, StdinStream, InputStream
}
host_stdio! {
    /// The host's standard output. What the host itself has buffered is written before what the
    /// guest writes.
    Stdout, stdout, StdoutStream, OutputStream
}
host_stdio! {
    /// The host's standard error.
    Stderr, stderr, StdoutStream, OutputStream
}

macro_rules! file_stream {
    ($(#[$doc:meta])* $name:ident, $trait:ident, $stream:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(HostStream);

        impl $name {
            /// Uses `file`, from its current position.
            pub fn new(file: File) -> Self {
                $name(HostStream::File(Arc::new(file)))
            }
        }

        impl IsTerminal for $name {
            fn is_terminal(&self) -> bool {
                self.0.is_terminal()
            }
        }

        impl $trait for $name {
            fn p2_stream(&self) -> Box<dyn $stream> {
                $trait::p2_stream(&self.0)
            }

            fn host_stream(&self) -> Option<HostStream> {
                Some(self.0.clone())
            }
        }
    };
}

file_stream! {
    /// A file, pipe or device as standard input.
    InputFile, StdinStream, InputStream
}
file_stream! {
    /// A file, pipe or device as standard output or standard error.
    OutputFile, StdoutStream, OutputStream
}

fn failed(error: io::Error) -> StreamError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        StreamError::Closed
    } else {
        StreamError::LastOperationFailed(error.into())
    }
}

struct HostInput(HostStream);

#[crate::async_trait]
impl Pollable for HostInput {
    /// Waits on the current thread: there is no reactor to hand the wait to.
    async fn ready(&mut self) {
        self.0.wait(sys::Interest::Read);
    }
}

#[crate::async_trait]
impl InputStream for HostInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let Some(handle) = sys::stream_handle(&self.0) else {
            return Err(StreamError::Closed);
        };
        if size == 0 || !self.0.is_ready(sys::Interest::Read) {
            return Ok(Bytes::new());
        }
        let mut buffer = BytesMut::zeroed(size.min(CHUNK));
        let read = sys::read(handle, &mut buffer).map_err(failed)?;
        if read == 0 {
            return Err(StreamError::Closed);
        }
        buffer.truncate(read);
        Ok(buffer.freeze())
    }
}

struct HostOutput(HostStream);

#[crate::async_trait]
impl Pollable for HostOutput {
    /// Waits on the current thread: there is no reactor to hand the wait to.
    async fn ready(&mut self) {
        self.0.wait(sys::Interest::Write);
    }
}

#[crate::async_trait]
impl OutputStream for HostOutput {
    fn write(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        while !bytes.is_empty() {
            let written =
                sys::write_stream(&self.0, &[io::IoSlice::new(&bytes)]).map_err(failed)?;
            let _ = bytes.split_to(written.min(bytes.len()));
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(if self.0.is_ready(sys::Interest::Write) {
            CHUNK
        } else {
            0
        })
    }
}
