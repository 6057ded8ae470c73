//! Making new code visible to the processor.
//!
//! x86-64 keeps its instruction cache coherent by itself. AArch64 does not: the written lines must be cleaned to the point of
//! unification and the instruction cache invalidated, and other cores must pass a context synchronization event before they run
//! the code, which `membarrier` makes them do.

/// To be called after code was written and before any thread may run it.
#[cfg(target_arch = "x86_64")]
pub fn flush_instruction_cache(_start: *const u8, _len: usize) {}

/// To be called after code was written and before any thread may run it.
#[cfg(target_arch = "aarch64")]
pub fn flush_instruction_cache(start: *const u8, len: usize) {
    use core::arch::asm;
    let ctr: u64;
    // SAFETY: reads a register that Linux lets user code read.
    unsafe {
        asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack, preserves_flags));
    }
    let data_line = 4usize << ((ctr >> 16) & 0xf);
    let code_line = 4usize << (ctr & 0xf);
    let end = start as usize + len;
    let mut at = start as usize & !(data_line - 1);
    while at < end {
        // SAFETY: cleaning a line of readable memory changes nothing that a program sees.
        unsafe { asm!("dc cvau, {}", in(reg) at, options(nostack, preserves_flags)) };
        at += data_line;
    }
    // SAFETY: a barrier.
    unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
    let mut at = start as usize & !(code_line - 1);
    while at < end {
        // SAFETY: invalidating a line of the instruction cache changes nothing that a program sees.
        unsafe { asm!("ic ivau, {}", in(reg) at, options(nostack, preserves_flags)) };
        at += code_line;
    }
    // SAFETY: barriers.
    unsafe { asm!("dsb ish", "isb", options(nostack, preserves_flags)) };
    synchronize_other_cores();
}

/// Has every other thread of the process synchronize its instruction stream before it returns to user code.
#[cfg(target_arch = "aarch64")]
fn synchronize_other_cores() {
    use std::sync::Once;
    const SYNC_CORE: libc::c_long = 1 << 5;
    const REGISTER_SYNC_CORE: libc::c_long = 1 << 6;
    static REGISTER: Once = Once::new();
    // A kernel that lacks the call (before 4.16) leaves us with what its own context switches do.
    // SAFETY: the call takes numbers only.
    REGISTER.call_once(|| unsafe {
        libc::syscall(libc::SYS_membarrier, REGISTER_SYNC_CORE, 0, 0);
    });
    // SAFETY: as above.
    unsafe {
        libc::syscall(libc::SYS_membarrier, SYNC_CORE, 0, 0);
    }
}
