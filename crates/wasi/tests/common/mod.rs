//! A guest whose program is the test: a module that exports each WASI function unchanged, and its
//! memory.
//!
//! A test lays out arguments in the guest's memory, calls a function by name and looks at the
//! result, so that every bit of a call can be chosen. The layouts here are written from the
//! specification, not taken from the crate.

#![allow(dead_code, reason = "each test file uses its own part")]

use meantime::{Engine, Instance, Linker, Memory, Module, Store, Val};
use meantime_wasi::p1::WasiP1Ctx;
use meantime_wasi::{FsPerms, WasiCtxBuilder, p0, p1};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// All functions of preview 1 but `proc_exit`, with the types of their parameters: `i` is i32, `I`
/// is i64.
pub const FUNCTIONS: &[(&str, &str)] = &[
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("sched_yield", ""),
    ("random_get", "ii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

pub const SUCCESS: u32 = 0;
pub const ACCES: u32 = 2;
pub const AGAIN: u32 = 6;
pub const BADF: u32 = 8;
pub const EXIST: u32 = 20;
pub const FBIG: u32 = 22;
pub const ILSEQ: u32 = 25;
pub const INVAL: u32 = 28;
pub const ISDIR: u32 = 31;
pub const LOOP: u32 = 32;
pub const MFILE: u32 = 33;
pub const NAMETOOLONG: u32 = 37;
pub const NOENT: u32 = 44;
pub const NOTDIR: u32 = 54;
pub const NOTEMPTY: u32 = 55;
pub const NOTSOCK: u32 = 57;
pub const NOTSUP: u32 = 58;
pub const PERM: u32 = 63;
pub const PIPE: u32 = 64;
pub const SPIPE: u32 = 70;
pub const NOTCAPABLE: u32 = 76;

pub const RIGHTS_READ: u64 = 1 << 1;
pub const RIGHTS_SEEK: u64 = 1 << 2;
pub const RIGHTS_TELL: u64 = 1 << 5;
pub const RIGHTS_WRITE: u64 = 1 << 6;
pub const RIGHTS_READDIR: u64 = 1 << 14;
pub const RIGHTS_ALL: u64 = (1 << 30) - 1;

pub const CREAT: u32 = 1;
pub const DIRECTORY: u32 = 2;
pub const EXCL: u32 = 4;
pub const TRUNC: u32 = 8;

pub const FOLLOW: u32 = 1;

pub const APPEND: u32 = 1;
pub const NONBLOCK: u32 = 4;

/// Where paths and buffers are put.
const PATH: u32 = 0x1000;
const PATH2: u32 = 0x3000;
const IOVS: u32 = 0x6000;
pub const OUT: u32 = 0x7000;
pub const BUF: u32 = 0x10000;

pub struct Guest {
    pub store: Store<WasiP1Ctx>,
    pub instance: Instance,
    pub memory: Memory,
}

/// What a call gives back: a value, or an error number.
pub type Answer<T> = Result<T, u32>;

pub fn guest_wat(module: &str, pages: u32) -> String {
    let mut imports = String::new();
    let mut functions = String::new();
    for (name, parameters) in FUNCTIONS {
        if module == "wasi_unstable" && *name == "sock_accept" {
            continue;
        }
        let types: Vec<&str> = parameters
            .chars()
            .map(|c| if c == 'i' { "i32" } else { "i64" })
            .collect();
        let types = types.join(" ");
        let arguments: String = (0..parameters.len())
            .map(|index| format!("(local.get {index})"))
            .collect();
        imports += &format!(
            "(import \"{module}\" \"{name}\" (func ${name} (param {types}) (result i32)))\n"
        );
        functions += &format!(
            "(func (export \"{name}\") (param {types}) (result i32) (call ${name} {arguments}))\n"
        );
    }
    format!(
        "(module {imports}
           (import \"{module}\" \"proc_exit\" (func $proc_exit (param i32)))
           (memory (export \"memory\") {pages})
           {functions}
           (func (export \"proc_exit\") (param i32) (call $proc_exit (local.get 0)) unreachable))"
    )
}

impl Guest {
    pub fn new(builder: &mut WasiCtxBuilder) -> Guest {
        Guest::with_module(builder, "wasi_snapshot_preview1")
    }

    pub fn with_module(builder: &mut WasiCtxBuilder, module: &str) -> Guest {
        let engine = Engine::default();
        let compiled = Module::new(&engine, guest_wat(module, 32)).unwrap();
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
        p0::add_to_linker_sync(&mut linker, |ctx| ctx).unwrap();
        let mut store = Store::new(&engine, builder.build_p1());
        let instance = linker.instantiate(&mut store, &compiled).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Guest {
            store,
            instance,
            memory,
        }
    }

    /// A guest with an empty directory of its own at descriptor 3.
    pub fn in_dir(dir: &Dir) -> Guest {
        Guest::new(
            WasiCtxBuilder::new()
                .preopened_dir(&dir.0, "/dir", FsPerms::ReadWrite)
                .unwrap(),
        )
    }

    /// Calls a function; an error is a trap.
    pub fn try_call(&mut self, name: &str, arguments: &[u64]) -> meantime::Result<u32> {
        let function = self.instance.get_func(&mut self.store, name).unwrap();
        let parameters = FUNCTIONS
            .iter()
            .find(|(other, _)| *other == name)
            .map_or("i", |(_, types)| types);
        assert_eq!(parameters.len(), arguments.len(), "{name}");
        let arguments: Vec<Val> = parameters
            .chars()
            .zip(arguments)
            .map(|(c, argument)| {
                if c == 'i' {
                    Val::I32(*argument as i32)
                } else {
                    Val::I64(*argument as i64)
                }
            })
            .collect();
        let mut results = [Val::I32(-1)];
        let results = if name == "proc_exit" {
            &mut results[..0]
        } else {
            &mut results[..]
        };
        function.call(&mut self.store, &arguments, results)?;
        Ok(results
            .first()
            .map_or(0, |result| result.unwrap_i32() as u32))
    }

    pub fn call(&mut self, name: &str, arguments: &[u64]) -> Answer<()> {
        match self.try_call(name, arguments).unwrap() {
            SUCCESS => Ok(()),
            errno => Err(errno),
        }
    }

    pub fn put(&mut self, address: u32, bytes: &[u8]) {
        self.memory
            .write(&mut self.store, address as usize, bytes)
            .unwrap();
    }

    pub fn bytes(&self, address: u32, len: u32) -> Vec<u8> {
        self.memory.data(&self.store)[address as usize..(address + len) as usize].to_vec()
    }

    pub fn u8(&self, address: u32) -> u8 {
        self.bytes(address, 1)[0]
    }

    pub fn u16(&self, address: u32) -> u16 {
        u16::from_le_bytes(self.bytes(address, 2).try_into().unwrap())
    }

    pub fn u32(&self, address: u32) -> u32 {
        u32::from_le_bytes(self.bytes(address, 4).try_into().unwrap())
    }

    pub fn u64(&self, address: u32) -> u64 {
        u64::from_le_bytes(self.bytes(address, 8).try_into().unwrap())
    }

    /// Puts a path where no other thing is, and returns its address and length.
    fn path(&mut self, path: &str) -> [u64; 2] {
        self.put(PATH, path.as_bytes());
        [PATH.into(), path.len() as u64]
    }

    fn path2(&mut self, path: &str) -> [u64; 2] {
        self.put(PATH2, path.as_bytes());
        [PATH2.into(), path.len() as u64]
    }

    #[allow(clippy::too_many_arguments)]
    pub fn open_full(
        &mut self,
        fd: u32,
        dirflags: u32,
        path: &str,
        oflags: u32,
        base: u64,
        inheriting: u64,
        fdflags: u32,
    ) -> Answer<u32> {
        let [address, len] = self.path(path);
        self.call(
            "path_open",
            &[
                fd.into(),
                dirflags.into(),
                address,
                len,
                oflags.into(),
                base,
                inheriting,
                fdflags.into(),
                OUT.into(),
            ],
        )?;
        Ok(self.u32(OUT))
    }

    /// Opens with all rights that one can have, following links.
    pub fn open(&mut self, path: &str, oflags: u32) -> Answer<u32> {
        self.open_full(3, FOLLOW, path, oflags, RIGHTS_ALL, RIGHTS_ALL, 0)
    }

    /// Opens for reading.
    pub fn open_read(&mut self, path: &str) -> Answer<u32> {
        self.open_full(
            3,
            FOLLOW,
            path,
            0,
            RIGHTS_ALL & !RIGHTS_WRITE,
            RIGHTS_ALL,
            0,
        )
    }

    pub fn open_dir(&mut self, path: &str) -> Answer<u32> {
        self.open_full(
            3,
            FOLLOW,
            path,
            DIRECTORY,
            RIGHTS_ALL & !RIGHTS_WRITE,
            RIGHTS_ALL,
            0,
        )
    }

    pub fn iovs(&mut self, list: &[(u32, u32)]) -> [u64; 2] {
        let encoded: Vec<u8> = list
            .iter()
            .flat_map(|(address, len)| [address.to_le_bytes(), len.to_le_bytes()].concat())
            .collect();
        self.put(IOVS, &encoded);
        [IOVS.into(), list.len() as u64]
    }

    pub fn write(&mut self, fd: u32, bytes: &[u8]) -> Answer<u32> {
        self.put(BUF, bytes);
        let [iovs, len] = self.iovs(&[(BUF, bytes.len() as u32)]);
        self.call("fd_write", &[fd.into(), iovs, len, OUT.into()])?;
        Ok(self.u32(OUT))
    }

    pub fn read(&mut self, fd: u32, len: u32) -> Answer<Vec<u8>> {
        let [iovs, iovs_len] = self.iovs(&[(BUF, len)]);
        self.call("fd_read", &[fd.into(), iovs, iovs_len, OUT.into()])?;
        Ok(self.bytes(BUF, self.u32(OUT)))
    }

    pub fn pread(&mut self, fd: u32, len: u32, offset: u64) -> Answer<Vec<u8>> {
        let [iovs, iovs_len] = self.iovs(&[(BUF, len)]);
        self.call("fd_pread", &[fd.into(), iovs, iovs_len, offset, OUT.into()])?;
        Ok(self.bytes(BUF, self.u32(OUT)))
    }

    pub fn pwrite(&mut self, fd: u32, bytes: &[u8], offset: u64) -> Answer<u32> {
        self.put(BUF, bytes);
        let [iovs, len] = self.iovs(&[(BUF, bytes.len() as u32)]);
        self.call("fd_pwrite", &[fd.into(), iovs, len, offset, OUT.into()])?;
        Ok(self.u32(OUT))
    }

    pub fn seek(&mut self, fd: u32, offset: i64, whence: u32) -> Answer<u64> {
        self.call(
            "fd_seek",
            &[fd.into(), offset as u64, whence.into(), OUT.into()],
        )?;
        Ok(self.u64(OUT))
    }

    pub fn tell(&mut self, fd: u32) -> Answer<u64> {
        self.call("fd_tell", &[fd.into(), OUT.into()])?;
        Ok(self.u64(OUT))
    }

    pub fn close(&mut self, fd: u32) -> Answer<()> {
        self.call("fd_close", &[fd.into()])
    }

    /// Type, flags, base rights and inheriting rights.
    pub fn fdstat(&mut self, fd: u32) -> Answer<(u8, u16, u64, u64)> {
        self.call("fd_fdstat_get", &[fd.into(), OUT.into()])?;
        Ok((
            self.u8(OUT),
            self.u16(OUT + 2),
            self.u64(OUT + 8),
            self.u64(OUT + 16),
        ))
    }

    pub fn set_rights(&mut self, fd: u32, base: u64, inheriting: u64) -> Answer<()> {
        self.call("fd_fdstat_set_rights", &[fd.into(), base, inheriting])
    }

    pub fn set_flags(&mut self, fd: u32, flags: u32) -> Answer<()> {
        self.call("fd_fdstat_set_flags", &[fd.into(), flags.into()])
    }

    pub fn fd_filestat(&mut self, fd: u32) -> Answer<Filestat> {
        self.call("fd_filestat_get", &[fd.into(), OUT.into()])?;
        Ok(self.filestat())
    }

    pub fn filestat_at(&mut self, fd: u32, flags: u32, path: &str) -> Answer<Filestat> {
        let [address, len] = self.path(path);
        self.call(
            "path_filestat_get",
            &[fd.into(), flags.into(), address, len, OUT.into()],
        )?;
        Ok(self.filestat())
    }

    fn filestat(&self) -> Filestat {
        Filestat {
            dev: self.u64(OUT),
            ino: self.u64(OUT + 8),
            filetype: self.u8(OUT + 16),
            nlink: self.u64(OUT + 24),
            size: self.u64(OUT + 32),
            atim: self.u64(OUT + 40),
            mtim: self.u64(OUT + 48),
            ctim: self.u64(OUT + 56),
        }
    }

    pub fn mkdir(&mut self, path: &str) -> Answer<()> {
        self.one_path("path_create_directory", path)
    }

    pub fn rmdir(&mut self, path: &str) -> Answer<()> {
        self.one_path("path_remove_directory", path)
    }

    pub fn unlink(&mut self, path: &str) -> Answer<()> {
        self.one_path("path_unlink_file", path)
    }

    pub fn one_path(&mut self, name: &str, path: &str) -> Answer<()> {
        let [address, len] = self.path(path);
        self.call(name, &[3, address, len])
    }

    pub fn symlink(&mut self, contents: &str, path: &str) -> Answer<()> {
        let [old, old_len] = self.path(contents);
        let [new, new_len] = self.path2(path);
        self.call("path_symlink", &[old, old_len, 3, new, new_len])
    }

    pub fn readlink(&mut self, path: &str, room: u32) -> Answer<Vec<u8>> {
        let [address, len] = self.path(path);
        self.call(
            "path_readlink",
            &[3, address, len, BUF.into(), room.into(), OUT.into()],
        )?;
        Ok(self.bytes(BUF, self.u32(OUT)))
    }

    pub fn rename(&mut self, old: &str, new: &str) -> Answer<()> {
        let [old, old_len] = self.path(old);
        let [new, new_len] = self.path2(new);
        self.call("path_rename", &[3, old, old_len, 3, new, new_len])
    }

    pub fn link(&mut self, flags: u32, old: &str, new: &str) -> Answer<()> {
        let [old, old_len] = self.path(old);
        let [new, new_len] = self.path2(new);
        self.call(
            "path_link",
            &[3, flags.into(), old, old_len, 3, new, new_len],
        )
    }

    pub fn set_times_at(
        &mut self,
        flags: u32,
        path: &str,
        atim: u64,
        mtim: u64,
        fst_flags: u32,
    ) -> Answer<()> {
        let [address, len] = self.path(path);
        self.call(
            "path_filestat_set_times",
            &[3, flags.into(), address, len, atim, mtim, fst_flags.into()],
        )
    }

    pub fn readdir(&mut self, fd: u32, len: u32, cookie: u64) -> Answer<Vec<u8>> {
        self.call(
            "fd_readdir",
            &[fd.into(), BUF.into(), len.into(), cookie, OUT.into()],
        )?;
        Ok(self.bytes(BUF, self.u32(OUT)))
    }

    /// All entries, read in pieces of `len` bytes.
    pub fn list(&mut self, fd: u32, len: u32) -> Answer<Vec<Dirent>> {
        let mut entries = Vec::new();
        let mut cookie = 0;
        loop {
            let bytes = self.readdir(fd, len, cookie)?;
            let (read, _) = dirents(&bytes);
            assert!(
                !read.is_empty() || bytes.len() < len as usize,
                "a buffer of {len} bytes is too small"
            );
            cookie = read.last().map_or(cookie, |entry| entry.next);
            entries.extend(read);
            if bytes.len() < len as usize {
                return Ok(entries);
            }
        }
    }

    /// Polls; each subscription is 48 bytes.
    pub fn poll(&mut self, subscriptions: &[[u8; 48]]) -> Answer<Vec<Event>> {
        self.put(BUF, &subscriptions.concat());
        self.call(
            "poll_oneoff",
            &[
                BUF.into(),
                u64::from(BUF) + 0x4000,
                subscriptions.len() as u64,
                OUT.into(),
            ],
        )?;
        let count = self.u32(OUT);
        Ok((0..count)
            .map(|index| self.event(BUF + 0x4000 + 32 * index))
            .collect())
    }

    pub fn event(&self, at: u32) -> Event {
        Event {
            userdata: self.u64(at),
            error: self.u16(at + 8).into(),
            event_type: self.u8(at + 10),
            nbytes: self.u64(at + 16),
            flags: self.u16(at + 24),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filestat {
    pub dev: u64,
    pub ino: u64,
    pub filetype: u8,
    pub nlink: u64,
    pub size: u64,
    pub atim: u64,
    pub mtim: u64,
    pub ctim: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirent {
    pub next: u64,
    pub ino: u64,
    pub filetype: u8,
    pub name: String,
}

/// The complete entries of a buffer, and how many bytes of an incomplete one follow.
pub fn dirents(mut bytes: &[u8]) -> (Vec<Dirent>, usize) {
    let mut entries = Vec::new();
    while bytes.len() >= 24 {
        let name_len = u32::from_le_bytes(bytes[16..20].try_into().unwrap()) as usize;
        let Some(name) = bytes.get(24..24 + name_len) else {
            break;
        };
        entries.push(Dirent {
            next: u64::from_le_bytes(bytes[0..8].try_into().unwrap()),
            ino: u64::from_le_bytes(bytes[8..16].try_into().unwrap()),
            filetype: bytes[20],
            name: String::from_utf8(name.to_vec()).unwrap(),
        });
        bytes = &bytes[24 + name_len..];
    }
    (entries, bytes.len())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub userdata: u64,
    pub error: u32,
    pub event_type: u8,
    pub nbytes: u64,
    pub flags: u16,
}

pub fn clock_subscription(userdata: u64, clock: u32, timeout: u64, flags: u16) -> [u8; 48] {
    let mut record = [0; 48];
    record[0..8].copy_from_slice(&userdata.to_le_bytes());
    record[8] = 0;
    record[16..20].copy_from_slice(&clock.to_le_bytes());
    record[24..32].copy_from_slice(&timeout.to_le_bytes());
    record[40..42].copy_from_slice(&flags.to_le_bytes());
    record
}

pub fn fd_subscription(userdata: u64, event_type: u8, fd: u32) -> [u8; 48] {
    let mut record = [0; 48];
    record[0..8].copy_from_slice(&userdata.to_le_bytes());
    record[8] = event_type;
    record[16..20].copy_from_slice(&fd.to_le_bytes());
    record
}

/// A directory of the host's own, removed in the end.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new() -> Dir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("wasi-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    pub fn file(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
