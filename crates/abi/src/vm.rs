//! The structures that machine code reads and writes.
//!
//! The one idea: every function of Wasm gets a pointer to its instance, a [`VmContext`], as its first argument, and finds
//! all else from there. A `VmContext` is this fixed header followed by arrays whose places [`VmLayout`](crate::VmLayout)
//! computes for each module. A function of the host gets a [`VmHostContext`] instead; both begin with a [`VmHeader`].
//!
//! Calls. Wasm functions use Cranelift's `tail` convention with the signature `(callee context, parameters…) -> results…`.
//! A funcref is a pointer to a [`VmFuncRef`], a GC reference is 32 bits, `v128` is `i8x16`.
//! The caller's context is not an argument: code that calls what may be a function of the host (an import, or anything through a
//! funcref) stores its own context to [`VmStoreContext::caller`] just before the call.

use crate::{TypeId, ValRaw, VmGcType};
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicUsize};

/// A code address.
pub type CodePtr = *const u8;

/// What every context begins with.
#[derive(Debug)]
#[repr(C)]
pub struct VmHeader {
    /// [`VmHeader::INSTANCE`] or [`VmHeader::HOST`]; checked in debug builds.
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// The store.
    pub store: *mut VmStoreContext,
    /// Where compiled code finds the runtime's functions.
    pub builtins: *const VmBuiltins,
}

impl VmHeader {
    /// Marks a [`VmContext`].
    pub const INSTANCE: u32 = u32::from_le_bytes(*b"inst");
    /// Marks a [`VmHostContext`].
    pub const HOST: u32 = u32::from_le_bytes(*b"host");
}

/// The fixed part of an instance. Arrays follow it, see [`VmLayout`](crate::VmLayout).
#[derive(Debug)]
#[repr(C, align(16))]
pub struct VmContext {
    /// Store and builtins.
    pub header: VmHeader,
    /// The canonical type of each type of the module, indexed by `TypeIndex`.
    pub type_ids: *const TypeId,
    /// The module's code slots, by `DefinedFuncIndex`; null without.
    pub code_slots: *const CodeSlot,
    /// What calls through references call, by site, while code of the first tier records it: see [`CallProfile`].
    pub call_profiles: *mut CallProfile,
}

/// What is common to the instances of a store, read and written by compiled code. Its address never changes.
#[derive(Debug)]
#[repr(C)]
pub struct VmStoreContext {
    /// The address of this structure, as long as guests may go on, and null once the epoch has reached the deadline, which any thread may say. Code that reads
    /// what it leads to has [`Trap::Interrupt`](crate::Trap::Interrupt) in its side table there; the runtime then does what a call of
    /// [`VmStoreContext::interrupt`] would between this instruction and the next. Functions may read the stack's limit there when they start, which the
    /// runtime recognizes by where it faults. It comes first because it is read most often.
    pub poll: AtomicPtr<u8>,
    /// The lowest stack address that guest code may use. Functions compare their stack pointer with it on entry.
    pub stack_limit: AtomicUsize,
    /// The instance that made the call in progress, when its callee may be a function of the host; null when the host calls itself.
    pub caller: *mut VmContext,
    /// The frame pointer of the last frame between guest and host (a trampoline's or a builtin's): the word it points to is the guest's frame
    /// pointer, the word above that the address in guest code to return to.
    pub exit_fp: usize,
    /// The frame pointer of the innermost frame that entered the guest: where a walk over guest frames ends.
    pub entry_fp: usize,
    /// The stack pointer to which a trap unwinds.
    pub entry_sp: usize,
    /// Where the heap of objects begins: what a reference counts from. Set before the first instance whose module has types of objects
    /// or tags, and the same ever after.
    pub gc_base: *mut u8,
    /// The next object's reference: an allocation adds to it.
    pub gc_top: u32,
    /// Where the space for new objects ends; never less than `gc_top`, and at least [`GC_NULL_PAGES`](crate::GC_NULL_PAGES) before the region's
    /// end. An allocation of more than lies between is the builtin `gc_alloc`.
    pub gc_limit: u32,
    /// What is known of types, by [`TypeId`]. Moves as it grows.
    pub gc_types: *const VmGcType,
    /// The functions that have a number, by it; the first is null. Moves as it grows.
    pub gc_funcs: *const *mut VmFuncRef,
    /// How many entries `gc_types` has.
    pub gc_types_len: u32,
    /// How many entries `gc_funcs` has.
    pub gc_funcs_len: u32,
    /// Where a loop continues whose values the builtin `osr_enter` has made room for.
    pub osr_code: CodePtr,
    /// Those values, when it continues: locals in order, then the operand stack, each in a [`ValRaw`].
    pub osr_values: *mut ValRaw,
    /// Minus the fuel that is left, while the host runs; see `fuel.rs` for where it is while a guest runs.
    pub fuel: i64,
    /// The address of this structure, as long as guests may go on. Once the epoch has reached the deadline, which any thread may say, that of code which a
    /// guest calls to learn what the host wants: without parameters and results, it leaves all registers as they are (Cranelift's convention
    /// `preserve_all`), and does not return when the guest is to stop. Code that can be interrupted compares, calls and needs nothing else for it.
    pub interrupt: AtomicPtr<u8>,
}

/// A function's code slot: where its newest code starts, and how much longer its code of the first tier may run.
///
/// With [`Tunables::tiered`](crate::Tunables::tiered), functions of the same module call each other through these. Code of the first tier
/// subtracts from the budget an odd amount at each entry and an even one at each jump back to a loop's start; what makes it negative calls the builtin
/// `tier_up` or `osr_enter`, which refills it. As long as it is refilled with even amounts, its lowest bit says whether entries were many or none.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct CodeSlot {
    /// Where its newest code starts. Never null.
    pub code: AtomicPtr<u8>,
    /// What is left. Written by several threads without care for each other: some of what they subtract can be lost.
    pub budget: AtomicI32,
    /// Not zero when callers pass room for results in front of the context, see [`FuncType::results_in_memory`](crate::FuncType::results_in_memory).
    pub room_first: u32,
}

/// What a call through a reference calls, by some of the times that it is made. Code of the first tier subtracts one from `wait`; what makes it
/// negative calls the builtin `record_call`, which sees to all fields. Several threads do so without care for each other: some of what they count
/// can be lost.
#[derive(Debug)]
#[repr(C)]
pub struct CallProfile {
    /// How many calls are not looked at before the next that is.
    pub wait: AtomicI32,
    /// For how many the next one that is looked at stands; zero for one.
    pub weight: AtomicU32,
    /// For how many those stood that were.
    pub calls: AtomicU32,
    /// The functions of the same instance that were called most: one more than their `DefinedFuncIndex`, or zero.
    pub callees: [AtomicU32; CallProfile::CALLEES],
    /// About how many of `calls` were of each.
    pub counts: [AtomicU32; CallProfile::CALLEES],
}

impl CallProfile {
    /// How many callees of a call are told apart.
    pub const CALLEES: usize = 4;
}

impl CodeSlot {
    /// A slot for code, with no budget.
    pub const fn new(code: CodePtr) -> CodeSlot {
        CodeSlot {
            code: AtomicPtr::new(code.cast_mut()),
            budget: AtomicI32::new(0),
            room_first: 0,
        }
    }
}

/// Enters the guest: calls `callee` through the trampoline of its type.
///
/// Reads parameters from `values` and writes results over them; `values` is as long as the longer of the two.
/// In the `tail` convention, with the arguments in this order: callee context, code, values.
/// Where fuel is counted, it takes the counter from the store to its register, and back after the call.
/// The pointer is only called from the runtime's own entry routine.
pub type EnterPtr = *const u8;

/// The host's side of a function of the host.
///
/// Arguments: the function's [`VmHostContext`], the instance that calls (or null), the values (parameters in, results out) and how
/// many there are. False says that an error is pending in the store and that the guest is to be unwound. In the platform's C convention.
/// Where fuel is counted, the trampolines that call it take the counter from its register to the store, and back afterwards.
pub type HostFn =
    unsafe extern "C" fn(*mut VmHostContext, *mut VmContext, *mut ValRaw, usize) -> bool;

/// A function as a value: what a funcref points to.
#[derive(Debug)]
#[repr(C)]
pub struct VmFuncRef {
    /// What to call, in the `tail` convention, with `context` first. Never null where guest code can reach it.
    pub code: CodePtr,
    /// The callee's own context: a [`VmContext`] or a [`VmHostContext`], beginning with a [`VmHeader`].
    pub context: *mut VmHeader,
    /// The canonical type.
    pub type_id: TypeId,
    /// Its number in its store (an index into [`VmStoreContext::gc_funcs`]), by which objects of the heap hold it; zero until the builtin
    /// `func_to_id` gave it one.
    pub id: u32,
    /// How the host calls it: the trampoline of its type, or null for a function of the host.
    pub enter: EnterPtr,
}

/// An imported function.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub struct VmFuncImport {
    /// What to call.
    pub code: CodePtr,
    /// The callee's own context.
    pub context: *mut VmHeader,
    /// The funcref that was imported.
    pub func_ref: *mut VmFuncRef,
}

/// A function of the host.
#[derive(Debug)]
#[repr(C)]
pub struct VmHostContext {
    /// Store and builtins.
    pub header: VmHeader,
    /// What to call.
    pub func: HostFn,
    /// For that function's own use.
    pub data: *mut core::ffi::c_void,
    /// The function as a value, with `context` pointing back here.
    pub func_ref: VmFuncRef,
}

/// A memory.
#[derive(Debug)]
#[repr(C)]
pub struct VmMemory {
    /// Address of its first byte.
    pub base: *mut u8,
    /// Its length in bytes now. Atomic because a shared memory grows while others run; relaxed loads are enough.
    pub len: AtomicUsize,
}

/// An imported memory.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub struct VmMemoryImport {
    /// The memory.
    pub from: *mut VmMemory,
    /// The instance that defines it, or null.
    pub context: *mut VmContext,
}

/// A table. Elements are pointers to [`VmFuncRef`] or 32-bit GC references, by its type.
///
/// Where `Tunables::table_lazy_init` holds, an element of a table of functions is zero as long as it is not initialized (the
/// builtin `table_get_lazy` then finds its value); an initialized one has its lowest bit set, so that null is the number one.
#[derive(Debug)]
#[repr(C)]
pub struct VmTable {
    /// Address of its first element.
    pub base: *mut u8,
    /// Its length in elements now.
    pub len: usize,
}

/// An imported table.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub struct VmTableImport {
    /// The table.
    pub from: *mut VmTable,
    /// The instance that defines it, or null.
    pub context: *mut VmContext,
}

/// A global. Holds any value, in the lowest bytes.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct VmGlobal(pub ValRaw);

/// An imported global.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub struct VmGlobalImport {
    /// The global.
    pub from: *mut VmGlobal,
    /// The instance that defines it, or null.
    pub context: *mut VmContext,
}

/// A tag.
#[derive(Debug)]
#[repr(C)]
pub struct VmTag {
    /// Its canonical function type.
    pub type_id: TypeId,
    /// Its number in its store, which is its identity; an exception holds it. Never zero.
    pub id: u32,
}

/// An imported tag.
#[derive(Copy, Clone, Debug)]
#[repr(C)]
pub struct VmTagImport {
    /// The tag.
    pub from: *mut VmTag,
    /// The instance that defines it, or null.
    pub context: *mut VmContext,
}

/// The runtime's functions, in the order of [`Builtin`](crate::Builtin).
#[derive(Debug)]
#[repr(C)]
pub struct VmBuiltins(pub [CodePtr; crate::Builtin::COUNT]);

// SAFETY: the addresses of functions, never written.
#[allow(unsafe_code)]
unsafe impl Send for VmBuiltins {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for VmBuiltins {}

// A funcref's tag bit needs an address that is even, a global its alignment.
const _: () = assert!(align_of::<VmFuncRef>() >= 2);
const _: () = assert!(size_of::<VmGlobal>() == 16);
const _: () = assert!(size_of::<VmContext>().is_multiple_of(16));
const _: () = assert!(size_of::<CodeSlot>() == 16);
const _: () = assert!(size_of::<CallProfile>() == 44);
const _: () = assert!(core::mem::offset_of!(VmContext, header) == 0);
const _: () = assert!(core::mem::offset_of!(VmHostContext, header) == 0);
