//! Calls from the host into the guest.
//!
//! The one idea: a call is one frame of `arch::enter`, which keeps in itself all that nesting needs; beyond it, an outermost call sets the
//! stack limit, and every call makes its store the thread's current one, for the signal handler.

use crate::arch;
use crate::gc::RootScope;
use crate::store::StoreCore;
use crate::sys;
use crate::trap::{Pending, Stopped, Unwind, UnwindReason, stop};
use meantime_abi::{Trap, ValRaw, VmFuncRef, VmHeader, VmHostContext, VmStoreContext};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

/// Stack that guest code leaves to the host's functions, builtins and the trap path below it, where the thread has that much.
const HOST_RESERVE: usize = 128 << 10;

struct Thread {
    /// The store whose guest runs innermost, or null.
    current: Cell<*mut StoreCore>,
    /// The lowest stack address that guest code may use on this thread's own stack; zero before the first call.
    stack_low: Cell<usize>,
}

thread_local! {
    // Constant and without destructor, so that access is one instruction and works in a signal handler.
    static THREAD: Thread = const {
        Thread { current: Cell::new(std::ptr::null_mut()), stack_low: Cell::new(0) }
    };
}

/// The store whose guest runs innermost on this thread.
pub(crate) fn current_store() -> Option<NonNull<StoreCore>> {
    THREAD.with(|thread| NonNull::new(thread.current.get()))
}

/// Calls a function with its parameters in `values`, where it leaves its results.
///
/// # Errors
///
/// When the guest trapped, or a function of the host returned an error. `values` is then unspecified.
///
/// # Panics
///
/// With a panic of a function of the host that the guest called.
///
/// # Safety
///
/// The function belongs to the store, and is callable: its code is alive. `values` holds the parameters in their types, and has room for
/// `len` slots, which is at least the number of parameters and of results. No reference to the store is in use during the call.
#[inline]
pub unsafe fn call_wasm(
    store: NonNull<StoreCore>,
    func: NonNull<VmFuncRef>,
    values: *mut ValRaw,
    len: usize,
) -> Result<(), Box<Unwind>> {
    // SAFETY: the caller vouches for all pointers.
    unsafe {
        let func = func.as_ref();
        if func.enter.is_null() {
            return call_host(store, func, values, len);
        }
        let context = (&raw mut (*store.as_ptr()).context).cast::<VmStoreContext>();
        let sp = arch::stack_pointer();
        THREAD.with(|thread| {
            if (*context).entry_fp == 0 {
                let limit = outermost_limit(thread, sp, (*store.as_ptr()).max_wasm_stack);
                (*context).stack_limit.store(limit, Ordering::Relaxed);
            }
            if sp <= (*context).stack_limit.load(Ordering::Relaxed) {
                return Err(stack_overflow(store));
            }
            let outer = thread.current.replace(store.as_ptr());
            let returned = arch::enter(context, func.context, func.code, values, func.enter);
            thread.current.set(outer);
            if returned != 0 {
                Ok(())
            } else {
                Err(take_unwind(store))
            }
        })
    }
}

/// The stack limit for a guest entered at this stack pointer.
#[inline]
fn outermost_limit(thread: &Thread, sp: usize, max_wasm_stack: usize) -> usize {
    let mut low = thread.stack_low.get();
    if low == 0 {
        low = first_entry(thread, sp);
    }
    let limit = sp.saturating_sub(max_wasm_stack);
    // On a stack that is not the thread's own, its end says nothing.
    if sp > low { limit.max(low) } else { limit }
}

/// Does now what the first call on this thread would do: looks at its stack, and sees to a stack for signals.
pub fn init_thread() {
    let sp = arch::stack_pointer();
    THREAD.with(|thread| {
        if thread.stack_low.get() == 0 {
            first_entry(thread, sp);
        }
    });
}

#[cold]
fn first_entry(thread: &Thread, sp: usize) -> usize {
    let end = sys::prepare_thread();
    // A thread with little stack shares it evenly.
    let reserve = HOST_RESERVE.min(sp.saturating_sub(end) / 2);
    let low = (end + reserve).max(1);
    thread.stack_low.set(low);
    low
}

#[cold]
unsafe fn stack_overflow(store: NonNull<StoreCore>) -> Box<Unwind> {
    // SAFETY: the caller of `call_wasm` vouches for the store.
    let backtrace = unsafe { store.as_ref() }.backtrace_if_wanted();
    Box::new(Unwind {
        reason: UnwindReason::Trap {
            trap: Trap::StackOverflow,
            fault_address: None,
        },
        backtrace,
    })
}

#[cold]
unsafe fn take_unwind(store: NonNull<StoreCore>) -> Box<Unwind> {
    // SAFETY: the guest is gone, so this is the only user of the store.
    match unsafe { (*store.as_ptr()).stopped.take() } {
        Some(Stopped::Unwind(unwind)) => unwind,
        Some(Stopped::Panic(payload)) => resume_unwind(payload),
        None => unreachable!("whoever unwinds says why first"),
    }
}

/// Calls a function of the host without a guest in between.
#[cold]
unsafe fn call_host(
    store: NonNull<StoreCore>,
    func: &VmFuncRef,
    values: *mut ValRaw,
    len: usize,
) -> Result<(), Box<Unwind>> {
    // SAFETY: a funcref without an entry is a function of the host, whose context is a `VmHostContext`; the rest is the caller's promise.
    unsafe {
        let host = func.context.cast::<VmHostContext>();
        if ((*host).func)(host, std::ptr::null_mut(), values, len) {
            return Ok(());
        }
        let pending = (*store.as_ptr()).take_pending();
        let (reason, backtrace) = match pending {
            Pending::Panic(payload) => resume_unwind(payload),
            Pending::Trap(trap) => {
                let fault_address = None;
                (
                    UnwindReason::Trap {
                        trap,
                        fault_address,
                    },
                    true,
                )
            }
            Pending::Error { error, backtrace } => (UnwindReason::Error(error), backtrace),
            Pending::Exception => (UnwindReason::Exception, true),
        };
        let backtrace = if backtrace {
            store.as_ref().backtrace_if_wanted()
        } else {
            None
        };
        Err(Box::new(Unwind { reason, backtrace }))
    }
}

/// In the place of a trampoline into a function that never reaches the host, for which the compiler makes none. Should it be
/// called all the same, the call fails.
///
/// # Safety
///
/// Called by `arch::enter` alone, which passes the callee's context first.
pub(crate) unsafe extern "C" fn no_trampoline(context: *mut VmHeader) -> ! {
    let error = "the function is not one that the host can call".to_string();
    // SAFETY: the context is alive and its store is the one being entered; there is no guest frame to walk, and this one owns nothing
    // when it is cut off.
    unsafe {
        let store = StoreCore::from_context((*context).store);
        let pending = Pending::Error {
            error: Box::new(error),
            backtrace: false,
        };
        let entry_sp = stop(store.as_ptr(), pending);
        arch::unwind_to(entry_sp)
    }
}

/// The body of a [`HostFn`](meantime_abi::HostFn), in a scope for roots of its own: an error that `f` returns and a panic in it become
/// pending in the store. Returns what the function must return.
///
/// # Safety
///
/// `store` is that of the function's context.
#[inline(always)] // As a call, its closure goes through memory, which costs more than most host functions do.
pub unsafe fn host_body<E: Into<Pending>>(
    store: *mut VmStoreContext,
    f: impl FnOnce() -> Result<(), E>,
) -> bool {
    // SAFETY: the caller vouches for the pointer, and `f` uses the store only while it runs.
    unsafe {
        let core = StoreCore::from_context(store);
        let scope = core.as_ref().gc().enter_scope();
        match catch_unwind(AssertUnwindSafe(f)) {
            Ok(Ok(())) => {
                (*core.as_ptr()).gc_mut().exit_scope(scope);
                true
            }
            Ok(Err(error)) => host_failed(core, scope, error.into()),
            Err(payload) => host_failed(core, scope, Pending::Panic(payload)),
        }
    }
}

/// Ends a host function that failed.
///
/// # Safety
///
/// Nobody else uses the store.
#[cold]
#[inline(never)]
unsafe fn host_failed(core: NonNull<StoreCore>, scope: RootScope, pending: Pending) -> bool {
    // SAFETY: by the caller.
    let core = unsafe { &mut *core.as_ptr() };
    core.gc_mut().exit_scope(scope);
    core.set_pending(pending);
    false
}
