//! Ranges of address space, and files in memory.
//!
//! Not an allocator. The one idea: a [`Mapping`] owns a range of addresses; what lies in it is changed by calls that name a part of it,
//! each checked to be inside and on page boundaries.

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{Advice, MapFlags, MprotectFlags, MremapFlags, ProtFlags};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes in a page of the host.
pub fn host_page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    match SIZE.load(Ordering::Relaxed) {
        0 => {
            let size = rustix::param::page_size();
            SIZE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

/// A file that exists only in memory, holds these bytes and can never change.
pub fn memory_file(bytes: &[u8]) -> io::Result<File> {
    let fd = rustix::fs::memfd_create(
        "meantime-image",
        MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
    )?;
    let file = File::from(fd);
    let page = host_page_size();
    file.set_len(bytes.len().next_multiple_of(page) as u64)?;
    std::os::unix::fs::FileExt::write_all_at(&file, bytes, 0)?;
    rustix::fs::fcntl_add_seals(
        &file,
        SealFlags::GROW | SealFlags::SHRINK | SealFlags::WRITE | SealFlags::SEAL,
    )?;
    Ok(file)
}

/// A file of zeros that exists only in memory, and can be mapped to be executed.
pub fn executable_memory_file(len: usize) -> io::Result<File> {
    let create = |flags| rustix::fs::memfd_create("meantime-code", flags);
    // A kernel before 6.3 does not know that such files can be other than executable.
    let fd =
        create(MemfdFlags::CLOEXEC | MemfdFlags::EXEC).or_else(|_| create(MemfdFlags::CLOEXEC))?;
    let file = File::from(fd);
    file.set_len(len as u64)?;
    Ok(file)
}

/// A range of addresses that belongs to its owner. Unmapped when dropped.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping is a range of the process's address space, usable from any thread; what is in it is accessed through unsafe code
// that answers for itself.
unsafe impl Send for Mapping {}
// SAFETY: as above; every method that changes the mapping's contents is unsafe.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Addresses that cannot be accessed yet; at least one page.
    pub fn reserve(len: usize) -> io::Result<Mapping> {
        Mapping::anonymous(len, ProtFlags::empty())
    }

    /// Zeros that can be read and written.
    pub fn zeroed(len: usize) -> io::Result<Mapping> {
        Mapping::anonymous(len, ProtFlags::READ | ProtFlags::WRITE)
    }

    fn anonymous(len: usize, prot: ProtFlags) -> io::Result<Mapping> {
        let len = round_up(len.max(1))?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address that the system chooses aliases nothing.
        let base = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), len, prot, flags)? };
        Ok(Mapping::from_raw(base, len))
    }

    /// The bytes of a file, to be read.
    ///
    /// # Safety
    ///
    /// The file's bytes in this range must not change as long as the mapping lives.
    pub unsafe fn file(file: &File, offset: u64, len: usize) -> io::Result<Mapping> {
        let len = round_up(len.max(1))?;
        // SAFETY: a new mapping aliases nothing; that its contents stay is the caller's promise.
        let base = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ,
                MapFlags::PRIVATE,
                file.as_fd(),
                offset,
            )?
        };
        Ok(Mapping::from_raw(base, len))
    }

    /// Part of a file, shared with every other mapping of it, to be read and written or read and executed.
    pub fn file_shared(file: &File, len: usize, executable: bool) -> io::Result<Mapping> {
        let prot = if executable {
            ProtFlags::READ | ProtFlags::EXEC
        } else {
            ProtFlags::READ | ProtFlags::WRITE
        };
        // SAFETY: a new mapping at an address that the system chooses aliases nothing.
        let base = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                len,
                prot,
                MapFlags::SHARED,
                file.as_fd(),
                0,
            )?
        };
        Ok(Mapping::from_raw(base, len))
    }

    fn from_raw(base: *mut core::ffi::c_void, len: usize) -> Mapping {
        let base = NonNull::new(base.cast()).expect("the system maps nothing at address zero");
        Mapping { base, len }
    }

    /// Its first address.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Its length in bytes, a multiple of the page size.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The address of a part of it, checked.
    fn part(&self, range: &Range<usize>) -> io::Result<*mut core::ffi::c_void> {
        let page = host_page_size();
        if range.start > range.end || range.end > self.len || !range.start.is_multiple_of(page) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        // SAFETY: the offset is inside the mapping.
        Ok(unsafe { self.base.add(range.start) }.as_ptr().cast())
    }

    fn protect(&self, range: Range<usize>, flags: MprotectFlags) -> io::Result<()> {
        let start = self.part(&range)?;
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: the part lies in a mapping that this value owns; callers of the public methods promise that nobody relies on the
        // access being taken away.
        unsafe { rustix::mm::mprotect(start, range.len(), flags)? };
        Ok(())
    }

    /// Lets a part be read and written. What was reserved holds zeros.
    pub fn make_writable(&self, range: Range<usize>) -> io::Result<()> {
        self.protect(range, MprotectFlags::READ | MprotectFlags::WRITE)
    }

    /// Lets a part be read and executed, and no longer written.
    ///
    /// # Safety
    ///
    /// Nobody may hold a mutable reference into the part.
    pub unsafe fn make_executable(&self, range: Range<usize>) -> io::Result<()> {
        self.protect(range, MprotectFlags::READ | MprotectFlags::EXEC)
    }

    /// Puts a private, writable copy of a part of a file at an offset; pages are copied when they are written first.
    ///
    /// # Safety
    ///
    /// Nobody may hold a reference into the part; the file's bytes must not change.
    pub unsafe fn map_copy_on_write(
        &self,
        range: Range<usize>,
        file: &File,
        file_offset: u64,
    ) -> io::Result<()> {
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: passed on to the caller.
        unsafe { self.map_file(range, file, file_offset, prot) }
    }

    /// Puts part of a file at an offset, to be read and executed.
    ///
    /// # Safety
    ///
    /// Nobody may hold a reference into the part; the file's bytes must not change.
    pub unsafe fn map_executable(
        &self,
        range: Range<usize>,
        file: &File,
        file_offset: u64,
    ) -> io::Result<()> {
        let prot = ProtFlags::READ | ProtFlags::EXEC;
        // SAFETY: passed on to the caller.
        unsafe { self.map_file(range, file, file_offset, prot) }
    }

    unsafe fn map_file(
        &self,
        range: Range<usize>,
        file: &File,
        file_offset: u64,
        prot: ProtFlags,
    ) -> io::Result<()> {
        let start = self.part(&range)?;
        if range.is_empty() {
            return Ok(());
        }
        let flags = MapFlags::PRIVATE | MapFlags::FIXED;
        // SAFETY: the part lies in a mapping that this value owns, so nothing of others is replaced; the rest is the caller's promise.
        unsafe { rustix::mm::mmap(start, range.len(), prot, flags, file.as_fd(), file_offset)? };
        Ok(())
    }

    /// Makes a part inaccessible and gives its memory back.
    ///
    /// # Safety
    ///
    /// Nobody may hold a reference into the part.
    pub unsafe fn release(&self, range: Range<usize>) -> io::Result<()> {
        let start = self.part(&range)?;
        if range.is_empty() {
            return Ok(());
        }
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
        // SAFETY: as in `map_file`.
        unsafe { rustix::mm::mmap_anonymous(start, range.len(), ProtFlags::empty(), flags)? };
        Ok(())
    }

    /// Gives the memory of a part back, which then holds what it held when it was mapped: zeros, or its file's bytes.
    ///
    /// # Safety
    ///
    /// Nobody may hold a reference into the part.
    pub unsafe fn discard(&self, range: Range<usize>) -> io::Result<()> {
        let start = self.part(&range)?;
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: the part is this value's; that nobody looks is the caller's promise.
        unsafe { rustix::mm::madvise(start, range.len(), Advice::LinuxDontNeed)? };
        Ok(())
    }

    /// Asks for huge pages in a part. Only a wish: a kernel without them is no error.
    pub fn advise_huge_pages(&self, range: Range<usize>) {
        if let Ok(start) = self.part(&range)
            && !range.is_empty()
        {
            // SAFETY: the advice changes no contents.
            let _ = unsafe { rustix::mm::madvise(start, range.len(), Advice::LinuxHugepage) };
        }
    }

    /// Provides the memory of a part that can be written at once, rather than page by page. Only a wish: a kernel before 5.14 does not know it.
    pub fn provide(&self, range: Range<usize>) {
        if let Ok(start) = self.part(&range)
            && !range.is_empty()
        {
            // SAFETY: the advice changes no contents.
            let _ = unsafe { rustix::mm::madvise(start, range.len(), Advice::LinuxPopulateWrite) };
        }
    }

    /// Changes its length, to at least one page: at another address if need be, with what it holds.
    ///
    /// # Safety
    ///
    /// Nobody may hold a reference into it. All of it must have been mapped at once and be accessible in the same way.
    pub unsafe fn resize(&mut self, len: usize) -> io::Result<()> {
        let len = round_up(len.max(1))?;
        let old = self.base.as_ptr().cast();
        // SAFETY: the range is this value's; that nobody looks into it is the caller's promise.
        let base = unsafe { rustix::mm::mremap(old, self.len, len, MremapFlags::MAYMOVE)? };
        self.base = NonNull::new(base.cast()).expect("the system maps nothing at address zero");
        self.len = len;
        Ok(())
    }

    /// Moves the pages of a part of another mapping here without copying them. Where they were, zeros are.
    ///
    /// # Safety
    ///
    /// Nobody may hold a reference into either part.
    pub unsafe fn move_pages_from(
        &self,
        to: Range<usize>,
        from: &Mapping,
        from_start: usize,
    ) -> io::Result<()> {
        let new = self.part(&to)?;
        let old = from.part(&(from_start..from_start + to.len()))?;
        // SAFETY: both parts lie in mappings whose owners are at hand; that nobody looks into them is the caller's promise.
        unsafe {
            // The old range must stay mapped: unmapping it would let another thread map there what our drop then unmaps.
            let flags = MremapFlags::MAYMOVE | MremapFlags::DONTUNMAP;
            rustix::mm::mremap_fixed(old, to.len(), to.len(), flags, new)?;
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is this value's, and who held references into it promised to be gone.
        let result = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
        debug_assert!(result.is_ok(), "{result:?}");
    }
}

fn round_up(len: usize) -> io::Result<usize> {
    len.checked_next_multiple_of(host_page_size())
        .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_file_is_sealed_and_mapped_copy_on_write() {
        let page = host_page_size();
        let file = memory_file(b"hello").unwrap();
        assert!(std::os::unix::fs::FileExt::write_all_at(&file, b"x", 0).is_err());
        let mapping = Mapping::reserve(3 * page).unwrap();
        // SAFETY: the mapping is new and the file sealed.
        unsafe { mapping.map_copy_on_write(page..2 * page, &file, 0).unwrap() };
        let at = mapping.base().as_ptr().wrapping_add(page);
        // SAFETY: the page was just mapped writable.
        unsafe {
            assert_eq!(std::slice::from_raw_parts(at, 6), b"hello\0");
            at.write(b'j');
            mapping.discard(page..2 * page).unwrap();
            assert_eq!(at.read(), b'h');
        }
    }

    #[test]
    fn parts_outside_are_refused() {
        let page = host_page_size();
        let mapping = Mapping::reserve(page).unwrap();
        assert!(mapping.make_writable(0..2 * page).is_err());
        assert!(mapping.make_writable(1..page).is_err());
        assert!(mapping.make_writable(0..page).is_ok());
        assert!(Mapping::reserve(usize::MAX).is_err());
    }
}
