//! [`ValType`]: the types of values.

use super::{HeapType, RefType};
use crate::Engine;
use crate::error::Result;
use meantime_abi as abi;
use meantime_abi::TypeId;
use std::fmt;

/// The type of a value.
///
/// There is no `==`, since there is subtyping too: ask [`ValType::eq`] or [`ValType::matches`].
///
/// ```
/// use meantime::ValType;
///
/// assert!(ValType::NULLFUNCREF.matches(&ValType::FUNCREF));
/// assert!(!ValType::eq(&ValType::NULLFUNCREF, &ValType::FUNCREF));
/// assert_eq!(ValType::FUNCREF.to_string(), "(ref null func)");
/// assert!(ValType::I32.is_num());
/// ```
#[derive(Clone, Hash)]
pub enum ValType {
    /// Signed or unsigned 32-bit integer.
    I32,
    /// Signed or unsigned 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
    /// A reference.
    Ref(RefType),
}

macro_rules! reference_types {
    ($($name:ident = $text:literal,)*) => {
        impl ValType {
            $(
                #[doc = concat!("`", $text, "`, the same as `", stringify!($name), "` of the text format.")]
                pub const $name: Self = ValType::Ref(RefType::$name);
            )*
        }
    };
}

reference_types! {
    EXTERNREF = "(ref null extern)",
    NULLEXTERNREF = "(ref null noextern)",
    FUNCREF = "(ref null func)",
    NULLFUNCREF = "(ref null nofunc)",
    ANYREF = "(ref null any)",
    EQREF = "(ref null eq)",
    I31REF = "(ref null i31)",
    ARRAYREF = "(ref null array)",
    STRUCTREF = "(ref null struct)",
    NULLREF = "(ref null none)",
    CONTREF = "(ref null cont)",
    NULLCONTREF = "(ref null nocont)",
    EXNREF = "(ref null exn)",
    NULLEXNREF = "(ref null noexn)",
}

impl ValType {
    /// Whether it is one of the four types of numbers.
    pub fn is_num(&self) -> bool {
        matches!(
            self,
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64
        )
    }

    /// Whether it is `i32`.
    pub fn is_i32(&self) -> bool {
        matches!(self, ValType::I32)
    }

    /// Whether it is `i64`.
    pub fn is_i64(&self) -> bool {
        matches!(self, ValType::I64)
    }

    /// Whether it is `f32`.
    pub fn is_f32(&self) -> bool {
        matches!(self, ValType::F32)
    }

    /// Whether it is `f64`.
    pub fn is_f64(&self) -> bool {
        matches!(self, ValType::F64)
    }

    /// Whether it is `v128`.
    pub fn is_v128(&self) -> bool {
        matches!(self, ValType::V128)
    }

    /// Whether it is a reference type.
    pub fn is_ref(&self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// Whether it is the reference type to null or a value of exactly this heap type.
    fn is_nullable(&self, is_heap: impl FnOnce(&HeapType) -> bool) -> bool {
        self.as_ref()
            .is_some_and(|r| r.is_nullable() && is_heap(r.heap_type()))
    }

    /// Whether it is exactly `funcref`.
    pub fn is_funcref(&self) -> bool {
        self.is_nullable(|heap| matches!(heap, HeapType::Func))
    }

    /// Whether it is exactly `externref`.
    pub fn is_externref(&self) -> bool {
        self.is_nullable(|heap| matches!(heap, HeapType::Extern))
    }

    /// Whether it is exactly `anyref`.
    pub fn is_anyref(&self) -> bool {
        self.is_nullable(|heap| matches!(heap, HeapType::Any))
    }

    /// Whether it is exactly `contref`.
    pub fn is_contref(&self) -> bool {
        self.is_nullable(|heap| matches!(heap, HeapType::Cont))
    }

    /// The reference type, when it is one.
    pub fn as_ref(&self) -> Option<&RefType> {
        match self {
            ValType::Ref(r) => Some(r),
            _ => None,
        }
    }

    /// The reference type.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[track_caller]
    pub fn unwrap_ref(&self) -> &RefType {
        self.as_ref()
            .expect("ValType::unwrap_ref on a non-reference type")
    }

    /// Whether every value of this type is one of the other: whether it is a subtype.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn matches(&self, other: &ValType) -> bool {
        match (self, other) {
            (ValType::Ref(a), ValType::Ref(b)) => a.matches(b),
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
        self.as_ref()
            .is_none_or(|r| r.comes_from_same_engine(engine))
    }

    pub(crate) fn from_abi(engine: &Engine, ty: abi::ValType<TypeId>) -> ValType {
        match ty {
            abi::ValType::I32 => ValType::I32,
            abi::ValType::I64 => ValType::I64,
            abi::ValType::F32 => ValType::F32,
            abi::ValType::F64 => ValType::F64,
            abi::ValType::V128 => ValType::V128,
            abi::ValType::Ref(r) => ValType::Ref(RefType::from_abi(engine, r)),
        }
    }

    /// An error for a type that compiled code cannot have yet.
    pub(crate) fn to_abi(&self) -> Result<abi::ValType<TypeId>> {
        Ok(match self {
            ValType::I32 => abi::ValType::I32,
            ValType::I64 => abi::ValType::I64,
            ValType::F32 => abi::ValType::F32,
            ValType::F64 => abi::ValType::F64,
            ValType::V128 => abi::ValType::V128,
            ValType::Ref(r) => abi::ValType::Ref(r.to_abi()?),
        })
    }
}

impl From<RefType> for ValType {
    fn from(r: RefType) -> Self {
        ValType::Ref(r)
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValType::I32 => f.write_str("i32"),
            ValType::I64 => f.write_str("i64"),
            ValType::F32 => f.write_str("f32"),
            ValType::F64 => f.write_str("f64"),
            ValType::V128 => f.write_str("v128"),
            ValType::Ref(r) => fmt::Display::fmt(r, f),
        }
    }
}

impl fmt::Debug for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
