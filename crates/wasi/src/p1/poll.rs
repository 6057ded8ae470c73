//! `poll_oneoff`: waiting for clocks and descriptors.
//!
//! The one idea: each subscription becomes a [`Source`], and sources are of three sorts: those
//! decided at once, those the system can wait for (handles, and the earliest deadline), and those
//! an embedder's future announces. One wait covers all of them; a future's wake-up reaches it
//! through a pipe. A subscription that is wrong is an event with an error, so that the others still
//! count.

use super::Host;
use super::errno::{Errno, Result};
use super::memory::GuestMemory;
use super::table::{Descriptor, Kind, Table};
use super::types::{ClockId, FileType, Rights, SubclockFlags, Version, put};
use crate::clocks::{WasiClocksCtx, nanoseconds};
use crate::sys::{self, Interest, Readiness, Wait, WakePipe};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// The most subscriptions of one call: two for each descriptor that can be open, and some clocks.
const MAX_SUBSCRIPTIONS: u32 = 1 << 18;

/// `fd_readwrite_hangup` of `eventrwflags`.
const HANGUP: u16 = 1;

impl Host<'_> {
    pub(crate) fn poll_oneoff(
        &mut self,
        subscriptions: u32,
        events: u32,
        count: u32,
        nevents: u32,
    ) -> Result<()> {
        if count == 0 || count > MAX_SUBSCRIPTIONS {
            return Err(Errno::Inval.into());
        }
        let subscriptions = (0..count)
            .map(|index| Subscription::read(&self.memory, self.version, subscriptions, index))
            .collect::<Result<Vec<_>>>()?;
        let ready = wait(&self.ctx.clocks, self.table, &subscriptions)?;
        for (index, event) in (0..).zip(&ready) {
            self.memory.write_record(events, index, &event.encode())?;
        }
        self.memory.write_u32(nevents, ready.len() as u32)
    }
}

/// What the guest waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Subscription {
    userdata: u64,
    to: To,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    Clock { id: u32, timeout: u64, flags: u32 },
    Fd { fd: u32, interest: Interest },
}

impl Subscription {
    fn read(
        memory: &GuestMemory<'_>,
        version: Version,
        list: u32,
        index: u32,
    ) -> Result<Subscription> {
        // Preview 0 has one field more at the start of the clock's part.
        let (record, clock) = match version {
            Version::Preview0 => (memory.read_record::<56>(list, index)?, 24),
            Version::Preview1 => {
                let mut record = [0; 56];
                put(&mut record, 0, &memory.read_record::<48>(list, index)?);
                (record, 16)
            }
        };
        let byte = |at: usize| u64::from(record[at]);
        let number = |at: usize, len: usize| {
            (0..len).fold(0, |sum, index| sum | byte(at + index) << (8 * index))
        };
        let to = match record[8] {
            0 => To::Clock {
                id: number(clock, 4) as u32,
                timeout: number(clock + 8, 8),
                flags: number(clock + 24, 2) as u32,
            },
            1 => To::Fd {
                fd: number(16, 4) as u32,
                interest: Interest::Read,
            },
            2 => To::Fd {
                fd: number(16, 4) as u32,
                interest: Interest::Write,
            },
            _ => return Err(Errno::Inval.into()),
        };
        Ok(Subscription {
            userdata: number(0, 8),
            to,
        })
    }

    fn event_type(&self) -> u8 {
        match self.to {
            To::Clock { .. } => 0,
            To::Fd {
                interest: Interest::Read,
                ..
            } => 1,
            To::Fd {
                interest: Interest::Write,
                ..
            } => 2,
        }
    }
}

/// What came of a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Outcome {
    error: u16,
    nbytes: u64,
    hangup: bool,
}

impl Outcome {
    fn bytes(nbytes: u64) -> Outcome {
        Outcome {
            nbytes,
            ..Outcome::default()
        }
    }
}

impl From<Errno> for Outcome {
    fn from(errno: Errno) -> Outcome {
        Outcome {
            error: errno as u16,
            ..Outcome::default()
        }
    }
}

struct Event {
    userdata: u64,
    event_type: u8,
    outcome: Outcome,
}

impl Event {
    fn encode(&self) -> [u8; 32] {
        let mut record = [0; 32];
        put(&mut record, 0, &self.userdata.to_le_bytes());
        put(&mut record, 8, &self.outcome.error.to_le_bytes());
        record[10] = self.event_type;
        put(&mut record, 16, &self.outcome.nbytes.to_le_bytes());
        put(
            &mut record,
            24,
            &if self.outcome.hangup { HANGUP } else { 0 }.to_le_bytes(),
        );
        record
    }
}

/// How a subscription is waited for.
enum Source {
    /// Not at all.
    Decided(Outcome),
    /// Until then; `None` is later than the host can count.
    Clock(Option<Instant>),
    /// By the system: the number of the wait.
    Handle(usize),
    /// By an embedder's future: the number of the future.
    Future(usize),
}

/// A descriptor that is waited for, borrowed from the table in the way that its kind needs.
enum Target<'a> {
    Descriptor(&'a Descriptor),
    Custom {
        rights: Rights,
        interest: Interest,
        future: usize,
    },
}

type Ready<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Waits until at least one subscription is ready, and returns the events of all that are.
fn wait(
    clocks: &WasiClocksCtx,
    table: &mut Table,
    subscriptions: &[Subscription],
) -> Result<Vec<Event>> {
    let start = Instant::now();
    let mut futures = Vec::new();
    let targets = targets(table, subscriptions, &mut futures);
    let mut waits = Vec::new();
    let sources: Vec<Source> = subscriptions
        .iter()
        .map(|subscription| match subscription.to {
            To::Clock { id, timeout, flags } => clock_source(clocks, start, id, timeout, flags),
            To::Fd { fd, interest } => {
                match targets.binary_search_by_key(&fd, |(number, _)| *number) {
                    Ok(index) => fd_source(&targets[index].1, interest, &mut waits),
                    Err(_) => Source::Decided(Errno::Badf.into()),
                }
            }
        })
        .collect();

    let mut deadline = earliest(&sources);
    if sources
        .iter()
        .any(|source| matches!(source, Source::Decided(_)))
    {
        deadline = Some(start);
    }
    wait_for(&mut waits, &mut futures, deadline)?;

    let now = Instant::now();
    let events = subscriptions
        .iter()
        .zip(&sources)
        .filter_map(|(subscription, source)| {
            let outcome = match source {
                Source::Decided(outcome) => Some(*outcome),
                Source::Clock(deadline) => deadline
                    .filter(|deadline| *deadline <= now)
                    .map(|_| Outcome::default()),
                Source::Handle(index) => handle_outcome(&waits[*index]),
                // Only the stream itself knows how much there is.
                Source::Future(index) => futures[*index].is_none().then(|| Outcome::bytes(1)),
            }?;
            Some(Event {
                userdata: subscription.userdata,
                event_type: subscription.event_type(),
                outcome,
            })
        });
    Ok(events.collect())
}

/// Borrows the descriptors that are waited for, in the order of their numbers.
fn targets<'a>(
    table: &'a mut Table,
    subscriptions: &[Subscription],
    futures: &mut Vec<Option<Ready<'a>>>,
) -> Vec<(u32, Target<'a>)> {
    let mut wanted: Vec<u32> = subscriptions
        .iter()
        .filter_map(|subscription| match subscription.to {
            To::Fd { fd, .. } => Some(fd),
            To::Clock { .. } => None,
        })
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    wanted.sort_unstable();
    table
        .iter_mut()
        .filter(|(fd, _)| wanted.binary_search(fd).is_ok())
        .map(|(fd, descriptor)| {
            let rights = descriptor.rights;
            let future = futures.len();
            let target = match descriptor {
                Descriptor {
                    kind: Kind::Input { stream, .. },
                    ..
                } => {
                    futures.push(Some(stream.ready()));
                    Target::Custom {
                        rights,
                        interest: Interest::Read,
                        future,
                    }
                }
                Descriptor {
                    kind: Kind::Output { stream, .. },
                    ..
                } => {
                    futures.push(Some(stream.ready()));
                    Target::Custom {
                        rights,
                        interest: Interest::Write,
                        future,
                    }
                }
                descriptor => Target::Descriptor(descriptor),
            };
            (fd, target)
        })
        .collect()
}

fn clock_source(
    clocks: &WasiClocksCtx,
    start: Instant,
    id: u32,
    timeout: u64,
    flags: u32,
) -> Source {
    let remaining = || -> Result<u64, Errno> {
        let id = ClockId::try_from(id)?;
        let absolute = SubclockFlags::from_bits(flags)?.contains(SubclockFlags::ABSTIME);
        match id {
            ClockId::Realtime if absolute => {
                Ok(timeout.saturating_sub(nanoseconds(clocks.wall_clock.now())))
            }
            ClockId::Monotonic if absolute => {
                Ok(timeout.saturating_sub(clocks.monotonic_clock.now()))
            }
            ClockId::Realtime | ClockId::Monotonic => Ok(timeout),
            // Processor time stands still while one waits for it.
            ClockId::ProcessCpuTime | ClockId::ThreadCpuTime => Err(Errno::Notsup),
        }
    };
    match remaining() {
        Ok(nanoseconds) => Source::Clock(start.checked_add(Duration::from_nanos(nanoseconds))),
        Err(errno) => Source::Decided(errno.into()),
    }
}

fn fd_source<'a>(target: &Target<'a>, interest: Interest, waits: &mut Vec<Wait<'a>>) -> Source {
    let needed = Rights::POLL_FD_READWRITE.with(match interest {
        Interest::Read => Rights::FD_READ,
        Interest::Write => Rights::FD_WRITE,
    });
    let rights = match target {
        Target::Descriptor(descriptor) => descriptor.rights,
        Target::Custom { rights, .. } => *rights,
    };
    match target {
        Target::Descriptor(Descriptor {
            kind: Kind::Dir(_), ..
        }) => Source::Decided(Errno::Badf.into()),
        Target::Custom {
            interest: other, ..
        } if *other != interest => Source::Decided(Errno::Badf.into()),
        _ if !rights.contains(needed) => Source::Decided(Errno::Notcapable.into()),
        Target::Custom { future, .. } => Source::Future(*future),
        Target::Descriptor(descriptor) => match (&descriptor.kind, descriptor.handle()) {
            // Regular files never block.
            (Kind::File(file), _) if file.filetype == FileType::RegularFile => {
                Source::Decided(match interest {
                    Interest::Read => Outcome::bytes(file.rest()),
                    Interest::Write => Outcome::bytes(1),
                })
            }
            (_, Some(handle)) => {
                waits.push(Wait {
                    handle,
                    interest,
                    readiness: None,
                });
                Source::Handle(waits.len() - 1)
            }
            (_, None) => Source::Decided(match interest {
                Interest::Read => Outcome {
                    hangup: true,
                    ..Outcome::default()
                },
                Interest::Write => Outcome::bytes(1),
            }),
        },
    }
}

fn earliest(sources: &[Source]) -> Option<Instant> {
    sources
        .iter()
        .filter_map(|source| match source {
            Source::Clock(deadline) => *deadline,
            _ => None,
        })
        .min()
}

/// Waits until a handle or a future is ready or the deadline has passed. A future that is ready is
/// taken out.
fn wait_for(
    waits: &mut [Wait<'_>],
    futures: &mut [Option<Ready<'_>>],
    mut deadline: Option<Instant>,
) -> Result<()> {
    if waits.is_empty() && futures.is_empty() {
        return sleep_until(deadline);
    }
    // Streams over memory are ready at once: find that out before paying for a pipe.
    if poll_futures(futures, Waker::noop()) {
        deadline = Some(Instant::now());
    }
    let wake = match futures.iter().any(Option::is_some) {
        true => Some(WakePipe::new()?),
        false => None,
    };
    loop {
        if let Some(wake) = &wake
            && poll_futures(futures, wake.waker())
        {
            deadline = Some(Instant::now());
        }
        sys::wait_many(waits, wake.as_ref(), deadline)?;
        let done = waits.iter().any(|wait| wait.readiness.is_some())
            || deadline.is_some_and(|deadline| deadline <= Instant::now());
        if done {
            return Ok(());
        }
    }
}

/// Polls the futures that are not ready yet; whether one has become so.
fn poll_futures(futures: &mut [Option<Ready<'_>>], waker: &Waker) -> bool {
    let mut context = Context::from_waker(waker);
    let mut any = false;
    for slot in futures {
        if slot
            .as_mut()
            .is_some_and(|future| future.as_mut().poll(&mut context).is_ready())
        {
            *slot = None;
            any = true;
        }
    }
    any
}

fn sleep_until(deadline: Option<Instant>) -> Result<()> {
    loop {
        let Some(deadline) = deadline else {
            // Beyond what the host can count, which is centuries.
            std::thread::sleep(Duration::MAX);
            continue;
        };
        match deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return Ok(()),
            rest => std::thread::sleep(rest),
        }
    }
}

fn handle_outcome(wait: &Wait<'_>) -> Option<Outcome> {
    let Readiness { hangup, invalid } = wait.readiness?;
    if invalid {
        return Some(Errno::Badf.into());
    }
    let nbytes = match wait.interest {
        // A listener cannot say how many bytes a connection has, but there is something.
        Interest::Read => sys::readable_bytes(wait.handle).unwrap_or(u64::from(!hangup)),
        Interest::Write => 1,
    };
    Some(Outcome {
        nbytes,
        hangup,
        error: 0,
    })
}
