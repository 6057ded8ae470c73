//! Validation of function bodies, on one thread or on several.
//!
//! The one idea: bodies depend on nothing but the sections before them, so they can be validated in any order; to report the
//! same mistake every time, it is always the one in the first body that has one. What the fast validator does not know, the full one judges.

use crate::plain::{self, Plain};
use crate::{Module, ModuleError, ModuleErrorKind};
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmparser::{
    FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody, ValidatorResources,
    WasmFeatures,
};

/// A body and what its validation needs of the module.
pub(crate) type Body<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// Bytes of code below which starting threads costs more than it saves.
const PARALLEL_MIN_BYTES: u64 = 256 << 10;

/// Most operands on the stack. A body is not long enough to push more one by one, but a call of two bytes may return a thousand.
const MAX_OPERANDS: u32 = 8 << 20;

/// Memory that one body leaves for the next.
#[derive(Default)]
struct Scratch {
    plain: plain::Scratch,
    full: FuncValidatorAllocations,
}

/// Validates the bodies of all functions of a module, of which the other sections were read.
pub(crate) fn bodies(
    module: &Module,
    features: &WasmFeatures,
    bodies: Vec<Body<'_>>,
    parallel: bool,
) -> Result<(), ModuleError> {
    let plain = Plain::new(module, features);
    let how = (plain.as_ref(), features);
    let bytes: u64 = bodies
        .iter()
        .map(|(_, body)| body.range().end - body.range().start)
        .sum();
    if parallel && bytes >= PARALLEL_MIN_BYTES {
        on_several_threads(how, bodies)
    } else {
        let mut scratch = Scratch::default();
        let mut bodies = bodies.into_iter();
        bodies.try_for_each(|(func, body)| one(how, &mut scratch, func, &body))
    }
}

fn one(
    (plain, features): (Option<&Plain>, &WasmFeatures),
    scratch: &mut Scratch,
    func: FuncToValidate<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> Result<(), ModuleError> {
    if plain.is_some_and(|plain| plain.validate(&mut scratch.plain, func.ty, body.as_bytes())) {
        return Ok(());
    }
    let mut validator = func.into_validator(std::mem::take(&mut scratch.full));
    full(&mut validator, features, body)?;
    scratch.full = validator.into_allocations();
    Ok(())
}

/// Validates a body with the validator that knows all operators.
fn full(
    validator: &mut FuncValidator<ValidatorResources>,
    features: &WasmFeatures,
    body: &FunctionBody<'_>,
) -> Result<(), ModuleError> {
    let mut reader = body.get_binary_reader();
    let locals = validator.read_locals(&mut reader);
    locals.map_err(ModuleError::invalid)?;
    reader.set_features(*features);
    while !reader.eof() {
        let at = reader.original_position();
        let operator = reader.visit_operator(&mut validator.visitor(at));
        operator
            .and_then(|valid| valid)
            .map_err(ModuleError::invalid)?;
        if validator.operand_stack_height() > MAX_OPERANDS {
            let message = "the number of operands on the stack exceeds the limit";
            return Err(ModuleError::at(ModuleErrorKind::Limit, message, at));
        }
    }
    let end = validator.visitor(reader.original_position());
    reader.finish_expression(&end).map_err(ModuleError::invalid)
}

fn on_several_threads(
    how: (Option<&Plain>, &WasmFeatures),
    bodies: Vec<Body<'_>>,
) -> Result<(), ModuleError> {
    // Bodies after the first that failed so far need not be looked at.
    let first_bad = AtomicUsize::new(usize::MAX);
    let worst = bodies
        .into_par_iter()
        .enumerate()
        .map_init(Scratch::default, |scratch, (i, (func, body))| {
            if i > first_bad.load(Ordering::Relaxed) {
                return None;
            }
            let error = one(how, scratch, func, &body).err()?;
            first_bad.fetch_min(i, Ordering::Relaxed);
            Some((i, error))
        })
        .flatten_iter()
        .min_by_key(|(i, _)| *i);
    match worst {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}
