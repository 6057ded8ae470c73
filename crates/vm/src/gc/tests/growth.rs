//! How large a heap gets, and who is asked.
//!
//! The one idea: an embedder that writes down what it is asked.

use super::*;
use crate::{GrowError, HostError, VmStore};
use std::ptr::NonNull;

/// An embedder that allows memory up to a limit and writes down what was asked.
struct Limited {
    limit: usize,
    asked: Vec<(usize, usize)>,
    fail: bool,
}

impl VmStore for Limited {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> Result<bool, HostError> {
        self.asked.push((current, desired));
        match self.fail {
            true => Err(Box::new("enough")),
            false => Ok(desired <= self.limit),
        }
    }

    fn memory_grow_failed(&mut self, _: GrowError) -> Result<(), HostError> {
        Ok(())
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool, HostError> {
        Ok(true)
    }

    fn table_grow_failed(&mut self, _: GrowError) -> Result<(), HostError> {
        Ok(())
    }

    fn is_subtype(&self, actual: TypeId, expected: TypeId) -> bool {
        actual == expected
    }
}

fn limited(limit: usize, gc: GcOptions) -> (OwnedStore, Box<Limited>) {
    let mut store = store_with(gc);
    let mut embedder = Box::new(Limited {
        limit,
        asked: Vec::new(),
        fail: false,
    });
    let ptr: NonNull<dyn VmStore> = NonNull::from(&mut *embedder);
    // SAFETY: the tests drop the store first and do not use the embedder while it is asked.
    unsafe { store.set_embedder(ptr) };
    (store, embedder)
}

#[test]
fn garbage_does_not_make_a_heap_grow() {
    let (mut store, embedder) = limited(usize::MAX, GcOptions::default());
    for _ in 0..200_000 {
        alloc(&mut store, NODE, 0).unwrap();
    }
    assert_eq!(embedder.asked, [(0, 2 << 20)]);
    assert_eq!(store.gc_heap_capacity(), 2 << 20);
    drop(store);
}

/// Makes a list as long as it can be, and returns how long that was.
fn fill(store: &mut OwnedStore, most: usize) -> (usize, Option<AllocateError>) {
    let scope = store.gc().enter_scope();
    let mut last = None;
    let mut result = (most, None);
    for i in 0..most {
        match alloc(store, NODE, 0) {
            Ok(object) => {
                let next = last.and_then(|root| store.gc().root(root));
                write_ref(store, object, NODE_RIGHT, next);
                store.gc_mut().exit_scope(scope);
                last = Some(store.gc_mut().push_root(object));
            }
            Err(error) => {
                result = (i, Some(error));
                break;
            }
        }
    }
    // The list is whole.
    let mut at = last.and_then(|root| store.gc().root(root));
    for _ in 0..result.0 {
        at = read_ref(store, at.unwrap(), NODE_RIGHT);
    }
    assert_eq!(at, None);
    store.gc_mut().exit_scope(scope);
    result
}

#[test]
fn the_limiter_says_how_large_a_heap_gets() {
    let (mut store, embedder) = limited(5 << 20, GcOptions::default());
    for _ in 0..2 {
        let (count, error) = fill(&mut store, 1 << 20);
        let error = error.unwrap();
        assert!(matches!(
            error,
            AllocateError::GcHeapOutOfMemory { size: 40 }
        ));
        assert!(store.gc_heap_capacity() <= 5 << 20);
        // Most of a space could be used.
        assert!(count * 40 > 2 << 20, "{count}");
    }
    // Once the list is forgotten there is room again.
    assert_eq!(fill(&mut store, 10_000).0, 10_000);
    assert!(embedder.asked.len() > 3);
    drop(store);
}

/// Whether a heap is in areas; and bytes that it has touched, if so.
fn in_areas(store: &OwnedStore) -> Option<u64> {
    store.gc().heap.as_ref().unwrap().touched_in_areas()
}

#[test]
fn a_heap_that_becomes_large_goes_on_in_halves() {
    let mut store = store();
    assert_eq!(fill(&mut store, 50_000).0, 50_000);
    assert!(in_areas(&store).is_some());
    for _ in 0..3 {
        assert_eq!(fill(&mut store, 400_000).0, 400_000);
        assert!(in_areas(&store).is_none());
    }
    assert!(store.gc_heap_capacity() > 32 << 20);
}

#[test]
fn what_once_survived_does_not_take_more_than_the_capacity() {
    let (mut store, embedder) = limited(5 << 20, GcOptions::default());
    let array = alloc(&mut store, BYTES, 2_200_000).unwrap();
    let root = store.gc_mut().own_root(array);
    store.collect_garbage();
    store.collect_garbage();
    assert!(in_areas(&store).unwrap() > 4_000_000);
    drop(root);
    for _ in 0..300_000 {
        alloc(&mut store, NODE, 0).unwrap();
    }
    let touched = in_areas(&store).unwrap();
    assert!(touched <= store.gc_heap_capacity() as u64, "{touched}");
    drop(store);
    drop(embedder);
}

#[test]
fn an_error_of_the_limiter_is_passed_on() {
    let (mut store, mut embedder) = limited(0, GcOptions::default());
    embedder.fail = true;
    let ptr: NonNull<dyn VmStore> = NonNull::from(&mut *embedder);
    // SAFETY: as in `limited`.
    unsafe { store.set_embedder(ptr) };
    let error = alloc(&mut store, NODE, 0).unwrap_err();
    assert!(matches!(error, AllocateError::Host(_)));
    drop(store);
}

#[test]
fn a_heap_that_is_never_collected_keeps_everything() {
    let gc = GcOptions {
        collects: false,
        initial_size: 128 << 10,
        ..GcOptions::default()
    };
    let (mut store, embedder) = limited(4 << 20, gc);
    let object = alloc(&mut store, BYTES, 0).unwrap();
    store.collect_garbage();
    assert!(store.gc_header(object).is_some());
    let mut count = 0;
    while alloc(&mut store, NODE, 0).is_ok() {
        count += 1;
    }
    assert!(count * 40 > 3 << 20, "{count}");
    assert!(store.gc_heap_capacity() <= 4 << 20);
    assert!(store.gc_header(object).is_some());
    drop(embedder);
}

#[test]
fn without_collections_the_heap_grows_and_references_stay() {
    let mut store = store();
    store.gc_set_collecting(false);
    let first = alloc(&mut store, NODE, 0).unwrap();
    for _ in 0..100_000 {
        alloc(&mut store, NODE, 0).unwrap();
    }
    store.collect_garbage();
    assert!(store.gc_header(first).is_some());
    assert!(store.gc_heap_capacity() >= 8_000_000);
    store.gc_set_collecting(true);
    store.collect_garbage();
    assert!(store.gc_header(first).is_none());
}

#[test]
fn large_objects_fit_or_are_refused() {
    let mut store = store();
    let array = alloc(&mut store, BYTES, 100 << 20).unwrap();
    let root = store.gc_mut().own_root(array);
    let end = ARRAY_ELEMENTS + (100 << 20) - 1;
    assert!(store.gc_write(array, end, GcStorage::I8, ValRaw::u32(9)));
    store.collect_garbage();
    let array = store.gc().owned(&root).unwrap();
    let read = store.gc_read(array, end, GcStorage::I8).unwrap();
    assert_eq!(read.get_u32(), 9);
    for len in [u32::MAX, (1 << 31) - 8, (1 << 31) - 9] {
        let error = alloc(&mut store, BYTES, len).unwrap_err();
        assert!(matches!(error, AllocateError::GcHeapOutOfMemory { .. }));
    }
}
