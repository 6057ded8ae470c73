//! Paths: what they reach, and that they never reach further.

mod common;

use common::*;
use meantime_wasi::{FsPerms, WasiCtxBuilder};
use std::os::unix::fs::symlink;

/// A directory with a secret beside the part that the guest gets.
fn beside() -> (Dir, Guest) {
    let dir = Dir::new();
    dir.file("secret", "secret");
    dir.file("outer/inner-secret", "secret");
    dir.file("given/file", "contents");
    dir.file("given/sub/deep/file", "contents");
    let guest = Guest::new(
        WasiCtxBuilder::new()
            .preopened_dir(dir.0.join("given"), "/", FsPerms::ReadWrite)
            .unwrap(),
    );
    (dir, guest)
}

/// Tries every call that takes a path on a path that leads out, and expects `perm` from each.
fn assert_contained(guest: &mut Guest, path: &str) {
    assert_eq!(guest.open_read(path), Err(PERM), "open {path}");
    assert_eq!(guest.open(path, CREAT), Err(PERM), "create {path}");
    assert_eq!(guest.open_dir(path), Err(PERM), "open directory {path}");
    assert_eq!(guest.filestat_at(3, FOLLOW, path), Err(PERM), "stat {path}");
    assert_eq!(
        guest.set_times_at(FOLLOW, path, 1, 1, 5),
        Err(PERM),
        "set times of {path}"
    );
    assert_eq!(guest.link(FOLLOW, path, "stolen"), Err(PERM), "link {path}");
    assert_eq!(guest.filestat_at(3, 0, "stolen"), Err(NOENT));
}

#[test]
fn dots_do_not_lead_out() {
    let (_dir, mut guest) = beside();
    for path in [
        "..",
        "../",
        "../.",
        "../secret",
        "./../secret",
        "sub/../../secret",
        "sub/deep/../../../secret",
        "sub/deep/file/../../../../secret",
        "../given/file",
        "/",
        "/etc/passwd",
        "//etc/passwd",
        "/../secret",
    ] {
        if path != "sub/deep/file/../../../../secret" {
            assert_contained(&mut guest, path);
            assert_eq!(guest.readlink(path, 100), Err(PERM), "{path}");
            assert_eq!(guest.unlink(path), Err(PERM), "{path}");
            assert_eq!(guest.rmdir(path), Err(PERM), "{path}");
            assert_eq!(guest.mkdir(path), Err(PERM), "{path}");
            assert_eq!(guest.symlink("file", path), Err(PERM), "{path}");
            assert_eq!(guest.rename("file", path), Err(PERM), "{path}");
            assert_eq!(guest.rename(path, "stolen"), Err(PERM), "{path}");
            assert_eq!(guest.link(0, "file", path), Err(PERM), "{path}");
        } else {
            assert!(guest.open_read(path).is_err());
        }
    }
    // Inside they work.
    for path in [
        "sub/../file",
        "./file",
        "sub/deep/../../file",
        "sub//deep/..//../file",
    ] {
        assert!(guest.open_read(path).is_ok(), "{path}");
    }
    // A directory below is a root of its own.
    let sub = guest.open_dir("sub").unwrap();
    assert_eq!(
        guest.open_full(sub, 0, "../file", 0, RIGHTS_READ, 0, 0),
        Err(PERM)
    );
    assert_eq!(
        guest.open_full(sub, 0, "..", DIRECTORY, RIGHTS_READ, 0, 0),
        Err(PERM)
    );
    assert!(
        guest
            .open_full(sub, 0, "deep/file", 0, RIGHTS_READ, 0, 0)
            .is_ok()
    );
}

#[test]
fn links_do_not_lead_out() {
    let (dir, mut guest) = beside();
    let given = dir.0.join("given");
    symlink("../secret", given.join("up")).unwrap();
    symlink(dir.0.join("secret"), given.join("absolute")).unwrap();
    symlink("../outer", given.join("outer")).unwrap();
    symlink("/", given.join("root")).unwrap();
    symlink("up", given.join("twice")).unwrap();
    symlink("sub/../../secret", given.join("winding")).unwrap();
    symlink("..", given.join("sub/parent")).unwrap();
    for path in [
        "up",
        "absolute",
        "twice",
        "winding",
        "outer/inner-secret",
        "root/etc/passwd",
        "sub/parent/up",
    ] {
        assert_contained(&mut guest, path);
    }
    for path in ["outer/new", "root/tmp/new", "sub/parent/../new"] {
        assert_eq!(guest.mkdir(path), Err(PERM), "{path}");
        assert_eq!(guest.symlink("file", path), Err(PERM), "{path}");
        assert_eq!(guest.rename("file", path), Err(PERM), "{path}");
        assert_eq!(guest.link(0, "file", path), Err(PERM), "{path}");
        assert_eq!(guest.open(path, CREAT | EXCL), Err(PERM), "{path}");
    }
    assert_eq!(guest.unlink("outer/inner-secret"), Err(PERM));
    assert_eq!(guest.rename("outer/inner-secret", "stolen"), Err(PERM));
    // A link inside is followed where it stays inside.
    assert!(guest.open_read("sub/parent/file").is_ok());
    // The link itself can be seen, read and removed, but not the place of an absolute one.
    assert_eq!(guest.filestat_at(3, 0, "up").unwrap().filetype, 7);
    assert_eq!(guest.readlink("up", 100).unwrap(), b"../secret");
    assert_eq!(guest.readlink("absolute", 100), Err(PERM));
    assert_eq!(guest.open_full(3, 0, "up", 0, RIGHTS_READ, 0, 0), Err(LOOP));
    assert_eq!(guest.unlink("up"), Ok(()));
    assert_eq!(std::fs::read(dir.0.join("secret")).unwrap(), b"secret");
}

#[test]
fn a_guest_makes_its_own_links() {
    let (dir, mut guest) = beside();
    assert_eq!(guest.symlink("/etc/passwd", "bad"), Err(PERM));
    assert_eq!(guest.symlink("", "bad"), Err(NOENT));
    assert_eq!(guest.symlink("file", ""), Err(NOENT));
    assert_eq!(guest.symlink("file", "good"), Ok(()));
    assert_eq!(guest.symlink("file", "good"), Err(EXIST));
    assert_eq!(
        std::fs::read_link(dir.0.join("given/good"))
            .unwrap()
            .to_str(),
        Some("file")
    );
    assert_eq!(guest.readlink("good", 100).unwrap(), b"file");
    assert_eq!(guest.readlink("good", 2).unwrap(), b"fi");
    assert_eq!(guest.readlink("good", 0).unwrap(), b"");
    assert_eq!(guest.readlink("file", 10), Err(INVAL));
    // A link that leads out may be made, as a program may need it elsewhere, but it is not
    // followed.
    assert_eq!(guest.symlink("../secret", "out"), Ok(()));
    assert_contained(&mut guest, "out");
    guest.symlink("loop-b", "loop-a").unwrap();
    guest.symlink("loop-a", "loop-b").unwrap();
    assert_eq!(guest.open_read("loop-a"), Err(LOOP));
    assert_eq!(guest.filestat_at(3, FOLLOW, "loop-a"), Err(LOOP));
    guest.symlink("nothing", "dangling").unwrap();
    assert_eq!(guest.open_read("dangling"), Err(NOENT));
    assert_eq!(guest.filestat_at(3, 0, "dangling").unwrap().filetype, 7);
    assert_eq!(guest.mkdir("dangling"), Err(EXIST));
    assert_eq!(guest.rmdir("dangling"), Err(NOTDIR));
    assert_eq!(guest.unlink("dangling"), Ok(()));
    guest.symlink("sub", "to-dir").unwrap();
    assert!(
        guest
            .open_full(3, 0, "to-dir", DIRECTORY, RIGHTS_READ, 0, 0)
            .is_err()
    );
    assert!(
        guest
            .open_full(3, FOLLOW, "to-dir", DIRECTORY, RIGHTS_READ, 0, 0)
            .is_ok()
    );
    assert!(guest.open_read("to-dir/deep/file").is_ok());
}

#[test]
fn hard_links() {
    let (_dir, mut guest) = beside();
    guest.symlink("file", "link").unwrap();
    assert_eq!(guest.link(0, "file", "second"), Ok(()));
    assert_eq!(guest.filestat_at(3, 0, "second").unwrap().nlink, 2);
    assert_eq!(guest.link(0, "file", "second"), Err(EXIST));
    assert_eq!(guest.link(0, "nothing", "third"), Err(NOENT));
    assert_eq!(guest.link(0, "file", "sub/nothing/third"), Err(NOENT));
    assert_eq!(guest.link(0, "sub", "third"), Err(PERM));
    // Without following, a link to the link; with it, to the file.
    assert_eq!(guest.link(0, "link", "link2"), Ok(()));
    assert_eq!(guest.filestat_at(3, 0, "link2").unwrap().filetype, 7);
    assert_eq!(guest.link(FOLLOW, "link", "third"), Ok(()));
    assert_eq!(guest.filestat_at(3, 0, "third").unwrap().nlink, 3);
    assert_eq!(guest.link(2, "link", "fourth"), Err(INVAL));
}

#[test]
fn making_moving_and_removing() {
    let (_dir, mut guest) = beside();
    assert_eq!(guest.mkdir("new"), Ok(()));
    assert_eq!(guest.mkdir("new"), Err(EXIST));
    assert_eq!(guest.mkdir("file"), Err(EXIST));
    assert_eq!(guest.mkdir("no/parent"), Err(NOENT));
    assert_eq!(guest.mkdir("slash/"), Ok(()));
    assert_eq!(guest.rmdir("slash/"), Ok(()));
    assert_eq!(guest.rmdir("sub"), Err(NOTEMPTY));
    assert_eq!(guest.rmdir("file"), Err(NOTDIR));
    assert_eq!(guest.rmdir("nothing"), Err(NOENT));
    assert_eq!(guest.unlink("new"), Err(ISDIR));
    assert_eq!(guest.unlink("file/"), Err(NOTDIR));
    assert_eq!(guest.unlink("nothing"), Err(NOENT));
    assert_eq!(guest.rename("file", "new/file"), Ok(()));
    assert_eq!(guest.rename("file", "new/file"), Err(NOENT));
    assert_eq!(guest.rename("new", "sub"), Err(NOTEMPTY));
    assert_eq!(guest.rename("new/file", "sub"), Err(ISDIR));
    assert_eq!(guest.rename("new", "sub/deep/file"), Err(NOTDIR));
    assert_eq!(guest.rename("new", "new/file"), Err(INVAL));
    assert_eq!(guest.rename("sub", "sub/deep/inside"), Err(INVAL));
    assert_eq!(guest.rename("new/file", "sub/deep/file"), Ok(()));
    assert_eq!(guest.rename("new", "newer/"), Ok(()));
    assert_eq!(guest.rmdir("newer"), Ok(()));
    assert_eq!(guest.rmdir("."), Err(INVAL));
    assert!(guest.rmdir("sub/..").is_err());
    assert!(guest.unlink(".").is_err());
    assert_eq!(guest.mkdir("."), Err(EXIST));
    assert_eq!(guest.unlink("sub/deep/file"), Ok(()));
}

#[test]
fn an_open_file_outlives_its_name_and_its_directory() {
    let (_dir, mut guest) = beside();
    let fd = guest.open("file", 0).unwrap();
    guest.unlink("file").unwrap();
    assert_eq!(guest.read(fd, 100).unwrap(), b"contents");
    assert_eq!(guest.fd_filestat(fd).unwrap().nlink, 0);
    guest.mkdir("gone").unwrap();
    let gone = guest.open_dir("gone").unwrap();
    guest.rmdir("gone").unwrap();
    assert_eq!(
        guest.open_full(gone, 0, "x", CREAT, RIGHTS_ALL, 0, 0),
        Err(NOENT)
    );
    assert!(guest.list(gone, 1000).unwrap().len() <= 2);
}

#[test]
fn odd_paths_are_errors_and_never_more() {
    let (dir, mut guest) = beside();
    let pieces = [
        "", ".", "..", "/", "//", "file", "sub", "sub/", "nothing", "./", "../", "/.", "/..",
        "\u{fffd}", " ",
    ];
    for a in pieces {
        for b in pieces {
            for path in [
                format!("{a}{b}"),
                format!("{a}/{b}"),
                format!("sub/{a}/{b}/"),
            ] {
                let _ = guest.open_read(&path);
                let _ = guest.open_dir(&path);
                let _ = guest.filestat_at(3, 0, &path);
                let _ = guest.filestat_at(3, FOLLOW, &path);
                let _ = guest.readlink(&path, 100);
                let _ = guest.rmdir(&path);
                let _ = guest.unlink(&path);
                let _ = guest.symlink("x", &path);
                let _ = guest.link(FOLLOW, &path, "linked");
                let _ = guest.link(0, "file", &path);
                let _ = guest.set_times_at(FOLLOW, &path, 1, 1, 5);
                let _ = guest.rename(&path, "renamed");
                let _ = guest.rename("renamed", &path);
                let _ = guest.open(&path, CREAT).map(|fd| guest.close(fd));
                let _ = guest.mkdir(&path);
            }
        }
    }
    // Nothing happened outside.
    let mut outside: Vec<_> = std::fs::read_dir(&dir.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    outside.sort();
    assert_eq!(outside, ["given", "outer", "secret"]);
    assert_eq!(std::fs::read(dir.0.join("secret")).unwrap(), b"secret");
    assert_eq!(std::fs::read_dir(dir.0.join("outer")).unwrap().count(), 1);
}
