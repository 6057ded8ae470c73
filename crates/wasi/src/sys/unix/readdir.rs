//! Listing a directory.

use super::file::{open_self, os_file_type};
use crate::p1::FileType;
use rustix::fs::{AtFlags, Dir};
use rustix::io::{Errno, Result};
use std::fs::File;

/// Calls `entry` with inode, type and name of each entry of `dir`, `.` and `..` left out. The
/// position of `dir` itself is not used or changed.
pub(crate) fn read_dir(dir: &File, mut entry: impl FnMut(u64, FileType, &[u8])) -> Result<()> {
    let mut listing = Dir::new(open_self(dir)?)?;
    while let Some(next) = listing.read() {
        let next = match next {
            Ok(next) => next,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        };
        let name = next.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let file_type = match next.file_type() {
            // Not every file system says the type here. A single name cannot lead out of the
            // directory.
            rustix::fs::FileType::Unknown => {
                match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => rustix::fs::FileType::from_raw_mode(stat.st_mode),
                    Err(_) => rustix::fs::FileType::Unknown,
                }
            }
            known => known,
        };
        entry(next.ino(), os_file_type(file_type), name.to_bytes());
    }
    Ok(())
}
