//! The process's own standard streams.

use super::{Handle, write_vectored};
use crate::cli::HostStream;
use rustix::io::Errno;
use std::io::{self, IoSlice, Write as _};
use std::os::fd::AsFd;

/// The descriptor of a stream, or nothing for the empty one.
pub(crate) fn stream_handle(stream: &HostStream) -> Option<Handle<'_>> {
    match stream {
        HostStream::Empty => None,
        HostStream::Stdin => Some(rustix::stdio::stdin()),
        HostStream::Stdout => Some(rustix::stdio::stdout()),
        HostStream::Stderr => Some(rustix::stdio::stderr()),
        HostStream::File(file) => Some(file.as_fd()),
    }
}

pub(crate) fn is_terminal(handle: Handle<'_>) -> bool {
    rustix::termios::isatty(handle)
}

/// Writes to a stream of the host.
pub(crate) fn write_stream(stream: &HostStream, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let Some(handle) = stream_handle(stream) else {
        return Ok(buffers.iter().map(|buffer| buffer.len()).sum());
    };
    if let HostStream::Stdout = stream {
        // The host may hold back an unfinished line of its own; it comes first.
        io::stdout().flush()?;
    }
    match write_vectored(handle, buffers) {
        // A host started without standard output discards it, as Rust's own standard library does.
        Err(Errno::BADF) if !matches!(stream, HostStream::File(_)) => {
            Ok(buffers.iter().map(|buffer| buffer.len()).sum())
        }
        result => Ok(result?),
    }
}
