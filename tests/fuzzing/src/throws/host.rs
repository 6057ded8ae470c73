//! Runs a program that throws and catches in Meantime, with the host functions that it imports.
//!
//! The one idea: the host takes an exception apart and puts one together with the API alone, and what it makes must be to guests as one of their own.

use super::model::{Call, End, mix, offset, value};
use super::program::{Kind, Program, TAGS};
use crate::options::{Options, interrupt};
use meantime::{
    AnyRef, AsContextMut, Caller, Error, ExnRef, ExnRefPre, ExnType, ExternRef, Func, FuncType,
    HeapType, I31, Instance, Linker, RefType, Result, RootScope, Rooted, Store, StoreContextMut,
    Tag, TagType, ThrownException, Trap, Val, ValType,
};

#[derive(Default)]
struct Host {
    reports: Vec<u64>,
    tags: Vec<Tag>,
    funcs: Vec<Func>,
}

/// An error of the host's own, which guests cannot catch.
#[derive(Debug)]
struct Own(u64);

impl std::fmt::Display for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the host's own error {}", self.0)
    }
}

impl std::error::Error for Own {}

/// Makes every call of the program.
///
/// # Panics
///
/// When the module is refused, or a call fails with an error that no program has.
pub fn run(program: &Program, text: &str, options: &Options, rounds: usize) -> Vec<Call> {
    let module = options.module_of_text(text);
    let engine = module.engine().clone();
    let mut store = Store::new(&engine, Host::default());
    interrupt(&mut store);
    let mut linker = Linker::new(&engine);
    define(&mut linker, &mut store).expect("each is defined once");
    let instance = linker.instantiate(&mut store, &module);
    let instance = instance.expect("nothing can fail");
    remember(&mut store, program, instance);
    let mut calls = Vec::new();
    for _ in 0..rounds {
        for &(function, x) in &program.calls {
            let end = call(&mut store, function, x);
            let reports = std::mem::take(&mut store.data_mut().reports);
            calls.push(Call { reports, end });
        }
    }
    calls
}

fn remember(store: &mut Store<Host>, program: &Program, instance: Instance) {
    for i in 0..TAGS.len() {
        let tag = instance.get_tag(&mut *store, &format!("t{i}"));
        store.data_mut().tags.push(tag.expect("it is exported"));
    }
    for i in 0..program.functions.len() {
        let func = instance.get_func(&mut *store, &format!("f{i}"));
        store.data_mut().funcs.push(func.expect("it is exported"));
    }
}

fn call(store: &mut Store<Host>, function: usize, x: u64) -> End {
    let mut scope = RootScope::new(store);
    match enter(scope.as_context_mut(), function, x) {
        Ok(x) => End::Returns(x),
        Err(e) if e.is::<ThrownException>() => {
            let exn = scope.as_context_mut().take_pending_exception();
            let exn = exn.expect("it is pending");
            let (tag, seen) = seen(&mut scope, exn, 0).expect("the exception is whole");
            End::Throws(tag, seen)
        }
        Err(e) => match (e.downcast_ref::<Trap>(), e.downcast_ref::<Own>()) {
            (Some(trap), _) => End::Traps(format!("{trap:?}")),
            (_, Some(Own(x))) => End::Fails(*x),
            _ => panic!("{e:?}"),
        },
    }
}

fn enter(mut store: StoreContextMut<'_, Host>, function: usize, x: u64) -> Result<u64> {
    let func = store.data().funcs[function];
    let mut results = [Val::I64(0), Val::ExnRef(None)];
    func.call(
        &mut store,
        &[Val::I64(x as i64), Val::ExnRef(None)],
        &mut results,
    )?;
    Ok(results[0].unwrap_i64() as u64)
}

fn define(linker: &mut Linker<Host>, store: &mut Store<Host>) -> Result<()> {
    for (i, kinds) in TAGS.iter().enumerate().filter(|(i, _)| i % 2 == 1) {
        let types = kinds.iter().map(|kind| ty(*kind));
        let ty = TagType::new(FuncType::new(store.engine(), types, []));
        let tag = Tag::new(&mut *store, &ty)?;
        linker.define(&mut *store, "host", &format!("t{i}"), tag)?;
    }
    linker.func_wrap("host", "observe", |mut caller: Caller<'_, Host>, x: i64| {
        caller.data_mut().reports.push(x as u64);
    })?;
    linker.func_wrap(
        "host",
        "collect",
        |mut caller: Caller<'_, Host>| -> Result<()> { caller.gc(None) },
    )?;
    linker.func_wrap(
        "host",
        "throw",
        |mut caller: Caller<'_, Host>, tag: i32, x: i64| -> Result<()> {
            let exn = exception(&mut caller, tag as usize, x as u64, None)?;
            caller.as_context_mut().throw(exn)
        },
    )?;
    linker.func_wrap(
        "host",
        "call",
        |mut caller: Caller<'_, Host>, to: i32, what: i32, x: i64| -> Result<i64> {
            let error = match enter(caller.as_context_mut(), to as usize, x as u64) {
                Ok(x) => return Ok(x as i64),
                Err(e) if what > 0 && e.is::<ThrownException>() => e,
                Err(other) => return Err(other),
            };
            react(caller, what, x as u64, error).map(|x| x as i64)
        },
    )?;
    Ok(())
}

/// What the host does with an exception, by number.
fn react(mut caller: Caller<'_, Host>, what: i32, x: u64, error: Error) -> Result<u64> {
    assert!(caller.as_context_mut().has_pending_exception());
    let exn = caller.as_context_mut().take_pending_exception();
    let exn = exn.expect("it is pending");
    drop(error);
    caller.gc(None)?;
    let (tag, sum) = seen(&mut caller, exn, x)?;
    match what {
        1 => Ok(seen(&mut caller, exn, tag as u64)?.1),
        2 => caller.as_context_mut().throw(exn),
        3 => {
            let next = (tag + 1) % TAGS.len();
            let next = exception(&mut caller, next, sum, Some(exn))?;
            caller.as_context_mut().throw(next)
        }
        _ => Err(Own(sum).into()),
    }
}

fn ty(kind: Kind) -> ValType {
    match kind {
        Kind::I32 => ValType::I32,
        Kind::I64 => ValType::I64,
        Kind::F32 => ValType::F32,
        Kind::F64 => ValType::F64,
        Kind::V128 => ValType::V128,
        Kind::Any => ValType::Ref(RefType::new(true, HeapType::Any)),
        Kind::Extern => ValType::Ref(RefType::new(true, HeapType::Extern)),
        Kind::Func => ValType::Ref(RefType::new(true, HeapType::Func)),
        Kind::Exn => ValType::Ref(RefType::new(true, HeapType::Exn)),
    }
}

/// As the guest makes one.
fn exception(
    caller: &mut Caller<'_, Host>,
    tag: usize,
    x: u64,
    inner: Option<Rooted<ExnRef>>,
) -> Result<Rooted<ExnRef>> {
    let kinds = TAGS[tag];
    let mut fields = Vec::new();
    for (i, kind) in kinds.iter().enumerate() {
        let number = x.wrapping_add(offset(i));
        let i31 = I31::wrapping_u32(number as u32);
        fields.push(match kind {
            Kind::I32 => Val::I32(number as i32),
            Kind::I64 => Val::I64(number as i64),
            Kind::F32 => Val::F32(number as u32),
            Kind::F64 => Val::F64(number),
            Kind::V128 => Val::V128((u128::from(number) << 64).into()),
            Kind::Any => Val::AnyRef(Some(AnyRef::from_i31(&mut *caller, i31))),
            Kind::Extern => {
                let any = AnyRef::from_i31(&mut *caller, i31);
                Val::ExternRef(Some(ExternRef::convert_any(&mut *caller, any)?))
            }
            Kind::Func => Val::FuncRef(match number & 1 {
                0 => Some(caller.data().funcs[0]),
                _ => None,
            }),
            Kind::Exn => Val::ExnRef(inner),
        });
    }
    let tag = caller.data().tags[tag];
    let ty = ExnType::from_tag_type(&tag.ty(&*caller))?;
    let allocator = ExnRefPre::new(&mut *caller, ty);
    ExnRef::new(&mut *caller, &allocator, &tag, &fields)
}

/// The tag's number, and `x` after what the exception carries went in.
fn seen(
    mut store: impl AsContextMut<Data = Host>,
    exn: Rooted<ExnRef>,
    x: u64,
) -> Result<(usize, u64)> {
    let tag = exn.tag(&mut store)?;
    let store_ref = store.as_context_mut();
    let tags = store_ref.data().tags.clone();
    let number = tags.iter().position(|t| Tag::eq(t, &tag, &store_ref));
    let number = number.expect("it is one of the program's");
    let fields: Vec<Val> = exn.fields(&mut store)?.collect();
    assert_eq!(fields.len(), TAGS[number].len());
    let mut x = x;
    for (kind, field) in TAGS[number].iter().zip(&fields).rev() {
        let number = match field {
            Val::I32(number) => *number as u32 as u64,
            Val::I64(number) => *number as u64,
            Val::F32(bits) => u64::from(*bits),
            Val::F64(bits) => *bits,
            Val::V128(bits) => (bits.as_u128() >> 64) as u64,
            Val::AnyRef(Some(any)) => u64::from(any.unwrap_i31(&store)?.get_u32()),
            Val::ExternRef(Some(foreign)) => {
                let any = AnyRef::convert_extern(&mut store, *foreign)?;
                u64::from(any.unwrap_i31(&store)?.get_u32())
            }
            reference => u64::from(reference.ref_().is_none_or(|r| r.is_null())),
        };
        // What it is made from reads the same again.
        let same = value(*kind, number).is_none_or(|again| again == number);
        assert!(same, "{kind:?} {number:#x}");
        x = mix(x, number);
    }
    Ok((number, x))
}
