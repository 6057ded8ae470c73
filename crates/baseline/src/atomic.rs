//! What the compiler wants of a machine for atomic instructions.
//!
//! The one idea: all are sequentially consistent, and access a single register's address, which was checked. Where that can fault, the first access of it
//! does.

use crate::buffer::Buffer;
use crate::machine::{Gpr, Load, Store};

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum AtomicOp {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Exchange,
}

/// See the module. Values that are read are zero-extended to 64 bits.
pub(crate) trait AtomicMachine {
    /// Where the value that was read is, and the expected one of a comparison, if not in any register.
    const READ: Option<Gpr>;

    fn atomic_load(b: &mut Buffer, load: Load, dst: Gpr, at: Gpr);
    /// Clobbers the source.
    fn atomic_store(b: &mut Buffer, store: Store, at: Gpr, src: Gpr);
    /// Clobbers the operand. The destination is neither of the sources.
    fn atomic_update(b: &mut Buffer, op: AtomicOp, size: Store, dst: Gpr, at: Gpr, operand: Gpr);
    /// Writes the replacement if what is there is what is expected, of which bits beyond the size do not count. The destination is none of the sources, or
    /// all of it and the expected value are in [`AtomicMachine::READ`].
    fn compare_exchange(
        b: &mut Buffer,
        size: Store,
        dst: Gpr,
        at: Gpr,
        expected: Gpr,
        replacement: Gpr,
    );
    fn fence(b: &mut Buffer);
}
