//! Objects that guest code holds and exceptions that it throws and catches, with the machine code of `support`.

use crate::support::*;
use meantime_abi::*;
use meantime_vm::*;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

/// Makes the type of all functions known, which is that of the tag too; its exceptions carry one number.
fn with_heap(guest: &mut Guest) {
    let func = FuncType {
        params: [ValType::I32].into(),
        results: [ValType::I32].into(),
    };
    let ty = CompositeType::Func(func);
    guest
        .store
        .add_gc_types([(func_type(), &[][..], &ty)].into_iter());
    // SAFETY: no reference to the store is in use.
    unsafe { StoreCore::ensure_gc_heap(guest.store.ptr()).unwrap() };
}

/// A new exception with this tag's number.
fn exception(mut store: NonNull<StoreCore>, tag: u32) -> GcRef {
    // SAFETY: the tests keep stores alive and use each from one thread.
    unsafe {
        let exception = StoreCore::gc_alloc(store, func_type(), 0).unwrap();
        let number = ValRaw::u32(tag);
        let store = store.as_mut();
        assert!(store.gc_write(exception, EXN_TAG, GcStorage::I32, number));
        exception
    }
}

fn tag_number(guest: &Guest) -> u32 {
    let tag = guest.store.tag_id(guest.instance, TagIndex::from_u32(0));
    guest.store.tag_number(tag)
}

/// A guest whose import throws: for 0 an exception of the guest's tag, for 1 one of another; what is larger it returns.
fn throwing() -> Guest {
    let number = Arc::new(OnceLock::new());
    let own = number.clone();
    let mut guest = Guest::new(move |mut store, i| {
        let tag = *own.get().unwrap();
        let tag = match i {
            0 => tag,
            1 => tag + 1,
            i => return Ok(i),
        };
        let exception = exception(store, tag);
        // SAFETY: alive, and used by this thread.
        unsafe { store.as_mut().set_pending_exception(exception) };
        Err(Box::new(Pending::Exception))
    });
    with_heap(&mut guest);
    number.set(tag_number(&guest)).unwrap();
    guest
}

fn is_exception(guest: &Guest, bits: i32) -> bool {
    let header = GcRef::from_bits(bits as u32).and_then(|bits| guest.store.gc_header(bits));
    header.is_some_and(|header| header.type_id == func_type())
}

#[test]
fn exceptions_of_the_host_are_caught_by_tag() {
    let mut guest = throwing();
    for _ in 0..3 {
        assert_eq!(guest.call(Func::TryTag, 7).unwrap(), 7);
        assert_eq!(guest.call(Func::TryAll, 7).unwrap(), 7);
        let caught = guest.call(Func::TryTag, 0).unwrap();
        assert!(is_exception(&guest, caught));
        let caught = guest.call(Func::TryAll, 0).unwrap();
        assert!(is_exception(&guest, caught));
        // The inner one does not catch this, the outer one does.
        let caught = guest.call(Func::TryAll, 1).unwrap();
        assert!(is_exception(&guest, !caught));
        assert_eq!(guest.store.take_pending_exception(), None);
    }
}

#[test]
fn what_nothing_catches_goes_to_the_host() {
    let mut guest = throwing();
    for (func, frame) in [(Func::TryTag, 1001), (Func::CallImport, 501)] {
        let unwind = guest.call(func, 1).unwrap_err();
        assert!(matches!(unwind.reason, UnwindReason::Exception));
        let backtrace = unwind.backtrace.unwrap();
        assert_eq!(frames(&backtrace), [(func as u32, frame)]);
        let exception = guest.store.take_pending_exception().unwrap();
        assert!(is_exception(&guest, exception.bits() as i32));
        assert!(!guest.store.is_entered());
    }
    assert_eq!(guest.call(Func::AddOne, 1).unwrap(), 2);
}

#[test]
fn throw_ref_traps_for_null_and_needs_no_host() {
    let mut guest = throwing();
    let trap = trap_of(guest.call(Func::Throw, 0));
    assert_eq!(trap, Trap::NullReference);
    let tag = tag_number(&guest);
    let thrown = exception(guest.store.ptr(), tag);
    let unwind = guest.call(Func::Throw, thrown.bits() as i32).unwrap_err();
    assert!(matches!(unwind.reason, UnwindReason::Exception));
    assert_eq!(frames(&unwind.backtrace.unwrap()), [(12, 1201)]);
    assert_eq!(guest.store.take_pending_exception(), Some(thrown));
    // What is no exception at all is caught where everything is.
    let unwind = guest.call(Func::Throw, 77).unwrap_err();
    assert!(matches!(unwind.reason, UnwindReason::Exception));
    assert!(guest.store.take_pending_exception().is_some());
}

#[test]
fn another_instances_exceptions_are_caught_by_their_tag() {
    let mut guest = throwing();
    let code = code_region();
    let memory = memory_shape(memory_type(1, None), &Tunables::default());
    let throw = FuncIndex::from_u32(1 + Func::Throw as u32);
    // SAFETY: the import is of this store, and the shape describes the code of this file.
    let outer = unsafe {
        let throw = guest.store.func_ref(guest.instance, throw);
        let funcs = [StoreCore::func_import(throw)];
        let request = InstanceRequest {
            shape: Arc::new(shape(code, memory)),
            imports: Imports {
                funcs: &funcs,
                ..Imports::default()
            },
            shared_memories: &[],
        };
        StoreCore::allocate_instance(guest.store.ptr(), request).unwrap()
    };
    let tag = guest.store.tag_id(outer, TagIndex::from_u32(0));
    let tags = [guest.store.tag_number(tag), tag_number(&guest)];
    assert_ne!(tags[0], tags[1]);
    for func in [Func::TryTag, Func::TryAll] {
        for (tag, is_own) in [(tags[0], true), (tags[1], false)] {
            let thrown = exception(guest.store.ptr(), tag).bits() as i32;
            let result = call(guest.store.ptr(), outer, func, thrown);
            match (func, is_own) {
                (_, true) => assert_eq!(result.unwrap(), thrown),
                (Func::TryAll, false) => assert_eq!(result.unwrap(), !thrown),
                _ => assert!(matches!(
                    result.unwrap_err().reason,
                    UnwindReason::Exception
                )),
            }
        }
    }
}

#[test]
fn an_exception_ends_at_the_hosts_frames() {
    let instance: Arc<OnceLock<InstanceId>> = Arc::default();
    let inside = instance.clone();
    // The outer call of the guest catches everything, but not what the host does not pass on.
    let mut guest = Guest::new(move |mut store, i| {
        let thrown = exception(store, 1);
        let result = call(
            store,
            *inside.get().unwrap(),
            Func::Throw,
            thrown.bits() as i32,
        );
        assert!(matches!(
            result.unwrap_err().reason,
            UnwindReason::Exception
        ));
        // SAFETY: alive, and used by this thread.
        let store = unsafe { store.as_mut() };
        let pending = store.take_pending_exception();
        assert_eq!(pending, Some(thrown));
        if i == 0 {
            return Ok(123);
        }
        store.set_pending_exception(thrown);
        Err(Box::new(Pending::Exception))
    });
    with_heap(&mut guest);
    instance.set(guest.instance).unwrap();
    assert_eq!(guest.call(Func::TryAll, 0).unwrap(), 123);
    let caught = guest.call(Func::TryTag, 1).unwrap();
    assert!(is_exception(&guest, caught));
}

#[test]
fn a_host_function_can_throw_to_the_host() {
    let mut store = store();
    let code = code_region();
    let func = host_func(&mut store, &code, |_, _| Err(Box::new(Pending::Exception)));
    let mut values = [ValRaw::i32(3)];
    // SAFETY: the function is of this store and takes one value.
    let result = unsafe { call_wasm(store.ptr(), func, values.as_mut_ptr(), 1) };
    assert!(matches!(
        result.unwrap_err().reason,
        UnwindReason::Exception
    ));
}

#[test]
fn references_in_frames_follow_their_objects() {
    let mut guest = Guest::new(|mut store, _| {
        // SAFETY: alive, and used by this thread.
        unsafe { store.as_mut() }.collect_garbage();
        Ok(0)
    });
    with_heap(&mut guest);
    let before = exception(guest.store.ptr(), 99);
    let after = guest
        .call(Func::HoldReference, before.bits() as i32)
        .unwrap();
    let after = GcRef::from_bits(after as u32).unwrap();
    assert_ne!(after, before);
    let read = |object| guest.store.gc_read(object, EXN_TAG, GcStorage::I32);
    assert_eq!(read(after).unwrap().get_u32(), 99);
    assert!(read(before).is_none());
}

#[test]
fn an_access_through_null_traps() {
    let mut guest = throwing();
    let object = exception(guest.store.ptr(), 0xabcd);
    let bits = object.bits() as i32;
    assert_eq!(guest.call(Func::LoadObject, bits).unwrap(), 0xabcd);
    // Null, and what only a corrupt heap holds: a place that no object is at yet, the end of the region.
    for bits in [0, 8, 0x4000_0000, -8] {
        let trap = trap_of(guest.call(Func::LoadObject, bits));
        assert_eq!(trap, Trap::NullReference, "{bits:#x}");
    }
    assert_eq!(guest.call(Func::LoadObject, bits).unwrap(), 0xabcd);
}
