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
    /// 64-bit indices: `limit` bytes are reserved and guards follow them. An index of at least `limit` is replaced by `limit` itself, and
    /// then an access whose constant offset plus size is at most `guard` bytes needs no check.
    Clamped {
        /// Bytes reserved; the same for every memory, so that an import's type need not say how large the memory can be.
        limit: u64,
        /// Bytes of guard after the reservation.
        guard: u64,
        /// A quarter of that, if a guard stands in front too, or else zero: an index from `-margin` to `limit + margin` may stay what it
        /// is and others be replaced by `limit + 2 * margin`, and then accesses without an offset whose own indices are up to `margin` bytes
        /// away from it need no check of theirs.
        margin: u64,
    },
    /// Every access is compared with the memory's current length.
    Explicit,
}

/// Bytes reserved for a memory with 64-bit addresses, unless `Tunables::memory_reservation` is more. A memory cannot grow beyond.
const RESERVATION_64: u64 = 64 << 30;

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
            && ty.page_size_log2 >= 16
            && tunables.memory_reservation >= whole_index_space;
        if by_hardware {
            let (reservation, bounds) = match ty.addr {
                AddrType::I32 => (tunables.memory_reservation, Bounds::Guarded { guard }),
                AddrType::I64 => {
                    let limit = tunables.memory_reservation.max(RESERVATION_64);
                    let before = tunables.guard_before_linear_memory;
                    let margin = if before { guard / 4 } else { 0 };
                    let bounds = Bounds::Clamped {
                        limit,
                        guard,
                        margin,
                    };
                    (limit, bounds)
                }
            };
            return MemoryPlan {
                reservation,
                guard,
                guard_before: tunables.guard_before_linear_memory,
                may_move: false,
                bounds,
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
    fn the_plan_of_64_bit_addresses_does_not_depend_on_sizes() {
        let tunables = Tunables::default();
        let plan = MemoryPlan::new(&memory(AddrType::I64, 1, None), &tunables);
        let (limit, guard) = (plan.reservation, plan.guard);
        let margin = guard / 4;
        let bounds = Bounds::Clamped {
            limit,
            guard,
            margin,
        };
        assert_eq!(plan.bounds, bounds);
        assert_eq!(
            plan,
            MemoryPlan::new(&memory(AddrType::I64, 0, Some(4)), &tunables)
        );
        let large = Tunables {
            memory_reservation: 1 << 40,
            ..Tunables::default()
        };
        let plan = MemoryPlan::new(&memory(AddrType::I64, 1, None), &large);
        assert_eq!(plan.reservation, 1 << 40);
        let no_guard_before = Tunables {
            guard_before_linear_memory: false,
            ..Tunables::default()
        };
        let plan = MemoryPlan::new(&memory(AddrType::I64, 1, None), &no_guard_before);
        assert!(matches!(plan.bounds, Bounds::Clamped { margin: 0, .. }));
    }

    #[test]
    fn small_reservations_and_no_signals_mean_checks() {
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
            (memory(AddrType::I64, 1, None), &small),
            (memory(AddrType::I64, 1, None), &no_signals),
        ] {
            assert_eq!(MemoryPlan::new(&ty, tunables).bounds, Bounds::Explicit);
        }
    }

    #[test]
    fn a_bounded_memory_that_fits_never_moves() {
        let explicit = Tunables {
            signals_based_traps: false,
            ..Tunables::default()
        };
        let plan = MemoryPlan::new(&memory(AddrType::I64, 1, Some(4)), &explicit);
        assert!(!plan.may_move);
        assert_eq!(plan.reservation, 4 << 16);
    }
}
