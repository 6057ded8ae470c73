//! The runtime's functions that compiled code calls, in the order of `abi::Builtin`.
//!
//! The one idea: compiled code calls an entry written in assembly, which records where it left the guest and calls the Rust function
//! of the same name below; when that fails, the entry unwinds the guest, so compiled code never checks. Entries, table and type
//! checks all come from `for_each_builtin!`.

use crate::HostError;
use crate::arch::builtin_entry;
use crate::instance::InstanceRef;
use crate::memory::Memory;
use crate::objects::grow_memory;
use crate::parking::WaitResult;
use crate::shared::check_atomic;
use crate::store::{StoreCore, in_bounds};
use crate::table::TableElement;
use crate::table_ops;
use crate::trap::{Pending, stop};
use meantime_abi::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::time::Duration;

/// What an implementation returns to its entry: two registers.
#[repr(C)]
pub(crate) struct Outcome {
    /// The result, or the stack pointer to unwind to.
    value: u64,
    /// Zero when it succeeded.
    unwind: u64,
}

/// Who calls a builtin.
#[derive(Copy, Clone)]
struct Guest {
    store: NonNull<StoreCore>,
    /// What it passed: an instance's context; a host trampoline, which only ever raises, passes its function's.
    context: *mut VmContext,
}

/// A result as a register holds it.
trait Register {
    fn bits(self) -> u64;
}

impl Register for () {
    fn bits(self) -> u64 {
        0
    }
}

impl Register for u32 {
    fn bits(self) -> u64 {
        self.into()
    }
}

impl Register for u64 {
    fn bits(self) -> u64 {
        self
    }
}

impl Register for *mut VmFuncRef {
    fn bits(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// Runs a builtin's body; nothing leaves it but an outcome.
unsafe fn run<R: Register>(
    context: *mut VmContext,
    body: impl FnOnce(Guest) -> Result<R, Pending>,
) -> Outcome {
    // SAFETY: compiled code passes a context, which begins with a header whose store is alive and in use by this thread alone.
    let store = unsafe { StoreCore::from_context((*context).header.store) };
    let guest = Guest { store, context };
    let pending = match catch_unwind(AssertUnwindSafe(|| body(guest))) {
        Ok(Ok(value)) => {
            return Outcome {
                value: value.bits(),
                unwind: 0,
            };
        }
        Ok(Err(pending)) => pending,
        Err(payload) => Pending::Panic(payload),
    };
    // SAFETY: the entry has recorded its frame, which is still there.
    let entry_sp = unsafe { stop(guest.store.as_ptr(), pending) };
    Outcome {
        value: entry_sp as u64,
        unwind: 1,
    }
}

macro_rules! rust_type {
    (I32) => { u32 };
    (I64) => { u64 };
    (Ptr) => { *mut VmFuncRef };
    () => { () };
}

macro_rules! define_entries {
    ($($name:ident = $func:ident($($param:ident: $ty:ident),*) $(-> $ret:ident)?;)*) => {
        /// Called by the entries: the C convention, with all failures turned into an outcome.
        mod called {
            use super::*;
            $(pub(super) unsafe extern "C" fn $func(
                context: *mut VmContext,
                $($param: rust_type!($ty)),*
            ) -> Outcome {
                let body = |guest| -> Result<rust_type!($($ret)?), Pending> {
                    super::$func(guest, $($param),*)
                };
                // SAFETY: called by the entry of the same name, which got its arguments from compiled code.
                unsafe { run(context, body) }
            })*
        }

        /// Called by compiled code.
        mod entry {
            $(
                #[unsafe(naked)]
                pub(super) unsafe extern "C" fn $func() {
                    super::builtin_entry!(super::called::$func)
                }
            )*
        }

        /// The table that every context points to.
        pub static BUILTINS: VmBuiltins = VmBuiltins([$(entry::$func as *const () as CodePtr),*]);
    };
}

for_each_builtin!(define_entries);

fn raise_trap(_: Guest, code: u32) -> Result<(), Pending> {
    let trap = u8::try_from(code).ok().and_then(Trap::from_u8);
    Err(Pending::Trap(
        trap.expect("compiled code raises known traps"),
    ))
}

fn raise_pending(guest: Guest) -> Result<(), Pending> {
    // SAFETY: the guest waits in this builtin, so this is the only user of the store.
    Err(unsafe { (*guest.store.as_ptr()).take_pending() })
}

/// What `grow` instructions give for failure.
const FAILED: u64 = u64::MAX;

fn grown(result: Result<Option<u64>, HostError>) -> Result<u64, Pending> {
    Ok(result.map_err(Pending::error)?.unwrap_or(FAILED))
}

impl Guest {
    fn instance(&self) -> InstanceRef {
        // SAFETY: code of an instance passes its own context, and only such code calls the builtins that come here.
        unsafe { InstanceRef::of(self.context) }
    }

    fn memory(&self, memory: u32) -> &Memory {
        let (owner, index) = self.instance().memory(MemoryIndex::from_u32(memory));
        &owner.get().memories[index.as_u32() as usize]
    }

    fn table(&self, table: u32) -> table_ops::Place {
        self.instance().table(TableIndex::from_u32(table))
    }
}

/// The address of a range of a memory, checked.
fn range(memory: &Memory, start: u64, len: u64) -> Result<*mut u8, Trap> {
    in_bounds(
        start,
        len,
        memory.byte_size() as u64,
        Trap::MemoryOutOfBounds,
    )?;
    Ok(memory.base().as_ptr().wrapping_add(start as usize))
}

fn memory_grow(guest: Guest, memory: u32, delta: u64) -> Result<u64, Pending> {
    let (owner, index) = guest.instance().memory(MemoryIndex::from_u32(memory));
    // SAFETY: the guest waits in this builtin, so nobody uses a reference to the store.
    grown(unsafe { grow_memory(guest.store, owner, index, delta) })
}

fn memory_copy(
    guest: Guest,
    dst_memory: u32,
    dst: u64,
    src_memory: u32,
    src: u64,
    len: u64,
) -> Result<(), Pending> {
    let to = range(guest.memory(dst_memory), dst, len)?;
    let from = range(guest.memory(src_memory), src, len)?;
    // SAFETY: both ranges were checked; they may overlap. Races on shared memories are the guests' own.
    unsafe { std::ptr::copy(from, to, len as usize) };
    Ok(())
}

fn memory_fill(guest: Guest, memory: u32, dst: u64, value: u32, len: u64) -> Result<(), Pending> {
    let to = range(guest.memory(memory), dst, len)?;
    // SAFETY: the range was checked.
    unsafe { std::ptr::write_bytes(to, value as u8, len as usize) };
    Ok(())
}

fn memory_init(
    guest: Guest,
    memory: u32,
    data: u32,
    dst: u64,
    src: u32,
    len: u32,
) -> Result<(), Pending> {
    let part = guest.instance().data(DataIndex::from_u32(data));
    let to = range(guest.memory(memory), dst, len.into())?;
    let size = part.len() as u64;
    in_bounds(src.into(), len.into(), size, Trap::MemoryOutOfBounds)?;
    let bytes = &guest.instance().get().shape().data_bytes[part];
    // SAFETY: both ranges were checked; a module's bytes are not part of a memory.
    unsafe {
        let from = bytes.as_ptr().add(src as usize);
        std::ptr::copy_nonoverlapping(from, to, len as usize);
    }
    Ok(())
}

fn data_drop(guest: Guest, data: u32) -> Result<(), Pending> {
    guest.instance().drop_data(DataIndex::from_u32(data));
    Ok(())
}

fn table_get_lazy(guest: Guest, table: u32, index: u64) -> Result<*mut VmFuncRef, Pending> {
    let (owner, table) = guest.table(table);
    match table_ops::get(owner, table, index)? {
        TableElement::Func(func) => Ok(func.map_or(std::ptr::null_mut(), NonNull::as_ptr)),
        TableElement::Gc(_) => unreachable!("only tables of functions are initialized lazily"),
    }
}

fn element(place: table_ops::Place, bits: u64) -> TableElement {
    TableElement::from_bits(place.0.table_mut(place.1).repr(), bits)
}

fn table_grow(guest: Guest, table: u32, delta: u64, init: u64) -> Result<u64, Pending> {
    let place = guest.table(table);
    let init = element(place, init);
    // SAFETY: the guest waits in this builtin, so nobody uses a reference to the store.
    grown(unsafe { table_ops::grow(guest.store, place.0, place.1, delta, init) })
}

fn table_fill(guest: Guest, table: u32, dst: u64, value: u64, len: u64) -> Result<(), Pending> {
    let place = guest.table(table);
    let value = element(place, value);
    Ok(table_ops::fill(place.0, place.1, dst, value, len)?)
}

fn table_copy(
    guest: Guest,
    dst_table: u32,
    src_table: u32,
    dst: u64,
    src: u64,
    len: u64,
) -> Result<(), Pending> {
    let to = guest.table(dst_table);
    let from = guest.table(src_table);
    Ok(table_ops::copy(to, dst, from, src, len)?)
}

fn table_init(
    guest: Guest,
    table: u32,
    elem: u32,
    dst: u64,
    src: u32,
    len: u32,
) -> Result<(), Pending> {
    let to = guest.table(table);
    let elem = ElemIndex::from_u32(elem);
    Ok(table_ops::init(
        to,
        guest.instance(),
        elem,
        dst,
        src.into(),
        len.into(),
    )?)
}

fn elem_drop(guest: Guest, elem: u32) -> Result<(), Pending> {
    guest.instance().drop_elem(ElemIndex::from_u32(elem));
    Ok(())
}

fn ref_func(guest: Guest, func: u32) -> Result<*mut VmFuncRef, Pending> {
    let func = FuncIndex::from_u32(func);
    Ok(guest.instance().func_ref(func).as_ptr())
}

fn is_subtype(guest: Guest, actual: u32, expected: u32) -> Result<u32, Pending> {
    if actual == expected {
        return Ok(1);
    }
    let (actual, expected) = (TypeId::from_u32(actual), TypeId::from_u32(expected));
    // SAFETY: the guest waits in this builtin, so nobody uses the embedder.
    let embedder = unsafe { StoreCore::embedder(guest.store) };
    let is = embedder.is_some_and(|embedder| embedder.is_subtype(actual, expected));
    Ok(is.into())
}

fn memory_atomic_notify(guest: Guest, memory: u32, addr: u64, count: u32) -> Result<u32, Pending> {
    let memory = guest.memory(memory);
    match memory.shared() {
        Some(shared) => Ok(shared.atomic_notify(addr, count)?),
        // Nobody can wait at a memory that is not shared.
        None => {
            check_atomic(addr, 4, memory.byte_size())?;
            Ok(0)
        }
    }
}

/// A time in nanoseconds; negative means forever.
fn timeout(nanoseconds: u64) -> Option<Duration> {
    let nanoseconds = nanoseconds as i64;
    (nanoseconds >= 0).then(|| Duration::from_nanos(nanoseconds as u64))
}

fn memory_atomic_wait32(
    guest: Guest,
    memory: u32,
    addr: u64,
    expected: u32,
    time: u64,
) -> Result<u32, Pending> {
    let memory = guest.memory(memory);
    check_atomic(addr, 4, memory.byte_size())?;
    let shared = memory.shared().ok_or(Trap::AtomicWaitNonSharedMemory)?;
    let result: WaitResult = shared.atomic_wait32(addr, expected, timeout(time))?;
    Ok(result as u32)
}

fn memory_atomic_wait64(
    guest: Guest,
    memory: u32,
    addr: u64,
    expected: u64,
    time: u64,
) -> Result<u32, Pending> {
    let memory = guest.memory(memory);
    check_atomic(addr, 8, memory.byte_size())?;
    let shared = memory.shared().ok_or(Trap::AtomicWaitNonSharedMemory)?;
    let result: WaitResult = shared.atomic_wait64(addr, expected, timeout(time))?;
    Ok(result as u32)
}
