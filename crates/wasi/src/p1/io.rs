//! `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`: bytes between descriptors and the guest's
//! memory.
//!
//! The one idea: where the system knows the descriptor, it reads and writes the guest's memory
//! itself, with nothing in between. Only streams that the embedder made go through a copy, in
//! bounded pieces.

use super::Host;
use super::errno::{Errno, Error, Result};
use super::table::{Descriptor, Kind};
use super::types::{FdFlags, Rights};
use crate::cli::HostStream;
use crate::executor::block_on;
use crate::p2::{InputStream, OutputStream, StreamError};
use crate::sys::{self, Interest};
use bytes::Bytes;
use std::io::{self, IoSlice, IoSliceMut};

/// The most that one call moves through an embedder's stream, so that a guest cannot choose the
/// size of a host allocation.
const CHUNK: usize = 64 << 10;

impl Host<'_> {
    pub(crate) fn fd_read(&mut self, fd: u32, iovs: u32, iovs_len: u32, nread: u32) -> Result<()> {
        let descriptor = self.table.get_mut(fd)?;
        let read = self
            .memory
            .with_iovecs(iovs, iovs_len, |buffers| read(descriptor, buffers))?;
        self.memory.write_u32(nread, count(read)?)
    }

    pub(crate) fn fd_write(
        &mut self,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        nwritten: u32,
    ) -> Result<()> {
        let descriptor = self.table.get_mut(fd)?;
        let written = self
            .memory
            .with_ciovecs(iovs, iovs_len, |buffers| write(descriptor, buffers))?;
        self.memory.write_u32(nwritten, count(written)?)
    }

    pub(crate) fn fd_pread(
        &mut self,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        offset: u64,
        nread: u32,
    ) -> Result<()> {
        let descriptor = self.table.get(fd)?;
        let handle = positioned(descriptor, Rights::FD_READ)?;
        check_offset(offset)?;
        let read = self.memory.with_iovecs(iovs, iovs_len, |buffers| {
            Ok(sys::read_vectored_at(handle, buffers, offset)?)
        })?;
        self.memory.write_u32(nread, count(read)?)
    }

    pub(crate) fn fd_pwrite(
        &mut self,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        offset: u64,
        nwritten: u32,
    ) -> Result<()> {
        let descriptor = self.table.get(fd)?;
        let handle = positioned(descriptor, Rights::FD_WRITE)?;
        check_offset(offset)?;
        let written = self.memory.with_ciovecs(iovs, iovs_len, |buffers| {
            Ok(sys::write_vectored_at(handle, buffers, offset)?)
        })?;
        self.memory.write_u32(nwritten, count(written)?)
    }
}

fn count(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).map_err(|_| Errno::Overflow.into())
}

/// The handle of something that has a position.
fn positioned(descriptor: &Descriptor, rights: Rights) -> Result<sys::Handle<'_>> {
    match &descriptor.kind {
        Kind::File(file) => {
            descriptor.check(rights.with(Rights::FD_SEEK))?;
            Ok(file.handle())
        }
        Kind::Stream(stream) => {
            descriptor.check(rights.with(Rights::FD_SEEK))?;
            sys::stream_handle(stream).ok_or(Errno::Spipe.into())
        }
        Kind::Input { .. } | Kind::Output { .. } | Kind::Socket(_) => Err(Errno::Spipe.into()),
        Kind::Dir(_) => Err(Errno::Badf.into()),
    }
}

/// Systems count positions in 63 bits.
fn check_offset(offset: u64) -> Result<()> {
    if i64::try_from(offset).is_err() {
        Err(Errno::Inval.into())
    } else {
        Ok(())
    }
}

fn check_ready(descriptor: &Descriptor, interest: Interest) -> Result<()> {
    if descriptor.emulates_nonblock()
        && let Some(handle) = descriptor.handle()
        && !sys::is_ready(handle, interest)
    {
        return Err(Errno::Again.into());
    }
    Ok(())
}

fn read(descriptor: &mut Descriptor, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
    if let Kind::Dir(_) = descriptor.kind {
        return Err(Errno::Badf.into());
    }
    descriptor.check(Rights::FD_READ)?;
    check_ready(descriptor, Interest::Read)?;
    let nonblock = descriptor.flags.contains(FdFlags::NONBLOCK);
    match &mut descriptor.kind {
        Kind::File(file) => file.read(buffers),
        Kind::Stream(stream) => match sys::stream_handle(stream) {
            Some(handle) => Ok(blocking(stream, Interest::Read, nonblock, || {
                Ok(sys::read_vectored(handle, buffers)?)
            })?),
            None => Ok(0),
        },
        Kind::Socket(socket) => Ok(sys::read_vectored(socket.handle(), buffers)?),
        Kind::Input { stream, .. } => read_stream(&mut **stream, nonblock, buffers),
        Kind::Output { .. } | Kind::Dir(_) => Err(Errno::Badf.into()),
    }
}

fn write(descriptor: &mut Descriptor, buffers: &[IoSlice<'_>]) -> Result<usize> {
    if let Kind::Dir(_) = descriptor.kind {
        return Err(Errno::Badf.into());
    }
    descriptor.check(Rights::FD_WRITE)?;
    check_ready(descriptor, Interest::Write)?;
    let nonblock = descriptor.flags.contains(FdFlags::NONBLOCK);
    match &mut descriptor.kind {
        Kind::File(file) => file.write(buffers),
        Kind::Stream(stream) => Ok(blocking(stream, Interest::Write, nonblock, || {
            sys::write_stream(stream, buffers)
        })?),
        Kind::Socket(socket) => Ok(sys::send(socket.handle(), buffers)?),
        Kind::Output { stream, .. } => write_stream(&mut **stream, nonblock, buffers),
        Kind::Input { .. } | Kind::Dir(_) => Err(Errno::Badf.into()),
    }
}

/// Repeats an operation on a stream of the host until it does not ask to be repeated. Another process
/// may have made the stream non-blocking; a guest that did not ask for that must not see it.
fn blocking(
    stream: &HostStream,
    interest: Interest,
    nonblock: bool,
    mut operation: impl FnMut() -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !nonblock => {
                if let Some(handle) = sys::stream_handle(stream) {
                    sys::wait(handle, interest);
                }
            }
            result => return result,
        }
    }
}

/// Reads from an embedder's stream into the buffers, one after another.
fn read_stream(
    stream: &mut dyn InputStream,
    nonblock: bool,
    buffers: &mut [IoSliceMut<'_>],
) -> Result<usize> {
    let room = buffers
        .iter()
        .map(|buffer| buffer.len())
        .sum::<usize>()
        .min(CHUNK);
    if room == 0 {
        return Ok(0);
    }
    let read = if nonblock {
        stream.read(room)
    } else {
        block_on(stream.blocking_read(room))
    };
    let bytes = match read {
        Ok(bytes) if bytes.is_empty() => return Err(Errno::Again.into()),
        Ok(bytes) if bytes.len() > room => return Err(Errno::Io.into()),
        Ok(bytes) => bytes,
        Err(StreamError::Closed) => return Ok(0),
        Err(error) => return Err(stream_error(error)),
    };
    let mut rest = &bytes[..];
    for buffer in buffers {
        let (now, later) = rest.split_at(rest.len().min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        rest = later;
    }
    Ok(bytes.len())
}

/// Writes the buffers to an embedder's stream, one after another. What was written before a failure
/// counts.
fn write_stream(
    stream: &mut dyn OutputStream,
    nonblock: bool,
    buffers: &[IoSlice<'_>],
) -> Result<usize> {
    let mut written = 0;
    for buffer in buffers {
        let mut rest = &buffer[..];
        while !rest.is_empty() {
            match write_chunk(stream, nonblock, rest) {
                Ok(0) if written == 0 => return Err(Errno::Again.into()),
                Err(error) if written == 0 => return Err(error),
                Ok(0) | Err(Error::Errno(_)) => return Ok(written),
                Err(trap) => return Err(trap),
                Ok(chunk) => {
                    rest = &rest[chunk..];
                    written += chunk;
                }
            }
        }
    }
    match stream.flush() {
        Ok(()) | Err(StreamError::Closed) => Ok(written),
        Err(error) => Err(stream_error(error)),
    }
}

/// Writes as much of `bytes` as the stream permits at once; 0 if that is nothing.
fn write_chunk(stream: &mut dyn OutputStream, nonblock: bool, bytes: &[u8]) -> Result<usize> {
    let permit = if nonblock {
        stream.check_write()
    } else {
        block_on(stream.write_ready())
    };
    let chunk = permit.map_err(stream_error)?.min(bytes.len()).min(CHUNK);
    if chunk > 0 {
        stream
            .write(Bytes::copy_from_slice(&bytes[..chunk]))
            .map_err(stream_error)?;
    }
    Ok(chunk)
}

fn stream_error(error: StreamError) -> Error {
    match error {
        StreamError::Closed => Errno::Pipe.into(),
        StreamError::LastOperationFailed(error) => match error.downcast::<std::io::Error>() {
            Ok(error) => Error::Errno(error.into()),
            Err(_) => Errno::Io.into(),
        },
        StreamError::Trap(error) => Error::Trap(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::p2::Pollable;
    use crate::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};

    /// Takes three bytes at a time and is not ready every second time.
    struct Slow(MemoryOutputPipe, bool);

    #[crate::async_trait]
    impl Pollable for Slow {
        async fn ready(&mut self) {
            self.1 = true;
        }
    }

    #[crate::async_trait]
    impl OutputStream for Slow {
        fn write(&mut self, bytes: Bytes) -> crate::p2::StreamResult<()> {
            assert!(bytes.len() <= 3);
            self.1 = false;
            self.0.write(bytes)
        }

        fn flush(&mut self) -> crate::p2::StreamResult<()> {
            Ok(())
        }

        fn check_write(&mut self) -> crate::p2::StreamResult<usize> {
            Ok(if self.1 {
                self.0.check_write()?.min(3)
            } else {
                0
            })
        }
    }

    #[test]
    fn a_slow_output_gets_everything_or_as_much_as_it_takes() {
        let pipe = MemoryOutputPipe::new(10);
        let mut slow = Slow(pipe.clone(), false);
        assert!(matches!(
            write_stream(&mut slow, true, &[IoSlice::new(b"x")]),
            Err(Error::Errno(Errno::Again))
        ));
        assert_eq!(
            write_stream(
                &mut slow,
                false,
                &[IoSlice::new(b"abcd"), IoSlice::new(b"efgh")]
            )
            .unwrap(),
            8
        );
        assert_eq!(
            write_stream(&mut slow, false, &[IoSlice::new(b"ijkl")]).unwrap(),
            2
        );
        assert!(matches!(
            write_stream(&mut slow, false, &[IoSlice::new(b"m")]),
            Err(Error::Errno(Errno::Pipe))
        ));
        assert_eq!(&pipe.contents()[..], b"abcdefghij");
    }

    #[test]
    fn an_input_fills_buffers_in_order_and_then_ends() {
        let mut pipe = MemoryInputPipe::new("abcdefg");
        let (mut first, mut second) = ([0; 2], [0; 3]);
        let mut read = || {
            let mut buffers = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            let count = read_stream(&mut pipe, false, &mut buffers).unwrap();
            (count, first, second)
        };
        assert_eq!(read(), (5, *b"ab", *b"cde"));
        assert_eq!(read(), (2, *b"fg", *b"cde"));
        assert_eq!(read().0, 0);
    }
}
