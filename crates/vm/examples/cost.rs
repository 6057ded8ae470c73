//! Prints what the runtime's own steps cost: `cargo run --release -p meantime-vm --example cost`.
//!
//! Not a benchmark of guest code, of which there is none but a few lines of assembly.

#![allow(unsafe_code, dead_code)]

#[path = "../tests/vm/support/mod.rs"]
mod support;

use meantime_abi::*;
use meantime_vm::*;
use std::sync::Arc;
use std::time::Instant;
use support::*;

/// Nanoseconds of one run, the best of several rounds.
fn measure(name: &str, times: u32, f: impl FnMut()) {
    measure_per(name, times, 1.0, f);
}

/// As `measure`, divided by how much one run does.
fn measure_per(name: &str, times: u32, amount: f64, mut f: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        for _ in 0..times {
            f();
        }
        let each = start.elapsed().as_nanos() as f64 / f64::from(times);
        best = best.min(each / amount);
    }
    println!("{name:44} {best:10.1} ns");
}

fn calls() {
    let mut guest = Guest::new(|_, i| Ok(i));
    let func = guest
        .store
        .func_ref(guest.instance, FuncIndex::from_u32(1 + Func::AddOne as u32));
    let store = guest.store.ptr();
    let mut values = [ValRaw::i32(1)];
    measure("host calls guest", 1_000_000, || {
        // SAFETY: the function is the store's and takes one value.
        unsafe { call_wasm(store, func, values.as_mut_ptr(), 1).unwrap() };
    });
    measure("host calls guest calls host", 1_000_000, || {
        guest.call(Func::CallImport, 1).unwrap();
    });
    measure("guest traps by an instruction", 10_000, || {
        guest.call(Func::Unreachable, 1).unwrap_err();
    });
    measure("guest traps by a fault", 10_000, || {
        guest.call(Func::Load, -1).unwrap_err();
    });
    measure("guest traps by a call", 10_000, || {
        let trap = Trap::UnreachableCodeReached;
        guest.call(Func::Raise, trap as i32).unwrap_err();
    });
}

/// A module with memories of 16 MiB and tables of 100,000 elements, as many as said.
fn big_shape(memories: u32, image: bool, tables: u32) -> InstanceShape {
    let mut memory = memory_shape(memory_type(256, None), &Tunables::default());
    if image {
        let bytes = vec![7u8; 4 << 20];
        memory.image = Some(Arc::new(MemoryImage::new(0, bytes.into(), true)));
    }
    let table = TableShape {
        repr: RefRepr::Func,
        min: 100_000,
        max: None,
        lazy: true,
        image: vec![FuncIndex::from_u32(0).into(); 100_000].into(),
    };
    let counts = VmCounts {
        memories,
        tables,
        globals: 20,
        ..VmCounts::default()
    };
    InstanceShape {
        memories: (0..memories).map(|_| memory.clone()).collect(),
        tables: (0..tables).map(|_| table.clone()).collect(),
        globals: vec![ValRaw::ZERO; 20].into(),
        ..InstanceShape::empty(counts)
    }
}

fn instances() {
    let allocator: Arc<dyn Allocator> = Arc::new(OnDemandAllocator::new());
    let make = |shape: &Arc<InstanceShape>, allocator: &Arc<dyn Allocator>| {
        let store = OwnedStore::new(StoreOptions {
            max_wasm_stack: 512 << 10,
            max_backtrace_frames: 20,
            allocator: allocator.clone(),
            gc: GcOptions::default(),
        });
        let request = InstanceRequest {
            shape: shape.clone(),
            imports: Imports::default(),
            shared_memories: &[],
        };
        // SAFETY: nothing is imported.
        unsafe { StoreCore::allocate_instance(store.ptr(), request).unwrap() };
        store
    };
    for (name, memories, image, tables) in [
        ("nothing", 0, false, 0),
        ("a table", 0, false, 1),
        ("a memory", 1, false, 0),
        ("a memory with an image", 1, true, 0),
        ("all", 1, true, 1),
    ] {
        let shape = Arc::new(big_shape(memories, image, tables));
        measure(&format!("instance again, {name}"), 5_000, || {
            drop(make(&shape, &allocator));
        });
        let mut stores = Vec::new();
        measure(&format!("instance anew, {name}"), 200, || {
            stores.push(make(&shape, &allocator));
        });
    }
}

fn growth() {
    let mut guest = Guest::with_memory(
        memory_shape(memory_type(1, None), &Tunables::default()),
        |_, i| Ok(i),
    );
    measure("memory.grow by one page", 2_000, || {
        guest.call(Func::Grow, 1).unwrap();
    });
}

/// The first writes to all pages of memories of 15 MiB, with small pages, and of 64 MiB, with huge ones where the system has them.
fn touching() {
    for pages in [240, 1024] {
        let shape = memory_shape(memory_type(pages, None), &Tunables::default());
        let bytes = pages as usize * 65536;
        let name = format!("touch each page of {} MiB, per MiB", bytes >> 20);
        measure_per(&name, 5, (bytes >> 20) as f64, || {
            let memory = LinearMemory::new(&shape).unwrap();
            for at in (0..bytes).step_by(4096) {
                // SAFETY: inside the memory.
                unsafe { memory.base().add(at).write_volatile(1) };
            }
        });
    }
}

/// Structures with two references and a number, in trees and as garbage.
fn objects() {
    let reference = ValType::Ref(RefType {
        nullable: true,
        heap: HeapType::Any,
    });
    let field = |ty| FieldType {
        mutable: true,
        storage: StorageType::Val(ty),
    };
    let node = [field(reference), field(reference), field(ValType::I32)];
    let node = CompositeType::Struct(node.into());
    let ty = TypeId::from_u32(0);
    let mut store = store();
    store.add_gc_types([(ty, &[][..], &node)].into_iter());
    // SAFETY: no reference to the store is in use.
    unsafe { StoreCore::ensure_gc_heap(store.ptr()).unwrap() };
    let alloc = |store: &OwnedStore| {
        // SAFETY: as above.
        unsafe { StoreCore::gc_alloc(store.ptr(), ty, 0).unwrap() }
    };
    measure("an object of the host that dies young", 1_000_000, || {
        alloc(&store);
    });
    let depth = 20;
    let scope = store.gc().enter_scope();
    store.gc_set_collecting(false);
    let mut level: Vec<GcRef> = (0..1 << depth).map(|_| alloc(&store)).collect();
    while level.len() > 1 {
        let pairs = level.chunks(2);
        let up = pairs.map(|pair| {
            let parent = alloc(&store);
            for (i, child) in pair.iter().enumerate() {
                let value = ValRaw::gc_ref(child.bits());
                store.gc_write(parent, 8 + 4 * i as u32, GcStorage::Ref, value);
            }
            parent
        });
        level = up.collect();
    }
    store.gc_set_collecting(true);
    store.gc_mut().push_root(level[0]);
    let count = f64::from((2 << depth) - 1);
    measure_per("a collection, per object of a tree", 3, count, || {
        store.collect_garbage();
    });
    store.gc_mut().exit_scope(scope);
    measure("a collection of nothing", 10_000, || {
        store.collect_garbage();
    });
}

/// Exceptions that the host throws through frames of the guest.
fn exceptions() {
    let func = CompositeType::Func(FuncType {
        params: [].into(),
        results: [].into(),
    });
    let mut guest = Guest::new(|_, _| Err(Box::new(Pending::Exception)));
    let types = [(func_type(), &[][..], &func)];
    guest.store.add_gc_types(types.into_iter());
    // SAFETY: no reference to the store is in use.
    let exception = unsafe {
        StoreCore::ensure_gc_heap(guest.store.ptr()).unwrap();
        StoreCore::gc_alloc(guest.store.ptr(), func_type(), 0).unwrap()
    };
    measure("guest catches what the host throws", 100_000, || {
        guest.store.set_pending_exception(exception);
        guest.call(Func::TryAll, 1).unwrap();
    });
}

fn main() {
    touching();
    calls();
    instances();
    growth();
    objects();
    exceptions();
}
