//! The small types of preview 1: rights, flags, file types, and the layouts of the records that
//! calls return.
//!
//! Only what both preview 1 and preview 0 share, or where one writer can serve both. The numbers
//! are those of `typenames.witx`.

use super::errno::{Errno, Result};

/// Which of the two versions of the interface a call came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// `wasi_unstable`.
    Preview0,
    /// `wasi_snapshot_preview1`.
    Preview1,
}

macro_rules! flags {
    ($(#[$doc:meta])* $name:ident: $repr:ident { $($flag:ident = $bit:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name($repr);

        #[allow(dead_code, reason = "the list is the specification's")]
        impl $name {
            $(pub(crate) const $flag: $name = $name(1 << $bit);)*
            pub(crate) const NONE: $name = $name(0);
            pub(crate) const ALL: $name = $name(0 $(| 1 << $bit)*);

            /// The flags of these bits.
            ///
            /// # Errors
            ///
            /// `inval` for a bit that no flag has.
            pub(crate) fn from_bits(bits: impl TryInto<$repr>) -> Result<$name, Errno> {
                match bits.try_into() {
                    Ok(bits) if bits & !Self::ALL.0 == 0 => Ok($name(bits)),
                    _ => Err(Errno::Inval),
                }
            }

            pub(crate) const fn bits(self) -> $repr {
                self.0
            }

            pub(crate) const fn contains(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            pub(crate) const fn intersects(self, other: $name) -> bool {
                self.0 & other.0 != 0
            }

            pub(crate) const fn with(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }

            pub(crate) const fn without(self, other: $name) -> $name {
                $name(self.0 & !other.0)
            }

            pub(crate) const fn and(self, other: $name) -> $name {
                $name(self.0 & other.0)
            }
        }
    };
}

flags! {
    /// What a descriptor may be used for.
    Rights: u64 {
        FD_DATASYNC = 0,
        FD_READ = 1,
        FD_SEEK = 2,
        FD_FDSTAT_SET_FLAGS = 3,
        FD_SYNC = 4,
        FD_TELL = 5,
        FD_WRITE = 6,
        FD_ADVISE = 7,
        FD_ALLOCATE = 8,
        PATH_CREATE_DIRECTORY = 9,
        PATH_CREATE_FILE = 10,
        PATH_LINK_SOURCE = 11,
        PATH_LINK_TARGET = 12,
        PATH_OPEN = 13,
        FD_READDIR = 14,
        PATH_READLINK = 15,
        PATH_RENAME_SOURCE = 16,
        PATH_RENAME_TARGET = 17,
        PATH_FILESTAT_GET = 18,
        PATH_FILESTAT_SET_SIZE = 19,
        PATH_FILESTAT_SET_TIMES = 20,
        FD_FILESTAT_GET = 21,
        FD_FILESTAT_SET_SIZE = 22,
        FD_FILESTAT_SET_TIMES = 23,
        PATH_SYMLINK = 24,
        PATH_REMOVE_DIRECTORY = 25,
        PATH_UNLINK_FILE = 26,
        POLL_FD_READWRITE = 27,
        SOCK_SHUTDOWN = 28,
        SOCK_ACCEPT = 29,
    }
}

impl Rights {
    /// What applies to a file.
    pub(crate) const FILE: Rights = Rights::FD_DATASYNC
        .with(Rights::FD_READ)
        .with(Rights::FD_SEEK)
        .with(Rights::FD_FDSTAT_SET_FLAGS)
        .with(Rights::FD_SYNC)
        .with(Rights::FD_TELL)
        .with(Rights::FD_WRITE)
        .with(Rights::FD_ADVISE)
        .with(Rights::FD_ALLOCATE)
        .with(Rights::FD_FILESTAT_GET)
        .with(Rights::FD_FILESTAT_SET_SIZE)
        .with(Rights::FD_FILESTAT_SET_TIMES)
        .with(Rights::POLL_FD_READWRITE);

    /// What applies to a directory.
    pub(crate) const DIRECTORY: Rights = Rights::FD_DATASYNC
        .with(Rights::FD_FDSTAT_SET_FLAGS)
        .with(Rights::FD_SYNC)
        .with(Rights::PATH_CREATE_DIRECTORY)
        .with(Rights::PATH_CREATE_FILE)
        .with(Rights::PATH_LINK_SOURCE)
        .with(Rights::PATH_LINK_TARGET)
        .with(Rights::PATH_OPEN)
        .with(Rights::FD_READDIR)
        .with(Rights::PATH_READLINK)
        .with(Rights::PATH_RENAME_SOURCE)
        .with(Rights::PATH_RENAME_TARGET)
        .with(Rights::PATH_FILESTAT_GET)
        .with(Rights::PATH_FILESTAT_SET_SIZE)
        .with(Rights::PATH_FILESTAT_SET_TIMES)
        .with(Rights::FD_FILESTAT_GET)
        .with(Rights::FD_FILESTAT_SET_TIMES)
        .with(Rights::PATH_SYMLINK)
        .with(Rights::PATH_REMOVE_DIRECTORY)
        .with(Rights::PATH_UNLINK_FILE)
        .with(Rights::POLL_FD_READWRITE);

    /// What applies to a standard input. Whether it can seek shows when it is used.
    pub(crate) const INPUT: Rights = Rights::FD_READ
        .with(Rights::FD_SEEK)
        .with(Rights::FD_TELL)
        .with(Rights::FD_FDSTAT_SET_FLAGS)
        .with(Rights::FD_FILESTAT_GET)
        .with(Rights::POLL_FD_READWRITE);

    /// What applies to a standard output.
    pub(crate) const OUTPUT: Rights = Rights::FD_WRITE
        .with(Rights::FD_SEEK)
        .with(Rights::FD_TELL)
        .with(Rights::FD_DATASYNC)
        .with(Rights::FD_SYNC)
        .with(Rights::FD_FDSTAT_SET_FLAGS)
        .with(Rights::FD_FILESTAT_GET)
        .with(Rights::POLL_FD_READWRITE);

    /// What applies to a connected socket.
    pub(crate) const STREAM: Rights = Rights::FD_READ
        .with(Rights::FD_WRITE)
        .with(Rights::FD_FDSTAT_SET_FLAGS)
        .with(Rights::FD_FILESTAT_GET)
        .with(Rights::POLL_FD_READWRITE)
        .with(Rights::SOCK_SHUTDOWN);

    /// What applies to a listening socket. Reading means waiting for a connection.
    pub(crate) const LISTENER: Rights = Rights::FD_READ
        .with(Rights::FD_FDSTAT_SET_FLAGS)
        .with(Rights::FD_FILESTAT_GET)
        .with(Rights::POLL_FD_READWRITE)
        .with(Rights::SOCK_ACCEPT);

    /// What only makes sense for a stream with a position.
    pub(crate) const POSITION: Rights = Rights::FD_SEEK.with(Rights::FD_TELL);
}

flags! {
    /// How a descriptor behaves.
    FdFlags: u16 {
        APPEND = 0,
        DSYNC = 1,
        NONBLOCK = 2,
        RSYNC = 3,
        SYNC = 4,
    }
}

impl FdFlags {
    /// What can change while a descriptor is open.
    pub(crate) const CHANGEABLE: FdFlags = FdFlags::APPEND.with(FdFlags::NONBLOCK);
}

flags! {
    /// How `path_open` opens.
    OFlags: u16 {
        CREAT = 0,
        DIRECTORY = 1,
        EXCL = 2,
        TRUNC = 3,
    }
}

flags! {
    /// How a path is resolved.
    LookupFlags: u32 {
        SYMLINK_FOLLOW = 0,
    }
}

flags! {
    /// Which times to set, and to what.
    FstFlags: u16 {
        ATIM = 0,
        ATIM_NOW = 1,
        MTIM = 2,
        MTIM_NOW = 3,
    }
}

flags! {
    /// How a clock subscription counts.
    SubclockFlags: u16 {
        ABSTIME = 0,
    }
}

flags! {
    /// How `sock_recv` receives.
    RiFlags: u16 {
        RECV_PEEK = 0,
        RECV_WAITALL = 1,
    }
}

flags! {
    /// Which directions `sock_shutdown` ends.
    SdFlags: u8 {
        RD = 0,
        WR = 1,
    }
}

macro_rules! enumeration {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(dead_code, reason = "the list is the specification's")]
        pub(crate) enum $name {
            $($variant = $value,)*
        }

        impl TryFrom<u32> for $name {
            type Error = Errno;

            fn try_from(value: u32) -> Result<$name, Errno> {
                match value {
                    $($value => Ok($name::$variant),)*
                    _ => Err(Errno::Inval),
                }
            }
        }
    };
}

enumeration! {
    /// What a descriptor or a directory entry refers to.
    FileType {
        Unknown = 0,
        BlockDevice = 1,
        CharacterDevice = 2,
        Directory = 3,
        RegularFile = 4,
        SocketDgram = 5,
        SocketStream = 6,
        SymbolicLink = 7,
    }
}

enumeration! {
    /// How a file will be used.
    Advice {
        Normal = 0,
        Sequential = 1,
        Random = 2,
        WillNeed = 3,
        DontNeed = 4,
        NoReuse = 5,
    }
}

enumeration! {
    /// Which clock.
    ClockId {
        Realtime = 0,
        Monotonic = 1,
        ProcessCpuTime = 2,
        ThreadCpuTime = 3,
    }
}

/// The attributes of a file. Times are nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStat {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) filetype: FileType,
    pub(crate) nlink: u64,
    pub(crate) size: u64,
    pub(crate) atim: u64,
    pub(crate) mtim: u64,
    pub(crate) ctim: u64,
}

impl FileStat {
    /// The attributes of something that has none but a type.
    pub(crate) fn of_type(filetype: FileType) -> FileStat {
        FileStat {
            dev: 0,
            ino: 0,
            filetype,
            nlink: 0,
            size: 0,
            atim: 0,
            mtim: 0,
            ctim: 0,
        }
    }

    /// The record `filestat`: 64 bytes in preview 1; 56 in preview 0, whose link count has 32 bits.
    pub(crate) fn encode(&self, version: Version) -> ([u8; 64], usize) {
        let mut record = [0; 64];
        put(&mut record, 0, &self.dev.to_le_bytes());
        put(&mut record, 8, &self.ino.to_le_bytes());
        record[16] = self.filetype as u8;
        let rest = match version {
            Version::Preview0 => {
                let nlink = u32::try_from(self.nlink).unwrap_or(u32::MAX);
                put(&mut record, 20, &nlink.to_le_bytes());
                24
            }
            Version::Preview1 => {
                put(&mut record, 24, &self.nlink.to_le_bytes());
                32
            }
        };
        for (index, field) in [self.size, self.atim, self.mtim, self.ctim]
            .into_iter()
            .enumerate()
        {
            put(&mut record, rest + 8 * index, &field.to_le_bytes());
        }
        (record, rest + 32)
    }
}

/// Puts `bytes` at `offset` of a record.
pub(crate) fn put(record: &mut [u8], offset: usize, bytes: &[u8]) {
    record[offset..offset + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_refuse_unknown_bits() {
        assert_eq!(Rights::from_bits(u64::MAX), Err(Errno::Inval));
        assert_eq!(Rights::from_bits((1u64 << 30) - 1), Ok(Rights::ALL));
        assert_eq!(FdFlags::from_bits(0x1_0001u32), Err(Errno::Inval));
        assert_eq!(
            FdFlags::from_bits(0x11u32),
            Ok(FdFlags::APPEND.with(FdFlags::SYNC))
        );
    }

    #[test]
    fn filestat_layouts() {
        let stat = FileStat {
            dev: 1,
            ino: 2,
            filetype: FileType::RegularFile,
            nlink: 1 << 40,
            size: 5,
            atim: 6,
            mtim: 7,
            ctim: 8,
        };
        let word = |record: &[u8; 64], at: usize| {
            u64::from_le_bytes(record[at..at + 8].try_into().unwrap())
        };
        let (record, len) = stat.encode(Version::Preview1);
        assert_eq!(
            (len, record[16], word(&record, 24), word(&record, 56)),
            (64, 4, 1 << 40, 8)
        );
        let (record, len) = stat.encode(Version::Preview0);
        assert_eq!(
            (len, &record[20..24], word(&record, 24), word(&record, 48)),
            (56, &[0xff; 4][..], 5, 8)
        );
    }
}
