//! Calls into a guest and everything that can stop it, with the machine code of `support`.

use crate::support::*;
use meantime_abi::*;
use meantime_vm::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

fn no_import(_: std::ptr::NonNull<StoreCore>, _: i32) -> Result<i32, HostError> {
    panic!("not to be called")
}

#[test]
fn a_call_returns_its_result_and_the_hosts_registers() {
    let mut guest = Guest::new(no_import);
    for i in [0, 41, -1, i32::MAX] {
        assert_eq!(guest.call(Func::AddOne, i).unwrap(), i.wrapping_add(1));
    }
    assert!(!guest.store.is_entered());
}

#[test]
fn a_trap_instruction_says_where() {
    let mut guest = Guest::new(no_import);
    let unwind = guest.call(Func::Unreachable, 0).unwrap_err();
    assert_eq!(frames(unwind.backtrace.as_ref().unwrap()), [(1, 100)]);
    assert_eq!(trap_of(Err(unwind)), Trap::UnreachableCodeReached);
    // The store is as good as before.
    assert_eq!(guest.call(Func::AddOne, 1).unwrap(), 2);
}

#[test]
fn a_load_beyond_the_memory_traps_with_its_address() {
    let mut guest = Guest::new(no_import);
    let memory = guest.memory();
    guest
        .store
        .memory_write(memory, 65532, &[1, 2, 3, 4])
        .unwrap();
    assert_eq!(guest.call(Func::Load, 65532).unwrap(), 0x04030201);
    for address in [65536, 0x7fff_0000, -4] {
        let unwind = guest.call(Func::Load, address).unwrap_err();
        let UnwindReason::Trap {
            trap,
            fault_address,
        } = unwind.reason
        else {
            panic!("a trap");
        };
        assert_eq!(trap, Trap::MemoryOutOfBounds);
        let fault = guest.store.describe_fault(fault_address.unwrap()).unwrap();
        assert_eq!(fault.memory_size, 65536);
        assert_eq!(fault.wasm_address, u64::from(address as u32));
    }
}

#[test]
fn a_division_by_zero_traps() {
    let mut guest = Guest::new(no_import);
    assert_eq!(guest.call(Func::Divide, 7).unwrap(), 14);
    let trap = trap_of(guest.call(Func::Divide, 0));
    assert_eq!(trap, Trap::IntegerDivisionByZero);
}

#[test]
fn endless_recursion_ends_at_the_limit_on_every_thread() {
    let run = || {
        let mut guest = Guest::new(no_import);
        for _ in 0..3 {
            let unwind = guest.call(Func::Recurse, 0).unwrap_err();
            let backtrace = unwind.backtrace.as_ref().unwrap();
            assert!(backtrace.truncated);
            assert_eq!(backtrace.frames.len(), 20);
            assert_eq!(frames(backtrace)[..2], [(4, 400), (4, 401)]);
            assert_eq!(trap_of(Err(unwind)), Trap::StackOverflow);
        }
    };
    run();
    for size in [96 << 10, 256 << 10, 4 << 20] {
        let thread = std::thread::Builder::new().stack_size(size);
        thread.spawn(run).unwrap().join().unwrap();
    }
}

#[test]
fn errors_of_the_host_travel_through_the_guest() {
    let mut guest = Guest::new(|_, i| match i {
        0 => Err(Box::new("zero")),
        i => Ok(i * 2),
    });
    assert_eq!(guest.call(Func::CallCallImport, 5).unwrap(), 11);
    let unwind = guest.call(Func::CallCallImport, 0).unwrap_err();
    // The call of function 0 of the host's was compiled into function 8, say the tables.
    let expected = [(5, 501), (0, 801), (8, 802)];
    assert_eq!(frames(unwind.backtrace.as_ref().unwrap()), expected);
    assert!(unwind.backtrace.unwrap().frames[1].inlined);
    let UnwindReason::Error(error) = unwind.reason else {
        panic!("an error");
    };
    assert_eq!(*error.downcast::<&str>().unwrap(), "zero");
}

#[test]
fn panics_of_the_host_travel_through_the_guest() {
    let mut guest = Guest::new(|_, _| std::panic::resume_unwind(Box::new("alas")));
    let result = catch_unwind(AssertUnwindSafe(|| guest.call(Func::CallImport, 0)));
    assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "alas");
    assert_eq!(guest.call(Func::AddOne, 1).unwrap(), 2);
}

#[test]
fn a_host_function_can_be_called_by_the_host() {
    let mut store = store();
    let code = code_region();
    let func = host_func(&mut store, &code, |_, i| match i {
        0 => Err(Box::new("zero")),
        i => Ok(-i),
    });
    let mut values = [ValRaw::i32(3)];
    // SAFETY: the function is of this store and takes one value.
    let results = unsafe {
        let good = call_wasm(store.ptr(), func, values.as_mut_ptr(), 1);
        let result = values[0].get_i32();
        values[0] = ValRaw::i32(0);
        (
            good,
            result,
            call_wasm(store.ptr(), func, values.as_mut_ptr(), 1),
        )
    };
    assert!(results.0.is_ok());
    assert_eq!(results.1, -3);
    let error = results.2.unwrap_err();
    assert!(matches!(error.reason, UnwindReason::Error(_)));
}

#[test]
fn nested_calls_have_one_backtrace_and_unwind_one_by_one() {
    let instance: Arc<OnceLock<InstanceId>> = Arc::default();
    let inside = instance.clone();
    let depth = AtomicU32::new(0);
    let mut guest = Guest::new(move |store, i| {
        let instance = *inside.get().unwrap();
        if i > 0 {
            let result = call(store, instance, Func::CallCallImport, i - 1);
            return result.map_err(|unwind| Box::new(unwind) as HostError);
        }
        // SAFETY: the store is alive and used by this thread.
        let backtrace = unsafe { store.as_ref() }.backtrace(100);
        let frames = frames(&backtrace);
        assert_eq!(frames.len(), 12);
        assert_eq!(frames[..3], [(5, 501), (0, 801), (8, 802)]);
        assert_eq!(frames[9..], [(5, 501), (0, 801), (8, 802)]);
        // Errors, traps and results pass the store on in a good state.
        depth.fetch_add(1, Ordering::Relaxed);
        let trap = trap_of(call(store, instance, Func::Load, -1));
        assert_eq!(trap, Trap::MemoryOutOfBounds);
        // SAFETY: as above.
        let again = unsafe { store.as_ref() }.backtrace(100);
        assert_eq!(crate::support::frames(&again), frames);
        match depth.load(Ordering::Relaxed) {
            1 => Ok(100),
            _ => Err(Box::new("enough")),
        }
    });
    instance.set(guest.instance).unwrap();
    assert_eq!(guest.call(Func::CallCallImport, 3).unwrap(), 104);
    let mut unwind = guest.call(Func::CallCallImport, 3).unwrap_err();
    let mut levels = 0;
    loop {
        levels += 1;
        let UnwindReason::Error(error) = unwind.reason else {
            panic!("an error");
        };
        match error.downcast::<Box<Unwind>>() {
            Ok(inner) => unwind = *inner,
            Err(error) => {
                assert_eq!(*error.downcast::<&str>().unwrap(), "enough");
                break;
            }
        }
    }
    assert_eq!(levels, 4);
}

#[test]
fn recursion_through_the_host_ends_in_a_trap() {
    let run = || {
        let instance: Arc<OnceLock<InstanceId>> = Arc::default();
        let inside = instance.clone();
        let deepest = Arc::new(Mutex::new(None));
        let found = deepest.clone();
        let mut guest = Guest::new(move |store, i| {
            // Something of a frame, as real functions of the host have.
            let space = std::hint::black_box([i as u8; 1024]);
            let result = call(store, *inside.get().unwrap(), Func::CallImport, i + 1);
            std::hint::black_box(&space);
            result.map_err(|unwind| match unwind.reason {
                UnwindReason::Trap { trap, .. } => {
                    *found.lock().unwrap() = Some((trap, i));
                    Box::new(trap) as HostError
                }
                UnwindReason::Error(error) => error,
                UnwindReason::Exception => panic!("an exception"),
            })
        });
        instance.set(guest.instance).unwrap();
        let unwind = guest.call(Func::CallImport, 0).unwrap_err();
        assert!(matches!(unwind.reason, UnwindReason::Error(_)));
        let (trap, depth) = deepest.lock().unwrap().take().unwrap();
        assert_eq!(trap, Trap::StackOverflow);
        assert!(depth > 10, "{depth}");
        assert_eq!(guest.call(Func::AddOne, 1).unwrap(), 2);
    };
    run();
    let thread = std::thread::Builder::new().stack_size(384 << 10);
    thread.spawn(run).unwrap().join().unwrap();
}

#[test]
fn builtins_return_and_unwind() {
    let mut guest = Guest::new(no_import);
    assert_eq!(
        trap_of(guest.call(Func::Load, 65536)),
        Trap::MemoryOutOfBounds
    );
    assert_eq!(guest.call(Func::Grow, 1).unwrap(), 1);
    assert_eq!(guest.call(Func::Load, 65536).unwrap(), 0);
    assert_eq!(guest.call(Func::Grow, 0).unwrap(), 2);
    assert_eq!(guest.call(Func::Grow, 2).unwrap(), -1);
    assert_eq!(guest.call(Func::Grow, -1).unwrap(), -1);
    assert_eq!(guest.store.memory(guest.memory()).pages(), 2);
    let unwind = guest
        .call(Func::Raise, Trap::CastFailure as i32)
        .unwrap_err();
    assert_eq!(frames(unwind.backtrace.as_ref().unwrap()), [(7, 701)]);
    assert_eq!(trap_of(Err(unwind)), Trap::CastFailure);
}

#[test]
fn a_function_without_a_trampoline_cannot_be_called() {
    let code = code_region();
    let memory = memory_shape(memory_type(1, None), &Tunables::default());
    let mut without = shape(code.clone(), memory);
    without.enters = Box::new([None]);
    let mut store = store();
    let import = host_func(&mut store, &code, no_import);
    // SAFETY: the import is of this store and fits.
    let instance = unsafe {
        let funcs = [StoreCore::func_import(import)];
        let request = InstanceRequest {
            shape: Arc::new(without),
            imports: Imports {
                funcs: &funcs,
                ..Imports::default()
            },
            shared_memories: &[],
        };
        StoreCore::allocate_instance(store.ptr(), request).unwrap()
    };
    let unwind = call(store.ptr(), instance, Func::AddOne, 1).unwrap_err();
    let UnwindReason::Error(error) = unwind.reason else {
        panic!("an error");
    };
    assert!(
        error
            .downcast::<String>()
            .unwrap()
            .contains("host can call")
    );
    assert!(!store.is_entered());
}

struct Limiter {
    answer: Result<bool, &'static str>,
    failures: Vec<String>,
    asked: Vec<(usize, usize, Option<usize>)>,
}

impl VmStore for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, HostError> {
        self.asked.push((current, desired, maximum));
        self.answer.map_err(|error| Box::new(error) as HostError)
    }

    fn memory_grow_failed(&mut self, error: GrowError) -> Result<(), HostError> {
        self.failures.push(error.to_string());
        Ok(())
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool, HostError> {
        panic!("the limiter panics")
    }

    fn table_grow_failed(&mut self, _: GrowError) -> Result<(), HostError> {
        Ok(())
    }

    fn is_subtype(&self, _: TypeId, _: TypeId) -> bool {
        false
    }
}

#[test]
fn the_limiter_is_asked_and_its_errors_unwind() {
    let mut limiter = Limiter {
        answer: Ok(true),
        failures: Vec::new(),
        asked: Vec::new(),
    };
    let limiter = &raw mut limiter;
    let mut guest = Guest::new(no_import);
    // SAFETY: the limiter lives until the end of the test; between calls nobody uses the store.
    unsafe {
        let object: *mut dyn VmStore = limiter;
        let object = std::ptr::NonNull::new(object).unwrap();
        guest.store.set_embedder(object);
        assert_eq!(guest.call(Func::Grow, 1).unwrap(), 1);
        assert_eq!(guest.call(Func::Grow, 5).unwrap(), -1);
        assert_eq!((*limiter).failures, ["Memory maximum size exceeded"]);
        let max = Some(3 << 16);
        let asked = [(1 << 16, 2 << 16, max), (2 << 16, 7 << 16, max)];
        assert_eq!((*limiter).asked, asked);
        (*limiter).answer = Ok(false);
        assert_eq!(guest.call(Func::Grow, 1).unwrap(), -1);
        assert_eq!((*limiter).failures.len(), 1);
        (*limiter).answer = Err("no");
        let unwind = guest.call(Func::Grow, 1).unwrap_err();
        assert!(matches!(unwind.reason, UnwindReason::Error(_)));
    }
}

#[test]
fn references_on_the_guests_stack_are_roots() {
    let mut guest = Guest::new(|mut store, _| {
        // SAFETY: the store is alive and used by this thread.
        let store = unsafe { store.as_mut() };
        assert_eq!(store.gc().len(), 2);
        store.collect_garbage();
        assert_eq!(store.gc().len(), 1);
        Ok(0)
    });
    let held = guest.store.alloc_extern(Box::new("held")).unwrap();
    guest.store.alloc_extern(Box::new("lost")).unwrap();
    let bits = guest.call(Func::HoldReference, held.bits() as i32).unwrap();
    let reference = GcRef::from_bits(bits as u32).unwrap();
    let value = guest.store.gc().extern_data(reference).unwrap();
    assert_eq!(*value.downcast_ref::<&str>().unwrap(), "held");
    guest.store.collect_garbage();
    assert!(guest.store.gc().is_empty());
}

#[test]
fn two_stores_nest_on_one_thread() {
    let other = Mutex::new(Guest::new(no_import));
    let mut guest = Guest::new(move |_, i| {
        let mut other = other.lock().unwrap();
        let trap = trap_of(other.call(Func::Load, -1));
        assert_eq!(trap, Trap::MemoryOutOfBounds);
        other
            .call(Func::AddOne, i)
            .map_err(|unwind| Box::new(unwind) as HostError)
    });
    assert_eq!(guest.call(Func::CallCallImport, 1).unwrap(), 3);
    let trap = trap_of(guest.call(Func::Load, -1));
    assert_eq!(trap, Trap::MemoryOutOfBounds);
}
