//! Whether what is given for an import has the type that the import declares (section "Matching" of the specification).
//!
//! Works on the runtime's types, as linking does for every import of every instance; makes the public types only to say
//! what is wrong.

use super::{FuncType, ValType};
use crate::Engine;
use crate::error::{Result, bail};
use crate::type_registry::TypeRegistry;
use meantime_abi::{
    AddrType, CompositeKind, ExternType, GlobalType, HeapType as Heap, MemoryType, RefType,
    TableType, TypeId, ValType as Val,
};

/// An error unless something of type `actual` can be imported as `expected`.
///
/// `size` is the current size of a memory (in pages) or a table (in elements), which counts in place of the minimum of its type.
/// All types are of this engine and live.
pub(crate) fn import(
    engine: &Engine,
    expected: &ExternType<TypeId>,
    actual: &ExternType<TypeId>,
    size: Option<u64>,
) -> Result<()> {
    match (expected, actual) {
        (ExternType::Func(a), ExternType::Func(b)) => func(engine, *a, *b),
        (ExternType::Table(a), ExternType::Table(b)) => table(engine, a, b, size),
        (ExternType::Memory(a), ExternType::Memory(b)) => memory(a, b, size),
        (ExternType::Global(a), ExternType::Global(b)) => global(engine, a, b),
        (ExternType::Tag(a), ExternType::Tag(b)) if a == b => Ok(()),
        (ExternType::Tag(_), ExternType::Tag(_)) => bail!("incompatible tag types"),
        (expected, actual) => bail!("expected {}, but found {}", kind(expected), kind(actual)),
    }
}

/// What kind of thing this is the type of, for a person.
fn kind(ty: &ExternType<TypeId>) -> &'static str {
    match ty {
        ExternType::Func(_) => "func",
        ExternType::Table(_) => "table",
        ExternType::Memory(_) => "memory",
        ExternType::Global(_) => "global",
        ExternType::Tag(_) => "tag",
    }
}

fn func(engine: &Engine, expected: TypeId, actual: TypeId) -> Result<()> {
    if engine.types().is_subtype(actual, expected) {
        return Ok(());
    }
    let expected = FuncType::from_id(engine, expected);
    let actual = FuncType::from_id(engine, actual);
    bail!("function types incompatible: expected type `{expected}`, found type `{actual}`")
}

fn table(
    engine: &Engine,
    expected: &TableType<TypeId>,
    actual: &TableType<TypeId>,
    size: Option<u64>,
) -> Result<()> {
    let (a, b) = (Val::Ref(expected.element), Val::Ref(actual.element));
    same_or(a == b, engine, a, b, "table")?;
    addresses(expected.addr, actual.addr, "table")?;
    limits(
        (expected.min, expected.max),
        (size.unwrap_or(actual.min), actual.max),
        "table",
    )
}

fn memory(expected: &MemoryType, actual: &MemoryType, size: Option<u64>) -> Result<()> {
    let sharing = |ty: &MemoryType| if ty.shared { "shared" } else { "non-shared" };
    property(sharing(expected), sharing(actual), "memory")?;
    addresses(expected.addr, actual.addr, "memory")?;
    limits(
        (expected.min, expected.max),
        (size.unwrap_or(actual.min), actual.max),
        "memory",
    )?;
    let (expected, actual) = (expected.page_size(), actual.page_size());
    if expected != actual {
        bail!(
            "memory types incompatible: expected a memory with a page size of {expected}, but received a memory with \
             a page size of {actual}"
        );
    }
    Ok(())
}

fn global(
    engine: &Engine,
    expected: &GlobalType<TypeId>,
    actual: &GlobalType<TypeId>,
) -> Result<()> {
    // What both sides can set must have the same type; what nobody can may be of a subtype.
    let matches = match expected.mutable || actual.mutable {
        true => expected.content == actual.content,
        false => is_subtype(engine.types(), actual.content, expected.content),
    };
    same_or(matches, engine, expected.content, actual.content, "global")?;
    let mutability = |ty: &GlobalType<TypeId>| if ty.mutable { "mutable" } else { "immutable" };
    property(mutability(expected), mutability(actual), "global")
}

/// Whether every value of type `sub` is one of `sup`. Both are of this registry and live.
pub(crate) fn is_subtype(types: &TypeRegistry, sub: Val<TypeId>, sup: Val<TypeId>) -> bool {
    match (sub, sup) {
        (Val::Ref(sub), Val::Ref(sup)) => is_ref_subtype(types, sub, sup),
        (sub, sup) => sub == sup,
    }
}

/// As [`is_subtype`], for reference types.
pub(crate) fn is_ref_subtype(
    types: &TypeRegistry,
    sub: RefType<TypeId>,
    sup: RefType<TypeId>,
) -> bool {
    if sub.nullable && !sup.nullable {
        return false;
    }
    use CompositeKind as K;
    match (sub.heap, sup.heap) {
        (a, b) if a == b => true,
        (Heap::Concrete(_, a), Heap::Concrete(_, b)) => types.is_subtype(a, b),
        (Heap::NoFunc | Heap::Concrete(K::Func, _), Heap::Func) => true,
        (Heap::NoFunc, Heap::Concrete(K::Func, _)) => true,
        (Heap::NoExtern, Heap::Extern) | (Heap::NoExn, Heap::Exn) => true,
        (a, Heap::Any) => is_any(a),
        (a, Heap::Eq) => is_any(a) && a != Heap::Any,
        (Heap::Concrete(K::Struct, _), Heap::Struct) => true,
        (Heap::Concrete(K::Array, _), Heap::Array) => true,
        (Heap::None, b) => is_any(b),
        _ => false,
    }
}

/// Whether the heap type is in the hierarchy of `any`.
fn is_any(heap: Heap<TypeId>) -> bool {
    match heap {
        Heap::Any | Heap::Eq | Heap::I31 | Heap::Struct | Heap::Array | Heap::None => true,
        Heap::Concrete(kind, _) => kind != CompositeKind::Func,
        _ => false,
    }
}

fn same_or(
    matches: bool,
    engine: &Engine,
    expected: Val<TypeId>,
    actual: Val<TypeId>,
    what: &str,
) -> Result<()> {
    if matches {
        return Ok(());
    }
    let expected = ValType::from_abi(engine, expected);
    let actual = ValType::from_abi(engine, actual);
    bail!(
        "{what} types incompatible: expected {what} of type `{expected}`, found {what} of type `{actual}`"
    )
}

fn property(expected: &str, actual: &str, what: &str) -> Result<()> {
    if expected != actual {
        bail!("{what} types incompatible: expected {expected} {what}, found {actual} {what}");
    }
    Ok(())
}

fn addresses(expected: AddrType, actual: AddrType, what: &str) -> Result<()> {
    let bits = |addr| match addr {
        AddrType::I32 => "32-bit",
        AddrType::I64 => "64-bit",
    };
    property(bits(expected), bits(actual), what)
}

fn limits(expected: (u64, Option<u64>), actual: (u64, Option<u64>), what: &str) -> Result<()> {
    let max_matches = match (expected.1, actual.1) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(expected), Some(actual)) => actual <= expected,
    };
    if expected.0 <= actual.0 && max_matches {
        return Ok(());
    }
    let show = |(min, max): (u64, Option<u64>)| {
        let max = max.map_or("none".to_string(), |max| max.to_string());
        format!("min: {min}, max: {max}")
    };
    bail!(
        "{what} types incompatible: expected {what} limits ({}) doesn't match provided {what} limits ({})",
        show(expected),
        show(actual)
    )
}
