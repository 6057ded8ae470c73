//! [`TagType`]: the types of tags.

use super::FuncType;
use crate::Engine;
use meantime_abi as abi;
use meantime_abi::TypeId;

/// The type of a tag: exceptions with it carry the parameters of a function type.
///
/// ```
/// use meantime::{Engine, FuncType, TagType, ValType};
///
/// let engine = Engine::default();
/// let tag = TagType::new(FuncType::new(&engine, [ValType::I32], []));
/// assert_eq!(tag.ty().params().len(), 1);
/// ```
#[derive(Debug, Clone, Hash)]
pub struct TagType {
    ty: FuncType,
}

impl TagType {
    /// A tag of this function type.
    pub fn new(ty: FuncType) -> TagType {
        TagType { ty }
    }

    /// The function type.
    pub fn ty(&self) -> &FuncType {
        &self.ty
    }

    pub(crate) fn from_abi(engine: &Engine, ty: abi::TagType<TypeId>) -> TagType {
        TagType::new(FuncType::from_id(engine, ty.func))
    }

    /// The type must be kept alive as long as what this gives is used.
    pub(crate) fn to_abi(&self) -> abi::TagType<TypeId> {
        abi::TagType { func: self.ty.id() }
    }
}
