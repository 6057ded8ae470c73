//! The instructions on objects that compiled code leaves to the runtime.
//!
//! The one idea: everything is checked before anything is written, and before anything is allocated, as far as it can be; what an
//! allocation may move is read after it.

use super::access::Object;
use super::{GcRef, type_id as type_of};
use crate::builtins::Guest;
use crate::error::AllocateError;
use crate::instance::InstanceRef;
use crate::shape::ElemShape;
use crate::store::{StoreCore, in_bounds};
use crate::table::TableElement;
use crate::trap::Pending;
use meantime_abi::{
    ARRAY_ELEMENTS, DataIndex, ElemIndex, GC_MAX_OBJECT, GcLayout, GcStorage, Trap, TypeId,
    VmFuncRef, array_size,
};

/// How a failed allocation stops the guest.
impl From<AllocateError> for Pending {
    fn from(error: AllocateError) -> Pending {
        match error {
            AllocateError::Host(error) => Pending::error(error),
            error => Pending::error(Box::new(error)),
        }
    }
}

/// An array, by a reference that the guest gives.
fn array(core: &StoreCore, bits: u32) -> Result<(Object<'_>, GcStorage), Trap> {
    let reference = GcRef::from_bits(bits).ok_or(Trap::NullReference)?;
    let object = core.gc().object(reference).ok_or(Trap::GcHeapCorrupt)?;
    match *object.layout {
        GcLayout::Array(element) => Ok((object, element)),
        _ => Err(Trap::GcHeapCorrupt),
    }
}

/// The address of a range of an array's elements, and how many bytes it has.
fn range(
    (array, element): (Object<'_>, GcStorage),
    start: u32,
    len: u32,
) -> Result<(*mut u8, usize), Trap> {
    let size = array.header.len.into();
    in_bounds(start.into(), len.into(), size, Trap::ArrayOutOfBounds)?;
    let element = element.size() as usize;
    let offset = ARRAY_ELEMENTS as usize + start as usize * element;
    Ok((array.address.wrapping_add(offset), len as usize * element))
}

/// What the elements of an array type are.
fn element_of(core: &StoreCore, type_id: TypeId) -> Result<GcStorage, Trap> {
    match core.gc().layouts.layout(type_id) {
        Some(GcLayout::Array(element)) => Ok(*element),
        _ => Err(Trap::GcHeapCorrupt),
    }
}

/// A new object of this many bytes.
fn new_object(
    guest: Guest,
    type_id: TypeId,
    size: u64,
    len: u32,
) -> Result<(GcRef, *mut u8), Pending> {
    if size >= GC_MAX_OBJECT {
        return Err(Trap::AllocationTooLarge.into());
    }
    // SAFETY: the guest waits in this builtin, so nobody uses a reference to the store; a guest that makes objects has a heap.
    Ok(unsafe { StoreCore::allocate_object(guest.store, type_id, size, len)? })
}

/// A new array, and the address of its elements.
fn new_array(
    guest: Guest,
    type_id: TypeId,
    element: GcStorage,
    len: u32,
) -> Result<(GcRef, *mut u8), Pending> {
    let (reference, address) = new_object(guest, type_id, array_size(element, len), len)?;
    Ok((reference, address.wrapping_add(ARRAY_ELEMENTS as usize)))
}

pub(crate) fn gc_alloc(guest: Guest, type_id: u32, size: u64, len: u32) -> Result<u32, Pending> {
    let (reference, _) = new_object(guest, type_of(type_id), size, len)?;
    Ok(reference.bits())
}

/// Part of a data segment, as whole elements.
fn data_bytes(
    instance: InstanceRef,
    data: u32,
    element: GcStorage,
    src: u32,
    len: u32,
) -> Result<*const u8, Trap> {
    let part = instance.data(DataIndex::from_u32(data));
    let bytes = u64::from(element.size()) * u64::from(len);
    in_bounds(
        src.into(),
        bytes,
        part.len() as u64,
        Trap::MemoryOutOfBounds,
    )?;
    let segment = &instance.get().shape().data_bytes[part];
    Ok(segment[src as usize..].as_ptr())
}

pub(crate) fn array_new_data(
    guest: Guest,
    type_id: u32,
    data: u32,
    src: u32,
    len: u32,
) -> Result<u32, Pending> {
    let type_id = type_of(type_id);
    let element = element_of(guest.core(), type_id)?;
    let from = data_bytes(guest.instance(), data, element, src, len)?;
    let (array, to) = new_array(guest, type_id, element, len)?;
    let bytes = element.size() as usize * len as usize;
    // SAFETY: the array has so many elements; the segment's part was checked, and a module's bytes do not move.
    unsafe { std::ptr::copy_nonoverlapping(from, to, bytes) };
    Ok(array.bits())
}

pub(crate) fn array_init_data(
    guest: Guest,
    array_bits: u32,
    data: u32,
    dst: u32,
    src: u32,
    len: u32,
) -> Result<(), Pending> {
    let array = array(guest.core(), array_bits)?;
    let (to, bytes) = range(array, dst, len)?;
    let from = data_bytes(guest.instance(), data, array.1, src, len)?;
    // SAFETY: both ranges were checked; a module's bytes are not part of a heap.
    unsafe { std::ptr::copy_nonoverlapping(from, to, bytes) };
    Ok(())
}

/// Checks a range of an element segment.
fn check_elems(instance: InstanceRef, elem: ElemIndex, src: u32, len: u32) -> Result<(), Trap> {
    let count = if instance.elem_is_dropped(elem) {
        0
    } else {
        match &instance.get().shape().elems[elem] {
            ElemShape::Funcs(funcs) => funcs.len(),
            ElemShape::Evaluated => instance.get().elems.get(&elem).map_or(0, Vec::len),
        }
    };
    in_bounds(src.into(), len.into(), count as u64, Trap::TableOutOfBounds)
}

/// An element of a segment that was checked, as an object holds it.
fn elem_bits(guest: Guest, elem: ElemIndex, index: usize) -> u32 {
    let instance = guest.instance();
    let value = match &instance.get().shape().elems[elem] {
        ElemShape::Funcs(funcs) => {
            TableElement::Func(funcs[index].expand().map(|func| instance.func_ref(func)))
        }
        ElemShape::Evaluated => instance.get().elems[&elem][index],
    };
    match value {
        TableElement::Gc(reference) => reference.map_or(0, GcRef::bits),
        TableElement::Func(func) => {
            let func = func.map_or(std::ptr::null_mut(), |func| func.as_ptr());
            // SAFETY: functions in a segment are the store's.
            unsafe { guest.core_mut().id_of_func(func) }
        }
    }
}

/// Writes elements of a segment, of which `len` from `src` on were checked.
///
/// # Safety
///
/// There is room for them.
unsafe fn write_elems(guest: Guest, elem: ElemIndex, to: *mut u8, src: u32, len: u32) {
    for i in 0..len as usize {
        let bits = elem_bits(guest, elem, src as usize + i);
        // SAFETY: the caller vouches for the room; elements of arrays of references are aligned.
        unsafe { to.cast::<u32>().add(i).write(bits) };
    }
}

/// Whether a segment's elements can be an array's, which validation made sure of.
fn check_element(element: GcStorage) -> Result<(), Trap> {
    match element {
        GcStorage::Ref | GcStorage::Func => Ok(()),
        _ => Err(Trap::GcHeapCorrupt),
    }
}

pub(crate) fn array_new_elem(
    guest: Guest,
    type_id: u32,
    elem: u32,
    src: u32,
    len: u32,
) -> Result<u32, Pending> {
    let type_id = type_of(type_id);
    let elem = ElemIndex::from_u32(elem);
    let element = element_of(guest.core(), type_id)?;
    check_element(element)?;
    check_elems(guest.instance(), elem, src, len)?;
    let (array, to) = new_array(guest, type_id, element, len)?;
    // SAFETY: the array has so many elements.
    unsafe { write_elems(guest, elem, to, src, len) };
    Ok(array.bits())
}

pub(crate) fn array_init_elem(
    guest: Guest,
    array_bits: u32,
    elem: u32,
    dst: u32,
    src: u32,
    len: u32,
) -> Result<(), Pending> {
    let elem = ElemIndex::from_u32(elem);
    let array = array(guest.core(), array_bits)?;
    check_element(array.1)?;
    let (to, _) = range(array, dst, len)?;
    check_elems(guest.instance(), elem, src, len)?;
    // SAFETY: the range was checked, and nothing is allocated.
    unsafe { write_elems(guest, elem, to, src, len) };
    Ok(())
}

pub(crate) fn array_copy(
    guest: Guest,
    dst_array: u32,
    dst: u32,
    src_array: u32,
    src: u32,
    len: u32,
) -> Result<(), Pending> {
    let target = array(guest.core(), dst_array)?;
    let source = array(guest.core(), src_array)?;
    if target.1 != source.1 {
        // Validation made sure that they are stored alike.
        return Err(Trap::GcHeapCorrupt.into());
    }
    let (to, bytes) = range(target, dst, len)?;
    let (from, _) = range(source, src, len)?;
    // SAFETY: both ranges were checked; they may overlap.
    unsafe { std::ptr::copy(from, to, bytes) };
    Ok(())
}

pub(crate) fn func_to_id(guest: Guest, func: *mut VmFuncRef) -> Result<u32, Pending> {
    // SAFETY: funcrefs that a guest has are its store's.
    Ok(unsafe { guest.core_mut().id_of_func(func) })
}

pub(crate) fn func_from_id(guest: Guest, id: u32, type_id: u32) -> Result<*mut VmFuncRef, Pending> {
    let func = guest.core().func_of_id(id).ok_or(Trap::GcHeapCorrupt)?;
    let expected = type_of(type_id);
    if func.is_null() || expected == TypeId::NONE {
        return Ok(func);
    }
    // SAFETY: functions that have a number are the store's and live as long.
    let actual = unsafe { (*func).type_id };
    if actual == expected {
        return Ok(func);
    }
    // SAFETY: the guest waits in this builtin, so nobody uses the embedder.
    let embedder = unsafe { StoreCore::embedder(guest.store) };
    match embedder.is_some_and(|embedder| embedder.is_subtype(actual, expected)) {
        true => Ok(func),
        false => Err(Trap::GcHeapCorrupt.into()),
    }
}

pub(crate) fn throw_ref(guest: Guest, exn: u32) -> Result<(), Pending> {
    let exception = GcRef::from_bits(exn).ok_or(Trap::NullReference)?;
    guest.core_mut().set_pending_exception(exception);
    Err(Pending::Exception)
}
