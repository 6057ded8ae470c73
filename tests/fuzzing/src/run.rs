//! Runs a module in Meantime: instantiates it, calls everything that it exports, looks at what is left.
//!
//! Not here: what to expect. The one idea: what a guest can use is limited (memory, tables, calls), so that any module can be run.

use crate::outcome::{Failure, Outcome, Value};
use crate::seeds::Noise;
use meantime::{
    Engine, Error, Extern, Func, GcHeapOutOfMemory, Linker, Module, Ref, Store, StoreLimits,
    StoreLimitsBuilder, ThrownException, Trap, Val, ValType, WasmBacktrace,
};

/// Bytes that a memory may have.
pub const MEMORY_SIZE: usize = 4 << 20;
/// Elements that a table may have.
pub const TABLE_ELEMENTS: usize = 10_000;
/// Exported functions that are called.
pub const CALLS: usize = 30;

/// Compiles a generated module; none when the engine may refuse it.
///
/// # Panics
///
/// When it refuses it though it should not.
pub fn compile(engine: &Engine, wasm: &[u8]) -> Option<Module> {
    match Module::from_binary(engine, wasm) {
        Ok(module) => Some(module),
        Err(e) if may_refuse(&e) => None,
        Err(e) => panic!("a generated module is refused: {e:?}"),
    }
}

/// Whether a valid module may be refused with this error: shared memories are off, and functions have a greatest size.
pub fn may_refuse(error: &Error) -> bool {
    let message = format!("{error:?}");
    [
        "shared memories are disabled",
        "too large",
        "implementation limit",
    ]
    .iter()
    .any(|allowed| message.contains(allowed))
}

/// Runs it, with arguments from a seed.
pub fn run(module: &Module, arguments: u64) -> Outcome {
    let engine = module.engine();
    let mut store = Store::new(engine, limits());
    store.limiter(|limits| limits);
    let mut outcome = Outcome::default();
    let mut linker = Linker::new(engine);
    let linked = linker.define_unknown_imports_as_default_values(&mut store, module);
    let instance = linked.and_then(|()| linker.instantiate(&mut store, module));
    let instance = match instance {
        Ok(instance) => {
            outcome.step("instantiate", Ok(Vec::new()));
            instance
        }
        Err(e) => {
            outcome.step("instantiate", Err(failure(&e)));
            return outcome;
        }
    };
    let mut exports: Vec<(String, Extern)> = instance
        .exports(&mut store)
        .map(|export| (export.name().to_string(), export.into_extern()))
        .collect();
    // By name: other engines do not keep the module's order.
    exports.sort_by(|a, b| a.0.cmp(&b.0));
    let mut noise = Noise::new(arguments);
    let funcs = exports
        .iter()
        .filter_map(|(name, item)| Some((name, item.clone().into_func()?)));
    for (name, func) in funcs.take(CALLS) {
        if !call(&mut store, name, func, &mut noise, &mut outcome) {
            return outcome;
        }
    }
    for (name, item) in &exports {
        inspect(&mut store, name, item, &mut outcome);
    }
    outcome
}

/// Limits that are the same for every engine.
fn limits() -> StoreLimits {
    StoreLimitsBuilder::new()
        .memory_size(MEMORY_SIZE)
        .table_elements(TABLE_ELEMENTS)
        .instances(10)
        .tables(50)
        .memories(50)
        .build()
}

fn call(
    store: &mut Store<StoreLimits>,
    name: &str,
    func: Func,
    noise: &mut Noise,
    outcome: &mut Outcome,
) -> bool {
    let ty = func.ty(&*store);
    let args: Vec<Val> = ty.params().map(|ty| argument(&ty, noise)).collect();
    let mut results = vec![Val::I32(0); ty.results().len()];
    let step = func.call(&mut *store, &args, &mut results);
    for (result, ty) in results.iter().zip(ty.results()) {
        let right = step.is_err() || result.matches_ty(&*store, &ty).unwrap_or(false);
        assert!(right, "{name} returned {result:?} for {ty}");
    }
    let step = match step {
        Ok(()) => Ok(results.iter().map(value).collect()),
        Err(e) => Err(failure(&e)),
    };
    outcome.step(name, step)
}

/// Numbers for integers that tend to matter.
pub fn number(noise: &mut Noise) -> u64 {
    const SPECIAL: [u64; 12] = [
        0,
        1,
        2,
        u64::MAX,
        1 << 31,
        1 << 63,
        0x7fff_ffff,
        0xffff,
        0x1_0000,
        0xffff_ffff,
        0x7ff0_0000_0000_0000,
        0x7f80_0000_3f80_0000,
    ];
    match noise.below(3) {
        0 => noise.next(),
        1 => noise.next() % 1000,
        _ => SPECIAL[noise.below(SPECIAL.len())],
    }
}

fn argument(ty: &ValType, noise: &mut Noise) -> Val {
    match ty {
        ValType::I32 => Val::I32(number(noise) as i32),
        ValType::I64 => Val::I64(number(noise) as i64),
        ValType::F32 => Val::F32(number(noise) as u32),
        ValType::F64 => Val::F64(number(noise)),
        ValType::V128 => {
            Val::V128((u128::from(number(noise)) << 64 | u128::from(number(noise))).into())
        }
        ValType::Ref(ty) => Val::null_ref(ty.heap_type()),
    }
}

/// A value without its store.
fn value(val: &Val) -> Value {
    match val {
        Val::I32(x) => Value::I32(*x),
        Val::I64(x) => Value::I64(*x),
        Val::F32(bits) => Value::F32(*bits),
        Val::F64(bits) => Value::F64(*bits),
        Val::V128(bits) => Value::V128(bits.as_u128()),
        reference => Value::Ref {
            null: reference.ref_().is_none_or(|r| r.is_null()),
        },
    }
}

fn failure(error: &Error) -> Failure {
    // Whoever prints it resolves all the frames.
    let _ = format!("{error:?}");
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        assert!(backtrace.frames().iter().all(|f| f.func_index() < 1 << 20));
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Failure::Exhausted,
        Some(trap) => Failure::Trap(format!("{trap:?}")),
        None if error.is::<GcHeapOutOfMemory<()>>() => Failure::Exhausted,
        None if error.is::<ThrownException>() => Failure::Exception,
        None => Failure::Error,
    }
}

fn inspect(store: &mut Store<StoreLimits>, name: &str, item: &Extern, outcome: &mut Outcome) {
    match item {
        Extern::Global(global) => {
            let val = global.get(&mut *store);
            outcome.global(name, value(&val));
        }
        Extern::Memory(memory) => outcome.memory(name, memory.data(&*store)),
        Extern::Table(table) => {
            let elements: Vec<Option<Ref>> = (0..table.size(&*store))
                .map(|i| table.get(&mut *store, i))
                .collect();
            let elements = elements.iter();
            outcome.table(
                name,
                elements.map(|e| e.as_ref().expect("within bounds").is_null()),
            );
        }
        // Functions were called, tags cannot be looked into; nothing else is generated.
        _ => {}
    }
}
