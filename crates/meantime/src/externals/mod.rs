//! What modules import and export: [`Extern`] and the objects it can be.
//!
//! The one idea: memories, tables, globals and tags all live in instances of `vm`. A handle is the store's id and the object's; one that the host
//! makes lives in an instance of its own, without code.

mod defaults;
mod global;
mod memory;
mod shared_memory;
mod table;
mod tag;

pub use global::Global;
pub use memory::{Memory, MemoryAccessError};
pub use shared_memory::{SharedMemory, WaitResult};
pub use table::Table;
pub use tag::Tag;

use crate::store::{Counts, HostType, Owner, StoreOpaque};
use crate::{AsContext, ExternType, Func, Result};
use meantime_abi as abi;
use meantime_abi::TypeId;
use meantime_vm as vm;
use std::sync::Arc;

/// Anything that can be imported or exported.
#[derive(Clone, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A global.
    Global(Global),
    /// A table.
    Table(Table),
    /// A memory of one store.
    Memory(Memory),
    /// A memory that several threads may use.
    SharedMemory(SharedMemory),
    /// A tag.
    Tag(Tag),
}

macro_rules! variants {
    ($($(#[$doc:meta])* $into:ident $variant:ident;)*) => {
        impl Extern {$(
            $(#[$doc])*
            pub fn $into(self) -> Option<$variant> {
                match self {
                    Extern::$variant(item) => Some(item),
                    _ => None,
                }
            }
        )*}

        $(impl From<$variant> for Extern {
            fn from(item: $variant) -> Extern {
                Extern::$variant(item)
            }
        })*
    };
}

variants! {
    /// The function, when it is one.
    into_func Func;
    /// The global, when it is one.
    into_global Global;
    /// The table, when it is one.
    into_table Table;
    /// The memory, when it is one of one store.
    into_memory Memory;
    /// The memory, when it is a shared one.
    into_shared_memory SharedMemory;
    /// The tag, when it is one.
    into_tag Tag;
}

impl Extern {
    /// Its type.
    ///
    /// # Panics
    ///
    /// When it belongs to another store.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.load_ty(store.as_context().0.opaque())
    }

    pub(crate) fn load_ty(&self, store: &StoreOpaque) -> ExternType {
        match self {
            Extern::Func(item) => ExternType::Func(item.load_ty(store)),
            Extern::Global(item) => ExternType::Global(item.load_ty(store)),
            Extern::Table(item) => ExternType::Table(item.load_ty(store)),
            Extern::Memory(item) => ExternType::Memory(item.load_ty(store)),
            Extern::SharedMemory(item) => ExternType::Memory(item.ty()),
            Extern::Tag(item) => ExternType::Tag(item.load_ty(store)),
        }
    }

    /// Its type as the engine knows it, and the size that a memory or table has now, which counts when it is imported.
    pub(crate) fn abi_ty(&self, store: &StoreOpaque) -> (abi::ExternType<TypeId>, Option<u64>) {
        use abi::ExternType as Ty;
        match self {
            Extern::Func(item) => (Ty::Func(item.type_id(store)), None),
            Extern::Global(item) => (Ty::Global(item.abi_ty(store)), None),
            Extern::Table(item) => (Ty::Table(item.abi_ty(store)), Some(item.len(store))),
            Extern::Memory(item) => (Ty::Memory(item.abi_ty(store)), Some(item.pages(store))),
            Extern::SharedMemory(item) => (Ty::Memory(item.ty().to_abi()), Some(item.size())),
            Extern::Tag(item) => (Ty::Tag(item.abi_ty(store)), None),
        }
    }

    pub(crate) fn belongs_to(&self, store: &StoreOpaque) -> bool {
        match self {
            Extern::Func(item) => item.belongs_to(store),
            Extern::Global(item) => item.belongs_to(store),
            Extern::Table(item) => item.belongs_to(store),
            Extern::Memory(item) => item.belongs_to(store),
            Extern::SharedMemory(item) => crate::Engine::same(item.engine(), store.engine()),
            Extern::Tag(item) => item.belongs_to(store),
        }
    }
}

/// Puts an object of the host into the store, as an instance of its own.
fn allocate_host_object(
    store: &mut StoreOpaque,
    ty: HostType,
    shape: vm::InstanceShape,
    shared: &[Option<Arc<vm::SharedMemory>>],
) -> Result<vm::InstanceId> {
    store.reserve(Counts {
        instances: 0,
        memories: shape.memories.len(),
        tables: shape.tables.len(),
    })?;
    let request = vm::InstanceRequest {
        shape: Arc::new(shape),
        imports: vm::Imports::default(),
        shared_memories: shared,
    };
    store.allocate(Owner::Host(ty), request)
}

/// The type of an object by where it lives: in the module's terms made the engine's, or as the host gave it.
macro_rules! type_of {
    ($name:ident($id:ident, $index:ident, $list:ident) $variant:ident $ty:ty) => {
        fn $name(store: &StoreOpaque, id: vm::$id) -> $ty {
            match store.owner_of(id.instance) {
                Owner::Module(module) => {
                    let env = module.env();
                    abi::ExternType::$variant(env.$list()[env.$index(id.index)])
                        .map(|index| module.type_id(index))
                        .into_inner()
                }
                Owner::Host(ty) => ty.abi.into_inner(),
            }
        }

        impl IntoInner<$ty> for abi::ExternType<TypeId> {
            fn into_inner(self) -> $ty {
                match self {
                    abi::ExternType::$variant(ty) => ty,
                    other => unreachable!("an object is what it was made as: {other:?}"),
                }
            }
        }
    };
}

/// The type inside an [`abi::ExternType`] that is known to be of one kind.
trait IntoInner<T> {
    fn into_inner(self) -> T;
}

type_of!(table_type(TableId, table_index, tables) Table abi::TableType<TypeId>);
type_of!(global_type(GlobalId, global_index, globals) Global abi::GlobalType<TypeId>);
type_of!(tag_type(TagId, tag_index, tags) Tag abi::TagType<TypeId>);
type_of!(memory_type(MemoryId, memory_index, memories) Memory abi::MemoryType);
