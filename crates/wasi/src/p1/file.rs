//! A file opened with `path_open`, and its position.
//!
//! The one idea: nobody shares the position of a file that a guest opened, so for regular files it
//! is kept here, and seeking asks the system nothing. The system keeps it where it alone can: for
//! files opened to append, whose end moves under others' writes, and for devices and pipes.

use super::errno::{Errno, Result};
use super::types::{FdFlags, FileType};
use crate::filesystem::FsPerms;
use crate::sys::{self, Handle};
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, SeekFrom};

/// An open file that is no directory.
pub(crate) struct OpenFile {
    file: File,
    pub(crate) filetype: FileType,
    pub(crate) perms: FsPerms,
    /// At most `i64::MAX`; `None` where the system keeps the position.
    position: Option<u64>,
}

impl OpenFile {
    /// A file just opened with `flags`, at its start.
    pub(crate) fn new(file: File, filetype: FileType, perms: FsPerms, flags: FdFlags) -> OpenFile {
        let kept = filetype == FileType::RegularFile && !flags.contains(FdFlags::APPEND);
        OpenFile {
            file,
            filetype,
            perms,
            position: kept.then_some(0),
        }
    }

    #[inline]
    pub(crate) fn handle(&self) -> Handle<'_> {
        sys::file_handle(&self.file)
    }

    pub(crate) fn read(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        if let Some(position) = self.position {
            match sys::read_vectored_at(self.handle(), buffers, position).map_err(Errno::from) {
                Ok(read) => {
                    self.advance(read);
                    return Ok(read);
                }
                // A file that is regular in name only, as some of those in /proc: it can be read in
                // order.
                Err(Errno::Spipe) if position == 0 => self.position = None,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sys::read_vectored(self.handle(), buffers)?)
    }

    pub(crate) fn write(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        if let Some(position) = self.position {
            match sys::write_vectored_at(self.handle(), buffers, position).map_err(Errno::from) {
                Ok(written) => {
                    self.advance(written);
                    return Ok(written);
                }
                Err(Errno::Spipe) if position == 0 => self.position = None,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sys::write_vectored(self.handle(), buffers)?)
    }

    fn advance(&mut self, moved: usize) {
        if let Some(position) = &mut self.position {
            // The system refuses to move beyond the largest position.
            *position = position.saturating_add(moved as u64).min(i64::MAX as u64);
        }
    }

    /// # Errors
    ///
    /// `inval` for a position below zero or beyond what systems can count.
    pub(crate) fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let Some(position) = self.position else {
            return Ok(sys::seek(self.handle(), to)?);
        };
        let new = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(offset) => position.checked_add_signed(offset),
            SeekFrom::End(offset) => sys::stat(self.handle())?.size.checked_add_signed(offset),
        };
        let new = new
            .filter(|new| i64::try_from(*new).is_ok())
            .ok_or(Errno::Inval)?;
        self.position = Some(new);
        Ok(new)
    }

    /// How many bytes lie between the position and the end.
    pub(crate) fn rest(&self) -> u64 {
        let position = match self.position {
            Some(position) => position,
            None => sys::seek(self.handle(), SeekFrom::Current(0)).unwrap_or(0),
        };
        sys::stat(self.handle()).map_or(0, |stat| stat.size.saturating_sub(position))
    }

    /// Changes the flags that can change.
    pub(crate) fn set_flags(&mut self, flags: FdFlags) -> Result<()> {
        sys::set_status_flags(self.handle(), flags)?;
        if self.filetype == FileType::RegularFile {
            match (self.position, flags.contains(FdFlags::APPEND)) {
                (Some(position), true) => {
                    sys::seek(self.handle(), SeekFrom::Start(position))?;
                    self.position = None;
                }
                (None, false) => {
                    self.position = sys::seek(self.handle(), SeekFrom::Current(0)).ok();
                }
                _ => {}
            }
        }
        Ok(())
    }
}
