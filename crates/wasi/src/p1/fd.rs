//! `fd_*` calls about descriptors themselves: attributes, position, flags, rights, closing.

use super::Host;
use super::errno::{Errno, Error, Result};
use super::table::{Descriptor, Kind};
use super::types::{Advice, FdFlags, FileStat, FileType, FstFlags, Rights, Version, put};
use crate::clocks::nanoseconds;
use crate::sys::{self, SetTime};
use std::io::SeekFrom;

impl Host<'_> {
    pub(crate) fn fd_advise(&mut self, fd: u32, offset: u64, len: u64, advice: u32) -> Result<()> {
        let advice = Advice::try_from(advice)?;
        let file = self.table.get(fd)?.file(Rights::FD_ADVISE)?;
        if i64::try_from(offset).is_err() {
            return Err(Errno::Inval.into());
        }
        // Advice on more bytes than a file can have is advice on the rest of it, which 0 stands
        // for.
        let len = if i64::try_from(len).is_ok() { len } else { 0 };
        Ok(sys::advise(file.handle(), offset, len, advice)?)
    }

    pub(crate) fn fd_allocate(&mut self, fd: u32, offset: u64, len: u64) -> Result<()> {
        let file = self.table.get(fd)?.file(Rights::FD_ALLOCATE)?;
        let end = offset.checked_add(len).ok_or(Errno::Fbig)?;
        if len == 0 {
            return Err(Errno::Inval.into());
        }
        i64::try_from(end).map_err(|_| Errno::Fbig)?;
        Ok(sys::allocate(file.handle(), offset, len)?)
    }

    pub(crate) fn fd_close(&mut self, fd: u32) -> Result<()> {
        self.table.remove(fd).map(drop)
    }

    pub(crate) fn fd_renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.table.renumber(from, to)
    }

    pub(crate) fn fd_datasync(&mut self, fd: u32) -> Result<()> {
        self.sync(fd, Rights::FD_DATASYNC, sys::sync_data)
    }

    pub(crate) fn fd_sync(&mut self, fd: u32) -> Result<()> {
        self.sync(fd, Rights::FD_SYNC, sys::sync)
    }

    fn sync<E>(
        &mut self,
        fd: u32,
        rights: Rights,
        sync: fn(sys::Handle<'_>) -> Result<(), E>,
    ) -> Result<()>
    where
        Error: From<E>,
    {
        let descriptor = self.table.get(fd)?;
        match &descriptor.kind {
            Kind::Socket(_) | Kind::Input { .. } => return Err(Errno::Inval.into()),
            Kind::Dir(_) | Kind::File(_) | Kind::Stream(_) | Kind::Output { .. } => {
                descriptor.check(rights)?
            }
        }
        match &descriptor.kind {
            Kind::Dir(dir) => Ok(sys::sync_dir(&dir.dir)?),
            // What has no handle holds nothing back: writes to it are flushed.
            _ => Ok(descriptor.handle().map_or(Ok(()), sync)?),
        }
    }

    pub(crate) fn fd_fdstat_get(&mut self, fd: u32, stat: u32) -> Result<()> {
        let descriptor = self.table.get(fd)?;
        let filetype = filetype(descriptor)?;
        let mut rights = descriptor.rights;
        if !is_seekable(descriptor) {
            rights = rights.without(Rights::POSITION);
        }
        let mut record = [0; 24];
        record[0] = filetype as u8;
        put(&mut record, 2, &descriptor.flags.bits().to_le_bytes());
        put(&mut record, 8, &rights.bits().to_le_bytes());
        put(&mut record, 16, &descriptor.inheriting.bits().to_le_bytes());
        self.memory.write(stat, &record)
    }

    /// Changes `append` and `nonblock`. The others were decided when the file was opened, and must
    /// not change.
    pub(crate) fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> Result<()> {
        let flags = FdFlags::from_bits(flags)?;
        let descriptor = self.table.get_mut(fd)?;
        descriptor.check(Rights::FD_FDSTAT_SET_FLAGS)?;
        if flags.without(FdFlags::CHANGEABLE) != descriptor.flags.without(FdFlags::CHANGEABLE) {
            return Err(Errno::Inval.into());
        }
        match &mut descriptor.kind {
            Kind::File(file) => file.set_flags(flags)?,
            Kind::Socket(socket) => socket.set_nonblocking(flags.contains(FdFlags::NONBLOCK))?,
            // Flags of the host's own streams are shared with other processes: they are only noted.
            Kind::Stream(_) | Kind::Input { .. } | Kind::Output { .. } | Kind::Dir(_) => {}
        }
        descriptor.flags = flags;
        Ok(())
    }

    /// Gives up rights. None can be gained.
    pub(crate) fn fd_fdstat_set_rights(
        &mut self,
        fd: u32,
        base: u64,
        inheriting: u64,
    ) -> Result<()> {
        let (base, inheriting) = (Rights::from_bits(base)?, Rights::from_bits(inheriting)?);
        let descriptor = self.table.get_mut(fd)?;
        if !descriptor.rights.contains(base) || !descriptor.inheriting.contains(inheriting) {
            return Err(Errno::Notcapable.into());
        }
        (descriptor.rights, descriptor.inheriting) = (base, inheriting);
        Ok(())
    }

    pub(crate) fn fd_filestat_get(&mut self, fd: u32, stat: u32) -> Result<()> {
        let descriptor = self.table.get(fd)?;
        descriptor.check(Rights::FD_FILESTAT_GET)?;
        let filestat = match &descriptor.kind {
            Kind::Dir(dir) => sys::stat(sys::file_handle(&dir.dir))?,
            Kind::File(file) => sys::stat(file.handle())?,
            Kind::Stream(stream) => match sys::stream_handle(stream) {
                Some(handle) => sys::stat(handle)?,
                None => FileStat::of_type(FileType::Unknown),
            },
            Kind::Input { .. } | Kind::Output { .. } | Kind::Socket(_) => {
                FileStat::of_type(filetype(descriptor)?)
            }
        };
        self.write_filestat(stat, &filestat)
    }

    pub(super) fn write_filestat(&mut self, stat: u32, filestat: &FileStat) -> Result<()> {
        let (record, len) = filestat.encode(self.version);
        self.memory.write(stat, &record[..len])
    }

    pub(crate) fn fd_filestat_set_size(&mut self, fd: u32, size: u64) -> Result<()> {
        let file = self.table.get(fd)?.file(Rights::FD_FILESTAT_SET_SIZE)?;
        i64::try_from(size).map_err(|_| Errno::Fbig)?;
        Ok(sys::set_size(file.handle(), size)?)
    }

    pub(crate) fn fd_filestat_set_times(
        &mut self,
        fd: u32,
        atim: u64,
        mtim: u64,
        flags: u32,
    ) -> Result<()> {
        let (atim, mtim) = self.times(atim, mtim, flags)?;
        let descriptor = self.table.get(fd)?;
        let rights = Rights::FD_FILESTAT_SET_TIMES;
        match &descriptor.kind {
            Kind::File(file) => {
                descriptor.check(rights)?;
                if file.perms.write_not_permitted() {
                    return Err(Errno::Perm.into());
                }
                Ok(sys::set_times(file.handle(), atim, mtim)?)
            }
            Kind::Dir(_) => {
                let dir = descriptor.dir(rights)?;
                dir.check_writable()?;
                Ok(sys::set_dir_times(&dir.dir, atim, mtim)?)
            }
            Kind::Stream(_) | Kind::Input { .. } | Kind::Output { .. } | Kind::Socket(_) => {
                Err(Errno::Badf.into())
            }
        }
    }

    /// The times to set. "Now" is by the guest's wall clock, which the embedder may have replaced.
    pub(super) fn times(&self, atim: u64, mtim: u64, flags: u32) -> Result<(SetTime, SetTime)> {
        let flags = FstFlags::from_bits(flags)?;
        let clock = &self.ctx.clocks;
        let time = |set: FstFlags, now: FstFlags, value| match (
            flags.contains(set),
            flags.contains(now),
        ) {
            (false, false) => Ok(SetTime::Keep),
            (true, false) => Ok(SetTime::At(value)),
            (false, true) if clock.wall_replaced => {
                Ok(SetTime::At(nanoseconds(clock.wall_clock.now())))
            }
            (false, true) => Ok(SetTime::Now),
            (true, true) => Err(Errno::Inval),
        };
        Ok((
            time(FstFlags::ATIM, FstFlags::ATIM_NOW, atim)?,
            time(FstFlags::MTIM, FstFlags::MTIM_NOW, mtim)?,
        ))
    }

    pub(crate) fn fd_prestat_get(&mut self, fd: u32, prestat: u32) -> Result<()> {
        let name_len = match &self.table.get(fd)?.kind {
            Kind::Dir(dir) => dir.preopen.as_ref().ok_or(Errno::Badf)?.len(),
            _ => return Err(Errno::Badf.into()),
        };
        let mut record = [0; 8];
        put(
            &mut record,
            4,
            &u32::try_from(name_len)
                .map_err(|_| Errno::Overflow)?
                .to_le_bytes(),
        );
        self.memory.write(prestat, &record)
    }

    pub(crate) fn fd_prestat_dir_name(&mut self, fd: u32, path: u32, path_len: u32) -> Result<()> {
        let name = match &self.table.get(fd)?.kind {
            Kind::Dir(dir) => dir.preopen.as_ref().ok_or(Errno::Notdir)?,
            _ => return Err(Errno::Notdir.into()),
        };
        if name.len() > path_len as usize {
            return Err(Errno::Nametoolong.into());
        }
        self.memory.write(path, name.as_bytes())
    }

    pub(crate) fn fd_seek(
        &mut self,
        fd: u32,
        offset: i64,
        whence: u32,
        position: u32,
    ) -> Result<()> {
        let from_start = || {
            u64::try_from(offset)
                .map(SeekFrom::Start)
                .map_err(|_| Errno::Inval)
        };
        let to = match (self.version, whence) {
            (Version::Preview1, 0) | (Version::Preview0, 2) => from_start()?,
            (Version::Preview1, 1) | (Version::Preview0, 0) => SeekFrom::Current(offset),
            (Version::Preview1, 2) | (Version::Preview0, 1) => SeekFrom::End(offset),
            _ => return Err(Errno::Inval.into()),
        };
        let new_position = seek(self.table.get_mut(fd)?, to)?;
        self.memory.write_u64(position, new_position)
    }

    pub(crate) fn fd_tell(&mut self, fd: u32, position: u32) -> Result<()> {
        let current = seek(self.table.get_mut(fd)?, SeekFrom::Current(0))?;
        self.memory.write_u64(position, current)
    }
}

fn seek(descriptor: &mut Descriptor, to: SeekFrom) -> Result<u64> {
    match &descriptor.kind {
        Kind::File(_) | Kind::Stream(_) => {}
        Kind::Input { .. } | Kind::Output { .. } | Kind::Socket(_) => {
            return Err(Errno::Spipe.into());
        }
        Kind::Dir(_) => return Err(Errno::Badf.into()),
    }
    // To ask for the position is enough of a right where the position stays.
    if !(to == SeekFrom::Current(0) && descriptor.rights.contains(Rights::FD_TELL)) {
        descriptor.check(Rights::FD_SEEK)?;
    }
    match &mut descriptor.kind {
        Kind::File(file) => file.seek(to),
        _ => Ok(sys::seek(descriptor.handle().ok_or(Errno::Spipe)?, to)?),
    }
}

/// The type that the guest is told. C libraries take a character device without the right to seek
/// for a terminal.
fn filetype(descriptor: &Descriptor) -> Result<FileType> {
    Ok(match &descriptor.kind {
        Kind::File(file) => file.filetype,
        Kind::Dir(_) => FileType::Directory,
        Kind::Socket(_) => FileType::SocketStream,
        Kind::Input { terminal, .. } | Kind::Output { terminal, .. } => match terminal {
            true => FileType::CharacterDevice,
            false => FileType::Unknown,
        },
        Kind::Stream(stream) => match sys::stream_handle(stream) {
            // A host without this stream: to the guest it is one that leads nowhere.
            Some(handle) => sys::file_type(handle).unwrap_or(FileType::Unknown),
            None => FileType::Unknown,
        },
    })
}

/// Whether a standard stream has a position. Of other descriptors the rights say so already.
fn is_seekable(descriptor: &Descriptor) -> bool {
    match &descriptor.kind {
        Kind::Stream(stream) => sys::stream_handle(stream).is_some_and(|handle| {
            sys::seek(handle, SeekFrom::Current(0)).is_ok() && !sys::is_terminal(handle)
        }),
        Kind::Input { .. } | Kind::Output { .. } => false,
        Kind::File(_) | Kind::Dir(_) | Kind::Socket(_) => true,
    }
}
