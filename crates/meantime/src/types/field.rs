//! Fields of structures and elements of arrays, and two-valued properties of types.

use super::{RefType, ValType};
use crate::Engine;
use crate::error::Result;
use meantime_abi as abi;
use meantime_abi::TypeId;
use std::fmt;

/// Whether a global, field or element can be set.
///
/// ```
/// use meantime::Mutability;
///
/// assert!(Mutability::Var.is_var() && !Mutability::Var.is_const());
/// ```
#[derive(Debug, Clone, Copy, Hash, Eq, PartialEq)]
pub enum Mutability {
    /// It cannot.
    Const,
    /// It can.
    Var,
}

impl Mutability {
    /// Whether it cannot.
    pub fn is_const(&self) -> bool {
        *self == Mutability::Const
    }

    /// Whether it can.
    pub fn is_var(&self) -> bool {
        *self == Mutability::Var
    }

    pub(crate) fn from_bool(mutable: bool) -> Mutability {
        match mutable {
            true => Mutability::Var,
            false => Mutability::Const,
        }
    }
}

/// Whether a type can have subtypes.
///
/// ```
/// use meantime::Finality;
///
/// assert!(Finality::Final.is_final() && !Finality::Final.is_non_final());
/// ```
#[derive(Debug, Clone, Copy, Hash, Eq, PartialEq)]
pub enum Finality {
    /// It cannot.
    Final,
    /// It can.
    NonFinal,
}

impl Finality {
    /// Whether it cannot.
    pub fn is_final(&self) -> bool {
        *self == Finality::Final
    }

    /// Whether it can.
    pub fn is_non_final(&self) -> bool {
        *self == Finality::NonFinal
    }

    pub(crate) fn from_bool(is_final: bool) -> Finality {
        match is_final {
            true => Finality::Final,
            false => Finality::NonFinal,
        }
    }
}

/// How a field or element is stored: as a whole value, or packed into fewer bits than any value has.
///
/// ```
/// use meantime::{StorageType, ValType};
///
/// assert!(StorageType::I8.unpack().is_i32());
/// assert!(StorageType::from(ValType::F64).is_val_type());
/// assert!(!StorageType::I8.matches(&StorageType::from(ValType::I32)));
/// ```
#[derive(Debug, Clone, Hash)]
pub enum StorageType {
    /// 8 bits.
    I8,
    /// 16 bits.
    I16,
    /// A whole value.
    ValType(ValType),
}

impl StorageType {
    /// Whether it is `i8`.
    pub fn is_i8(&self) -> bool {
        matches!(self, StorageType::I8)
    }

    /// Whether it is `i16`.
    pub fn is_i16(&self) -> bool {
        matches!(self, StorageType::I16)
    }

    /// Whether it is a whole value.
    pub fn is_val_type(&self) -> bool {
        matches!(self, StorageType::ValType(_))
    }

    /// The type of the value, unless it is packed.
    pub fn as_val_type(&self) -> Option<&ValType> {
        match self {
            StorageType::I8 | StorageType::I16 => None,
            StorageType::ValType(v) => Some(v),
        }
    }

    /// The type of the value.
    ///
    /// # Panics
    ///
    /// When it is packed.
    #[track_caller]
    pub fn unwrap_val_type(&self) -> &ValType {
        self.as_val_type().expect("not a whole value")
    }

    /// The type of the value that reading gives: `i32` for packed ones.
    pub fn unpack(&self) -> &ValType {
        self.as_val_type().unwrap_or(&ValType::I32)
    }

    /// Whether this is a subtype of the other.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (StorageType::ValType(a), StorageType::ValType(b)) => a.matches(b),
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }

    /// Whether both are the same type.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn eq(a: &Self, b: &Self) -> bool {
        a.matches(b) && b.matches(a)
    }

    pub(crate) fn comes_from_same_engine(&self, engine: &Engine) -> bool {
        self.unpack().comes_from_same_engine(engine)
    }
}

impl From<ValType> for StorageType {
    fn from(v: ValType) -> Self {
        StorageType::ValType(v)
    }
}

impl From<RefType> for StorageType {
    fn from(r: RefType) -> Self {
        StorageType::ValType(r.into())
    }
}

impl fmt::Display for StorageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageType::I8 => f.write_str("i8"),
            StorageType::I16 => f.write_str("i16"),
            StorageType::ValType(v) => fmt::Display::fmt(v, f),
        }
    }
}

/// The type of a field of a structure or of the elements of an array.
///
/// ```
/// use meantime::{FieldType, Mutability, StorageType, ValType};
///
/// let field = FieldType::new(Mutability::Var, StorageType::I8);
/// assert_eq!(field.to_string(), "(mut i8)");
/// // What can be set must be the same on both sides; what cannot may be a subtype.
/// let constant = |ty: ValType| FieldType::new(Mutability::Const, ty.into());
/// assert!(constant(ValType::NULLREF).matches(&constant(ValType::ANYREF)));
/// let variable = |ty: ValType| FieldType::new(Mutability::Var, ty.into());
/// assert!(!variable(ValType::NULLREF).matches(&variable(ValType::ANYREF)));
/// ```
#[derive(Debug, Clone, Hash)]
pub struct FieldType {
    mutability: Mutability,
    element_type: StorageType,
}

impl FieldType {
    /// A field that holds this.
    pub fn new(mutability: Mutability, element_type: StorageType) -> Self {
        FieldType {
            mutability,
            element_type,
        }
    }

    /// Whether it can be set.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    /// What it holds.
    pub fn element_type(&self) -> &StorageType {
        &self.element_type
    }

    /// Whether this is a subtype of the other.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn matches(&self, other: &Self) -> bool {
        let (a, b) = (&self.element_type, &other.element_type);
        self.mutability == other.mutability
            && match self.mutability {
                Mutability::Const => a.matches(b),
                Mutability::Var => StorageType::eq(a, b),
            }
    }

    /// Whether both are the same type.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn eq(a: &Self, b: &Self) -> bool {
        a.matches(b) && b.matches(a)
    }

    pub(crate) fn comes_from_same_engine(&self, engine: &Engine) -> bool {
        self.element_type.comes_from_same_engine(engine)
    }

    pub(crate) fn from_abi(engine: &Engine, ty: abi::FieldType<TypeId>) -> FieldType {
        let storage = match ty.storage {
            abi::StorageType::I8 => StorageType::I8,
            abi::StorageType::I16 => StorageType::I16,
            abi::StorageType::Val(v) => StorageType::ValType(ValType::from_abi(engine, v)),
        };
        FieldType::new(Mutability::from_bool(ty.mutable), storage)
    }

    /// An error for a type that compiled code cannot have yet.
    pub(crate) fn to_abi(&self) -> Result<abi::FieldType<TypeId>> {
        let storage = match &self.element_type {
            StorageType::I8 => abi::StorageType::I8,
            StorageType::I16 => abi::StorageType::I16,
            StorageType::ValType(v) => abi::StorageType::Val(v.to_abi()?),
        };
        Ok(abi::FieldType {
            mutable: self.mutability.is_var(),
            storage,
        })
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mutability {
            Mutability::Const => fmt::Display::fmt(&self.element_type, f),
            Mutability::Var => write!(f, "(mut {})", self.element_type),
        }
    }
}
