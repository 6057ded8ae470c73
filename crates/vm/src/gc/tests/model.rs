//! Random graphs in the heap, against a model of them; and a heap full of garbage.
//!
//! The one idea: a model is a list of nodes that name each other by index; walking it and the heap together shows whether each object is
//! where and what it should be.

use super::*;
use std::collections::HashMap;

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// A reference in the model.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Value {
    Null,
    I31(u32),
    Host(u32),
    Object(usize),
}

/// An object in the model: its type, a number that it carries, its references.
struct Node {
    ty: u32,
    number: u64,
    refs: Vec<Value>,
}

/// Random work on a heap and a model of it side by side.
struct Both {
    store: OwnedStore,
    nodes: Vec<Node>,
    /// What is rooted, in the model and in the store.
    roots: Vec<(Value, OwnedRoot)>,
    random: Random,
}

fn ref_offset(ty: u32, i: usize) -> u32 {
    match (ty, i) {
        (NODE, 0) => NODE_LEFT,
        (NODE, _) => NODE_RIGHT,
        (REFS, i) => ARRAY_ELEMENTS + 4 * i as u32,
        _ => EXN_REF,
    }
}

impl Both {
    fn new(store: OwnedStore, seed: u64) -> Both {
        Both {
            store,
            nodes: Vec::new(),
            roots: Vec::new(),
            random: Random(seed),
        }
    }

    fn root(&mut self, value: Value, reference: GcRef) {
        let root = self.store.gc_mut().own_root(reference);
        self.roots.push((value, root));
    }

    fn new_object(&mut self) {
        let number = self.random.next();
        let (ty, len, refs) = match self.random.below(5) {
            0 | 1 => (NODE, 0, 2),
            2 => {
                let len = self.random.below(20);
                (REFS, len, len)
            }
            3 => (BYTES, 8 + self.random.below(300), 0),
            _ => (EXN, 0, 1),
        };
        let object = alloc(&mut self.store, ty, len as u32).unwrap();
        let (storage, at) = match ty {
            EXN => (GcStorage::I32, EXN_TAG + 4),
            _ => (GcStorage::I64, NODE_NUMBER),
        };
        if ty != REFS {
            let store = &mut self.store;
            assert!(store.gc_write(object, at, storage, ValRaw::u64(number)));
        }
        self.nodes.push(Node {
            ty,
            number,
            refs: vec![Value::Null; refs],
        });
        self.root(Value::Object(self.nodes.len() - 1), object);
    }

    fn new_value(&mut self) {
        let number = self.random.next() as u32 >> 1;
        if self.random.below(2) == 0 {
            let reference = GcRef::from_bits(number << 1 | 1).unwrap();
            self.root(Value::I31(number), reference);
        } else {
            let reference = self.store.alloc_extern(Box::new(number)).unwrap();
            self.root(Value::Host(number), reference);
        }
    }

    fn link(&mut self) {
        let (from, to) = (self.pick(), self.pick());
        let (Value::Object(node), object) = from else {
            return;
        };
        let node = &mut self.nodes[node];
        if node.refs.is_empty() {
            return;
        }
        let i = self.random.below(node.refs.len());
        node.refs[i] = to.0;
        write_ref(&mut self.store, object, ref_offset(node.ty, i), Some(to.1));
    }

    fn pick(&mut self) -> (Value, GcRef) {
        let (value, root) = &self.roots[self.random.below(self.roots.len())];
        (*value, self.store.gc().owned(root).unwrap())
    }

    fn step(&mut self) {
        match self.random.below(10) {
            _ if self.roots.len() < 2 => self.new_object(),
            0..=3 => self.new_object(),
            4 => self.new_value(),
            5..=8 => self.link(),
            _ => {
                let i = self.random.below(self.roots.len());
                self.roots.swap_remove(i);
            }
        }
    }

    /// Walks both from the roots; where objects are in the model is where they are in the heap, one for one.
    fn compare(&self) {
        let mut places: HashMap<usize, u32> = HashMap::new();
        let mut todo: Vec<(Value, u32)> = Vec::new();
        for (value, root) in &self.roots {
            todo.push((*value, self.store.gc().owned(root).unwrap().bits()));
        }
        while let Some((value, bits)) = todo.pop() {
            let reference = GcRef::from_bits(bits);
            match value {
                Value::Null => assert_eq!(bits, 0),
                Value::I31(number) => assert_eq!(bits, number << 1 | 1),
                Value::Host(number) => {
                    let found = self.store.gc().extern_data(reference.unwrap()).unwrap();
                    assert_eq!(found.downcast_ref(), Some(&number));
                }
                Value::Object(i) => {
                    if let Some(place) = places.insert(i, bits) {
                        assert_eq!(place, bits);
                        continue;
                    }
                    self.compare_object(i, reference.unwrap(), &mut todo);
                }
            }
        }
        let mut distinct: Vec<u32> = places.values().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), places.len());
    }

    fn compare_object(&self, i: usize, object: GcRef, todo: &mut Vec<(Value, u32)>) {
        let node = &self.nodes[i];
        let header = self.store.gc_header(object).unwrap();
        assert_eq!(header.type_id.bits(), node.ty);
        match node.ty {
            REFS => assert_eq!(header.len as usize, node.refs.len()),
            EXN => {
                let raw = self.store.gc_read(object, EXN_TAG + 4, GcStorage::I32);
                assert_eq!(raw.unwrap().get_u32(), node.number as u32);
            }
            _ => {
                let raw = self.store.gc_read(object, NODE_NUMBER, GcStorage::I64);
                assert_eq!(raw.unwrap().get_u64(), node.number);
            }
        }
        for (j, &value) in node.refs.iter().enumerate() {
            let found = read_ref(&self.store, object, ref_offset(node.ty, j));
            todo.push((value, found.map_or(0, GcRef::bits)));
        }
    }
}

#[test]
fn collections_keep_what_is_reachable_as_it_is() {
    for seed in 1..6 {
        let mut both = Both::new(store(), seed);
        for round in 0..40 {
            for _ in 0..200 {
                both.step();
            }
            if round % 3 != 0 {
                both.store.collect_garbage();
            }
            both.compare();
        }
    }
}

#[test]
fn a_collection_at_every_allocation_is_no_different() {
    for every in [1, 3] {
        let zeal = NonZeroU32::new(every);
        let gc = GcOptions {
            zeal,
            ..GcOptions::default()
        };
        let mut both = Both::new(store_with(gc), 7);
        for _ in 0..1500 {
            both.step();
        }
        both.compare();
        // SAFETY: the store is this test's.
        let context = unsafe { &*both.store.context() };
        assert_eq!(context.gc_top, context.gc_limit);
    }
}

#[test]
fn a_heap_of_garbage_breaks_nothing() {
    for seed in 1..30 {
        let mut both = Both::new(store(), seed);
        for _ in 0..500 {
            both.step();
        }
        let used = both.store.gc().heap.as_ref().unwrap().used();
        // SAFETY: the store is this test's.
        let base = unsafe { (*both.store.context()).gc_base };
        let sparse = seed % 3 == 0;
        for at in used.clone().into_iter().flatten().step_by(4) {
            let word = match both.random.below(6) {
                _ if sparse && both.random.below(50) != 0 => continue,
                // Mostly what looks good: types, lengths, references.
                0 => both.random.below(10) as u32,
                1 => both.random.below(200) as u32,
                2 | 3 => {
                    let range = &used[both.random.below(2)];
                    range.start + 8 * both.random.below(2000) as u32
                }
                4 => VmGcHeader::FORWARDED.bits(),
                _ => both.random.next() as u32,
            };
            // SAFETY: in the used part of the heap.
            unsafe { base.add(at as usize).cast::<u32>().write(word) };
        }
        for round in 0..5 {
            if round > 0 {
                both.store.collect_garbage();
            }
            for i in 0..both.roots.len() {
                let Some(object) = both.store.gc().owned(&both.roots[i].1) else {
                    continue;
                };
                let store = &mut both.store;
                store.gc_header(object);
                for offset in [0, 8, 12, 16, 40, 1 << 20, u32::MAX] {
                    store.gc_read(object, offset, GcStorage::V128);
                    store.gc_read(object, offset, GcStorage::Func);
                    store.gc_write(object, offset, GcStorage::I16, ValRaw::u32(77));
                }
                store.gc().exception_tag(object);
                let _ = alloc(store, REFS, 3).unwrap();
            }
        }
    }
}
