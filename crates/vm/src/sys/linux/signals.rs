//! Faults of the hardware as the kernel reports them.
//!
//! Not the decision whether a fault is a trap: that is the hook's, which sees a [`FaultState`] and may answer where the thread shall
//! continue. The one idea: a fault that the hook does not explain goes to the handler that was there before, as if we were not.

use super::ucontext;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::Once;

/// What kind of fault the hardware reported.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// A memory access, at this address.
    Memory(usize),
    /// Arithmetic: a division.
    Arithmetic,
    /// An instruction that faults by definition.
    Illegal,
}

/// A fault, and where it happened.
#[derive(Copy, Clone, Debug)]
pub struct FaultState {
    /// What kind.
    pub kind: FaultKind,
    /// The faulting instruction.
    pub pc: usize,
    /// The frame pointer there.
    pub fp: usize,
    /// The register there that passes the counter of fuel, if the code counts it.
    pub fuel: u64,
}

/// How a thread continues after a fault, on its own stack.
#[derive(Copy, Clone, Debug)]
pub enum Resume {
    /// In a function, and never again where it was.
    Leave {
        /// The function.
        target: unsafe extern "C" fn(*mut core::ffi::c_void) -> !,
        /// Its argument.
        argument: *mut core::ffi::c_void,
    },
    /// In a function that it called there, as it sees it.
    Call {
        /// The function. It leaves all registers as they are.
        target: unsafe extern "C" fn(),
        /// Where it returns to.
        return_to: usize,
        /// What the register then holds in which functions have the limit of the stack when they start.
        stack_limit: Option<usize>,
    },
}

/// Decides what a fault is. Runs in a signal handler: must not lock what the interrupted code may hold, nor allocate.
pub type FaultHook = fn(&FaultState) -> Option<Resume>;

const SIGNALS: [libc::c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

/// What `install_fault_handlers` leaves for the handler.
struct Installed {
    hook: FaultHook,
    previous: [libc::sigaction; SIGNALS.len()],
}

struct Global(UnsafeCell<MaybeUninit<Installed>>);

// SAFETY: written once, inside `Once`, before a handler that reads it is installed.
unsafe impl Sync for Global {}

static INSTALLED: Global = Global(UnsafeCell::new(MaybeUninit::uninit()));

/// Installs the handlers, once per process; later calls do nothing.
///
/// # Panics
///
/// When the system refuses, which it does only for bad arguments.
pub fn install_fault_handlers(hook: FaultHook) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = SIGNALS.map(|signal| {
            // SAFETY: a zeroed `sigaction` is valid; the call only writes to it.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                let result = libc::sigaction(signal, std::ptr::null(), &mut action);
                assert_eq!(result, 0, "sigaction: {}", std::io::Error::last_os_error());
                action
            }
        });
        // SAFETY: the only write, before any handler can read.
        unsafe { (*INSTALLED.0.get()).write(Installed { hook, previous }) };
        for signal in SIGNALS {
            // SAFETY: the handler has the signature that SA_SIGINFO asks for, and is async-signal-safe.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = handle as *const () as usize;
                // Not SA_NODEFER: a fault in the handler itself ends the process instead of recurring.
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigemptyset(&mut action.sa_mask);
                let result = libc::sigaction(signal, &action, std::ptr::null_mut());
                assert_eq!(result, 0, "sigaction: {}", std::io::Error::last_os_error());
            }
        }
    });
}

unsafe extern "C" fn handle(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: written before this handler was installed; the kernel passes valid pointers.
    let (installed, info_ref, ucontext) = unsafe {
        let installed = (*INSTALLED.0.get()).assume_init_ref();
        (installed, &*info, &mut *context.cast::<libc::ucontext_t>())
    };
    if let Some(kind) = kind(signal, info_ref) {
        let (pc, fp) = ucontext::program_counter_and_frame(ucontext);
        let fuel = ucontext::fuel(ucontext);
        let state = FaultState { kind, pc, fp, fuel };
        if let Some(resume) = (installed.hook)(&state) {
            match resume {
                Resume::Leave { target, argument } => {
                    ucontext::redirect(ucontext, target as usize, argument as usize);
                }
                Resume::Call {
                    target,
                    return_to,
                    stack_limit,
                } => {
                    if let Some(limit) = stack_limit {
                        ucontext::set_stack_limit(ucontext, limit);
                    }
                    // SAFETY: it is the hook's to know that the code expects to be called from.
                    unsafe { ucontext::call(ucontext, target as usize, return_to) };
                }
            }
            return;
        }
    }
    // SAFETY: what the kernel passed is passed on.
    unsafe { chain(installed, signal, info, context) };
}

/// What the hardware says, or none for a signal that somebody sent.
fn kind(signal: libc::c_int, info: &libc::siginfo_t) -> Option<FaultKind> {
    // The kernel gives faults positive codes; SI_KERNEL marks those without an address, such as a misaligned vector access.
    const SI_KERNEL: libc::c_int = 0x80;
    if info.si_code <= 0 {
        return None;
    }
    match signal {
        libc::SIGSEGV | libc::SIGBUS if info.si_code != SI_KERNEL => {
            // SAFETY: the kernel fills in the address for these signals.
            Some(FaultKind::Memory(unsafe { info.si_addr() } as usize))
        }
        libc::SIGFPE => Some(FaultKind::Arithmetic),
        libc::SIGILL => Some(FaultKind::Illegal),
        _ => None,
    }
}

/// Has the handler that was there before ours deal with it.
unsafe fn chain(
    installed: &Installed,
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let Some(i) = SIGNALS.iter().position(|&s| s == signal) else {
        return;
    };
    let previous = &installed.previous[i];
    match previous.sa_sigaction {
        // The default is to end the process, and the kernel does the same with a fault that is ignored. Returning runs the
        // faulting instruction again, now without us.
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: restores what the system gave us.
            unsafe {
                libc::sigaction(signal, previous, std::ptr::null_mut());
                if (*info).si_code <= 0 && previous.sa_sigaction == libc::SIG_DFL {
                    // Somebody sent it, so nothing would fault again.
                    libc::raise(signal);
                }
            }
        }
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: installed by somebody as a handler of this signature.
            unsafe {
                let handler: unsafe extern "C" fn(
                    libc::c_int,
                    *mut libc::siginfo_t,
                    *mut libc::c_void,
                ) = std::mem::transmute(handler);
                handler(signal, info, context);
            }
        }
        handler => {
            // SAFETY: installed by somebody as a handler of this signature.
            unsafe {
                let handler: unsafe extern "C" fn(libc::c_int) = std::mem::transmute(handler);
                handler(signal);
            }
        }
    }
}
