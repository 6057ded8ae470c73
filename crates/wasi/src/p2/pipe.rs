//! Streams over memory, and streams over nothing: what tests and embedders put in place of standard
//! streams.

use super::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use crate::cli::{HostStream, IsTerminal, StdinStream, StdoutStream};
use bytes::{Bytes, BytesMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most a stream over nothing takes at once.
const CHUNK: usize = 64 << 10;

/// Bytes in memory as an input. Clones share the position.
#[derive(Clone, Debug)]
pub struct MemoryInputPipe {
    buffer: Arc<Mutex<Bytes>>,
}

impl MemoryInputPipe {
    /// An input of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        MemoryInputPipe {
            buffer: Arc::new(Mutex::new(bytes.into())),
        }
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        lock(&self.buffer).is_empty()
    }
}

#[crate::async_trait]
impl Pollable for MemoryInputPipe {
    async fn ready(&mut self) {}
}

#[crate::async_trait]
impl InputStream for MemoryInputPipe {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut buffer = lock(&self.buffer);
        if buffer.is_empty() {
            return Err(StreamError::Closed);
        }
        let size = size.min(buffer.len());
        Ok(buffer.split_to(size))
    }
}

/// A bounded buffer in memory as an output. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryOutputPipe {
    capacity: usize,
    buffer: Arc<Mutex<BytesMut>>,
}

impl MemoryOutputPipe {
    /// An output that holds at most `capacity` bytes and is closed when it is full.
    pub fn new(capacity: usize) -> Self {
        MemoryOutputPipe {
            capacity,
            buffer: Arc::new(Mutex::new(BytesMut::new())),
        }
    }

    /// What has been written so far.
    pub fn contents(&self) -> Bytes {
        lock(&self.buffer).clone().freeze()
    }

    /// The buffer, if this is the last clone of the pipe.
    pub fn try_into_inner(self) -> Option<BytesMut> {
        Some(
            Arc::into_inner(self.buffer)?
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

#[crate::async_trait]
impl Pollable for MemoryOutputPipe {
    async fn ready(&mut self) {}
}

#[crate::async_trait]
impl OutputStream for MemoryOutputPipe {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut buffer = lock(&self.buffer);
        if bytes.len() > self.capacity - buffer.len() {
            return Err(StreamError::trap(
                "write beyond capacity of MemoryOutputPipe",
            ));
        }
        buffer.extend_from_slice(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match self.capacity - lock(&self.buffer).len() {
            0 => Err(StreamError::Closed),
            room => Ok(room),
        }
    }
}

/// An output that takes everything and keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct SinkOutputStream;

#[crate::async_trait]
impl Pollable for SinkOutputStream {
    async fn ready(&mut self) {}
}

#[crate::async_trait]
impl OutputStream for SinkOutputStream {
    fn write(&mut self, _bytes: Bytes) -> StreamResult<()> {
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}

/// An input that is at its end.
#[derive(Clone, Copy, Debug)]
pub struct ClosedInputStream;

#[crate::async_trait]
impl Pollable for ClosedInputStream {
    async fn ready(&mut self) {}
}

#[crate::async_trait]
impl InputStream for ClosedInputStream {
    fn read(&mut self, _size: usize) -> StreamResult<Bytes> {
        Err(StreamError::Closed)
    }
}

/// An output that nobody reads.
#[derive(Clone, Copy, Debug)]
pub struct ClosedOutputStream;

#[crate::async_trait]
impl Pollable for ClosedOutputStream {
    async fn ready(&mut self) {}
}

#[crate::async_trait]
impl OutputStream for ClosedOutputStream {
    fn write(&mut self, _bytes: Bytes) -> StreamResult<()> {
        Err(StreamError::Closed)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Err(StreamError::Closed)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Err(StreamError::Closed)
    }
}

macro_rules! never_a_terminal {
    ($($type:ty),*) => {
        $(impl IsTerminal for $type {
            fn is_terminal(&self) -> bool {
                false
            }
        })*
    };
}

never_a_terminal!(
    MemoryInputPipe,
    MemoryOutputPipe,
    SinkOutputStream,
    ClosedInputStream,
    ClosedOutputStream
);

impl StdinStream for MemoryInputPipe {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl StdinStream for ClosedInputStream {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(*self)
    }

    fn host_stream(&self) -> Option<HostStream> {
        Some(HostStream::Empty)
    }
}

impl StdoutStream for MemoryOutputPipe {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl StdoutStream for SinkOutputStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }

    fn host_stream(&self) -> Option<HostStream> {
        Some(HostStream::Empty)
    }
}

impl StdoutStream for ClosedOutputStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }
}

/// Locks a buffer. A panic elsewhere cannot have left bytes half-written that matter here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
