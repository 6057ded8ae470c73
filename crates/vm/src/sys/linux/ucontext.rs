//! The registers that a signal handler sees and sets, by architecture.

use libc::ucontext_t;

/// Program counter and frame pointer of the interrupted code.
#[cfg(target_arch = "x86_64")]
pub fn program_counter_and_frame(context: &ucontext_t) -> (usize, usize) {
    let registers = &context.uc_mcontext.gregs;
    (
        registers[libc::REG_RIP as usize] as usize,
        registers[libc::REG_RBP as usize] as usize,
    )
}

/// The register that passes the counter of fuel.
#[cfg(target_arch = "x86_64")]
pub fn fuel(context: &ucontext_t) -> u64 {
    const { assert!(meantime_abi::FUEL_REGISTER_X86_64 == 15) };
    context.uc_mcontext.gregs[libc::REG_R15 as usize] as u64
}

/// Makes the interrupted thread continue as if it had called `target(argument)`, below what is on its stack.
#[cfg(target_arch = "x86_64")]
pub fn redirect(context: &mut ucontext_t, target: usize, argument: usize) {
    const RED_ZONE: i64 = 128;
    const DIRECTION_FLAG: i64 = 1 << 10;
    let registers = &mut context.uc_mcontext.gregs;
    // At a function's first instruction the stack pointer is 8 below a multiple of 16, as if a return address had been pushed.
    let sp = ((registers[libc::REG_RSP as usize] - RED_ZONE) & !15) - 8;
    registers[libc::REG_RSP as usize] = sp;
    registers[libc::REG_RIP as usize] = target as i64;
    registers[libc::REG_RDI as usize] = argument as i64;
    registers[libc::REG_EFL as usize] &= !DIRECTION_FLAG;
}

/// Makes the interrupted thread continue as if it had called `target` from in front of `return_to`.
///
/// # Safety
///
/// Nothing is below the thread's stack pointer, which is as a call needs it.
#[cfg(target_arch = "x86_64")]
pub unsafe fn call(context: &mut ucontext_t, target: usize, return_to: usize) {
    let registers = &mut context.uc_mcontext.gregs;
    let sp = registers[libc::REG_RSP as usize] - 8;
    // SAFETY: by the caller; the guest leaves the host room on its stack.
    unsafe { (sp as *mut usize).write(return_to) };
    registers[libc::REG_RSP as usize] = sp;
    registers[libc::REG_RIP as usize] = target as i64;
}

/// Sets the register in which the optimizer's functions have the limit of the stack when they start.
#[cfg(target_arch = "x86_64")]
pub fn set_stack_limit(context: &mut ucontext_t, limit: usize) {
    context.uc_mcontext.gregs[libc::REG_R10 as usize] = limit as i64;
}

/// Program counter and frame pointer of the interrupted code.
#[cfg(target_arch = "aarch64")]
pub fn program_counter_and_frame(context: &ucontext_t) -> (usize, usize) {
    (
        context.uc_mcontext.pc as usize,
        context.uc_mcontext.regs[29] as usize,
    )
}

/// The register that passes the counter of fuel.
#[cfg(target_arch = "aarch64")]
pub fn fuel(context: &ucontext_t) -> u64 {
    context.uc_mcontext.regs[usize::from(meantime_abi::FUEL_REGISTER_AARCH64)]
}

/// Makes the interrupted thread continue as if it had called `target(argument)`, below what is on its stack.
#[cfg(target_arch = "aarch64")]
pub fn redirect(context: &mut ucontext_t, target: usize, argument: usize) {
    let machine = &mut context.uc_mcontext;
    machine.sp &= !15;
    machine.pc = target as u64;
    machine.regs[0] = argument as u64;
    machine.regs[30] = 0;
}

/// Makes the interrupted thread continue as if it had called `target` from in front of `return_to`.
///
/// # Safety
///
/// The code there keeps nothing in the link register, and its stack pointer is as a call needs it.
#[cfg(target_arch = "aarch64")]
pub unsafe fn call(context: &mut ucontext_t, target: usize, return_to: usize) {
    let machine = &mut context.uc_mcontext;
    machine.regs[30] = return_to as u64;
    machine.pc = target as u64;
}

/// Sets the register in which the optimizer's functions have the limit of the stack when they start.
#[cfg(target_arch = "aarch64")]
pub fn set_stack_limit(context: &mut ucontext_t, limit: usize) {
    context.uc_mcontext.regs[16] = limit as u64;
}
