//! [`ExnType`]: the types of exceptions.
//!
//! The one idea: an exception's type is its tag's, so this is a tag type seen from the other side.

use super::{FieldType, FuncType, Mutability, TagType, ValType};
use crate::Engine;
use crate::error::{Result, ensure};
use meantime_abi::TypeId;
use std::fmt;

/// The type of an exception: what exceptions with a tag of some type carry.
///
/// ```
/// use meantime::{Engine, ExnType, HeapType, ValType};
///
/// # fn main() -> meantime::Result<()> {
/// let engine = Engine::default();
/// let ty = ExnType::new(&engine, [ValType::I32, ValType::EXTERNREF])?;
/// assert_eq!(ty.fields().len(), 2);
/// assert!(ty.field(0).unwrap().mutability().is_const());
/// assert_eq!(ty.tag_type().ty().params().len(), 2);
/// assert!(HeapType::from(ty).matches(&HeapType::Exn));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Hash)]
pub struct ExnType {
    func: FuncType,
}

impl ExnType {
    /// The type of exceptions that carry these values.
    ///
    /// # Errors
    ///
    /// When a type is one that this version of Meantime does not support (references to continuations).
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = ValType>) -> Result<ExnType> {
        let func = FuncType::try_new(engine, fields, [])?;
        Ok(ExnType { func })
    }

    /// The type of exceptions with a tag of this type.
    ///
    /// # Errors
    ///
    /// When the tag's type has results.
    pub fn from_tag_type(tag: &TagType) -> Result<ExnType> {
        ensure!(
            tag.ty().results().len() == 0,
            "cannot create an exception type from a tag type with results"
        );
        let func = tag.ty().clone();
        Ok(ExnType { func })
    }

    /// The type of exceptions whose tag has the function type with this id, which must be a living one of the engine.
    ///
    /// # Panics
    ///
    /// When it is not.
    pub(crate) fn from_id(engine: &Engine, id: TypeId) -> ExnType {
        let func = FuncType::from_id(engine, id);
        ExnType { func }
    }

    /// The engine that it belongs to.
    pub fn engine(&self) -> &Engine {
        self.func.engine()
    }

    /// The type of the tag.
    pub fn tag_type(&self) -> TagType {
        TagType::new(self.func.clone())
    }

    /// One of the values that it carries, counted from zero: an immutable field.
    pub fn field(&self, i: usize) -> Option<FieldType> {
        self.func.param(i).map(field)
    }

    /// The values that it carries.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        self.func.params().map(field)
    }

    /// Whether this is the other type: exception types have no subtypes.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn matches(&self, other: &ExnType) -> bool {
        FuncType::eq(&self.func, &other.func)
    }

    /// Its tag's function type.
    pub(crate) fn func(&self) -> &FuncType {
        &self.func
    }
}

fn field(ty: ValType) -> FieldType {
    FieldType::new(Mutability::Const, ty.into())
}

impl fmt::Display for ExnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(exn")?;
        for field in self.fields() {
            write!(f, " (field {field})")?;
        }
        f.write_str(")")
    }
}
