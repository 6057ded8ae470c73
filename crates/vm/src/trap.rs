//! How a guest is stopped: what is pending, what the host gets, and which hardware faults are traps.
//!
//! Not the stack walk (`backtrace`) nor the jump (`arch`). The one idea: whatever stops a guest, a trap instruction, a builtin or a
//! function of the host, becomes one [`Unwind`] in the store while the guest's frames are still there, and then the innermost `enter`
//! returns 0.

use crate::HostError;
use crate::arch;
use crate::backtrace::{Backtrace, Start, capture};
use crate::builtins::preserving;
use crate::enter::current_store;
use crate::registry::lookup_code;
use crate::store::StoreCore;
use crate::sys::{self, FaultKind, FaultState, Resume};
use meantime_abi::{Trap, VmStoreContext};
use std::any::Any;
use std::fmt;
use std::mem::offset_of;
use std::sync::atomic::Ordering;

/// Why the guest is to be unwound.
pub enum Pending {
    /// A trap.
    Trap(Trap),
    /// An error of the host.
    Error {
        /// The error.
        error: HostError,
        /// Whether to capture a backtrace for it.
        backtrace: bool,
    },
    /// The exception that the store holds as pending ([`StoreCore::set_pending_exception`]).
    Exception,
    /// A panic of the host, to be resumed once the guest's frames are gone.
    Panic(Box<dyn Any + Send>),
}

impl Pending {
    /// An error of the host that wants a backtrace.
    pub fn error(error: HostError) -> Pending {
        Pending::Error {
            error,
            backtrace: true,
        }
    }
}

impl From<HostError> for Pending {
    fn from(error: HostError) -> Pending {
        Pending::error(error)
    }
}

impl From<Trap> for Pending {
    fn from(trap: Trap) -> Pending {
        Pending::Trap(trap)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pending::Trap(trap) => write!(f, "Trap({trap:?})"),
            Pending::Error { backtrace, .. } => write!(f, "Error(backtrace: {backtrace})"),
            Pending::Exception => f.write_str("Exception"),
            Pending::Panic(_) => f.write_str("Panic"),
        }
    }
}

/// Why a call did not return.
pub enum UnwindReason {
    /// A trap.
    Trap {
        /// Which.
        trap: Trap,
        /// The address whose access faulted, when it was such.
        fault_address: Option<usize>,
    },
    /// An error of the host, as it was given.
    Error(HostError),
    /// An exception that nothing in the guest caught, which the store holds as pending
    /// ([`StoreCore::take_pending_exception`]).
    Exception,
}

impl fmt::Debug for UnwindReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnwindReason::Trap {
                trap,
                fault_address,
            } => f
                .debug_struct("Trap")
                .field("trap", trap)
                .field("fault_address", fault_address)
                .finish(),
            UnwindReason::Error(_) => f.write_str("Error"),
            UnwindReason::Exception => f.write_str("Exception"),
        }
    }
}

/// A call that did not return, and where the guest was.
#[derive(Debug)]
pub struct Unwind {
    /// Why.
    pub reason: UnwindReason,
    /// Where, unless backtraces are off or the host did not want one.
    pub backtrace: Option<Backtrace>,
}

/// What waits in the store between the cut and the return to the host.
pub(crate) enum Stopped {
    Unwind(Box<Unwind>),
    Panic(Box<dyn Any + Send>),
}

/// A hardware fault in guest code, as the signal handler leaves it in the store.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Fault {
    pub trap: Trap,
    pub pc: usize,
    pub fp: usize,
    /// What the register held that passes the counter of fuel.
    pub fuel: u64,
    pub address: Option<usize>,
}

/// Makes hardware faults in guest code traps. Needed once per process before code runs that relies on them; later calls do nothing.
///
/// Installs handlers for SIGSEGV, SIGBUS, SIGFPE and SIGILL. What they do not know they pass to the handlers that were there before.
pub fn init_traps() {
    sys::install_fault_handlers(explain_fault);
}

/// Bytes at address zero that are never mapped: what a check turns an access out of bounds into.
const NULL_REGION: usize = 64 << 10;

/// Whether a fault is a trap of the guest, and where to go on then. Runs in the signal handler, on the thread that faulted. As
/// the fault is in guest code if it is ours, this thread is in the middle of no change to any of the runtime's structures.
fn explain_fault(fault: &FaultState) -> Option<Resume> {
    let region = lookup_code(fault.pc)?;
    let (entry, offset) = region.find(fault.pc)?;
    let table = region.side_table(entry)?;
    let Some(trap) = table.trap(offset).and_then(|site| site.trap) else {
        return explain_start(fault, offset);
    };
    if trap == Trap::Interrupt {
        return Some(interruption(fault, None));
    }
    // Only now, as a thread that has never entered a guest may have to allocate its locals first.
    let store = current_store()?;
    let address = match fault.kind {
        FaultKind::Memory(address) => {
            // SAFETY: the store is alive while it is a thread's current one, and its owner waits for this guest.
            let store = unsafe { store.as_ref() };
            if address >= NULL_REGION && !store.guards(address) {
                return None;
            }
            Some(address)
        }
        FaultKind::Arithmetic | FaultKind::Illegal => None,
    };
    // SAFETY: as above; nothing else refers to the store's fault.
    unsafe {
        (*store.as_ptr()).fault = Some(Fault {
            trap,
            pc: fault.pc,
            fp: fault.fp,
            fuel: fault.fuel,
            address,
        });
    }
    Some(Resume::Leave {
        target: after_fault,
        argument: store.as_ptr().cast(),
    })
}

/// Whether a fault is that of a function which reads its stack's limit where [`VmStoreContext::poll`](meantime_abi::VmStoreContext::poll) leads: nothing
/// else faults in a function's first instructions, which access no memory of the guest. It goes on with the limit.
fn explain_start(fault: &FaultState, offset: u32) -> Option<Resume> {
    const LONGEST: u32 = 128;
    let field = FaultKind::Memory(offset_of!(VmStoreContext, stack_limit));
    if fault.kind != field || offset > LONGEST {
        return None;
    }
    let store = current_store()?;
    // SAFETY: as the guest runs, its store is alive, and only this thread writes the limit.
    let limit = unsafe { &(*(*store.as_ptr()).context()).stack_limit };
    Some(interruption(fault, Some(limit.load(Ordering::Relaxed))))
}

/// How code goes on whose load has found that it is interrupted, and what the load then gives if that is used.
fn interruption(fault: &FaultState, stack_limit: Option<usize>) -> Resume {
    Resume::Call {
        target: preserving::interrupted,
        // SAFETY: compiled code does so only by plain loads, which changed nothing.
        return_to: unsafe { arch::after_load(fault.pc) },
        stack_limit,
    }
}

/// Where the thread continues after a fault: on the guest's stack, outside of the handler, so that capturing a backtrace may allocate.
unsafe extern "C" fn after_fault(store: *mut core::ffi::c_void) -> ! {
    let store = store.cast::<StoreCore>();
    // SAFETY: the argument is the store that the handler found; the guest is stopped, so this is the only user.
    let entry_sp = unsafe {
        let fault = (*store).fault.take().expect("the handler stored it");
        let start = Start::Fault {
            pc: fault.pc,
            fp: fault.fp,
        };
        let reason = UnwindReason::Trap {
            trap: fault.trap,
            fault_address: fault.address,
        };
        let backtrace = capture(&*store, start);
        (*store).note_fuel(fault.fuel);
        (*store).note_trap(fault.trap);
        (*store).stopped = Some(Stopped::Unwind(Box::new(Unwind { reason, backtrace })));
        (*(*store).context()).entry_sp
    };
    // SAFETY: the store's current entry; this function owns nothing any more.
    unsafe { arch::unwind_to(entry_sp) }
}

/// Prepares to stop the guest that called the host last, and returns the stack pointer to unwind to.
///
/// # Safety
///
/// The store's exit record is that of a frame that is still on the stack.
pub(crate) unsafe fn stop(store: *mut StoreCore, pending: Pending) -> usize {
    // SAFETY: the caller vouches for the store and its records.
    unsafe {
        let stopped = match pending {
            Pending::Trap(trap) => {
                let reason = UnwindReason::Trap {
                    trap,
                    fault_address: None,
                };
                let backtrace = capture(&*store, Start::Exit);
                (*store).note_trap(trap);
                Stopped::Unwind(Box::new(Unwind { reason, backtrace }))
            }
            Pending::Error { error, backtrace } => {
                let backtrace = if backtrace {
                    capture(&*store, Start::Exit)
                } else {
                    None
                };
                let reason = UnwindReason::Error(error);
                Stopped::Unwind(Box::new(Unwind { reason, backtrace }))
            }
            Pending::Exception => {
                let reason = UnwindReason::Exception;
                let backtrace = capture(&*store, Start::Exit);
                Stopped::Unwind(Box::new(Unwind { reason, backtrace }))
            }
            Pending::Panic(payload) => Stopped::Panic(payload),
        };
        (*store).stopped = Some(stopped);
        (*(*store).context()).entry_sp
    }
}
