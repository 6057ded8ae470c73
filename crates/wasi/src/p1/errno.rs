//! The error numbers of preview 1, and the two ways a call can fail.

/// `errno` of `wasi_snapshot_preview1`: the value is the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum Errno {
    TooBig = 1,
    Acces,
    Addrinuse,
    Addrnotavail,
    Afnosupport,
    Again,
    Already,
    Badf,
    Badmsg,
    Busy,
    Canceled,
    Child,
    Connaborted,
    Connrefused,
    Connreset,
    Deadlk,
    Destaddrreq,
    Dom,
    Dquot,
    Exist,
    Fault,
    Fbig,
    Hostunreach,
    Idrm,
    Ilseq,
    Inprogress,
    Intr,
    Inval,
    Io,
    Isconn,
    Isdir,
    Loop,
    Mfile,
    Mlink,
    Msgsize,
    Multihop,
    Nametoolong,
    Netdown,
    Netreset,
    Netunreach,
    Nfile,
    Nobufs,
    Nodev,
    Noent,
    Noexec,
    Nolck,
    Nolink,
    Nomem,
    Nomsg,
    Noprotoopt,
    Nospc,
    Nosys,
    Notconn,
    Notdir,
    Notempty,
    Notrecoverable,
    Notsock,
    Notsup,
    Notty,
    Nxio,
    Overflow,
    Ownerdead,
    Perm,
    Pipe,
    Proto,
    Protonosupport,
    Prototype,
    Range,
    Rofs,
    Spipe,
    Srch,
    Stale,
    Timedout,
    Txtbsy,
    Xdev,
    Notcapable,
}

/// How a call fails: with a number that the guest receives, or with an error that ends the guest.
#[derive(Debug)]
pub(crate) enum Error {
    Errno(Errno),
    Trap(meantime::Error),
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Error {
        Error::Errno(errno)
    }
}

/// The result of a call, before it is turned into what the guest sees.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::Errno;

    #[test]
    fn the_numbers_are_the_specifications() {
        // Anchors across the list: a missing or doubled name would shift what follows.
        for (errno, number) in [
            (Errno::TooBig, 1),
            (Errno::Badf, 8),
            (Errno::Exist, 20),
            (Errno::Inval, 28),
            (Errno::Nametoolong, 37),
            (Errno::Noent, 44),
            (Errno::Notdir, 54),
            (Errno::Notsup, 58),
            (Errno::Perm, 63),
            (Errno::Spipe, 70),
            (Errno::Notcapable, 76),
        ] {
            assert_eq!(errno as u16, number);
        }
    }
}
