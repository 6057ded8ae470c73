//! What may be given for which import, and what is said when it may not.

use super::*;
use meantime_abi::{ExternType, TypeId};

fn check(expected: ExternType<TypeId>, actual: ExternType<TypeId>, size: Option<u64>) -> String {
    let engine = Engine::default();
    match matching::import(&engine, &expected, &actual, size) {
        Ok(()) => "ok".to_string(),
        Err(error) => error.to_string(),
    }
}

fn memory(addr: AddrType, shared: bool, min: u64, max: Option<u64>) -> ExternType<TypeId> {
    ExternType::Memory(abi::MemoryType {
        addr,
        shared,
        min,
        max,
        page_size_log2: 16,
    })
}

fn table(
    addr: AddrType,
    element: abi::RefType<TypeId>,
    min: u64,
    max: Option<u64>,
) -> ExternType<TypeId> {
    ExternType::Table(abi::TableType {
        addr,
        element,
        min,
        max,
    })
}

fn global(mutable: bool, content: abi::ValType<TypeId>) -> ExternType<TypeId> {
    ExternType::Global(abi::GlobalType { mutable, content })
}

#[test]
fn memories() {
    use AddrType::{I32, I64};
    let plain = |min, max| memory(I32, false, min, max);
    assert_eq!(check(plain(1, None), plain(1, None), None), "ok");
    assert_eq!(check(plain(1, Some(5)), plain(2, Some(4)), None), "ok");
    assert_eq!(
        check(plain(2, Some(5)), plain(1, None), None),
        "memory types incompatible: expected memory limits (min: 2, max: 5) doesn't match provided memory limits \
         (min: 1, max: none)"
    );
    assert_eq!(
        check(plain(2, None), plain(1, None), Some(2)),
        "ok",
        "grown meanwhile"
    );
    assert!(check(plain(1, Some(3)), plain(1, Some(4)), None).contains("limits"));
    assert_eq!(
        check(memory(I64, false, 1, None), plain(1, None), None),
        "memory types incompatible: expected 64-bit memory, found 32-bit memory"
    );
    assert_eq!(
        check(memory(I32, true, 1, Some(1)), plain(1, Some(1)), None),
        "memory types incompatible: expected shared memory, found non-shared memory"
    );
    let bytes = abi::MemoryType {
        addr: I32,
        shared: false,
        min: 1,
        max: None,
        page_size_log2: 0,
    };
    assert_eq!(
        check(plain(1, None), ExternType::Memory(bytes), None),
        "memory types incompatible: expected a memory with a page size of 65536, but received a memory with a page \
         size of 1"
    );
}

#[test]
fn tables() {
    use AddrType::{I32, I64};
    let (f, e) = (abi::RefType::FUNCREF, abi::RefType::EXTERNREF);
    assert_eq!(
        check(table(I32, f, 1, None), table(I32, f, 1, None), None),
        "ok"
    );
    assert_eq!(
        check(table(I32, f, 1, None), table(I32, e, 1, None), None),
        "table types incompatible: expected table of type `(ref null func)`, found table of type \
         `(ref null extern)`"
    );
    assert!(check(table(I32, f, 1, None), table(I64, f, 1, None), None).contains("32-bit table"));
    assert_eq!(
        check(table(I32, f, 9, None), table(I32, f, 1, None), Some(9)),
        "ok"
    );
    // Tables can be set: no subtyping.
    let null = abi::RefType {
        nullable: true,
        heap: abi::HeapType::NoFunc,
    };
    assert!(
        check(table(I32, f, 1, None), table(I32, null, 1, None), None).contains("incompatible")
    );
}

#[test]
fn globals() {
    use abi::ValType::{I32, I64};
    let null = abi::ValType::Ref(abi::RefType {
        nullable: true,
        heap: abi::HeapType::NoFunc,
    });
    let f = abi::ValType::FUNCREF;
    assert_eq!(check(global(false, I32), global(false, I32), None), "ok");
    assert_eq!(check(global(false, f), global(false, null), None), "ok");
    assert_eq!(
        check(global(true, f), global(true, null), None),
        "global types incompatible: expected global of type `(ref null func)`, found global of type \
         `(ref null nofunc)`"
    );
    assert!(
        check(global(false, I32), global(false, I64), None)
            .contains("`i32`, found global of type `i64`")
    );
    assert_eq!(
        check(global(true, I32), global(false, I32), None),
        "global types incompatible: expected mutable global, found immutable global"
    );
}

#[test]
fn functions_tags_and_kinds() {
    let engine = Engine::default();
    let types = module_types(&engine);
    let [a, b] = [types.ids()[0], types.ids()[1]];
    let check = |expected, actual| matching::import(&engine, &expected, &actual, None);
    check(ExternType::Func(a), ExternType::Func(a)).unwrap();
    let error = check(ExternType::Func(a), ExternType::Func(b))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(
            "function types incompatible: expected type `(type (func (result i32)))`, found type `"
        ),
        "{error}"
    );
    let tag = |func| ExternType::Tag(abi::TagType { func });
    check(tag(a), tag(a)).unwrap();
    assert_eq!(
        check(tag(a), tag(b)).unwrap_err().to_string(),
        "incompatible tag types"
    );
    let kinds = [
        ("func", ExternType::Func(a)),
        ("memory", memory(AddrType::I32, false, 1, None)),
        (
            "table",
            table(AddrType::I32, abi::RefType::FUNCREF, 1, None),
        ),
        ("global", global(false, abi::ValType::I32)),
        ("tag", tag(a)),
    ];
    for (i, (expected, x)) in kinds.iter().enumerate() {
        for (j, (actual, y)) in kinds.iter().enumerate() {
            let result = check(*x, *y).map_err(|e| e.to_string());
            let message = format!("expected {expected}, but found {actual}");
            assert_eq!(result, if i == j { Ok(()) } else { Err(message) });
        }
    }
}
