//! What a thread needs before it runs guest code: a stack for its signal handler, and to know where its own stack ends.
//!
//! The one idea: guest code runs on the thread's own stack, and a handler for a fault there needs another. The one that Rust's library
//! gives its threads may be as small as the kernel's minimum, and threads made by others have none.

use super::mapping::{Mapping, host_page_size};
use std::cell::RefCell;

/// What our handler and one that it may chain to are given, beyond what the kernel itself stores there.
const HANDLER_STACK: usize = 32 << 10;

/// Sets up the signal stack of this thread, if it is too small, and returns the lowest address that the thread's stack can reach;
/// zero when that is not known.
pub fn prepare_thread() -> usize {
    ensure_signal_stack();
    stack_low().unwrap_or(0)
}

/// A signal stack that is ours.
struct SignalStack {
    mapping: Mapping,
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        // SAFETY: asks for the current stack, and disables it when it is this one, which is about to be unmapped.
        unsafe {
            let mut current: libc::stack_t = std::mem::zeroed();
            libc::sigaltstack(std::ptr::null(), &mut current);
            let start = self.mapping.base().as_ptr() as usize;
            if (start..start + self.mapping.len()).contains(&(current.ss_sp as usize)) {
                let disable = libc::stack_t {
                    ss_sp: std::ptr::null_mut(),
                    ss_flags: libc::SS_DISABLE,
                    ss_size: 0,
                };
                libc::sigaltstack(&disable, std::ptr::null_mut());
            }
        }
    }
}

fn ensure_signal_stack() {
    thread_local! {
        static STACK: RefCell<Option<SignalStack>> = const { RefCell::new(None) };
    }
    // SAFETY: asks the kernel for a number.
    let frame = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
    let wanted = HANDLER_STACK + frame.max(libc::MINSIGSTKSZ);
    // SAFETY: only reads the current setting.
    let current = unsafe {
        let mut current: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(std::ptr::null(), &mut current);
        current
    };
    if current.ss_flags & libc::SS_DISABLE == 0 && current.ss_size >= wanted {
        return;
    }
    let page = host_page_size();
    let size = wanted.next_multiple_of(page);
    let Ok(mapping) = Mapping::reserve(size + page) else {
        return; // the thread keeps the stack that it has
    };
    // The first page stays inaccessible: a handler that needs more faults instead of writing over others' memory.
    if mapping.make_writable(page..page + size).is_err() {
        return;
    }
    let stack = libc::stack_t {
        ss_sp: mapping.base().as_ptr().wrapping_add(page).cast(),
        ss_flags: 0,
        ss_size: size,
    };
    // If the thread is ending already, its locals are gone, and nobody would free the stack: it keeps the one that it has.
    let _ = STACK.try_with(|slot| {
        // SAFETY: the memory lives until `SignalStack` is dropped, which first takes it out of use.
        if unsafe { libc::sigaltstack(&stack, std::ptr::null_mut()) } == 0 {
            *slot.borrow_mut() = Some(SignalStack { mapping });
        }
    });
}

fn stack_low() -> Option<usize> {
    // SAFETY: asks for numbers.
    let main = unsafe { libc::getpid() == libc::gettid() };
    if main {
        main_stack_low()
    } else {
        thread_stack_low()
    }
}

/// The kernel lets the main thread's stack grow down to its limit. The C library would parse /proc/self/maps to find where it begins;
/// the name of the program, which the kernel puts at its very top, says the same.
fn main_stack_low() -> Option<usize> {
    // SAFETY: asks for a number.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) } as usize;
    if name == 0 {
        return None;
    }
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: writes to `limit` only.
    if unsafe { libc::getrlimit(libc::RLIMIT_STACK, &mut limit) } != 0
        || limit.rlim_cur == libc::RLIM_INFINITY
    {
        return None;
    }
    let top = name.next_multiple_of(host_page_size());
    Some(top.saturating_sub(limit.rlim_cur as usize))
}

fn thread_stack_low() -> Option<usize> {
    // SAFETY: the attributes are initialized by the first call, read by the second, destroyed by the third; its guard page counts
    // as part of the stack in some C libraries, so it is added.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return None;
        }
        let (mut start, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
        let found = libc::pthread_attr_getstack(&attributes, &mut start, &mut size) == 0;
        libc::pthread_attr_getguardsize(&attributes, &mut guard);
        libc::pthread_attr_destroy(&mut attributes);
        (found && !start.is_null()).then(|| start as usize + guard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_address_is_below_this_frame_and_not_far() {
        let check = || {
            let here = 0u8;
            let low = prepare_thread();
            let sp = &raw const here as usize;
            assert!(low != 0 && low < sp, "{low:#x} {sp:#x}");
            assert!(sp - low < 1 << 30, "{low:#x} {sp:#x}");
        };
        check();
        let thread = std::thread::Builder::new().stack_size(256 << 10);
        let low = thread
            .spawn(move || {
                check();
                let here = 0u8;
                &raw const here as usize - prepare_thread()
            })
            .unwrap()
            .join()
            .unwrap();
        assert!(low <= 256 << 10);
    }

    #[test]
    fn a_thread_has_a_large_enough_signal_stack() {
        std::thread::spawn(|| {
            prepare_thread();
            // SAFETY: only reads the current setting.
            let current = unsafe {
                let mut current: libc::stack_t = std::mem::zeroed();
                libc::sigaltstack(std::ptr::null(), &mut current);
                current
            };
            assert_eq!(current.ss_flags & libc::SS_DISABLE, 0);
            assert!(current.ss_size >= HANDLER_STACK);
        })
        .join()
        .unwrap();
    }
}
