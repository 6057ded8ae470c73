//! Types of imports and exports.

use super::{FuncType, GlobalType, MemoryType, TableType, TagType};
use crate::Engine;
use meantime_abi as abi;
use meantime_abi::TypeId;
use std::fmt;

/// The type of something that can be imported and exported.
///
/// ```
/// use meantime::{ExternType, MemoryType};
///
/// let ty = ExternType::from(MemoryType::new(1, None));
/// assert_eq!(ty.unwrap_memory().minimum(), 1);
/// assert!(ty.func().is_none());
/// ```
#[derive(Debug, Clone)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A tag.
    Tag(TagType),
}

macro_rules! variants {
    ($($what:literal $variant:ident($ty:ty): $get:ident $unwrap:ident,)*) => {$(
        impl ExternType {
            #[doc = concat!("The type of the ", $what, ", when it is one.")]
            pub fn $get(&self) -> Option<&$ty> {
                match self {
                    ExternType::$variant(ty) => Some(ty),
                    _ => None,
                }
            }

            #[doc = concat!("The type of the ", $what, ".")]
            ///
            /// # Panics
            ///
            /// When it is none.
            #[track_caller]
            pub fn $unwrap(&self) -> &$ty {
                self.$get().expect(concat!("expected ", $what))
            }
        }

        impl From<$ty> for ExternType {
            fn from(ty: $ty) -> ExternType {
                ExternType::$variant(ty)
            }
        }
    )*};
}

variants! {
    "function" Func(FuncType): func unwrap_func,
    "global" Global(GlobalType): global unwrap_global,
    "table" Table(TableType): table unwrap_table,
    "memory" Memory(MemoryType): memory unwrap_memory,
    "tag" Tag(TagType): tag unwrap_tag,
}

impl ExternType {
    pub(crate) fn from_abi(engine: &Engine, ty: abi::ExternType<TypeId>) -> ExternType {
        match ty {
            abi::ExternType::Func(id) => FuncType::from_id(engine, id).into(),
            abi::ExternType::Table(ty) => TableType::from_abi(engine, ty).into(),
            abi::ExternType::Memory(ty) => MemoryType::from_abi(ty).into(),
            abi::ExternType::Global(ty) => GlobalType::from_abi(engine, ty).into(),
            abi::ExternType::Tag(ty) => TagType::from_abi(engine, ty).into(),
        }
    }
}

/// An import of a module: its name and type.
#[derive(Clone)]
pub struct ImportType<'module> {
    module: &'module str,
    name: &'module str,
    ty: abi::ExternType<TypeId>,
    engine: &'module Engine,
}

impl<'module> ImportType<'module> {
    /// `ty` names types of the module, which lives as long as this.
    pub(crate) fn new(
        module: &'module str,
        name: &'module str,
        ty: abi::ExternType<TypeId>,
        engine: &'module Engine,
    ) -> ImportType<'module> {
        ImportType {
            module,
            name,
            ty,
            engine,
        }
    }

    /// The first part of its name.
    pub fn module(&self) -> &'module str {
        self.module
    }

    /// The second part of its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        ExternType::from_abi(self.engine, self.ty)
    }
}

impl fmt::Debug for ImportType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportType")
            .field("module", &self.module)
            .field("name", &self.name)
            .field("ty", &self.ty())
            .finish()
    }
}

/// An export of a module: its name and type.
#[derive(Clone)]
pub struct ExportType<'module> {
    name: &'module str,
    ty: abi::ExternType<TypeId>,
    engine: &'module Engine,
}

impl<'module> ExportType<'module> {
    /// `ty` names types of the module, which lives as long as this.
    pub(crate) fn new(
        name: &'module str,
        ty: abi::ExternType<TypeId>,
        engine: &'module Engine,
    ) -> ExportType<'module> {
        ExportType { name, ty, engine }
    }

    /// Its name.
    pub fn name(&self) -> &'module str {
        self.name
    }

    /// Its type.
    pub fn ty(&self) -> ExternType {
        ExternType::from_abi(self.engine, self.ty)
    }
}

impl fmt::Debug for ExportType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportType")
            .field("name", &self.name)
            .field("ty", &self.ty())
            .finish()
    }
}
