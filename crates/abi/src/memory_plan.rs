//! How a memory lies in the address space, decided once for compiler and runtime.
//!
//! The one idea: [`MemoryPlan::new`] is a pure function of the memory's type and the [`Tunables`]. The compiler asks it
//! which checks an access needs, the runtime asks it how much to reserve, and so what is unchecked is always guarded.

use crate::{AddrType, MemoryType, Tunables};

/// What keeps an access of a memory inside it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Bounds {
    /// The whole 32-bit index space is reserved and guards follow it: an access whose constant offset plus size is at most
    /// `guard` bytes needs no check.
    Guarded {
        /// Bytes of guard after the reservation.
        guard: u64,
    },
    /// Every access is compared with the memory's current length.
    Explicit,
}

/// How a memory lies in the address space.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct MemoryPlan {
    /// Bytes reserved from the base on, without guards. A memory whose size fits never moves.
    pub reservation: u64,
    /// Bytes of guard after the reservation.
    pub guard: u64,
    /// Whether a guard of the same size stands in front.
    pub guard_before: bool,
    /// Whether the memory may get another base when it grows beyond `reservation`.
    pub may_move: bool,
    /// What keeps accesses inside.
    pub bounds: Bounds,
}

impl MemoryPlan {
    /// The plan for a memory of this type.
    pub fn new(ty: &MemoryType, tunables: &Tunables) -> MemoryPlan {
        let guard = tunables.memory_guard_size;
        // A memory that can never be larger than its reservation never moves; a shared memory must not.
        let max = ty.max.unwrap_or(u64::MAX).min(ty.max_pages_by_addr());
        let max_bytes = max.saturating_mul(ty.page_size());
        let reservation = if ty.shared {
            max_bytes
        } else {
            tunables.memory_reservation
        };
        let whole_index_space = 1u64 << 32;
        // Bounds that are not a multiple of the host's page size cannot be told by the hardware.
        let by_hardware = tunables.signals_based_traps
            && ty.addr == AddrType::I32
            && ty.page_size_log2 >= 16
            && tunables.memory_reservation >= whole_index_space;
        if by_hardware {
            return MemoryPlan {
                reservation: tunables.memory_reservation,
                guard,
                guard_before: tunables.guard_before_linear_memory,
                may_move: false,
                bounds: Bounds::Guarded { guard },
            };
        }
        MemoryPlan {
            reservation: reservation.min(max_bytes.max(ty.min_bytes().unwrap_or(u64::MAX))),
            guard,
            guard_before: tunables.guard_before_linear_memory,
            may_move: !ty.shared && tunables.memory_may_move && max_bytes > reservation,
            bounds: Bounds::Explicit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(addr: AddrType, min: u64, max: Option<u64>) -> MemoryType {
        MemoryType {
            addr,
            shared: false,
            min,
            max,
            page_size_log2: 16,
        }
    }

    #[test]
    fn guards_cover_all_that_is_unchecked() {
        let plan = MemoryPlan::new(&memory(AddrType::I32, 1, None), &Tunables::default());
        assert_eq!(plan.bounds, Bounds::Guarded { guard: 32 << 20 });
        assert!(plan.reservation >= 1 << 32);
        assert!(!plan.may_move);
    }

    #[test]
    fn small_reservations_64_bit_addresses_and_no_signals_mean_checks() {
        let small = Tunables {
            memory_reservation: 0,
            ..Tunables::default()
        };
        let no_signals = Tunables {
            signals_based_traps: false,
            ..Tunables::default()
        };
        for (ty, tunables) in [
            (memory(AddrType::I32, 1, None), &small),
            (memory(AddrType::I32, 1, None), &no_signals),
            (memory(AddrType::I64, 1, None), &Tunables::default()),
        ] {
            assert_eq!(MemoryPlan::new(&ty, tunables).bounds, Bounds::Explicit);
        }
    }

    #[test]
    fn a_bounded_memory_that_fits_never_moves() {
        let plan = MemoryPlan::new(&memory(AddrType::I64, 1, Some(4)), &Tunables::default());
        assert!(!plan.may_move);
        assert_eq!(plan.reservation, 4 << 16);
    }
}
