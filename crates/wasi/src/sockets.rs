//! Sockets that a context starts with.
//!
//! Preview 1 cannot make sockets, only use what it was given: it accepts connections from a
//! listener and sends and receives on streams. This file says what may be given.

use std::fmt;
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};

/// A socket for [`WasiCtxBuilder::preopened_socket`], made with `From` from the standard library's
/// types.
///
/// [`WasiCtxBuilder::preopened_socket`]: crate::WasiCtxBuilder::preopened_socket
#[derive(Debug)]
pub struct PreopenedSocket(pub(crate) Socket);

/// A socket in a table of descriptors.
pub(crate) enum Socket {
    TcpListener(TcpListener),
    TcpStream(TcpStream),
    #[cfg(unix)]
    UnixListener(UnixListener),
    #[cfg(unix)]
    UnixStream(UnixStream),
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Socket::TcpListener(socket) => socket.fmt(f),
            Socket::TcpStream(socket) => socket.fmt(f),
            #[cfg(unix)]
            Socket::UnixListener(socket) => socket.fmt(f),
            #[cfg(unix)]
            Socket::UnixStream(socket) => socket.fmt(f),
        }
    }
}

macro_rules! preopened_from {
    ($($(#[$cfg:meta])* $variant:ident,)*) => {
        $($(#[$cfg])* impl From<$variant> for PreopenedSocket {
            fn from(socket: $variant) -> Self {
                PreopenedSocket(Socket::$variant(socket))
            }
        })*
    };
}

preopened_from! {
    TcpListener,
    TcpStream,
    #[cfg(unix)] UnixListener,
    #[cfg(unix)] UnixStream,
}

/// The sockets that a context starts with.
#[derive(Default)]
pub struct WasiSocketsCtx {
    pub(crate) preopens: Vec<PreopenedSocket>,
}
