//! The kinds of traps: a stable code for side tables and artifacts, and the message that a person reads.
//!
//! A trap is what the specification calls by that name, and the few more that an engine needs to stop a guest.

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $code:literal $message:literal,)*) => {
        /// Why a guest was stopped.
        #[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Trap {
            $($(#[$doc])* $name = $code,)*
        }

        impl Trap {
            /// Every kind.
            pub const ALL: &[Trap] = &[$(Trap::$name),*];

            /// The kind with this code.
            pub fn from_u8(code: u8) -> Option<Trap> {
                match code {
                    $($code => Some(Trap::$name),)*
                    _ => None,
                }
            }

            /// What happened, for a person.
            pub fn message(self) -> &'static str {
                match self {
                    $(Trap::$name => $message,)*
                }
            }
        }
    };
}

traps! {
    /// The stack is used up.
    StackOverflow = 1 "call stack exhausted",
    /// An access beyond the end of a memory.
    MemoryOutOfBounds = 2 "out of bounds memory access",
    /// An atomic access that is not aligned.
    HeapMisaligned = 3 "unaligned atomic",
    /// An access beyond the end of a table.
    TableOutOfBounds = 4 "undefined element: out of bounds table access",
    /// An indirect call to a null entry.
    IndirectCallToNull = 5 "uninitialized element",
    /// An indirect call to a function of another type.
    BadSignature = 6 "indirect call type mismatch",
    /// An integer result that cannot be represented.
    IntegerOverflow = 7 "integer overflow",
    /// A division by zero.
    IntegerDivisionByZero = 8 "integer divide by zero",
    /// A float that has no integer value.
    BadConversionToInteger = 9 "invalid conversion to integer",
    /// The `unreachable` instruction.
    UnreachableCodeReached = 10 "wasm `unreachable` instruction executed",
    /// The host asked for an interruption.
    Interrupt = 11 "interrupt",
    /// The fuel is used up.
    OutOfFuel = 12 "all fuel consumed by WebAssembly",
    /// A wait on a memory that is not shared.
    AtomicWaitNonSharedMemory = 13 "atomic wait on non-shared memory",
    /// A null reference where one is not allowed.
    NullReference = 14 "null reference",
    /// An access beyond the end of an array.
    ArrayOutOfBounds = 15 "out of bounds array access",
    /// An allocation larger than any heap.
    AllocationTooLarge = 16 "allocation size too large",
    /// A cast to a type that the value does not have.
    CastFailure = 17 "cast failure",
    /// The collector found its heap changed behind its back.
    GcHeapCorrupt = 18 "GC heap corruption",
    /// An exception that nothing catches.
    UncaughtException = 19 "uncaught exception propagated out of component",
    /// A call into a component instance that may not be entered now.
    CannotEnterComponent = 20 "cannot enter component instance",
    /// A call out of a component instance that may not be left now.
    CannotLeaveComponent = 21 "cannot leave component instance",
    /// A task that may not block did.
    CannotBlockSyncTask = 22 "cannot block a synchronous task before returning",
    /// A value that is not a `char`.
    InvalidChar = 23 "invalid `char` bit pattern",
    /// A string beyond the end of a memory.
    StringOutOfBounds = 24 "string content out-of-bounds",
    /// A list beyond the end of a memory.
    ListOutOfBounds = 25 "list content out-of-bounds",
    /// A case that a variant does not have.
    InvalidDiscriminant = 26 "invalid variant discriminant",
    /// A pointer that is not aligned for what it points to.
    UnalignedPointer = 27 "unaligned pointer",
}

impl std::fmt::Display for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "wasm trap: {}", self.message())
    }
}

impl std::error::Error for Trap {}

#[cfg(test)]
mod tests {
    use super::Trap;

    #[test]
    fn codes_round_trip() {
        for &trap in Trap::ALL {
            assert_eq!(Trap::from_u8(trap as u8), Some(trap));
        }
        assert_eq!(Trap::from_u8(0), None);
    }
}
