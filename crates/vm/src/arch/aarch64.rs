//! Entering, leaving and unwinding on AArch64, with the AAPCS64 convention on the host's side.

use core::arch::{asm, naked_asm};
use core::mem::offset_of;
use meantime_abi::{CodePtr, EnterPtr, ValRaw, VmHeader, VmStoreContext};

/// Where in the frame of `enter` the store's previous `exit_fp` lies, in bytes below its frame pointer.
pub(crate) const SAVED_EXIT_FP_BELOW: usize = 160;
/// Where in the frame of `enter` the store's previous `entry_fp` lies, in bytes below its frame pointer.
pub(crate) const SAVED_ENTRY_FP_BELOW: usize = 168;

/// Calls `trampoline(context, code, values)` in the `tail` convention and returns 1, or 0 when the guest was unwound.
///
/// # Safety
///
/// The pointers are what [`meantime_abi::EnterPtr`] describes; the store is not in use by another thread.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn enter(
    store: *mut VmStoreContext,
    context: *mut VmHeader,
    code: CodePtr,
    values: *mut ValRaw,
    trampoline: EnterPtr,
) -> u32 {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "stp x19, x20, [sp, #-16]!",
        "stp x21, x22, [sp, #-16]!",
        "stp x23, x24, [sp, #-16]!",
        "stp x25, x26, [sp, #-16]!",
        "stp x27, x28, [sp, #-16]!",
        "stp d8, d9, [sp, #-16]!",
        "stp d10, d11, [sp, #-16]!",
        "stp d12, d13, [sp, #-16]!",
        "stp d14, d15, [sp, #-16]!",
        "ldr x9, [x0, {exit_fp}]",
        "ldr x10, [x0, {entry_fp}]",
        "ldr x11, [x0, {entry_sp}]",
        "stp x9, x0, [sp, #-16]!",
        "stp x11, x10, [sp, #-16]!",
        "mov x9, sp",
        "str x29, [x0, {entry_fp}]",
        "str x9, [x0, {entry_sp}]",
        // In the `tail` convention arguments begin with x2: Cranelift keeps x0 for a return area and x1 for an indirect callee.
        "mov x9, x4",
        "mov x4, x3",
        "mov x3, x2",
        "mov x2, x1",
        // What stands in for a missing trampoline is Rust, and takes the context where the platform's convention has it.
        "mov x0, x1",
        "blr x9",
        "mov w0, #1",
        "b {leave}",
        exit_fp = const offset_of!(VmStoreContext, exit_fp),
        entry_fp = const offset_of!(VmStoreContext, entry_fp),
        entry_sp = const offset_of!(VmStoreContext, entry_sp),
        leave = sym leave,
    )
}

/// The end of `enter`, with its stack pointer restored and the result in `w0`.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn leave() {
    naked_asm!(
        "ldp x11, x10, [sp], #16",
        "ldp x9, x1, [sp], #16",
        "str x11, [x1, {entry_sp}]",
        "str x10, [x1, {entry_fp}]",
        "str x9, [x1, {exit_fp}]",
        "ldp d14, d15, [sp], #16",
        "ldp d12, d13, [sp], #16",
        "ldp d10, d11, [sp], #16",
        "ldp d8, d9, [sp], #16",
        "ldp x27, x28, [sp], #16",
        "ldp x25, x26, [sp], #16",
        "ldp x23, x24, [sp], #16",
        "ldp x21, x22, [sp], #16",
        "ldp x19, x20, [sp], #16",
        "ldp x29, x30, [sp], #16",
        "ret",
        exit_fp = const offset_of!(VmStoreContext, exit_fp),
        entry_fp = const offset_of!(VmStoreContext, entry_fp),
        entry_sp = const offset_of!(VmStoreContext, entry_sp),
    )
}

/// Cuts off every frame below that of the `enter` whose stack pointer this is, and has it return 0.
///
/// # Safety
///
/// `entry_sp` is a store's current one, and no Rust frame below it owns anything.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn unwind_to(entry_sp: usize) -> ! {
    naked_asm!(
        "mov sp, x0",
        "mov w0, #0",
        "b {leave}",
        leave = sym leave,
    )
}

/// Goes on in the guest at a handler, which finds the exception in its first payload register.
///
/// # Safety
///
/// The place is a handler's of a guest frame with this frame pointer, and no Rust frame below it owns anything.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn resume_at(pc: usize, sp: usize, fp: usize, exception: u64) -> ! {
    naked_asm!(
        "mov x16, x0",
        "mov sp, x1",
        "mov x29, x2",
        "mov x0, x3",
        "br x16",
    )
}

/// The stack pointer, about.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: copies a register.
    unsafe { asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}

/// The body of a builtin's entry point: records the exit frame, calls `$implementation`, which returns a value and a status in two
/// registers, and returns the value, or unwinds to it when the status is not zero.
macro_rules! builtin_entry {
    ($implementation:path) => {
        ::core::arch::naked_asm!(
            "stp x29, x30, [sp, #-16]!",
            "mov x29, sp",
            "ldr x16, [x0, {store}]",
            "str x29, [x16, {exit_fp}]",
            "bl {implementation}",
            "cbnz x1, 2f",
            "ldp x29, x30, [sp], #16",
            "ret",
            "2:",
            "mov sp, x0",
            "mov w0, #0",
            "b {leave}",
            store = const ::core::mem::offset_of!(::meantime_abi::VmHeader, store),
            exit_fp = const ::core::mem::offset_of!(::meantime_abi::VmStoreContext, exit_fp),
            implementation = sym $implementation,
            leave = sym $crate::arch::leave,
        )
    };
}
pub(crate) use builtin_entry;
