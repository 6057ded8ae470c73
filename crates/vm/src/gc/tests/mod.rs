//! The heap as the host uses it, and what its tests share.
//!
//! The one idea: a few types stand for all, one of each kind that is laid out or moved differently.

mod growth;
mod instructions;
mod model;

use super::*;
use crate::{AllocateError, OnDemandAllocator, OwnedStore, StoreCore, StoreOptions};
use meantime_abi::*;
use std::sync::Arc;

/// Numbers of the types below.
const NODE: u32 = 3;
const REFS: u32 = 4;
const BYTES: u32 = 6;
const EXN: u32 = 7;
const FUNCS: u32 = 8;

/// Offsets in a node: two references with numbers before and between them.
const NODE_NUMBER: u32 = 8;
const NODE_LEFT: u32 = 16;
const NODE_RIGHT: u32 = 32;
/// Where an exception's reference is.
const EXN_REF: u32 = 12;

fn any() -> ValType<TypeId> {
    ValType::Ref(RefType {
        nullable: true,
        heap: HeapType::Any,
    })
}

fn field(storage: StorageType<TypeId>) -> FieldType<TypeId> {
    FieldType {
        mutable: true,
        storage,
    }
}

fn types() -> Vec<(TypeId, CompositeType<TypeId>)> {
    let val = |ty| field(StorageType::Val(ty));
    let node = [val(ValType::I64), val(any()), val(ValType::I64), val(any())];
    let exn = FuncType {
        params: [ValType::I32, any()].into(),
        results: [].into(),
    };
    vec![
        (TypeId::from_u32(NODE), CompositeType::Struct(node.into())),
        (TypeId::from_u32(REFS), CompositeType::Array(val(any()))),
        (
            TypeId::from_u32(BYTES),
            CompositeType::Array(field(StorageType::I8)),
        ),
        (TypeId::from_u32(EXN), CompositeType::Func(exn)),
        (
            TypeId::from_u32(FUNCS),
            CompositeType::Array(val(ValType::FUNCREF)),
        ),
    ]
}

fn store_with(gc: GcOptions) -> OwnedStore {
    let mut store = OwnedStore::new(StoreOptions {
        max_wasm_stack: 1 << 20,
        max_backtrace_frames: 0,
        allocator: Arc::new(OnDemandAllocator::new()),
        gc,
    });
    let types = types();
    store.add_gc_types(types.iter().map(|(id, ty)| (*id, &[][..], ty)));
    // SAFETY: the store is this test's.
    unsafe { StoreCore::ensure_gc_heap(store.ptr()).unwrap() };
    store
}

fn store() -> OwnedStore {
    store_with(GcOptions::default())
}

fn alloc(store: &mut OwnedStore, ty: u32, len: u32) -> Result<GcRef, AllocateError> {
    // SAFETY: the store is this test's, and no reference to its core is in use.
    unsafe { StoreCore::gc_alloc(store.ptr(), TypeId::from_u32(ty), len) }
}

fn read_ref(store: &StoreCore, object: GcRef, offset: u32) -> Option<GcRef> {
    let raw = store.gc_read(object, offset, GcStorage::Ref).unwrap();
    GcRef::from_bits(raw.get_gc_ref())
}

fn write_ref(store: &mut StoreCore, object: GcRef, offset: u32, value: Option<GcRef>) {
    let raw = ValRaw::gc_ref(value.map_or(0, GcRef::bits));
    assert!(store.gc_write(object, offset, GcStorage::Ref, raw));
}

#[test]
fn host_values_live_as_long_as_an_object_names_them() {
    struct Dropped(Arc<()>);
    let alive = Arc::new(());
    let mut store = store();
    let object = alloc(&mut store, NODE, 0).unwrap();
    let root = store.gc_mut().own_root(object);
    let value = store
        .alloc_extern(Box::new(Dropped(alive.clone())))
        .unwrap();
    write_ref(&mut store, object, NODE_LEFT, Some(value));
    for _ in 0..3 {
        store.collect_garbage();
        let object = store.gc().owned(&root).unwrap();
        let value = read_ref(&store, object, NODE_LEFT).unwrap();
        let data = store.gc().extern_data(value).unwrap();
        assert!(Arc::ptr_eq(
            &data.downcast_ref::<Dropped>().unwrap().0,
            &alive
        ));
    }
    drop(root);
    store.collect_garbage();
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(store.gc().is_empty());
}

#[test]
fn forged_references_are_no_objects() {
    let mut store = store();
    let object = alloc(&mut store, NODE, 0).unwrap();
    let object = store.gc_mut().own_root(object);
    type Forge = fn(u32) -> u32;
    let forged: [Forge; 11] = [
        |_| 1,
        |_| 2,
        |_| 4,
        |_| 8,
        |_| GC_NULL_PAGES - 8,
        |bits| bits + 4,
        |bits| bits - 8,
        |bits| bits + 40,
        |bits| (bits + 40) ^ 1 << 31,
        |_| 1 << 31,
        |_| u32::MAX - 7,
    ];
    for forge in forged {
        let bits = store.gc().owned(&object).unwrap().bits();
        assert!(store.gc_header(GcRef::from_bits(bits).unwrap()).is_some());
        let bits = forge(bits);
        let used = store.gc().heap.as_ref().unwrap().used();
        if bits == 1 << 31 && used[0].contains(&bits) {
            // Here the object is where those that survive may begin.
            continue;
        }
        let reference = GcRef::from_bits(bits).unwrap();
        assert!(store.gc_header(reference).is_none(), "{bits:#x}");
        assert!(store.gc_read(reference, 8, GcStorage::I8).is_none());
        let root = store.gc_mut().own_root(reference);
        store.collect_garbage();
        let now = store.gc().owned(&root).map(GcRef::bits);
        let is_object = bits & GcBits::NOT_OBJECT == 0;
        assert_eq!(now, (!is_object).then_some(bits), "{bits:#x}");
    }
}

#[test]
fn values_of_every_form_are_read_as_they_were_written() {
    let mut store = store();
    let bytes = alloc(&mut store, BYTES, 40).unwrap();
    let vector = ValRaw::v128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    let forms = [
        (GcStorage::I8, 0xff_u128),
        (GcStorage::I16, 0xeeff),
        (GcStorage::I32, 0xccdd_eeff),
        (GcStorage::F32, 0xccdd_eeff),
        (GcStorage::Ref, 0xccdd_eeff),
        (GcStorage::I64, 0x8899_aabb_ccdd_eeff),
        (GcStorage::F64, 0x8899_aabb_ccdd_eeff),
        (GcStorage::V128, vector.get_v128()),
    ];
    for (storage, expected) in forms {
        let zeros = ValRaw::ZERO;
        assert!(store.gc_write(bytes, 16, GcStorage::V128, zeros));
        assert!(store.gc_write(bytes, 16, storage, vector));
        let whole = store.gc_read(bytes, 16, GcStorage::V128).unwrap();
        assert_eq!(whole.get_v128(), expected, "{storage:?}");
        let read = store.gc_read(bytes, 16, storage).unwrap();
        assert_eq!(read.get_v128(), expected, "{storage:?}");
        let end = ARRAY_ELEMENTS + 40;
        let last = end - storage.size();
        assert!(store.gc_write(bytes, last, storage, vector));
        assert!(store.gc_read(bytes, last + 1, storage).is_none());
        assert!(!store.gc_write(bytes, last + 1, storage, vector));
        // The header is not a value.
        assert!(!store.gc_write(bytes, 7, storage, vector));
    }
}

unsafe extern "C" fn no_function(
    _: *mut VmHostContext,
    _: *mut VmContext,
    _: *mut ValRaw,
    _: usize,
) -> bool {
    false
}

#[test]
fn functions_are_numbers_in_the_heap() {
    let mut store = store();
    let array = alloc(&mut store, FUNCS, 3).unwrap();
    let null = std::ptr::null();
    let ty = TypeId::from_u32(9);
    let data = std::ptr::null_mut();
    let mut func = || store.alloc_host_func(no_function, data, None, ty, null);
    let (a, b) = (func(), func());
    let at = |i: u32| ARRAY_ELEMENTS + 4 * i;
    for (i, func) in [(0, b), (1, a), (2, b)] {
        let raw = ValRaw::funcref(func.as_ptr().cast());
        assert!(store.gc_write(array, at(i), GcStorage::Func, raw));
        let back = store.gc_read(array, at(i), GcStorage::Func).unwrap();
        assert_eq!(back.get_funcref(), func.as_ptr().cast());
    }
    let ids = [0, 1, 2].map(|i| {
        store
            .gc_read(array, at(i), GcStorage::I32)
            .unwrap()
            .get_u32()
    });
    assert_eq!(ids, [1, 2, 1]);
    // SAFETY: the store is this test's.
    let context = unsafe { &*store.context() };
    assert_eq!(context.gc_funcs_len, 3);
    // SAFETY: the table has as many entries.
    let table = unsafe { std::slice::from_raw_parts(context.gc_funcs, 3) };
    assert_eq!(table, [std::ptr::null_mut(), b.as_ptr(), a.as_ptr()]);
    assert!(store.gc_write(array, at(0), GcStorage::I32, ValRaw::u32(3)));
    assert!(store.gc_read(array, at(0), GcStorage::Func).is_none());
    assert!(store.gc_write(array, at(0), GcStorage::Func, ValRaw::ZERO));
    let null = store.gc_read(array, at(0), GcStorage::Func).unwrap();
    assert!(null.get_funcref().is_null());
}

#[test]
fn an_exception_on_its_way_is_a_root() {
    let mut store = store();
    let exception = alloc(&mut store, EXN, 0).unwrap();
    assert!(store.gc_write(exception, EXN_TAG, GcStorage::I32, ValRaw::u32(5)));
    store.set_pending_exception(exception);
    store.collect_garbage();
    let moved = store.take_pending_exception().unwrap();
    assert_ne!(moved, exception);
    assert_eq!(store.gc().exception_tag(moved), Some(5));
    assert_eq!(store.take_pending_exception(), None);
    let node = alloc(&mut store, NODE, 0).unwrap();
    assert_eq!(store.gc().exception_tag(node), None);
}

#[test]
fn the_heap_faults_only_where_hardware_faults_are_traps() {
    let gc = GcOptions {
        signals: false,
        ..GcOptions::default()
    };
    let store = store_with(gc);
    // SAFETY: the store is this test's; all of the region and its guard can be accessed.
    unsafe {
        let base = (*store.context()).gc_base;
        let end = (GC_REGION + GC_GUARD) as usize - 8;
        for at in [0, GC_NULL_PAGES as usize, 1 << 31, 3 << 30, end] {
            assert_eq!(base.add(at).cast::<u64>().read(), 0);
            assert!(store.guards(base as usize + at));
        }
        assert!(!store.guards((base as usize).wrapping_sub(16 << 20)));
    }
}
