//! Trampolines: the two ways between the host's arrays of [`ValRaw`] and the registers of the guest, one each per signature.
//!
//! What they do is told in `meantime-abi`, at [`EnterPtr`](meantime_abi::EnterPtr) and [`HostFn`](meantime_abi::HostFn). The one idea: both lists of
//! places that a signature has are walked twice, first for what is in memory on both sides, which needs a register in between, and then for
//! registers.

use super::Scratch;
use super::value::{is_float, width};
use crate::buffer::Buffer;
use crate::convention::{Spot, Spots, hidden_params, result_area_of};
use crate::machine::*;
use crate::side_table::SideTables;
use meantime_abi::{
    Builtin, CompiledFunction, Signature, Trampoline, Tunables, ValRaw, ValRepr, VmHeader,
    VmHostContext, VmStoreContext,
};
use meantime_compile::CompileError;
use std::marker::PhantomData;
use std::mem::offset_of;

/// Bytes of a value in an array.
const SLOT: i32 = size_of::<ValRaw>() as i32;

/// Where a pointer is kept: to the values, or to the room for results.
const FIRST_DISP: i32 = -8;
/// The same for the caller's context, or the store's.
const SECOND_DISP: i32 = -16;

/// A frame that is larger touches each of its pages in turn, so that none jumps over a guard.
const PAGE: u32 = 4096;

/// Compiles a trampoline.
pub(crate) fn trampoline<M: Machine>(
    scratch: &mut Scratch,
    tunables: &Tunables,
    kind: Trampoline,
    signature: &Signature,
) -> Result<CompiledFunction, CompileError> {
    scratch.buffer.clear();
    scratch.tables.begin(0, false);
    scratch.buffer.far = false;
    let mut writer = Writer::<M> {
        b: &mut scratch.buffer,
        t: &mut scratch.tables,
        counts_fuel: tunables.consume_fuel,
        machine: PhantomData,
    };
    match kind {
        Trampoline::Enter => writer.enter(signature),
        Trampoline::Host => writer.host(signature),
    }
    let mut side_table = Vec::new();
    scratch.tables.finish(&mut side_table);
    Ok(CompiledFunction {
        code: scratch.buffer.code().to_vec(),
        align: M::ALIGN,
        relocations: Vec::new(),
        side_table,
    })
}

struct Writer<'a, M> {
    b: &'a mut Buffer,
    t: &'a mut SideTables,
    counts_fuel: bool,
    machine: PhantomData<M>,
}

/// The address of a value in an array.
fn element(base: Gpr, index: usize) -> Address {
    // Functions have at most a thousand parameters and as many results.
    Address::new(base, index as i32 * SLOT)
}

impl<M: Machine> Writer<'_, M> {
    /// The counter of fuel of the store in the scratch register.
    const FUEL_OF_STORE: Address = Address {
        base: M::SCRATCH,
        index: None,
        disp: offset_of!(VmStoreContext, fuel) as i32,
    };

    /// A register in which nothing is passed, neither in the guest nor to the host.
    const FREE: Gpr = {
        let mut free = M::TEMPS & !M::CALLEE.bit() & !M::SCRATCH.bit();
        if let Some(area) = M::RESULT_AREA {
            free &= !area.bit();
        }
        let mut i = 0;
        while i < M::PARAMS.len() {
            free &= !M::PARAMS[i].bit();
            i += 1;
        }
        i = 0;
        while i < M::BUILTIN_PARAMS.len() {
            free &= !M::BUILTIN_PARAMS[i].bit();
            i += 1;
        }
        Gpr(free.trailing_zeros() as u8)
    };

    /// The same for a vector: those that are in memory on both sides come when the registers were used up by others, which are where they belong, or
    /// before any was loaded.
    const VECTOR: Fpr = M::FLOAT_RESULT;

    /// `fn(context, code, values)`, in the guest's convention.
    fn enter(&mut self, signature: &Signature) {
        let area_bytes = result_area_of::<M>(signature.results.iter().copied());
        let with_area = area_bytes != 0;
        let mut spots = Spots::<M>::params(with_area);
        for repr in &signature.params {
            spots.next(*repr);
        }
        let area_disp = -(16 + area_bytes as i32);
        let size_at = M::enter_frame(self.b);
        self.set_frame(size_at, 16 + area_bytes + spots.area());

        let (context, code, values) = (M::PARAMS[0], M::PARAMS[1], M::PARAMS[2]);
        if self.counts_fuel {
            self.load_store_of(context);
            M::store_frame(self.b, Size::S64, SECOND_DISP, Src::Reg(M::SCRATCH));
            self.load(Size::S64, M::FUEL, Self::FUEL_OF_STORE);
        }
        let array = M::SCRATCH;
        self.mov(M::CALLEE, Src::Reg(code));
        self.mov(array, Src::Reg(values));
        M::store_frame(self.b, Size::S64, FIRST_DISP, Src::Reg(array));
        let hidden = hidden_params::<M>(with_area);
        self.mov(hidden.context, Src::Reg(context));
        if with_area {
            M::frame_address(self.b, hidden.area, area_disp);
        }
        let mut spots = Spots::<M>::params(with_area);
        for (i, repr) in signature.params.iter().enumerate() {
            if let Spot::Stack(offset) = spots.next(*repr) {
                let size = width(*repr);
                let from = element(array, i);
                if *repr == ValRepr::V128 {
                    M::load_float(self.b, size, Self::VECTOR, from);
                    M::store_arg_float(self.b, size, offset, FSrc::Reg(Self::VECTOR));
                    continue;
                }
                self.load(size, Self::FREE, from);
                M::store_arg(self.b, size, offset, Src::Reg(Self::FREE));
            }
        }
        let mut spots = Spots::<M>::params(with_area);
        for (i, repr) in signature.params.iter().enumerate() {
            self.load_spot(spots.next(*repr), *repr, element(array, i));
        }
        M::call_to(self.b, M::CALLEE);
        self.note_call();

        if self.counts_fuel {
            self.mov(M::SCRATCH, Src::Frame(SECOND_DISP));
            self.store(Size::S64, Self::FUEL_OF_STORE, M::FUEL);
        }
        self.mov(array, Src::Frame(FIRST_DISP));
        let mut spots = Spots::<M>::results();
        for (i, repr) in signature.results.iter().enumerate() {
            let to = element(array, i);
            match spots.next(*repr) {
                Spot::Gpr(reg) => self.store(width(*repr), to, reg),
                Spot::Fpr(reg) => M::store_float(self.b, width(*repr), to, reg),
                Spot::Stack(_) => {}
            }
        }
        let mut spots = Spots::<M>::results();
        for (i, repr) in signature.results.iter().enumerate() {
            if let Spot::Stack(offset) = spots.next(*repr) {
                let size = width(*repr);
                let from = area_disp + offset as i32;
                self.copy(size, element(array, i), from, M::RESULT);
            }
        }
        M::leave_frame(self.b);
        M::return_(self.b, 0);
    }

    /// A function of the guest, with a [`VmHostContext`] as its context.
    fn host(&mut self, signature: &Signature) {
        let with_area = result_area_of::<M>(signature.results.iter().copied()) != 0;
        let count = signature.params.len().max(signature.results.len());
        let values_disp = SECOND_DISP - count as i32 * SLOT;
        let size_at = M::enter_frame(self.b);
        self.set_frame(size_at, values_disp.unsigned_abs());
        let hidden = hidden_params::<M>(with_area);
        if with_area {
            M::store_frame(self.b, Size::S64, FIRST_DISP, Src::Reg(hidden.area));
        }
        let own_args = self.store_params(signature, with_area, values_disp);

        let pass = M::BUILTIN_PARAMS;
        let [store, code] = [M::SCRATCH, Self::FREE];
        let field = |base: Gpr, offset: usize| Address::new(base, offset as i32);
        let context = hidden.context;
        self.load_store_of(context);
        if self.counts_fuel {
            self.store(Size::S64, Self::FUEL_OF_STORE, M::FUEL);
        }
        let from = field(context, offset_of!(VmHostContext, func));
        self.load(Size::S64, code, from);
        self.mov(pass[0], Src::Reg(context));
        let from = field(store, offset_of!(VmStoreContext, caller));
        self.load(Size::S64, pass[1], from);
        // Only a failure needs it afterwards, and fuel.
        M::store_frame(self.b, Size::S64, SECOND_DISP, Src::Reg(pass[1]));
        M::frame_address(self.b, pass[2], 0);
        let to = field(store, offset_of!(VmStoreContext, exit_fp));
        self.store(Size::S64, to, pass[2]);
        M::frame_address(self.b, pass[2], values_disp);
        self.mov(pass[3], Src::Imm(count as i64));
        M::call_to(self.b, code);
        self.note_call();

        if self.counts_fuel {
            self.mov(M::SCRATCH, Src::Frame(SECOND_DISP));
            self.load_store_of(M::SCRATCH);
            self.load(Size::S64, M::FUEL, Self::FUEL_OF_STORE);
        }
        let (result, lowest) = (Src::Reg(M::BUILTIN_RESULT), Src::Imm(0xff));
        let succeeded = M::test(self.b, Size::S32, result, lowest);
        let failed = self.b.label();
        M::jump_if(self.b, M::invert(succeeded), failed);
        self.load_results(signature, values_disp);
        M::leave_frame(self.b);
        M::return_(self.b, own_args);

        self.b.bind::<M>(failed);
        // Only the guest gets here, and it said who it is.
        self.mov(pass[0], Src::Frame(SECOND_DISP));
        let from = field(pass[0], offset_of!(VmHeader, builtins));
        self.load(Size::S64, M::SCRATCH, from);
        let raise = field(M::SCRATCH, Builtin::RaisePending as usize * 8);
        M::call_memory(self.b, raise);
        self.note_call();
        M::trap(self.b);
    }

    /// Writes parameters to the array. Says how many bytes of them are on the stack.
    fn store_params(&mut self, signature: &Signature, with_area: bool, values_disp: i32) -> u32 {
        let mut spots = Spots::<M>::params(with_area);
        for (i, repr) in signature.params.iter().enumerate() {
            let disp = values_disp + i as i32 * SLOT;
            let size = width(*repr);
            match spots.next(*repr) {
                Spot::Gpr(reg) => M::store_frame(self.b, size, disp, Src::Reg(reg)),
                Spot::Fpr(reg) => M::store_frame_float(self.b, size, disp, FSrc::Reg(reg)),
                Spot::Stack(offset) if *repr == ValRepr::V128 => {
                    let from = FSrc::Frame(16 + offset as i32);
                    M::move_float(self.b, size, Self::VECTOR, from);
                    M::store_frame_float(self.b, size, disp, FSrc::Reg(Self::VECTOR));
                }
                Spot::Stack(offset) => {
                    let from = Src::Frame(16 + offset as i32);
                    M::move_int(self.b, size, Self::FREE, from);
                    M::store_frame(self.b, size, disp, Src::Reg(Self::FREE));
                }
            }
        }
        spots.area()
    }

    /// Reads results from the array: first those that go to the room for them.
    fn load_results(&mut self, signature: &Signature, values_disp: i32) {
        let disp = |i: usize| values_disp + i as i32 * SLOT;
        let mut spots = Spots::<M>::results();
        let mut area = None;
        for (i, repr) in signature.results.iter().enumerate() {
            if let Spot::Stack(offset) = spots.next(*repr) {
                if area.is_none() {
                    self.mov(M::SCRATCH, Src::Frame(FIRST_DISP));
                }
                let area = *area.get_or_insert(M::SCRATCH);
                let size = width(*repr);
                let to = Address::new(area, offset as i32);
                self.copy(size, to, disp(i), M::RESULT);
            }
        }
        let mut spots = Spots::<M>::results();
        for (i, repr) in signature.results.iter().enumerate() {
            let size = width(*repr);
            match spots.next(*repr) {
                Spot::Gpr(reg) => M::move_int(self.b, size, reg, Src::Frame(disp(i))),
                Spot::Fpr(reg) => M::move_float(self.b, size, reg, FSrc::Frame(disp(i))),
                Spot::Stack(_) => {}
            }
        }
    }

    /// Copies a value from the frame, perhaps through a register.
    fn copy(&mut self, size: Size, to: Address, from: i32, through: Gpr) {
        if size == Size::S128 {
            M::move_float(self.b, size, Self::VECTOR, FSrc::Frame(from));
            return M::store_float(self.b, size, to, Self::VECTOR);
        }
        M::move_int(self.b, size, through, Src::Frame(from));
        self.store(size, to, through);
    }

    fn set_frame(&mut self, at: u32, bytes: u32) {
        let size = bytes.next_multiple_of(16);
        M::set_frame_size(self.b, at, size);
        for page in 1..=size / PAGE {
            let disp = -((page * PAGE) as i32);
            M::store_frame(self.b, Size::S64, disp, Src::Imm(0));
        }
    }

    /// Loads the store that a context is of to the scratch register.
    fn load_store_of(&mut self, context: Gpr) {
        let from = Address::new(context, offset_of!(VmHeader, store) as i32);
        self.load(Size::S64, M::SCRATCH, from);
    }

    fn mov(&mut self, dst: Gpr, src: Src) {
        if src != Src::Reg(dst) {
            M::move_int(self.b, Size::S64, dst, src);
        }
    }

    fn load(&mut self, size: Size, dst: Gpr, from: Address) {
        let load = match size {
            Size::S32 => Load::U32,
            _ => Load::U64,
        };
        M::load(self.b, load, dst, from);
    }

    fn store(&mut self, size: Size, to: Address, src: Gpr) {
        let store = match size {
            Size::S32 => Store::I32,
            _ => Store::I64,
        };
        M::store(self.b, store, to, Src::Reg(src));
    }

    fn load_spot(&mut self, spot: Spot, repr: ValRepr, from: Address) {
        let size = width(repr);
        debug_assert!(matches!(spot, Spot::Fpr(_)) <= is_float(repr));
        match spot {
            Spot::Gpr(reg) => self.load(size, reg, from),
            Spot::Fpr(reg) => M::load_float(self.b, size, reg, from),
            Spot::Stack(_) => {}
        }
    }

    /// Records the call that returns here.
    fn note_call(&mut self) {
        let at = self.b.at();
        self.t.call(at, 0);
    }
}
