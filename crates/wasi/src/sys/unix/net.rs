//! Sockets by handle.

use super::Handle;
use crate::sockets::Socket;
use rustix::io::{Result, retry_on_intr};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::os::fd::AsFd;

impl Socket {
    pub(crate) fn handle(&self) -> Handle<'_> {
        match self {
            Socket::TcpListener(socket) => socket.as_fd(),
            Socket::TcpStream(socket) => socket.as_fd(),
            Socket::UnixListener(socket) => socket.as_fd(),
            Socket::UnixStream(socket) => socket.as_fd(),
        }
    }

    pub(crate) fn is_listener(&self) -> bool {
        matches!(self, Socket::TcpListener(_) | Socket::UnixListener(_))
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        rustix::fs::fcntl_getfl(self.handle())
            .is_ok_and(|flags| flags.contains(rustix::fs::OFlags::NONBLOCK))
    }

    pub(crate) fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Socket::TcpListener(socket) => socket.set_nonblocking(nonblocking),
            Socket::TcpStream(socket) => socket.set_nonblocking(nonblocking),
            Socket::UnixListener(socket) => socket.set_nonblocking(nonblocking),
            Socket::UnixStream(socket) => socket.set_nonblocking(nonblocking),
        }
    }

    /// Accepts a connection; `None` if this is no listener.
    pub(crate) fn accept(&self) -> Option<io::Result<Socket>> {
        match self {
            Socket::TcpListener(socket) => {
                Some(socket.accept().map(|(stream, _)| Socket::TcpStream(stream)))
            }
            Socket::UnixListener(socket) => Some(
                socket
                    .accept()
                    .map(|(stream, _)| Socket::UnixStream(stream)),
            ),
            Socket::TcpStream(_) | Socket::UnixStream(_) => None,
        }
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Socket::TcpStream(socket) => socket.shutdown(how),
            Socket::UnixStream(socket) => socket.shutdown(how),
            Socket::TcpListener(_) | Socket::UnixListener(_) => {
                Err(io::ErrorKind::NotConnected.into())
            }
        }
    }
}

/// Receives; the second result says whether a datagram was cut off.
pub(crate) fn receive(
    handle: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
    peek: bool,
    wait_all: bool,
) -> Result<(usize, bool)> {
    let mut flags = RecvFlags::empty();
    flags.set(RecvFlags::PEEK, peek);
    flags.set(RecvFlags::WAITALL, wait_all);
    let message = retry_on_intr(|| {
        rustix::net::recvmsg(handle, buffers, &mut RecvAncillaryBuffer::default(), flags)
    })?;
    Ok((
        message.bytes,
        message.flags.contains(rustix::net::ReturnFlags::TRUNC),
    ))
}

/// Sends. A connection that is gone is an error and never a signal.
pub(crate) fn send(handle: Handle<'_>, buffers: &[IoSlice<'_>]) -> Result<usize> {
    retry_on_intr(|| {
        rustix::net::sendmsg(
            handle,
            buffers,
            &mut SendAncillaryBuffer::default(),
            SendFlags::NOSIGNAL,
        )
    })
}
