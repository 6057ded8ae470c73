//! [`TableType`]: the types of tables.

use super::RefType;
use crate::Engine;
use crate::error::{Result, ensure};
use meantime_abi as abi;
use meantime_abi::{AddrType, TypeId};

/// The type of a table. Sizes are in elements.
///
/// ```
/// use meantime::{RefType, TableType};
///
/// let table = TableType::new(RefType::FUNCREF, 10, Some(20));
/// assert_eq!((table.minimum(), table.maximum()), (10, Some(20)));
/// assert!(!table.is_64());
/// ```
#[derive(Debug, Clone, Hash)]
pub struct TableType {
    element: RefType,
    addr: AddrType,
    min: u64,
    max: Option<u64>,
}

impl TableType {
    /// A table with 32-bit indices.
    pub fn new(element: RefType, min: u32, max: Option<u32>) -> TableType {
        TableType {
            element,
            addr: AddrType::I32,
            min: min.into(),
            max: max.map(u64::from),
        }
    }

    /// A table with 64-bit indices.
    pub fn new64(element: RefType, min: u64, max: Option<u64>) -> TableType {
        TableType {
            element,
            addr: AddrType::I64,
            min,
            max,
        }
    }

    /// Whether its indices have 64 bits.
    pub fn is_64(&self) -> bool {
        self.addr == AddrType::I64
    }

    /// What it holds.
    pub fn element(&self) -> &RefType {
        &self.element
    }

    /// Its size at the start.
    pub fn minimum(&self) -> u64 {
        self.min
    }

    /// The size beyond which it cannot grow.
    pub fn maximum(&self) -> Option<u64> {
        self.max
    }

    pub(crate) fn from_abi(engine: &Engine, ty: abi::TableType<TypeId>) -> TableType {
        TableType {
            element: RefType::from_abi(engine, ty.element),
            addr: ty.addr,
            min: ty.min,
            max: ty.max,
        }
    }

    /// An error unless it can be used with this engine. To be asked wherever an object of this type is made: the ids in
    /// [`Self::to_abi`] mean other types in other engines.
    pub(crate) fn ensure_engine(&self, engine: &Engine) -> Result<()> {
        ensure!(
            self.element.comes_from_same_engine(engine),
            "type used with wrong engine"
        );
        Ok(())
    }

    /// An error for a type that compiled code cannot have yet.
    pub(crate) fn to_abi(&self) -> Result<abi::TableType<TypeId>> {
        Ok(abi::TableType {
            addr: self.addr,
            element: self.element.to_abi()?,
            min: self.min,
            max: self.max,
        })
    }
}
