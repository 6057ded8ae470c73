//! What takes a process of its own: faults that are not the guest's, which must end it as if there were no guest, and little room.

use crate::support::*;
use meantime_abi::Tunables;
use meantime_vm::{HostError, LinearMemory};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

/// Says to a test, run in a process of its own, that it is to crash.
const CRASH: &str = "MEANTIME_VM_TEST_CRASH";

/// The command that runs executables of this architecture, where the system cannot by itself.
const RUNNER: &str = "MEANTIME_TEST_RUNNER";

/// Runs a test of this file again, in a process where it crashes.
fn crash(test: &str) -> Output {
    let executable = std::env::current_exe().unwrap();
    let runner = std::env::var(RUNNER).unwrap_or_default();
    let mut words = runner.split_whitespace();
    let mut command = match words.next() {
        Some(program) => Command::new(program),
        None => Command::new(&executable),
    };
    if !runner.is_empty() {
        command.args(words).arg(&executable);
    }
    command
        .args([
            &format!("crash::{test}"),
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CRASH, "1")
        .output()
        .unwrap()
}

fn is_to_crash() -> bool {
    std::env::var_os(CRASH).is_some()
}

#[test]
fn small_reservations_work_where_there_is_little_address_space() {
    const LIMIT: u64 = 2 << 30;
    if !is_to_crash() {
        let output = crash("small_reservations_work_where_there_is_little_address_space");
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let limit = libc::rlimit {
        rlim_cur: LIMIT,
        rlim_max: LIMIT,
    };
    // SAFETY: reads `limit` only.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    let ty = memory_type(1, None);
    let error = LinearMemory::new(&memory_shape(ty, &Tunables::default())).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("failed to allocate a memory"), "{message}");
    let small = Tunables {
        memory_reservation: 1 << 20,
        memory_reservation_for_growth: 1 << 20,
        memory_guard_size: 1 << 16,
        ..Tunables::default()
    };
    let mut guest = Guest::with_memory(memory_shape(ty, &small), |_, i| Ok(i));
    assert_eq!(guest.call(Func::Grow, 1000).unwrap(), 1);
    assert_eq!(guest.call(Func::Load, 1000 << 16).unwrap(), 0);
    // More than there is.
    assert_eq!(guest.call(Func::Grow, 40000).unwrap(), -1);
    assert_eq!(guest.call(Func::Grow, 1).unwrap(), 1001);
}

fn read_null() -> i32 {
    let null = std::hint::black_box(16) as *const i32;
    // SAFETY: none; the fault is the test.
    unsafe { null.read_volatile() }
}

#[test]
fn a_fault_of_the_host_inside_a_guests_call_is_not_a_trap() {
    if is_to_crash() {
        let mut guest = Guest::new(|_, _| Ok(read_null()));
        let _ = guest.call(Func::CallImport, 0);
        return;
    }
    let output = crash("a_fault_of_the_host_inside_a_guests_call_is_not_a_trap");
    assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{output:?}");
}

#[test]
fn a_fault_before_any_call_is_not_a_trap() {
    if is_to_crash() {
        meantime_vm::init_traps();
        read_null();
        return;
    }
    let output = crash("a_fault_before_any_call_is_not_a_trap");
    assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{output:?}");
}

#[test]
fn a_stack_overflow_of_the_host_still_reaches_rusts_handler() {
    fn endless(n: u64) -> u64 {
        if n == u64::MAX {
            return 0;
        }
        std::hint::black_box(n) + std::hint::black_box(endless(n + 1))
    }
    if is_to_crash() {
        let mut guest = Guest::new(|_, i| Ok(endless(i as u64) as i32));
        let _ = guest.call(Func::CallImport, 0);
        return;
    }
    let output = crash("a_stack_overflow_of_the_host_still_reaches_rusts_handler");
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{output:?}");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("has overflowed its stack"), "{message}");
}

#[test]
fn a_guests_fault_at_an_address_that_is_no_memorys_is_not_a_trap() {
    if is_to_crash() {
        // A memory whose base lies: what a miscompiled access would do.
        let mut guest = Guest::new(|_, _| Err(Box::new(()) as HostError));
        let memory = guest.memory();
        let import = guest.store.memory_import(memory);
        let page = meantime_vm::host_page_size();
        // SAFETY: nobody else uses the store; the base is never dereferenced by Rust.
        unsafe {
            (*import.from).base = std::ptr::without_provenance_mut(0x1234_5678 * page);
        }
        let _ = guest.call(Func::Load, 0);
        return;
    }
    let output = crash("a_guests_fault_at_an_address_that_is_no_memorys_is_not_a_trap");
    assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{output:?}");
}
