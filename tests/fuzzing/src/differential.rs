//! Oracle: a program does what it does in another engine, the interpreter Wasmi.
//!
//! What [`crate::configurations`] cannot find are errors that all configurations share. Modules import nothing, so that neither engine
//! depends on what the host would define; NaNs are made canonical by the modules themselves.

use crate::generate::{self, FUEL, FUEL_EXPORT, Purpose};
use crate::options::Options;
use crate::outcome::{Failure, Outcome, Step, Value};
use crate::seeds::Noise;
use crate::{Verdict, run};
use arbitrary::{Result, Unstructured};
use wasmi::errors::{ErrorKind, InstantiationError, TableError};
use wasmi::{
    Extern, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode, Val, ValType,
};

/// What a fuzzer's bytes stand for.
#[derive(Debug)]
pub struct Case {
    /// The module.
    pub wasm: Vec<u8>,
    /// The engine.
    pub options: Options,
    /// Seed of the arguments of calls.
    pub arguments: u64,
}

impl Case {
    /// Reads it from bytes.
    ///
    /// # Errors
    ///
    /// When they do not suffice.
    pub fn new(mut u: Unstructured<'_>) -> Result<Case> {
        Ok(Case {
            options: Options::comparable(&mut u)?,
            arguments: u.arbitrary()?,
            wasm: generate::module(&mut u, Purpose::Exchange)?,
        })
    }
}

/// Runs a module in both engines.
///
/// # Panics
///
/// When they differ, or as [`crate::instantiate::check`] does.
pub fn check(u: Unstructured<'_>) -> Verdict {
    let Ok(case) = Case::new(u) else {
        return Verdict::NoInput;
    };
    let Some(module) = run::compile(&case.options, &case.wasm) else {
        return Verdict::Refused;
    };
    // What Wasmi does not support is not compared.
    let Some(theirs) = interpret(&case.wasm, case.arguments) else {
        return Verdict::Refused;
    };
    let ours = run::run(&module, case.arguments, run::References::Null);
    if let Some(difference) = ours.difference(&theirs) {
        panic!("in Wasmi and with {:?}: {difference}", case.options);
    }
    Verdict::Checked
}

/// As [`run::run`] in Wasmi.
fn interpret(wasm: &[u8], arguments: u64) -> Option<Outcome> {
    let mut config = wasmi::Config::default();
    config
        .wasm_multi_memory(true)
        .wasm_memory64(true)
        .wasm_wide_arithmetic(true)
        .wasm_simd(true);
    let engine = wasmi::Engine::new(&config);
    let module = Module::new(&engine, wasm).ok()?;
    let limits = StoreLimitsBuilder::new()
        .memory_size(run::MEMORY_SIZE)
        .table_elements(run::TABLE_ELEMENTS)
        .instances(10)
        .tables(50)
        .memories(50)
        .build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let mut outcome = Outcome::default();
    let linker = Linker::new(&engine);
    let instance = match linker.instantiate_and_start(&mut store, &module) {
        Ok(instance) => {
            outcome.step("instantiate", Ok(Vec::new()));
            instance
        }
        Err(e) => {
            outcome.step("instantiate", Err(failure(&e)));
            return Some(outcome);
        }
    };
    let mut exports: Vec<(String, Extern)> = module
        .exports()
        .map(|export| export.name().to_string())
        .filter_map(|name| {
            let item = instance.get_export(&store, &name)?;
            Some((name, item))
        })
        .collect();
    exports.sort_by(|a, b| a.0.cmp(&b.0));
    let mut noise = Noise::new(arguments);
    let fuel = instance.get_global(&store, FUEL_EXPORT);
    let funcs: Vec<(&String, wasmi::Func)> = exports
        .iter()
        .filter_map(|(name, item)| Some((name, item.into_func()?)))
        .take(run::CALLS)
        .collect();
    for _ in 0..run::ROUNDS {
        for (name, func) in &funcs {
            if let Some(fuel) = fuel {
                let set = fuel.set(&mut store, Val::I32(FUEL as i32));
                set.expect("it is a variable of type i32");
            }
            let step = call(&mut store, *func, &mut noise);
            if !outcome.step(name, step) {
                return Some(outcome);
            }
            let returned = matches!(outcome.steps.last(), Some((_, Ok(_))));
            if let (true, Some(fuel)) = (returned, fuel) {
                let left = fuel.get(&store).i32().expect("it is of type i32");
                outcome.entered += u64::from(FUEL) - left as u64;
            }
        }
    }
    for (name, item) in &exports {
        match item {
            Extern::Global(global) => outcome.global(name, value(&global.get(&store))),
            Extern::Memory(memory) => outcome.memory(name, memory.data(&store)),
            Extern::Table(table) => {
                let element = |i| value(&table.get(&store, i).expect("within bounds"));
                let nulls =
                    (0..table.size(&store)).map(|i| element(i) == Value::Ref { null: true });
                outcome.table(name, nulls);
            }
            Extern::Func(_) => {}
        }
    }
    Some(outcome)
}

fn call(store: &mut Store<StoreLimits>, func: wasmi::Func, noise: &mut Noise) -> Step {
    let ty = func.ty(&*store);
    let args: Vec<Val> = ty.params().iter().map(|ty| argument(*ty, noise)).collect();
    let mut results = vec![Val::I32(0); ty.results().len()];
    match func.call(store, &args, &mut results) {
        Ok(()) => Ok(results.iter().map(value).collect()),
        Err(e) => Err(failure(&e)),
    }
}

/// The same as Meantime gets.
fn argument(ty: ValType, noise: &mut Noise) -> Val {
    match ty {
        ValType::I32 => Val::I32(run::number(noise) as i32),
        ValType::I64 => Val::I64(run::number(noise) as i64),
        ValType::F32 => Val::F32(wasmi::F32::from_bits(run::number(noise) as u32)),
        ValType::F64 => Val::F64(wasmi::F64::from_bits(run::number(noise))),
        ValType::V128 => {
            let bits = u128::from(run::number(noise)) << 64 | u128::from(run::number(noise));
            Val::V128(bits.into())
        }
        reference => Val::default(reference),
    }
}

fn value(val: &Val) -> Value {
    match val {
        Val::I32(x) => Value::I32(*x),
        Val::I64(x) => Value::I64(*x),
        Val::F32(x) => Value::F32(x.to_bits()),
        Val::F64(x) => Value::F64(x.to_bits()),
        Val::V128(x) => Value::V128(x.as_u128()),
        Val::FuncRef(x) => Value::Ref { null: x.is_null() },
        Val::ExternRef(x) => Value::Ref { null: x.is_null() },
    }
}

/// By Meantime's names.
fn failure(error: &wasmi::Error) -> Failure {
    match error.as_trap_code() {
        Some(TrapCode::StackOverflow) => Failure::Exhausted,
        Some(TrapCode::GrowthOperationLimited) => Failure::Error,
        Some(trap) => Failure::Trap(format!("{trap:?}")),
        // These have no code.
        None if matches!(
            error.kind(),
            ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. })
                | ErrorKind::Table(TableError::CopyOutOfBounds)
        ) =>
        {
            Failure::Trap("TableOutOfBounds".to_string())
        }
        None => Failure::Error,
    }
}
