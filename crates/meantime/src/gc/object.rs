//! What the host does with objects of a store's heap: allocate them, find out their type, read and write their values.
//!
//! Not the objects' public types, which stand on this. The one idea: a heap is not trusted, whatever the guest's types say: each access
//! goes by the object's own header, with every bound checked, so that a corrupt heap is an error here and never undefined.

use crate::store::{StoreOpaque, from_allocate_error};
use crate::type_registry::RegisteredType;
use crate::{
    ArrayType, Error, ExnType, HeapType, Result, StructType, Val, ValRaw, ValType, bail, format_err,
};
use meantime_abi::{
    ARRAY_ELEMENTS, CompositeType, FieldType, GcLayout, GcStorage, StorageType, TypeId,
};
use meantime_vm as vm;

/// A new object, all zeros and nulls. May collect: unrooted references from before are stale.
#[allow(unsafe_code)]
pub(crate) fn alloc(store: &mut StoreOpaque, ty: TypeId, len: u32) -> Result<vm::GcRef> {
    store.ensure_gc_heap()?;
    // SAFETY: no reference to the core is in use.
    let object = unsafe { vm::StoreCore::gc_alloc(store.vm_ptr(), ty, len) };
    object.map_err(from_allocate_error)
}

#[cold]
fn corrupt() -> Error {
    format_err!("the GC heap is corrupt")
}

/// The most exact type of what a reference of any hierarchy but the functions' refers to.
pub(crate) fn heap_type(store: &StoreOpaque, object: vm::GcRef) -> Result<HeapType> {
    if object.is_i31() {
        return Ok(HeapType::I31);
    }
    if object.is_host_value() {
        return Ok(HeapType::Any);
    }
    let (engine, ty) = (store.engine(), Values::of(store, object)?.ty);
    Ok(match ty.ty().composite {
        CompositeType::Struct(_) => StructType::from_id(engine, ty.id()).into(),
        CompositeType::Array(_) => ArrayType::from_id(engine, ty.id()).into(),
        CompositeType::Func(_) => ExnType::from_id(engine, ty.id()).into(),
    })
}

/// The values in an object: how many there are, and where and what each is. Stale after the next collection.
pub(crate) struct Values {
    object: vm::GcRef,
    ty: RegisteredType,
    /// Of an array, its length.
    len: u32,
}

/// A value's place.
struct Place {
    offset: u32,
    storage: GcStorage,
    ty: FieldType<TypeId>,
}

impl Values {
    /// Those of an object of the heap.
    pub(crate) fn of(store: &StoreOpaque, object: vm::GcRef) -> Result<Values> {
        let header = store.vm().gc_header(object).ok_or_else(corrupt)?;
        // The store knows the type, so it keeps it alive.
        let ty = store.engine().types().lookup(header.type_id);
        Ok(Values {
            object,
            ty: ty.ok_or_else(corrupt)?,
            len: header.len,
        })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self.ty.layout() {
            GcLayout::Struct(fields) | GcLayout::Exn(fields) => fields.fields.len(),
            GcLayout::Array(_) => self.len as usize,
        }
    }

    fn is_array(&self) -> bool {
        matches!(self.ty.layout(), GcLayout::Array(_))
    }

    fn place(&self, index: usize) -> Option<Place> {
        let (offset, storage) = match self.ty.layout() {
            GcLayout::Struct(fields) | GcLayout::Exn(fields) => *fields.fields.get(index)?,
            GcLayout::Array(storage) => {
                let index = u32::try_from(index).ok().filter(|i| *i < self.len)?;
                // An array that is in the heap ends within 32 bits.
                let offset = index.checked_mul(storage.size())?;
                (offset.checked_add(ARRAY_ELEMENTS)?, *storage)
            }
        };
        let ty = match &self.ty.ty().composite {
            CompositeType::Struct(fields) => *fields.get(index)?,
            CompositeType::Array(element) => *element,
            CompositeType::Func(func) => FieldType {
                mutable: false,
                storage: StorageType::Val(*func.params.get(index)?),
            },
        };
        Some(Place {
            offset,
            storage,
            ty,
        })
    }

    fn require(&self, index: usize) -> Result<Place> {
        self.place(index).ok_or_else(|| {
            let len = self.len();
            match self.is_array() {
                true => {
                    format_err!(
                        "array index out of bounds: the length is {len} but the index is {index}"
                    )
                }
                false => format_err!(
                    "field index out of bounds: there are {len} fields but the index is {index}"
                ),
            }
        })
    }

    /// One of them, rooted if it is a reference. Packed integers are extended with zeros.
    #[allow(unsafe_code)]
    pub(crate) fn get(&self, store: &mut StoreOpaque, index: usize) -> Result<Val> {
        let place = self.require(index)?;
        let raw = store
            .vm()
            .gc_read(self.object, place.offset, place.storage)
            .ok_or_else(corrupt)?;
        let ty = match place.ty.storage {
            // Extended with zeros.
            StorageType::I8 | StorageType::I16 => return Ok(Val::I32(raw.get_i32())),
            StorageType::Val(ty) => ValType::from_abi(store.engine(), ty),
        };
        // SAFETY: functions come from the store's own table. What is a reference in the heap is looked up there again whenever it is used.
        let value = unsafe { Val::lift(store, &raw, &ty) };
        // A function is called by its type.
        if let Val::FuncRef(_) = value
            && !value.is_of(store, &ty)?
        {
            return Err(corrupt());
        }
        Ok(value)
    }

    /// Changes one of them.
    pub(crate) fn set(&self, store: &mut StoreOpaque, index: usize, value: &Val) -> Result<()> {
        let place = self.require(index)?;
        if !place.ty.mutable {
            match self.is_array() {
                true => bail!("cannot set element {index}: array elements are not mutable"),
                false => bail!("cannot set field {index}: field is not mutable"),
            }
        }
        let ty = crate::FieldType::from_abi(store.engine(), place.ty);
        check(store, value, ty.element_type())?;
        self.write(store, &place, value)
    }

    /// Gives all of them their first values, which were checked.
    pub(crate) fn init<'v>(
        &self,
        store: &mut StoreOpaque,
        values: impl IntoIterator<Item = &'v Val>,
    ) -> Result<()> {
        for (index, value) in values.into_iter().enumerate() {
            let place = self.require(index)?;
            self.write(store, &place, value)?;
        }
        Ok(())
    }

    /// Gives all elements of an array the same first value, which was checked.
    pub(crate) fn fill(&self, store: &mut StoreOpaque, value: &Val) -> Result<()> {
        let GcLayout::Array(storage) = *self.ty.layout() else {
            return Err(corrupt());
        };
        let raw = value.lower(store)?;
        fill_array(store, self.object, storage, self.len, raw)
    }

    fn write(&self, store: &mut StoreOpaque, place: &Place, value: &Val) -> Result<()> {
        let raw = value.lower(store)?;
        self.write_raw(store, place, raw)
    }

    fn write_raw(&self, store: &mut StoreOpaque, place: &Place, raw: ValRaw) -> Result<()> {
        let Place {
            offset, storage, ..
        } = *place;
        match store.vm_mut().gc_write(self.object, offset, storage, raw) {
            true => Ok(()),
            false => Err(corrupt()),
        }
    }
}

/// Gives all elements of an array the same value: the first as any other, then copies of what is there already.
pub(crate) fn fill_array(
    store: &mut StoreOpaque,
    object: vm::GcRef,
    storage: GcStorage,
    len: u32,
    value: ValRaw,
) -> Result<()> {
    if len == 0 {
        return Ok(());
    }
    let core = store.vm_mut();
    let size = storage.size() as usize;
    let written = core.gc_write(object, ARRAY_ELEMENTS, storage, value);
    let bytes = core.gc_bytes_mut(object).filter(|_| written);
    let elements = bytes.and_then(|bytes| bytes.get_mut(..size * len as usize));
    let elements = elements.ok_or_else(corrupt)?;
    let mut done = size;
    while done < elements.len() {
        let more = done.min(elements.len() - done);
        elements.copy_within(..more, done);
        done += more;
    }
    Ok(())
}

/// Whether a value can be stored in a field of this type.
pub(crate) fn check(store: &StoreOpaque, value: &Val, ty: &crate::StorageType) -> Result<()> {
    match ty {
        crate::StorageType::ValType(ty) => value.check_ty(store, ty),
        crate::StorageType::I8 | crate::StorageType::I16 => match value {
            Val::I32(_) => Ok(()),
            other => {
                let actual = other.load_ty(store)?;
                bail!("type mismatch: expected `i32` for a field of type `{ty}`, found {actual}")
            }
        },
    }
}

/// Checks the values that a new object is to have.
pub(crate) fn check_all(
    store: &StoreOpaque,
    values: &[Val],
    types: impl ExactSizeIterator<Item = crate::StorageType>,
) -> Result<()> {
    if values.len() != types.len() {
        bail!("expected {} fields, got {}", types.len(), values.len());
    }
    for (index, (value, ty)) in values.iter().zip(types).enumerate() {
        check(store, value, &ty).map_err(|e| e.context(format!("field {index}")))?;
    }
    Ok(())
}

/// Iterates over an object's values. The store is borrowed, so that nothing can move the object meanwhile.
pub(crate) struct Iter<'a> {
    store: &'a mut StoreOpaque,
    values: Values,
    next: usize,
}

impl<'a> Iter<'a> {
    pub(crate) fn new(store: &'a mut StoreOpaque, object: vm::GcRef) -> Result<Iter<'a>> {
        let values = Values::of(store, object)?;
        Ok(Iter {
            store,
            values,
            next: 0,
        })
    }
}

impl Iterator for Iter<'_> {
    type Item = Val;

    fn next(&mut self) -> Option<Val> {
        if self.next >= self.values.len() {
            return None;
        }
        let value = self.values.get(self.store, self.next);
        self.next += 1;
        Some(value.expect("the object's header says that it has this value"))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.values.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
