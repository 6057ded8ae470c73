//! A guest that passes nonsense: every call answers with a number or a trap, and nothing happens
//! outside of its directory.

mod common;

use common::*;
use meantime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use meantime_wasi::{Deterministic, FsPerms, WasiCtxBuilder};

/// Marsaglia's xorshift, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number with a meaning somewhere: a descriptor, a flag, an address, a limit.
    fn argument(&mut self, memory: u64) -> u64 {
        match self.below(10) {
            0..=3 => self.below(12),
            4..=6 => self.below(0x400),
            7 => memory - self.below(70),
            8 => [
                0x3fff_ffff,
                u32::MAX.into(),
                0x8000_0000,
                u64::MAX,
                1 << 63,
                (1 << 63) - 1,
            ][self.below(6) as usize],
            _ => self.next(),
        }
    }
}

fn guest(dir: &Dir) -> Guest {
    let mut builder = WasiCtxBuilder::new();
    builder
        .args(&["a", "b"])
        .env("c", "d")
        .stdin(MemoryInputPipe::new("input"))
        .stdout(MemoryOutputPipe::new(1000))
        .secure_random(Deterministic::new(
            b"./a\0..../b\0/sub/../x\x01\x02\x03".to_vec(),
        ));
    builder
        .preopened_dir(dir.0.join("given"), "/", FsPerms::ReadWrite)
        .unwrap();
    builder
        .preopened_dir(dir.0.join("given"), "/ro", FsPerms::ReadOnly)
        .unwrap();
    builder.preopened_socket(std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    Guest::new(&mut builder)
}

#[test]
fn calls_with_any_arguments() {
    let dir = Dir::new();
    dir.file("secret", "secret");
    dir.file("given/a", "contents");
    dir.file("given/sub/b", "contents");
    std::os::unix::fs::symlink("../secret", dir.0.join("given/out")).unwrap();
    let mut guest = guest(&dir);
    // What would wait for a connection that never comes.
    guest.set_flags(5, NONBLOCK).unwrap();
    let memory = guest.memory.data_size(&guest.store) as u64;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut successes, mut errors, mut traps) = (0, 0, 0);
    for round in 0..60_000 {
        if round % 50 == 0 {
            // Small numbers and pieces of paths all over the low memory, where most arguments
            // point.
            for address in 0..0x100 {
                let value = random.argument(memory) as u32;
                guest.put(4 * address, &value.to_le_bytes());
            }
            let at = random.below(0x300) as u32;
            guest.put(
                at,
                [&b"a"[..], b"sub/b", b"../secret", b"out", b"sub/../a", b"/"]
                    [random.below(6) as usize],
            );
        }
        let (name, parameters) = FUNCTIONS[random.below(FUNCTIONS.len() as u64) as usize];
        let mut arguments: Vec<u64> = parameters
            .chars()
            .map(|_| random.argument(memory))
            .collect();
        match name {
            // Would sleep; has a test of its own. Would make a file of many gigabytes.
            "poll_oneoff" => continue,
            "fd_allocate" | "fd_filestat_set_size" => {
                for argument in &mut arguments[1..] {
                    if *argument < 1 << 62 {
                        *argument %= 0x10000;
                    }
                }
            }
            "fd_fdstat_set_flags" if arguments[0] as u32 == 5 => continue,
            "fd_renumber" | "fd_close" | "fd_fdstat_set_rights" if random.below(10) > 0 => continue,
            _ => {}
        }
        match guest.try_call(name, &arguments) {
            Ok(0) => successes += 1,
            Ok(errno) if errno <= 76 => errors += 1,
            Ok(other) => panic!("{name}{arguments:?} returned {other}"),
            Err(_) => traps += 1,
        }
    }
    assert!(
        successes > 1000 && errors > 1000 && traps > 100,
        "{successes} {errors} {traps}"
    );
    assert_eq!(std::fs::read(dir.0.join("secret")).unwrap(), b"secret");
    let mut outside: Vec<_> = std::fs::read_dir(&dir.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    outside.sort();
    assert_eq!(outside, ["given", "secret"]);
}

#[test]
fn subscriptions_of_any_content() {
    let dir = Dir::new();
    dir.file("given/a", "contents");
    let mut guest = guest(&dir);
    let mut random = Random(77);
    for _ in 0..3000 {
        let count = 1 + random.below(8);
        let mut subscriptions = Vec::new();
        for _ in 0..count {
            let mut record: [u8; 48] = std::array::from_fn(|_| random.next() as u8);
            record[8] = random.below(4) as u8;
            if record[8] == 0 {
                record[17..20].fill(0);
                record[16] %= 6;
                // A millisecond at most.
                record[24..32].copy_from_slice(&random.below(1_000_000).to_le_bytes());
                record[41] = 0;
                record[40] %= 4;
            } else {
                record[17..20].fill(0);
                record[16] %= 12;
                // Nobody ever connects to the listener.
                if record[16] == 5 {
                    record[16] = 0;
                }
            }
            subscriptions.push(record);
        }
        match guest.poll(&subscriptions) {
            Ok(events) => assert!((1..=count as usize).contains(&events.len())),
            Err(errno) => assert_eq!(errno, INVAL),
        }
    }
}
