//! Entering, leaving and unwinding on x86-64, with the System V convention on the host's side.

use crate::stubs::Passing;
use core::arch::{asm, naked_asm};
use core::mem::offset_of;
use meantime_abi::{
    CodePtr, CodeSlot, EnterPtr, FUEL_REGISTER_X86_64, ValRaw, VmContext, VmHeader, VmStoreContext,
};

/// Where in the frame of `enter` the store's previous `exit_fp` lies, in bytes below its frame pointer.
pub(crate) const SAVED_EXIT_FP_BELOW: usize = 56;
/// Where in the frame of `enter` the store's previous `entry_fp` lies, in bytes below its frame pointer.
pub(crate) const SAVED_ENTRY_FP_BELOW: usize = 64;

/// The registers that functions of the guest preserve, by their numbers.
pub(crate) const PRESERVED: [u8; 5] = [3, 12, 13, 14, 15];
/// Which of them passes the counter of fuel, in code that counts it.
pub(crate) const FUEL: usize = 4;
const _: () = assert!(PRESERVED[FUEL] == FUEL_REGISTER_X86_64);

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
        "push rbp",
        "mov rbp, rsp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rdi",
        "push qword ptr [rdi + {exit_fp}]",
        "push qword ptr [rdi + {entry_fp}]",
        "push qword ptr [rdi + {entry_sp}]",
        // Return address and ten words: one more makes a multiple of 16.
        "sub rsp, 8",
        "mov [rdi + {entry_fp}], rbp",
        "mov [rdi + {entry_sp}], rsp",
        "mov rdi, rsi",
        "mov rsi, rdx",
        "mov rdx, rcx",
        "call r8",
        "mov eax, 1",
        "jmp {leave}",
        exit_fp = const offset_of!(VmStoreContext, exit_fp),
        entry_fp = const offset_of!(VmStoreContext, entry_fp),
        entry_sp = const offset_of!(VmStoreContext, entry_sp),
        leave = sym leave,
    )
}

/// The end of `enter`, with its stack pointer restored and the result in `eax`.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn leave() {
    naked_asm!(
        "add rsp, 8",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "mov [rdi + {entry_sp}], rcx",
        "mov [rdi + {entry_fp}], rdx",
        "mov [rdi + {exit_fp}], rsi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
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
        "mov rsp, rdi",
        "xor eax, eax",
        "jmp {leave}",
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
        "mov rbx, [r8]",
        "mov r12, [r8 + 8]",
        "mov r13, [r8 + 16]",
        "mov r14, [r8 + 24]",
        "mov r15, [r8 + 32]",
        "mov rsp, rsi",
        "mov rbp, rdx",
        "mov rax, rcx",
        "jmp rdi",
    )
}

/// The stack pointer, about.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: copies a register.
    unsafe { asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    sp
}

/// The body of a builtin's entry point: records the exit frame, puts [`PRESERVED`] in words below its frame pointer, calls `$implementation`, which returns a value and a status in two
/// registers, and returns the value, or unwinds to it when the status is not zero.
macro_rules! builtin_entry {
    ($implementation:path) => {
        ::core::arch::naked_asm!(
            "push rbp",
            "mov rbp, rsp",
            "mov r11, [rdi + {store}]",
            "mov [r11 + {exit_fp}], rbp",
            "push rbx",
            "push r12",
            "push r13",
            "push r14",
            "push r15",
            // With the return address and six words a multiple of 16.
            "sub rsp, 8",
            "call {implementation}",
            "test edx, edx",
            "jnz 2f",
            "leave",
            "ret",
            "2:",
            "mov rsp, rax",
            "xor eax, eax",
            "jmp {leave}",
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
/// It is a `mov` from memory to a register, without prefixes but REX.
pub(crate) unsafe fn after_load(pc: usize) -> usize {
    // SAFETY: only bytes of the instruction are read.
    let byte = |at: usize| unsafe { (at as *const u8).read() };
    let mut at = pc;
    if byte(at) & 0xf0 == 0x40 {
        at += 1;
    }
    debug_assert_eq!(byte(at), 0x8b);
    let (mode, base) = (byte(at + 1) >> 6, byte(at + 1) & 7);
    at += 2;
    let mut base_or_none = base;
    if base == 4 {
        // The SIB byte.
        base_or_none = byte(at) & 7;
        at += 1;
    }
    match mode {
        1 => at + 1,
        2 => at + 4,
        // No base, or the program counter.
        _ if base_or_none == 5 => at + 4,
        _ => at,
    }
}

/// The same for code that has no parameters and no result, and leaves all registers as they are: `$implementation` gets the frame pointer, and records it.
macro_rules! preserving_entry {
    ($implementation:path) => {
        ::core::arch::naked_asm!(
            "push rbp",
            "mov rbp, rsp",
            "push rax",
            "push rcx",
            "push rdx",
            "push rsi",
            "push rdi",
            "push r8",
            "push r9",
            "push r10",
            "push r11",
            // Room for the vectors, and with it and eleven words a multiple of 16.
            "sub rsp, 264",
            "movups [rsp], xmm0",
            "movups [rsp + 16], xmm1",
            "movups [rsp + 32], xmm2",
            "movups [rsp + 48], xmm3",
            "movups [rsp + 64], xmm4",
            "movups [rsp + 80], xmm5",
            "movups [rsp + 96], xmm6",
            "movups [rsp + 112], xmm7",
            "movups [rsp + 128], xmm8",
            "movups [rsp + 144], xmm9",
            "movups [rsp + 160], xmm10",
            "movups [rsp + 176], xmm11",
            "movups [rsp + 192], xmm12",
            "movups [rsp + 208], xmm13",
            "movups [rsp + 224], xmm14",
            "movups [rsp + 240], xmm15",
            "mov rdi, rbp",
            "call {implementation}",
            "test edx, edx",
            "jnz 2f",
            "movups xmm0, [rsp]",
            "movups xmm1, [rsp + 16]",
            "movups xmm2, [rsp + 32]",
            "movups xmm3, [rsp + 48]",
            "movups xmm4, [rsp + 64]",
            "movups xmm5, [rsp + 80]",
            "movups xmm6, [rsp + 96]",
            "movups xmm7, [rsp + 112]",
            "movups xmm8, [rsp + 128]",
            "movups xmm9, [rsp + 144]",
            "movups xmm10, [rsp + 160]",
            "movups xmm11, [rsp + 176]",
            "movups xmm12, [rsp + 192]",
            "movups xmm13, [rsp + 208]",
            "movups xmm14, [rsp + 224]",
            "movups xmm15, [rsp + 240]",
            "add rsp, 264",
            "pop r11",
            "pop r10",
            "pop r9",
            "pop r8",
            "pop rdi",
            "pop rsi",
            "pop rdx",
            "pop rcx",
            "pop rax",
            "pop rbp",
            "ret",
            "2:",
            "mov rsp, rax",
            "xor eax, eax",
            "jmp {leave}",
            implementation = sym $implementation,
            leave = sym $crate::arch::leave,
        )
    };
}
pub(crate) use preserving_entry;

/// Bytes in front of a chunk of stubs.
pub(crate) const STUB_HEADER: usize = 32;
/// Bytes of a function's stubs.
pub(crate) const STUB: usize = 32;
/// Where among them the lazy stub stands; the thunk comes first.
pub(crate) const LAZY_STUB_AT: usize = 16;
/// `int3`
pub(crate) const FILLER: u8 = 0xcc;

/// The way from a chunk's stubs to `lazy_entry`: `jmp [rip]` over its address.
pub(crate) fn write_stub_header(text: &mut Vec<u8>) {
    text.extend([0xff, 0x25, 0, 0, 0, 0]);
    text.extend((lazy_entry as *const () as u64).to_le_bytes());
    text.resize(STUB_HEADER, FILLER);
}

/// `mov r11, [context + code_slots]; jmp [r11 + slot]`, with the context in `rdi`, or in `rsi` behind the room for results.
pub(crate) fn write_thunk(text: &mut Vec<u8>, passing: Passing, func: u32) {
    const SLOTS: usize = offset_of!(VmContext, code_slots);
    const _: () = assert!(SLOTS < 128);
    const _: () = assert!(offset_of!(CodeSlot, code) == 0);
    let base = match passing {
        Passing::ContextFirst => 0x5f,
        Passing::RoomFirst => 0x5e,
    };
    text.extend([0x4c, 0x8b, base, SLOTS as u8, 0x41, 0xff, 0xa3]);
    text.extend((func * size_of::<CodeSlot>() as u32).to_le_bytes());
}

/// `mov r11d, func; mov r10, context; jmp header`
pub(crate) fn write_lazy_stub(text: &mut Vec<u8>, passing: Passing, func: u32) {
    text.extend([0x41, 0xbb]);
    text.extend(func.to_le_bytes());
    let from = match passing {
        Passing::ContextFirst => 0xfa,
        Passing::RoomFirst => 0xf2,
    };
    text.extend([0x49, 0x89, from]);
    text.push(0xe9);
    let distance = -(text.len() as i32 + 4);
    text.extend(distance.to_le_bytes());
}

/// Where a function without code is called, with its number in `r11d` and its context in `r10`: has it compiled, and goes on there with all arguments as they were.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn lazy_entry() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 176",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "movups [rsp + 48], xmm0",
        "movups [rsp + 64], xmm1",
        "movups [rsp + 80], xmm2",
        "movups [rsp + 96], xmm3",
        "movups [rsp + 112], xmm4",
        "movups [rsp + 128], xmm5",
        "movups [rsp + 144], xmm6",
        "movups [rsp + 160], xmm7",
        "mov rax, [r10 + {store}]",
        "mov [rax + {exit_fp}], rbp",
        // In case that the guest is stopped. Where no fuel is counted, nobody looks.
        "mov [rax + {fuel}], r15",
        "mov rdi, r10",
        "mov esi, r11d",
        "call {compile}",
        "test edx, edx",
        "jnz 2f",
        "mov r11, rax",
        "mov rdi, [rsp]",
        "mov rsi, [rsp + 8]",
        "mov rdx, [rsp + 16]",
        "mov rcx, [rsp + 24]",
        "mov r8, [rsp + 32]",
        "mov r9, [rsp + 40]",
        "movups xmm0, [rsp + 48]",
        "movups xmm1, [rsp + 64]",
        "movups xmm2, [rsp + 80]",
        "movups xmm3, [rsp + 96]",
        "movups xmm4, [rsp + 112]",
        "movups xmm5, [rsp + 128]",
        "movups xmm6, [rsp + 144]",
        "movups xmm7, [rsp + 160]",
        "leave",
        "jmp r11",
        "2:",
        "mov rsp, rax",
        "xor eax, eax",
        "jmp {leave}",
        store = const offset_of!(VmHeader, store),
        exit_fp = const offset_of!(VmStoreContext, exit_fp),
        fuel = const offset_of!(VmStoreContext, fuel),
        compile = sym crate::builtins::compile_lazily,
        leave = sym leave,
    )
}
