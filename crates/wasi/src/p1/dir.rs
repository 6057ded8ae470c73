//! `fd_readdir`.
//!
//! The one idea: a listing is taken when the guest begins at the start, and cookies count its
//! entries. So a cookie means the same entry however the directory changes while the guest reads
//! on.

use super::Host;
use super::errno::{Errno, Result};
use super::table::{Kind, Listing, ListingEntry, OpenDir};
use super::types::{FileType, Rights, put};
use crate::sys;

/// The size of the record before each name.
const DIRENT: usize = 24;

impl Host<'_> {
    /// Fills the buffer with entries from the cookie on; the last is cut off where the buffer ends.
    /// A buffer that is not full says that there are no more.
    pub(crate) fn fd_readdir(
        &mut self,
        fd: u32,
        buf: u32,
        buf_len: u32,
        cookie: u64,
        bufused: u32,
    ) -> Result<()> {
        let descriptor = self.table.get_mut(fd)?;
        descriptor.dir(Rights::FD_READDIR)?;
        let Kind::Dir(dir) = &mut descriptor.kind else {
            return Err(Errno::Notdir.into());
        };
        if cookie == 0 || dir.listing.is_none() {
            dir.listing = Some(take_listing(dir)?);
        }
        let mut buffer = &mut *self.memory.slice_mut(buf, buf_len)?;
        if let Some(listing) = &dir.listing {
            for (next, entry, name) in listing.from(cookie) {
                buffer = put_truncated(buffer, &dirent(next, entry, name.len()));
                buffer = put_truncated(buffer, name);
                if buffer.is_empty() {
                    break;
                }
            }
        }
        let used = buf_len - buffer.len() as u32;
        self.memory.write_u32(bufused, used)
    }
}

fn take_listing(dir: &OpenDir) -> Result<Listing> {
    let mut listing = Listing {
        entries: Vec::new(),
        names: Vec::new(),
    };
    listing.push(
        sys::stat(sys::file_handle(&dir.dir))?.ino,
        FileType::Directory,
        b".",
    );
    // The parent may lie outside of what the guest can reach: its inode is not told, which 0 stands
    // for.
    listing.push(0, FileType::Directory, b"..");
    sys::read_dir(&dir.dir, |inode, filetype, name| {
        // A name that is not UTF-8 cannot be said in WASI. It is left out, so that the others can
        // be seen.
        if std::str::from_utf8(name).is_ok() {
            listing.push(inode, filetype, name);
        }
    })?;
    Ok(listing)
}

impl Listing {
    fn push(&mut self, inode: u64, filetype: FileType, name: &[u8]) {
        self.names.extend_from_slice(name);
        self.entries.push(ListingEntry {
            inode,
            filetype,
            name_end: self.names.len(),
        });
    }

    /// The entries from `cookie` on, each with the cookie of the next and its name.
    fn from(&self, cookie: u64) -> impl Iterator<Item = (u64, &ListingEntry, &[u8])> {
        let first = usize::try_from(cookie)
            .unwrap_or(usize::MAX)
            .min(self.entries.len());
        (first..self.entries.len()).map(|index| {
            let start = if index == 0 {
                0
            } else {
                self.entries[index - 1].name_end
            };
            let entry = &self.entries[index];
            (index as u64 + 1, entry, &self.names[start..entry.name_end])
        })
    }
}

fn dirent(next: u64, entry: &ListingEntry, name_len: usize) -> [u8; DIRENT] {
    let mut record = [0; DIRENT];
    put(&mut record, 0, &next.to_le_bytes());
    put(&mut record, 8, &entry.inode.to_le_bytes());
    put(&mut record, 16, &(name_len as u32).to_le_bytes());
    record[20] = entry.filetype as u8;
    record
}

/// Puts as much of `bytes` into `buffer` as fits, and returns the rest of the buffer.
fn put_truncated<'b>(buffer: &'b mut [u8], bytes: &[u8]) -> &'b mut [u8] {
    let (now, rest) = buffer.split_at_mut(bytes.len().min(buffer.len()));
    now.copy_from_slice(&bytes[..now.len()]);
    rest
}
