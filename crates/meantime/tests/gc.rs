//! Structures and arrays through the embedding API: allocation, fields, types, roots, collections, limits.
//!
//! Not what instructions do (the specification's scripts do that). The one idea: whatever the host holds a root of stays what it is, however
//! often the collector moves it.

use meantime::*;
use std::num::NonZeroU32;

fn zealous() -> Engine {
    let mut config = Config::new();
    config.gc_zeal_alloc_counter(NonZeroU32::new(1)).unwrap();
    Engine::new(&config).unwrap()
}

fn engines() -> [Engine; 3] {
    let mut null = Config::new();
    null.collector(Collector::Null);
    [Engine::default(), Engine::new(&null).unwrap(), zealous()]
}

fn var(ty: impl Into<StorageType>) -> FieldType {
    FieldType::new(Mutability::Var, ty.into())
}

fn constant(ty: impl Into<StorageType>) -> FieldType {
    FieldType::new(Mutability::Const, ty.into())
}

/// A structure with a field of every kind.
fn everything(engine: &Engine) -> StructType {
    let fields = [
        var(StorageType::I8),
        var(StorageType::I16),
        var(ValType::I32),
        var(ValType::I64),
        var(ValType::F32),
        var(ValType::F64),
        var(ValType::V128),
        var(ValType::ANYREF),
        var(ValType::EXTERNREF),
        var(ValType::FUNCREF),
        constant(ValType::I31REF),
    ];
    StructType::new(engine, fields).unwrap()
}

#[test]
fn fields_hold_what_they_were_given() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let ty = everything(&engine);
        let pre = StructRefPre::new(&mut store, ty.clone());
        let func = Func::wrap(&mut store, |x: i32| x + 1);
        let host = ExternRef::new(&mut store, "host").unwrap();
        let i31 = AnyRef::from_i31(&mut store, I31::wrapping_i32(-5));
        let bits = 0x0123_4567_89ab_cdef_0011_2233_4455_6677;
        let values = [
            Val::I32(-1),
            Val::I32(0x12_3456),
            Val::I32(-2),
            Val::I64(i64::MIN),
            Val::F32(1.5f32.to_bits()),
            Val::F64(2.5f64.to_bits()),
            Val::V128(V128::from(bits)),
            i31.into(),
            host.into(),
            func.into(),
            i31.into(),
        ];
        let object = StructRef::new(&mut store, &pre, &values).unwrap();
        store.gc(None).unwrap();
        let read: Vec<Val> = object.fields(&mut store).unwrap().collect();
        assert_eq!(read.len(), 11);
        assert_eq!(read[0].unwrap_i32(), 0xff);
        assert_eq!(read[1].unwrap_i32(), 0x3456);
        assert_eq!(read[2].unwrap_i32(), -2);
        assert_eq!(read[3].unwrap_i64(), i64::MIN);
        assert_eq!(read[4].unwrap_f32(), 1.5);
        assert_eq!(read[5].unwrap_f64(), 2.5);
        assert_eq!(read[6].unwrap_v128().as_u128(), bits);
        let any = read[7].unwrap_any_ref().unwrap();
        assert_eq!(any.unwrap_i31(&store).unwrap().get_i32(), -5);
        let data = read[8].unwrap_extern_ref().unwrap().data(&store).unwrap();
        assert_eq!(data.unwrap().downcast_ref::<&str>(), Some(&"host"));
        let func = read[9].unwrap_func_ref().unwrap();
        let func = func.typed::<i32, i32>(&store).unwrap();
        assert_eq!(func.call(&mut store, 1).unwrap(), 2);
        assert!(StructType::eq(&object.ty(&store).unwrap(), &ty));

        object.set_field(&mut store, 7, object.into()).unwrap();
        object
            .set_field(&mut store, 9, Val::null_func_ref())
            .unwrap();
        object.set_field(&mut store, 0, Val::I32(0x17f)).unwrap();
        store.gc(None).unwrap();
        let myself = object.field(&mut store, 7).unwrap();
        let myself = *myself.unwrap_any_ref().unwrap();
        assert!(Rooted::ref_eq(&store, &myself, &object.to_anyref()).unwrap());
        assert!(
            object
                .field(&mut store, 9)
                .unwrap()
                .unwrap_func_ref()
                .is_none()
        );
        assert_eq!(object.field(&mut store, 0).unwrap().unwrap_i32(), 0x7f);
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let ty = StructType::new(&engine, [constant(ValType::I32), var(StorageType::I8)]).unwrap();
    let pre = StructRefPre::new(&mut store, ty);
    let error = |r: Result<Rooted<StructRef>>| format!("{:#}", r.unwrap_err());
    let none = StructRef::new(&mut store, &pre, &[]);
    assert_eq!(error(none), "expected 2 fields, got 0");
    let wrong = StructRef::new(&mut store, &pre, &[Val::I64(1), Val::I32(1)]);
    assert!(error(wrong).contains("field 0: type mismatch"));
    let wrong = StructRef::new(&mut store, &pre, &[Val::I32(1), Val::I64(1)]);
    assert!(error(wrong).contains("field 1: type mismatch"));

    let object = StructRef::new(&mut store, &pre, &[Val::I32(1), Val::I32(1)]).unwrap();
    let error = object.set_field(&mut store, 0, Val::I32(1)).unwrap_err();
    assert!(error.to_string().contains("not mutable"));
    assert!(object.set_field(&mut store, 1, Val::F32(1)).is_err());
    assert!(object.field(&mut store, 2).is_err());

    let ty = ArrayType::new(&engine, constant(ValType::I64));
    let pre = ArrayRefPre::new(&mut store, ty);
    assert!(ArrayRef::new(&mut store, &pre, &Val::I32(1), 3).is_err());
    assert!(ArrayRef::new_from_i8_slice(&mut store, &pre, b"abc").is_err());
    let array = ArrayRef::new(&mut store, &pre, &Val::I64(7), 3).unwrap();
    assert!(array.get(&mut store, 3).is_err());
    assert!(array.set(&mut store, 0, Val::I64(1)).is_err());
    assert!(array.copy_to_i8_slice(&mut store, &mut [0; 3]).is_err());
    let sum: i64 = array
        .elems(&mut store)
        .unwrap()
        .map(|v| v.unwrap_i64())
        .sum();
    assert_eq!(sum, 21);
}

#[test]
#[should_panic(expected = "object used with the wrong store")]
fn allocators_belong_to_a_store() {
    let engine = Engine::default();
    let (mut a, mut b) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let ty = StructType::new(&engine, []).unwrap();
    let pre = StructRefPre::new(&mut a, ty);
    let _ = StructRef::new(&mut b, &pre, &[]);
}

#[test]
#[should_panic(expected = "wrong store")]
fn values_belong_to_a_store() {
    let engine = Engine::default();
    let (mut a, mut b) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let ty = StructType::new(&engine, [var(ValType::ANYREF)]).unwrap();
    let pre = StructRefPre::new(&mut a, ty);
    let foreign = AnyRef::from_i31(&mut b, I31::wrapping_u32(1));
    let _ = StructRef::new(&mut a, &pre, &[foreign.into()]);
}

#[test]
fn roots_survive_collections_and_end_with_their_scope() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let ty = ArrayType::new(&engine, var(StorageType::I16));
        let pre = ArrayRefPre::new(&mut store, ty);
        let mut owned = Vec::new();
        let mut ended = Vec::new();
        for n in 0..100 {
            let mut scope = RootScope::new(&mut store);
            let elems = vec![Val::I32(n); n as usize];
            let array = ArrayRef::new_fixed(&mut scope, &pre, &elems).unwrap();
            if n % 2 == 0 {
                owned.push((n, array.to_owned_rooted(&mut scope).unwrap()));
            }
            ended.push(array);
        }
        store.gc(None).unwrap();
        for array in ended {
            let error = array.len(&store).unwrap_err().to_string();
            assert!(error.contains("unrooted"), "{error}");
        }
        for (n, array) in owned {
            assert_eq!(array.len(&store).unwrap(), n as u32);
            let mut elems = array.elems(&mut store).unwrap();
            assert!(elems.all(|elem| elem.unwrap_i32() == n));
        }
    }
}

#[test]
fn garbage_is_reclaimed_and_the_null_collector_only_grows() {
    let bytes = |engine: &Engine| {
        let mut store = Store::new(engine, ());
        assert_eq!(store.gc_heap_capacity(), 0);
        let ty = ArrayType::new(engine, var(StorageType::I8));
        let pre = ArrayRefPre::new(&mut store, ty);
        for _ in 0..300 {
            let mut scope = RootScope::new(&mut store);
            ArrayRef::new(&mut scope, &pre, &Val::I32(1), 100_000).unwrap();
        }
        store.gc_heap_capacity()
    };
    let [copying, null, zealous] = engines();
    assert!(bytes(&copying) < 16 << 20, "{}", bytes(&copying));
    assert!(bytes(&zealous) < 16 << 20);
    assert!(bytes(&null) >= 30_000_000);
}

#[test]
fn host_values_are_dropped_when_nothing_holds_them() {
    use std::sync::Arc;
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let ty = StructType::new(&engine, [var(ValType::EXTERNREF)]).unwrap();
    let pre = StructRefPre::new(&mut store, ty);
    let witness = Arc::new(());
    let held = {
        let mut scope = RootScope::new(&mut store);
        let host = ExternRef::new(&mut scope, witness.clone()).unwrap();
        let object = StructRef::new(&mut scope, &pre, &[host.into()]).unwrap();
        object.to_owned_rooted(&mut scope).unwrap()
    };
    store.gc(None).unwrap();
    assert_eq!(Arc::strong_count(&witness), 2);
    drop(held);
    store.gc(None).unwrap();
    assert_eq!(Arc::strong_count(&witness), 1);
}

#[test]
fn casts_follow_the_declared_hierarchy() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let open = |supertype: Option<&StructType>, fields: Vec<FieldType>| {
        StructType::with_finality_and_supertype(&engine, Finality::NonFinal, supertype, fields)
    };
    let mut types = vec![open(None, vec![]).unwrap()];
    // Deeper than what is decided by a table look-up.
    for _ in 0..12 {
        let ty = open(types.last(), vec![]).unwrap();
        types.push(ty);
    }
    let other = open(None, vec![var(ValType::I32)]).unwrap();
    for (i, ty) in types.iter().enumerate() {
        let pre = StructRefPre::new(&mut store, ty.clone());
        let any = StructRef::new(&mut store, &pre, &[]).unwrap().to_anyref();
        for (j, sup) in types.iter().enumerate() {
            let sup = HeapType::from(sup.clone());
            assert_eq!(any.matches_ty(&store, &sup).unwrap(), j <= i);
        }
        let no = HeapType::from(other.clone());
        assert!(!any.matches_ty(&store, &no).unwrap());
        for ty in [HeapType::Any, HeapType::Eq, HeapType::Struct] {
            assert!(any.matches_ty(&store, &ty).unwrap());
        }
        for ty in [
            HeapType::I31,
            HeapType::Array,
            HeapType::None,
            HeapType::Extern,
        ] {
            assert!(!any.matches_ty(&store, &ty).unwrap());
        }
        let eq = any.unwrap_eqref(&mut store).unwrap();
        assert!(eq.as_array(&store).unwrap().is_none());
        assert!(
            eq.unwrap_struct(&store)
                .unwrap()
                .matches_ty(&store, ty)
                .unwrap()
        );
    }
}

#[test]
fn references_cross_between_the_hierarchies() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let pre = StructRefPre::new(&mut store, StructType::new(&engine, []).unwrap());
    let object = StructRef::new(&mut store, &pre, &[]).unwrap().to_anyref();
    let outside = ExternRef::convert_any(&mut store, object).unwrap();
    assert!(outside.data(&store).unwrap().is_none());
    store.gc(None).unwrap();
    let back = AnyRef::convert_extern(&mut store, outside).unwrap();
    assert!(back.is_struct(&store).unwrap());
    assert!(Rooted::ref_eq(&store, &back, &object).unwrap());
    let host = ExternRef::new(&mut store, 5u8).unwrap();
    let inside = AnyRef::convert_extern(&mut store, host).unwrap();
    assert!(inside.matches_ty(&store, &HeapType::Any).unwrap());
    assert!(!inside.is_eqref(&store).unwrap());
    let out = ExternRef::convert_any(&mut store, inside).unwrap();
    assert!(out.data(&store).unwrap().unwrap().is::<u8>());
}

#[test]
fn the_limiter_bounds_the_heap() {
    let engine = Engine::default();
    let mut store = Store::new(
        &engine,
        StoreLimitsBuilder::new().memory_size(8 << 20).build(),
    );
    store.limiter(|limits| limits);
    let ty = ArrayType::new(&engine, var(StorageType::I8));
    let pre = ArrayRefPre::new(&mut store, ty);
    let mut kept = Vec::new();
    let error = loop {
        match ArrayRef::new(&mut store, &pre, &Val::I32(1), 100_000) {
            Ok(array) => kept.push(array),
            Err(error) => break error,
        }
        assert!(kept.len() < 1000);
    };
    assert!(error.is::<GcHeapOutOfMemory<()>>(), "{error:?}");
    assert_eq!(error.to_string(), "GC heap out of memory");
    assert!(store.gc_heap_capacity() <= 8 << 20);
    assert!(!kept.is_empty());
    // What cannot be is refused at once.
    assert!(ArrayRef::new(&mut store, &pre, &Val::I32(1), u32::MAX).is_err());
}

#[test]
fn types_outlive_their_modules_and_handles() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let object = {
        let ty = StructType::new(&engine, [var(ValType::I64)]).unwrap();
        let pre = StructRefPre::new(&mut store, ty);
        StructRef::new(&mut store, &pre, &[Val::I64(9)]).unwrap()
    };
    // Would take the id of a type that had gone.
    let others: Vec<_> = (1..20)
        .map(|n| StructType::new(&engine, vec![var(ValType::F32); n]).unwrap())
        .collect();
    assert_eq!(object.ty(&store).unwrap().fields().len(), 1);
    assert_eq!(object.field(&mut store, 0).unwrap().unwrap_i64(), 9);
    drop(others);
}
