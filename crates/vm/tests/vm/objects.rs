//! What instances define, without running any of it: memories, tables, globals, imports, segments.

use crate::support::*;
use meantime_abi::entity::packed_option::PackedOption;
use meantime_abi::entity::{EntityRef, PrimaryMap};
use meantime_abi::*;
use meantime_vm::*;
use std::sync::Arc;
use std::time::Duration;

fn allocate(store: &mut OwnedStore, shape: InstanceShape, imports: Imports<'_>) -> InstanceId {
    let request = InstanceRequest {
        shape: Arc::new(shape),
        imports,
        shared_memories: &[],
    };
    // SAFETY: the tests' imports belong to the store and fit.
    unsafe { StoreCore::allocate_instance(store.ptr(), request).unwrap() }
}

/// Every way for a memory to lie in the address space.
fn tunables() -> Vec<Tunables> {
    let default = Tunables::default();
    let small = Tunables {
        memory_reservation: 1 << 20,
        memory_guard_size: 1 << 16,
        ..default.clone()
    };
    let none = Tunables {
        memory_reservation: 0,
        memory_reservation_for_growth: 0,
        memory_guard_size: 0,
        guard_before_linear_memory: false,
        ..default.clone()
    };
    vec![default, small, none]
}

fn only_memory(memory: MemoryShape) -> InstanceShape {
    let counts = VmCounts {
        memories: 1,
        ..VmCounts::default()
    };
    InstanceShape {
        memories: PrimaryMap::from_iter([memory]),
        ..InstanceShape::empty(counts)
    }
}

fn memory_0() -> MemoryIndex {
    MemoryIndex::new(0)
}

/// Grows from the embedder.
fn grow(store: &OwnedStore, memory: MemoryId, delta: u64) -> Option<u64> {
    // SAFETY: the store is this test's, and no reference to its core is in use.
    unsafe { StoreCore::memory_grow(store.ptr(), memory, delta).unwrap() }
}

#[test]
fn memories_grow_and_keep_their_contents_wherever_they_lie() {
    for tunables in tunables() {
        let mut store = store();
        let shape = only_memory(memory_shape(memory_type(1, Some(64)), &tunables));
        let instance = allocate(&mut store, shape, Imports::default());
        let memory = store.memory_id(instance, memory_0());
        store.memory_write(memory, 65530, b"abcdef").unwrap();
        let mut pages = 1;
        for delta in [0, 1, 3, 20, 39] {
            assert_eq!(grow(&store, memory, delta), Some(pages), "{tunables:?}");
            pages += delta;
            let import = store.memory_import(memory);
            // SAFETY: the instance is alive.
            let vm = unsafe { &*import.from };
            let len = vm.len.load(std::sync::atomic::Ordering::Relaxed);
            assert_eq!(len as u64, pages << 16);
            assert_eq!(vm.base, store.memory(memory).base().as_ptr());
            // SAFETY: the memory's own bytes.
            let bytes = unsafe { &*store.memory(memory).data() };
            assert_eq!(&bytes[65530..65536], b"abcdef");
            assert!(bytes[65536..].iter().all(|&b| b == 0));
        }
        assert_eq!(grow(&store, memory, 1), None);
        assert_eq!(grow(&store, memory, u64::MAX), None);
        let end = pages << 16;
        assert!(store.memory_write(memory, end - 1, b"x").is_ok());
        assert!(store.memory_write(memory, end, b"").is_ok());
        assert!(store.memory_write(memory, end, b"x").is_err());
        assert!(store.memory_write(memory, u64::MAX, b"xy").is_err());
    }
}

#[test]
fn images_are_there_from_the_start_and_private() {
    let page = host_page_size();
    for tunables in tunables() {
        for copy_on_write in [true, false] {
            for len in [0, 1, page - 1, page, 3 * page + 5, 65536 - page] {
                let mut memory = memory_shape(memory_type(1, None), &tunables);
                let bytes: Vec<u8> = (0..len).map(|i| i as u8 | 1).collect();
                let image = MemoryImage::new(page as u64, bytes.clone().into(), copy_on_write);
                memory.image = Some(Arc::new(image));
                let shape = Arc::new(only_memory(memory));
                for _ in 0..3 {
                    let mut store = store();
                    let request = || InstanceRequest {
                        shape: shape.clone(),
                        imports: Imports::default(),
                        shared_memories: &[],
                    };
                    // SAFETY: nothing is imported.
                    let ids = unsafe {
                        [
                            StoreCore::allocate_instance(store.ptr(), request()).unwrap(),
                            StoreCore::allocate_instance(store.ptr(), request()).unwrap(),
                        ]
                    };
                    let [a, b] = ids.map(|id| store.memory_id(id, memory_0()));
                    // SAFETY: the memories' own bytes.
                    let view = |m| unsafe { &*store.memory(m).data() };
                    for memory in [a, b] {
                        assert!(view(memory)[..page].iter().all(|&b| b == 0));
                        assert_eq!(&view(memory)[page..page + len], bytes);
                        assert!(view(memory)[page + len..].iter().all(|&b| b == 0));
                    }
                    store.memory_write(a, 0, &vec![9; 65536]).unwrap();
                    // SAFETY: as above.
                    let bytes_of_b = unsafe { &*store.memory(b).data() };
                    assert_eq!(&bytes_of_b[page..page + len], bytes);
                }
            }
        }
    }
}

#[test]
fn memories_of_odd_shapes() {
    let tunables = Tunables::default();
    let mut store = store();
    let empty = memory_shape(memory_type(0, Some(0)), &tunables);
    let tiny_pages = memory_shape(
        MemoryType {
            page_size_log2: 0,
            ..memory_type(3, Some(70000))
        },
        &tunables,
    );
    let addr64 = memory_shape(
        MemoryType {
            addr: AddrType::I64,
            ..memory_type(1, None)
        },
        &tunables,
    );
    let mut id = |shape| {
        let instance = allocate(&mut store, only_memory(shape), Imports::default());
        store.memory_id(instance, memory_0())
    };
    let (empty, tiny, big) = (id(empty), id(tiny_pages), id(addr64));
    assert_eq!(store.memory(empty).byte_size(), 0);
    assert_eq!(grow(&store, empty, 0), Some(0));
    assert_eq!(grow(&store, empty, 1), None);
    assert_eq!(store.memory(tiny).byte_size(), 3);
    assert_eq!(grow(&store, tiny, 5000), Some(3));
    assert_eq!(store.memory(tiny).byte_size(), 5003);
    assert!(store.memory_write(tiny, 5002, &[1]).is_ok());
    assert!(store.memory_write(tiny, 5003, &[1]).is_err());
    // Beyond the reservation, so the memory moves.
    store.memory_write(big, 7, b"there").unwrap();
    assert_eq!(grow(&store, big, 5 << 16), Some(1));
    // SAFETY: the memory's own bytes.
    unsafe {
        assert_eq!(&(&*store.memory(big).data())[7..12], b"there");
    }
    assert_eq!(grow(&store, big, 1 << 48), None);
    assert_eq!(grow(&store, big, u64::MAX), None);
}

#[test]
fn what_does_not_fit_is_an_error_not_a_crash() {
    let tunables = Tunables::default();
    let store = store();
    // The first is a page more than is reserved for 64-bit addresses, and would fit the address space.
    for min in [(1 << 20) + 1, 1 << 40, 1 << 47, 1 << 48, u64::MAX] {
        let ty = MemoryType {
            addr: AddrType::I64,
            ..memory_type(min, None)
        };
        let request = InstanceRequest {
            shape: Arc::new(only_memory(memory_shape(ty, &tunables))),
            imports: Imports::default(),
            shared_memories: &[],
        };
        // SAFETY: nothing is imported.
        let result = unsafe { StoreCore::allocate_instance(store.ptr(), request) };
        let message = result.unwrap_err().to_string();
        assert!(message.contains("a memory of"), "{message}");
    }
    for min in [1 << 50, u64::MAX] {
        let shape = only_table(table_shape(RefRepr::Func, min, false), FUNCS);
        let request = InstanceRequest {
            shape: Arc::new(shape),
            imports: Imports::default(),
            shared_memories: &[],
        };
        // SAFETY: nothing is imported.
        let result = unsafe { StoreCore::allocate_instance(store.ptr(), request) };
        let message = result.unwrap_err().to_string();
        assert!(message.contains("a table of"), "{message}");
    }
}

fn shared_shape() -> MemoryShape {
    let ty = MemoryType {
        shared: true,
        ..memory_type(1, Some(4))
    };
    memory_shape(ty, &Tunables::default())
}

#[test]
fn a_shared_memory_is_one_memory_in_all_stores() {
    let shared = SharedMemory::new(&shared_shape()).unwrap();
    let given = [Some(shared.clone())];
    let mut stores = [store(), store()];
    let ids = stores.each_mut().map(|store| {
        let request = InstanceRequest {
            shape: Arc::new(only_memory(shared_shape())),
            imports: Imports::default(),
            shared_memories: &given,
        };
        // SAFETY: nothing is imported.
        let id = unsafe { StoreCore::allocate_instance(store.ptr(), request).unwrap() };
        store.memory_id(id, memory_0())
    });
    stores[0].memory_write(ids[0], 5, b"x").unwrap();
    // SAFETY: the memory's own bytes; nobody writes now.
    assert_eq!(unsafe { &*shared.data() }[5], b'x');
    let len = |i: usize| {
        let import = stores[i].memory_import(ids[i]);
        // SAFETY: the instance is alive.
        unsafe {
            (*import.from)
                .len
                .load(std::sync::atomic::Ordering::Relaxed)
        }
    };
    assert_eq!(grow(&stores[0], ids[0], 1), Some(1));
    assert_eq!(
        (len(0), len(1), shared.byte_size()),
        (2 << 16, 2 << 16, 2 << 16)
    );
    assert_eq!(shared.grow(1).unwrap(), 2);
    assert_eq!((len(0), len(1)), (3 << 16, 3 << 16));
    assert!(shared.grow(2).is_err());
    drop(stores);
    assert_eq!(shared.grow(1).unwrap(), 3);
}

#[test]
fn threads_wait_at_a_shared_memory() {
    let shared = SharedMemory::new(&shared_shape()).unwrap();
    let brief = Some(Duration::from_millis(1));
    assert_eq!(shared.atomic_wait32(8, 1, None), Ok(WaitResult::Mismatch));
    assert_eq!(shared.atomic_wait32(8, 0, brief), Ok(WaitResult::TimedOut));
    assert_eq!(
        shared.atomic_wait64(12, 0, brief),
        Err(Trap::HeapMisaligned)
    );
    assert_eq!(
        shared.atomic_wait32(65536, 0, brief),
        Err(Trap::MemoryOutOfBounds)
    );
    assert_eq!(
        shared.atomic_notify(u64::MAX - 3, 1),
        Err(Trap::MemoryOutOfBounds)
    );
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| shared.atomic_wait64(16, 0, None));
        while shared.atomic_notify(16, 1).unwrap() == 0 {
            std::thread::yield_now();
        }
        assert_eq!(waiting.join().unwrap(), Ok(WaitResult::Ok));
    });
}

fn table_shape(repr: RefRepr, min: u64, lazy: bool) -> TableShape {
    TableShape {
        repr,
        min,
        max: Some(100),
        lazy,
        image: Box::default(),
    }
}

/// A module with one table and the functions of the test's guest.
fn only_table(table: TableShape, funcs: u32) -> InstanceShape {
    let counts = VmCounts {
        tables: 1,
        escaped_funcs: funcs,
        ..VmCounts::default()
    };
    let code = code_region();
    let mut shape = InstanceShape {
        enters: enters(&code),
        code: Some(code),
        type_ids: Box::new([func_type()]),
        func_types: vec![TypeIndex::new(0); funcs as usize].into(),
        tables: PrimaryMap::from_iter([table]),
        ..InstanceShape::empty(counts)
    };
    for i in 0..funcs {
        shape.escaped[FuncIndex::from_u32(i)] = EscapedFuncIndex::from_u32(i).into();
    }
    shape
}

fn func(i: u32) -> PackedOption<FuncIndex> {
    FuncIndex::from_u32(i).into()
}

const NULL: TableElement = TableElement::Func(None);

#[test]
fn tables_of_functions_lazy_and_eager_are_the_same_to_see() {
    for lazy in [true, false] {
        let mut store = store();
        let mut table = table_shape(RefRepr::Func, 10, lazy);
        table.image = Box::new([func(3), None.into(), func(5)]);
        let mut shape = only_table(table, FUNCS);
        let segment = [func(1), func(2), None.into()];
        shape.elems.push(ElemShape::Funcs(segment.into()));
        shape.elems.push(ElemShape::Evaluated);
        let instance = allocate(&mut store, shape, Imports::default());
        let table = store.table_id(instance, TableIndex::new(0));
        let element = |store: &mut OwnedStore, i: u32| {
            TableElement::Func(Some(store.func_ref(instance, FuncIndex::from_u32(i))))
        };
        let all = |store: &mut OwnedStore| -> Vec<TableElement> {
            let len = store.table(table).len() as u64;
            (0..len)
                .map(|i| store.table_get(table, i).unwrap())
                .collect()
        };
        let [f1, f2, f3, f5] = [1, 2, 3, 5].map(|i| element(&mut store, i));
        // Copied before anybody looked, and onto itself.
        store.table_copy(table, 6, table, 0, 3).unwrap();
        store.table_copy(table, 1, table, 0, 3).unwrap();
        let expected = [f3, f3, NULL, f5, NULL, NULL, f3, NULL, f5, NULL];
        assert_eq!(all(&mut store), expected);
        store.table_fill(table, 4, f1, 2).unwrap();
        store.table_set(table, 0, NULL).unwrap();
        let elem = ElemIndex::new(0);
        store.table_init(table, instance, elem, 7, 0, 3).unwrap();
        let expected = [NULL, f3, NULL, f5, f1, f1, f3, f1, f2, NULL];
        assert_eq!(all(&mut store), expected);
        // Nothing is written when something is out of bounds.
        for bad in [
            store.table_fill(table, 9, f2, 2),
            store.table_fill(table, u64::MAX, f2, 2),
            store.table_copy(table, 8, table, 0, 3),
            store.table_copy(table, 0, table, 8, 3),
            store.table_init(table, instance, elem, 8, 0, 3),
            store.table_init(table, instance, elem, 0, 1, 3),
            store.table_set(table, 10, f2),
        ] {
            assert_eq!(bad, Err(Trap::TableOutOfBounds));
        }
        assert_eq!(store.table_get(table, 10), None);
        assert_eq!(all(&mut store), expected);
        store.elem_drop(instance, elem);
        assert!(store.table_init(table, instance, elem, 0, 0, 1).is_err());
        assert!(store.table_init(table, instance, elem, 10, 0, 0).is_ok());
        let evaluated = ElemIndex::new(1);
        store.set_elem(instance, evaluated, vec![f5, f1]);
        store
            .table_init(table, instance, evaluated, 0, 1, 1)
            .unwrap();
        assert_eq!(store.table_get(table, 0), Some(f1));
        // SAFETY: the store is this test's, and no reference to its core is in use.
        let grow = |delta, init| unsafe {
            StoreCore::table_grow(store.ptr(), table, delta, init).unwrap()
        };
        assert_eq!(grow(0, NULL), Some(10));
        assert_eq!(grow(3, f2), Some(10));
        assert_eq!(grow(77, NULL), Some(13));
        assert_eq!(grow(20, NULL), None);
        assert_eq!(grow(u64::MAX, NULL), None);
        let after = all(&mut store);
        assert_eq!(after[0], f1);
        assert_eq!(after[1..10], expected[1..]);
        assert_eq!(after[10..13], [f2; 3]);
        assert!(after[13..].iter().all(|&e| e == NULL) && after.len() == 90);
        // SAFETY: the instance is alive.
        assert_eq!(unsafe { (*store.table_import(table).from).len }, 90);
    }
}

#[test]
fn tables_of_different_forms_can_be_copied() {
    for lazy_first in [true, false] {
        let mut store = store();
        let [a, b] = [lazy_first, !lazy_first].map(|lazy| {
            let mut table = table_shape(RefRepr::Func, 3, lazy);
            table.image = Box::new([func(1), func(2)]);
            let instance = allocate(&mut store, only_table(table, FUNCS), Imports::default());
            store.table_id(instance, TableIndex::new(0))
        });
        store.table_copy(b, 1, a, 0, 2).unwrap();
        store.table_copy(b, 0, a, 2, 1).unwrap();
        let [first, second] = [0, 1].map(|i| store.table_get(a, i));
        assert!(first != second && first != Some(NULL));
        assert_eq!(store.table_get(b, 0), Some(NULL));
        assert_eq!([1, 2].map(|i| store.table_get(b, i)), [first, second]);
    }
}

#[test]
fn references_in_tables_globals_and_segments_are_roots() {
    let mut store = store();
    let counts = VmCounts {
        tables: 1,
        globals: 2,
        ..VmCounts::default()
    };
    let shape = InstanceShape {
        tables: PrimaryMap::from_iter([table_shape(RefRepr::Gc, 5, true)]),
        globals: Box::new([ValRaw::i64(-1), ValRaw::ZERO]),
        gc_globals: Box::new([DefinedGlobalIndex::new(1)]),
        elems: PrimaryMap::from_iter([ElemShape::Evaluated]),
        ..InstanceShape::empty(counts)
    };
    let instance = allocate(&mut store, shape, Imports::default());
    let table = store.table_id(instance, TableIndex::new(0));
    let global = store.global_id(instance, GlobalIndex::new(1));
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| store.alloc_extern(Box::new(name)).unwrap());
    assert_eq!(store.table_get(table, 4), Some(TableElement::Gc(None)));
    store
        .table_fill(table, 1, TableElement::Gc(Some(a)), 2)
        .unwrap();
    // SAFETY: the global is alive and of this type.
    unsafe { (*store.global(global)).0 = ValRaw::gc_ref(b.bits()) };
    let elem = ElemIndex::new(0);
    store.set_elem(instance, elem, vec![TableElement::Gc(Some(c))]);
    store.collect_garbage();
    let is_there = |store: &OwnedStore, r| store.gc().extern_data(r).is_some();
    assert_eq!(
        [a, b, c, d].map(|r| is_there(&store, r)),
        [true, true, true, false]
    );
    store.table_copy(table, 3, table, 2, 1).unwrap();
    store
        .table_fill(table, 0, TableElement::Gc(None), 3)
        .unwrap();
    store.elem_drop(instance, elem);
    store.collect_garbage();
    assert_eq!([a, b, c].map(|r| is_there(&store, r)), [true, true, false]);
    let kept = store.table_get(table, 3);
    assert_eq!(kept, Some(TableElement::Gc(Some(a))));
}

#[test]
fn imports_lead_to_what_defines_them() {
    let mut store = store();
    let tunables = Tunables::default();
    let exporter = InstanceShape {
        memories: PrimaryMap::from_iter([
            memory_shape(memory_type(1, None), &tunables),
            memory_shape(memory_type(2, None), &tunables),
        ]),
        tables: PrimaryMap::from_iter([
            table_shape(RefRepr::Func, 1, false),
            table_shape(RefRepr::Gc, 2, false),
        ]),
        globals: Box::new([ValRaw::i32(1), ValRaw::i32(2), ValRaw::i32(3)]),
        type_ids: Box::new([TypeId::new(5), TypeId::new(6)]),
        tags: Box::new([TypeIndex::new(0), TypeIndex::new(1)]),
        ..InstanceShape::empty(VmCounts {
            memories: 2,
            tables: 2,
            globals: 3,
            tags: 2,
            ..VmCounts::default()
        })
    };
    let first = allocate(&mut store, exporter, Imports::default());
    let memory = store.memory_id(first, MemoryIndex::new(1));
    let table = store.table_id(first, TableIndex::new(1));
    let global = store.global_id(first, GlobalIndex::new(2));
    let tag = store.tag_id(first, TagIndex::new(1));
    assert_eq!(store.tag_type(tag), TypeId::new(6));
    let importer = InstanceShape {
        memories: PrimaryMap::from_iter([memory_shape(memory_type(7, None), &tunables)]),
        ..InstanceShape::empty(VmCounts {
            memory_imports: 1,
            table_imports: 1,
            global_imports: 1,
            tag_imports: 1,
            memories: 1,
            ..VmCounts::default()
        })
    };
    let imports = (
        [store.memory_import(memory)],
        [store.table_import(table)],
        [store.global_import(global)],
        [store.tag_import(tag)],
    );
    let second = allocate(
        &mut store,
        importer,
        Imports {
            funcs: &[],
            memories: &imports.0,
            tables: &imports.1,
            globals: &imports.2,
            tags: &imports.3,
        },
    );
    assert_eq!(store.memory_id(second, MemoryIndex::new(0)), memory);
    assert_eq!(store.table_id(second, TableIndex::new(0)), table);
    assert_eq!(store.global_id(second, GlobalIndex::new(0)), global);
    assert_eq!(store.tag_id(second, TagIndex::new(0)), tag);
    let own = store.memory_id(second, MemoryIndex::new(1));
    assert_eq!(own.instance, second);
    assert_eq!(store.memory(own).pages(), 7);
    // SAFETY: the global is alive and of this type.
    assert_eq!(unsafe { (*store.global(global)).0.get_i32() }, 3);
    // SAFETY: a context of this store, and none.
    unsafe {
        let context = store.instance(second).context();
        assert_eq!(store.instance_of(context), Some(second));
        assert_eq!(store.instance_of(std::ptr::null_mut()), None);
    }
}
