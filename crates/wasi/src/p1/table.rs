//! The table of descriptors: which number means what, and what the guest may do with it.
//!
//! Not here: what the calls do. The one idea: a descriptor's *kind* says what it is, its *rights*
//! what the guest has not yet given up. A call first asks for the kind it works on (`badf`,
//! `notdir`, `notsock`), then for its rights (`notcapable`).

use super::errno::{Errno, Result};
use super::file::OpenFile;
use super::types::{FdFlags, FileType, Rights};
use crate::cli::HostStream;
use crate::filesystem::FsPerms;
use crate::p2::{InputStream, OutputStream};
use crate::sockets::Socket;
use crate::sys;
use std::fs::File;

/// The most descriptors at a time. The host has its own, usually lower, limit.
const MAX_DESCRIPTORS: usize = 1 << 16;

/// One descriptor.
pub(crate) struct Descriptor {
    pub(crate) kind: Kind,
    pub(crate) rights: Rights,
    pub(crate) inheriting: Rights,
    pub(crate) flags: FdFlags,
}

/// What a descriptor is.
pub(crate) enum Kind {
    /// A standard stream that the host's system knows.
    Stream(HostStream),
    /// A standard input that the embedder made.
    Input {
        stream: Box<dyn InputStream>,
        terminal: bool,
    },
    /// A standard output that the embedder made.
    Output {
        stream: Box<dyn OutputStream>,
        terminal: bool,
    },
    File(OpenFile),
    Dir(Box<OpenDir>),
    Socket(Socket),
}

/// A directory.
pub(crate) struct OpenDir {
    pub(crate) dir: File,
    pub(crate) perms: FsPerms,
    /// The guest's name for it, if it was there from the start.
    pub(crate) preopen: Option<String>,
    /// What `fd_readdir` hands out, from the last time it began at the start.
    pub(crate) listing: Option<Listing>,
}

impl OpenDir {
    /// # Errors
    ///
    /// `perm` if the embedder gave this directory for reading only.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.perms.write_not_permitted() {
            Err(Errno::Perm.into())
        } else {
            Ok(())
        }
    }
}

/// The entries of a directory at one moment, so that a cookie means the same entry until the guest
/// begins anew.
pub(crate) struct Listing {
    pub(crate) entries: Vec<ListingEntry>,
    /// All names, one after another.
    pub(crate) names: Vec<u8>,
}

/// One entry of a [`Listing`].
pub(crate) struct ListingEntry {
    pub(crate) inode: u64,
    pub(crate) filetype: FileType,
    /// Where in the names this one ends; it starts where the one before ends.
    pub(crate) name_end: usize,
}

impl Descriptor {
    /// # Errors
    ///
    /// `notcapable` if the guest lacks one of these rights.
    #[inline]
    pub(crate) fn check(&self, rights: Rights) -> Result<()> {
        if self.rights.contains(rights) {
            Ok(())
        } else {
            Err(Errno::Notcapable.into())
        }
    }

    /// The directory, with these rights.
    pub(crate) fn dir(&self, rights: Rights) -> Result<&OpenDir> {
        let Kind::Dir(dir) = &self.kind else {
            return Err(Errno::Notdir.into());
        };
        self.check(rights)?;
        Ok(dir)
    }

    /// The file, with these rights.
    pub(crate) fn file(&self, rights: Rights) -> Result<&OpenFile> {
        let Kind::File(file) = &self.kind else {
            return Err(Errno::Badf.into());
        };
        self.check(rights)?;
        Ok(file)
    }

    /// The socket, with these rights.
    pub(crate) fn socket(&self, rights: Rights) -> Result<&Socket> {
        let Kind::Socket(socket) = &self.kind else {
            return Err(Errno::Notsock.into());
        };
        self.check(rights)?;
        Ok(socket)
    }

    /// The system's handle, for what has one and can be read, written or waited for.
    #[inline]
    pub(crate) fn handle(&self) -> Option<sys::Handle<'_>> {
        match &self.kind {
            Kind::File(file) => Some(file.handle()),
            Kind::Stream(stream) => sys::stream_handle(stream),
            Kind::Socket(socket) => Some(socket.handle()),
            Kind::Input { .. } | Kind::Output { .. } | Kind::Dir(_) => None,
        }
    }

    /// Whether a call must ask for readiness first. Only streams that belong to the host need it:
    /// their own flag is shared with other processes and not the guest's to change. Everything else
    /// carries the flag in the system.
    pub(crate) fn emulates_nonblock(&self) -> bool {
        self.flags.contains(FdFlags::NONBLOCK) && matches!(self.kind, Kind::Stream(_))
    }
}

/// The table.
#[derive(Default)]
pub(crate) struct Table {
    descriptors: Vec<Option<Descriptor>>,
    /// No number below this one is free.
    first_free: usize,
}

impl From<Vec<Descriptor>> for Table {
    fn from(descriptors: Vec<Descriptor>) -> Table {
        Table {
            first_free: descriptors.len(),
            descriptors: descriptors.into_iter().map(Some).collect(),
        }
    }
}

impl Table {
    /// Puts `descriptor` at the lowest free number.
    ///
    /// # Errors
    ///
    /// `mfile` if there are too many.
    pub(crate) fn insert(&mut self, descriptor: Descriptor) -> Result<u32> {
        let number = (self.first_free..self.descriptors.len())
            .find(|&number| self.descriptors[number].is_none())
            .unwrap_or(self.descriptors.len());
        if number >= MAX_DESCRIPTORS {
            return Err(Errno::Mfile.into());
        }
        if number == self.descriptors.len() {
            self.descriptors.push(Some(descriptor));
        } else {
            self.descriptors[number] = Some(descriptor);
        }
        self.first_free = number + 1;
        Ok(number as u32)
    }

    #[inline]
    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor> {
        match self.descriptors.get(fd as usize) {
            Some(Some(descriptor)) => Ok(descriptor),
            _ => Err(Errno::Badf.into()),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor> {
        match self.descriptors.get_mut(fd as usize) {
            Some(Some(descriptor)) => Ok(descriptor),
            _ => Err(Errno::Badf.into()),
        }
    }

    pub(crate) fn remove(&mut self, fd: u32) -> Result<Descriptor> {
        let slot = self.descriptors.get_mut(fd as usize).ok_or(Errno::Badf)?;
        let descriptor = slot.take().ok_or(Errno::Badf)?;
        self.first_free = self.first_free.min(fd as usize);
        Ok(descriptor)
    }

    /// Moves `from` to the number `to`, closing what was there. Both must be open.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<()> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            let descriptor = self.remove(from)?;
            *self.get_mut(to)? = descriptor;
        }
        Ok(())
    }

    /// All open descriptors, in the order of their numbers.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Descriptor)> {
        (0..)
            .zip(&mut self.descriptors)
            .filter_map(|(fd, slot)| Some((fd, slot.as_mut()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Descriptor {
        Descriptor {
            kind: Kind::Stream(HostStream::Empty),
            rights: Rights::INPUT,
            inheriting: Rights::NONE,
            flags: FdFlags::NONE,
        }
    }

    #[test]
    fn the_lowest_free_number_comes_first() {
        let mut table = Table::default();
        for expected in 0..5 {
            assert_eq!(table.insert(empty()).unwrap(), expected);
        }
        table.remove(3).unwrap();
        table.remove(1).unwrap();
        assert_eq!(table.insert(empty()).unwrap(), 1);
        assert_eq!(table.insert(empty()).unwrap(), 3);
        assert_eq!(table.insert(empty()).unwrap(), 5);
        assert!(table.remove(6).is_err());
        assert!(table.get(u32::MAX).is_err());
    }

    #[test]
    fn renumbering_needs_two_open_descriptors() {
        let mut table = Table::default();
        for _ in 0..3 {
            table.insert(empty()).unwrap();
        }
        assert!(table.renumber(0, 7).is_err());
        assert!(table.renumber(7, 0).is_err());
        table.renumber(2, 2).unwrap();
        table.renumber(2, 0).unwrap();
        assert!(table.get(2).is_err());
        assert_eq!(table.insert(empty()).unwrap(), 2);
    }

    #[test]
    fn the_number_of_descriptors_is_bounded() {
        let mut table = Table::default();
        for _ in 0..MAX_DESCRIPTORS {
            table.insert(empty()).unwrap();
        }
        assert!(table.insert(empty()).is_err());
        table.remove(100).unwrap();
        assert_eq!(table.insert(empty()).unwrap(), 100);
    }
}
