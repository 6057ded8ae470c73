//! Oracle: a program does what it does in V8, which has nearly all that Meantime has: objects, exceptions, memories with 64-bit addresses.
//!
//! It runs in a process of Node.js ([`process`]), whose path is in the environment's variable `MEANTIME_NODE`. The one idea: JavaScript can only see what it has
//! values for. So functions with vectors or references to exceptions in their types are not called, bits of NaNs are not compared, and traps
//! are compared by what both engines say of them.
//!
//! ```text
//! MEANTIME_NODE=/usr/bin/node cargo run --release -p meantime-fuzzing -- peer --seconds 60
//! ```

mod process;

use crate::generate::{self, FUEL, FUEL_EXPORT, Purpose};
use crate::options::Options;
use crate::outcome::{Failure, Outcome, Step, Value};
use crate::run::{self, References};
use crate::seeds::Noise;
use crate::{Verdict, differential};
use arbitrary::{Result, Unstructured};
use meantime::{ExternType, FuncType, HeapType, Module, Val, ValType};
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// What a fuzzer's bytes stand for.
pub type Case = differential::Case;

/// Reads it from bytes.
///
/// # Errors
///
/// When they do not suffice.
pub fn case(mut u: Unstructured<'_>) -> Result<Case> {
    Ok(Case {
        options: Options {
            // The module itself does it where it matters; all other instructions leave the bits of NaNs as they are in both engines.
            nan_canonicalization: false,
            ..Options::comparable(&mut u)?
        },
        arguments: u.arbitrary()?,
        wasm: generate::module(&mut u, Purpose::Peer)?,
    })
}

/// Runs a module in both engines.
///
/// # Panics
///
/// When they differ, when Node.js cannot be run, or as [`crate::instantiate::check`] does.
pub fn check(u: Unstructured<'_>) -> Verdict {
    let Ok(case) = case(u) else {
        return Verdict::NoInput;
    };
    compare(&case)
}

/// The same for a module that is there already.
///
/// # Panics
///
/// As [`check`] does.
pub fn compare(case: &Case) -> Verdict {
    let Some(module) = run::compile(&case.options, &case.wasm) else {
        return Verdict::Refused;
    };
    let request = request(&module, &case.wasm, case.arguments);
    // A crash of the other engine is no finding here.
    let Some(answer) = process::ask(&request) else {
        return Verdict::Refused;
    };
    let Some(theirs) = outcome(&request, &answer) else {
        return Verdict::Refused;
    };
    let ours = normal(run::run(&module, case.arguments, References::Script));
    if let Some(difference) = ours.difference(&theirs) {
        panic!("in V8 and with {:?}: {difference}", case.options);
    }
    Verdict::Checked
}

/// Whether JavaScript can call it, with null for references.
pub fn callable(ty: &FuncType) -> bool {
    let seen = |ty: &ValType| match ty {
        ValType::V128 => false,
        ValType::Ref(ty) => !matches!(
            ty.heap_type(),
            HeapType::Exn | HeapType::NoExn | HeapType::ConcreteExn(_)
        ),
        _ => true,
    };
    let given = |ty: &ValType| ty.as_ref().is_none_or(|ty| ty.is_nullable());
    ty.params().all(|ty| seen(&ty) && given(&ty)) && ty.results().all(|ty| seen(&ty))
}

/// Whether it is a function's parameter or result, or a global, that JavaScript can see, and its name for it.
fn name(ty: &ValType) -> &'static str {
    match ty {
        ValType::I32 => "i32",
        ValType::I64 => "i64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
        _ => "ref",
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The module, and everything that [`run::run`] does with it.
fn request(module: &Module, wasm: &[u8], arguments: u64) -> Json {
    let mut exports: Vec<(&str, ExternType)> = module
        .exports()
        .map(|export| (export.name(), export.ty()))
        .collect();
    exports.sort_by(|a, b| a.0.cmp(b.0));
    let (mut funcs, mut globals, mut memories, mut tables) = (vec![], vec![], vec![], vec![]);
    for (export, ty) in &exports {
        match ty {
            ExternType::Func(ty) if callable(ty) => funcs.push((export, ty)),
            ExternType::Global(ty) if visible(ty.content()) => {
                globals.push(json!([export, name(ty.content())]));
            }
            ExternType::Memory(_) => memories.push(json!(export)),
            ExternType::Table(ty) if visible(&ty.element().clone().into()) => {
                tables.push(json!([export, ty.is_64()]));
            }
            _ => {}
        }
    }
    funcs.truncate(run::CALLS);
    let mut noise = Noise::new(arguments);
    let mut calls = Vec::new();
    for _ in 0..run::ROUNDS {
        for (export, ty) in &funcs {
            let args: Vec<Json> = ty
                .params()
                .map(
                    |ty| match run::argument(&ty, &mut noise, References::Script) {
                        Val::I32(x) => json!(format!("i32:{x}")),
                        Val::I64(x) => json!(format!("i64:{x}")),
                        Val::F32(bits) => json!(format!("f32:{bits}")),
                        Val::F64(bits) => json!(format!("f64:{bits}")),
                        _ => json!("null"),
                    },
                )
                .collect();
            let results: Vec<&str> = ty.results().map(|ty| name(&ty)).collect();
            calls.push(json!([export, args, results]));
        }
    }
    let fuel = module.get_export(FUEL_EXPORT).map(|_| FUEL_EXPORT);
    json!({
        "wasm": hex(wasm), "fuelName": fuel, "fuel": FUEL, "calls": calls,
        "globals": globals, "memories": memories, "tables": tables,
    })
}

/// Whether JavaScript can read a global or an element of this type.
pub fn visible(ty: &ValType) -> bool {
    match ty {
        ValType::V128 => false,
        ValType::Ref(ty) => !matches!(
            ty.heap_type(),
            HeapType::Exn | HeapType::NoExn | HeapType::ConcreteExn(_)
        ),
        _ => true,
    }
}

/// What the other engine did; none if it does not support the module.
fn outcome(request: &Json, answer: &Json) -> Option<Outcome> {
    let mut outcome = Outcome::default();
    let steps = answer["steps"].as_array()?;
    for (i, step) in steps.iter().enumerate() {
        let called = i.checked_sub(1).map(|i| &request["calls"][i][0]);
        let name = called.map_or(Some("instantiate"), Json::as_str)?;
        let error = step["error"].as_str().unwrap_or_default();
        if error.starts_with("CompileError") {
            return None;
        }
        if !outcome.step(name, read(step)) {
            return Some(outcome);
        }
        if let Some(left) = step["left"].as_i64() {
            outcome.entered += (i64::from(FUEL) - left) as u64;
        }
    }
    let pairs = |kind: &str| -> Option<Vec<(String, Json)>> {
        let names = request[kind].as_array()?.iter();
        let values = answer[kind].as_array()?.iter();
        let name = |asked: &Json| asked.as_str().or(asked[0].as_str()).map(str::to_string);
        names
            .zip(values)
            .map(|(asked, value)| Some((name(asked)?, value.clone())))
            .collect()
    };
    for (name, global) in pairs("globals")? {
        outcome.global(&name, value(global.as_str()?)?);
    }
    for (name, memory) in pairs("memories")? {
        let hex = memory.as_str()?;
        let bytes = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..][..2], 16));
        let bytes: std::result::Result<Vec<u8>, _> = bytes.collect();
        outcome.memory(&name, &bytes.ok()?);
    }
    for (name, table) in pairs("tables")? {
        outcome.table(&name, table.as_str()?.chars().map(|mark| mark == '.'));
    }
    // By name, as they are here.
    outcome.state.sort();
    Some(outcome)
}

fn read(step: &Json) -> Step {
    if let Some(values) = step["values"].as_array() {
        let values = values.iter().map(|v| value(v.as_str()?));
        return values.collect::<Option<_>>().ok_or(Failure::Error);
    }
    if step["exception"].as_bool() == Some(true) {
        return Err(Failure::Exception);
    }
    Err(failure(step["error"].as_str().unwrap_or_default()))
}

fn value(text: &str) -> Option<Value> {
    let Some((ty, bits)) = text.split_once(':') else {
        return Some(Value::Ref {
            null: text == "null",
        });
    };
    Some(nan(match ty {
        "i32" => Value::I32(bits.parse().ok()?),
        "i64" => Value::I64(bits.parse().ok()?),
        "f32" => Value::F32(bits.parse().ok()?),
        _ => Value::F64(bits.parse().ok()?),
    }))
}

/// All NaNs are one.
fn nan(value: Value) -> Value {
    match value {
        Value::F32(bits) if f32::from_bits(bits).is_nan() => Value::F32(0x7fc0_0000),
        Value::F64(bits) if f64::from_bits(bits).is_nan() => Value::F64(0x7ff8_0000_0000_0000),
        other => other,
    }
}

/// Traps by what V8 says of them, and what both say of ours.
const TRAPS: &[(&str, &str, &[&str])] = &[
    ("null function", "indirect", &[]),
    ("unreachable", "unreachable", &["UnreachableCodeReached"]),
    (
        "memory access out of bounds",
        "memory",
        &["MemoryOutOfBounds"],
    ),
    ("data segment", "memory", &[]),
    (
        "table index is out of bounds",
        "table",
        &["TableOutOfBounds"],
    ),
    ("table access out of bounds", "table", &[]),
    ("element segment", "table", &[]),
    ("by zero", "zero", &["IntegerDivisionByZero"]),
    (
        "unrepresentable",
        "number",
        &["IntegerOverflow", "BadConversionToInteger"],
    ),
    (
        "signature mismatch",
        "indirect",
        &["IndirectCallToNull", "BadSignature"],
    ),
    ("dereferencing a null pointer", "null", &["NullReference"]),
    ("rethrowing null", "null", &[]),
    ("illegal cast", "cast", &["CastFailure"]),
    (
        "array element access out of bounds",
        "array",
        &["ArrayOutOfBounds"],
    ),
    ("unaligned", "alignment", &["HeapMisaligned"]),
];

fn failure(error: &str) -> Failure {
    if error.contains("call stack") {
        return Failure::Exhausted;
    }
    match TRAPS.iter().find(|(text, ..)| error.contains(text)) {
        Some((_, name, _)) => Failure::Trap(name.to_string()),
        None => Failure::Trap(error.to_string()),
    }
}

/// Ours by the names for both.
fn normal(mut outcome: Outcome) -> Outcome {
    for (_, step) in &mut outcome.steps {
        match step {
            Ok(values) => values.iter_mut().for_each(|value| *value = nan(*value)),
            Err(Failure::Trap(name)) => {
                let found = TRAPS
                    .iter()
                    .find(|(.., ours)| ours.contains(&name.as_str()));
                if let Some((_, both, _)) = found {
                    *name = both.to_string();
                }
            }
            Err(_) => {}
        }
    }
    for (_, state) in &mut outcome.state {
        let hex = |prefix| u64::from_str_radix(state.strip_prefix(prefix)?, 16).ok();
        let value = match (hex("f32 0x"), hex("f64 0x")) {
            (Some(bits), _) => Value::F32(bits as u32),
            (_, Some(bits)) => Value::F64(bits),
            _ => continue,
        };
        *state = format!("{:?}", nan(value));
    }
    outcome.state.sort();
    outcome
}
