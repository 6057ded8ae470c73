//! Exceptions between guests and the host: thrown, caught, rethrown and left uncaught.
//!
//! Not what instructions do (the specification's scripts do that). The one idea: wherever frames of guests and of the host
//! alternate, an exception goes through all of them as long as host functions pass its error on.

use meantime::*;

struct Fixture {
    store: Store<u32>,
    tag: Tag,
}

fn fixture() -> Fixture {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 0);
    let ty = FuncType::new(&engine, [ValType::I32], []);
    let tag = Tag::new(&mut store, &TagType::new(ty)).unwrap();
    Fixture { store, tag }
}

fn exception(mut store: impl AsContextMut, tag: &Tag, value: i32) -> Result<Rooted<ExnRef>> {
    let ty = ExnType::from_tag_type(&tag.ty(&store))?;
    let pre = ExnRefPre::new(&mut store, ty);
    ExnRef::new(&mut store, &pre, tag, &[Val::I32(value)])
}

impl Fixture {
    fn instance(&mut self, text: &str, imports: &[Extern]) -> Instance {
        let module = Module::new(self.store.engine(), text).unwrap();
        Instance::new(&mut self.store, &module, imports).unwrap()
    }

    fn call(&mut self, instance: Instance, name: &str, param: i32) -> Result<i32> {
        let func = instance.get_typed_func::<i32, i32>(&mut self.store, name)?;
        func.call(&mut self.store, param)
    }

    /// A host function that throws an exception with its parameter.
    fn thrower(&mut self) -> Func {
        let tag = self.tag;
        Func::wrap(
            &mut self.store,
            move |mut caller: Caller<'_, u32>, value: i32| -> Result<()> {
                let exception = exception(&mut caller, &tag, value)?;
                caller.as_context_mut().throw(exception)
            },
        )
    }
}

const CATCHER: &str = r#"(module
    (import "" "tag" (tag $tag (param i32)))
    (import "" "inner" (func $inner (param i32)))
    (func (export "run") (param i32) (result i32)
        (block $caught (result i32)
            (try_table (catch $tag $caught) (call $inner (local.get 0)))
            (i32.const -1))))"#;

const THROWER: &str = r#"(module
    (import "" "tag" (tag $tag (param i32)))
    (func $deep (param i32)
        (if (i32.eqz (local.get 0)) (then (throw $tag (i32.const 99))))
        (throw $tag (local.get 0)))
    (func (export "throw") (param i32) (call $deep (local.get 0)))
    (func (export "run") (param i32) (result i32) (call $deep (local.get 0)) (i32.const 0)))"#;

#[test]
fn guests_catch_what_the_host_throws() {
    let mut f = fixture();
    let thrower = f.thrower();
    let imports = [f.tag.into(), thrower.into()];
    let catcher = f.instance(CATCHER, &imports);
    for n in 0..100 {
        assert_eq!(f.call(catcher, "run", n).unwrap(), n);
        f.store.gc(None).unwrap();
    }
    assert!(!f.store.has_pending_exception());
}

#[test]
fn guests_catch_what_other_guests_throw() {
    let mut f = fixture();
    let tag = f.tag.into();
    let thrower = f.instance(THROWER, &[tag]);
    let throw = thrower.get_func(&mut f.store, "throw").unwrap();
    let imports = [f.tag.into(), throw.into()];
    let catcher = f.instance(CATCHER, &imports);
    assert_eq!(f.call(catcher, "run", 5).unwrap(), 5);
    assert_eq!(f.call(catcher, "run", 0).unwrap(), 99);
}

#[test]
fn uncaught_exceptions_wait_in_the_store() {
    let mut f = fixture();
    let tag = f.tag;
    let thrower = f.instance(THROWER, &[tag.into()]);
    let error = f.call(thrower, "run", 7).unwrap_err();
    assert!(error.is::<ThrownException>() && !error.is::<Trap>());
    let backtrace = error.downcast_ref::<WasmBacktrace>().unwrap();
    assert_eq!(backtrace.frames()[0].func_name(), Some("deep"));
    assert_eq!(backtrace.frames().len(), 2);
    assert!(f.store.has_pending_exception());
    f.store.gc(None).unwrap();

    let exception = f.store.take_pending_exception().unwrap();
    assert!(!f.store.has_pending_exception());
    assert!(f.store.take_pending_exception().is_none());
    let caught = exception.tag(&mut f.store).unwrap();
    assert!(Tag::eq(&caught, &tag, &f.store));
    assert_eq!(exception.field(&mut f.store, 0).unwrap().unwrap_i32(), 7);
    assert!(exception.field(&mut f.store, 1).is_err());
    let fields: Vec<Val> = exception.fields(&mut f.store).unwrap().collect();
    assert_eq!(fields.len(), 1);
    let ty = exception.ty(&f.store).unwrap();
    assert!(exception.matches_ty(&f.store, &HeapType::from(ty)).unwrap());
    assert!(exception.matches_ty(&f.store, &HeapType::Exn).unwrap());
    assert!(!exception.matches_ty(&f.store, &HeapType::Any).unwrap());
}

#[test]
fn exceptions_pass_through_host_frames() {
    let mut f = fixture();
    let tag = f.tag;
    let thrower = f.instance(THROWER, &[tag.into()]);
    let throw = thrower
        .get_typed_func::<i32, ()>(&mut f.store, "throw")
        .unwrap();
    // Guest, host, guest, host, guest.
    let relay = |f: &mut Fixture, inner: TypedFunc<i32, ()>| {
        Func::wrap(
            &mut f.store,
            move |mut caller: Caller<'_, u32>, value: i32| -> Result<()> {
                *caller.data_mut() += 1;
                inner.call(&mut caller, value)
            },
        )
    };
    let first = relay(&mut f, throw);
    let through = r#"(module (import "" "f" (func $f (param i32)))
        (func (export "f") (param i32) (call $f (local.get 0))))"#;
    let middle = f.instance(through, &[first.into()]);
    let middle = middle.get_typed_func::<i32, ()>(&mut f.store, "f").unwrap();
    let second = relay(&mut f, middle.clone());
    let catcher = f.instance(CATCHER, &[tag.into(), second.into()]);
    assert_eq!(f.call(catcher, "run", 31).unwrap(), 31);
    assert_eq!(*f.store.data(), 2);

    // With context on the way it is still the exception.
    let plain = middle;
    let context = Func::wrap(
        &mut f.store,
        move |mut caller: Caller<'_, u32>, value: i32| -> Result<()> {
            plain
                .call(&mut caller, value)
                .map_err(|e| e.context("on the way"))
        },
    );
    let catcher = f.instance(CATCHER, &[tag.into(), context.into()]);
    assert_eq!(f.call(catcher, "run", 32).unwrap(), 32);
}

#[test]
fn the_host_can_catch_and_throw_another() {
    let mut f = fixture();
    let tag = f.tag;
    let thrower = f.instance(THROWER, &[tag.into()]);
    let throw = thrower
        .get_typed_func::<i32, ()>(&mut f.store, "throw")
        .unwrap();
    let doubling = Func::wrap(
        &mut f.store,
        move |mut caller: Caller<'_, u32>, value: i32| -> Result<()> {
            let error = throw.call(&mut caller, value).unwrap_err();
            assert!(error.is::<ThrownException>());
            let mut store = caller.as_context_mut();
            let caught = store.take_pending_exception().unwrap();
            let value = caught.field(&mut store, 0)?.unwrap_i32();
            let another = exception(&mut store, &tag, 2 * value)?;
            store.throw(another)
        },
    );
    let catcher = f.instance(CATCHER, &[tag.into(), doubling.into()]);
    assert_eq!(f.call(catcher, "run", 21).unwrap(), 42);
}

#[test]
fn errors_and_traps_are_no_exceptions() {
    let mut f = fixture();
    let tag = f.tag;
    let catch_all = r#"(module
        (import "" "f" (func $f))
        (func (export "run") (param i32) (result i32)
            (block $caught
                (try_table (catch_all $caught) (call $f))
                (return (i32.const 0)))
            (i32.const 1)))"#;
    let fails = Func::wrap(&mut f.store, || -> Result<()> { Err(format_err!("no")) });
    let instance = f.instance(catch_all, &[fails.into()]);
    assert_eq!(
        f.call(instance, "run", 0)
            .unwrap_err()
            .root_cause()
            .to_string(),
        "no"
    );
    // The error of an exception without an exception is an error as any other.
    let empty = Func::wrap(&mut f.store, || -> Result<()> {
        Err(ThrownException.into())
    });
    let instance = f.instance(catch_all, &[empty.into()]);
    assert!(
        f.call(instance, "run", 0)
            .unwrap_err()
            .is::<ThrownException>()
    );
    let traps = f.instance("(module (func (export \"f\") unreachable))", &[]);
    let traps = traps.get_func(&mut f.store, "f").unwrap();
    let instance = f.instance(catch_all, &[traps.into()]);
    assert!(f.call(instance, "run", 0).unwrap_err().is::<Trap>());
    // While what is an exception is caught.
    let thrower = Func::wrap(
        &mut f.store,
        move |mut caller: Caller<'_, u32>| -> Result<()> {
            let exception = exception(&mut caller, &tag, 1)?;
            caller.as_context_mut().throw(exception)
        },
    );
    let instance = f.instance(catch_all, &[thrower.into()]);
    assert_eq!(f.call(instance, "run", 0).unwrap(), 1);
}

#[test]
fn tags_tell_exceptions_apart() {
    let mut f = fixture();
    let thrower = f.thrower();
    // Another tag of the same type.
    let ty = f.tag.ty(&f.store);
    let other = Tag::new(&mut f.store, &ty).unwrap();
    assert!(!Tag::eq(&other, &f.tag, &f.store));
    let catcher = f.instance(CATCHER, &[other.into(), thrower.into()]);
    let error = f.call(catcher, "run", 3).unwrap_err();
    assert!(error.is::<ThrownException>());
    let exception = f.store.take_pending_exception().unwrap();
    let tag = exception.tag(&mut f.store).unwrap();
    assert!(Tag::eq(&tag, &f.tag, &f.store));
}

#[test]
fn a_host_function_that_is_called_by_the_host_throws() {
    let mut f = fixture();
    let thrower = f.thrower();
    let error = thrower
        .typed::<i32, ()>(&f.store)
        .unwrap()
        .call(&mut f.store, 8)
        .unwrap_err();
    assert!(error.is::<ThrownException>());
    let exception = f.store.take_pending_exception().unwrap();
    assert_eq!(exception.field(&mut f.store, 0).unwrap().unwrap_i32(), 8);
}

#[test]
fn exception_references_pass_through_the_host() {
    let mut f = fixture();
    let thrower = f.thrower();
    let text = r#"(module
        (import "" "tag" (tag $tag (param i32)))
        (import "" "throw" (func $throw (param i32)))
        (func (export "catch") (param i32) (result exnref)
            (block $caught (result exnref)
                (try_table (catch_all_ref $caught) (call $throw (local.get 0)))
                (ref.null exn)))
        (func (export "rethrow") (param exnref) (throw_ref (local.get 0))))"#;
    let imports = [f.tag.into(), thrower.into()];
    let instance = f.instance(text, &imports);
    let catch = instance
        .get_typed_func::<i32, Option<Rooted<ExnRef>>>(&mut f.store, "catch")
        .unwrap();
    let rethrow = instance
        .get_typed_func::<Option<Rooted<ExnRef>>, ()>(&mut f.store, "rethrow")
        .unwrap();
    let caught = catch.call(&mut f.store, 6).unwrap().unwrap();
    assert_eq!(caught.field(&mut f.store, 0).unwrap().unwrap_i32(), 6);
    let held = caught.to_owned_rooted(&mut f.store).unwrap();
    f.store.gc(None).unwrap();
    let error = rethrow.call(&mut f.store, Some(caught)).unwrap_err();
    assert!(error.is::<ThrownException>());
    let again = f.store.take_pending_exception().unwrap();
    assert!(Rooted::ref_eq(&f.store, &again, &held).unwrap());
    let error = rethrow.call(&mut f.store, None).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::NullReference));

    // By value, too.
    let mut results = [Val::I32(0)];
    let catch = instance.get_func(&mut f.store, "catch").unwrap();
    catch
        .call(&mut f.store, &[Val::I32(9)], &mut results)
        .unwrap();
    let exn = results[0].unwrap_exnref().unwrap();
    assert_eq!(exn.field(&mut f.store, 0).unwrap().unwrap_i32(), 9);
    assert!(results[0].matches_ty(&f.store, &ValType::EXNREF).unwrap());
}

#[test]
fn exceptions_that_do_not_fit_their_tag_are_errors() {
    let mut f = fixture();
    let tag = f.tag;
    let engine = f.store.engine().clone();
    let pre = ExnRefPre::new(&mut f.store, ExnType::new(&engine, [ValType::I64]).unwrap());
    assert!(ExnRef::new(&mut f.store, &pre, &tag, &[Val::I64(1)]).is_err());
    let pre = ExnRefPre::new(&mut f.store, ExnType::new(&engine, [ValType::I32]).unwrap());
    assert!(ExnRef::new(&mut f.store, &pre, &tag, &[]).is_err());
    assert!(ExnRef::new(&mut f.store, &pre, &tag, &[Val::I64(1)]).is_err());
    assert!(ExnRef::new(&mut f.store, &pre, &tag, &[Val::I32(1)]).is_ok());
    let results = FuncType::new(&engine, [], [ValType::I32]);
    assert!(ExnType::from_tag_type(&TagType::new(results)).is_err());
}

/// More values than there are registers that calls preserve, in the function that catches and in those between it and the one that throws.
const BUSY: &str = r#"(module
    (import "" "tag" (tag $tag (param i32)))
    (import "" "inner" (func $inner (param i32)))
    (func $busy (param $n i32) (result i64)
        (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $e i64) (local $f i64)
        (if (i32.eqz (local.get $n)) (then (call $inner (i32.const 5)) (return (i64.const 0))))
        (local.set $a (i64.mul (i64.extend_i32_u (local.get $n)) (i64.const 3)))
        (local.set $b (i64.mul (local.get $a) (i64.const 5)))
        (local.set $c (i64.mul (local.get $b) (i64.const 7)))
        (local.set $d (i64.mul (local.get $c) (i64.const 11)))
        (local.set $e (i64.mul (local.get $d) (i64.const 13)))
        (local.set $f (call $busy (i32.sub (local.get $n) (i32.const 1))))
        (i64.add (local.get $f) (i64.add (local.get $a) (i64.add (local.get $b)
            (i64.add (local.get $c) (i64.add (local.get $d) (local.get $e)))))))
    (func (export "run") (param $n i32) (param $rounds i32) (result i64)
        (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $e i64) (local $x f64) (local $caught i64)
        (local $code i32)
        (loop $more
            (local.set $a (i64.add (local.get $a) (i64.extend_i32_u (local.get $n))))
            (local.set $b (i64.add (local.get $b) (local.get $a)))
            (local.set $c (i64.add (local.get $c) (local.get $b)))
            (local.set $d (i64.add (local.get $d) (local.get $c)))
            (local.set $e (i64.add (local.get $e) (local.get $d)))
            (local.set $x (f64.add (local.get $x) (f64.const 0.5)))
            (block $next
                (block $handler (result i32)
                    (try_table (catch $tag $handler) (drop (call $busy (local.get $n))))
                    (br $next))
                (local.set $code)
                (local.set $caught (i64.add (local.get $caught) (i64.extend_i32_u (local.get $code)))))
            (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
            (br_if $more (local.get $rounds)))
        (i64.add (local.get $caught) (i64.add (i64.trunc_f64_s (local.get $x))
            (i64.add (local.get $a) (i64.add (local.get $b) (i64.add (local.get $c)
                (i64.add (local.get $d) (local.get $e)))))))))"#;

#[test]
fn values_are_at_a_handler_what_they_were_at_the_call() {
    let expected = |n: i64, rounds: i64| {
        let mut sums = [0i64; 5];
        for _ in 0..rounds {
            let mut last = n;
            for sum in &mut sums {
                *sum = sum.wrapping_add(last);
                last = *sum;
            }
        }
        let start = 5 * rounds + rounds / 2;
        sums.iter().fold(start, |all, sum| all.wrapping_add(*sum))
    };
    for strategy in [Strategy::Auto, Strategy::Cranelift, Strategy::Winch] {
        let engine = Engine::new(Config::new().strategy(strategy)).unwrap();
        let mut store = Store::new(&engine, 0);
        let ty = FuncType::new(&engine, [ValType::I32], []);
        let tag = Tag::new(&mut store, &TagType::new(ty)).unwrap();
        let mut f = Fixture { store, tag };
        let host = f.thrower();
        let guest = f.instance(THROWER, &[f.tag.into()]);
        let guest = guest.get_func(&mut f.store, "throw").unwrap();
        for thrower in [host, guest] {
            let instance = f.instance(BUSY, &[f.tag.into(), thrower.into()]);
            let run = instance
                .get_typed_func::<(i32, i32), i64>(&mut f.store, "run")
                .unwrap();
            for (n, rounds) in [(0, 2), (1, 4), (6, 20), (3, 20_000)] {
                let result = run.call(&mut f.store, (n, rounds)).unwrap();
                assert_eq!(result, expected(n.into(), rounds.into()), "{strategy:?}");
            }
        }
    }
}
