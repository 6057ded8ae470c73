//! Objects as the runtime and the host read and write them.
//!
//! The one idea: a header says where an object ends, and is itself checked against the heap, so that an access is inside the heap
//! whatever reference and offset it is given.

use super::{GcRef, GcStore};
use crate::store::StoreCore;
use meantime_abi::{EXN_TAG, GC_ALIGN, GcLayout, GcStorage, ValRaw, VmFuncRef, VmGcHeader};
use std::ptr::NonNull;

/// An object that was checked.
#[derive(Copy, Clone)]
pub(crate) struct Object<'a> {
    /// Its type and, of an array, its length; else that is zero.
    pub header: VmGcHeader,
    pub layout: &'a GcLayout,
    /// Its first byte.
    pub address: *mut u8,
    /// Bytes of it.
    pub size: u32,
}

impl GcStore {
    /// The object that a reference names, if it lies in the heap.
    pub(crate) fn object(&self, reference: GcRef) -> Option<Object<'_>> {
        let heap = self.heap.as_ref()?;
        let bits = reference.bits();
        if !bits.is_multiple_of(GC_ALIGN) {
            return None;
        }
        let mut used = heap.used().into_iter();
        let used = used.find(|used| used.contains(&bits))?;
        let address = heap.base().wrapping_add(bits as usize);
        // SAFETY: in the used part of the heap, of which as much as a header is the smallest part; aligned.
        let (type_id, word) = unsafe {
            let words = address.cast::<u32>();
            (words.read(), words.add(1).read())
        };
        let type_id = super::type_id(type_id);
        let layout = self.layouts.layout(type_id)?;
        let len = match layout {
            GcLayout::Array(_) => word,
            GcLayout::Struct(_) | GcLayout::Exn(_) => 0,
        };
        let size = layout.size(len);
        if size > u64::from(used.end - bits) {
            return None;
        }
        Some(Object {
            header: VmGcHeader { type_id, len },
            layout,
            address,
            size: size as u32,
        })
    }

    /// The number of the tag of an exception.
    pub(crate) fn exception_tag(&self, reference: GcRef) -> Option<u32> {
        let object = self.object(reference)?;
        let is_exception = matches!(object.layout, GcLayout::Exn(_));
        // SAFETY: every exception is long enough for its tag.
        is_exception.then(|| unsafe {
            object
                .address
                .wrapping_add(EXN_TAG as usize)
                .cast::<u32>()
                .read()
        })
    }

    /// The address of so many bytes of an object.
    fn place(&self, reference: GcRef, offset: u32, storage: GcStorage) -> Option<*mut u8> {
        let object = self.object(reference)?;
        let end = offset.checked_add(storage.size())?;
        let inside = offset >= object.layout.start() && end <= object.size;
        inside.then(|| object.address.wrapping_add(offset as usize))
    }
}

impl StoreCore {
    /// The header of an object; none for a reference to anything else.
    pub fn gc_header(&self, reference: GcRef) -> Option<VmGcHeader> {
        self.gc().object(reference).map(|object| object.header)
    }

    /// A value in an object, at an offset from its start; none beyond its end. A packed integer is extended with zeros; a
    /// function is a pointer to its [`VmFuncRef`], whose type the reader must check if it matters, as whatever is in the heap may be wrong.
    pub fn gc_read(&self, reference: GcRef, offset: u32, storage: GcStorage) -> Option<ValRaw> {
        let at = self.gc().place(reference, offset, storage)?;
        // SAFETY: as many bytes of an object as are read.
        unsafe {
            Some(match storage {
                GcStorage::I8 => ValRaw::u32(at.read().into()),
                GcStorage::I16 => ValRaw::u32(at.cast::<u16>().read_unaligned().into()),
                GcStorage::I32 => ValRaw::u32(at.cast::<u32>().read_unaligned()),
                GcStorage::I64 => ValRaw::u64(at.cast::<u64>().read_unaligned()),
                GcStorage::F32 => ValRaw::f32(at.cast::<u32>().read_unaligned()),
                GcStorage::F64 => ValRaw::f64(at.cast::<u64>().read_unaligned()),
                GcStorage::V128 => ValRaw::v128_bytes(at.cast::<[u8; 16]>().read()),
                GcStorage::Ref => ValRaw::gc_ref(at.cast::<u32>().read_unaligned()),
                GcStorage::Func => {
                    let func = self.func_of_id(at.cast::<u32>().read_unaligned())?;
                    ValRaw::funcref(func.cast())
                }
            })
        }
    }

    /// Sets a value in an object; false beyond its end. As in [`StoreCore::gc_read`], a function is a pointer, and belongs to this store.
    pub fn gc_write(
        &mut self,
        reference: GcRef,
        offset: u32,
        storage: GcStorage,
        value: ValRaw,
    ) -> bool {
        let Some(at) = self.gc().place(reference, offset, storage) else {
            return false;
        };
        // SAFETY: as many bytes of an object as are written; a funcref that the embedder has is one of this store, which it vouches for.
        unsafe {
            match storage {
                GcStorage::I8 => at.write(value.get_u32() as u8),
                GcStorage::I16 => at.cast::<u16>().write_unaligned(value.get_u32() as u16),
                GcStorage::I32 => at.cast::<u32>().write_unaligned(value.get_u32()),
                GcStorage::I64 => at.cast::<u64>().write_unaligned(value.get_u64()),
                GcStorage::F32 => at.cast::<u32>().write_unaligned(value.get_f32()),
                GcStorage::F64 => at.cast::<u64>().write_unaligned(value.get_f64()),
                GcStorage::V128 => at
                    .cast::<[u8; 16]>()
                    .write_unaligned(value.get_v128_bytes()),
                GcStorage::Ref => at.cast::<u32>().write_unaligned(value.get_gc_ref()),
                GcStorage::Func => {
                    let id = self.id_of_func(value.get_funcref().cast());
                    at.cast::<u32>().write_unaligned(id);
                }
            }
        }
        true
    }

    /// What follows an object's header; none for a reference to anything else.
    pub fn gc_bytes(&self, reference: GcRef) -> Option<&[u8]> {
        let object = self.gc().object(reference)?;
        let start = object.layout.start() as usize;
        let contents = object.address.wrapping_add(start);
        // SAFETY: bytes of an object, which lie in the heap as long as the store is not changed.
        Some(unsafe { std::slice::from_raw_parts(contents, object.size as usize - start) })
    }

    /// As [`StoreCore::gc_bytes`], to be changed. Any bytes are safe.
    pub fn gc_bytes_mut(&mut self, reference: GcRef) -> Option<&mut [u8]> {
        let object = self.gc().object(reference)?;
        let start = object.layout.start() as usize;
        let contents = object.address.wrapping_add(start);
        // SAFETY: as above; the store is borrowed, so nobody else uses its heap.
        Some(unsafe { std::slice::from_raw_parts_mut(contents, object.size as usize - start) })
    }

    /// The function with a number: null for zero, none for a number that was not given out.
    pub(crate) fn func_of_id(&self, id: u32) -> Option<*mut VmFuncRef> {
        match id {
            0 => Some(std::ptr::null_mut()),
            id => self.gc().funcs.get(id as usize).copied(),
        }
    }

    /// The number of a function, given to it now if it has none: zero for null.
    ///
    /// # Safety
    ///
    /// Null, or a funcref of this store.
    pub(crate) unsafe fn id_of_func(&mut self, func: *mut VmFuncRef) -> u32 {
        let Some(mut func) = NonNull::new(func) else {
            return 0;
        };
        // SAFETY: the caller vouches for the funcref.
        let func_ref = unsafe { func.as_mut() };
        if func_ref.id == 0 {
            let funcs = &mut self.gc_mut().funcs;
            if funcs.is_empty() {
                funcs.push(std::ptr::null_mut());
            }
            // There is an address for each, so there are far fewer than 32 bits can count.
            func_ref.id = funcs.len() as u32;
            funcs.push(func.as_ptr());
            self.publish();
        }
        func_ref.id
    }
}
