//! How fuel is counted: the rules that every compiler follows, so that a program uses the same amount whoever compiled it.
//!
//! The counter is minus what is left, so that it counts up and there is fuel as long as it is negative. While the host runs, it is
//! [`VmStoreContext::fuel`](crate::VmStoreContext::fuel). Guests pass it on to each other in a register that no code of theirs uses for anything else
//! ([`FUEL_REGISTER_X86_64`], [`FUEL_REGISTER_AARCH64`]); trampolines move it. Between the places that rule 5 names, code keeps it wherever it likes.
//!
//! 1. Entering a function costs [`FUEL_ENTRY`].
//! 2. An operator costs what its kind costs ([`FuelCosts::operators`]) whenever control comes to it from the operator before it, and before it
//!    does anything. A branch to a loop leads behind `loop`, and a branch out of a block behind its `end`: it pays for neither.
//! 3. An operator on many bytes, pages or elements ([`FuelUnit`]) costs in addition that many times the unit's cost. The number is its topmost
//!    operand, whether or not the operator succeeds; those that grow something count no more than [`MAX_GROWN_UNITS`].
//! 4. Right after the cost of rule 1, and at the start of a loop whenever control comes there, code checks: a counter that is not negative is the
//!    trap [`OutOfFuel`](crate::Trap::OutOfFuel). There are no other checks.
//! 5. The register has the counter, with all costs so far, when a function is entered, called, returned from or left by a tail call; at the check at
//!    the start of a loop; and at `throw`, `throw_ref` and `unreachable`. Nowhere else does it change. A call's own cost is among those before it. After a
//!    call, and where an exception is caught, code takes the counter from there.
//! 6. When code is called that [`VmStoreContext::interrupt`](crate::VmStoreContext::interrupt) leads to, the counter is in memory, with all costs so far; after
//!    that it is read again, and the register has it.
//!
//! So a host function sees an exact number and may change it. Whatever else ends a guest, the runtime takes the number from the register, as it was at
//! the trap or where the guest called the runtime: what it lacks is less than one pass through a function's or loop's body, and nothing from before the
//! last time that rule 6 was followed. `OutOfFuel` leaves zero. A callee that is compiled into its caller obeys all rules as if it were called, down to
//! rule 5, so a trap cannot tell the difference. What to add can be summed up ahead, as long as no check and no place of rule 5 sees another number.

use serde::{Deserialize, Serialize};

/// The number of the register that passes the counter on x86-64, as instructions encode it: `r15`.
pub const FUEL_REGISTER_X86_64: u8 = 15;

/// The same on AArch64: `x21`.
pub const FUEL_REGISTER_AARCH64: u8 = 21;

/// What entering a function costs.
pub const FUEL_ENTRY: i64 = 1;

/// How many units at most an operator pays for that grows a memory or a table: nothing else bounds its operand. With it, no function body is
/// long enough to take the counter from one check beyond its largest value.
pub const MAX_GROWN_UNITS: u32 = u32::MAX;

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident = $default:literal,)*) => {
        /// Operators whose work depends on an operand.
        #[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum FuelUnit {
            $($(#[$doc])* $name,)*
        }

        impl FuelUnit {
            /// Every one.
            pub const ALL: &[FuelUnit] = &[$(FuelUnit::$name),*];
            /// What a unit of each costs unless a configuration says otherwise.
            pub const DEFAULT_COSTS: [u8; FuelUnit::ALL.len()] = [$($default),*];
        }
    };
}

units! {
    /// Bytes of `memory.copy`.
    MemoryCopy = 1,
    /// Bytes of `memory.fill`.
    MemoryFill = 1,
    /// Bytes of `memory.init`.
    MemoryInit = 1,
    /// Pages of `memory.grow`.
    MemoryGrow = 0,
    /// Elements of `table.copy`.
    TableCopy = 1,
    /// Elements of `table.fill`.
    TableFill = 1,
    /// Elements of `table.init`.
    TableInit = 1,
    /// Elements of `table.grow`.
    TableGrow = 1,
    /// Elements of `array.copy`.
    ArrayCopy = 1,
    /// Elements of `array.fill`.
    ArrayFill = 1,
    /// Elements of `array.new_data`.
    ArrayNewData = 1,
    /// Elements of `array.init_data`.
    ArrayInitData = 1,
    /// Elements of `array.new_elem`.
    ArrayNewElem = 1,
    /// Elements of `array.init_elem`.
    ArrayInitElem = 1,
    /// Elements of `array.new_default`.
    ArrayNewDefault = 1,
    /// Elements of `array.new`.
    ArrayNew = 1,
}

impl FuelUnit {
    /// Whether it grows something: see [`MAX_GROWN_UNITS`].
    pub fn grows(self) -> bool {
        matches!(self, FuelUnit::MemoryGrow | FuelUnit::TableGrow)
    }
}

/// What operators cost.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FuelCosts {
    /// By the kind of operator, in the order of `meantime-module`'s table; none is the default costs.
    pub operators: Option<Box<[u8]>>,
    /// By [`FuelUnit`].
    pub units: [u8; FuelUnit::ALL.len()],
}

impl Default for FuelCosts {
    fn default() -> FuelCosts {
        FuelCosts {
            operators: None,
            units: FuelUnit::DEFAULT_COSTS,
        }
    }
}
