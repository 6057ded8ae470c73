//! Objects that pass between guests and the host, while the collector moves them.
//!
//! Not what the host does by itself (`gc.rs`). The one idea: every test runs with a collector that moves objects at every
//! allocation, too, so that a reference that is not a root somewhere is found out; and with either compiler first.

use meantime::*;
use std::num::NonZeroU32;
use std::sync::Arc;

fn engines() -> [Engine; 4] {
    let engine = |strategy, zeal: bool| {
        let mut config = Config::new();
        config.strategy(strategy);
        if zeal {
            config.gc_zeal_alloc_counter(NonZeroU32::new(1)).unwrap();
        }
        Engine::new(&config).unwrap()
    };
    [
        engine(Strategy::Auto, false),
        engine(Strategy::Auto, true),
        engine(Strategy::Cranelift, false),
        engine(Strategy::Cranelift, true),
    ]
}

fn instance(store: &mut Store<()>, text: &str, imports: &[Extern]) -> Instance {
    let module = Module::new(store.engine(), text).unwrap();
    Instance::new(store, &module, imports).unwrap()
}

const LIST: &str = r#"(module
    (type $list (struct (field $head i32) (field $tail (ref null $list))))
    (func (export "cons") (param i32 (ref null $list)) (result (ref $list))
        (struct.new $list (local.get 0) (local.get 1)))
    (func (export "sum") (param $l (ref null $list)) (result i32)
        (local $sum i32)
        (block $end
            (loop $next
                (br_if $end (ref.is_null (local.get $l)))
                (local.set $sum (i32.add (local.get $sum) (struct.get $list $head (local.get $l))))
                (local.set $l (struct.get $list $tail (local.get $l)))
                (br $next)))
        (local.get $sum))
    (func (export "any") (param anyref) (result i32)
        (ref.test (ref $list) (local.get 0))))"#;

#[test]
fn typed_functions_take_and_give_objects() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let list = instance(&mut store, LIST, &[]);
        let cons = list
            .get_typed_func::<(i32, Option<Rooted<StructRef>>), Rooted<StructRef>>(
                &mut store, "cons",
            )
            .unwrap();
        let sum = list
            .get_typed_func::<Option<Rooted<StructRef>>, i32>(&mut store, "sum")
            .unwrap();
        let any = list
            .get_typed_func::<Option<Rooted<AnyRef>>, i32>(&mut store, "any")
            .unwrap();
        let mut head = None;
        for n in 1..=50 {
            head = Some(cons.call(&mut store, (n, head)).unwrap());
        }
        assert_eq!(sum.call(&mut store, head).unwrap(), 1275);
        let head = head.unwrap();
        assert_eq!(head.field(&mut store, 0).unwrap().unwrap_i32(), 50);
        assert_eq!(any.call(&mut store, Some(head.to_anyref())).unwrap(), 1);
        let i31 = AnyRef::from_i31(&mut store, I31::wrapping_u32(3));
        assert_eq!(any.call(&mut store, Some(i31)).unwrap(), 0);

        // What has another type is refused, root by root, however it is held.
        let other = StructType::new(&engine, []).unwrap();
        let pre = StructRefPre::new(&mut store, other);
        let other = StructRef::new(&mut store, &pre, &[]).unwrap();
        let error = sum.call(&mut store, Some(other)).unwrap_err();
        assert!(error.to_string().contains("type mismatch"), "{error:?}");
        let owned = list
            .get_typed_func::<Option<OwnedRooted<StructRef>>, i32>(&mut store, "sum")
            .unwrap();
        let other = other.to_owned_rooted(&mut store).unwrap();
        assert!(owned.call(&mut store, Some(other)).is_err());
        let head = head.to_owned_rooted(&mut store).unwrap();
        assert_eq!(owned.call(&mut store, Some(head)).unwrap(), 1275);
        let sum = list.get_func(&mut store, "sum").unwrap();
        let error = sum.call(&mut store, &[i31.into()], &mut [Val::I32(0)]);
        assert!(error.is_err());
    }
}

#[test]
fn host_functions_take_and_give_objects() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let bytes = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I8));
        let ty = bytes.clone();
        let reverse = Func::wrap(
            &mut store,
            move |mut caller: Caller<'_, ()>,
                  array: Rooted<ArrayRef>|
                  -> Result<Rooted<ArrayRef>> {
                let mut bytes = vec![0; array.len(&caller)? as usize];
                array.copy_to_i8_slice(&mut caller, &mut bytes)?;
                caller.gc(None)?;
                bytes.reverse();
                let pre = ArrayRefPre::new(&mut caller, ty.clone());
                let reversed = ArrayRef::new_from_i8_slice(&mut caller, &pre, &bytes)?;
                // The parameter is still rooted.
                assert_eq!(array.len(&caller)?, reversed.len(&caller)?);
                Ok(reversed)
            },
        );
        let guest = instance(
            &mut store,
            r#"(module
                (type $bytes (array (mut i8)))
                (import "" "reverse" (func $reverse (param (ref array)) (result (ref array))))
                (func (export "run") (param $n i32) (result (ref $bytes))
                    (local $a (ref $bytes)) (local $i i32)
                    (local.set $a (array.new $bytes (i32.const 0) (local.get $n)))
                    (loop $next
                        (array.set $bytes (local.get $a) (local.get $i) (local.get $i))
                        (local.set $i (i32.add (local.get $i) (i32.const 1)))
                        (br_if $next (i32.lt_u (local.get $i) (local.get $n))))
                    (drop (call $reverse (local.get $a)))
                    (ref.cast (ref $bytes) (call $reverse (local.get $a)))))"#,
            &[reverse.into()],
        );
        let run = guest
            .get_typed_func::<i32, Rooted<ArrayRef>>(&mut store, "run")
            .unwrap();
        let result = run.call(&mut store, 100).unwrap();
        assert!(result.matches_ty(&store, &bytes).unwrap());
        let mut read = [0; 100];
        result.copy_to_i8_slice(&mut store, &mut read).unwrap();
        assert!(read.iter().rev().copied().eq(0..100));
    }
}

#[test]
fn globals_and_tables_hold_objects() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let guest = instance(
            &mut store,
            r#"(module
                (type $box (struct (field i32)))
                (type $ints (array i32))
                (global (export "g") (mut anyref) (struct.new $box (i32.const 1)))
                (global $a (ref $ints) (array.new_fixed $ints 3 (i32.const 4) (i32.const 5) (i32.const 6)))
                (global (export "e") externref (extern.convert_any (ref.i31 (i32.const 7))))
                (table (export "t") 3 anyref (array.new $ints (i32.const 9) (i32.const 2)))
                (table $s 2 (ref null $box))
                (elem (table $s) (i32.const 0) (ref null $box)
                    (item (struct.new $box (i32.const 30))) (item (struct.new_default $box)))
                (elem $passive (ref null $box) (item (struct.new $box (i32.const 40))))
                (func (export "a") (param i32) (result i32) (array.get $ints (global.get $a) (local.get 0)))
                (func (export "s") (param i32) (result i32) (struct.get $box 0 (table.get $s (local.get 0))))
                (func (export "init") (table.init $s $passive (i32.const 1) (i32.const 0) (i32.const 1))))"#,
            &[],
        );
        let call = |store: &mut Store<()>, name: &str, n: i32| {
            let func = guest.get_typed_func::<i32, i32>(&mut *store, name).unwrap();
            func.call(store, n).unwrap()
        };
        store.gc(None).unwrap();
        assert_eq!(call(&mut store, "a", 2), 6);
        assert_eq!(
            (call(&mut store, "s", 0), call(&mut store, "s", 1)),
            (30, 0)
        );
        let init = guest.get_typed_func::<(), ()>(&mut store, "init").unwrap();
        init.call(&mut store, ()).unwrap();
        assert_eq!(call(&mut store, "s", 1), 40);

        let g = guest.get_global(&mut store, "g").unwrap();
        let value = g.get(&mut store);
        let value = *value.unwrap_any_ref().unwrap();
        let structure = value.unwrap_struct(&store).unwrap();
        assert_eq!(structure.field(&mut store, 0).unwrap().unwrap_i32(), 1);
        let e = guest.get_global(&mut store, "e").unwrap().get(&mut store);
        let e = *e.unwrap_extern_ref().unwrap();
        let e = AnyRef::convert_extern(&mut store, e).unwrap();
        assert_eq!(e.unwrap_i31(&store).unwrap().get_u32(), 7);

        let t = guest.get_table(&mut store, "t").unwrap();
        let array = t.get(&mut store, 2).unwrap();
        let array = array.unwrap_any().unwrap().unwrap_array(&store).unwrap();
        assert_eq!(array.get(&mut store, 1).unwrap().unwrap_i32(), 9);
        t.set(&mut store, 0, structure.into()).unwrap();
        t.grow(&mut store, 2, array.into()).unwrap();
        g.set(&mut store, array.into()).unwrap();
        store.gc(None).unwrap();
        let first = t.get(&mut store, 0).unwrap();
        let first = first.unwrap_any().unwrap();
        assert!(Rooted::ref_eq(&store, first, &structure.to_anyref()).unwrap());
        let last = t.get(&mut store, 4).unwrap();
        let last = last.unwrap_any().unwrap().unwrap_array(&store).unwrap();
        assert_eq!(last.len(&store).unwrap(), 2);
    }
}

#[test]
fn a_guest_without_types_can_look_at_what_it_is_given() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let make = Func::wrap(
            &mut store,
            |mut caller: Caller<'_, ()>| -> Result<Option<Rooted<AnyRef>>> {
                let ty = StructType::new(caller.engine(), [])?;
                let pre = StructRefPre::new(&mut caller, ty);
                Ok(Some(StructRef::new(&mut caller, &pre, &[])?.to_anyref()))
            },
        );
        // The heap is only made while the guest runs.
        let guest = instance(
            &mut store,
            r#"(module (import "" "make" (func $make (result anyref)))
                (func (export "run") (result i32)
                    (i32.add
                        (ref.test (ref struct) (call $make))
                        (ref.test (ref array) (call $make)))))"#,
            &[make.into()],
        );
        let run = guest.get_typed_func::<(), i32>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), 1);
    }
}

#[test]
fn an_exhausted_heap_stops_the_guest() {
    let engine = Engine::default();
    let limits = StoreLimitsBuilder::new().memory_size(4 << 20).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let module = Module::new(
        &engine,
        r#"(module
            (type $list (struct (field (ref null $list)) (field i64)))
            (global $keep (mut (ref null $list)) (ref.null $list))
            (func (export "garbage")
                (local $i i32)
                (loop $next
                    (drop (struct.new_default $list))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $i) (i32.const 1000000)))))
            (func (export "fill")
                (loop $next
                    (global.set $keep (struct.new $list (global.get $keep) (i64.const 1)))
                    (br $next)))
            (func (export "drop") (global.set $keep (ref.null $list))))"#,
    )
    .unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let call = |store: &mut Store<StoreLimits>, name: &str| {
        let func = instance
            .get_typed_func::<(), ()>(&mut *store, name)
            .unwrap();
        func.call(store, ())
    };
    call(&mut store, "garbage").unwrap();
    let error = call(&mut store, "fill").unwrap_err();
    assert!(error.is::<GcHeapOutOfMemory<()>>(), "{error:?}");
    assert!(error.is::<WasmBacktrace>());
    assert!(store.gc_heap_capacity() <= 4 << 20);
    // With room again, the guest goes on.
    call(&mut store, "drop").unwrap();
    store.gc(None).unwrap();
    call(&mut store, "garbage").unwrap();
}

#[test]
fn objects_die_with_what_holds_them() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let guest = instance(
            &mut store,
            r#"(module
                (type $cycle (struct (field (mut (ref null $cycle))) (field externref)))
                (global $keep (mut (ref null $cycle)) (ref.null $cycle))
                (func (export "keep") (param externref)
                    (local $c (ref $cycle))
                    (local.set $c (struct.new $cycle (ref.null $cycle) (local.get 0)))
                    (struct.set $cycle 0 (local.get $c) (local.get $c))
                    (global.set $keep (local.get $c)))
                (func (export "get") (result externref) (struct.get $cycle 1 (global.get $keep)))
                (func (export "drop") (global.set $keep (ref.null $cycle))))"#,
            &[],
        );
        let witness = Arc::new(());
        {
            let mut scope = RootScope::new(&mut store);
            let host = ExternRef::new(&mut scope, witness.clone()).unwrap();
            let keep = guest
                .get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut scope, "keep")
                .unwrap();
            keep.call(&mut scope, Some(host)).unwrap();
        }
        store.gc(None).unwrap();
        assert_eq!(Arc::strong_count(&witness), 2);
        {
            let mut scope = RootScope::new(&mut store);
            let get = guest
                .get_typed_func::<(), Option<Rooted<ExternRef>>>(&mut scope, "get")
                .unwrap();
            let host = get.call(&mut scope, ()).unwrap().unwrap();
            let data = host.data(&scope).unwrap().unwrap();
            assert!(data.is::<Arc<()>>());
        }
        let drop = guest.get_typed_func::<(), ()>(&mut store, "drop").unwrap();
        drop.call(&mut store, ()).unwrap();
        store.gc(None).unwrap();
        assert_eq!(Arc::strong_count(&witness), 1);
    }
}

#[test]
fn functions_in_objects_are_called_by_their_type() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let guest = instance(
            &mut store,
            r#"(module
                (type $f (func (param i32) (result i32)))
                (type $object (struct (field (mut (ref null $f))) (field funcref)))
                (func (export "call") (param (ref $object) i32) (result i32)
                    (call_ref $f (local.get 1) (struct.get $object 0 (local.get 0)))))"#,
            &[],
        );
        let f = FuncType::new(&engine, [ValType::I32], [ValType::I32]);
        let concrete = RefType::new(true, HeapType::ConcreteFunc(f));
        let fields = [
            FieldType::new(Mutability::Var, ValType::from(concrete).into()),
            FieldType::new(Mutability::Const, ValType::FUNCREF.into()),
        ];
        let ty = StructType::new(&engine, fields).unwrap();
        let pre = StructRefPre::new(&mut store, ty);
        let triple = Func::wrap(&mut store, |x: i32| 3 * x);
        let wrong = Func::wrap(&mut store, |x: i64| x);
        assert!(StructRef::new(&mut store, &pre, &[wrong.into(), wrong.into()]).is_err());
        let object = StructRef::new(&mut store, &pre, &[triple.into(), wrong.into()]).unwrap();
        let call = guest
            .get_typed_func::<(Rooted<StructRef>, i32), i32>(&mut store, "call")
            .unwrap();
        assert_eq!(call.call(&mut store, (object, 14)).unwrap(), 42);
        object
            .set_field(&mut store, 0, Val::null_func_ref())
            .unwrap();
        let error = call.call(&mut store, (object, 14)).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::NullReference));
    }
}

#[test]
fn globals_that_never_change_change_when_their_objects_move() {
    let text = r#"(module
        (type $box (struct (field i32)))
        (global $box (ref $box) (struct.new $box (i32.const 7)))
        (func (export "sum") (param $n i32) (result i32)
            (local $sum i32)
            (loop $more
                (drop (struct.new $box (i32.const 9)))
                (local.set $sum (i32.add (local.get $sum) (struct.get $box 0 (global.get $box))))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br_if $more (local.get $n)))
            (local.get $sum)))"#;
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let module = instance(&mut store, text, &[]);
        let sum = module
            .get_typed_func::<i32, i32>(&mut store, "sum")
            .unwrap();
        assert_eq!(sum.call(&mut store, 1000).unwrap(), 7000);
    }
}

const METHODS: &str = r#"(module
    (type $method (func (param i32) (result i32)))
    (type $vtable (struct (field $method (ref $method))))
    (import "" "offset" (global $offset i32))
    (global $calls (mut i32) (i32.const 0))
    (func $add (type $method) (i32.add (local.get 0) (global.get $offset)))
    (func $count (type $method)
        (local $i i32)
        (loop $again
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (local.get 0))))
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (i32.add (global.get $calls) (global.get $offset)))
    (elem declare func $add $count)
    (func (export "new") (param i32) (result (ref $vtable))
        (if (result (ref $vtable)) (local.get 0)
            (then (struct.new $vtable (ref.func $count)))
            (else (struct.new $vtable (ref.func $add)))))
    (func (export "of") (param (ref $method)) (result (ref $vtable))
        (struct.new $vtable (local.get 0)))
    (func (export "call") (param (ref $vtable) i32) (result i32)
        (call_ref $method (local.get 1) (struct.get $vtable $method (local.get 0))))
    (func (export "tail") (param (ref $vtable) i32) (result i32)
        (return_call_ref $method (local.get 1) (struct.get $vtable $method (local.get 0)))))"#;

#[test]
fn methods_are_told_by_their_numbers_whoever_made_the_object() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let instances = [100, 1000].map(|offset| {
            let ty = GlobalType::new(ValType::I32, Mutability::Const);
            let offset = Global::new(&mut store, ty, Val::I32(offset)).unwrap();
            instance(&mut store, METHODS, &[offset.into()])
        });
        let ty = FuncType::new(&engine, [ValType::I32], [ValType::I32]);
        let double = Func::new(&mut store, ty, |_, args, results| {
            results[0] = Val::I32(args[0].unwrap_i32() * 2);
            Ok(())
        });
        for maker in instances {
            let made = |store: &mut Store<()>, name: &str, arg: Val| {
                let make = maker.get_func(&mut *store, name).unwrap();
                let mut object = [Val::null_any_ref()];
                make.call(store, &[arg], &mut object).unwrap();
                object[0]
            };
            let add = made(&mut store, "new", Val::I32(0));
            let count = made(&mut store, "new", Val::I32(1));
            let host = made(&mut store, "of", Val::FuncRef(Some(double)));
            let offset = if maker == instances[0] { 100 } else { 1000 };
            let mut calls = 0;
            for caller in instances {
                for name in ["call", "tail"] {
                    let call = caller.get_func(&mut store, name).unwrap();
                    calls += 1;
                    for (object, result) in [(add, 7 + offset), (count, calls + offset), (host, 14)]
                    {
                        let mut results = [Val::I32(0)];
                        call.call(&mut store, &[object, Val::I32(7)], &mut results)
                            .unwrap();
                        assert_eq!(results[0].unwrap_i32(), result, "{name}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_loop_begins_with_what_a_global_holds_whoever_wrote_it() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let list = instance(
            &mut store,
            r#"(module
                (type $list (struct (field $tail (ref null $list)) (field $head i32)))
                (global $at (export "at") (mut (ref null $list)) (ref.null $list))
                (func (export "push") (param i32)
                    (global.set $at (struct.new $list (global.get $at) (local.get 0))))
                (func $step (export "step") (local $list (ref $list))
                    (block $end
                        (local.set $list (br_on_null $end (global.get $at)))
                        (drop (struct.new $list (ref.null $list) (i32.const 0)))
                        (global.set $at (struct.get $list $tail (local.get $list))))))"#,
            &[],
        );
        let step = list.get_typed_func::<(), ()>(&mut store, "step").unwrap();
        let calls = std::sync::atomic::AtomicU32::new(0);
        let host = Func::wrap(
            &mut store,
            move |mut caller: Caller<'_, ()>| -> Result<()> {
                match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3 {
                    2 => step.call(&mut caller, ()),
                    _ => Ok(()),
                }
            },
        );
        let at = list.get_global(&mut store, "at").unwrap();
        let walker = instance(
            &mut store,
            r#"(module
                (type $list (struct (field $tail (ref null $list)) (field $head i32)))
                (import "" "at" (global $at (mut (ref null $list))))
                (import "" "host" (func $host))
                (tag $again)
                (func (export "walk") (result i32)
                    (local $list (ref $list)) (local $sum i32) (local $turns i32)
                    (block $end
                        (loop $more
                            (local.set $list (br_on_null $end (global.get $at)))
                            (local.set $sum
                                (i32.add
                                    (i32.mul (local.get $sum) (i32.const 3))
                                    (struct.get $list $head (local.get $list))))
                            (loop $inner
                                (drop (br_on_null $more (global.get $at)))
                                (call $host)
                                (drop (br_on_null $more (global.get $at)))
                                (global.set $at (struct.get $list $tail (global.get $at)))
                                (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
                                (br_if $inner (i32.and (local.get $turns) (i32.const 1))))
                            (block $next
                                (br_table $more $next $more $next
                                    (i32.rem_u (local.get $turns) (i32.const 3))))
                            (try_table (catch $again $more) (throw $again))))
                    (local.get $sum)))"#,
            &[at.into(), host.into()],
        );
        let push = list.get_typed_func::<u32, ()>(&mut store, "push").unwrap();
        let walk = walker
            .get_typed_func::<(), u32>(&mut store, "walk")
            .unwrap();
        let mut calls = 0;
        for length in [0, 1, 2, 7, 50, 300] {
            for head in (0..length).rev() {
                push.call(&mut store, head).unwrap();
            }
            let (mut at, mut sum, mut turns) = (0, 0_u32, 0);
            'more: while at < length {
                sum = sum.wrapping_mul(3).wrapping_add(at);
                loop {
                    if at == length {
                        continue 'more;
                    }
                    at += u32::from(calls % 3 == 2);
                    calls += 1;
                    if at == length {
                        continue 'more;
                    }
                    at += 1;
                    turns += 1;
                    if turns % 2 == 0 {
                        break;
                    }
                }
            }
            assert_eq!(walk.call(&mut store, ()).unwrap(), sum, "{length}");
        }
    }
}
