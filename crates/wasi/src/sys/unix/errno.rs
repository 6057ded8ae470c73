//! The system's error numbers in the terms of WASI.

use crate::p1::{Errno, Error};
use rustix::io::Errno as Os;
use std::io;

impl From<Os> for Errno {
    fn from(error: Os) -> Errno {
        // Two names share a number on some systems, so this is a chain and not a match on patterns.
        let table = [
            (Os::NOENT, Errno::Noent),
            (Os::EXIST, Errno::Exist),
            (Os::AGAIN, Errno::Again),
            (Os::WOULDBLOCK, Errno::Again),
            (Os::ACCESS, Errno::Acces),
            (Os::PERM, Errno::Perm),
            (Os::NOTDIR, Errno::Notdir),
            (Os::ISDIR, Errno::Isdir),
            (Os::INVAL, Errno::Inval),
            (Os::NOTEMPTY, Errno::Notempty),
            (Os::LOOP, Errno::Loop),
            (Os::BADF, Errno::Badf),
            (Os::TOOBIG, Errno::TooBig),
            (Os::ADDRINUSE, Errno::Addrinuse),
            (Os::ADDRNOTAVAIL, Errno::Addrnotavail),
            (Os::AFNOSUPPORT, Errno::Afnosupport),
            (Os::ALREADY, Errno::Already),
            (Os::BADMSG, Errno::Badmsg),
            (Os::BUSY, Errno::Busy),
            (Os::CANCELED, Errno::Canceled),
            (Os::CHILD, Errno::Child),
            (Os::CONNABORTED, Errno::Connaborted),
            (Os::CONNREFUSED, Errno::Connrefused),
            (Os::CONNRESET, Errno::Connreset),
            (Os::DEADLK, Errno::Deadlk),
            (Os::DESTADDRREQ, Errno::Destaddrreq),
            (Os::DOM, Errno::Dom),
            (Os::DQUOT, Errno::Dquot),
            (Os::FAULT, Errno::Fault),
            (Os::FBIG, Errno::Fbig),
            (Os::HOSTUNREACH, Errno::Hostunreach),
            (Os::IDRM, Errno::Idrm),
            (Os::ILSEQ, Errno::Ilseq),
            (Os::INPROGRESS, Errno::Inprogress),
            (Os::INTR, Errno::Intr),
            (Os::IO, Errno::Io),
            (Os::ISCONN, Errno::Isconn),
            (Os::MFILE, Errno::Mfile),
            (Os::MLINK, Errno::Mlink),
            (Os::MSGSIZE, Errno::Msgsize),
            (Os::MULTIHOP, Errno::Multihop),
            (Os::NAMETOOLONG, Errno::Nametoolong),
            (Os::NETDOWN, Errno::Netdown),
            (Os::NETRESET, Errno::Netreset),
            (Os::NETUNREACH, Errno::Netunreach),
            (Os::NFILE, Errno::Nfile),
            (Os::NOBUFS, Errno::Nobufs),
            (Os::NODEV, Errno::Nodev),
            (Os::NOEXEC, Errno::Noexec),
            (Os::NOLCK, Errno::Nolck),
            (Os::NOLINK, Errno::Nolink),
            (Os::NOMEM, Errno::Nomem),
            (Os::NOMSG, Errno::Nomsg),
            (Os::NOPROTOOPT, Errno::Noprotoopt),
            (Os::NOSPC, Errno::Nospc),
            (Os::NOSYS, Errno::Nosys),
            (Os::NOTCONN, Errno::Notconn),
            (Os::NOTSOCK, Errno::Notsock),
            (Os::NOTSUP, Errno::Notsup),
            (Os::OPNOTSUPP, Errno::Notsup),
            (Os::NOTTY, Errno::Notty),
            (Os::NXIO, Errno::Nxio),
            (Os::OVERFLOW, Errno::Overflow),
            (Os::PIPE, Errno::Pipe),
            (Os::PROTO, Errno::Proto),
            (Os::PROTONOSUPPORT, Errno::Protonosupport),
            (Os::PROTOTYPE, Errno::Prototype),
            (Os::RANGE, Errno::Range),
            (Os::ROFS, Errno::Rofs),
            (Os::SPIPE, Errno::Spipe),
            (Os::SRCH, Errno::Srch),
            (Os::STALE, Errno::Stale),
            (Os::TIMEDOUT, Errno::Timedout),
            (Os::TXTBSY, Errno::Txtbsy),
            (Os::XDEV, Errno::Xdev),
        ];
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        let robust_mutex = [
            (Os::NOTRECOVERABLE, Errno::Notrecoverable),
            (Os::OWNERDEAD, Errno::Ownerdead),
        ];
        #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
        let robust_mutex = [];
        table
            .into_iter()
            .chain(robust_mutex)
            .find(|(os, _)| *os == error)
            .map_or(Errno::Io, |(_, wasi)| wasi)
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        if let Some(os) = Os::from_io_error(&error) {
            return os.into();
        }
        match error.kind() {
            io::ErrorKind::NotFound => Errno::Noent,
            // What cap-primitives reports for a path that would leave its directory.
            io::ErrorKind::PermissionDenied => Errno::Perm,
            io::ErrorKind::AlreadyExists => Errno::Exist,
            io::ErrorKind::InvalidInput => Errno::Inval,
            io::ErrorKind::NotADirectory => Errno::Notdir,
            io::ErrorKind::IsADirectory => Errno::Isdir,
            io::ErrorKind::Unsupported => Errno::Notsup,
            io::ErrorKind::BrokenPipe => Errno::Pipe,
            io::ErrorKind::WouldBlock => Errno::Again,
            io::ErrorKind::TimedOut => Errno::Timedout,
            io::ErrorKind::OutOfMemory => Errno::Nomem,
            _ => Errno::Io,
        }
    }
}

impl From<Os> for Error {
    fn from(error: Os) -> Error {
        Error::Errno(error.into())
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Errno(error.into())
    }
}
