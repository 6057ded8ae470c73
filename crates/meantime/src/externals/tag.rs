//! [`Tag`]: the identity of a kind of exceptions.

use super::{allocate_host_object, tag_type};
use crate::store::{HostType, StoreId, StoreOpaque};
use crate::{AsContext, AsContextMut, Engine, Result, TagType, bail};
use meantime_abi as abi;
use meantime_abi::{DefinedTagIndex, TypeId, TypeIndex, VmCounts};
use meantime_vm as vm;

/// A WebAssembly tag. Belongs to its store and panics when it is used with another.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Tag {
    store: StoreId,
    id: vm::TagId,
}

impl Tag {
    /// A new tag of this type, different from all others.
    ///
    /// # Errors
    ///
    /// When the type belongs to another engine.
    pub fn new(mut store: impl AsContextMut, ty: &TagType) -> Result<Tag> {
        let store = store.as_context_mut().0.opaque_mut();
        if !Engine::same(ty.ty().engine(), store.engine()) {
            bail!("tag type belongs to another engine");
        }
        store.admit_type(ty.ty().registered());
        let mut shape = vm::InstanceShape::empty(VmCounts {
            tags: 1,
            ..VmCounts::default()
        });
        shape.type_ids = Box::new([ty.ty().id()]);
        shape.tags = Box::new([TypeIndex::from_u32(0)]);
        let instance = allocate_host_object(
            store,
            HostType {
                abi: abi::ExternType::Tag(ty.to_abi()),
                _alive: ty.clone().into(),
            },
            shape,
            &[],
        )?;
        let id = vm::TagId {
            instance,
            index: DefinedTagIndex::from_u32(0),
        };
        Ok(Tag {
            store: store.id(),
            id,
        })
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> TagType {
        self.load_ty(store.as_context().0.opaque())
    }

    /// A number that no other tag of its store has.
    pub fn debug_index_in_store(&self) -> u64 {
        (self.id.instance.index() as u64) << 32 | u64::from(self.id.index.as_u32())
    }

    /// Whether two handles are of the same tag.
    ///
    /// # Panics
    ///
    /// When one belongs to another store.
    pub fn eq(a: &Tag, b: &Tag, store: impl AsContext) -> bool {
        let store = store.as_context();
        a.id(store.0.opaque()) == b.id(store.0.opaque())
    }

    pub(crate) fn from_id(store: &StoreOpaque, id: vm::TagId) -> Tag {
        Tag {
            store: store.id(),
            id,
        }
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        self.store == store.id()
    }

    pub(crate) fn id(&self, store: &StoreOpaque) -> vm::TagId {
        self.store.check(store);
        self.id
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> TagType {
        TagType::from_abi(store.engine(), self.abi_ty(store))
    }

    pub(crate) fn abi_ty(&self, store: &StoreOpaque) -> abi::TagType<TypeId> {
        tag_type(store, self.id(store))
    }
}
