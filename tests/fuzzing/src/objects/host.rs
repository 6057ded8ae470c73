//! Runs a program over objects in Meantime, with the host functions that it imports.
//!
//! The host looks at references, writes to objects, keeps some, starts collections, and calls back. The one idea: what it holds it holds in every way that the
//! API has, for a scope ([`Rooted`]) and for longer ([`OwnedRooted`]), so that collections move all of them.

use super::model::{Expected, describe};
use super::program::{PLACES, Program};
use crate::options::{Options, interrupt};
use meantime::{
    AnyRef, AsContextMut, Caller, Engine, ExternRef, GcHeapOutOfMemory, Instance, Linker,
    OwnedRooted, RootScope, Rooted, StorageType, Store, StoreLimits, StoreLimitsBuilder, Trap, Val,
};

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With its `x`, and what the host sees of its reference.
    Returns(u64, u64),
    /// With a trap of this name.
    Traps(String),
    /// The heap is used up.
    HeapFull,
    /// With something else, which is always wrong.
    Fails(String),
}

impl End {
    /// Whether it is as expected.
    pub fn is(&self, expected: &Expected) -> bool {
        match (self, expected) {
            (End::Returns(x, seen), Expected::Returns(a, b)) => (x, seen) == (a, b),
            (End::Traps(name), Expected::Traps(names)) => names.iter().any(|n| n == name),
            _ => false,
        }
    }
}

/// A call of the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was observed, in order.
    pub reports: Vec<u64>,
    /// And the end.
    pub end: End,
}

/// What the host has.
struct Host {
    limits: StoreLimits,
    reports: Vec<u64>,
    places: [Option<OwnedRooted<AnyRef>>; PLACES],
}

/// Makes every call of the program; none after one that used up the heap, but then the store is tried in another way.
///
/// # Panics
///
/// When the module is refused, or when the store does not work after its heap was used up.
pub fn run(
    program: &Program,
    text: &str,
    options: &Options,
    limit: Option<usize>,
    rounds: usize,
) -> Vec<Call> {
    let module = options.module_of_text(text);
    let engine = module.engine().clone();
    let limits = match limit {
        Some(bytes) => StoreLimitsBuilder::new().memory_size(bytes).build(),
        None => StoreLimits::default(),
    };
    let host = Host {
        limits,
        reports: Vec::new(),
        places: Default::default(),
    };
    let mut store = Store::new(&engine, host);
    store.limiter(|host| &mut host.limits);
    interrupt(&mut store);
    let instance = match linker(&engine).instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(e) => {
            return vec![Call {
                reports: Vec::new(),
                end: failure(&e),
            }];
        }
    };
    let mut calls = Vec::new();
    for _ in 0..rounds {
        for &(function, x) in &program.calls {
            let end = call(&mut store, instance, function, x);
            let reports = std::mem::take(&mut store.data_mut().reports);
            let full = end == End::HeapFull;
            calls.push(Call { reports, end });
            if full {
                after(&mut store, instance);
                return calls;
            }
        }
    }
    calls
}

fn call(store: &mut Store<Host>, instance: Instance, function: usize, x: u64) -> End {
    let mut scope = RootScope::new(store);
    let func = instance.get_func(&mut scope, &format!("f{function}"));
    let func = func.expect("it is exported");
    let mut results = [Val::AnyRef(None), Val::I64(0)];
    let args = [Val::AnyRef(None), Val::AnyRef(None), Val::I64(x as i64)];
    match func.call(&mut scope, &args, &mut results) {
        Ok(()) => {
            let reference = results[0].unwrap_anyref().copied();
            match see(&mut scope, reference) {
                Ok(seen) => End::Returns(results[1].unwrap_i64() as u64, seen),
                Err(e) => failure(&e),
            }
        }
        Err(e) => failure(&e),
    }
}

fn failure(error: &meantime::Error) -> End {
    match error.downcast_ref::<Trap>() {
        Some(trap) => End::Traps(format!("{trap:?}")),
        None if error.is::<GcHeapOutOfMemory<()>>() => End::HeapFull,
        None => End::Fails(format!("{error:?}")),
    }
}

/// After the heap was used up: when all is given back, there is room again.
fn after(store: &mut Store<Host>, instance: Instance) {
    store.data_mut().places = Default::default();
    let reset = instance.get_typed_func::<(), ()>(&mut *store, "reset");
    let reset = reset.expect("it is exported").call(&mut *store, ());
    reset.expect("nothing is allocated");
    store
        .gc(None)
        .expect("a collection needs no memory that is not there");
    let small = instance.get_typed_func::<i32, i32>(&mut *store, "small");
    let small = small.expect("it is exported");
    for i in 0..50 {
        assert_eq!(small.call(&mut *store, i).expect("there is room again"), i);
    }
}

fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    define(&mut linker).expect("each is defined once");
    linker
}

fn define(linker: &mut Linker<Host>) -> meantime::Result<()> {
    type Any = Option<Rooted<AnyRef>>;
    linker.func_wrap("host", "observe", |mut caller: Caller<'_, Host>, x: i64| {
        caller.data_mut().reports.push(x as u64);
    })?;
    linker.func_wrap(
        "host",
        "see",
        |mut caller: Caller<'_, Host>, r: Any| -> meantime::Result<()> {
            let seen = see(&mut caller, r)?;
            caller.data_mut().reports.push(seen);
            Ok(())
        },
    )?;
    linker.func_wrap(
        "host",
        "collect",
        |mut caller: Caller<'_, Host>| -> meantime::Result<()> { caller.gc(None) },
    )?;
    linker.func_wrap(
        "host",
        "keep",
        |mut caller: Caller<'_, Host>, place: i32, r: Any| -> meantime::Result<()> {
            let kept = r.map(|r| r.to_owned_rooted(&mut caller)).transpose()?;
            caller.data_mut().places[place as usize] = kept;
            Ok(())
        },
    )?;
    linker.func_wrap(
        "host",
        "give",
        |mut caller: Caller<'_, Host>, place: i32| -> Any {
            let kept = caller.data().places[place as usize].clone()?;
            Some(kept.to_rooted(&mut caller))
        },
    )?;
    linker.func_wrap(
        "host",
        "write",
        |mut caller: Caller<'_, Host>, r: Any, x: i64| -> meantime::Result<()> {
            match r {
                Some(r) => write(&mut caller, r, x as u64),
                None => Ok(()),
            }
        },
    )?;
    linker.func_wrap(
        "host",
        "foreign",
        |mut caller: Caller<'_, Host>, x: i64| -> meantime::Result<Option<Rooted<ExternRef>>> {
            ExternRef::new(&mut caller, x as u64).map(Some)
        },
    )?;
    linker.func_wrap(
        "host",
        "call_back",
        |mut caller: Caller<'_, Host>, r: Any, x: i64| -> meantime::Result<(Any, i64)> {
            let name = format!("f{}", super::program::LEAVES);
            let func = caller.get_export(&name).and_then(|e| e.into_func());
            let func = func.expect("it is exported");
            let func = func.typed::<(Any, Any, i64), (Any, i64)>(&caller)?;
            let before = match r {
                Some(r) => Some((r, r.to_owned_rooted(&mut caller)?)),
                None => None,
            };
            let results = func.call(&mut caller, (r, None, x))?;
            // Both kinds of roots still are the same object.
            if let Some((r, owned)) = before {
                let owned = owned.to_rooted(&mut caller);
                assert!(Rooted::ref_eq(&caller, &r, &owned)?);
            }
            Ok(results)
        },
    )?;
    Ok(())
}

/// What the model's `see` says.
fn see(mut store: impl AsContextMut, r: Option<Rooted<AnyRef>>) -> meantime::Result<u64> {
    let Some(r) = r else {
        return Ok(describe(0, std::iter::empty()));
    };
    if let Some(i31) = r.as_i31(&store)? {
        return Ok(describe(1, [u64::from(i31.get_u32())].into_iter()));
    }
    if let Some(object) = r.as_struct(&store)? {
        let ty = object.ty(&store)?;
        let values: Vec<Val> = object.fields(&mut store)?.collect();
        let types: Vec<StorageType> = ty.fields().map(|f| f.element_type().clone()).collect();
        assert_eq!(values.len(), types.len());
        let parts = values.iter().zip(&types).map(|(v, ty)| part(v, ty));
        return Ok(describe(3, parts));
    }
    if let Some(object) = r.as_array(&store)? {
        let ty = object.ty(&store)?.element_type();
        let values: Vec<Val> = object.elems(&mut store)?.collect();
        assert_eq!(values.len() as u32, object.len(&store)?);
        return Ok(describe(4, values.iter().map(|v| part(v, &ty))));
    }
    let foreign = ExternRef::convert_any(&mut store, r)?;
    let data = foreign.data(store.as_context())?.expect("the host made it");
    let number: u64 = *data.downcast_ref().expect("a number");
    Ok(describe(2, [number].into_iter()))
}

fn part(value: &Val, ty: &StorageType) -> u64 {
    match (value, ty) {
        (Val::I32(x), StorageType::I8) => u64::from(*x as u8),
        (Val::I32(x), StorageType::I16) => u64::from(*x as u16),
        (Val::I32(x), _) => u64::from(*x as u32),
        (Val::I64(x), _) => *x as u64,
        (Val::F32(bits), _) => u64::from(*bits),
        (Val::F64(bits), _) => *bits,
        (Val::V128(bits), _) => bits.as_u128() as u64 ^ (bits.as_u128() >> 64) as u64,
        (reference, _) => u64::from(reference.ref_().is_none_or(|r| r.is_null())),
    }
}

/// What the model's `write` does.
fn write(mut store: impl AsContextMut, r: Rooted<AnyRef>, x: u64) -> meantime::Result<()> {
    if let Some(object) = r.as_struct(&store)? {
        let first = object.ty(&store)?.fields().next();
        let first = first.expect("there is a field").element_type().clone();
        if let Some(value) = written(&first, x) {
            object.set_field(&mut store, 0, value)?;
        }
    } else if let Some(object) = r.as_array(&store)? {
        let ty = object.ty(&store)?.element_type();
        if let (Some(value), 1..) = (written(&ty, x), object.len(&store)?) {
            object.set(&mut store, 0, value)?;
        }
    }
    Ok(())
}

fn written(ty: &StorageType, x: u64) -> Option<Val> {
    use meantime::ValType;
    Some(match ty {
        StorageType::I8 | StorageType::I16 | StorageType::ValType(ValType::I32) => {
            Val::I32(x as i32)
        }
        StorageType::ValType(ValType::I64) => Val::I64(x as i64),
        StorageType::ValType(ValType::F32) => Val::F32(x as u32),
        StorageType::ValType(ValType::F64) => Val::F64(x),
        StorageType::ValType(ValType::V128) => Val::V128(u128::from(x).into()),
        StorageType::ValType(ValType::Ref(_)) => return None,
    })
}

/// A description of the model's is a sum that order matters in.
#[cfg(test)]
mod tests {
    use super::super::model::mix;
    use super::*;

    #[test]
    fn order_matters() {
        assert_ne!(
            describe(3, [1, 2].into_iter()),
            describe(3, [2, 1].into_iter())
        );
        assert_ne!(describe(3, [0].into_iter()), describe(4, [0].into_iter()));
        assert_ne!(mix(1, 2), mix(2, 1));
    }
}
