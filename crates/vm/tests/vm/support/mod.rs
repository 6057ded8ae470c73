//! A guest module written in assembly, and a store to run it in.
//!
//! The code stands in the test's own text section; its bytes are copied to code memory like those of a compiler. What is tested is so the
//! real thing: entry, exits, faults and unwinding, without a compiler.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[path = "labels.rs"]
mod code;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use meantime_abi::entity::packed_option::PackedOption;
use meantime_abi::entity::{PrimaryMap, SecondaryMap};
use meantime_abi::*;
use meantime_vm::*;
use std::ptr::NonNull;
use std::sync::Arc;

/// Functions of the guest. All take and return an `i32`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Func {
    /// Adds one, and overwrites every register that it may.
    AddOne,
    /// Traps by an instruction.
    Unreachable,
    /// Loads from memory 0 at the address.
    Load,
    /// Divides a hundred by it.
    Divide,
    /// Calls itself for ever, with a check of the stack limit.
    Recurse,
    /// Calls import 0.
    CallImport,
    /// `memory.grow`.
    Grow,
    /// Calls the builtin that traps with this code.
    Raise,
    /// Adds one to what `CallImport` returns.
    CallCallImport,
    /// Keeps a GC reference on its stack while it calls import 0.
    HoldReference,
    /// Calls import 0, and returns the bits of exceptions of tag 0.
    TryTag,
    /// Calls `TryTag`, and returns the complement of the bits of exceptions.
    TryAll,
    /// Throws the exception with these bits.
    Throw,
    /// Loads the 32 bits after the header of the object with these bits.
    LoadObject,
}

pub const FUNCS: u32 = 14;
pub const ENTER: u32 = FUNCS;
pub const HOST: u32 = FUNCS + 1;

/// Offset of import 0 in the guest's contexts.
pub const IMPORT: usize = size_of::<VmContext>();
/// Offset of memory 0 in the guest's contexts.
pub const MEMORY: usize = IMPORT + size_of::<VmFuncImport>();

fn key(i: u32) -> FuncKey {
    let ty = TypeIndex::from_u32(0);
    match i {
        ENTER => FuncKey::Trampoline(Trampoline::Enter, ty),
        HOST => FuncKey::Trampoline(Trampoline::Host, ty),
        _ => FuncKey::Func(DefinedFuncIndex::from_u32(i)),
    }
}

/// Wasm offsets in the test's side tables: the function's number times 100, plus one for calls.
pub fn code_region() -> Arc<CodeRegion> {
    let starts = code::starts();
    let base = starts[0];
    let len = starts[starts.len() - 1] - base;
    // SAFETY: the range between two labels of the text section.
    let text = unsafe { std::slice::from_raw_parts(base as *const u8, len) };
    let mut functions = Vec::new();
    let mut tables = Vec::new();
    for i in 0..FUNCS + 2 {
        let start = starts[i as usize];
        let mut table = SideTableBuilder::new();
        for (at, trap) in code::traps() {
            if at >= start && at < starts[i as usize + 1] {
                table.point(Point {
                    code_offset: (at - start) as u32,
                    wasm_offset: Some(i * 100),
                    trap: Some(trap),
                    inline: None,
                });
            }
        }
        let mut inline = None;
        if i == Func::CallCallImport as u32 {
            inline = Some(table.inline_frame(InlineFrame {
                func: FuncIndex::from_u32(1),
                call_wasm_offset: Some(i * 100 + 2),
                parent: None,
            }));
        }
        for at in code::returns() {
            if at > start && at <= starts[i as usize + 1] {
                table.point(Point {
                    code_offset: (at - start) as u32,
                    wasm_offset: Some(i * 100 + 1),
                    trap: None,
                    inline,
                });
            }
        }
        let (held_return, below_fp) = code::held_reference();
        if i == Func::HoldReference as u32 {
            table.stack_map((held_return - start) as u32, [below_fp]);
        }
        for (at, kind, landing, sp_below_fp) in code::handlers() {
            if at > start && at <= starts[i as usize + 1] {
                table.handler(Handler {
                    code_offset: (at - start) as u32,
                    kind,
                    landing: (landing - start) as u32,
                    sp_below_fp,
                    context: ContextPlace::BelowFp(8),
                });
            }
        }
        let table = table.finish();
        functions.push(FuncEntry {
            start: (start - base) as u32,
            len: (starts[i as usize + 1] - start) as u32,
            side_table_start: tables.len() as u32,
            side_table_len: table.len() as u32,
            key: key(i),
        });
        tables.extend(table);
    }
    let memory = CodeMemory::from_bytes(text).unwrap();
    CodeRegion::new(memory, tables.into(), functions, 1, true, Arc::new(())).unwrap()
}

pub fn memory_type(min: u64, max: Option<u64>) -> MemoryType {
    MemoryType {
        addr: AddrType::I32,
        shared: false,
        min,
        max,
        page_size_log2: 16,
    }
}

pub fn memory_shape(ty: MemoryType, tunables: &Tunables) -> MemoryShape {
    MemoryShape {
        ty,
        plan: MemoryPlan::new(&ty, tunables),
        growth_reserve: tunables.memory_reservation_for_growth,
        image: None,
    }
}

/// The canonical type of every function here.
pub fn func_type() -> TypeId {
    TypeId::from_u32(7)
}

/// Where the trampoline of the only type stands in the text.
pub fn enters(code: &CodeRegion) -> Box<[Option<u32>]> {
    let ty = TypeIndex::from_u32(0);
    let enter = code.trampoline(Trampoline::Enter, ty).unwrap();
    let offset = enter as usize - code.text().as_ptr() as usize;
    Box::new([Some(offset as u32)])
}

/// A module with all functions above, one imported function and one memory.
pub fn shape(code: Arc<CodeRegion>, memory: MemoryShape) -> InstanceShape {
    let counts = VmCounts {
        func_imports: 1,
        memories: 1,
        tags: 1,
        escaped_funcs: FUNCS,
        ..VmCounts::default()
    };
    let mut escaped = SecondaryMap::new();
    for i in 0..FUNCS {
        escaped[FuncIndex::from_u32(1 + i)] = PackedOption::from(EscapedFuncIndex::from_u32(i));
    }
    let shape = InstanceShape {
        enters: enters(&code),
        code: Some(code),
        type_ids: Box::new([func_type()]),
        func_types: vec![TypeIndex::from_u32(0); FUNCS as usize].into(),
        escaped,
        memories: PrimaryMap::from_iter([memory]),
        tags: Box::new([TypeIndex::from_u32(0)]),
        ..InstanceShape::empty(counts)
    };
    let layout = &shape.layout;
    assert_eq!(layout.func_import(FuncIndex::from_u32(0)) as usize, IMPORT);
    let memory = layout.memory(DefinedMemoryIndex::from_u32(0));
    assert_eq!(memory as usize, MEMORY);
    shape
}

pub fn store() -> OwnedStore {
    init_traps();
    OwnedStore::new(StoreOptions {
        max_wasm_stack: 512 << 10,
        max_backtrace_frames: 20,
        allocator: Arc::new(OnDemandAllocator::new()),
        gc: GcOptions::default(),
    })
}

/// A store with one instance.
pub struct Guest {
    pub store: OwnedStore,
    pub instance: InstanceId,
}

type HostClosure = dyn Fn(NonNull<StoreCore>, i32) -> Result<i32, HostError> + Send + Sync;

/// The host side of every imported function: calls the closure that it belongs to.
unsafe extern "C" fn call_closure(
    context: *mut VmHostContext,
    _caller: *mut VmContext,
    values: *mut ValRaw,
    len: usize,
) -> bool {
    assert_eq!(len, 1);
    // SAFETY: the context was made by `Guest::new`, whose store owns the closure; `values` has one slot.
    unsafe {
        let store = (*context).header.store;
        let closure = &*(*context).data.cast::<Box<HostClosure>>();
        host_body(store, || {
            let result = closure(StoreCore::from_context(store), (*values).get_i32());
            *values = ValRaw::i32(result.map_err(pending)?);
            Ok::<(), Pending>(())
        })
    }
}

/// What an error of a closure means: itself, or what it holds.
fn pending(error: HostError) -> Pending {
    match error.downcast::<Pending>() {
        Ok(pending) => *pending,
        Err(error) => Pending::error(error),
    }
}

pub fn host_func(
    store: &mut OwnedStore,
    code: &CodeRegion,
    f: impl Fn(NonNull<StoreCore>, i32) -> Result<i32, HostError> + Send + Sync + 'static,
) -> NonNull<VmFuncRef> {
    let closure: Arc<Box<HostClosure>> = Arc::new(Box::new(f));
    let data = Arc::as_ptr(&closure).cast_mut().cast();
    let trampoline = code
        .trampoline(Trampoline::Host, TypeIndex::from_u32(0))
        .unwrap();
    store.alloc_host_func(call_closure, data, Some(closure), func_type(), trampoline)
}

impl Guest {
    pub fn new(
        f: impl Fn(NonNull<StoreCore>, i32) -> Result<i32, HostError> + Send + Sync + 'static,
    ) -> Guest {
        let ty = memory_type(1, Some(3));
        Guest::with_memory(memory_shape(ty, &Tunables::default()), f)
    }

    pub fn with_memory(
        memory: MemoryShape,
        f: impl Fn(NonNull<StoreCore>, i32) -> Result<i32, HostError> + Send + Sync + 'static,
    ) -> Guest {
        let mut store = store();
        let code = code_region();
        let import = host_func(&mut store, &code, f);
        let shape = Arc::new(shape(code.clone(), memory));
        // SAFETY: the import is of this store, and the shape describes the code of this file.
        let instance = unsafe {
            let funcs = [StoreCore::func_import(import)];
            let request = InstanceRequest {
                shape,
                imports: Imports {
                    funcs: &funcs,
                    ..Imports::default()
                },
                shared_memories: &[],
            };
            StoreCore::allocate_instance(store.ptr(), request).unwrap()
        };
        Guest { store, instance }
    }

    pub fn call(&mut self, func: Func, argument: i32) -> Result<i32, Box<Unwind>> {
        call(self.store.ptr(), self.instance, func, argument)
    }

    pub fn memory(&self) -> MemoryId {
        self.store
            .memory_id(self.instance, MemoryIndex::from_u32(0))
    }
}

/// Calls a function of the guest, from anywhere.
pub fn call(
    mut store: NonNull<StoreCore>,
    instance: InstanceId,
    func: Func,
    argument: i32,
) -> Result<i32, Box<Unwind>> {
    let mut values = [ValRaw::i32(argument)];
    // SAFETY: the tests keep stores alive and use each from one thread.
    unsafe {
        let func = store
            .as_mut()
            .func_ref(instance, FuncIndex::from_u32(1 + func as u32));
        call_wasm(store, func, values.as_mut_ptr(), 1)?;
    }
    Ok(values[0].get_i32())
}

/// The trap of a result that is one.
pub fn trap_of(result: Result<i32, Box<Unwind>>) -> Trap {
    match result.expect_err("a trap").reason {
        UnwindReason::Trap { trap, .. } => trap,
        other => panic!("{other:?}"),
    }
}

/// Functions and Wasm offsets of a backtrace.
pub fn frames(backtrace: &Backtrace) -> Vec<(u32, u32)> {
    backtrace
        .frames
        .iter()
        .map(|f| (f.func.as_u32() - 1, f.wasm_offset.unwrap()))
        .collect()
}
