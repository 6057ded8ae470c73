//! The type API: subtyping against a table, engines kept apart, messages, conversion there and back.

mod import_matching;

use super::*;
use crate::type_registry::ModuleTypes;
use meantime_abi as abi;
use meantime_abi::entity::PrimaryMap;
use meantime_abi::{AddrType, TypeIndex};

fn func(engine: &Engine, params: &[ValType], results: &[ValType]) -> FuncType {
    FuncType::new(engine, params.iter().cloned(), results.iter().cloned())
}

fn constant(ty: ValType) -> FieldType {
    FieldType::new(Mutability::Const, ty.into())
}

fn variable(ty: ValType) -> FieldType {
    FieldType::new(Mutability::Var, ty.into())
}

/// One of each heap type that can be made, with its number.
fn heap_types(engine: &Engine) -> Vec<HeapType> {
    let open = Finality::NonFinal;
    let base = FuncType::with_finality_and_supertype(engine, open, None, [], []).unwrap();
    let derived = FuncType::with_finality_and_supertype(engine, open, Some(&base), [], []).unwrap();
    let shape = StructType::with_finality_and_supertype(engine, open, None, []).unwrap();
    let field = [constant(ValType::I32)];
    let larger =
        StructType::with_finality_and_supertype(engine, open, Some(&shape), field).unwrap();
    let array = ArrayType::new(engine, variable(ValType::I32));
    vec![
        HeapType::Extern,
        HeapType::NoExtern,
        HeapType::Func,
        base.into(),
        derived.into(),
        HeapType::NoFunc,
        HeapType::Any,
        HeapType::Eq,
        HeapType::I31,
        HeapType::Struct,
        shape.into(),
        larger.into(),
        HeapType::Array,
        array.into(),
        HeapType::None,
        HeapType::Exn,
        HeapType::NoExn,
        HeapType::Cont,
        HeapType::NoCont,
    ]
}

/// The direct supertypes of [`heap_types`], by number.
const DIRECT_SUPERTYPES: &[(usize, usize)] = &[
    (1, 0),
    (3, 2),
    (4, 3),
    (5, 4),
    (7, 6),
    (8, 7),
    (9, 7),
    (10, 9),
    (11, 10),
    (12, 7),
    (13, 12),
    (14, 8),
    (14, 11),
    (14, 13),
    (16, 15),
    (18, 17),
];

fn reachable(sub: usize, sup: usize) -> bool {
    sub == sup
        || DIRECT_SUPERTYPES
            .iter()
            .any(|&(a, b)| a == sub && reachable(b, sup))
}

#[test]
fn heap_types_match_as_the_hierarchy_says() {
    let engine = Engine::default();
    let types = heap_types(&engine);
    for (i, a) in types.iter().enumerate() {
        for (j, b) in types.iter().enumerate() {
            assert_eq!(a.matches(b), reachable(i, j), "{a} <: {b}");
            assert_eq!(HeapType::eq(a, b), i == j, "{a} = {b}");
            // The runtime's own check of the same relation.
            let (Ok(a_abi), Ok(b_abi)) = (a.to_abi(), b.to_abi()) else {
                continue;
            };
            for (a_null, b_null) in [(true, true), (false, true), (false, false), (true, false)] {
                let a = RefType::new(a_null, a.clone());
                let b = RefType::new(b_null, b.clone());
                let expected = reachable(i, j) && (b_null || !a_null);
                assert_eq!(a.matches(&b), expected, "{a} <: {b}");
                let sub = abi::RefType {
                    nullable: a_null,
                    heap: a_abi,
                };
                let sup = abi::RefType {
                    nullable: b_null,
                    heap: b_abi,
                };
                let (sub, sup) = (abi::ValType::Ref(sub), abi::ValType::Ref(sup));
                assert_eq!(matching::is_subtype(engine.types(), sub, sup), expected);
            }
        }
    }
}

#[test]
fn tops_and_bottoms() {
    let engine = Engine::default();
    for ty in heap_types(&engine) {
        assert!(ty.matches(&ty.top()) && ty.bottom().matches(&ty));
        assert!(ty.top().is_top() && ty.bottom().is_bottom());
        assert_eq!(ty.is_top(), HeapType::eq(&ty, &ty.top()));
        assert_eq!(ty.is_bottom(), HeapType::eq(&ty, &ty.bottom()));
        assert_ne!(ty.is_concrete(), ty.is_abstract());
        assert_eq!(
            ty.is_concrete(),
            ty.as_concrete_func().is_some()
                || ty.as_concrete_struct().is_some()
                || ty.as_concrete_array().is_some()
        );
    }
}

#[test]
fn heap_types_convert_there_and_back() {
    let engine = Engine::default();
    for ty in heap_types(&engine) {
        match ty.to_abi() {
            Ok(abi) => assert!(HeapType::eq(&ty, &HeapType::from_abi(&engine, abi))),
            Err(error) => assert_eq!(
                error.to_string(),
                format!("references to {ty} are not supported by this version of Meantime")
            ),
        }
    }
}

#[test]
fn value_types() {
    let plain = [
        ValType::I32,
        ValType::I64,
        ValType::F32,
        ValType::F64,
        ValType::V128,
    ];
    for (i, a) in plain.iter().enumerate() {
        for (j, b) in plain.iter().enumerate() {
            assert_eq!(a.matches(b), i == j);
        }
        assert!(!a.matches(&ValType::FUNCREF) && !ValType::FUNCREF.matches(a));
        assert_eq!(a.is_num(), !a.is_v128());
    }
    let names: Vec<String> = plain.iter().map(|t| t.to_string()).collect();
    assert_eq!(names, ["i32", "i64", "f32", "f64", "v128"]);
    assert!(ValType::FUNCREF.is_funcref() && !ValType::NULLFUNCREF.is_funcref());
    assert!(ValType::EXTERNREF.is_externref() && ValType::ANYREF.is_anyref());
    assert!(ValType::CONTREF.is_contref() && !ValType::I32.is_ref());
    let not_null = ValType::from(RefType::new(false, HeapType::Func));
    assert!(!not_null.is_funcref());
    assert_eq!(format!("{not_null} {not_null:?}"), "(ref func) (ref func)");
    assert!(ValType::I32.as_ref().is_none());
    for (ty, text) in [
        (ValType::NULLEXTERNREF, "(ref null noextern)"),
        (ValType::EQREF, "(ref null eq)"),
        (ValType::I31REF, "(ref null i31)"),
        (ValType::ARRAYREF, "(ref null array)"),
        (ValType::STRUCTREF, "(ref null struct)"),
        (ValType::NULLREF, "(ref null none)"),
        (ValType::EXNREF, "(ref null exn)"),
        (ValType::NULLEXNREF, "(ref null noexn)"),
        (ValType::NULLCONTREF, "(ref null nocont)"),
    ] {
        assert_eq!(ty.unwrap_ref().to_string(), text);
    }
}

#[test]
#[should_panic(expected = "ValType::unwrap_ref on a non-reference type")]
fn unwrapping_what_is_no_reference_panics() {
    ValType::I32.unwrap_ref();
}

#[test]
fn function_types() {
    let engine = Engine::default();
    let ty = func(&engine, &[ValType::I32, ValType::FUNCREF], &[ValType::I64]);
    assert_eq!(
        ty.to_string(),
        "(type (func (param i32 (ref null func)) (result i64)))"
    );
    assert_eq!(func(&engine, &[], &[]).to_string(), "(type (func))");
    assert!(ty.param(1).unwrap().is_funcref() && ty.param(2).is_none());
    assert!(ty.result(0).unwrap().is_i64() && ty.result(1).is_none());
    assert_eq!((ty.params().len(), ty.results().len()), (2, 1));
    assert!(ty.finality().is_final() && ty.supertype().is_none());
    assert!(Engine::same(ty.engine(), &engine));
    let same = FuncType::try_new(&engine, ty.params(), ty.results()).unwrap();
    assert!(FuncType::eq(&ty, &same) && ty.matches(&same));
    assert_eq!(ty.id(), same.id());
    assert!(FuncType::eq(&ty, &FuncType::from_id(&engine, ty.id())));
}

#[test]
fn function_types_match_by_variance() {
    let engine = Engine::default();
    let wide = func(&engine, &[ValType::FUNCREF], &[ValType::NULLFUNCREF]);
    let narrow = func(&engine, &[ValType::NULLFUNCREF], &[ValType::FUNCREF]);
    assert!(wide.matches(&narrow) && !narrow.matches(&wide));
    assert!(!wide.matches(&func(&engine, &[ValType::FUNCREF], &[])));
    // As heap types, only the declared hierarchy counts.
    assert!(!HeapType::from(wide.clone()).matches(&narrow.clone().into()));

    let open = Finality::NonFinal;
    let make = |supertype: Option<&FuncType>, ty: &FuncType| {
        FuncType::with_finality_and_supertype(&engine, open, supertype, ty.params(), ty.results())
    };
    let base = make(None, &narrow).unwrap();
    let derived = make(Some(&base), &wide).unwrap();
    assert!(FuncType::eq(&derived.supertype().unwrap(), &base));
    assert!(HeapType::from(derived.clone()).matches(&base.clone().into()));
    let error = make(Some(&derived), &narrow).unwrap_err();
    assert_eq!(
        error.to_string(),
        "function type must match its supertype: found (func (param (ref null nofunc)) (result (ref null func))), \
         expected (type (func (param (ref null func)) (result (ref null nofunc))))"
    );
    let error = make(Some(&wide), &wide).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot create a subtype of a final supertype"
    );
}

#[test]
fn structure_types() {
    let engine = Engine::default();
    let open = Finality::NonFinal;
    let make = |supertype: Option<&StructType>, fields: Vec<FieldType>| {
        StructType::with_finality_and_supertype(&engine, open, supertype, fields)
    };
    let base = make(None, vec![constant(ValType::ANYREF)]).unwrap();
    let derived = make(
        Some(&base),
        vec![constant(ValType::NULLREF), variable(ValType::I32)],
    );
    let derived = derived.unwrap();
    assert!(derived.matches(&base) && !base.matches(&derived));
    assert_eq!(derived.fields().len(), 2);
    assert!(derived.field(1).unwrap().mutability().is_var() && derived.field(2).is_none());
    assert!(StructType::eq(&derived.supertype().unwrap(), &base));
    assert!(derived.finality().is_non_final());
    for wrong in [
        vec![],
        vec![variable(ValType::ANYREF)],
        vec![constant(ValType::I32)],
    ] {
        let error = make(Some(&base), wrong).unwrap_err();
        assert_eq!(
            error.to_string(),
            "struct fields must match their supertype's fields"
        );
    }
    let last = StructType::new(&engine, base.fields()).unwrap();
    let error = make(Some(&last), vec![constant(ValType::ANYREF)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot create a subtype of a final supertype"
    );
    let field = || constant(ValType::I32);
    assert!(StructType::new(&engine, (0..10_000).map(|_| field())).is_ok());
    let error = StructType::new(&engine, (0..10_001).map(|_| field())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "attempted to define a struct type with 10001 fields, but that is more than the maximum supported number of \
         fields (10000)"
    );
}

#[test]
fn array_types() {
    let engine = Engine::default();
    let open = Finality::NonFinal;
    let base = constant(ValType::ANYREF);
    let base = ArrayType::with_finality_and_supertype(&engine, open, None, base).unwrap();
    let make = |field| {
        ArrayType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), field)
    };
    let derived = make(constant(ValType::NULLREF)).unwrap();
    assert!(derived.matches(&base) && !ArrayType::eq(&derived, &base));
    assert!(ArrayType::eq(&derived.supertype().unwrap(), &base));
    let error = make(variable(ValType::ANYREF)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "array field type must match its supertype's field type"
    );
    assert!(derived.element_type().is_val_type() && derived.mutability().is_const());
    assert!(derived.finality().is_final());
    let packed = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I16));
    assert!(packed.element_type().is_i16());
    assert_eq!(packed.to_string(), "(array (field (mut i16)))");
}

#[test]
fn fields() {
    let packed = FieldType::new(Mutability::Var, StorageType::I8);
    assert!(FieldType::eq(&packed, &packed.clone()));
    assert!(!packed.matches(&FieldType::new(Mutability::Const, StorageType::I8)));
    assert!(!packed.matches(&FieldType::new(Mutability::Var, StorageType::I16)));
    assert!(
        StorageType::from(RefType::FUNCREF)
            .unwrap_val_type()
            .is_funcref()
    );
    assert!(!StorageType::I8.is_val_type() && StorageType::I16.unpack().is_i32());
    assert_eq!(StorageType::I16.to_string(), "i16");
}

#[test]
fn types_of_other_engines_are_told_apart() {
    let (a, b) = (Engine::default(), Engine::default());
    let in_a = func(&a, &[], &[]);
    let in_b = func(&b, &[], &[]);
    let message = "types of different engines cannot be used together";
    let panics = |f: &dyn Fn() -> bool| {
        let error = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_err();
        let text = error.downcast_ref::<String>().cloned();
        text.or(error.downcast_ref::<&str>().map(|s| s.to_string()))
            .unwrap()
    };
    let reference = || ValType::Ref(RefType::new(true, in_b.clone().into()));
    assert_eq!(panics(&|| FuncType::eq(&in_a, &in_b)), message);
    assert_eq!(panics(&|| in_a.matches(&in_b)), message);
    assert_eq!(
        panics(&|| HeapType::from(in_a.clone()).matches(&in_b.clone().into())),
        message
    );
    assert_eq!(
        panics(&|| func(&a, &[reference()], &[]).finality().is_final()),
        message
    );
    assert_eq!(
        panics(&|| StructType::new(&a, [constant(reference())]).is_ok()),
        message
    );
    assert_eq!(
        panics(&|| ArrayType::new(&a, constant(reference()))
            .finality()
            .is_final()),
        message
    );
    // Where null is a value of both, only the type itself tells.
    let table = TableType::new(reference().unwrap_ref().clone(), 1, None);
    let global = GlobalType::new(reference(), Mutability::Var);
    for error in [table.ensure_engine(&a), global.ensure_engine(&a)] {
        assert_eq!(
            error.unwrap_err().to_string(),
            "type used with wrong engine"
        );
    }
    table.ensure_engine(&b).unwrap();
    global.ensure_engine(&b).unwrap();
    TableType::new(RefType::FUNCREF, 1, None)
        .ensure_engine(&a)
        .unwrap();
}

#[test]
#[should_panic(expected = "references to cont are not supported")]
fn continuations_are_not_supported() {
    func(&Engine::default(), &[ValType::CONTREF], &[]);
}

#[test]
fn memory_types() {
    type Change = fn(&mut MemoryTypeBuilder) -> &mut MemoryTypeBuilder;
    let wrong: [(&str, Change); 6] = [
        (
            "maximum page size cannot be smaller than the minimum page size",
            |b| b.min(2).max(Some(1)),
        ),
        (
            "page size must be 2**16 or 2**0, but was given 2**12; note that future Wasm extensions might allow any \
             power of two page size, but only 2**16 and 2**0 are currently valid",
            |b| b.page_size_log2(12),
        ),
        ("shared memories must have a maximum size", |b| {
            b.shared(true)
        }),
        ("memory's minimum byte size must fit in a u64", |b| {
            b.memory64(true).min(1 << 48)
        }),
        (
            "minimum size is too large for this memory type's index type",
            |b| b.min(65537),
        ),
        (
            "maximum size is too large for this memory type's index type",
            |b| b.max(Some(65537)),
        ),
    ];
    for (message, change) in wrong {
        let error = change(&mut MemoryType::builder()).build().unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    assert_eq!(MemoryType::new(65536, Some(65536)).minimum(), 65536);
    assert_eq!(MemoryType::new64(0, Some(1 << 48)).maximum(), Some(1 << 48));
    let shared = MemoryType::shared(1, 2);
    assert!(shared.is_shared() && !shared.is_64() && shared.page_size() == 65536);
    let bytes = MemoryType::builder()
        .page_size_log2(0)
        .min(u32::MAX.into())
        .build()
        .unwrap();
    assert_eq!((bytes.page_size(), bytes.page_size_log2()), (1, 0));
    assert_eq!(MemoryType::from_abi(shared.to_abi()), shared);
    assert_ne!(MemoryType::new(1, None), MemoryType::new(1, Some(1)));
}

#[test]
fn table_global_and_tag_types() {
    let engine = Engine::default();
    let small = TableType::new(RefType::FUNCREF, 1, Some(2));
    let large = TableType::new64(RefType::EXTERNREF, 1 << 40, None);
    assert!(!small.is_64() && large.is_64());
    assert_eq!((large.minimum(), large.maximum()), (1 << 40, None));
    let back = TableType::from_abi(&engine, small.to_abi().unwrap());
    assert_eq!((back.minimum(), back.maximum()), (1, Some(2)));
    assert!(RefType::eq(back.element(), &RefType::FUNCREF));

    let global = GlobalType::new(ValType::FUNCREF, Mutability::Const);
    let back = GlobalType::from_abi(&engine, global.to_abi().unwrap());
    assert!(back.content().is_funcref() && back.mutability().is_const());

    let tag = TagType::new(func(&engine, &[ValType::I32], &[]));
    let back = TagType::from_abi(&engine, tag.to_abi());
    assert!(FuncType::eq(back.ty(), tag.ty()));
}

/// A module's types: a function type, and another whose parameter refers to the first.
fn module_types(engine: &Engine) -> ModuleTypes {
    let func = |params: Box<[abi::ValType]>| abi::SubType {
        is_final: true,
        supertype: None,
        composite: abi::CompositeType::Func(abi::FuncType {
            params,
            results: Box::new([abi::ValType::I32]),
        }),
    };
    let reference = abi::RefType {
        nullable: false,
        heap: abi::HeapType::Concrete(abi::CompositeKind::Func, TypeIndex::from_u32(0)),
    };
    let types = [
        func(Box::new([])),
        func(Box::new([abi::ValType::Ref(reference)])),
    ];
    let types: PrimaryMap<_, _> = types.into_iter().collect();
    engine
        .types()
        .register_module(&types, [0..1, 1..2])
        .unwrap()
}

#[test]
fn imports_and_exports_of_modules() {
    let engine = Engine::default();
    let types = module_types(&engine);
    let ty = abi::ExternType::Func(TypeIndex::from_u32(1)).map(|i| types.id(i));
    let import = ImportType::new("env", "call", ty, &engine);
    assert_eq!((import.module(), import.name()), ("env", "call"));
    let ty = import.ty().unwrap_func().clone();
    let inner = func(&engine, &[], &[ValType::I32]);
    let expected = RefType::new(false, inner.clone().into());
    assert!(RefType::eq(ty.param(0).unwrap().unwrap_ref(), &expected));
    assert_eq!(inner.id(), types.ids()[0]);
    let export = ExportType::new(
        "memory",
        abi::ExternType::Memory(MemoryType::new(1, None).to_abi()),
        &engine,
    );
    assert_eq!(export.name(), "memory");
    assert_eq!(export.ty().unwrap_memory(), &MemoryType::new(1, None));
    assert!(format!("{import:?} {export:?}").contains("\"env\""));
    // The public type outlives the module.
    drop(types);
    assert_eq!(ty.param(0).unwrap().to_string(), expected.to_string());
}

#[test]
fn extern_types() {
    let engine = Engine::default();
    let all: [ExternType; 5] = [
        func(&engine, &[], &[]).into(),
        GlobalType::new(ValType::I32, Mutability::Var).into(),
        TableType::new(RefType::FUNCREF, 1, None).into(),
        MemoryType::new(1, None).into(),
        TagType::new(func(&engine, &[], &[])).into(),
    ];
    for (i, ty) in all.iter().enumerate() {
        let which = [
            ty.func().is_some(),
            ty.global().is_some(),
            ty.table().is_some(),
            ty.memory().is_some(),
            ty.tag().is_some(),
        ];
        assert_eq!(which.iter().position(|&is| is), Some(i));
        assert_eq!(which.iter().filter(|&&is| is).count(), 1);
    }
    all[0].unwrap_func();
}

#[test]
#[should_panic(expected = "expected function")]
fn unwrapping_another_extern_type_panics() {
    ExternType::from(MemoryType::new(1, None)).unwrap_func();
}
