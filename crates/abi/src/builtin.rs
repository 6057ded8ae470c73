//! The runtime's functions that compiled code calls.
//!
//! Each takes the instance's context first and follows the platform's C convention, with all arguments in registers; compiled code finds
//! its address in [`VmBuiltins`](crate::VmBuiltins). One that can trap does not return when it does.

/// Type of a builtin's parameter or result.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum BuiltinType {
    /// 32 bits. The upper half of the register is undefined.
    I32,
    /// 64 bits.
    I64,
    /// A pointer.
    Ptr,
}

macro_rules! builtins {
    ($($(#[$doc:meta])* $name:ident = $func:ident($($param:ident: $ty:ident),*) $(-> $ret:ident)?;)*) => {
        /// A function of the runtime, by its place in [`VmBuiltins`](crate::VmBuiltins).
        #[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
        #[repr(u32)]
        pub enum Builtin {
            $($(#[$doc])* $name,)*
        }

        impl Builtin {
            /// Every builtin, in order.
            pub const ALL: &[Builtin] = &[$(Builtin::$name),*];
            /// How many there are.
            pub const COUNT: usize = Builtin::ALL.len();

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Builtin::$name => stringify!($func),)* }
            }

            /// Types of its parameters after the context.
            pub fn params(self) -> &'static [BuiltinType] {
                match self { $(Builtin::$name => &[$(BuiltinType::$ty),*],)* }
            }

            /// Type of its result, if it has one.
            pub fn result(self) -> Option<BuiltinType> {
                match self { $(Builtin::$name => { let r: &[BuiltinType] = &[$(BuiltinType::$ret)?]; r.first().copied() })* }
            }
        }

        /// Calls the given macro with the table of builtins: `name = func(param: type, …) -> type;` for each.
        #[macro_export]
        macro_rules! for_each_builtin {
            ($mac:ident) => {
                $mac! { $($name = $func($($param: $ty),*) $(-> $ret)?;)* }
            };
        }
    };
}

builtins! {
    /// Unwinds to the host with the trap of this code ([`Trap`](crate::Trap)). Does not return.
    RaiseTrap = raise_trap(code: I32);
    /// Unwinds to the host with the error that is pending in the store. Does not return.
    RaisePending = raise_pending();
    /// `memory.grow`: the size before in pages, or all ones.
    MemoryGrow = memory_grow(memory: I32, delta: I64) -> I64;
    /// `memory.copy`. Traps.
    MemoryCopy = memory_copy(dst_memory: I32, dst: I64, src_memory: I32, src: I64, len: I64);
    /// `memory.fill`. Traps.
    MemoryFill = memory_fill(memory: I32, dst: I64, value: I32, len: I64);
    /// Moves bytes between places of memories that were checked; they may overlap. Cannot fail.
    MoveBytes = move_bytes(dst: I64, src: I64, len: I64);
    /// Sets bytes at a place of a memory that was checked to the lowest byte of a value. Cannot fail.
    SetBytes = set_bytes(dst: I64, value: I32, len: I64);
    /// `memory.init`. Traps.
    MemoryInit = memory_init(memory: I32, data: I32, dst: I64, src: I32, len: I32);
    /// `data.drop`.
    DataDrop = data_drop(data: I32);
    /// The value of an element of a table of functions that is not initialized, which this does; the index is in bounds.
    TableGetLazy = table_get_lazy(table: I32, index: I64) -> Ptr;
    /// `table.grow`: the size before, or all ones. `init` is a funcref or, zero-extended, a GC reference.
    TableGrow = table_grow(table: I32, delta: I64, init: I64) -> I64;
    /// `table.fill`. Traps.
    TableFill = table_fill(table: I32, dst: I64, value: I64, len: I64);
    /// `table.copy`. Traps.
    TableCopy = table_copy(dst_table: I32, src_table: I32, dst: I64, src: I64, len: I64);
    /// `table.init`. Traps.
    TableInit = table_init(table: I32, elem: I32, dst: I64, src: I32, len: I32);
    /// `elem.drop`.
    ElemDrop = elem_drop(elem: I32);
    /// `ref.func`: makes the [`VmFuncRef`](crate::VmFuncRef) valid and returns it.
    RefFunc = ref_func(func: I32) -> Ptr;
    /// Whether the first canonical type is a subtype of the second.
    IsSubtype = is_subtype(actual: I32, expected: I32) -> I32;
    /// `memory.atomic.notify`: how many were woken. Traps.
    MemoryAtomicNotify = memory_atomic_notify(memory: I32, addr: I64, count: I32) -> I32;
    /// `memory.atomic.wait32`: 0 woken, 1 not equal, 2 timed out. Traps.
    MemoryAtomicWait32 = memory_atomic_wait32(memory: I32, addr: I64, expected: I32, timeout: I64) -> I32;
    /// `memory.atomic.wait64`: 0 woken, 1 not equal, 2 timed out. Traps.
    MemoryAtomicWait64 = memory_atomic_wait64(memory: I32, addr: I64, expected: I64, timeout: I64) -> I32;
    /// A new object of a canonical type (of an exception, the tag's), with its header and unspecified contents, where the space that
    /// the store's context names does not suffice. May collect. `size` is the whole object's, `len` the header's. Traps.
    GcAlloc = gc_alloc(type_id: I32, size: I64, len: I32) -> I32;
    /// `array.new_data`. The type is canonical. Traps.
    ArrayNewData = array_new_data(type_id: I32, data: I32, src: I32, len: I32) -> I32;
    /// `array.new_elem`. The type is canonical. Traps.
    ArrayNewElem = array_new_elem(type_id: I32, elem: I32, src: I32, len: I32) -> I32;
    /// `array.init_data`. Traps.
    ArrayInitData = array_init_data(array: I32, data: I32, dst: I32, src: I32, len: I32);
    /// `array.init_elem`. Traps.
    ArrayInitElem = array_init_elem(array: I32, elem: I32, dst: I32, src: I32, len: I32);
    /// `array.copy`. Traps.
    ArrayCopy = array_copy(dst_array: I32, dst: I32, src_array: I32, src: I32, len: I32);
    /// The number of a function, which is given one if it has none: zero for null.
    FuncToId = func_to_id(func: Ptr) -> I32;
    /// The function with a number: null for zero. It has the canonical type or a subtype, unless that is [`TypeId::NONE`](crate::TypeId::NONE). Traps.
    FuncFromId = func_from_id(id: I32, type_id: I32) -> Ptr;
    /// `throw_ref`, and the end of `throw`: continues at the handler that catches it, or unwinds to the host. Traps. Does not return.
    ThrowRef = throw_ref(exn: I32);
    /// The budget of a function (a `DefinedFuncIndex`) is spent: refills it, and sees to better code. Cannot fail.
    TierUp = tier_up(func: I32);
    /// A call through a reference that has this profile, by number, calls this function or null, and is to be looked at. Cannot fail.
    RecordCall = record_call(profile: I32, func: Ptr);
    /// The budget of a function is spent at the start of a loop, the one whose opcode stands at this offset in the module's bytes. Refills it,
    /// and returns null; or, when there is code that continues from there, room for the loop's values, with
    /// [`VmStoreContext::osr_code`](crate::VmStoreContext::osr_code) set. That code has the function's own signature and ignores its
    /// parameters: who writes the values tears down its frame and jumps there. Cannot fail.
    OsrEnter = osr_enter(func: I32, loop_at: I32) -> Ptr;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_arguments_fit_in_registers() {
        for &builtin in Builtin::ALL {
            // Six integer registers on x86-64, eight on AArch64; the context takes one.
            assert!(builtin.params().len() <= 5, "{}", builtin.name());
        }
    }
}
