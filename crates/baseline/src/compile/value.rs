//! The operand stack: where each value is, and which registers are free.
//!
//! The one idea: a value is moved as late as possible. A constant or a local that was read is only noted; each entry has a slot in the frame, given by its
//! place on the stack, where it goes when its register is wanted by another or when control flow meets.
//!
//! A register is free, or owned by one entry, or held by the operator that is being compiled, which popped it and releases it.

use super::state::LOST;
use super::{Compiler, Lists};
use crate::machine::{FSrc, Fpr, Gpr, Machine, Size, Src};
use meantime_abi::ValRepr;

/// Whether an integer is in a register, and whether a value is a local, are questions of one comparison.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Gpr,
    /// As the next, of an integer that has a register.
    PinnedLocal,
    /// A local that was not changed since. The lower half of the bits is its index, the upper its slot as a distance from the frame pointer.
    Local,
    /// Its slot.
    Slot,
    /// The bits. Of a vector, zero is zero, and what else there is, the number of the buffer's constant plus one.
    Const,
    Fpr,
    /// A condition in the flags. Only on top, and only where the next operator is known to use it.
    Flags,
}

impl Place {
    #[inline(always)]
    fn from_bits(bits: u8) -> Place {
        match bits {
            0 => Place::Gpr,
            1 => Place::PinnedLocal,
            2 => Place::Local,
            3 => Place::Slot,
            4 => Place::Const,
            5 => Place::Fpr,
            _ => Place::Flags,
        }
    }
}

/// An entry: two words, so that it is passed in registers, and read as it was written.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Value {
    /// From the lowest byte on: the place, the type, the register or condition, the type's properties, and in the upper half how far its slot is below the
    /// frame pointer.
    word: u64,
    pub(crate) bits: u64,
}

impl Value {
    #[inline(always)]
    pub(super) fn new(place: Place, ty: ValRepr, reg: u8, slot: u32, bits: u64) -> Value {
        Value::with_kind(Value::kind(place, ty, reg), slot, bits)
    }

    /// All but the slot of the first word.
    #[inline(always)]
    pub(super) fn kind(place: Place, ty: ValRepr, reg: u8) -> u32 {
        u32::from_le_bytes([place as u8, ty as u8, reg, PROPERTIES[ty as usize]])
    }

    #[inline(always)]
    fn with_kind(kind: u32, slot: u32, bits: u64) -> Value {
        let word = u64::from(kind) | u64::from(slot) << 32;
        Value { word, bits }
    }

    #[inline(always)]
    pub(crate) fn place(self) -> Place {
        Place::from_bits(self.word as u8)
    }

    #[inline(always)]
    pub(crate) fn ty(self) -> ValRepr {
        TYPES[(self.word >> 8) as usize & 7]
    }

    /// The width.
    #[inline(always)]
    pub(crate) fn size(self) -> Size {
        SIZES[usize::from((self.word >> 24) as u8 & SIZE)]
    }

    /// Whether its registers are those of floats.
    #[inline(always)]
    pub(crate) fn is_float(self) -> bool {
        (self.word >> 24) as u8 & FLOAT != 0
    }

    /// Whether it is an integer in a register of its own.
    #[inline(always)]
    pub(super) fn is_in_gpr(self) -> bool {
        self.word as u8 == Place::Gpr as u8
    }

    /// Whether it is a vector or a reference to an object, for which there is more to do.
    #[inline(always)]
    fn is_unusual(self) -> bool {
        (self.word >> 24) as u8 & UNUSUAL != 0
    }

    /// The register or condition.
    #[inline(always)]
    pub(crate) fn reg(self) -> u8 {
        (self.word >> 16) as u8
    }

    /// How far its slot is below the frame pointer.
    #[inline(always)]
    pub(crate) fn slot(self) -> u32 {
        (self.word >> 32) as u32
    }

    /// The same entry, in a register.
    pub(super) fn moved(self, place: Place, reg: u8) -> Value {
        Value::new(place, self.ty(), reg, self.slot(), self.bits)
    }

    /// The same entry, of another type with slots of the same size.
    pub(super) fn with_type(self, ty: ValRepr) -> Value {
        Value::new(self.place(), ty, self.reg(), self.slot(), self.bits)
    }

    #[inline(always)]
    pub(super) fn local(self) -> usize {
        self.bits as u32 as usize
    }

    #[inline(always)]
    pub(super) fn is_const(self) -> bool {
        self.place() == Place::Const
    }

    #[inline(always)]
    pub(super) fn is_local(self) -> bool {
        matches!(self.place(), Place::PinnedLocal | Place::Local)
    }

    /// The register that an integer is in.
    #[inline(always)]
    pub(super) fn gpr(self) -> Option<Gpr> {
        matches!(self.place(), Place::Gpr | Place::PinnedLocal).then_some(Gpr(self.reg()))
    }

    /// Where a local is that has no register for integers, as a distance from the frame pointer.
    #[inline(always)]
    fn local_disp(self) -> i32 {
        (self.bits >> 32) as i32
    }

    fn slot_disp(self) -> i32 {
        -(self.slot() as i32)
    }
}

/// Widths by their numbers, the last of them twice.
static SIZES: [Size; 4] = [Size::S32, Size::S64, Size::S128, Size::S128];

/// Properties of types: the width, and whether they are floats or unusual.
const SIZE: u8 = 3;
const FLOAT: u8 = 4;
const UNUSUAL: u8 = 8;

/// All types, the last of them twice, and their properties.
static TYPES: [ValRepr; 8] = {
    use ValRepr::*;
    [I32, I64, F32, F64, V128, FuncRef, GcRef, GcRef]
};
static PROPERTIES: [u8; 8] = [
    0,
    1,
    FLOAT,
    1 | FLOAT,
    2 | FLOAT | UNUSUAL,
    1,
    UNUSUAL,
    UNUSUAL,
];

const _: () =
    assert!(ValRepr::I32 as u8 == 0 && ValRepr::FuncRef as u8 == 5 && ValRepr::GcRef as u8 == 6);

/// Bytes of a slot, but for that of a vector.
const SLOT: u32 = 8;

pub(super) fn slot_size(ty: ValRepr) -> u32 {
    if ty == ValRepr::V128 { 2 * SLOT } else { SLOT }
}

/// Width of a value.
pub(super) fn width(ty: ValRepr) -> Size {
    match ty {
        ValRepr::I32 | ValRepr::F32 | ValRepr::GcRef => Size::S32,
        ValRepr::V128 => Size::S128,
        _ => Size::S64,
    }
}

/// Whether a value's registers are those of floats.
pub(super) fn is_float(ty: ValRepr) -> bool {
    matches!(ty, ValRepr::F32 | ValRepr::F64 | ValRepr::V128)
}

impl<M: Machine> Compiler<'_, M> {
    #[inline(always)]
    fn push(&mut self, place: Place, ty: ValRepr, reg: u8, bits: u64) {
        self.push_kind(Value::kind(place, ty, reg), ty, bits);
    }

    #[inline(always)]
    fn push_kind(&mut self, kind: u32, ty: ValRepr, bits: u64) {
        if (kind >> 24) as u8 & UNUSUAL != 0 {
            self.push_unusual(ty);
        }
        let value = Value::with_kind(kind, self.next_slot(), bits);
        self.s.stack.push(value);
    }

    /// How far the topmost slot is below the frame pointer.
    #[inline(always)]
    pub(super) fn depth(&self) -> u32 {
        self.base + self.s.stack.len() as u32 * SLOT
    }

    /// The slot of the next entry.
    #[inline(always)]
    fn next_slot(&self) -> u32 {
        self.depth() + SLOT
    }

    /// A slot at this depth is written: the frame has it.
    #[inline(always)]
    pub(super) fn use_slot(&mut self, depth: u32) {
        self.max_depth = self.max_depth.max(depth);
    }

    #[inline(never)]
    fn push_unusual(&mut self, ty: ValRepr) {
        if ty == ValRepr::GcRef {
            self.s.gc_entries.push(self.s.stack.len() as u32);
        } else {
            self.base += slot_size(ty) - SLOT;
        }
    }

    /// Pushes a number.
    #[inline(always)]
    pub(super) fn push_number(&mut self, place: Place, ty: ValRepr, reg: u8, bits: u64) {
        debug_assert!(!matches!(ty, ValRepr::V128 | ValRepr::GcRef));
        let value = Value::new(place, ty, reg, self.next_slot(), bits);
        self.s.stack.push(value);
    }

    pub(super) fn push_const(&mut self, ty: ValRepr, bits: u64) {
        self.push(Place::Const, ty, 0, bits);
    }

    /// A register that is held.
    #[inline]
    pub(super) fn push_gpr(&mut self, ty: ValRepr, reg: Gpr) {
        self.gpr_owners[reg.0 as usize] = self.s.stack.len() as u32;
        self.push(Place::Gpr, ty, reg.0, 0);
    }

    /// A register that is held.
    pub(super) fn push_fpr(&mut self, ty: ValRepr, reg: Fpr) {
        self.fpr_owners[reg.0 as usize] = self.s.stack.len() as u32;
        self.push(Place::Fpr, ty, reg.0, 0);
    }

    /// What is in the slot.
    pub(super) fn push_slot(&mut self, ty: ValRepr) {
        self.push(Place::Slot, ty, 0, 0);
        self.use_slot(self.depth());
    }

    pub(super) fn push_flags(&mut self, cond: u8) {
        self.push(Place::Flags, ValRepr::I32, cond, 0);
    }

    /// None if there is no such local.
    #[inline]
    pub(super) fn push_local(&mut self, index: u32) -> Option<()> {
        let local = self.s.locals.get(index as usize)?;
        let (ty, kind, bits) = (local.ty, local.kind(), local.bits(index));
        self.push_kind(kind, ty, bits);
        Some(())
    }

    /// A number that the next operator takes at once, as if it had been pushed.
    #[inline(always)]
    pub(super) fn operand(&self, place: Place, ty: ValRepr, bits: u64) -> Value {
        self.operand_of_kind(Value::kind(place, ty, 0), bits)
    }

    /// The same for a local, if there is one of this number.
    #[inline(always)]
    pub(super) fn local_operand(&self, index: u8) -> Option<Value> {
        let local = self.s.locals.get(usize::from(index))?;
        Some(self.operand_of_kind(local.kind(), local.bits(index.into())))
    }

    #[inline(always)]
    fn operand_of_kind(&self, kind: u32, bits: u64) -> Value {
        Value::with_kind(kind, self.next_slot(), bits)
    }

    /// Takes the topmost entry. Its register is held.
    #[inline]
    pub(super) fn pop(&mut self) -> Value {
        let value = self.s.stack.pop().expect("validated: an operand");
        self.flushed = self.flushed.min(self.s.stack.len());
        if value.is_unusual() {
            self.pop_unusual(value.ty());
        }
        value
    }

    #[inline(never)]
    fn pop_unusual(&mut self, ty: ValRepr) {
        if ty == ValRepr::GcRef {
            self.s.gc_entries.pop();
        } else {
            self.base -= slot_size(ty) - SLOT;
        }
    }

    /// Takes the topmost entry, which is a number. Its register is held.
    #[inline]
    pub(super) fn pop_number(&mut self) -> Value {
        let value = self.s.stack.pop().expect("validated: an operand");
        debug_assert!(!matches!(value.ty(), ValRepr::V128 | ValRepr::GcRef));
        self.flushed = self.flushed.min(self.s.stack.len());
        value
    }

    /// Takes two operands, which are numbers, in the order in which they were pushed.
    #[inline]
    pub(super) fn pop_numbers(&mut self) -> (Value, Value) {
        let below = self.s.stack.len().wrapping_sub(2);
        let operands = self.s.stack.get(below..).and_then(|top| top.first_chunk());
        let [x, y] = *operands.expect("validated: two operands");
        self.s.stack.truncate(below);
        self.flushed = self.flushed.min(below);
        (x, y)
    }

    /// Frees the register of a value.
    #[inline(always)]
    pub(super) fn release(&mut self, value: Value) {
        match value.place() {
            Place::Gpr => self.free_gprs |= 1 << value.reg() & M::TEMPS,
            Place::Fpr => self.free_fprs |= 1 << value.reg() & M::FLOAT_TEMPS,
            _ => {}
        }
    }

    /// Frees the register of a value unless it is this one.
    #[inline]
    pub(super) fn release_unless(&mut self, value: Value, kept: Gpr) {
        if value.place() != Place::Gpr || value.reg() != kept.0 {
            self.release(value);
        }
    }

    #[inline]
    pub(super) fn release_float_unless(&mut self, value: Value, kept: Fpr) {
        if value.place() != Place::Fpr || value.reg() != kept.0 {
            self.release(value);
        }
    }

    pub(super) fn free_gpr(&mut self, reg: Gpr) {
        self.free_gprs |= reg.bit() & M::TEMPS;
    }

    pub(super) fn free_fpr(&mut self, reg: Fpr) {
        self.free_fprs |= reg.bit() & M::FLOAT_TEMPS;
    }

    /// Removes entries from the top.
    #[inline]
    pub(super) fn drop_to(&mut self, len: usize) {
        if self.s.stack.len() > len {
            self.drop_some(len);
        }
    }

    fn drop_some(&mut self, len: usize) {
        let Some(lowest) = self.s.stack.get(len) else {
            return;
        };
        // As it was when that was pushed.
        self.base = lowest.slot() - slot_size(lowest.ty()) - len as u32 * SLOT;
        let (mut gprs, mut fprs) = (0, 0);
        let Lists {
            stack, gc_entries, ..
        } = &mut self.s;
        for value in stack[len..].iter().rev() {
            match value.place() {
                Place::Gpr => gprs |= 1 << value.reg(),
                Place::Fpr => fprs |= 1 << value.reg(),
                _ => {}
            }
            if value.is_unusual() && value.ty() == ValRepr::GcRef {
                gc_entries.pop();
            }
        }
        stack.truncate(len);
        self.free_gprs |= gprs & M::TEMPS;
        self.free_fprs |= fprs & M::FLOAT_TEMPS;
        self.flushed = self.flushed.min(len);
    }

    /// A free register, which is held then. Changes no flags.
    #[inline]
    pub(super) fn alloc_gpr(&mut self) -> Gpr {
        self.lose_scratch();
        if self.free_gprs == 0 {
            self.spill_gpr();
        }
        let reg = Gpr(self.free_gprs.trailing_zeros() as u8);
        self.free_gprs &= self.free_gprs - 1;
        reg
    }

    /// Debug builds check between operators that each temporary register is free or an entry's, and not both: one that were neither would never be free again,
    /// and one that were both would be written over.
    #[inline(always)]
    pub(super) fn check_registers(&self) {
        if !cfg!(debug_assertions) || self.error.is_some() {
            return;
        }
        for reg in bits(M::TEMPS) {
            let is_free = self.free_gprs & 1 << reg != 0;
            assert_eq!(is_free, self.gpr_owner(reg).is_none(), "register {reg}");
        }
        for reg in bits(M::FLOAT_TEMPS) {
            let is_free = self.free_fprs & 1 << reg != 0;
            assert_eq!(
                is_free,
                self.fpr_owner(reg).is_none(),
                "float register {reg}"
            );
        }
    }

    /// Where values may have to be moved, which may take the scratch register, nothing may be in it. Debug builds overwrite it there even if nothing is moved,
    /// so that one who relies on it fails on all paths and not on a rare one. Changes no flags.
    #[inline(always)]
    pub(super) fn lose_scratch(&mut self) {
        if cfg!(debug_assertions) {
            M::move_int(&mut self.b, Size::S64, M::SCRATCH, Src::Imm(LOST));
        }
    }

    /// Has so many registers free, so that none has to be freed where not every path comes along.
    pub(super) fn reserve_gprs(&mut self, count: u32) {
        while self.free_gprs.count_ones() < count {
            self.spill_gpr();
        }
    }

    #[inline]
    pub(super) fn alloc_fpr(&mut self) -> Fpr {
        self.lose_scratch();
        if self.free_fprs == 0 {
            self.spill_fpr();
        }
        let reg = Fpr(self.free_fprs.trailing_zeros() as u8);
        self.free_fprs &= self.free_fprs - 1;
        reg
    }

    /// The entry that owns a register.
    fn gpr_owner(&self, reg: u8) -> Option<usize> {
        let entry = self.gpr_owners[reg as usize] as usize;
        let value = self.s.stack.get(entry)?;
        (value.place() == Place::Gpr && value.reg() == reg).then_some(entry)
    }

    fn fpr_owner(&self, reg: u8) -> Option<usize> {
        let entry = self.fpr_owners[reg as usize] as usize;
        let value = self.s.stack.get(entry)?;
        (value.place() == Place::Fpr && value.reg() == reg).then_some(entry)
    }

    /// Frees a register by moving the lowest entry that has one to its slot.
    #[cold]
    fn spill_gpr(&mut self) {
        let owners = bits(M::TEMPS & !self.free_gprs).filter_map(|reg| self.gpr_owner(reg));
        // An operator holds fewer registers than there are.
        let entry = owners.min().expect("an entry owns a register");
        self.move_to_slot(entry);
    }

    #[cold]
    fn spill_fpr(&mut self) {
        let owners = bits(M::FLOAT_TEMPS & !self.free_fprs).filter_map(|reg| self.fpr_owner(reg));
        let entry = owners.min().expect("an entry owns a register");
        self.move_to_slot(entry);
    }

    /// Moves an entry to its slot. Changes no flags.
    pub(super) fn move_to_slot(&mut self, entry: usize) {
        self.lose_scratch();
        let value = self.s.stack[entry];
        if value.place() == Place::Slot {
            return;
        }
        self.write_frame(value.slot(), value);
        self.release(value);
        self.s.stack[entry] = value.moved(Place::Slot, 0);
    }

    /// Writes a value to the slot at this depth.
    pub(super) fn write_frame(&mut self, depth: u32, value: Value) {
        self.lose_scratch();
        self.use_slot(depth);
        let (disp, size) = (-(depth as i32), value.size());
        if value.is_float() {
            let src = self.float_src(value);
            M::store_frame_float(&mut self.b, size, disp, src);
        } else {
            let src = self.src(value);
            M::store_frame(&mut self.b, size, disp, src);
        }
    }

    /// Moves all entries below `below` that are in registers to their slots.
    #[inline]
    pub(super) fn spill_temps(&mut self, below: usize) {
        if self.free_gprs != M::TEMPS || self.free_fprs != M::FLOAT_TEMPS {
            self.spill_some_temps(below);
        }
    }

    fn spill_some_temps(&mut self, below: usize) {
        for reg in bits(M::TEMPS & !self.free_gprs) {
            if let Some(entry) = self.gpr_owner(reg).filter(|e| *e < below) {
                self.move_to_slot(entry);
            }
        }
        for reg in bits(M::FLOAT_TEMPS & !self.free_fprs) {
            if let Some(entry) = self.fpr_owner(reg).filter(|e| *e < below) {
                self.move_to_slot(entry);
            }
        }
    }

    /// Makes a certain register held, wherever its entry goes. The operator does not hold it yet.
    pub(super) fn take_gpr(&mut self, reg: Gpr) {
        if self.free_gprs & reg.bit() != 0 {
            self.free_gprs &= !reg.bit();
            return;
        }
        let entry = self.gpr_owner(reg.0).expect("an entry owns it");
        if self.free_gprs == 0 {
            self.move_to_slot(entry);
            self.free_gprs &= !reg.bit();
            return;
        }
        let to = self.alloc_gpr();
        let value = &mut self.s.stack[entry];
        *value = value.moved(Place::Gpr, to.0);
        self.gpr_owners[to.0 as usize] = entry as u32;
        M::move_int(&mut self.b, Size::S64, to, Src::Reg(reg));
    }

    pub(super) fn take_fpr(&mut self, reg: Fpr) {
        if self.free_fprs & reg.bit() != 0 {
            self.free_fprs &= !reg.bit();
            return;
        }
        let entry = self.fpr_owner(reg.0).expect("an entry owns it");
        if self.free_fprs == 0 {
            self.move_to_slot(entry);
            self.free_fprs &= !reg.bit();
            return;
        }
        let to = self.alloc_fpr();
        let value = &mut self.s.stack[entry];
        *value = value.moved(Place::Fpr, to.0);
        self.fpr_owners[to.0 as usize] = entry as u32;
        M::move_float(&mut self.b, value.size(), to, FSrc::Reg(reg));
    }

    /// Whether a value is in this register.
    pub(super) fn is_in(value: Value, reg: Gpr) -> bool {
        value.place() == Place::Gpr && value.reg() == reg.0
    }

    /// A value as a source. It is an integer and no condition.
    #[inline(always)]
    pub(super) fn src(&self, value: Value) -> Src {
        debug_assert!(!matches!(value.place(), Place::Fpr | Place::Flags));
        if let Some(reg) = value.gpr() {
            return Src::Reg(reg);
        }
        if value.is_const() {
            return Src::Imm(match value.size() {
                Size::S32 => i64::from(value.bits as i32),
                _ => value.bits as i64,
            });
        }
        Src::Frame(match value.place() {
            Place::Local => value.local_disp(),
            _ => value.slot_disp(),
        })
    }

    /// A value as a source. Loads a local's register when the local is only in memory.
    #[inline]
    pub(super) fn float_src(&mut self, value: Value) -> FSrc {
        match value.place() {
            Place::Const if value.ty() == ValRepr::V128 && value.bits != 0 => {
                FSrc::Constant(value.bits as u32 - 1)
            }
            Place::Const => FSrc::Bits(value.bits),
            Place::Fpr => FSrc::Reg(Fpr(value.reg())),
            Place::Local => {
                let local = self.s.locals[value.local()];
                match local.pin() {
                    Some(pin) => FSrc::Reg(self.pinned_float(pin, &local)),
                    None => FSrc::Frame(local.disp),
                }
            }
            Place::Slot => FSrc::Frame(value.slot_disp()),
            Place::Gpr | Place::PinnedLocal | Place::Flags => {
                unreachable!("a float is no integer")
            }
        }
    }

    /// A value in a register that is not to be changed. Held, if it is one of the temporary ones. Changes no flags.
    #[inline]
    pub(super) fn in_gpr(&mut self, value: Value) -> Gpr {
        value.gpr().unwrap_or_else(|| self.load_gpr(value))
    }

    /// A value that is in no register, in one of its own.
    #[inline(never)]
    fn load_gpr(&mut self, value: Value) -> Gpr {
        let reg = self.alloc_gpr();
        match self.src(value) {
            Src::Frame(disp) => M::load_frame(&mut self.b, value.size(), reg, disp),
            src => M::move_int(&mut self.b, value.size(), reg, src),
        }
        reg
    }

    /// A value in a register of its own. Held. Changes no flags.
    pub(super) fn own_gpr(&mut self, value: Value) -> Gpr {
        if value.place() == Place::Gpr && 1 << value.reg() & M::TEMPS != 0 {
            return Gpr(value.reg());
        }
        let reg = self.alloc_gpr();
        let src = self.src(value);
        M::move_int(&mut self.b, value.size(), reg, src);
        reg
    }

    pub(super) fn in_fpr(&mut self, value: Value) -> Fpr {
        let src = self.float_src(value);
        if let FSrc::Reg(reg) = src {
            return reg;
        }
        let reg = self.alloc_fpr();
        M::move_float(&mut self.b, value.size(), reg, src);
        reg
    }

    pub(super) fn own_fpr(&mut self, value: Value) -> Fpr {
        if value.place() == Place::Fpr && 1 << value.reg() & M::FLOAT_TEMPS != 0 {
            return Fpr(value.reg());
        }
        let reg = self.alloc_fpr();
        let src = self.float_src(value);
        M::move_float(&mut self.b, value.size(), reg, src);
        reg
    }

    /// Moves what is on the stack to where it is when control flow meets: the topmost `params` entries to their slots, those below too
    /// unless they are constants, which stay. Changes no flags.
    #[inline]
    pub(super) fn flush(&mut self, params: usize) {
        if self.flushed < self.s.stack.len() || params != 0 {
            self.flush_some(params);
        }
    }

    fn flush_some(&mut self, params: usize) {
        let below = self.s.stack.len() - params;
        for entry in self.flushed..below {
            if !self.s.stack[entry].is_const() {
                self.move_to_slot(entry);
            }
        }
        for entry in below..self.s.stack.len() {
            self.move_to_slot(entry);
        }
        self.flushed = self.s.stack.len();
    }
}

/// The numbers of the bits that are set.
pub(super) fn bits(mut set: u32) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        if set == 0 {
            return None;
        }
        let bit = set.trailing_zeros();
        set &= set - 1;
        Some(bit as u8)
    })
}
