//! Unix systems, through rustix.

mod errno;
mod file;
mod net;
mod poll;
mod readdir;
mod stdio;
mod time;

pub(crate) use file::*;
pub(crate) use net::*;
pub(crate) use poll::*;
pub(crate) use readdir::read_dir;
pub(crate) use stdio::*;
pub(crate) use time::*;

/// A borrowed descriptor.
pub(crate) type Handle<'a> = rustix::fd::BorrowedFd<'a>;

/// Fills `bytes` with the operating system's randomness.
///
/// # Panics
///
/// If the system has no source of randomness, which no system that Rust's own hash tables run on
/// lacks.
pub(crate) fn fill_random(mut bytes: &mut [u8]) {
    while !bytes.is_empty() {
        match rustix::rand::getrandom(&mut *bytes, rustix::rand::GetRandomFlags::empty()) {
            Ok(filled) => bytes = &mut bytes[filled..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("the system's random source failed: {error}"),
        }
    }
}
