//! `path_*`: what lies below a directory.
//!
//! The one idea: no path is ever joined to a host path. Each is resolved relative to a directory's
//! handle by cap-primitives, which refuses with `perm` whatever would lead out of it: absolute
//! paths, `..` beyond the start, and links that do either.

use super::Host;
use super::errno::{Errno, Result};
use super::file::OpenFile;
use super::table::{Descriptor, Kind, OpenDir};
use super::types::{FdFlags, FileType, LookupFlags, OFlags, Rights};
use crate::sys::{self, SetTime};
use cap_primitives::fs::{self, DirOptions, FollowSymlinks, OpenOptions, SystemTimeSpec};
use cap_primitives::time::SystemTime;
use std::io;
use std::path::Path;
use std::time::Duration;

impl Host<'_> {
    /// A path in the guest's memory.
    fn path(&self, path: u32, path_len: u32) -> Result<&Path> {
        match self.memory.path(path, path_len)? {
            "" => Err(Errno::Noent.into()),
            path => Ok(Path::new(path)),
        }
    }

    fn dir(&self, fd: u32, rights: Rights) -> Result<&OpenDir> {
        self.table.get(fd)?.dir(rights)
    }

    /// A directory in which something will change.
    fn writable_dir(&self, fd: u32, rights: Rights) -> Result<&OpenDir> {
        let dir = self.dir(fd, rights)?;
        dir.check_writable()?;
        Ok(dir)
    }

    pub(crate) fn path_create_directory(
        &mut self,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Result<()> {
        let dir = self.writable_dir(fd, Rights::PATH_CREATE_DIRECTORY)?;
        let path = self.path(path, path_len)?;
        Ok(fs::create_dir(&dir.dir, path, &DirOptions::new())?)
    }

    pub(crate) fn path_filestat_get(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        path_len: u32,
        stat: u32,
    ) -> Result<()> {
        let follow = follow(LookupFlags::from_bits(flags)?);
        let dir = self.dir(fd, Rights::PATH_FILESTAT_GET)?;
        let metadata = fs::stat(&dir.dir, self.path(path, path_len)?, follow)?;
        self.write_filestat(stat, &sys::stat_from_metadata(&metadata))
    }

    #[expect(clippy::too_many_arguments, reason = "the call has so many")]
    pub(crate) fn path_filestat_set_times(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        path_len: u32,
        atim: u64,
        mtim: u64,
        fst_flags: u32,
    ) -> Result<()> {
        let flags = LookupFlags::from_bits(flags)?;
        let (atim, mtim) = self.times(atim, mtim, fst_flags)?;
        let dir = self.writable_dir(fd, Rights::PATH_FILESTAT_SET_TIMES)?;
        let path = self.path(path, path_len)?;
        // Without opening the file: it may be one that cannot be opened, or that blocks whoever
        // opens it.
        let resolved;
        let path = if flags.contains(LookupFlags::SYMLINK_FOLLOW) {
            resolved = fs::canonicalize(&dir.dir, path)?;
            &resolved
        } else {
            path
        };
        Ok(fs::set_times_nofollow(
            &dir.dir,
            path,
            time_spec(atim),
            time_spec(mtim),
        )?)
    }

    #[expect(clippy::too_many_arguments, reason = "the call has so many")]
    pub(crate) fn path_link(
        &mut self,
        old_fd: u32,
        old_flags: u32,
        old_path: u32,
        old_path_len: u32,
        new_fd: u32,
        new_path: u32,
        new_path_len: u32,
    ) -> Result<()> {
        let old_flags = LookupFlags::from_bits(old_flags)?;
        let old_dir = self.writable_dir(old_fd, Rights::PATH_LINK_SOURCE)?;
        let new_dir = self.writable_dir(new_fd, Rights::PATH_LINK_TARGET)?;
        let old_path = self.path(old_path, old_path_len)?;
        let new_path = self.path(new_path, new_path_len)?;
        let resolved;
        let old_path = if old_flags.contains(LookupFlags::SYMLINK_FOLLOW) {
            resolved = fs::canonicalize(&old_dir.dir, old_path)?;
            &resolved
        } else {
            old_path
        };
        Ok(fs::hard_link(
            &old_dir.dir,
            old_path,
            &new_dir.dir,
            new_path,
        )?)
    }

    #[expect(clippy::too_many_arguments, reason = "the call has so many")]
    pub(crate) fn path_open(
        &mut self,
        fd: u32,
        dirflags: u32,
        path: u32,
        path_len: u32,
        oflags: u32,
        base: u64,
        inheriting: u64,
        fdflags: u32,
        opened: u32,
    ) -> Result<()> {
        let request = Request {
            follow: follow(LookupFlags::from_bits(dirflags)?),
            oflags: OFlags::from_bits(oflags)?,
            rights: Rights::from_bits(base)?,
            inheriting: Rights::from_bits(inheriting)?,
            fdflags: FdFlags::from_bits(fdflags)?,
        };
        let parent = self.table.get(fd)?;
        let dir = parent.dir(request.rights_of_parent())?;
        if !parent.inheriting.contains(request.rights_inherited()) {
            return Err(Errno::Notcapable.into());
        }
        let descriptor = open(dir, self.path(path, path_len)?, &request)?;
        let number = self.table.insert(descriptor)?;
        self.memory.write_u32(opened, number)
    }

    pub(crate) fn path_readlink(
        &mut self,
        fd: u32,
        path: u32,
        path_len: u32,
        buf: u32,
        buf_len: u32,
        bufused: u32,
    ) -> Result<()> {
        let dir = self.dir(fd, Rights::PATH_READLINK)?;
        let contents = fs::read_link(&dir.dir, self.path(path, path_len)?)?;
        let contents = contents.as_os_str().as_encoded_bytes();
        let used = contents.len().min(buf_len as usize);
        self.memory.write(buf, &contents[..used])?;
        self.memory.write_u32(bufused, used as u32)
    }

    pub(crate) fn path_remove_directory(
        &mut self,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Result<()> {
        let dir = self.writable_dir(fd, Rights::PATH_REMOVE_DIRECTORY)?;
        let path = self.path(path, path_len)?;
        Ok(fs::remove_dir(&dir.dir, without_trailing_slashes(path))?)
    }

    pub(crate) fn path_rename(
        &mut self,
        old_fd: u32,
        old_path: u32,
        old_path_len: u32,
        new_fd: u32,
        new_path: u32,
        new_path_len: u32,
    ) -> Result<()> {
        let old_dir = self.writable_dir(old_fd, Rights::PATH_RENAME_SOURCE)?;
        let new_dir = self.writable_dir(new_fd, Rights::PATH_RENAME_TARGET)?;
        let old_path = self.path(old_path, old_path_len)?;
        let new_path = self.path(new_path, new_path_len)?;
        Ok(fs::rename(&old_dir.dir, old_path, &new_dir.dir, new_path)?)
    }

    pub(crate) fn path_symlink(
        &mut self,
        old_path: u32,
        old_path_len: u32,
        fd: u32,
        new_path: u32,
        new_path_len: u32,
    ) -> Result<()> {
        let dir = self.writable_dir(fd, Rights::PATH_SYMLINK)?;
        let old_path = self.path(old_path, old_path_len)?;
        let new_path = self.path(new_path, new_path_len)?;
        // Refuses absolute contents: a guest must not lay traps for programs outside.
        Ok(fs::symlink(old_path, &dir.dir, new_path)?)
    }

    pub(crate) fn path_unlink_file(&mut self, fd: u32, path: u32, path_len: u32) -> Result<()> {
        let dir = self.writable_dir(fd, Rights::PATH_UNLINK_FILE)?;
        Ok(fs::remove_file(&dir.dir, self.path(path, path_len)?)?)
    }
}

/// `dir/` names the directory, but cap-primitives would take it for `dir/.`, which cannot be
/// removed.
fn without_trailing_slashes(path: &Path) -> &Path {
    match path.to_str().map(|path| path.trim_end_matches('/')) {
        Some("") | None => path,
        Some(trimmed) => Path::new(trimmed),
    }
}

fn follow(flags: LookupFlags) -> FollowSymlinks {
    FollowSymlinks::follow(flags.contains(LookupFlags::SYMLINK_FOLLOW))
}

fn time_spec(time: SetTime) -> Option<SystemTimeSpec> {
    match time {
        SetTime::Keep => None,
        SetTime::Now => Some(SystemTimeSpec::SymbolicNow),
        SetTime::At(nanoseconds) => Some(SystemTimeSpec::Absolute(SystemTime::from_std(
            std::time::SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds),
        ))),
    }
}

/// What `path_open` was asked for.
struct Request {
    follow: FollowSymlinks,
    oflags: OFlags,
    rights: Rights,
    inheriting: Rights,
    fdflags: FdFlags,
}

impl Request {
    /// What the guest must be allowed to do with the directory itself.
    fn rights_of_parent(&self) -> Rights {
        let mut rights = Rights::PATH_OPEN;
        if self.oflags.contains(OFlags::CREAT) {
            rights = rights.with(Rights::PATH_CREATE_FILE);
        }
        if self.oflags.contains(OFlags::TRUNC) {
            rights = rights.with(Rights::PATH_FILESTAT_SET_SIZE);
        }
        rights
    }

    /// What the directory must be allowed to hand on.
    fn rights_inherited(&self) -> Rights {
        let mut rights = self.rights.with(self.inheriting);
        if self.fdflags.contains(FdFlags::DSYNC) {
            rights = rights.with(Rights::FD_DATASYNC);
        }
        if self.fdflags.intersects(FdFlags::SYNC.with(FdFlags::RSYNC)) {
            rights = rights.with(Rights::FD_SYNC);
        }
        rights
    }

    fn writes(&self) -> bool {
        self.rights.contains(Rights::FD_WRITE)
    }
}

/// Opens, and keeps of the rights asked for those that apply to what was found.
fn open(dir: &OpenDir, path: &Path, request: &Request) -> Result<Descriptor> {
    let changes = OFlags::CREAT.with(OFlags::EXCL).with(OFlags::TRUNC);
    if request.oflags.contains(OFlags::DIRECTORY) {
        if request.oflags.intersects(changes) {
            return Err(Errno::Inval.into());
        }
        let opened = match request.follow {
            FollowSymlinks::Yes => fs::open_dir(&dir.dir, path)?,
            FollowSymlinks::No => fs::open_dir_nofollow(&dir.dir, path)?,
        };
        if request.writes() {
            return Err(Errno::Isdir.into());
        }
        return Ok(directory(opened, dir, request));
    }
    if request.writes() || request.oflags.intersects(changes) {
        dir.check_writable()?;
    }
    let file = open_file(dir, path, request)?;
    match sys::file_type(sys::file_handle(&file))? {
        FileType::Directory => Ok(directory(file, dir, request)),
        filetype => Ok(Descriptor {
            kind: Kind::File(OpenFile::new(file, filetype, dir.perms, request.fdflags)),
            rights: request.rights.and(Rights::FILE),
            inheriting: Rights::NONE,
            flags: request.fdflags,
        }),
    }
}

fn directory(opened: std::fs::File, parent: &OpenDir, request: &Request) -> Descriptor {
    Descriptor {
        kind: Kind::Dir(Box::new(OpenDir {
            dir: opened,
            perms: parent.perms,
            preopen: None,
            listing: None,
        })),
        rights: request.rights.and(Rights::DIRECTORY),
        inheriting: request.inheriting,
        flags: request.fdflags,
    }
}

fn open_file(dir: &OpenDir, path: &Path, request: &Request) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.read(request.rights.contains(Rights::FD_READ) || !request.writes());
    options.write(request.writes());
    options._cap_fs_ext_follow(request.follow);
    sys::set_open_flags(&mut options, request.fdflags);

    let create = request.oflags.contains(OFlags::CREAT);
    let exclusive = create && request.oflags.contains(OFlags::EXCL);
    let truncate = request.oflags.contains(OFlags::TRUNC);
    if create && !exclusive && !truncate && !request.writes() {
        // To create a file the system must open it for writing; one that exists may not allow that.
        match fs::open(&dir.dir, path, &options) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
    }
    if create || truncate {
        // The guest's rights, and not the system's mode, keep it from writing then.
        options.write(true);
    }
    options.create(create && !exclusive);
    options.create_new(exclusive);
    options.truncate(truncate && !exclusive);
    fs::open(&dir.dir, path, &options)
}
