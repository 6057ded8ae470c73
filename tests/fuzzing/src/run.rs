//! Runs a module in Meantime: instantiates it, calls everything that it exports, looks at what is left.
//!
//! Not here: what to expect. The one idea: what a guest can use is limited (memory, tables, calls), so that any module can be run.

use crate::generate::{FUEL, FUEL_EXPORT};
use crate::options::{Options, interrupt};
use crate::outcome::{FUEL_AT_TRAP, Failure, Outcome, Value};
use crate::peer;
use crate::seeds::Noise;
use meantime::{
    Error, Extern, ExternType, Func, GcHeapOutOfMemory, Linker, Module, Ref, Store, StoreLimits,
    StoreLimitsBuilder, ThrownException, Trap, Val, ValType, WasmBacktrace,
};

/// Bytes that a memory may have.
pub const MEMORY_SIZE: usize = 4 << 20;
/// Elements that a table may have.
pub const TABLE_ELEMENTS: usize = 10_000;
/// Fuel of the engine, where it counts that: more than any module uses, as all end soon.
const COUNTED: u64 = 1 << 50;
/// Exported functions that are called in each round.
pub const CALLS: usize = 30;
/// How often each of them is called, with other arguments each time: often enough that code of both tiers runs.
pub const ROUNDS: usize = 4;
/// References that are kept to be passed to functions.
const POOL: usize = 32;

/// What is passed for parameters of reference types.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum References {
    /// Null, as any engine can make it.
    Null,
    /// Null, and only what JavaScript can call or look at is: see [`peer`].
    Script,
    /// What the module exported and returned before, where it has the type.
    Seen,
}

/// Compiles a generated module; none when the engine may refuse it.
///
/// # Panics
///
/// When it refuses it though it should not.
pub fn compile(options: &Options, wasm: &[u8]) -> Option<Module> {
    match options.module(wasm) {
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

/// Runs it, with arguments from a seed. What a call may do is bounded by the module's own count, if it exports one ([`FUEL_EXPORT`]).
pub fn run(module: &Module, arguments: u64, references: References) -> Outcome {
    let engine = module.engine();
    let mut store = Store::new(engine, limits());
    store.limiter(|limits| limits);
    interrupt(&mut store);
    let counts_fuel = engine.get_consume_fuel();
    if counts_fuel {
        store.set_fuel(COUNTED).expect("fuel is counted");
    }
    let mut outcome = Outcome {
        interrupted: engine.get_epoch_interruption(),
        ..Outcome::default()
    };
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
    let fuel = instance.get_global(&mut store, FUEL_EXPORT);
    let funcs: Vec<(&String, Func)> = exports
        .iter()
        .filter_map(|(name, item)| Some((name, item.clone().into_func()?)))
        .filter(|(_, f)| references != References::Script || peer::callable(&f.ty(&store)))
        .take(CALLS)
        .collect();
    let mut pool: Vec<Val> = match references {
        References::Null | References::Script => Vec::new(),
        References::Seen => funcs.iter().map(|(_, f)| Val::FuncRef(Some(*f))).collect(),
    };
    for _ in 0..ROUNDS {
        for (name, func) in &funcs {
            if let Some(fuel) = fuel {
                let set = fuel.set(&mut store, Val::I32(FUEL as i32));
                set.expect("it is a variable of type i32");
            }
            let ty = func.ty(&store);
            let args: Vec<Val> = ty
                .params()
                .map(|ty| match seen(&store, &ty, &mut noise, &pool) {
                    Some(reference) => reference,
                    None => argument(&ty, &mut noise, references),
                })
                .collect();
            if !call(&mut store, name, *func, &args, &mut pool, &mut outcome) {
                return outcome;
            }
            if references != References::Seen {
                pool.clear();
            }
            if let Some(fuel) = fuel {
                let left = fuel.get(&mut store).unwrap_i32();
                match outcome.steps.last() {
                    Some((_, Ok(_))) => outcome.entered += u64::from(FUEL) - left as u64,
                    _ => outcome.spent += u64::from(left == 0),
                }
            }
            if counts_fuel {
                let left = store.get_fuel().expect("fuel is counted");
                if let Some(name) = name_of_fuel(&outcome) {
                    outcome.step(name, Ok(vec![Value::I64(left as i64)]));
                }
                store.set_fuel(COUNTED).expect("fuel is counted");
            }
        }
    }
    for (name, item) in &exports {
        let visible = match item.ty(&store) {
            ExternType::Global(ty) => peer::visible(ty.content()),
            ExternType::Table(ty) => peer::visible(&ty.element().clone().into()),
            _ => true,
        };
        if references == References::Script && !visible {
            continue;
        }
        inspect(&mut store, name, item, &mut outcome);
    }
    outcome
}

/// What to call the fuel that the last call left, if that can be compared.
fn name_of_fuel(outcome: &Outcome) -> Option<&'static str> {
    match &outcome.steps.last().expect("there was a call").1 {
        Ok(_) | Err(Failure::Exception) => Some("fuel"),
        Err(Failure::Trap(_)) => Some(FUEL_AT_TRAP),
        Err(_) => None,
    }
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
    args: &[Val],
    pool: &mut Vec<Val>,
    outcome: &mut Outcome,
) -> bool {
    let ty = func.ty(&*store);
    let mut results = vec![Val::I32(0); ty.results().len()];
    let step = func.call(&mut *store, args, &mut results);
    for (result, ty) in results.iter().zip(ty.results()) {
        let right = step.is_err() || result.matches_ty(&*store, &ty).unwrap_or(false);
        assert!(right, "{name} returned {result:?} for {ty}");
    }
    let step = match step {
        Ok(()) => {
            let references = results
                .iter()
                .filter(|v| v.ref_().is_some_and(|r| !r.is_null()));
            pool.extend(references.copied());
            pool.truncate(POOL);
            Ok(results.iter().map(value).collect())
        }
        Err(e) => Err(failure(&e)),
    };
    outcome.step(name, step)
}

/// A reference from the pool that has the type, mostly.
fn seen(store: &Store<StoreLimits>, ty: &ValType, noise: &mut Noise, pool: &[Val]) -> Option<Val> {
    if !ty.is_ref() || pool.is_empty() || noise.below(8) == 0 {
        return None;
    }
    let first = noise.below(pool.len());
    let mut rotated = pool[first..].iter().chain(&pool[..first]);
    let found = rotated.find(|val| val.matches_ty(store, ty).expect("of this store"));
    found.copied()
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

/// Any value of a type, null for references. JavaScript has but one NaN.
pub fn argument(ty: &ValType, noise: &mut Noise, references: References) -> Val {
    let script = references == References::Script;
    match ty {
        ValType::I32 => Val::I32(number(noise) as i32),
        ValType::I64 => Val::I64(number(noise) as i64),
        ValType::F32 => match number(noise) as u32 {
            bits if script && f32::from_bits(bits).is_nan() => Val::F32(0x7fc0_0000),
            bits => Val::F32(bits),
        },
        ValType::F64 => match number(noise) {
            bits if script && f64::from_bits(bits).is_nan() => Val::F64(0x7ff8_0000_0000_0000),
            bits => Val::F64(bits),
        },
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
