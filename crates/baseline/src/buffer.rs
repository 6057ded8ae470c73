//! The bytes of a function while it is compiled: code, labels, constants, traps.
//!
//! Not an encoder: what is written is the machine's. The one idea: the buffer is always larger than what was written, so that an instruction is one
//! store of eight bytes and an addition, and a forward branch is a link in a list that starts at its label.

use crate::machine::Machine;
use meantime_abi::Trap;

/// No entry of a list.
const NONE: u32 = u32::MAX;

/// A place in the code that may not be known yet.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Label(u32);

impl Label {
    /// Not a label.
    pub(crate) const NONE: Label = Label(NONE);

    /// Its number.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

#[derive(Copy, Clone)]
struct LabelState {
    /// Where it is, once that is known.
    at: u32,
    /// The first of the uses that wait for it.
    uses: u32,
}

/// A place in the code that a label's position is to be written to.
#[derive(Copy, Clone)]
struct Use {
    at: u32,
    /// What the machine must know of it.
    form: u32,
    next: u32,
}

/// A constant that code loads from memory.
#[derive(Copy, Clone)]
struct Constant {
    low: u64,
    high: u64,
    label: Label,
}

/// A trap that code branches to.
#[derive(Copy, Clone)]
pub(crate) struct TrapExit {
    /// Where.
    pub(crate) label: Label,
    /// Which.
    pub(crate) trap: Trap,
    /// Of which operator.
    pub(crate) wasm_offset: u32,
}

/// More code than this is not written: a function that has more is given up.
const MAX_LEN: usize = 1 << 28;
/// A larger buffer is not kept for the next function.
const MAX_KEPT: usize = 1 << 24;

/// How many of the last constants are searched for one that is needed again.
const CONSTANTS_SEARCHED: usize = 8;

/// See the module. What every instruction uses comes first.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Buffer {
    code: Vec<u8>,
    at: u32,
    labels: Vec<LabelState>,
    uses: Vec<Use>,
    constants: Vec<Constant>,
    traps: Vec<TrapExit>,
    /// Where the operator is that is being compiled.
    pub(crate) wasm_offset: u32,
    /// One more than where that begins whose first access of memory may fault, until that is written, or zero.
    fault_from: u32,
    /// Such places and those of the accesses, where they differ.
    moved_faults: Vec<(u32, u32)>,
    /// Whether the code may become larger than [`Machine::MAX_NEAR_CODE`].
    pub(crate) far: bool,
    /// Whether the processor multiplies and adds in one, where not every one does.
    pub(crate) fma: bool,
    /// Whether there was more code than is written.
    is_too_large: bool,
}

impl Buffer {
    pub(crate) fn clear(&mut self) {
        self.at = 0;
        self.labels.clear();
        self.uses.clear();
        self.constants.clear();
        self.traps.clear();
        self.fault_from = 0;
        self.moved_faults.clear();
        self.is_too_large = false;
        if self.code.len() > MAX_KEPT {
            self.code = Vec::new();
        }
    }

    /// Whether there was more code than is written. Then what there is makes no sense, and the function is to be given up.
    pub(crate) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Says that the next access of memory may fault: each that may, or an access that is noted would be taken for an earlier one.
    pub(crate) fn expect_fault(&mut self) {
        self.fault_from = self.at() + 1;
    }

    /// Says that an access of memory is here, where it took more than one instruction to come to it.
    #[inline]
    pub(crate) fn note_access(&mut self) {
        if let Some(from) = std::mem::take(&mut self.fault_from).checked_sub(1)
            && from != self.at()
        {
            self.moved_faults.push((from, self.at()));
        }
    }

    /// Where accesses are that may fault, by where what was written for them begins.
    pub(crate) fn moved_faults(&self) -> &[(u32, u32)] {
        &self.moved_faults
    }

    /// Where the next instruction goes.
    pub(crate) fn at(&self) -> u32 {
        self.at
    }

    /// What was written.
    pub(crate) fn code(&self) -> &[u8] {
        &self.code[..self.at as usize]
    }

    /// Writes the lowest `len` bytes, at most eight.
    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u64, len: usize) {
        let at = self.at as usize;
        match self.code.get_mut(at..at + 8) {
            Some(chunk) => chunk.copy_from_slice(&bits.to_le_bytes()),
            None => self.grow(bits),
        }
        self.at += len as u32;
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, bits: u64) {
        let len = (self.code.len() * 2).max(1 << 16);
        if len <= MAX_LEN {
            self.code.resize(len, 0);
        } else {
            // The last bytes are written again and again.
            self.is_too_large = true;
            self.at = MAX_LEN as u32 - 16;
        }
        let at = self.at as usize;
        self.code[at..at + 8].copy_from_slice(&bits.to_le_bytes());
    }

    /// Writes zeros up to a multiple of `align`.
    pub(crate) fn align(&mut self, align: u32) {
        for _ in self.at..self.at.next_multiple_of(align) {
            self.put(0, 1);
        }
    }

    /// Replaces four bytes that were written.
    pub(crate) fn patch32(&mut self, at: u32, value: u32) {
        self.code[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Replaces a byte that was written.
    pub(crate) fn patch8(&mut self, at: u32, value: u8) {
        self.code[at as usize] = value;
    }

    pub(crate) fn label(&mut self) -> Label {
        self.labels.push(LabelState {
            at: NONE,
            uses: NONE,
        });
        Label(self.labels.len() as u32 - 1)
    }

    /// Where a label is, if that is known.
    pub(crate) fn place_of(&self, label: Label) -> Option<u32> {
        let at = self.labels[label.0 as usize].at;
        (at != NONE).then_some(at)
    }

    /// Where the label with a number is.
    pub(crate) fn place_of_number(&self, number: u32) -> u32 {
        self.labels[number as usize].at
    }

    /// Whether something waits for a label.
    pub(crate) fn is_awaited(&self, label: Label) -> bool {
        self.labels[label.0 as usize].uses != NONE
    }

    /// Writes a label's position to a place, at once or when it is known.
    #[inline]
    pub(crate) fn use_label<M: Machine>(&mut self, label: Label, at: u32, form: u32) {
        match self.place_of(label) {
            Some(target) => M::patch(&mut self.code, at, form, target),
            None => self.await_label(label, at, form),
        }
    }

    /// The same for a label whose position is not known.
    #[inline]
    pub(crate) fn await_label(&mut self, label: Label, at: u32, form: u32) {
        let state = &mut self.labels[label.0 as usize];
        debug_assert_eq!(state.at, NONE, "it is not known");
        let next = std::mem::replace(&mut state.uses, self.uses.len() as u32);
        self.uses.push(Use { at, form, next });
    }

    /// Says that a label is here.
    #[inline]
    pub(crate) fn bind<M: Machine>(&mut self, label: Label) {
        let target = self.at;
        let state = &mut self.labels[label.0 as usize];
        debug_assert_eq!(state.at, NONE, "a label is bound once");
        state.at = target;
        let mut next = std::mem::replace(&mut state.uses, NONE);
        while next != NONE {
            let it = self.uses[next as usize];
            M::patch(&mut self.code, it.at, it.form, target);
            next = it.next;
        }
    }

    /// The label of a constant of sixteen bytes, aligned to that.
    pub(crate) fn constant(&mut self, low: u64, high: u64) -> Label {
        let number = self.constant_number(low, high);
        self.constants[number as usize].label
    }

    /// The number of such a constant.
    pub(crate) fn constant_number(&mut self, low: u64, high: u64) -> u32 {
        let known = self.constants.iter().enumerate().rev();
        let mut known = known.take(CONSTANTS_SEARCHED);
        if let Some((number, _)) = known.find(|(_, c)| (c.low, c.high) == (low, high)) {
            return number as u32;
        }
        let label = self.label();
        self.constants.push(Constant { low, high, label });
        self.constants.len() as u32 - 1
    }

    /// The halves of the constant of this number, the lower one first, and its label.
    pub(crate) fn numbered_constant(&self, number: u32) -> (u64, u64, Label) {
        let constant = &self.constants[number as usize];
        (constant.low, constant.high, constant.label)
    }

    /// Writes the constants, after the code.
    pub(crate) fn put_constants<M: Machine>(&mut self) {
        if self.constants.is_empty() {
            return;
        }
        self.align(16);
        for constant in std::mem::take(&mut self.constants) {
            self.bind::<M>(constant.label);
            self.put(constant.low, 8);
            self.put(constant.high, 8);
        }
    }

    /// Where code goes that found that it must trap.
    pub(crate) fn trap_label(&mut self, trap: Trap) -> Label {
        let wasm_offset = self.wasm_offset;
        if let Some(last) = self.traps.last()
            && (last.trap, last.wasm_offset) == (trap, wasm_offset)
        {
            return last.label;
        }
        let label = self.label();
        self.traps.push(TrapExit {
            label,
            trap,
            wasm_offset,
        });
        label
    }

    /// The traps that code branches to, to be given back.
    pub(crate) fn take_traps(&mut self) -> Vec<TrapExit> {
        std::mem::take(&mut self.traps)
    }

    /// Gives back the list for the next function.
    pub(crate) fn return_traps(&mut self, mut traps: Vec<TrapExit>) {
        traps.clear();
        self.traps = traps;
    }
}
