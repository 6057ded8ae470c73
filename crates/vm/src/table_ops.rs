//! The instructions on tables, over the instances that define them.
//!
//! The one idea: every bound is checked before anything changes, and an element that is not initialized is, before it is read.

use crate::HostError;
use crate::instance::InstanceRef;
use crate::shape::ElemShape;
use crate::store::{StoreCore, in_bounds};
use crate::table::{TableElement, element_size};
use cranelift_entity::packed_option::PackedOption;
use meantime_abi::{DefinedTableIndex, ElemIndex, FuncIndex, Trap};
use std::ptr::NonNull;

/// A table, by the instance that defines it.
pub(crate) type Place = (InstanceRef, DefinedTableIndex);

fn check(place: Place, start: u64, len: u64) -> Result<usize, Trap> {
    let size = place.0.table_mut(place.1).len() as u64;
    in_bounds(start, len, size, Trap::TableOutOfBounds)?;
    Ok(start as usize)
}

/// An element, initialized if need be.
pub(crate) fn get(
    owner: InstanceRef,
    table: DefinedTableIndex,
    index: u64,
) -> Result<TableElement, Trap> {
    let index = check((owner, table), index, 1)?;
    Ok(initialized(owner, table, index))
}

fn initialized(owner: InstanceRef, table: DefinedTableIndex, index: usize) -> TableElement {
    let this = owner.table_mut(table);
    if let Some(element) = this.decode(this.stored(index)) {
        return element;
    }
    let image = &owner.get().shape().tables[table].image;
    let func = image.get(index).and_then(|func| func.expand());
    let element = TableElement::Func(func.map(|func| owner.func_ref(func)));
    let this = owner.table_mut(table);
    let stored = this.encode(element);
    this.store(index, 1, stored);
    element
}

/// `table.fill`.
pub(crate) fn fill(
    owner: InstanceRef,
    table: DefinedTableIndex,
    dst: u64,
    element: TableElement,
    len: u64,
) -> Result<(), Trap> {
    let dst = check((owner, table), dst, len)?;
    let this = owner.table_mut(table);
    let stored = this.encode(element);
    this.store(dst, len as usize, stored);
    Ok(())
}

/// `table.copy`.
pub(crate) fn copy(to: Place, dst: u64, from: Place, src: u64, len: u64) -> Result<(), Trap> {
    let src = check(from, src, len)?;
    let dst = check(to, dst, len)?;
    let len = len as usize;
    let source = from.0.table_mut(from.1);
    let repr = source.repr();
    if source.is_lazy() {
        // What is not initialized means what its own place means, so it cannot be copied elsewhere.
        for index in src..src + len {
            initialized(from.0, from.1, index);
        }
    }
    let source = from.0.table_mut(from.1).element_address(src);
    let same_form = {
        let target = to.0.table_mut(to.1);
        assert_eq!(target.repr(), repr, "validation made sure of equal types");
        target.is_lazy() == from.0.table_mut(from.1).is_lazy()
    };
    if same_form {
        let target = to.0.table_mut(to.1).element_address(dst);
        // SAFETY: both ranges were checked; they may overlap.
        unsafe { std::ptr::copy(source, target, len * element_size(repr)) };
    } else {
        // Tables of different forms are different tables, so the order does not matter.
        for i in 0..len {
            let element = initialized(from.0, from.1, src + i);
            let target = to.0.table_mut(to.1);
            let stored = target.encode(element);
            target.store(dst + i, 1, stored);
        }
    }
    Ok(())
}

/// `table.init`.
pub(crate) fn init(
    to: Place,
    instance: InstanceRef,
    elem: ElemIndex,
    dst: u64,
    src: u64,
    len: u64,
) -> Result<(), Trap> {
    let shape = instance.get().shape().clone();
    let dropped = instance.elem_is_dropped(elem);
    let checked = |count: usize| -> Result<(usize, usize), Trap> {
        let count = if dropped { 0 } else { count };
        in_bounds(src, len, count as u64, Trap::TableOutOfBounds)?;
        let dst = check(to, dst, len)?;
        Ok((src as usize, dst))
    };
    match &shape.elems[elem] {
        ElemShape::Funcs(funcs) => {
            let (src, dst) = checked(funcs.len())?;
            let funcs = match len {
                0 => &[],
                _ => &funcs[src..src + len as usize],
            };
            write_funcs(to, instance, funcs, dst);
        }
        ElemShape::Evaluated => {
            let values = instance.get().elems.get(&elem);
            let values = values.map_or(&[][..], Vec::as_slice);
            let (src, dst) = checked(values.len())?;
            for i in 0..len as usize {
                let target = to.0.table_mut(to.1);
                let stored = target.encode(values[src + i]);
                target.store(dst + i, 1, stored);
            }
        }
    }
    Ok(())
}

/// Writes functions of an instance, as an active segment does.
pub(crate) fn init_funcs(
    to: Place,
    instance: InstanceRef,
    funcs: &[PackedOption<FuncIndex>],
    dst: u64,
) -> Result<(), Trap> {
    let dst = check(to, dst, funcs.len() as u64)?;
    write_funcs(to, instance, funcs, dst);
    Ok(())
}

fn write_funcs(to: Place, instance: InstanceRef, funcs: &[PackedOption<FuncIndex>], dst: usize) {
    for (i, func) in funcs.iter().enumerate() {
        let func = func.expand().map(|func| instance.func_ref(func));
        let target = to.0.table_mut(to.1);
        let element = TableElement::Func(func);
        let stored = target.encode(element);
        target.store(dst + i, 1, stored);
    }
}

/// `table.grow`.
///
/// # Safety
///
/// As for [`StoreCore::table_grow`].
pub(crate) unsafe fn grow(
    store: NonNull<StoreCore>,
    owner: InstanceRef,
    table: DefinedTableIndex,
    delta: u64,
    init: TableElement,
) -> Result<Option<u64>, HostError> {
    let this = owner.table_mut(table);
    let old = this.len();
    if delta == 0 {
        return Ok(Some(old as u64));
    }
    // SAFETY: the caller made sure that nobody else uses the embedder.
    let mut embedder = unsafe { StoreCore::embedder(store) };
    if let Some(embedder) = &mut embedder {
        let elements = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let desired = old.saturating_add(elements(delta));
        if !embedder.table_growing(old, desired, this.max().map(elements))? {
            return Ok(None);
        }
    }
    // SAFETY: the store is alive; only a field of its own is read.
    let allocator = unsafe { (*store.as_ptr()).allocator.clone() };
    let this = owner.table_mut(table);
    let result = this
        .grown_len(delta)
        .and_then(|new| this.grow_to(new, init, &*allocator));
    match result {
        Ok(()) => {
            owner.update_table(table);
            Ok(Some(old as u64))
        }
        Err(error) => {
            if let Some(embedder) = embedder {
                embedder.table_grow_failed(error)?;
            }
            Ok(None)
        }
    }
}
