//! Equal types get equal ids, whoever makes them; ids live as long as somebody holds them, and no longer.

use super::*;
use meantime_abi::{
    CompositeKind, CompositeType, FieldType, FuncType, HeapType, RefType, StorageType, ValType,
};

fn func<T>(params: Vec<ValType<T>>) -> SubType<T> {
    SubType {
        is_final: true,
        supertype: None,
        composite: CompositeType::Func(FuncType {
            params: params.into(),
            results: Box::new([]),
        }),
    }
}

fn structure<T>(supertype: Option<T>, fields: Vec<ValType<T>>) -> SubType<T> {
    let field = |v| FieldType {
        mutable: false,
        storage: StorageType::Val(v),
    };
    SubType {
        is_final: false,
        supertype,
        composite: CompositeType::Struct(fields.into_iter().map(field).collect()),
    }
}

fn reference<T>(kind: CompositeKind, to: T) -> ValType<T> {
    ValType::Ref(RefType {
        nullable: true,
        heap: HeapType::Concrete(kind, to),
    })
}

fn index(i: u32) -> TypeIndex {
    TypeIndex::from_u32(i)
}

/// Registers groups of types, as a module does.
fn module(registry: &TypeRegistry, groups: &[&[SubType]]) -> Result<ModuleTypes> {
    let types = groups.iter().flat_map(|g| g.iter().cloned()).collect();
    let mut end = 0;
    let ranges = groups.iter().map(|g| {
        let start = end;
        end += g.len() as u32;
        start..end
    });
    registry.register_module(&types, ranges.collect::<Vec<_>>())
}

#[test]
fn equal_types_are_one() {
    let registry = TypeRegistry::new();
    let a = module(&registry, &[&[func(vec![ValType::I32])], &[func(vec![])]]).unwrap();
    let b = module(&registry, &[&[func(vec![])], &[func(vec![ValType::I32])]]).unwrap();
    assert_eq!(a.ids()[0], b.ids()[1]);
    assert_eq!(a.ids()[1], b.id(index(0)));
    assert_ne!(a.ids()[0], a.ids()[1]);
    let host = registry.register(&func(vec![ValType::I32])).unwrap();
    assert_eq!(host.id(), a.ids()[0]);
    assert_eq!(registry.lookup(host.id()).unwrap(), host);
    assert_eq!(host.ty(), &func(vec![ValType::I32]));
    assert_eq!(registry.len(), 2);
    drop((a, b));
    assert_eq!(registry.len(), 1);
    drop(host);
    assert_eq!(registry.len(), 0);
    assert!(registry.shared.read().groups.is_empty());
}

#[test]
fn the_same_type_twice_in_a_module_is_one() {
    let registry = TypeRegistry::new();
    let m = module(&registry, &[&[func(vec![])], &[func(vec![])]]).unwrap();
    assert_eq!(m.ids()[0], m.ids()[1]);
    assert_eq!(registry.len(), 1);
}

#[test]
fn groups_are_compared_whole() {
    let registry = TypeRegistry::new();
    let itself = |i| structure(None, vec![reference(CompositeKind::Struct, index(i))]);
    // Two that refer to themselves, in groups of their own: equal. Two in one group, crosswise: different from those.
    let apart = module(&registry, &[&[itself(0)], &[itself(1)]]).unwrap();
    let crosswise = module(&registry, &[&[itself(1), itself(0)]]).unwrap();
    assert_eq!(apart.ids()[0], apart.ids()[1]);
    assert_ne!(crosswise.ids()[0], crosswise.ids()[1]);
    assert!(!crosswise.ids().contains(&apart.ids()[0]));
    // The same group after another type: same ids, though its indices are others.
    let shifted = module(&registry, &[&[func(vec![])], &[itself(2), itself(1)]]).unwrap();
    assert_eq!(shifted.ids()[1..], crosswise.ids()[..]);
    // References inside are canonical.
    let first = registry.lookup(crosswise.ids()[0]).unwrap();
    let expected = structure(
        None,
        vec![reference(CompositeKind::Struct, crosswise.ids()[1])],
    );
    assert_eq!(first.ty(), &expected);
}

#[test]
fn a_type_keeps_alive_what_it_refers_to() {
    let registry = TypeRegistry::new();
    let callee = registry.register(&func(vec![])).unwrap();
    let id = callee.id();
    let caller = func(vec![reference(CompositeKind::Func, id)]);
    let caller = registry.register(&caller).unwrap();
    drop(callee);
    assert_eq!(registry.lookup(id).unwrap().ty(), &func(vec![]));
    assert_eq!(registry.len(), 2);
    drop(caller);
    assert_eq!(registry.len(), 0);
    assert!(registry.lookup(id).is_none());
    // Ids are used again.
    assert!(registry.register(&func(vec![])).unwrap().id().bits() < 2);
}

#[test]
fn long_chains_of_references_are_released_without_recursion() {
    let registry = TypeRegistry::new();
    let mut types = vec![func(vec![])];
    for i in 0..200_000 {
        types.push(func(vec![reference(CompositeKind::Func, index(i))]));
    }
    let groups: Vec<&[SubType]> = types.chunks(1).collect();
    let m = module(&registry, &groups).unwrap();
    let last = registry.lookup(*m.ids().last().unwrap()).unwrap();
    drop(m);
    assert_eq!(registry.len(), 200_001);
    drop(last);
    assert_eq!(registry.len(), 0);
}

#[test]
fn subtypes() {
    let registry = TypeRegistry::new();
    let m = module(
        &registry,
        &[
            &[structure(None, vec![])],
            &[
                structure(Some(index(0)), vec![ValType::I32]),
                structure(Some(index(1)), vec![ValType::I32, ValType::I32]),
            ],
            &[structure(Some(index(0)), vec![ValType::I64])],
        ],
    )
    .unwrap();
    let is = |a: usize, b: usize| registry.is_subtype(m.ids()[a], m.ids()[b]);
    for (sub, sup, expected) in [
        (0, 0, true),
        (1, 0, true),
        (2, 0, true),
        (2, 1, true),
        (3, 0, true),
        (0, 1, false),
        (1, 2, false),
        (3, 1, false),
        (1, 3, false),
    ] {
        assert_eq!(is(sub, sup), expected, "{sub} <: {sup}");
    }
    assert!(!registry.is_subtype(m.ids()[0], TypeId::NONE));
    let ty = registry.lookup(m.ids()[2]).unwrap();
    assert_eq!(ty.supertype().unwrap().id(), m.ids()[1]);
    assert!(registry.lookup(m.ids()[0]).unwrap().supertype().is_none());
}

#[test]
fn the_number_of_supertypes_is_bounded() {
    let registry = TypeRegistry::new();
    let mut types = vec![structure(None, vec![])];
    for i in 0..63 {
        types.push(structure(Some(index(i)), vec![]));
    }
    let deepest = module(&registry, &[&types]).unwrap().ids().len();
    assert_eq!(deepest, 64);
    types.push(structure(Some(index(63)), vec![]));
    let error = module(&registry, &[&types]).unwrap_err();
    assert_eq!(error.to_string(), "a type may have at most 63 supertypes");
    // In groups of their own, too; and what was registered before the error is gone again.
    let groups: Vec<&[SubType]> = types.chunks(1).collect();
    assert!(module(&registry, &groups).is_err());
    assert_eq!(registry.len(), 0);
}

#[test]
fn what_no_validated_module_has_is_an_error() {
    let registry = TypeRegistry::new();
    let later = structure(None, vec![reference(CompositeKind::Struct, index(1))]);
    let groups: &[&[SubType]] = &[&[later], &[func(vec![])]];
    assert!(module(&registry, groups).is_err());
    assert!(module(&registry, &[&[structure(Some(index(0)), vec![])]]).is_err());
    let types: PrimaryMap<TypeIndex, SubType> = [func(vec![]), func(vec![])].into_iter().collect();
    let wrong: [&[(u32, u32)]; 5] = [
        &[],
        &[(0, 1)],
        &[(1, 2), (0, 1)],
        &[(0, 3)],
        &[(0, 1), (0, 2)],
    ];
    for groups in wrong {
        let ranges = groups.iter().map(|&(start, end)| start..end);
        assert!(registry.register_module(&types, ranges).is_err());
    }
    assert_eq!(registry.len(), 0);
}

#[test]
fn registries_do_not_mix() {
    let (a, b) = (TypeRegistry::new(), TypeRegistry::new());
    let in_a = a.register(&func(vec![])).unwrap();
    let in_b = b.register(&func(vec![])).unwrap();
    assert_eq!(in_a.id(), in_b.id());
    assert_ne!(in_a, in_b);
    assert!(!in_a.is_subtype_of(&in_b));
}

#[test]
fn threads_agree() {
    let registry = TypeRegistry::new();
    let work = || {
        for round in 0..500 {
            let callee = registry
                .register(&func(vec![ValType::I32; round % 3]))
                .unwrap();
            let caller = func(vec![reference(CompositeKind::Func, callee.id())]);
            let caller = registry.register(&caller).unwrap();
            drop(callee);
            let again = registry.lookup(caller.id()).unwrap();
            assert_eq!(again.ty(), caller.ty());
            assert!(registry.is_subtype(again.id(), caller.id()));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    assert_eq!(registry.len(), 0);
    assert!(registry.shared.read().groups.is_empty());
}
