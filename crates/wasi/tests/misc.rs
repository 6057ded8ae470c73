//! Arguments, environment, randomness, process calls, sockets, and preview 0.

mod common;

use common::*;
use meantime_wasi::p2::pipe::MemoryOutputPipe;
use meantime_wasi::{Deterministic, FsPerms, I32Exit, WasiCtxBuilder, p0, p1};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};

fn strings(guest: &mut Guest, sizes: &str, get: &str) -> Vec<String> {
    guest
        .call(sizes, &[OUT.into(), u64::from(OUT) + 4])
        .unwrap();
    let (count, size) = (guest.u32(OUT), guest.u32(OUT + 4));
    guest
        .call(get, &[BUF.into(), u64::from(BUF) + 0x1000])
        .unwrap();
    let buffer = guest.bytes(BUF + 0x1000, size);
    assert_eq!(
        buffer.iter().filter(|byte| **byte == 0).count(),
        count as usize
    );
    (0..count)
        .map(|index| {
            let start = (guest.u32(BUF + 4 * index) - BUF - 0x1000) as usize;
            let len = buffer[start..].iter().position(|byte| *byte == 0).unwrap();
            String::from_utf8(buffer[start..start + len].to_vec()).unwrap()
        })
        .collect()
}

#[test]
fn arguments_and_environment() {
    let mut builder = WasiCtxBuilder::new();
    builder
        .arg("program")
        .args(&["", "zwei", "三"])
        .env("A", "1")
        .envs(&[("B", ""), ("C", "=x=")]);
    let mut guest = Guest::new(&mut builder);
    assert_eq!(
        strings(&mut guest, "args_sizes_get", "args_get"),
        ["program", "", "zwei", "三"]
    );
    assert_eq!(
        strings(&mut guest, "environ_sizes_get", "environ_get"),
        ["A=1", "B=", "C==x="]
    );

    let mut guest = Guest::new(&mut WasiCtxBuilder::new());
    assert!(strings(&mut guest, "args_sizes_get", "args_get").is_empty());
    assert!(strings(&mut guest, "environ_sizes_get", "environ_get").is_empty());

    let mut guest = Guest::new(WasiCtxBuilder::new().inherit_args().inherit_env());
    assert_eq!(
        strings(&mut guest, "args_sizes_get", "args_get"),
        std::env::args().collect::<Vec<_>>()
    );
    let expected: Vec<_> = std::env::vars()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        strings(&mut guest, "environ_sizes_get", "environ_get"),
        expected
    );
}

#[test]
fn random_bytes() {
    let mut guest = Guest::new(&mut WasiCtxBuilder::new());
    guest.call("random_get", &[BUF.into(), 1000]).unwrap();
    let first = guest.bytes(BUF, 1000);
    guest.call("random_get", &[BUF.into(), 1000]).unwrap();
    assert_ne!(guest.bytes(BUF, 1000), first);

    let mut guest = Guest::new(
        WasiCtxBuilder::new()
            .secure_random(Deterministic::new(vec![1, 2, 3]))
            .max_random_size(8),
    );
    guest.call("random_get", &[BUF.into(), 8]).unwrap();
    assert_eq!(guest.bytes(BUF, 9), [1, 2, 3, 1, 2, 3, 1, 2, 0]);
    assert!(guest.try_call("random_get", &[BUF.into(), 9]).is_err());
}

#[test]
fn leaving() {
    let mut guest = Guest::new(&mut WasiCtxBuilder::new());
    for status in [0, 1, 125] {
        let error = guest.try_call("proc_exit", &[status]).unwrap_err();
        assert_eq!(error.downcast_ref::<I32Exit>().unwrap().0, status as i32);
    }
    for status in [126, 255, 0xffff_ffff] {
        let error = guest.try_call("proc_exit", &[status]).unwrap_err();
        assert!(error.downcast_ref::<I32Exit>().is_none());
        assert!(
            format!("{error:?}").contains("exit with invalid exit status"),
            "{error:?}"
        );
    }
    assert_eq!(guest.call("sched_yield", &[]), Ok(()));
    assert_eq!(guest.call("proc_raise", &[0]), Ok(()));
    assert_eq!(guest.call("proc_raise", &[16]), Ok(()));
    assert_eq!(guest.call("proc_raise", &[18]), Err(NOTSUP));
    assert_eq!(guest.call("proc_raise", &[31]), Err(INVAL));
    let error = guest.try_call("proc_raise", &[15]).unwrap_err();
    assert_eq!(error.downcast_ref::<I32Exit>().unwrap().0, 143);
}

#[test]
fn linking_for_asynchronous_guests() {
    use meantime::{Engine, Linker, Store};
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_async(&mut linker, |ctx| ctx).unwrap();
    p0::add_to_linker_async(&mut linker, |ctx| ctx).unwrap();
    let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
    for (module, count) in [("wasi_snapshot_preview1", 46), ("wasi_unstable", 45)] {
        let names = linker.iter(&mut store).filter(|(name, ..)| *name == module);
        assert_eq!(names.count(), count);
    }
}

#[test]
fn every_function_is_there() {
    use meantime::{Engine, Linker, Store};
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
    p0::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
    assert!(
        p1::add_to_linker_sync(&mut linker, |ctx| ctx).is_err(),
        "defined twice"
    );
    let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
    let count = |store: &mut Store<_>, module| {
        linker
            .iter(&mut *store)
            .filter(|(name, ..)| *name == module)
            .count()
    };
    assert_eq!(count(&mut store, "wasi_snapshot_preview1"), 46);
    assert_eq!(count(&mut store, "wasi_unstable"), 45);
    assert_eq!(FUNCTIONS.len() + 1, 46);
}

fn accept(guest: &mut Guest, fd: u32, flags: u32) -> Answer<u32> {
    guest.call("sock_accept", &[fd.into(), flags.into(), OUT.into()])?;
    Ok(guest.u32(OUT))
}

fn recv(guest: &mut Guest, fd: u32, len: u32, flags: u32) -> Answer<Vec<u8>> {
    let [iovs, iovs_len] = guest.iovs(&[(BUF, len)]);
    guest.call(
        "sock_recv",
        &[
            fd.into(),
            iovs,
            iovs_len,
            flags.into(),
            OUT.into(),
            u64::from(OUT) + 8,
        ],
    )?;
    assert_eq!(guest.u16(OUT + 8), 0);
    Ok(guest.bytes(BUF, guest.u32(OUT)))
}

fn send(guest: &mut Guest, fd: u32, bytes: &[u8], flags: u32) -> Answer<u32> {
    guest.put(BUF, bytes);
    let [iovs, iovs_len] = guest.iovs(&[(BUF, bytes.len() as u32)]);
    guest.call(
        "sock_send",
        &[fd.into(), iovs, iovs_len, flags.into(), OUT.into()],
    )?;
    Ok(guest.u32(OUT))
}

/// Talks over an accepted connection; `client` is the other end.
fn talk(guest: &mut Guest, fd: u32, client: &mut (impl Read + Write)) {
    let (filetype, flags, rights, _) = guest.fdstat(fd).unwrap();
    assert_eq!((filetype, flags), (6, NONBLOCK as u16));
    assert_eq!(
        rights & (RIGHTS_READ | RIGHTS_WRITE | RIGHTS_SEEK),
        RIGHTS_READ | RIGHTS_WRITE
    );
    assert_eq!(recv(guest, fd, 10, 0), Err(AGAIN));
    assert_eq!(guest.read(fd, 10), Err(AGAIN));
    client.write_all(b"hello").unwrap();
    let events = guest
        .poll(&[
            fd_subscription(1, 1, fd),
            clock_subscription(2, 1, 1 << 40, 0),
        ])
        .unwrap();
    assert_eq!((events[0].userdata, events[0].nbytes), (1, 5));
    assert_eq!(recv(guest, fd, 10, 1).unwrap(), b"hello", "peek");
    assert_eq!(recv(guest, fd, 2, 0).unwrap(), b"he");
    assert_eq!(guest.read(fd, 10).unwrap(), b"llo");
    assert_eq!(recv(guest, fd, 10, 4), Err(INVAL));
    guest.set_flags(fd, 0).unwrap();
    assert_eq!(send(guest, fd, b"abc", 0), Ok(3));
    assert_eq!(send(guest, fd, b"abc", 1), Err(INVAL));
    assert_eq!(guest.write(fd, b"def"), Ok(3));
    assert_eq!(guest.seek(fd, 0, 1), Err(SPIPE));
    assert_eq!(guest.call("sock_shutdown", &[fd.into(), 0]), Err(INVAL));
    assert_eq!(guest.call("sock_shutdown", &[fd.into(), 4]), Err(INVAL));
    assert_eq!(guest.call("sock_shutdown", &[fd.into(), 2]), Ok(()));
    let mut received = String::new();
    client.read_to_string(&mut received).unwrap();
    assert_eq!(received, "abcdef");
    assert_eq!(guest.write(fd, b"x"), Err(PIPE));
    client.write_all(b"12345678").unwrap();
    assert_eq!(recv(guest, fd, 8, 2).unwrap(), b"12345678", "wait for all");
    assert_eq!(guest.fd_filestat(fd).unwrap().filetype, 6);
    assert_eq!(guest.close(fd), Ok(()));
}

#[test]
fn sockets() {
    let dir = Dir::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let unix_path = dir.0.join("socket");
    let unix = UnixListener::bind(&unix_path).unwrap();
    let (one, mut other) = UnixStream::pair().unwrap();
    let mut builder = WasiCtxBuilder::new();
    builder
        .preopened_socket(tcp)
        .preopened_socket(unix)
        .preopened_socket(one);
    // Directories come first, whatever the order of the calls.
    builder
        .preopened_dir(&dir.0, "/", FsPerms::ReadOnly)
        .unwrap();
    let mut guest = Guest::new(&mut builder);
    assert_eq!(
        (guest.fdstat(3).unwrap().0, guest.fdstat(4).unwrap().0),
        (3, 6)
    );

    assert_eq!(accept(&mut guest, 4, 1), Err(INVAL));
    assert_eq!(accept(&mut guest, 6, 0), Err(NOTCAPABLE));
    guest.set_flags(4, NONBLOCK).unwrap();
    assert_eq!(accept(&mut guest, 4, 0), Err(AGAIN));
    let mut client = TcpStream::connect(address).unwrap();
    let events = guest
        .poll(&[
            fd_subscription(1, 1, 4),
            clock_subscription(2, 1, 1 << 40, 0),
        ])
        .unwrap();
    assert_eq!((events[0].userdata, events[0].error), (1, 0));
    let fd = accept(&mut guest, 4, NONBLOCK).unwrap();
    assert_eq!(fd, 7);
    talk(&mut guest, fd, &mut client);

    let mut client = UnixStream::connect(&unix_path).unwrap();
    let fd = accept(&mut guest, 5, NONBLOCK).unwrap();
    talk(&mut guest, fd, &mut client);

    assert_eq!(guest.write(6, b"pair"), Ok(4));
    let mut received = [0; 4];
    other.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"pair");
    assert_eq!(send(&mut guest, 1, b"x", 0), Err(NOTSOCK));
}

#[test]
fn preview_0_has_other_layouts() {
    let dir = Dir::new();
    dir.file("file", "12345");
    let mut builder = WasiCtxBuilder::new();
    builder
        .preopened_dir(&dir.0, "/", FsPerms::ReadWrite)
        .unwrap();
    let mut guest = Guest::with_module(&mut builder, "wasi_unstable");
    let fd = guest.open("file", 0).unwrap();
    // whence: current, end, start.
    assert_eq!(guest.seek(fd, -1, 1), Ok(4));
    assert_eq!(guest.seek(fd, -1, 0), Ok(3));
    assert_eq!(guest.seek(fd, 2, 2), Ok(2));
    assert_eq!(guest.seek(fd, 2, 3), Err(INVAL));
    // filestat: the link count has 32 bits.
    guest.put(OUT, &[0xaa; 64]);
    guest
        .call("fd_filestat_get", &[fd.into(), OUT.into()])
        .unwrap();
    assert_eq!(
        (guest.u8(OUT + 16), guest.u32(OUT + 20), guest.u64(OUT + 24)),
        (4, 1, 5)
    );
    assert_eq!(guest.bytes(OUT + 56, 8), [0xaa; 8]);
    // subscription: a field more before the clock, and 56 bytes each.
    let mut subscriptions = [0; 112];
    subscriptions[0] = 7;
    subscriptions[24] = 1;
    subscriptions[32..40].copy_from_slice(&1_000_000u64.to_le_bytes());
    subscriptions[56] = 8;
    subscriptions[64] = 1;
    subscriptions[72..76].copy_from_slice(&fd.to_le_bytes());
    guest.put(BUF, &subscriptions);
    guest
        .call(
            "poll_oneoff",
            &[BUF.into(), u64::from(BUF) + 0x1000, 2, OUT.into()],
        )
        .unwrap();
    assert_eq!(guest.u32(OUT), 1);
    let event = guest.event(BUF + 0x1000);
    assert_eq!((event.userdata, event.event_type, event.nbytes), (8, 1, 3));
    guest
        .call(
            "poll_oneoff",
            &[BUF.into(), u64::from(BUF) + 0x1000, 1, OUT.into()],
        )
        .unwrap();
    assert_eq!(guest.event(BUF + 0x1000).userdata, 7);
}

#[test]
fn both_versions_share_their_descriptors() {
    use meantime::{Engine, Linker, Module, Store};
    let engine = Engine::default();
    let output = MemoryOutputPipe::new(100);
    let wat = r#"(module
        (import "wasi_unstable" "fd_write" (func $old (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $new (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\08\00\00\00\02\00\00\00hi")
        (func (export "_start")
            (drop (call $old (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
            (drop (call $new (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))"#;
    let module = Module::new(&engine, wat).unwrap();
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
    p0::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
    let mut store = Store::new(
        &engine,
        WasiCtxBuilder::new().stdout(output.clone()).build_p1(),
    );
    let instance = linker.instantiate(&mut store, &module).unwrap();
    instance
        .get_typed_func::<(), ()>(&mut store, "_start")
        .unwrap()
        .call(&mut store, ())
        .unwrap();
    assert_eq!(&output.contents()[..], b"hihi");
}
