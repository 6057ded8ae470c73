//! `poll_oneoff`, clocks and standard streams.

mod common;

use common::*;
use meantime_wasi::cli::{InputFile, IsTerminal, OutputFile, StdinStream};
use meantime_wasi::clocks::{HostMonotonicClock, HostWallClock};
use meantime_wasi::p2::pipe::{ClosedOutputStream, MemoryInputPipe, MemoryOutputPipe};
use meantime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};
use meantime_wasi::{WasiCtxBuilder, async_trait};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

const MILLISECOND: u64 = 1_000_000;

/// A pipe of the system: where to read, where to write.
fn pipe() -> (File, File) {
    let (read, write) = std::io::pipe().unwrap();
    (
        File::from(OwnedFd::from(read)),
        File::from(OwnedFd::from(write)),
    )
}

fn clock(guest: &mut Guest, id: u64) -> Answer<u64> {
    guest.call("clock_time_get", &[id, 0, OUT.into()])?;
    Ok(guest.u64(OUT))
}

#[test]
fn clocks_are_read() {
    let mut guest = Guest::new(&mut WasiCtxBuilder::new());
    for id in 0..4 {
        guest.call("clock_res_get", &[id, OUT.into()]).unwrap();
        assert!((1..=1_000_000_000).contains(&guest.u64(OUT)), "{id}");
        // Processor time only advances while this thread gets any.
        let before = clock(&mut guest, id).unwrap();
        let start = Instant::now();
        while clock(&mut guest, id).unwrap() < before + MILLISECOND {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "clock {id} stands still"
            );
        }
    }
    assert_eq!(clock(&mut guest, 4), Err(INVAL));
    assert_eq!(guest.call("clock_res_get", &[4, OUT.into()]), Err(INVAL));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let read = Duration::from_nanos(clock(&mut guest, 0).unwrap());
    assert!(read >= now && read - now < Duration::from_secs(60));
}

struct Fixed;

impl HostWallClock for Fixed {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1000)
    }
}

impl HostMonotonicClock for Fixed {
    fn resolution(&self) -> u64 {
        7
    }

    fn now(&self) -> u64 {
        42
    }
}

#[test]
fn clocks_can_be_replaced() {
    let dir = Dir::new();
    dir.file("file", "");
    let mut builder = WasiCtxBuilder::new();
    builder.wall_clock(Fixed).monotonic_clock(Fixed);
    builder
        .preopened_dir(&dir.0, "/", meantime_wasi::FsPerms::ReadWrite)
        .unwrap();
    let mut guest = Guest::new(&mut builder);
    assert_eq!(clock(&mut guest, 0), Ok(1_000_000_000_000));
    for id in 1..4 {
        assert_eq!(clock(&mut guest, id), Ok(42));
        guest.call("clock_res_get", &[id, OUT.into()]).unwrap();
        assert_eq!(guest.u64(OUT), 7);
    }
    guest.set_times_at(0, "file", 0, 0, 2 | 8).unwrap();
    assert_eq!(
        guest.filestat_at(3, 0, "file").unwrap().mtim,
        1_000_000_000_000
    );
    // A deadline is absolute on the guest's clock.
    let start = Instant::now();
    let events = guest
        .poll(&[clock_subscription(1, 1, 42 + 20 * MILLISECOND, 1)])
        .unwrap();
    assert_eq!(events.len(), 1);
    assert!(start.elapsed() >= Duration::from_millis(20));
    let events = guest
        .poll(&[clock_subscription(1, 0, 999_000_000_000, 1)])
        .unwrap();
    assert_eq!(events.len(), 1);
}

#[test]
fn sleeping() {
    let mut guest = Guest::new(&mut WasiCtxBuilder::new());
    let event = |userdata| Event {
        userdata,
        error: 0,
        event_type: 0,
        nbytes: 0,
        flags: 0,
    };
    for id in [0, 1] {
        let start = Instant::now();
        assert_eq!(
            guest.poll(&[clock_subscription(9, id, 20 * MILLISECOND, 0)]),
            Ok(vec![event(9)])
        );
        assert!(start.elapsed() >= Duration::from_millis(20));
        // Until a moment.
        let start = Instant::now();
        let until = clock(&mut guest, id.into()).unwrap() + 20 * MILLISECOND;
        assert_eq!(
            guest.poll(&[clock_subscription(9, id, until, 1)]),
            Ok(vec![event(9)])
        );
        assert!(start.elapsed() >= Duration::from_millis(15));
        // A moment gone by.
        let start = Instant::now();
        assert_eq!(
            guest.poll(&[clock_subscription(9, id, 1, 1)]),
            Ok(vec![event(9)])
        );
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    // The first of several.
    let subscriptions = [
        clock_subscription(1, 1, u64::MAX, 0),
        clock_subscription(2, 1, MILLISECOND, 0),
        clock_subscription(3, 0, 1 << 50, 0),
    ];
    assert_eq!(guest.poll(&subscriptions), Ok(vec![event(2)]));
    assert_eq!(
        guest.poll(&[
            clock_subscription(1, 1, 0, 0),
            clock_subscription(2, 0, 0, 0)
        ]),
        Ok(vec![event(1), event(2)])
    );
}

#[test]
fn wrong_subscriptions() {
    let dir = Dir::new();
    let mut guest = Guest::in_dir(&dir);
    assert_eq!(guest.poll(&[]), Err(INVAL));
    let call = [BUF.into(), OUT.into(), u64::from(u32::MAX), OUT.into()];
    assert_eq!(guest.call("poll_oneoff", &call), Err(INVAL));
    assert_eq!(guest.poll(&[fd_subscription(0, 3, 0)]), Err(INVAL));
    // A wrong one is an event of its own, and ends the wait.
    let file = guest.open("file", CREAT).unwrap();
    guest
        .set_rights(file, RIGHTS_READ | RIGHTS_WRITE, 0)
        .unwrap();
    let subscriptions = [
        clock_subscription(1, 1, 1 << 50, 0),
        fd_subscription(2, 1, 99),
        clock_subscription(3, 2, 0, 0),
        clock_subscription(4, 9, 0, 0),
        clock_subscription(5, 1, 0, 2),
        fd_subscription(6, 2, 3),
        fd_subscription(7, 1, file),
        fd_subscription(8, 1, 1),
    ];
    let events: Vec<_> = guest
        .poll(&subscriptions)
        .unwrap()
        .iter()
        .map(|e| (e.userdata, e.event_type, e.error))
        .collect();
    assert_eq!(
        events,
        [
            (2, 1, BADF),
            (3, 0, NOTSUP),
            (4, 0, INVAL),
            (5, 0, INVAL),
            (6, 2, BADF),
            (7, 1, NOTCAPABLE),
            (8, 1, NOTCAPABLE),
        ]
    );
}

#[test]
fn files_are_always_ready() {
    let dir = Dir::new();
    let mut guest = Guest::in_dir(&dir);
    let fd = guest.open("file", CREAT).unwrap();
    guest.write(fd, b"12345").unwrap();
    guest.seek(fd, 2, 0).unwrap();
    let subscriptions = [
        fd_subscription(1, 1, fd),
        fd_subscription(2, 2, fd),
        clock_subscription(3, 1, 1 << 50, 0),
    ];
    let events = guest.poll(&subscriptions).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(
        events[0],
        Event {
            userdata: 1,
            error: 0,
            event_type: 1,
            nbytes: 3,
            flags: 0
        }
    );
    assert_eq!(
        (events[1].userdata, events[1].event_type, events[1].error),
        (2, 2, 0)
    );
}

#[test]
fn a_pipe_as_standard_input() {
    let (read, mut write) = pipe();
    let mut guest = Guest::new(WasiCtxBuilder::new().stdin(InputFile::new(read)));
    let (filetype, _, rights, _) = guest.fdstat(0).unwrap();
    assert_eq!((filetype, rights & (RIGHTS_SEEK | RIGHTS_TELL)), (0, 0));
    assert_eq!(guest.seek(0, 0, 1), Err(SPIPE));
    assert_eq!(guest.pread(0, 1, 0), Err(SPIPE));

    // Nothing there: the clock wins.
    let both = [
        fd_subscription(1, 1, 0),
        clock_subscription(2, 1, 5 * MILLISECOND, 0),
    ];
    assert_eq!(
        guest
            .poll(&both)
            .unwrap()
            .iter()
            .map(|e| e.userdata)
            .collect::<Vec<_>>(),
        [2]
    );
    guest.set_flags(0, NONBLOCK).unwrap();
    assert_eq!(guest.fdstat(0).unwrap().1, NONBLOCK as u16);
    assert_eq!(guest.read(0, 10), Err(AGAIN));

    write.write_all(b"hello").unwrap();
    let event = guest.poll(&both).unwrap()[0];
    assert_eq!(
        event,
        Event {
            userdata: 1,
            error: 0,
            event_type: 1,
            nbytes: 5,
            flags: 0
        }
    );
    assert_eq!(guest.read(0, 3).unwrap(), b"hel");
    assert_eq!(guest.read(0, 3).unwrap(), b"lo");
    assert_eq!(guest.read(0, 3), Err(AGAIN));

    // Blocking, with a writer that takes its time.
    guest.set_flags(0, 0).unwrap();
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        write.write_all(b"late").unwrap();
        std::thread::sleep(Duration::from_millis(20));
        write
    });
    let long = [
        fd_subscription(1, 1, 0),
        clock_subscription(2, 1, 1 << 40, 0),
    ];
    assert_eq!(guest.poll(&long).unwrap()[0].nbytes, 4);
    assert_eq!(guest.read(0, 10).unwrap(), b"late");
    drop(writer.join().unwrap());
    let event = guest.poll(&long).unwrap()[0];
    assert_eq!((event.userdata, event.nbytes, event.flags), (1, 0, 1));
    assert_eq!(guest.read(0, 10).unwrap(), b"");
}

#[test]
fn a_file_as_standard_input_and_output() {
    let dir = Dir::new();
    let input = dir.file("in", "0123456789");
    let output = File::create(dir.0.join("out")).unwrap();
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdin(InputFile::new(File::open(input).unwrap()))
        .stdout(OutputFile::new(output));
    let mut guest = Guest::new(&mut builder);
    let (filetype, _, rights, _) = guest.fdstat(0).unwrap();
    assert_eq!(
        (filetype, rights & (RIGHTS_SEEK | RIGHTS_TELL)),
        (4, RIGHTS_SEEK | RIGHTS_TELL)
    );
    assert_eq!(
        guest.poll(&[fd_subscription(1, 1, 0)]).unwrap()[0].nbytes,
        10
    );
    assert_eq!(guest.seek(0, 7, 0), Ok(7));
    assert_eq!(guest.read(0, 10).unwrap(), b"789");
    assert_eq!(guest.pread(0, 2, 1).unwrap(), b"12");
    assert_eq!(guest.fd_filestat(0).unwrap().size, 10);
    assert_eq!(guest.write(0, b"x"), Err(NOTCAPABLE));
    assert_eq!(guest.read(1, 1), Err(NOTCAPABLE));
    assert_eq!(guest.write(1, b"out"), Ok(3));
    assert_eq!(guest.call("fd_sync", &[1]), Ok(()));
    assert_eq!(std::fs::read(dir.0.join("out")).unwrap(), b"out");
}

#[test]
fn a_full_pipe_as_standard_output() {
    let (mut read, write) = pipe();
    let mut guest = Guest::new(WasiCtxBuilder::new().stdout(OutputFile::new(write)));
    guest.set_flags(1, NONBLOCK).unwrap();
    let chunk = vec![b'x'; 4096];
    let mut total = 0;
    loop {
        match guest.write(1, &chunk) {
            Ok(written) => total += written,
            Err(errno) => break assert_eq!(errno, AGAIN),
        }
    }
    let both = [
        fd_subscription(1, 2, 1),
        clock_subscription(2, 1, 5 * MILLISECOND, 0),
    ];
    assert_eq!(guest.poll(&both).unwrap()[0].userdata, 2);
    let mut contents = vec![0; total as usize];
    read.read_exact(&mut contents).unwrap();
    assert_eq!(guest.poll(&both).unwrap()[0].userdata, 1);
    drop(read);
    assert_eq!(guest.write(1, b"x"), Err(PIPE));
    assert_eq!(guest.poll(&both).unwrap()[0].flags, 1);
}

#[test]
fn a_pipe_that_others_made_nonblocking_still_blocks() {
    use rustix::fs::{OFlags, fcntl_setfl};
    let (read, mut write) = pipe();
    let (mut output_read, output) = pipe();
    for file in [&read, &output] {
        fcntl_setfl(file, OFlags::NONBLOCK).unwrap();
    }
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdin(InputFile::new(read))
        .stdout(OutputFile::new(output));
    let mut guest = Guest::new(&mut builder);
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        write.write_all(b"late").unwrap();
    });
    assert_eq!(guest.read(0, 10).unwrap(), b"late");
    writer.join().unwrap();
    // More than the pipe holds, while somebody slowly reads.
    let reader = std::thread::spawn(move || {
        let mut contents = Vec::new();
        std::thread::sleep(Duration::from_millis(20));
        output_read.read_to_end(&mut contents).unwrap();
        contents.len()
    });
    let chunk = vec![b'x'; 4096];
    for _ in 0..100 {
        assert_eq!(guest.write(1, &chunk), Ok(4096));
    }
    drop(guest);
    assert_eq!(reader.join().unwrap(), 4096 * 100);
}

#[test]
fn streams_over_memory_and_over_nothing() {
    let (input, output) = (MemoryInputPipe::new("some input"), MemoryOutputPipe::new(8));
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdin(input.clone())
        .stdout(output.clone())
        .stderr(ClosedOutputStream);
    let mut guest = Guest::new(&mut builder);
    assert_eq!(guest.fdstat(0).unwrap().0, 0);
    assert_eq!(
        guest
            .poll(&[fd_subscription(1, 1, 0), fd_subscription(2, 2, 1)])
            .unwrap()
            .len(),
        2
    );
    assert_eq!(guest.read(0, 5).unwrap(), b"some ");
    assert_eq!(guest.read(0, 50).unwrap(), b"input");
    assert_eq!(guest.read(0, 5).unwrap(), b"");
    assert_eq!(guest.seek(0, 0, 1), Err(SPIPE));
    assert_eq!(guest.write(1, b"hello"), Ok(5));
    assert_eq!(guest.write(1, b" world"), Ok(3));
    assert_eq!(guest.write(1, b"!"), Err(PIPE));
    assert_eq!(&output.contents()[..], b"hello wo");
    assert_eq!(guest.write(2, b"x"), Err(PIPE));
    assert_eq!(guest.fd_filestat(0).unwrap().size, 0);
    assert_eq!(guest.call("fd_datasync", &[1]), Ok(()));

    let mut guest = Guest::new(&mut WasiCtxBuilder::new());
    assert_eq!(guest.read(0, 5).unwrap(), b"");
    assert_eq!(guest.write(1, b"nobody hears this"), Ok(17));
    assert_eq!(guest.write(2, b"nor this"), Ok(8));
    assert_eq!(guest.fd_filestat(1).unwrap().size, 0);
    let events = guest
        .poll(&[fd_subscription(1, 1, 0), fd_subscription(2, 2, 1)])
        .unwrap();
    assert_eq!((events.len(), events[0].flags), (2, 1));
}

/// An input that another thread fills.
#[derive(Clone, Default)]
struct Channel(Arc<Mutex<(Vec<u8>, Option<Waker>)>>);

impl Channel {
    fn send_later(&self, bytes: &'static [u8]) {
        let channel = self.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            let mut state = channel.0.lock().unwrap();
            state.0.extend_from_slice(bytes);
            if let Some(waker) = state.1.take() {
                waker.wake();
            }
        });
    }
}

impl IsTerminal for Channel {
    fn is_terminal(&self) -> bool {
        true
    }
}

impl StdinStream for Channel {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Channel {
    async fn ready(&mut self) {
        std::future::poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            if state.0.is_empty() {
                state.1 = Some(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await
    }
}

#[async_trait]
impl InputStream for Channel {
    fn read(&mut self, size: usize) -> StreamResult<bytes::Bytes> {
        let mut state = self.0.lock().unwrap();
        if state.0 == b"end" {
            return Err(StreamError::Closed);
        }
        let size = size.min(state.0.len());
        Ok(state.0.drain(..size).collect::<Vec<u8>>().into())
    }
}

#[test]
fn a_stream_that_the_embedder_made_wakes_the_guest() {
    let channel = Channel::default();
    let (read, mut write) = pipe();
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdin(channel.clone())
        .stdout(OutputFile::new(read.try_clone().unwrap()));
    let mut guest = Guest::new(&mut builder);
    assert_eq!(guest.fdstat(0).unwrap().0, 2, "a terminal");
    guest.set_flags(0, NONBLOCK).unwrap();
    assert_eq!(guest.read(0, 10), Err(AGAIN));
    let short = [
        fd_subscription(1, 1, 0),
        clock_subscription(2, 1, 5 * MILLISECOND, 0),
    ];
    let long = [
        fd_subscription(1, 1, 0),
        clock_subscription(2, 1, 1 << 40, 0),
        fd_subscription(3, 1, 0),
    ];
    assert_eq!(guest.poll(&short).unwrap()[0].userdata, 2);
    channel.send_later(b"first");
    let events = guest.poll(&long).unwrap();
    assert_eq!(
        events
            .iter()
            .map(|event| event.userdata)
            .collect::<Vec<_>>(),
        [1, 3]
    );
    assert_eq!(guest.read(0, 10).unwrap(), b"first");
    guest.set_flags(0, 0).unwrap();
    channel.send_later(b"second");
    assert_eq!(guest.read(0, 10).unwrap(), b"second");
    channel.send_later(b"end");
    assert_eq!(guest.read(0, 10).unwrap(), b"");
    write.write_all(b"x").unwrap();
}

#[test]
fn devices_look_like_devices() {
    let null = || {
        File::options()
            .read(true)
            .write(true)
            .open("/dev/null")
            .unwrap()
    };
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdin(InputFile::new(null()))
        .stdout(OutputFile::new(null()));
    let mut guest = Guest::new(&mut builder);
    // Not a terminal: it can seek.
    let (filetype, _, rights, _) = guest.fdstat(1).unwrap();
    assert_eq!((filetype, rights & RIGHTS_SEEK), (2, RIGHTS_SEEK));
    assert_eq!(guest.read(0, 10).unwrap(), b"");
    assert_eq!(guest.write(1, b"x"), Ok(1));
}
