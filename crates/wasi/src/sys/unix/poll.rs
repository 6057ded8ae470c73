//! Waiting for several handles at once, and a waker that such a wait notices.

use super::Handle;
use crate::sys::Interest;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

/// One handle to wait for, and what came of it.
pub(crate) struct Wait<'a> {
    pub(crate) handle: Handle<'a>,
    pub(crate) interest: Interest,
    pub(crate) readiness: Option<Readiness>,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// The other side is gone.
    pub(crate) hangup: bool,
    /// The handle is not open.
    pub(crate) invalid: bool,
}

/// Waits until one of `waits` is ready, `waker` was woken or `deadline` has passed, and fills in
/// the readiness of each. No deadline means to wait for as long as it takes.
pub(crate) fn wait_many(
    waits: &mut [Wait<'_>],
    wake: Option<&WakePipe>,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let mut fds = Vec::with_capacity(waits.len() + 1);
    for wait in waits.iter() {
        fds.push(PollFd::from_borrowed_fd(wait.handle, flags(wait.interest)));
    }
    if let Some(wake) = wake {
        fds.push(PollFd::from_borrowed_fd(wake.read.as_fd(), PollFlags::IN));
    }
    poll_until(&mut fds, deadline)?;
    for (wait, fd) in waits.iter_mut().zip(&fds) {
        wait.readiness = readiness(fd.revents());
    }
    if let Some(wake) = wake {
        wake.drain();
    }
    Ok(())
}

/// Waits for one handle.
pub(crate) fn wait(handle: Handle<'_>, interest: Interest) {
    // A failure to wait shows again in the read or write that follows.
    let _ = poll_until(
        &mut [PollFd::from_borrowed_fd(handle, flags(interest))],
        None,
    );
}

/// Whether a read or write of the handle would not block.
pub(crate) fn is_ready(handle: Handle<'_>, interest: Interest) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(handle, flags(interest))];
    poll_until(&mut fds, Some(Instant::now())).is_err() || !fds[0].revents().is_empty()
}

/// How many bytes can be read from the handle, if it knows.
pub(crate) fn readable_bytes(handle: Handle<'_>) -> Option<u64> {
    rustix::io::ioctl_fionread(handle).ok()
}

fn flags(interest: Interest) -> PollFlags {
    match interest {
        Interest::Read => PollFlags::IN,
        Interest::Write => PollFlags::OUT,
    }
}

fn readiness(events: PollFlags) -> Option<Readiness> {
    (!events.is_empty()).then(|| Readiness {
        hangup: events.intersects(PollFlags::HUP | PollFlags::ERR),
        invalid: events.contains(PollFlags::NVAL),
    })
}

fn poll_until(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> Result<(), Errno> {
    loop {
        let timeout =
            deadline.map(|deadline| timespec(deadline.saturating_duration_since(Instant::now())));
        match rustix::event::poll(fds, timeout.as_ref()) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

/// A waker whose wake-ups end a [`wait_many`]: it writes to a pipe.
pub(crate) struct WakePipe {
    read: OwnedFd,
    waker: Waker,
}

struct WriteEnd(OwnedFd);

impl Wake for WriteEnd {
    fn wake(self: Arc<Self>) {
        // A full pipe has been woken already.
        let _ = rustix::io::write(&self.0, &[1]);
    }
}

impl WakePipe {
    pub(crate) fn new() -> io::Result<Self> {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(WakePipe {
            read,
            waker: Waker::from(Arc::new(WriteEnd(write))),
        })
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    fn drain(&self) {
        let mut buffer = [0; 64];
        while rustix::io::read(&self.read, &mut buffer).is_ok_and(|read| read == buffer.len()) {}
    }
}
