//! Descriptors, files and directories of preview 1.

mod common;

use common::*;
use meantime_wasi::{FsPerms, WasiCtxBuilder};

#[test]
fn a_file_is_written_read_and_positioned() {
    let dir = Dir::new();
    let mut guest = Guest::in_dir(&dir);
    let fd = guest.open("file", CREAT | EXCL).unwrap();
    assert_eq!(fd, 4);
    assert_eq!(guest.write(fd, b"hello world"), Ok(11));
    assert_eq!(guest.tell(fd), Ok(11));
    assert_eq!(guest.seek(fd, -5, 1), Ok(6));
    assert_eq!(guest.read(fd, 100).unwrap(), b"world");
    assert_eq!(guest.read(fd, 100).unwrap(), b"");
    assert_eq!(guest.seek(fd, 0, 0), Ok(0));
    assert_eq!(guest.seek(fd, -1, 2), Ok(10));
    assert_eq!(guest.seek(fd, -1, 0), Err(INVAL));
    assert_eq!(guest.seek(fd, -100, 1), Err(INVAL));
    assert_eq!(guest.seek(fd, 0, 3), Err(INVAL));
    assert_eq!(guest.seek(fd, i64::MAX, 0), Ok(i64::MAX as u64));
    assert_eq!(guest.seek(fd, 1, 1), Err(INVAL));
    assert_eq!(guest.read(fd, 1).unwrap_or_default(), b"");
    assert!(guest.write(fd, b"x").is_err());
    assert_eq!(guest.tell(fd), Ok(i64::MAX as u64));
    assert_eq!(guest.pread(fd, 3, 1).unwrap(), b"ell");
    assert_eq!(guest.pwrite(fd, b"J", 0), Ok(1));
    assert_eq!(guest.pread(fd, 100, 11).unwrap(), b"");
    assert_eq!(guest.pread(fd, 1, u64::MAX), Err(INVAL));
    assert_eq!(guest.pwrite(fd, b"x", 1 << 63), Err(INVAL));
    assert_eq!(guest.close(fd), Ok(()));
    assert_eq!(guest.close(fd), Err(BADF));
    assert_eq!(guest.read(fd, 1), Err(BADF));
    assert_eq!(std::fs::read(dir.0.join("file")).unwrap(), b"Jello world");
}

#[test]
fn vectors_gather_and_scatter() {
    let dir = Dir::new();
    let mut guest = Guest::in_dir(&dir);
    let fd = guest.open("file", CREAT).unwrap();
    guest.put(BUF, b"abcdefghijklmnopqrstuvwxyz");
    // Out of order, empty, unaligned, overlapping: all fine for writing.
    let [iovs, len] = guest.iovs(&[(BUF + 3, 3), (BUF, 3), (0xffff_ffff, 0), (BUF + 1, 4)]);
    guest
        .call("fd_write", &[fd.into(), iovs, len, (OUT + 1).into()])
        .unwrap();
    assert_eq!(guest.u32(OUT + 1), 10);
    let list: Vec<_> = (0..20).map(|index| (BUF + index, 1)).collect();
    let [iovs, len] = guest.iovs(&list);
    guest
        .call("fd_write", &[fd.into(), iovs, len, OUT.into()])
        .unwrap();
    assert_eq!(guest.u32(OUT), 20);

    for (list, expected) in [
        (&[(BUF + 100, 4), (BUF + 200, 4)][..], vec![4, 4]),
        (
            &[(BUF + 200, 4), (BUF + 100, 4), (0, 0), (BUF + 300, 2)],
            vec![4, 4, 0, 2],
        ),
    ] {
        guest.seek(fd, 0, 0).unwrap();
        let [iovs, len] = guest.iovs(list);
        guest
            .call("fd_read", &[fd.into(), iovs, len, OUT.into()])
            .unwrap();
        assert_eq!(guest.u32(OUT), expected.iter().sum::<u32>());
        let read: Vec<u8> = list
            .iter()
            .flat_map(|(address, len)| guest.bytes(*address, *len))
            .collect();
        assert_eq!(read, b"defabcbcde"[..read.len()]);
    }
    // Overlapping buffers for reading: the first is filled.
    let [iovs, len] = guest.iovs(&[(BUF, 4), (BUF + 2, 4)]);
    guest
        .call("fd_pread", &[fd.into(), iovs, len, 0, OUT.into()])
        .unwrap();
    assert_eq!((guest.u32(OUT), guest.bytes(BUF, 4)), (4, b"defa".to_vec()));
    // No buffers: nothing happens.
    guest
        .call("fd_read", &[fd.into(), iovs, 0, OUT.into()])
        .unwrap();
    assert_eq!(guest.u32(OUT), 0);
    assert_eq!(
        guest.call("fd_read", &[fd.into(), iovs, 1025, OUT.into()]),
        Err(INVAL)
    );
}

#[test]
fn addresses_outside_of_the_memory_are_traps() {
    let dir = Dir::new();
    let mut guest = Guest::in_dir(&dir);
    let size = guest.memory.data_size(&guest.store) as u64;
    let fd = u64::from(guest.open("file", CREAT).unwrap());
    let [iovs, _] = guest.iovs(&[(size as u32 - 1, 2)]);
    for (name, arguments) in [
        ("fd_write", &[fd, iovs, 1, OUT.into()][..]),
        ("fd_read", &[fd, iovs, 1, OUT.into()]),
        ("fd_write", &[fd, size - 4, 1, OUT.into()]),
        ("fd_write", &[fd, 0xffff_fffc, 1024, OUT.into()]),
        ("fd_fdstat_get", &[fd, size - 23]),
        ("fd_filestat_get", &[fd, size - 63]),
        ("random_get", &[size - 1, 2]),
        ("random_get", &[0xffff_ffff, 1]),
        ("clock_time_get", &[0, 0, size - 7]),
        ("path_unlink_file", &[3, size - 1, 2]),
        ("fd_readdir", &[3, size - 1, 2, 0, OUT.into()]),
        ("poll_oneoff", &[size - 47, OUT.into(), 1, OUT.into()]),
        ("fd_prestat_get", &[3, size - 7]),
    ] {
        let error = guest.try_call(name, arguments).unwrap_err();
        assert!(
            format!("{error:?}").contains("out of bounds"),
            "{name}: {error:?}"
        );
    }
    // Right up to the end is inside.
    assert_eq!(guest.call("clock_time_get", &[0, 0, size - 8]), Ok(()));
    assert_eq!(guest.call("random_get", &[size, 0]), Ok(()));
}

#[test]
fn a_guest_without_a_memory_can_make_calls_that_need_none() {
    use meantime::{Engine, Linker, Module, Store};
    let engine = Engine::default();
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "yield") (result i32) (call $yield))
        (func (export "random") (result i32) (call $random (i32.const 0) (i32.const 1)))
        (func (export "exit") (call $exit (i32.const 3))))"#;
    let module = Module::new(&engine, wat).unwrap();
    let mut linker = Linker::new(&engine);
    meantime_wasi::p1::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
    let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let call = |store: &mut Store<_>, name| {
        instance
            .get_typed_func::<(), u32>(&mut *store, name)
            .unwrap()
            .call(store, ())
    };
    assert_eq!(call(&mut store, "yield").unwrap(), 0);
    let error = call(&mut store, "random").unwrap_err();
    assert!(
        format!("{error:?}").contains("exports no memory"),
        "{error:?}"
    );
    let error = instance
        .get_typed_func::<(), ()>(&mut store, "exit")
        .unwrap()
        .call(&mut store, ())
        .unwrap_err();
    assert_eq!(error.downcast_ref::<meantime_wasi::I32Exit>().unwrap().0, 3);
}

#[test]
fn opening_flags() {
    let dir = Dir::new();
    dir.file("old", "contents");
    let mut guest = Guest::in_dir(&dir);
    assert_eq!(guest.open("new", 0), Err(NOENT));
    assert_eq!(guest.open("", CREAT), Err(NOENT));
    assert_eq!(guest.open("old", CREAT | EXCL), Err(EXIST));
    assert_eq!(guest.open("old", DIRECTORY), Err(NOTDIR));
    assert_eq!(guest.open(".", DIRECTORY), Err(ISDIR));
    assert_eq!(guest.open("new", DIRECTORY | CREAT), Err(INVAL));
    assert_eq!(guest.open("old", 16), Err(INVAL));
    assert_eq!(guest.open("no\0de", CREAT), Err(INVAL));
    assert_eq!(guest.open(&"long/".repeat(1000), 0), Err(NAMETOOLONG));
    assert_eq!(guest.open(&"l".repeat(300), CREAT), Err(NAMETOOLONG));
    assert_eq!(guest.open("old/", 0), Err(NOTDIR));
    assert_eq!(guest.open("old/below", CREAT), Err(NOTDIR));
    guest.put(0x1000, b"\xff\xfe");
    let arguments = [
        3,
        0,
        0x1000,
        2,
        CREAT.into(),
        RIGHTS_ALL,
        RIGHTS_ALL,
        0,
        OUT.into(),
    ];
    assert_eq!(guest.call("path_open", &arguments), Err(ILSEQ));

    let fd = guest.open("old", TRUNC).unwrap();
    assert_eq!(guest.fd_filestat(fd).unwrap().size, 0);
    guest.write(fd, b"123").unwrap();

    // For reading, yet created or truncated.
    let fd = guest
        .open_full(3, 0, "fresh", CREAT, RIGHTS_READ, 0, 0)
        .unwrap();
    assert_eq!(guest.write(fd, b"x"), Err(NOTCAPABLE));
    let fd = guest
        .open_full(3, 0, "old", CREAT, RIGHTS_READ, 0, 0)
        .unwrap();
    assert_eq!(guest.read(fd, 9).unwrap(), b"123");
    let fd = guest
        .open_full(3, 0, "old", TRUNC, RIGHTS_READ, 0, 0)
        .unwrap();
    assert_eq!(guest.read(fd, 9).unwrap(), b"");
    assert_eq!(guest.write(fd, b"x"), Err(NOTCAPABLE));

    let fd = guest
        .open_full(3, 0, "old", 0, RIGHTS_ALL, 0, APPEND)
        .unwrap();
    guest.write(fd, b"one").unwrap();
    guest.seek(fd, 0, 0).unwrap();
    guest.write(fd, b"two").unwrap();
    assert_eq!(std::fs::read(dir.0.join("old")).unwrap(), b"onetwo");
    assert_eq!(guest.fdstat(fd).unwrap().1, 1);
    guest.set_flags(fd, 0).unwrap();
    guest.seek(fd, 0, 0).unwrap();
    guest.write(fd, b"ONE").unwrap();
    assert_eq!(std::fs::read(dir.0.join("old")).unwrap(), b"ONEtwo");
    guest.set_flags(fd, APPEND | NONBLOCK).unwrap();
    assert_eq!(guest.fdstat(fd).unwrap().1, 5);
    // The position survives the change.
    guest.set_flags(fd, 0).unwrap();
    guest.seek(fd, 2, 0).unwrap();
    guest.set_flags(fd, APPEND).unwrap();
    assert_eq!(guest.tell(fd), Ok(2));
    assert_eq!(guest.read(fd, 2).unwrap(), b"Et");
    guest.write(fd, b"!").unwrap();
    assert_eq!(guest.tell(fd), Ok(7));
    guest.set_flags(fd, 0).unwrap();
    assert_eq!(guest.tell(fd), Ok(7));
    guest.seek(fd, 0, 0).unwrap();
    assert_eq!(guest.read(fd, 9).unwrap(), b"ONEtwo!");
    // What was decided at opening stays.
    assert_eq!(guest.set_flags(fd, 16), Err(INVAL));
    assert_eq!(guest.set_flags(fd, 32), Err(INVAL));
    let fd = guest
        .open_full(3, 0, "old", 0, RIGHTS_ALL, 0, 16 | 2 | 8)
        .unwrap();
    assert_eq!(guest.set_flags(fd, 16 | 2 | 8 | NONBLOCK), Ok(()));
    assert_eq!(guest.set_flags(fd, NONBLOCK), Err(INVAL));
    assert_eq!(
        guest.open_full(3, 0, "old", 0, RIGHTS_ALL, 0, 32),
        Err(INVAL)
    );
    assert_eq!(
        guest.open_full(3, 2, "old", 0, RIGHTS_ALL, 0, 0),
        Err(INVAL)
    );
    assert_eq!(guest.open_full(3, 0, "old", 0, 1 << 30, 0, 0), Err(INVAL));

    guest.mkdir("sub").unwrap();
    let sub = guest
        .open_full(3, 0, "sub", 0, RIGHTS_READ | RIGHTS_READDIR, 0, 0)
        .unwrap();
    assert_eq!(guest.fdstat(sub).unwrap(), (3, 0, RIGHTS_READDIR, 0));
    assert_eq!(
        guest.open_full(3, 0, "sub", 0, RIGHTS_WRITE, 0, 0),
        Err(ISDIR)
    );
    assert_eq!(guest.open_full(99, 0, "sub", 0, 0, 0, 0), Err(BADF));
    assert_eq!(guest.open_full(fd, 0, "sub", 0, 0, 0, 0), Err(NOTDIR));
    assert_eq!(guest.open_full(0, 0, "sub", 0, 0, 0, 0), Err(NOTDIR));
}

#[test]
fn rights_are_checked_and_only_shrink() {
    let dir = Dir::new();
    dir.file("file", "contents");
    let mut guest = Guest::in_dir(&dir);
    let (filetype, flags, base, inheriting) = guest.fdstat(3).unwrap();
    assert_eq!((filetype, flags, inheriting), (3, 0, RIGHTS_ALL));
    assert_eq!(
        base & (RIGHTS_SEEK | RIGHTS_TELL | RIGHTS_READ | RIGHTS_WRITE),
        0
    );

    let fd = guest.open("file", 0).unwrap();
    let (filetype, _, base, inheriting) = guest.fdstat(fd).unwrap();
    assert_eq!((filetype, inheriting), (4, 0));
    assert_eq!(guest.set_rights(fd, base | 1 << 13, 0), Err(NOTCAPABLE));
    assert_eq!(guest.set_rights(fd, base, 1), Err(NOTCAPABLE));
    assert_eq!(guest.set_rights(fd, 1 << 40, 0), Err(INVAL));

    // Each call of a file needs its right.
    let calls: &[(u32, &str, &[u64])] = &[
        (0, "fd_datasync", &[]),
        (3, "fd_fdstat_set_flags", &[0]),
        (4, "fd_sync", &[]),
        (5, "fd_tell", &[OUT as u64]),
        (7, "fd_advise", &[0, 0, 0]),
        (8, "fd_allocate", &[0, 1]),
        (21, "fd_filestat_get", &[OUT as u64]),
        (22, "fd_filestat_set_size", &[8]),
        (23, "fd_filestat_set_times", &[0, 0, 0]),
    ];
    for (bit, name, arguments) in calls {
        let arguments = |fd: u32| [&[u64::from(fd)][..], arguments].concat();
        let fd = guest.open("file", 0).unwrap();
        guest.set_rights(fd, 1 << bit, 0).unwrap();
        assert_eq!(guest.call(name, &arguments(fd)), Ok(()), "{name}");
        guest.set_rights(fd, 0, 0).unwrap();
        assert_eq!(guest.call(name, &arguments(fd)), Err(NOTCAPABLE), "{name}");
        guest.close(fd).unwrap();
    }
    let fd = guest.open("file", 0).unwrap();
    guest.set_rights(fd, RIGHTS_READ | RIGHTS_TELL, 0).unwrap();
    assert_eq!(guest.read(fd, 3).unwrap(), b"con");
    assert_eq!(guest.pread(fd, 3, 0), Err(NOTCAPABLE));
    assert_eq!(guest.write(fd, b"x"), Err(NOTCAPABLE));
    assert_eq!(guest.pwrite(fd, b"x", 0), Err(NOTCAPABLE));
    assert_eq!(guest.seek(fd, 0, 1), Ok(3));
    assert_eq!(guest.seek(fd, 1, 1), Err(NOTCAPABLE));
    guest.set_rights(fd, RIGHTS_READ, 0).unwrap();
    assert_eq!(guest.seek(fd, 0, 1), Err(NOTCAPABLE));
}

#[test]
fn rights_of_directories() {
    let dir = Dir::new();
    dir.file("file", "contents");
    dir.file("sub/inner", "contents");
    let mut guest = Guest::in_dir(&dir);
    guest.symlink("file", "link").unwrap();
    let all = guest.fdstat(3).unwrap().2;
    let path = |guest: &mut Guest, path: &str, at: u32| {
        guest.put(at, path.as_bytes());
        [u64::from(at), path.len() as u64]
    };
    let [file, file_len] = path(&mut guest, "file", 0x100);
    let [new, new_len] = path(&mut guest, "new", 0x200);
    let out = u64::from(OUT);
    // The right's bit, the call, and its arguments with `u64::MAX` for the directory.
    let d = u64::MAX;
    let calls: &[(u32, &str, &[u64])] = &[
        (9, "path_create_directory", &[d, new, new_len]),
        (25, "path_remove_directory", &[d, new, new_len]),
        (11, "path_link", &[d, 0, file, file_len, 3, new, new_len]),
        (26, "path_unlink_file", &[d, new, new_len]),
        (12, "path_link", &[3, 0, file, file_len, d, new, new_len]),
        (16, "path_rename", &[d, new, new_len, 3, new, new_len]),
        (17, "path_rename", &[3, new, new_len, d, new, new_len]),
        (26, "path_unlink_file", &[d, new, new_len]),
        (24, "path_symlink", &[file, file_len, d, new, new_len]),
        (15, "path_readlink", &[d, new, new_len, out, 9, out + 100]),
        (18, "path_filestat_get", &[d, 0, new, new_len, out]),
        (
            20,
            "path_filestat_set_times",
            &[d, 0, new, new_len, 5, 5, 5],
        ),
        (13, "path_open", &[d, 0, file, file_len, 0, 0, 0, 0, out]),
        (14, "fd_readdir", &[d, out, 100, 0, out + 200]),
        (21, "fd_filestat_get", &[d, out]),
        (23, "fd_filestat_set_times", &[d, 5, 5, 5]),
        (4, "fd_sync", &[d]),
    ];
    for (bit, name, arguments) in calls {
        let call = |guest: &mut Guest, rights: u64| {
            let sub = guest.open_full(3, 0, ".", DIRECTORY, rights, 0, 0).unwrap();
            let arguments: Vec<_> = arguments
                .iter()
                .map(|a| if *a == d { u64::from(sub) } else { *a })
                .collect();
            let answer = guest.call(name, &arguments);
            guest.close(sub).unwrap();
            answer
        };
        assert_eq!(
            call(&mut guest, all & !(1 << bit)),
            Err(NOTCAPABLE),
            "{name}"
        );
        assert_eq!(call(&mut guest, 1 << bit), Ok(()), "{name}");
    }

    // What is opened below gets no more than the directory hands on.
    let sub = guest
        .open_full(3, 0, "sub", DIRECTORY, all, RIGHTS_READ, 0)
        .unwrap();
    assert_eq!(guest.fdstat(sub).unwrap(), (3, 0, all, RIGHTS_READ));
    assert_eq!(
        guest.open_full(sub, 0, "inner", 0, RIGHTS_READ | RIGHTS_WRITE, 0, 0),
        Err(NOTCAPABLE)
    );
    assert_eq!(
        guest.open_full(sub, 0, "inner", 0, RIGHTS_READ, RIGHTS_WRITE, 0),
        Err(NOTCAPABLE)
    );
    assert_eq!(
        guest.open_full(sub, 0, "inner", 0, RIGHTS_READ, 0, 2),
        Err(NOTCAPABLE)
    );
    let inner = guest
        .open_full(sub, 0, "inner", 0, RIGHTS_READ, 0, 0)
        .unwrap();
    assert_eq!(guest.fdstat(inner).unwrap().2, RIGHTS_READ);
    // Creating and truncating are rights of the directory.
    guest
        .set_rights(3, all & !(1 << 10) & !(1 << 19), RIGHTS_ALL)
        .unwrap();
    assert_eq!(guest.open("made", CREAT), Err(NOTCAPABLE));
    assert_eq!(guest.open("file", TRUNC), Err(NOTCAPABLE));
    assert!(guest.open("file", 0).is_ok());
}

#[test]
fn the_wrong_kind_of_descriptor() {
    let dir = Dir::new();
    dir.file("file", "contents");
    let mut guest = Guest::in_dir(&dir);
    let fd = guest.open("file", 0).unwrap();
    assert_eq!(guest.read(3, 1), Err(BADF));
    assert_eq!(guest.write(3, b"x"), Err(BADF));
    assert_eq!(guest.pread(3, 1, 0), Err(BADF));
    assert_eq!(guest.seek(3, 0, 0), Err(BADF));
    assert_eq!(guest.tell(3), Err(BADF));
    assert_eq!(guest.call("fd_allocate", &[3, 0, 1]), Err(BADF));
    assert_eq!(guest.call("fd_advise", &[3, 0, 1, 0]), Err(BADF));
    assert_eq!(guest.call("fd_filestat_set_size", &[3, 0]), Err(BADF));
    assert_eq!(guest.readdir(fd, 100, 0), Err(NOTDIR));
    assert_eq!(guest.filestat_at(fd, 0, "x"), Err(NOTDIR));
    assert_eq!(guest.call("sock_shutdown", &[fd.into(), 1]), Err(NOTSOCK));
    assert_eq!(guest.call("sock_accept", &[3, 0, OUT.into()]), Err(NOTSOCK));
    for (name, parameters) in FUNCTIONS {
        if parameters.starts_with('i') && (name.starts_with("fd_") || name.starts_with("sock_")) {
            let mut arguments = vec![0; parameters.len()];
            arguments[0] = 1000;
            assert_eq!(guest.call(name, &arguments), Err(BADF), "{name}");
        }
    }
}

#[test]
fn attributes_of_files() {
    let dir = Dir::new();
    dir.file("file", "12345");
    let mut guest = Guest::in_dir(&dir);
    guest.symlink("file", "link").unwrap();
    let stat = guest.filestat_at(3, 0, "file").unwrap();
    let metadata = std::fs::metadata(dir.0.join("file")).unwrap();
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(
            (stat.dev, stat.ino, stat.nlink),
            (metadata.dev(), metadata.ino(), 1)
        );
        assert_eq!(
            stat.mtim,
            metadata.mtime() as u64 * 1_000_000_000 + metadata.mtime_nsec() as u64
        );
        assert_eq!(
            stat.ctim,
            metadata.ctime() as u64 * 1_000_000_000 + metadata.ctime_nsec() as u64
        );
    }
    assert_eq!((stat.filetype, stat.size), (4, 5));
    let fd = guest.open("file", 0).unwrap();
    assert_eq!(guest.fd_filestat(fd).unwrap(), stat);
    assert_eq!(guest.filestat_at(3, FOLLOW, "link").unwrap(), stat);
    assert_eq!(guest.filestat_at(3, 0, "link").unwrap().filetype, 7);
    assert_eq!(guest.filestat_at(3, 0, ".").unwrap().filetype, 3);
    assert_eq!(
        guest.filestat_at(3, 0, ".").unwrap(),
        guest.fd_filestat(3).unwrap()
    );
    assert_eq!(guest.filestat_at(3, 0, "nothing"), Err(NOENT));

    guest.call("fd_filestat_set_size", &[fd.into(), 3]).unwrap();
    assert_eq!(guest.read(fd, 10).unwrap(), b"123");
    guest.call("fd_filestat_set_size", &[fd.into(), 5]).unwrap();
    assert_eq!(guest.read(fd, 10).unwrap(), b"\0\0");
    assert_eq!(
        guest.call("fd_filestat_set_size", &[fd.into(), u64::MAX]),
        Err(FBIG)
    );
    guest.call("fd_allocate", &[fd.into(), 4, 6]).unwrap();
    assert_eq!(guest.fd_filestat(fd).unwrap().size, 10);
    guest.call("fd_allocate", &[fd.into(), 0, 2]).unwrap();
    assert_eq!(guest.fd_filestat(fd).unwrap().size, 10);
    assert_eq!(guest.call("fd_allocate", &[fd.into(), 0, 0]), Err(INVAL));
    assert_eq!(
        guest.call("fd_allocate", &[fd.into(), u64::MAX, 2]),
        Err(FBIG)
    );
    assert_eq!(
        guest.call("fd_advise", &[fd.into(), 0, u64::MAX, 1]),
        Ok(())
    );
    assert_eq!(
        guest.call("fd_advise", &[fd.into(), u64::MAX, 1, 1]),
        Err(INVAL)
    );
    assert_eq!(guest.call("fd_advise", &[fd.into(), 0, 1, 6]), Err(INVAL));
    for advice in 0..6 {
        assert_eq!(guest.call("fd_advise", &[fd.into(), 0, 1, advice]), Ok(()));
    }
    assert_eq!(guest.call("fd_sync", &[fd.into()]), Ok(()));
    assert_eq!(guest.call("fd_datasync", &[fd.into()]), Ok(()));
    assert_eq!(guest.call("fd_sync", &[3]), Ok(()));
    assert_eq!(guest.call("fd_datasync", &[3]), Ok(()));
}

#[test]
fn times_are_set() {
    let dir = Dir::new();
    dir.file("file", "12345");
    let mut guest = Guest::in_dir(&dir);
    guest.symlink("file", "link").unwrap();
    guest.mkdir("sub").unwrap();
    let times = |guest: &mut Guest, path: &str| {
        let stat = guest.filestat_at(3, 0, path).unwrap();
        (stat.atim, stat.mtim)
    };
    let (early, late) = (1_000_000_007, 2_000_000_000_000_000_009);
    guest.set_times_at(0, "file", early, late, 1 | 4).unwrap();
    assert_eq!(times(&mut guest, "file"), (early, late));
    guest.set_times_at(0, "file", 5, 6, 4).unwrap();
    assert_eq!(times(&mut guest, "file"), (early, 6));
    guest.set_times_at(FOLLOW, "link", 7, 8, 1 | 4).unwrap();
    assert_eq!(times(&mut guest, "file"), (7, 8));
    guest.set_times_at(0, "link", 9, 10, 1 | 4).unwrap();
    assert_eq!(
        (times(&mut guest, "link"), times(&mut guest, "file")),
        ((9, 10), (7, 8))
    );
    guest.set_times_at(0, "sub", 11, 12, 1 | 4).unwrap();
    assert_eq!(times(&mut guest, "sub"), (11, 12));
    let fd = guest.open("file", 0).unwrap();
    guest
        .call("fd_filestat_set_times", &[fd.into(), 13, 14, 1 | 4])
        .unwrap();
    assert_eq!(times(&mut guest, "file"), (13, 14));
    let sub = guest.open_dir("sub").unwrap();
    guest
        .call("fd_filestat_set_times", &[sub.into(), 15, 16, 1 | 4])
        .unwrap();
    assert_eq!(times(&mut guest, "sub"), (15, 16));
    guest.set_times_at(0, "file", 0, 0, 2 | 8).unwrap();
    let (atim, mtim) = times(&mut guest, "file");
    assert!(atim > early && mtim > early && atim == mtim);
    assert_eq!(guest.set_times_at(0, "file", 0, 0, 1 | 2), Err(INVAL));
    assert_eq!(guest.set_times_at(0, "file", 0, 0, 4 | 8), Err(INVAL));
    assert_eq!(guest.set_times_at(0, "file", 0, 0, 16), Err(INVAL));
    assert_eq!(guest.set_times_at(0, "nothing", 0, 0, 1), Err(NOENT));
}

#[test]
fn directories_are_listed_in_pieces_of_any_size() {
    let dir = Dir::new();
    let mut names: Vec<String> = (0..50)
        .map(|index| format!("file-{index:0width$}", width = index + 1))
        .collect();
    for name in &names {
        dir.file(name, "");
    }
    let mut guest = Guest::in_dir(&dir);
    guest.mkdir("sub").unwrap();
    guest.symlink("sub", "link").unwrap();
    names.extend([".", "..", "sub", "link"].map(String::from));
    names.sort();

    let whole = guest.list(3, 0x10000).unwrap();
    let mut listed: Vec<_> = whole.iter().map(|entry| entry.name.clone()).collect();
    listed.sort();
    assert_eq!(listed, names);
    for entry in &whole {
        let stat = guest.filestat_at(3, 0, &entry.name);
        if entry.name != ".." {
            let stat = stat.unwrap();
            assert_eq!(
                (entry.ino, entry.filetype),
                (stat.ino, stat.filetype),
                "{}",
                entry.name
            );
        } else {
            assert_eq!((entry.ino, entry.filetype), (0, 3));
        }
    }
    assert_eq!((&whole[0].name[..], &whole[1].name[..]), (".", ".."));
    // In pieces it is the same; a piece is full as long as there is more.
    for len in [100, 127, 999] {
        assert_eq!(guest.list(3, len).unwrap(), whole);
    }
    // The last entry is cut off in the middle of its record or name.
    let all = guest.readdir(3, 0x10000, 0).unwrap();
    for len in (0..200).chain([all.len() as u32 - 1, all.len() as u32]) {
        assert_eq!(guest.readdir(3, len, 0).unwrap(), all[..len as usize]);
    }
    // A cookie from anywhere.
    for index in [1, 10, whole.len() - 1] {
        let rest = guest.readdir(3, 0x10000, whole[index - 1].next).unwrap();
        assert_eq!(dirents(&rest).0, whole[index..]);
    }
    assert_eq!(
        guest.readdir(3, 100, whole.last().unwrap().next).unwrap(),
        b""
    );
    assert_eq!(guest.readdir(3, 100, u64::MAX).unwrap(), b"");
}

#[test]
fn cookies_stay_while_the_directory_changes() {
    let dir = Dir::new();
    for name in ["a", "b", "c", "d"] {
        dir.file(name, "");
    }
    let mut guest = Guest::in_dir(&dir);
    let before = guest.list(3, 1000).unwrap();
    let first = &before[2];
    guest.unlink(&first.name).unwrap();
    dir.file("e", "");
    let rest = guest.readdir(3, 1000, first.next).unwrap();
    assert_eq!(dirents(&rest).0, before[3..]);
    // From the start it is the directory of now.
    let now: Vec<_> = guest
        .list(3, 1000)
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert!(now.contains(&"e".to_string()) && !now.contains(&first.name));
    // A descriptor that begins with a cookie.
    let fd = guest.open_dir(".").unwrap();
    assert_eq!(dirents(&guest.readdir(fd, 1000, 2).unwrap()).0.len(), 4);
}

#[test]
fn renumbering_and_the_lowest_number() {
    let dir = Dir::new();
    let mut guest = Guest::in_dir(&dir);
    let (a, b) = (
        guest.open("a", CREAT).unwrap(),
        guest.open("b", CREAT).unwrap(),
    );
    guest.write(a, b"a").unwrap();
    assert_eq!(guest.call("fd_renumber", &[a.into(), 100]), Err(BADF));
    assert_eq!(guest.call("fd_renumber", &[100, a.into()]), Err(BADF));
    assert_eq!(guest.call("fd_renumber", &[a.into(), a.into()]), Ok(()));
    assert_eq!(guest.call("fd_renumber", &[a.into(), b.into()]), Ok(()));
    assert_eq!(guest.tell(a), Err(BADF));
    assert_eq!(guest.tell(b), Ok(1));
    assert_eq!(guest.open("c", CREAT), Ok(a));
    // A standard stream can be replaced.
    assert_eq!(guest.call("fd_renumber", &[b.into(), 1]), Ok(()));
    guest.write(1, b"b").unwrap();
    assert_eq!(std::fs::read(dir.0.join("a")).unwrap(), b"ab");
    assert_eq!(guest.close(0), Ok(()));
    assert_eq!(guest.open("d", CREAT), Ok(0));
}

#[test]
fn preopened_directories_have_names() {
    let (first, second) = (Dir::new(), Dir::new());
    second.file("there", "");
    let mut builder = WasiCtxBuilder::new();
    builder
        .preopened_dir(&first.0, "/", FsPerms::ReadWrite)
        .unwrap();
    builder
        .preopened_dir(&second.0, "other/name", FsPerms::ReadWrite)
        .unwrap();
    assert!(
        builder
            .preopened_dir(second.0.join("there"), "/file", FsPerms::ReadOnly)
            .is_err()
    );
    assert!(
        builder
            .preopened_dir("/nonexistent", "/x", FsPerms::ReadOnly)
            .is_err()
    );
    let mut guest = Guest::new(&mut builder);
    for (fd, name) in [(3, "/"), (4, "other/name")] {
        guest.put(OUT, &[0xff; 8]);
        guest.call("fd_prestat_get", &[fd, OUT.into()]).unwrap();
        assert_eq!((guest.u8(OUT), guest.u32(OUT + 4)), (0, name.len() as u32));
        let len = name.len() as u64;
        assert_eq!(
            guest.call("fd_prestat_dir_name", &[fd, BUF.into(), len - 1]),
            Err(NAMETOOLONG)
        );
        guest
            .call("fd_prestat_dir_name", &[fd, BUF.into(), len + 3])
            .unwrap();
        assert_eq!(guest.bytes(BUF, name.len() as u32), name.as_bytes());
    }
    for fd in [0, 1, 5] {
        assert_eq!(guest.call("fd_prestat_get", &[fd, OUT.into()]), Err(BADF));
    }
    assert!(guest.open_full(4, 0, "there", 0, RIGHTS_READ, 0, 0).is_ok());
    assert_eq!(
        guest.open_full(3, 0, "there", 0, RIGHTS_READ, 0, 0),
        Err(NOENT)
    );
    assert_eq!(
        guest.call("fd_prestat_dir_name", &[5, BUF.into(), 10]),
        Err(NOTDIR)
    );
}

#[test]
fn a_read_only_directory_cannot_be_changed() {
    let dir = Dir::new();
    dir.file("file", "contents");
    dir.file("sub/inner", "contents");
    let mut guest = Guest::new(
        WasiCtxBuilder::new()
            .preopened_dir(&dir.0, "/", FsPerms::ReadOnly)
            .unwrap(),
    );
    let before = guest.filestat_at(3, 0, "file").unwrap();
    let fd = guest.open_read("file").unwrap();
    assert_eq!(guest.read(fd, 3).unwrap(), b"con");
    assert_eq!(guest.write(fd, b"x"), Err(NOTCAPABLE));
    assert_eq!(guest.open("file", 0), Err(PERM));
    assert_eq!(
        guest.open_full(3, 0, "new", CREAT, RIGHTS_READ, 0, 0),
        Err(PERM)
    );
    assert_eq!(
        guest.open_full(3, 0, "file", TRUNC, RIGHTS_READ, 0, 0),
        Err(PERM)
    );
    assert_eq!(guest.mkdir("new"), Err(PERM));
    assert_eq!(guest.rmdir("sub"), Err(PERM));
    assert_eq!(guest.unlink("file"), Err(PERM));
    assert_eq!(guest.rename("file", "new"), Err(PERM));
    assert_eq!(guest.link(0, "file", "new"), Err(PERM));
    assert_eq!(guest.symlink("file", "new"), Err(PERM));
    assert_eq!(guest.set_times_at(0, "file", 1, 1, 5), Err(PERM));
    assert_eq!(
        guest.call("fd_filestat_set_times", &[fd.into(), 1, 1, 5]),
        Err(PERM)
    );
    assert_eq!(
        guest.call("fd_filestat_set_times", &[3, 1, 1, 5]),
        Err(PERM)
    );
    assert!(guest.call("fd_filestat_set_size", &[fd.into(), 0]).is_err());
    assert!(guest.call("fd_allocate", &[fd.into(), 0, 1000]).is_err());
    // It is inherited.
    let sub = guest.open_dir("sub").unwrap();
    assert_eq!(
        guest.open_full(sub, 0, "inner", 0, RIGHTS_WRITE, 0, 0),
        Err(PERM)
    );
    assert!(
        guest
            .open_full(sub, 0, "inner", 0, RIGHTS_READ, 0, 0)
            .is_ok()
    );
    let after = guest.filestat_at(3, 0, "file").unwrap();
    assert_eq!(
        (before.size, before.mtim, before.ctim),
        (after.size, after.mtim, after.ctim)
    );
}
