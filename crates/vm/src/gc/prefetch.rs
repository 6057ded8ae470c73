//! Memory that will be needed soon.
//!
//! The one idea: it is a hint. No address is wrong, and nothing but time depends on it.

/// Has the processor fetch what is at an address.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn prefetch(address: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: the instruction never faults.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
}

/// Has the processor fetch what is at an address.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(super) fn prefetch(address: *const u8) {
    // SAFETY: the instruction never faults and changes nothing.
    unsafe {
        std::arch::asm!(
            "prfm pldl1keep, [{}]",
            in(reg) address,
            options(nostack, preserves_flags, readonly)
        );
    }
}
