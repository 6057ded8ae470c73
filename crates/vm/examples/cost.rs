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

fn main() {
    touching();
    calls();
    instances();
    growth();
}
