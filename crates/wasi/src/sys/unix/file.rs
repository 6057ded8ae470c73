//! Files and directories by handle: reading, writing, attributes.
//!
//! Interrupted calls are repeated here: WASI has no signals, so a guest cannot expect `intr`.

use super::Handle;
use crate::p1::{Advice, FdFlags, FileStat, FileType};
use cap_primitives::fs::{FileTypeExt, Metadata, MetadataExt, OpenOptions};
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::{Result, retry_on_intr};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The handle of a file.
#[inline]
pub(crate) fn file_handle(file: &File) -> Handle<'_> {
    file.as_fd()
}

/// Opens a directory of the host by its host path, as a place to resolve paths in and nothing more.
pub(crate) fn open_ambient_dir(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::DIRECTORY | DIRECTORY_HANDLE).bits() as i32)
        .open(path)
}

/// A handle that only names a directory needs no permission to list it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const DIRECTORY_HANDLE: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const DIRECTORY_HANDLE: OFlags = OFlags::empty();

/// Adds the flags of WASI to the options of an open.
pub(crate) fn set_open_flags(options: &mut OpenOptions, flags: FdFlags) {
    use cap_primitives::fs::OpenOptionsExt as _;
    // A terminal that a guest opens must not become the one that controls the host.
    options.custom_flags((open_flags(flags) | OFlags::NOCTTY).bits() as i32);
}

fn open_flags(flags: FdFlags) -> OFlags {
    let mut os = OFlags::empty();
    for (wasi, flag) in [
        (FdFlags::APPEND, OFlags::APPEND),
        (FdFlags::DSYNC, OFlags::DSYNC),
        (FdFlags::NONBLOCK, OFlags::NONBLOCK),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        (FdFlags::RSYNC, OFlags::RSYNC),
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        (FdFlags::RSYNC, OFlags::SYNC),
        (FdFlags::SYNC, OFlags::SYNC),
    ] {
        if flags.contains(wasi) {
            os |= flag;
        }
    }
    os
}

/// Changes the two flags that can change while a file is open.
pub(crate) fn set_status_flags(handle: Handle<'_>, flags: FdFlags) -> Result<()> {
    let changeable = OFlags::APPEND | OFlags::NONBLOCK;
    let current = rustix::fs::fcntl_getfl(handle)?;
    rustix::fs::fcntl_setfl(
        handle,
        (current - changeable) | (open_flags(flags) & changeable),
    )
}

pub(crate) fn read(handle: Handle<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(retry_on_intr(|| rustix::io::read(handle, &mut *buffer))?)
}

pub(crate) fn read_vectored(handle: Handle<'_>, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
    retry_on_intr(|| match &mut *buffers {
        [one] => rustix::io::read(handle, &mut **one),
        many => rustix::io::readv(handle, many),
    })
}

pub(crate) fn write_vectored(handle: Handle<'_>, buffers: &[IoSlice<'_>]) -> Result<usize> {
    retry_on_intr(|| match buffers {
        [one] => rustix::io::write(handle, one),
        many => rustix::io::writev(handle, many),
    })
}

pub(crate) fn read_vectored_at(
    handle: Handle<'_>,
    buffers: &mut [IoSliceMut<'_>],
    offset: u64,
) -> Result<usize> {
    retry_on_intr(|| match &mut *buffers {
        [one] => rustix::io::pread(handle, &mut **one, offset),
        many => rustix::io::preadv(handle, many, offset),
    })
}

pub(crate) fn write_vectored_at(
    handle: Handle<'_>,
    buffers: &[IoSlice<'_>],
    offset: u64,
) -> Result<usize> {
    retry_on_intr(|| match buffers {
        [one] => rustix::io::pwrite(handle, one, offset),
        many => rustix::io::pwritev(handle, many, offset),
    })
}

pub(crate) fn seek(handle: Handle<'_>, to: io::SeekFrom) -> Result<u64> {
    rustix::fs::seek(
        handle,
        match to {
            io::SeekFrom::Start(offset) => rustix::fs::SeekFrom::Start(offset),
            io::SeekFrom::Current(offset) => rustix::fs::SeekFrom::Current(offset),
            io::SeekFrom::End(offset) => rustix::fs::SeekFrom::End(offset),
        },
    )
}

pub(crate) fn advise(handle: Handle<'_>, offset: u64, len: u64, advice: Advice) -> Result<()> {
    use rustix::fs::Advice as Os;
    let advice = match advice {
        Advice::Normal => Os::Normal,
        Advice::Sequential => Os::Sequential,
        Advice::Random => Os::Random,
        Advice::WillNeed => Os::WillNeed,
        Advice::DontNeed => Os::DontNeed,
        Advice::NoReuse => Os::NoReuse,
    };
    rustix::fs::fadvise(handle, offset, NonZeroU64::new(len), advice)
}

pub(crate) fn allocate(handle: Handle<'_>, offset: u64, len: u64) -> Result<()> {
    retry_on_intr(|| {
        rustix::fs::fallocate(handle, rustix::fs::FallocateFlags::empty(), offset, len)
    })
}

pub(crate) fn sync(handle: Handle<'_>) -> Result<()> {
    retry_on_intr(|| rustix::fs::fsync(handle))
}

pub(crate) fn sync_data(handle: Handle<'_>) -> Result<()> {
    retry_on_intr(|| rustix::fs::fdatasync(handle))
}

/// Writes a directory's entries to its device. The handle itself may be one that only names the
/// directory.
pub(crate) fn sync_dir(dir: &File) -> Result<()> {
    sync(open_self(dir)?.as_fd())
}

/// Opens the directory that `dir` names once more, for uses that the handle itself may not allow.
pub(super) fn open_self(dir: &File) -> Result<rustix::fd::OwnedFd> {
    retry_on_intr(|| {
        rustix::fs::openat(
            dir,
            c".",
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
    })
}

pub(crate) fn set_size(handle: Handle<'_>, size: u64) -> Result<()> {
    retry_on_intr(|| rustix::fs::ftruncate(handle, size))
}

/// A time to set: nothing, the time now, or nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetTime {
    Keep,
    Now,
    At(u64),
}

#[allow(
    trivial_numeric_casts,
    reason = "the types of these constants differ between systems"
)]
fn timestamps(atim: SetTime, mtim: SetTime) -> Timestamps {
    let spec = |time| match time {
        SetTime::Keep => Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT as _,
        },
        SetTime::Now => Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW as _,
        },
        SetTime::At(nanoseconds) => Timespec {
            tv_sec: (nanoseconds / 1_000_000_000) as _,
            tv_nsec: (nanoseconds % 1_000_000_000) as _,
        },
    };
    Timestamps {
        last_access: spec(atim),
        last_modification: spec(mtim),
    }
}

pub(crate) fn set_times(handle: Handle<'_>, atim: SetTime, mtim: SetTime) -> Result<()> {
    rustix::fs::futimens(handle, &timestamps(atim, mtim))
}

pub(crate) fn set_dir_times(dir: &File, atim: SetTime, mtim: SetTime) -> Result<()> {
    rustix::fs::utimensat(dir, c".", &timestamps(atim, mtim), AtFlags::empty())
}

#[allow(
    trivial_numeric_casts,
    reason = "the types of these fields differ between systems"
)]
pub(crate) fn stat(handle: Handle<'_>) -> Result<FileStat> {
    let stat = rustix::fs::fstat(handle)?;
    Ok(FileStat {
        dev: stat.st_dev as u64,
        ino: stat.st_ino as u64,
        filetype: os_file_type(rustix::fs::FileType::from_raw_mode(stat.st_mode)),
        nlink: stat.st_nlink as u64,
        size: stat.st_size as u64,
        atim: timestamp(stat.st_atime as i64, stat.st_atime_nsec as i64),
        mtim: timestamp(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        ctim: timestamp(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
    })
}

pub(crate) fn file_type(handle: Handle<'_>) -> Result<FileType> {
    let stat = rustix::fs::fstat(handle)?;
    Ok(os_file_type(rustix::fs::FileType::from_raw_mode(
        stat.st_mode,
    )))
}

pub(crate) fn stat_from_metadata(metadata: &Metadata) -> FileStat {
    let file_type = metadata.file_type();
    let filetype = if file_type.is_dir() {
        FileType::Directory
    } else if file_type.is_file() {
        FileType::RegularFile
    } else if file_type.is_symlink() {
        FileType::SymbolicLink
    } else if file_type.is_char_device() {
        FileType::CharacterDevice
    } else if file_type.is_block_device() {
        FileType::BlockDevice
    } else if file_type.is_socket() {
        FileType::SocketStream
    } else {
        FileType::Unknown
    };
    FileStat {
        dev: metadata.dev(),
        ino: metadata.ino(),
        filetype,
        nlink: metadata.nlink(),
        size: metadata.size(),
        atim: timestamp(metadata.atime(), metadata.atime_nsec()),
        mtim: timestamp(metadata.mtime(), metadata.mtime_nsec()),
        ctim: timestamp(metadata.ctime(), metadata.ctime_nsec()),
    }
}

pub(super) fn os_file_type(file_type: rustix::fs::FileType) -> FileType {
    use rustix::fs::FileType as Os;
    match file_type {
        Os::Directory => FileType::Directory,
        Os::RegularFile => FileType::RegularFile,
        Os::Symlink => FileType::SymbolicLink,
        Os::CharacterDevice => FileType::CharacterDevice,
        Os::BlockDevice => FileType::BlockDevice,
        Os::Socket => FileType::SocketStream,
        // WASI has no type for pipes.
        _ => FileType::Unknown,
    }
}

/// WASI's times are unsigned: one before the epoch becomes the epoch.
fn timestamp(seconds: i64, nanoseconds: i64) -> u64 {
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    u64::try_from(total.max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_saturate() {
        assert_eq!(timestamp(1, 5), 1_000_000_005);
        assert_eq!(timestamp(-1, 5), 0);
        assert_eq!(timestamp(i64::MAX, 0), u64::MAX);
    }
}
