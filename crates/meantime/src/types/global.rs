//! [`GlobalType`]: the types of globals.

use super::{Mutability, ValType};
use crate::Engine;
use crate::error::{Result, ensure};
use meantime_abi as abi;
use meantime_abi::TypeId;

/// The type of a global.
///
/// ```
/// use meantime::{GlobalType, Mutability, ValType};
///
/// let counter = GlobalType::new(ValType::I64, Mutability::Var);
/// assert!(counter.content().is_i64() && counter.mutability().is_var());
/// ```
#[derive(Debug, Clone, Hash)]
pub struct GlobalType {
    content: ValType,
    mutability: Mutability,
}

impl GlobalType {
    /// A global that holds this.
    pub fn new(content: ValType, mutability: Mutability) -> GlobalType {
        GlobalType {
            content,
            mutability,
        }
    }

    /// What it holds.
    pub fn content(&self) -> &ValType {
        &self.content
    }

    /// Whether it can be set.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    pub(crate) fn from_abi(engine: &Engine, ty: abi::GlobalType<TypeId>) -> GlobalType {
        GlobalType {
            content: ValType::from_abi(engine, ty.content),
            mutability: Mutability::from_bool(ty.mutable),
        }
    }

    /// An error unless it can be used with this engine. To be asked wherever an object of this type is made: the ids in
    /// [`Self::to_abi`] mean other types in other engines.
    pub(crate) fn ensure_engine(&self, engine: &Engine) -> Result<()> {
        ensure!(
            self.content.comes_from_same_engine(engine),
            "type used with wrong engine"
        );
        Ok(())
    }

    /// An error for a type that compiled code cannot have yet.
    pub(crate) fn to_abi(&self) -> Result<abi::GlobalType<TypeId>> {
        Ok(abi::GlobalType {
            mutable: self.mutability.is_var(),
            content: self.content.to_abi()?,
        })
    }
}
