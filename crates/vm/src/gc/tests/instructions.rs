//! The instructions on objects that compiled code leaves to the runtime, as the builtins run them.
//!
//! The one idea: an instance with segments, and no code.

use super::super::instructions::*;
use super::*;
use crate::builtins::Guest;
use crate::trap::Pending;
use crate::{ElemShape, Imports, InstanceRequest, InstanceShape, SharedBytes, TableElement};
use cranelift_entity::PrimaryMap;

/// Segments of data: five bytes. Of elements: what a test gives.
fn guest(store: &OwnedStore) -> Guest {
    let shape = InstanceShape {
        data: PrimaryMap::from_iter([2..7, 0..0]),
        data_bytes: SharedBytes::from(b"..abcde..".to_vec()),
        elems: PrimaryMap::from_iter([ElemShape::Evaluated, ElemShape::Evaluated]),
        ..InstanceShape::empty(VmCounts::default())
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

/// The elements of an array, 32 bits each or bytes.
fn elements(guest: Guest, array: u32) -> Vec<u32> {
    let array = GcRef::from_bits(array).unwrap();
    let core = guest.core();
    let object = core.gc().object(array).unwrap();
    let GcLayout::Array(storage) = *object.layout else {
        panic!("an array");
    };
    let read = |i| {
        let at = ARRAY_ELEMENTS + i * storage.size();
        let raw = match storage {
            GcStorage::I8 => core.gc_read(array, at, GcStorage::I8),
            _ => core.gc_read(array, at, GcStorage::I32),
        };
        raw.unwrap().get_u32()
    };
    (0..object.header.len).map(read).collect()
}

#[test]
fn arrays_are_made_and_filled_from_data() {
    let store = store();
    let guest = guest(&store);
    let array = array_new_data(guest, BYTES, 0, 1, 3).unwrap();
    assert_eq!(elements(guest, array), [98, 99, 100]);
    array_init_data(guest, array, 0, 1, 3, 2).unwrap();
    assert_eq!(elements(guest, array), [98, 100, 101]);
    let empty = array_new_data(guest, BYTES, 0, 5, 0).unwrap();
    assert!(elements(guest, empty).is_empty());
    let numbers = array_new_data(guest, REFS, 0, 0, 1).unwrap();
    assert_eq!(elements(guest, numbers), [0x6463_6261]);
    for (type_id, src, len) in [
        (BYTES, 0, 6),
        (BYTES, 6, 0),
        (BYTES, u32::MAX, 1),
        (BYTES, 1, u32::MAX),
        (REFS, 0, 2),
        (REFS, 2, 1),
        (REFS, 0, u32::MAX),
    ] {
        let result = array_new_data(guest, type_id, 0, src, len);
        assert_eq!(trap(result), Trap::MemoryOutOfBounds);
    }
    let init = |array, dst, src, len| trap(array_init_data(guest, array, 0, dst, src, len));
    assert_eq!(init(array, 0, 3, 3), Trap::MemoryOutOfBounds);
    assert_eq!(init(array, 1, 0, 3), Trap::ArrayOutOfBounds);
    assert_eq!(init(array, u32::MAX, 0, u32::MAX), Trap::ArrayOutOfBounds);
    assert_eq!(init(array, 4, 0, 0), Trap::ArrayOutOfBounds);
    assert_eq!(init(0, 0, 0, 0), Trap::NullReference);
    assert_eq!(elements(guest, array), [98, 100, 101]);
    guest.instance().drop_data(DataIndex::from_u32(0));
    array_init_data(guest, array, 0, 3, 0, 0).unwrap();
    assert_eq!(init(array, 0, 0, 1), Trap::MemoryOutOfBounds);
}

/// References for a segment.
fn values(range: std::ops::Range<u32>) -> Vec<TableElement> {
    let value = |i: u32| TableElement::Gc(GcRef::from_bits(i << 1 | 1));
    range.map(value).collect()
}

#[test]
fn arrays_are_made_and_filled_from_elements() {
    let store = store();
    let guest = guest(&store);
    let elem = ElemIndex::from_u32(0);
    guest.instance().set_elem(elem, values(0..4));
    let array = array_new_elem(guest, REFS, 0, 1, 3).unwrap();
    assert_eq!(elements(guest, array), [3, 5, 7]);
    array_init_elem(guest, array, 0, 1, 0, 2).unwrap();
    assert_eq!(elements(guest, array), [3, 1, 3]);
    for (src, len) in [(0, 5), (4, 1), (5, 0), (u32::MAX, u32::MAX)] {
        let result = array_new_elem(guest, REFS, 0, src, len);
        assert_eq!(trap(result), Trap::TableOutOfBounds);
    }
    let init = |array, dst, src, len| trap(array_init_elem(guest, array, 0, dst, src, len));
    assert_eq!(init(array, 0, 2, 3), Trap::TableOutOfBounds);
    assert_eq!(init(array, 2, 0, 2), Trap::ArrayOutOfBounds);
    assert_eq!(init(0, 0, 0, 0), Trap::NullReference);
    assert_eq!(elements(guest, array), [3, 1, 3]);
    guest.instance().drop_elem(elem);
    assert_eq!(init(array, 0, 0, 1), Trap::TableOutOfBounds);
    array_init_elem(guest, array, 0, 3, 0, 0).unwrap();
}

#[test]
fn elements_that_are_objects_are_read_after_they_have_moved() {
    let gc = GcOptions {
        zeal: NonZeroU32::new(1),
        ..GcOptions::default()
    };
    let mut store = store_with(gc);
    let guest = guest(&store);
    let object = alloc(&mut store, BYTES, 1).unwrap();
    let elem = ElemIndex::from_u32(1);
    let values = vec![TableElement::Gc(Some(object)); 2];
    guest.instance().set_elem(elem, values);
    let array = array_new_elem(guest, REFS, 1, 0, 2).unwrap();
    let [a, b] = elements(guest, array)[..] else {
        panic!("two elements");
    };
    assert!(a == b && a != object.bits());
    let header = store.gc_header(GcRef::from_bits(a).unwrap()).unwrap();
    assert_eq!(header.type_id.bits(), BYTES);
}

#[test]
fn arrays_of_functions_hold_numbers_of_the_store() {
    let mut store = store();
    let guest = guest(&store);
    let data = std::ptr::null_mut();
    let mut func = |ty| {
        let ty = TypeId::from_u32(ty);
        store.alloc_host_func(no_function, data, None, ty, std::ptr::null())
    };
    let (a, b) = (func(20), func(21));
    let elem = ElemIndex::from_u32(0);
    let values = vec![
        TableElement::Func(Some(b)),
        TableElement::Func(None),
        TableElement::Func(Some(a)),
    ];
    guest.instance().set_elem(elem, values);
    let array = array_new_elem(guest, FUNCS, 0, 0, 3).unwrap();
    assert_eq!(elements(guest, array), [1, 0, 2]);
    assert_eq!(func_to_id(guest, a.as_ptr()).unwrap(), 2);
    assert_eq!(func_to_id(guest, std::ptr::null_mut()).unwrap(), 0);
    let from = |id, ty: TypeId| func_from_id(guest, id, ty.bits());
    assert_eq!(from(1, TypeId::from_u32(21)).unwrap(), b.as_ptr());
    assert_eq!(from(1, TypeId::NONE).unwrap(), b.as_ptr());
    assert!(from(0, TypeId::from_u32(21)).unwrap().is_null());
    assert_eq!(trap(from(1, TypeId::from_u32(20))), Trap::GcHeapCorrupt);
    assert_eq!(trap(from(3, TypeId::NONE)), Trap::GcHeapCorrupt);
    assert_eq!(trap(from(u32::MAX, TypeId::NONE)), Trap::GcHeapCorrupt);
}

#[test]
fn arrays_are_copied_as_if_at_once() {
    let mut store = store();
    let guest = guest(&store);
    let array = array_new_data(guest, BYTES, 0, 0, 5).unwrap();
    array_copy(guest, array, 1, array, 0, 4).unwrap();
    assert_eq!(elements(guest, array), *b"aabcd".map(u32::from).as_slice());
    array_copy(guest, array, 0, array, 2, 3).unwrap();
    assert_eq!(elements(guest, array), *b"bcdcd".map(u32::from).as_slice());
    array_copy(guest, array, 5, array, 5, 0).unwrap();
    let copy = |dst, at, src, from, len| trap(array_copy(guest, dst, at, src, from, len));
    assert_eq!(copy(array, 3, array, 0, 3), Trap::ArrayOutOfBounds);
    assert_eq!(copy(array, 0, array, 3, 3), Trap::ArrayOutOfBounds);
    let most = u32::MAX;
    assert_eq!(copy(array, most, array, most, most), Trap::ArrayOutOfBounds);
    assert_eq!(copy(0, 0, array, 0, 0), Trap::NullReference);
    assert_eq!(copy(array, 0, 0, 0, 0), Trap::NullReference);
    // Neither what is stored otherwise, nor what is no array, nor what is no object.
    let refs = alloc(&mut store, REFS, 5).unwrap().bits();
    let node = alloc(&mut store, NODE, 0).unwrap().bits();
    for other in [refs, node, 8, 1, 2, array + 8] {
        assert_eq!(copy(array, 0, other, 0, 1), Trap::GcHeapCorrupt, "{other}");
    }
}

#[test]
fn an_object_of_any_size_has_a_header_or_does_not_exist() {
    let store = store();
    let guest = guest(&store);
    let array = gc_alloc(guest, BYTES, 24, 16).unwrap();
    let header = store.gc_header(GcRef::from_bits(array).unwrap()).unwrap();
    assert_eq!((header.type_id.bits(), header.len), (BYTES, 16));
    for size in [GC_MAX_OBJECT, u64::MAX - 7] {
        let result = gc_alloc(guest, BYTES, size, u32::MAX);
        assert_eq!(trap(result), Trap::AllocationTooLarge);
    }
    let Err(Pending::Error { error, .. }) = gc_alloc(guest, BYTES, GC_MAX_OBJECT - 8, 0) else {
        panic!("an error");
    };
    let error = error.downcast::<AllocateError>().unwrap();
    assert!(error.to_string().starts_with("GC heap out of memory"));
}

#[test]
fn throwing_null_traps() {
    let store = store();
    let guest = guest(&store);
    assert_eq!(trap(throw_ref(guest, 0)), Trap::NullReference);
    assert!(matches!(throw_ref(guest, 16), Err(Pending::Exception)));
    assert_eq!(store.gc().pending_exception(), GcRef::from_bits(16));
}
