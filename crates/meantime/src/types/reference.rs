//! [`RefType`]: the types of references.

use super::HeapType;
use crate::Engine;
use crate::error::Result;
use meantime_abi as abi;
use meantime_abi::TypeId;
use std::fmt;

/// The type of a reference: to what, and whether null is allowed.
///
/// ```
/// use meantime::{HeapType, RefType};
///
/// let not_null = RefType::new(false, HeapType::Func);
/// assert!(not_null.matches(&RefType::FUNCREF));
/// assert!(!RefType::FUNCREF.matches(&not_null));
/// assert_eq!(not_null.to_string(), "(ref func)");
/// ```
#[derive(Clone, Hash)]
pub struct RefType {
    is_nullable: bool,
    heap_type: HeapType,
}

macro_rules! nullable {
    ($($name:ident = $heap:ident $text:literal,)*) => {
        impl RefType {
            $(
                #[doc = concat!("`(ref null ", $text, ")`.")]
                pub const $name: Self = RefType { is_nullable: true, heap_type: HeapType::$heap };
            )*
        }
    };
}

nullable! {
    EXTERNREF = Extern "extern",
    NULLEXTERNREF = NoExtern "noextern",
    FUNCREF = Func "func",
    NULLFUNCREF = NoFunc "nofunc",
    ANYREF = Any "any",
    EQREF = Eq "eq",
    I31REF = I31 "i31",
    ARRAYREF = Array "array",
    STRUCTREF = Struct "struct",
    NULLREF = None "none",
    CONTREF = Cont "cont",
    NULLCONTREF = NoCont "nocont",
    EXNREF = Exn "exn",
    NULLEXNREF = NoExn "noexn",
}

impl RefType {
    /// References to this heap type.
    pub fn new(is_nullable: bool, heap_type: HeapType) -> RefType {
        RefType {
            is_nullable,
            heap_type,
        }
    }

    /// Whether null is a value of this type.
    pub fn is_nullable(&self) -> bool {
        self.is_nullable
    }

    /// What it refers to.
    pub fn heap_type(&self) -> &HeapType {
        &self.heap_type
    }

    /// Whether every reference of this type is one of the other: whether it is a subtype.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn matches(&self, other: &RefType) -> bool {
        (other.is_nullable || !self.is_nullable) && self.heap_type.matches(&other.heap_type)
    }

    /// Whether both are the same type.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn eq(a: &RefType, b: &RefType) -> bool {
        a.matches(b) && b.matches(a)
    }

    pub(crate) fn comes_from_same_engine(&self, engine: &Engine) -> bool {
        self.heap_type.comes_from_same_engine(engine)
    }

    pub(crate) fn from_abi(engine: &Engine, ty: abi::RefType<TypeId>) -> RefType {
        RefType::new(ty.nullable, HeapType::from_abi(engine, ty.heap))
    }

    /// An error for a type that compiled code cannot have yet.
    pub(crate) fn to_abi(&self) -> Result<abi::RefType<TypeId>> {
        Ok(abi::RefType {
            nullable: self.is_nullable,
            heap: self.heap_type.to_abi()?,
        })
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let null = if self.is_nullable { "null " } else { "" };
        write!(f, "(ref {null}{})", self.heap_type)
    }
}

impl fmt::Debug for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
