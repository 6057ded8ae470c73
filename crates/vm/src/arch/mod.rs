//! The few routines that cannot be written in Rust, one file per instruction set with the same names in each.
//!
//! The one idea: between the host's convention (the platform's C) and the guest's (Cranelift's `tail`, of which nothing but the stack and
//! frame pointers is relied on here) stands one frame, made by `enter`. It keeps the host's registers and the store's previous entry and exit
//! records, so that returning from it, in either of two ways, restores the host: with 1 when the guest returned, with 0 when
//! `unwind_to` cut the guest's frames off.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::*;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
compile_error!(
    "meantime-vm has no entry routines for this instruction set yet: write src/arch/<set>.rs with the items of src/arch/x86_64.rs"
);

/// A frame record: what a frame pointer points to.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub(crate) struct FrameRecord {
    /// The caller's frame pointer.
    pub fp: usize,
    /// Where the function returns to, in the caller.
    pub return_address: usize,
}
