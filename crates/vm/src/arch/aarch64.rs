//! Entering, leaving and unwinding on AArch64, with the AAPCS64 convention on the host's side.

use crate::stubs::Passing;
use core::arch::{asm, naked_asm};
use core::mem::offset_of;
use meantime_abi::{
    CodePtr, CodeSlot, EnterPtr, FUEL_REGISTER_AARCH64, ValRaw, VmContext, VmHeader, VmStoreContext,
};

/// Where in the frame of `enter` the store's previous `exit_fp` lies, in bytes below its frame pointer.
pub(crate) const SAVED_EXIT_FP_BELOW: usize = 160;
/// Where in the frame of `enter` the store's previous `entry_fp` lies, in bytes below its frame pointer.
pub(crate) const SAVED_ENTRY_FP_BELOW: usize = 168;

/// The registers that functions of the guest preserve, by their numbers.
pub(crate) const PRESERVED: [u8; 10] = [19, 20, 21, 22, 23, 24, 25, 26, 27, 28];
/// Which of them passes the counter of fuel, in code that counts it.
pub(crate) const FUEL: usize = 2;
const _: () = assert!(PRESERVED[FUEL] == FUEL_REGISTER_AARCH64);

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

/// Goes on in the guest at a handler, which finds the exception in its first payload register, and what it expects in [`PRESERVED`].
///
/// # Safety
///
/// The place is a handler's of a guest frame with this frame pointer, and no Rust frame below it owns anything.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn resume_at(
    pc: usize,
    sp: usize,
    fp: usize,
    exception: u64,
    registers: &[usize; PRESERVED.len()],
) -> ! {
    naked_asm!(
        "ldp x19, x20, [x4]",
        "ldp x21, x22, [x4, #16]",
        "ldp x23, x24, [x4, #32]",
        "ldp x25, x26, [x4, #48]",
        "ldp x27, x28, [x4, #64]",
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

/// The body of a builtin's entry point: records the exit frame, puts [`PRESERVED`] in words below its frame pointer, calls `$implementation`, which returns a value and a status in two
/// registers, and returns the value, or unwinds to it when the status is not zero.
macro_rules! builtin_entry {
    ($implementation:path) => {
        ::core::arch::naked_asm!(
            "stp x29, x30, [sp, #-16]!",
            "mov x29, sp",
            "ldr x16, [x0, {store}]",
            "str x29, [x16, {exit_fp}]",
            "stp x20, x19, [sp, #-16]!",
            "stp x22, x21, [sp, #-16]!",
            "stp x24, x23, [sp, #-16]!",
            "stp x26, x25, [sp, #-16]!",
            "stp x28, x27, [sp, #-16]!",
            "bl {implementation}",
            "cbnz x1, 2f",
            "add sp, sp, #80",
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

/// Where the instruction ends that starts here.
///
/// # Safety
///
/// It is a load.
pub(crate) unsafe fn after_load(pc: usize) -> usize {
    pc + 4
}

/// The same for code that has no parameters and no result, and leaves all registers as they are, those too whose lower halves alone the platform's
/// convention keeps: `$implementation` gets the frame pointer, and records it.
macro_rules! preserving_entry {
    ($implementation:path) => {
        ::core::arch::naked_asm!(
            "stp x29, x30, [sp, #-16]!",
            "mov x29, sp",
            "stp x0, x1, [sp, #-16]!",
            "stp x2, x3, [sp, #-16]!",
            "stp x4, x5, [sp, #-16]!",
            "stp x6, x7, [sp, #-16]!",
            "stp x8, x9, [sp, #-16]!",
            "stp x10, x11, [sp, #-16]!",
            "stp x12, x13, [sp, #-16]!",
            "stp x14, x15, [sp, #-16]!",
            "stp x16, x17, [sp, #-16]!",
            "stp q0, q1, [sp, #-32]!",
            "stp q2, q3, [sp, #-32]!",
            "stp q4, q5, [sp, #-32]!",
            "stp q6, q7, [sp, #-32]!",
            "stp q8, q9, [sp, #-32]!",
            "stp q10, q11, [sp, #-32]!",
            "stp q12, q13, [sp, #-32]!",
            "stp q14, q15, [sp, #-32]!",
            "stp q16, q17, [sp, #-32]!",
            "stp q18, q19, [sp, #-32]!",
            "stp q20, q21, [sp, #-32]!",
            "stp q22, q23, [sp, #-32]!",
            "stp q24, q25, [sp, #-32]!",
            "stp q26, q27, [sp, #-32]!",
            "stp q28, q29, [sp, #-32]!",
            "stp q30, q31, [sp, #-32]!",
            "mov x0, x29",
            "bl {implementation}",
            "cbnz x1, 2f",
            "ldp q30, q31, [sp], #32",
            "ldp q28, q29, [sp], #32",
            "ldp q26, q27, [sp], #32",
            "ldp q24, q25, [sp], #32",
            "ldp q22, q23, [sp], #32",
            "ldp q20, q21, [sp], #32",
            "ldp q18, q19, [sp], #32",
            "ldp q16, q17, [sp], #32",
            "ldp q14, q15, [sp], #32",
            "ldp q12, q13, [sp], #32",
            "ldp q10, q11, [sp], #32",
            "ldp q8, q9, [sp], #32",
            "ldp q6, q7, [sp], #32",
            "ldp q4, q5, [sp], #32",
            "ldp q2, q3, [sp], #32",
            "ldp q0, q1, [sp], #32",
            "ldp x16, x17, [sp], #16",
            "ldp x14, x15, [sp], #16",
            "ldp x12, x13, [sp], #16",
            "ldp x10, x11, [sp], #16",
            "ldp x8, x9, [sp], #16",
            "ldp x6, x7, [sp], #16",
            "ldp x4, x5, [sp], #16",
            "ldp x2, x3, [sp], #16",
            "ldp x0, x1, [sp], #16",
            "ldp x29, x30, [sp], #16",
            "ret",
            "2:",
            "mov sp, x0",
            "mov w0, #0",
            "b {leave}",
            implementation = sym $implementation,
            leave = sym $crate::arch::leave,
        )
    };
}
pub(crate) use preserving_entry;

/// Bytes in front of a chunk of stubs.
pub(crate) const STUB_HEADER: usize = 32;
/// Bytes of a function's stubs.
pub(crate) const STUB: usize = 48;
/// Where among them the lazy stub stands; the thunk comes first.
pub(crate) const LAZY_STUB_AT: usize = 32;
/// An undefined instruction is four of these.
pub(crate) const FILLER: u8 = 0;

fn words(text: &mut Vec<u8>, words: &[u32]) {
    text.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

/// `movz w17, low; movk w17, high, lsl 16`
fn load_w17(value: u32) -> [u32; 2] {
    [
        0x5280_0011 | (value & 0xffff) << 5,
        0x72a0_0011 | (value >> 16) << 5,
    ]
}

/// The way from a chunk's stubs to `lazy_entry`: `ldr x16, 8; br x16` before its address.
pub(crate) fn write_stub_header(text: &mut Vec<u8>) {
    words(text, &[0x5800_0050, 0xd61f_0200]);
    text.extend((lazy_entry as *const () as u64).to_le_bytes());
    text.resize(STUB_HEADER, FILLER);
}

/// `ldr x16, [x2, code_slots]; movz, movk w17, slot; ldr x16, [x16, x17]; br x16`
///
/// The context is always in `x2`; room for results is in a register of its own.
pub(crate) fn write_thunk(text: &mut Vec<u8>, _passing: Passing, func: u32) {
    const SLOTS: u32 = offset_of!(VmContext, code_slots) as u32;
    const _: () = assert!(SLOTS.is_multiple_of(8));
    const _: () = assert!(offset_of!(CodeSlot, code) == 0);
    let [low, high] = load_w17(func * size_of::<CodeSlot>() as u32);
    let load_slots = 0xf940_0050 | (SLOTS / 8) << 10;
    words(text, &[load_slots, low, high, 0xf871_6a10, 0xd61f_0200]);
}

/// `movz, movk w17, func; b header`
pub(crate) fn write_lazy_stub(text: &mut Vec<u8>, _passing: Passing, func: u32) {
    let [low, high] = load_w17(func);
    let words_back = text.len() as u32 / 4 + 2;
    let branch = 0x1400_0000 | words_back.wrapping_neg() & 0x03ff_ffff;
    words(text, &[low, high, branch]);
}

/// Where a function without code is called, with its number in `w17`: has it compiled, and goes on there with all arguments as they were.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn lazy_entry() {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "sub sp, sp, #208",
        "stp x0, x1, [sp]",
        "stp x2, x3, [sp, #16]",
        "stp x4, x5, [sp, #32]",
        "stp x6, x7, [sp, #48]",
        "stp x8, x9, [sp, #64]",
        "stp q0, q1, [sp, #80]",
        "stp q2, q3, [sp, #112]",
        "stp q4, q5, [sp, #144]",
        "stp q6, q7, [sp, #176]",
        "ldr x16, [x2, {store}]",
        "str x29, [x16, {exit_fp}]",
        // In case that the guest is stopped. Where no fuel is counted, nobody looks.
        "str x21, [x16, {fuel}]",
        "mov x0, x2",
        "mov w1, w17",
        "bl {compile}",
        "cbnz x1, 2f",
        "mov x16, x0",
        "ldp x0, x1, [sp]",
        "ldp x2, x3, [sp, #16]",
        "ldp x4, x5, [sp, #32]",
        "ldp x6, x7, [sp, #48]",
        "ldp x8, x9, [sp, #64]",
        "ldp q0, q1, [sp, #80]",
        "ldp q2, q3, [sp, #112]",
        "ldp q4, q5, [sp, #144]",
        "ldp q6, q7, [sp, #176]",
        "mov sp, x29",
        "ldp x29, x30, [sp], #16",
        "br x16",
        "2:",
        "mov sp, x0",
        "mov w0, #0",
        "b {leave}",
        store = const offset_of!(VmHeader, store),
        exit_fp = const offset_of!(VmStoreContext, exit_fp),
        fuel = const offset_of!(VmStoreContext, fuel),
        compile = sym crate::builtins::compile_lazily,
        leave = sym leave,
    )
}
