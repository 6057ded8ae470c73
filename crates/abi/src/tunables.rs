//! The options that change what machine code looks like, and so must be the same when it is made and when it runs.
//!
//! An artifact records them; loading one that was made with others is refused.

use crate::FuelCosts;
use serde::{Deserialize, Serialize};

/// How hard the optimizer tries.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum OptLevel {
    /// Not at all.
    None,
    /// For speed.
    Speed,
    /// For speed, and then for size.
    SpeedAndSize,
}

/// How the optimizer allocates registers.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum RegallocAlgorithm {
    /// Slower to compile, faster code.
    Backtracking,
    /// Faster to compile, slower code.
    SinglePass,
}

/// What compiled code takes for granted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Tunables {
    /// Bytes of address space reserved for each memory.
    pub memory_reservation: u64,
    /// Bytes after a memory's reservation that fault on every access.
    pub memory_guard_size: u64,
    /// Bytes reserved beyond a memory that has moved, to grow into.
    pub memory_reservation_for_growth: u64,
    /// Whether a memory may move when it grows beyond its reservation.
    pub memory_may_move: bool,
    /// Whether a memory has a guard in front of it too.
    pub guard_before_linear_memory: bool,
    /// Whether a hardware fault can be a trap. If not, code checks explicitly.
    pub signals_based_traps: bool,
    /// Whether initial memory contents are mapped copy-on-write.
    pub memory_init_cow: bool,
    /// Whether tables of functions are filled on first use of an element.
    pub table_lazy_init: bool,
    /// Whether code addresses are mapped to offsets in the module.
    pub generate_address_map: bool,
    /// Whether relaxed vector instructions have the result that is the same on every machine.
    pub relaxed_simd_deterministic: bool,
    /// Whether every NaN that an instruction makes is the canonical one.
    pub nan_canonicalization: bool,
    /// Whether code counts fuel.
    pub consume_fuel: bool,
    /// How much fuel operators cost, where code counts it; the default where not.
    pub operator_cost: FuelCosts,
    /// Whether code checks the epoch.
    pub epoch_interruption: bool,
    /// Whether code is made function by function while the program runs: then functions of a module call each other through their
    /// [`CodeSlot`](crate::CodeSlot)s, and code of the first tier counts against its budget.
    pub tiered: bool,
    /// Whether small callees may be compiled into their callers.
    pub inlining: bool,
    /// Whether code is laid out by what the module says of its branches.
    pub branch_hinting: bool,
    /// How hard to optimize.
    pub opt_level: OptLevel,
    /// How to allocate registers.
    pub regalloc: RegallocAlgorithm,
}

impl Default for Tunables {
    fn default() -> Tunables {
        Tunables {
            memory_reservation: 4 << 30,
            memory_guard_size: 32 << 20,
            memory_reservation_for_growth: 2 << 30,
            memory_may_move: true,
            guard_before_linear_memory: true,
            signals_based_traps: true,
            memory_init_cow: true,
            table_lazy_init: true,
            generate_address_map: true,
            relaxed_simd_deterministic: false,
            nan_canonicalization: false,
            consume_fuel: false,
            operator_cost: FuelCosts::default(),
            epoch_interruption: false,
            tiered: false,
            inlining: true,
            branch_hinting: false,
            opt_level: OptLevel::Speed,
            regalloc: RegallocAlgorithm::Backtracking,
        }
    }
}
