//! The runtime's functions that compiled code calls, in the order of `abi::Builtin`.
//!
//! The one idea: compiled code calls an entry written in assembly, which records where it left the guest and calls the Rust function
//! of the same name below; when that fails, the entry unwinds the guest, so compiled code never checks. Entries, table and type
//! checks all come from `for_each_builtin!`.

use crate::HostError;
use crate::arch::{self, builtin_entry, preserving_entry};
use crate::call_profile;
use crate::code::CodeRegion;
use crate::enter::current_store;
use crate::exception::{find_handler, register_at_exit};
use crate::gc::instructions::*;
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
use std::sync::Arc;
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
pub(crate) struct Guest {
    pub store: NonNull<StoreCore>,
    /// What it passed: an instance's context; a host trampoline, which only ever raises, passes its function's.
    pub context: *mut VmContext,
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

/// What waits in the exit record while a function below runs.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Entry {
    /// The frame of an entry that `builtin_entry` wrote: it has the guest's registers, so an exception can continue in the guest.
    Builtin,
    /// That of another. Nothing that it leads to throws; if it did, the exception would be the host's.
    Other,
}

/// Runs a builtin's body; nothing leaves it but an outcome.
///
/// # Safety
///
/// Compiled code has passed the context, to this entry.
unsafe fn run<R: Register>(
    entry: Entry,
    context: *mut VmContext,
    body: impl FnOnce(Guest) -> Result<R, Pending>,
) -> Outcome {
    // Trampolines pass the context of a host function, which shares only its header with an instance's.
    let header = context.cast::<VmHeader>();
    // SAFETY: compiled code passes a context, which begins with a header whose store is alive and in use by this thread alone.
    let store = unsafe { StoreCore::from_context((*header).store) };
    let guest = Guest { store, context };
    // SAFETY: passed on to the caller.
    unsafe { run_in(entry, store, || body(guest)) }
}

/// The same without a context.
///
/// # Safety
///
/// The store's guest waits, and its exit record is that of the entry.
unsafe fn run_in<R: Register>(
    entry: Entry,
    store: NonNull<StoreCore>,
    body: impl FnOnce() -> Result<R, Pending>,
) -> Outcome {
    let pending = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => {
            return Outcome {
                value: value.bits(),
                unwind: 0,
            };
        }
        Ok(Err(pending)) => pending,
        Err(payload) => Pending::Panic(payload),
    };
    if entry == Entry::Builtin {
        // SAFETY: the entry has recorded its frame; from here on up to it, no frame owns anything.
        unsafe {
            let exit_fp = (*(*store.as_ptr()).context()).exit_fp;
            let fuel = register_at_exit(exit_fp, arch::FUEL);
            (*store.as_ptr()).note_fuel(fuel as u64);
            if matches!(pending, Pending::Exception)
                && let Some(landing) = find_handler(store.as_ptr())
            {
                landing.resume();
            }
        }
    }
    // SAFETY: the entry has recorded its frame, which is still there.
    let entry_sp = unsafe { stop(store.as_ptr(), pending) };
    Outcome {
        value: entry_sp as u64,
        unwind: 1,
    }
}

/// Called by [`preserving::interrupted`] with its frame pointer.
unsafe extern "C" fn interrupted(fp: usize) -> Outcome {
    let store = current_store().expect("a guest runs in a store");
    // SAFETY: the guest that calls is that of the thread's current store; it waits in the entry, which passes its frame.
    unsafe {
        (*(*store.as_ptr()).context()).exit_fp = fp;
        run_in(Entry::Other, store, || StoreCore::reach_epoch(store))
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
                unsafe { run(Entry::Builtin, context, body) }
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
        pub static BUILTINS: VmBuiltins = {
            let mut table = [$(entry::$func as *const () as CodePtr),*];
            // What cannot fail needs no entry that could unwind.
            table[Builtin::MoveBytes as usize] = direct::move_bytes as *const () as CodePtr;
            table[Builtin::SetBytes as usize] = direct::set_bytes as *const () as CodePtr;
            VmBuiltins(table)
        };
    };
}

for_each_builtin!(define_entries);

/// Called by compiled code, which finds all registers as they were.
pub(crate) mod preserving {
    /// What [`VmStoreContext::interrupt`](meantime_abi::VmStoreContext::interrupt) leads to.
    #[unsafe(naked)]
    pub(crate) unsafe extern "C" fn interrupted() {
        super::preserving_entry!(super::interrupted)
    }
}

/// Called by compiled code without an entry in between.
mod direct {
    use super::VmContext;

    pub(super) unsafe extern "C" fn move_bytes(_: *mut VmContext, dst: u64, src: u64, len: u64) {
        // SAFETY: compiled code checked that both ranges lie in memories of the guest.
        unsafe { std::ptr::copy(src as *const u8, dst as *mut u8, len as usize) };
    }

    pub(super) unsafe extern "C" fn set_bytes(_: *mut VmContext, dst: u64, value: u32, len: u64) {
        // SAFETY: as above.
        unsafe { std::ptr::write_bytes(dst as *mut u8, value as u8, len as usize) };
    }
}

fn move_bytes(guest: Guest, dst: u64, src: u64, len: u64) -> Result<(), Pending> {
    // SAFETY: passed on to the caller, as for `direct`.
    unsafe { direct::move_bytes(guest.context, dst, src, len) };
    Ok(())
}

fn set_bytes(guest: Guest, dst: u64, value: u32, len: u64) -> Result<(), Pending> {
    // SAFETY: passed on to the caller, as for `direct`.
    unsafe { direct::set_bytes(guest.context, dst, value, len) };
    Ok(())
}

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
    /// The store. No other reference to it is in use as long as the guest waits in a builtin, but those that the builtin makes.
    pub fn core<'a>(self) -> &'a StoreCore {
        // SAFETY: alive, and this thread's; see above.
        unsafe { &*self.store.as_ptr() }
    }

    /// As [`Guest::core`]; users end the borrow before they make another.
    pub fn core_mut<'a>(self) -> &'a mut StoreCore {
        // SAFETY: as above.
        unsafe { &mut *self.store.as_ptr() }
    }

    pub fn instance(&self) -> InstanceRef {
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

impl Guest {
    /// The code of the instance, which is made while it runs.
    fn tiered_code(&self) -> &Arc<CodeRegion> {
        let code = self.instance().get().shape().code.as_ref();
        code.expect("only code in tiers asks for more")
    }
}

fn tier_up(guest: Guest, func: u32) -> Result<(), Pending> {
    let code = guest.tiered_code();
    if let Some(tiers) = code.tiers() {
        tiers.budget_spent(code, DefinedFuncIndex::from_u32(func));
    }
    Ok(())
}

fn record_call(guest: Guest, profile: u32, func: *mut VmFuncRef) -> Result<(), Pending> {
    let code = guest.tiered_code();
    // SAFETY: a funcref of the store, or null.
    let func = unsafe { func.as_ref() };
    let own = func.filter(|func| func.context == guest.context.cast());
    let callee = own.and_then(|func| code.func_of_thunk(func.code.addr()));
    call_profile::record(&code.call_profiles()[profile as usize], callee);
    Ok(())
}

fn osr_enter(guest: Guest, func: u32, loop_at: u32) -> Result<*mut VmFuncRef, Pending> {
    let code = guest.tiered_code();
    let func = DefinedFuncIndex::from_u32(func);
    let osr = code
        .tiers()
        .and_then(|tiers| tiers.loop_budget_spent(code, func, loop_at));
    Ok(match osr {
        Some(osr) => guest.core_mut().prepare_osr(osr).cast(),
        None => std::ptr::null_mut(),
    })
}

/// What `arch::lazy_entry` calls: the code of a function that is called and has none.
pub(crate) unsafe extern "C" fn compile_lazily(context: *mut VmContext, func: u32) -> Outcome {
    let body = |guest: Guest| {
        let code = guest.tiered_code();
        let tiers = code
            .tiers()
            .expect("only slots of code in tiers have stubs");
        let compiled = tiers.compile(code, DefinedFuncIndex::from_u32(func));
        compiled.map_err(Pending::error)
    };
    // SAFETY: called by code of an instance, through the stub of one of its functions.
    unsafe { run(Entry::Other, context, body) }
}

impl Register for CodePtr {
    fn bits(self) -> u64 {
        self.expose_provenance() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ElemShape, Imports, InstanceRequest, InstanceShape, MemoryShape, OnDemandAllocator,
        OwnedStore, SharedBytes, StoreOptions, TableShape,
    };
    use cranelift_entity::{EntityRef, PrimaryMap};
    use std::sync::Arc;

    fn store() -> OwnedStore {
        OwnedStore::new(StoreOptions {
            max_wasm_stack: 1 << 20,
            max_backtrace_frames: 0,
            allocator: Arc::new(OnDemandAllocator::new()),
            gc: crate::GcOptions::default(),
        })
    }

    fn memory(shared: bool) -> MemoryShape {
        let ty = MemoryType {
            addr: AddrType::I32,
            shared,
            min: 1,
            max: Some(2),
            page_size_log2: 16,
        };
        MemoryShape {
            ty,
            plan: MemoryPlan::new(&ty, &Tunables::default()),
            growth_reserve: 0,
            image: None,
        }
    }

    /// An instance with a memory and a shared one, a table of references, and segments.
    fn guest(store: &OwnedStore) -> Guest {
        let counts = VmCounts {
            memories: 2,
            tables: 1,
            ..VmCounts::default()
        };
        let table = TableShape {
            repr: RefRepr::Gc,
            min: 4,
            max: None,
            lazy: false,
            image: Box::default(),
        };
        let shape = InstanceShape {
            memories: PrimaryMap::from_iter([memory(false), memory(true)]),
            tables: PrimaryMap::from_iter([table]),
            data: PrimaryMap::from_iter([2..5, 0..0]),
            data_bytes: SharedBytes::from(b"..abc..".to_vec()),
            elems: PrimaryMap::from_iter([ElemShape::Evaluated]),
            ..InstanceShape::empty(counts)
        };
        let request = InstanceRequest {
            shape: Arc::new(shape),
            imports: Imports::default(),
            shared_memories: &[],
        };
        // SAFETY: nothing is imported, and the store is this test's.
        unsafe {
            let id = StoreCore::allocate_instance(store.ptr(), request).unwrap();
            Guest {
                store: store.ptr(),
                context: store.instance(id).context(),
            }
        }
    }

    fn trap<R>(result: Result<R, Pending>) -> Trap {
        match result {
            Err(Pending::Trap(trap)) => trap,
            _ => panic!("a trap"),
        }
    }

    fn read(guest: Guest, at: usize, len: usize) -> Vec<u8> {
        // SAFETY: the memory's own bytes.
        unsafe { (&(*guest.memory(0).data()))[at..at + len].to_vec() }
    }

    #[test]
    fn memory_instructions_check_all_before_they_write() {
        let store = store();
        let guest = guest(&store);
        memory_init(guest, 0, 0, 10, 0, 3).unwrap();
        memory_copy(guest, 0, 11, 0, 10, 3).unwrap();
        assert_eq!(read(guest, 9, 6), b"\0aabc\0");
        memory_copy(guest, 0, 10, 0, 11, 4).unwrap();
        assert_eq!(read(guest, 9, 6), b"\0abc\0\0");
        memory_fill(guest, 0, 0xfffe, 0x1_02, 2).unwrap();
        assert_eq!(read(guest, 0xfffd, 3), [0, 2, 2]);
        let end = 1 << 16;
        for result in [
            memory_init(guest, 0, 0, 0, 1, 3),
            memory_init(guest, 0, 0, end - 2, 0, 3),
            memory_init(guest, 0, 1, 0, 0, 1),
            memory_init(guest, 0, 0, u64::MAX, u32::MAX, u32::MAX),
            memory_copy(guest, 0, end - 1, 0, 10, 2),
            memory_copy(guest, 0, 10, 0, end - 1, 2),
            memory_copy(guest, 0, 10, 0, u64::MAX, 2),
            memory_copy(guest, 0, 0, 0, 0, u64::MAX),
            memory_fill(guest, 0, end - 1, 7, 2),
            memory_fill(guest, 0, u64::MAX, 7, u64::MAX),
        ] {
            assert_eq!(trap(result), Trap::MemoryOutOfBounds);
        }
        assert_eq!(read(guest, 9, 6), b"\0abc\0\0");
        assert_eq!(read(guest, 0xfffd, 3), [0, 2, 2]);
        // At the end, nothing is still something to be had.
        memory_fill(guest, 0, end, 7, 0).unwrap();
        memory_copy(guest, 0, end, 0, end, 0).unwrap();
        data_drop(guest, 0).unwrap();
        memory_init(guest, 0, 0, end, 0, 0).unwrap();
        assert_eq!(
            trap(memory_init(guest, 0, 0, 0, 0, 1)),
            Trap::MemoryOutOfBounds
        );
    }

    #[test]
    fn memories_can_be_copied_to_each_other() {
        let store = store();
        let guest = guest(&store);
        memory_init(guest, 1, 0, 5, 0, 3).unwrap();
        memory_copy(guest, 0, 0, 1, 5, 3).unwrap();
        assert_eq!(read(guest, 0, 4), b"abc\0");
    }

    #[test]
    fn atomic_instructions_need_aligned_addresses_and_shared_memories() {
        let store = store();
        let guest = guest(&store);
        assert_eq!(memory_atomic_notify(guest, 0, 4, 1).unwrap(), 0);
        assert_eq!(memory_atomic_notify(guest, 1, 4, 1).unwrap(), 0);
        assert_eq!(memory_atomic_wait32(guest, 1, 4, 1, u64::MAX).unwrap(), 1);
        assert_eq!(memory_atomic_wait32(guest, 1, 4, 0, 0).unwrap(), 2);
        assert_eq!(memory_atomic_wait64(guest, 1, 8, 0, 1000).unwrap(), 2);
        let waits = [
            (memory_atomic_wait32(guest, 0, 4, 0, 0), "not shared"),
            (memory_atomic_wait64(guest, 1, 4, 0, 0), "misaligned"),
            (memory_atomic_wait64(guest, 1, 65536, 0, 0), "beyond"),
            (memory_atomic_notify(guest, 0, 2, 0), "misaligned"),
            (memory_atomic_notify(guest, 0, 1 << 40, 0), "beyond"),
        ];
        for (result, why) in waits {
            let expected = match why {
                "not shared" => Trap::AtomicWaitNonSharedMemory,
                "misaligned" => Trap::HeapMisaligned,
                _ => Trap::MemoryOutOfBounds,
            };
            assert_eq!(trap(result), expected, "{why}");
        }
    }

    #[test]
    fn tables_of_references_take_zero_extended_bits() {
        let store = store();
        let guest = guest(&store);
        let element = |i| table_ops::get(guest.table(0).0, guest.table(0).1, i);
        table_fill(guest, 0, 1, 0xffff_ffff, 2).unwrap();
        assert_eq!(table_grow(guest, 0, 2, 7).unwrap(), 4);
        assert_eq!(table_grow(guest, 0, u64::MAX, 7).unwrap(), u64::MAX);
        table_copy(guest, 0, 0, 3, 2, 2).unwrap();
        let bits = [0, 1, 2, 3, 4, 5].map(|i| match element(i) {
            Ok(TableElement::Gc(value)) => value.map_or(0, |v| v.bits()),
            _ => panic!("a reference"),
        });
        assert_eq!(bits, [0, u32::MAX, u32::MAX, u32::MAX, 0, 7]);
        let init = |dst, src, len| table_init(guest, 0, 0, dst, src, len);
        assert_eq!(trap(init(0, 0, 1)), Trap::TableOutOfBounds);
        let value = element(5).unwrap();
        guest.instance().set_elem(ElemIndex::new(0), vec![value; 2]);
        init(0, 1, 1).unwrap();
        assert_eq!(element(0).unwrap(), value);
        elem_drop(guest, 0).unwrap();
        assert_eq!(trap(init(0, 0, 1)), Trap::TableOutOfBounds);
    }

    #[test]
    fn without_an_embedder_only_equal_types_are_subtypes() {
        let store = store();
        let guest = guest(&store);
        assert_eq!(is_subtype(guest, 3, 3).unwrap(), 1);
        assert_eq!(is_subtype(guest, 3, 4).unwrap(), 0);
    }

    #[test]
    fn every_builtin_has_an_entry_of_its_own() {
        let mut entries = BUILTINS.0.to_vec();
        entries.sort_unstable();
        entries.dedup();
        assert_eq!(entries.len(), Builtin::COUNT);
    }
}
