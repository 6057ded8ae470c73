//! [`Table`]: a resizable vector of references.

use super::{allocate_host_object, table_type};
use crate::store::{HostType, StoreId, StoreOpaque, from_host_error};
use crate::{
    AsContext, AsContextMut, Error, Func, Ref, Result, TableType, ValRaw, bail, format_err,
};
use core::ptr::NonNull;
use meantime_abi as abi;
use meantime_abi::entity::PrimaryMap;
use meantime_abi::{DefinedTableIndex, RefRepr, TypeId, VmCounts};
use meantime_vm as vm;

/// A WebAssembly table. Belongs to its store and panics when it is used with another.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Table {
    store: StoreId,
    id: vm::TableId,
}

impl Table {
    /// A table of this type, every element `init`.
    ///
    /// # Errors
    ///
    /// When `init` is not of the element type, or the table is larger than memory or the store's limiter allow.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let store = store.as_context_mut().0.opaque_mut();
        ty.ensure_engine(store.engine())?;
        check(store, &ty, &init)?;
        let abi = ty.to_abi()?;
        let mut shape = vm::InstanceShape::empty(VmCounts {
            tables: 1,
            ..VmCounts::default()
        });
        shape.tables = PrimaryMap::from_iter([vm::TableShape {
            repr: abi.element.heap.repr(),
            min: abi.min,
            max: abi.max,
            lazy: abi.element.heap.repr() == RefRepr::Func
                && store.engine().tunables().table_lazy_init,
            image: Box::new([]),
        }]);
        let instance = allocate_host_object(
            store,
            HostType {
                abi: abi::ExternType::Table(abi),
                _alive: ty.into(),
            },
            shape,
            &[],
        )?;
        let id = vm::TableId {
            instance,
            index: DefinedTableIndex::from_u32(0),
        };
        if init.is_non_null() {
            let init = lower(store, &init)?;
            store.vm_mut().table_fill(id, 0, init, abi.min)?;
        }
        Ok(Table {
            store: store.id(),
            id,
        })
    }

    /// Its type. The minimum is that of the type, not the size now.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> TableType {
        self.load_ty(store.as_context().0.opaque())
    }

    /// How many elements it has.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn size(&self, store: impl AsContext) -> u64 {
        self.len(store.as_context().0.opaque())
    }

    /// An element; none beyond the end.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn get(&self, mut store: impl AsContextMut, index: u64) -> Option<Ref> {
        let store = store.as_context_mut().0.opaque_mut();
        let id = self.id(store);
        let element = store.vm_mut().table_get(id, index)?;
        Some(lift(store, &self.load_ty(store), element))
    }

    /// Sets an element.
    ///
    /// # Errors
    ///
    /// When the index is beyond the end or the reference not of the element type.
    ///
    /// # Panics
    ///
    /// When the table or the reference belongs to another store.
    pub fn set(&self, mut store: impl AsContextMut, index: u64, val: Ref) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        let id = self.id(store);
        check(store, &self.load_ty(store), &val)?;
        let val = lower(store, &val)?;
        store
            .vm_mut()
            .table_set(id, index, val)
            .map_err(|_| format_err!("table element index out of bounds"))
    }

    /// Grows it by `delta` elements, each `init`, and returns its size before.
    ///
    /// # Errors
    ///
    /// When its maximum, memory or the store's limiter do not allow it, or `init` is not of the element type.
    ///
    /// # Panics
    ///
    /// When the table or the reference belongs to another store.
    #[allow(unsafe_code)]
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let store = store.as_context_mut().0.opaque_mut();
        let id = self.id(store);
        check(store, &self.load_ty(store), &init)?;
        let init = lower(store, &init)?;
        // SAFETY: no reference to the core is live.
        let grown = unsafe { vm::StoreCore::table_grow(store.vm_ptr(), id, delta, init) };
        match grown {
            Ok(Some(size)) => Ok(size),
            Ok(None) => bail!("failed to grow table by `{delta}`"),
            Err(error) => Err(from_host_error(error)),
        }
    }

    /// `table.copy`
    ///
    /// # Errors
    ///
    /// When a range is beyond an end, or the element types do not fit.
    ///
    /// # Panics
    ///
    /// When a table belongs to another store.
    pub fn copy(
        mut store: impl AsContextMut,
        dst_table: &Table,
        dst_index: u64,
        src_table: &Table,
        src_index: u64,
        len: u64,
    ) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        let (dst, src) = (dst_table.load_ty(store), src_table.load_ty(store));
        if !src.element().matches(dst.element()) {
            bail!("type mismatch: source table's elements are not of the destination's type");
        }
        let (dst, src) = (dst_table.id(store), src_table.id(store));
        Ok(store
            .vm_mut()
            .table_copy(dst, dst_index, src, src_index, len)?)
    }

    /// `table.fill`
    ///
    /// # Errors
    ///
    /// When the range is beyond the end, or the reference not of the element type.
    ///
    /// # Panics
    ///
    /// When the table or the reference belongs to another store.
    pub fn fill(&self, mut store: impl AsContextMut, dst: u64, val: Ref, len: u64) -> Result<()> {
        let store = store.as_context_mut().0.opaque_mut();
        let id = self.id(store);
        check(store, &self.load_ty(store), &val)?;
        let val = lower(store, &val)?;
        Ok(store.vm_mut().table_fill(id, dst, val, len)?)
    }

    pub(crate) fn from_id(store: &StoreOpaque, id: vm::TableId) -> Table {
        Table {
            store: store.id(),
            id,
        }
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.store == store.id()
    }

    pub(crate) fn id(&self, store: &StoreOpaque) -> vm::TableId {
        self.store.check(store);
        self.id
    }

    pub(crate) fn len(&self, store: &StoreOpaque) -> u64 {
        store.vm().table(self.id(store)).len() as u64
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> TableType {
        TableType::from_abi(store.engine(), self.abi_ty(store))
    }

    pub(crate) fn abi_ty(&self, store: &StoreOpaque) -> abi::TableType<TypeId> {
        table_type(store, self.id(store))
    }
}

fn check(store: &StoreOpaque, ty: &TableType, value: &Ref) -> Result<()> {
    if !value.belongs_to(store) {
        crate::store::wrong_store();
    }
    value
        .check_ty(store, ty.element())
        .map_err(|e: Error| e.context("type mismatch: value does not match table element type"))
}

fn lower(store: &mut StoreOpaque, value: &Ref) -> Result<vm::TableElement> {
    let raw = value.lower(store)?;
    Ok(match value {
        Ref::Func(_) => vm::TableElement::Func(NonNull::new(raw.get_funcref().cast())),
        _ => vm::TableElement::Gc(vm::GcRef::from_bits(raw.get_gc_ref())),
    })
}

#[allow(unsafe_code)]
fn lift(store: &mut StoreOpaque, ty: &TableType, element: vm::TableElement) -> Ref {
    match element {
        vm::TableElement::Func(f) => Ref::Func(f.map(|f| Func::from_func_ref(store, f))),
        vm::TableElement::Gc(object) => {
            let raw = ValRaw::gc_ref(object.map_or(0, vm::GcRef::bits));
            // SAFETY: a table holds references of its element type.
            unsafe { Ref::lift(store, &raw, ty.element()) }
        }
    }
}
