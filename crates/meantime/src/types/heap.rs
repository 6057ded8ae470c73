//! [`HeapType`]: what a reference refers to.

use super::{ArrayType, ContType, ExnType, FuncType, StructType};
use crate::Engine;
use crate::error::{Result, bail};
use meantime_abi as abi;
use meantime_abi::{CompositeKind, TypeId};
use std::fmt;

/// What a reference refers to.
///
/// There are five hierarchies that have nothing in common, each with a top and a bottom (which no value has but null):
///
/// | top | below it | bottom |
/// |---|---|---|
/// | `extern` | | `noextern` |
/// | `func` | function types | `nofunc` |
/// | `any` | `eq`; below that `i31`, `struct` with structure types, `array` with array types | `none` |
/// | `exn` | exception types | `noexn` |
/// | `cont` | continuation types | `nocont` |
///
/// ```
/// use meantime::{Engine, FuncType, HeapType};
///
/// let engine = Engine::default();
/// let concrete = HeapType::from(FuncType::new(&engine, [], []));
/// assert!(concrete.matches(&HeapType::Func));
/// assert!(HeapType::NoFunc.matches(&concrete));
/// assert!(!concrete.matches(&HeapType::Any));
/// assert!(HeapType::eq(&concrete.top(), &HeapType::Func));
/// ```
#[derive(Debug, Clone, Hash)]
pub enum HeapType {
    /// Any value of the host.
    Extern,
    /// No value of the host.
    NoExtern,
    /// Any function.
    Func,
    /// A function of this type.
    ConcreteFunc(FuncType),
    /// No function.
    NoFunc,
    /// Any value of the guest, or value of the host made into one.
    Any,
    /// Any value that can be compared for identity.
    Eq,
    /// 31-bit integers.
    I31,
    /// Any array.
    Array,
    /// An array of this type.
    ConcreteArray(ArrayType),
    /// Any structure.
    Struct,
    /// A structure of this type.
    ConcreteStruct(StructType),
    /// No value of the guest.
    None,
    /// Any exception.
    Exn,
    /// An exception of this type.
    ConcreteExn(ExnType),
    /// No exception.
    NoExn,
    /// Any continuation.
    Cont,
    /// A continuation of this type.
    ConcreteCont(ContType),
    /// No continuation.
    NoCont,
}

use HeapType as H;

macro_rules! is_exactly {
    ($($(#[$doc:meta])* $name:ident = $variant:ident,)*) => {
        impl HeapType {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> bool {
                    matches!(self, HeapType::$variant { .. })
                }
            )*
        }
    };
}

is_exactly! {
    /// Whether it is `extern`.
    is_extern = Extern,
    /// Whether it is `func`.
    is_func = Func,
    /// Whether it is `nofunc`.
    is_no_func = NoFunc,
    /// Whether it is `any`.
    is_any = Any,
    /// Whether it is `i31`.
    is_i31 = I31,
    /// Whether it is `none`.
    is_none = None,
    /// Whether it is `cont`.
    is_cont = Cont,
    /// Whether it is `exn`.
    is_exn = Exn,
    /// Whether it is `noexn`.
    is_no_exn = NoExn,
    /// Whether it is a function type.
    is_concrete_func = ConcreteFunc,
    /// Whether it is an array type.
    is_concrete_array = ConcreteArray,
    /// Whether it is a structure type.
    is_concrete_struct = ConcreteStruct,
    /// Whether it is a continuation type.
    is_concrete_cont = ConcreteCont,
    /// Whether it is an exception type.
    is_concrete_exn = ConcreteExn,
}

macro_rules! concrete {
    ($($what:literal $variant:ident($ty:ty): $get:ident $unwrap:ident,)*) => {$(
        impl HeapType {
            #[doc = concat!("The ", $what, " type, when it is one.")]
            pub fn $get(&self) -> Option<&$ty> {
                match self {
                    HeapType::$variant(ty) => Some(ty),
                    _ => None,
                }
            }

            #[doc = concat!("The ", $what, " type.")]
            ///
            /// # Panics
            ///
            /// When it is none.
            #[track_caller]
            pub fn $unwrap(&self) -> &$ty {
                self.$get().expect(concat!("not a concrete ", $what, " type"))
            }
        }

        impl From<$ty> for HeapType {
            fn from(ty: $ty) -> Self {
                HeapType::$variant(ty)
            }
        }
    )*};
}

concrete! {
    "function" ConcreteFunc(FuncType): as_concrete_func unwrap_concrete_func,
    "array" ConcreteArray(ArrayType): as_concrete_array unwrap_concrete_array,
    "structure" ConcreteStruct(StructType): as_concrete_struct unwrap_concrete_struct,
    "continuation" ConcreteCont(ContType): as_concrete_cont unwrap_concrete_cont,
    "exception" ConcreteExn(ExnType): as_concrete_exn unwrap_concrete_exn,
}

impl HeapType {
    /// Whether it names a type definition.
    pub fn is_concrete(&self) -> bool {
        matches!(
            self,
            H::ConcreteFunc(_)
                | H::ConcreteArray(_)
                | H::ConcreteStruct(_)
                | H::ConcreteCont(_)
                | H::ConcreteExn(_)
        )
    }

    /// Whether it names no type definition.
    pub fn is_abstract(&self) -> bool {
        !self.is_concrete()
    }

    /// The top of its hierarchy.
    pub fn top(&self) -> HeapType {
        match self {
            H::Extern | H::NoExtern => H::Extern,
            H::Func | H::ConcreteFunc(_) | H::NoFunc => H::Func,
            H::Any
            | H::Eq
            | H::I31
            | H::Array
            | H::ConcreteArray(_)
            | H::Struct
            | H::ConcreteStruct(_)
            | H::None => H::Any,
            H::Exn | H::ConcreteExn(_) | H::NoExn => H::Exn,
            H::Cont | H::ConcreteCont(_) | H::NoCont => H::Cont,
        }
    }

    /// Whether it is the top of its hierarchy.
    pub fn is_top(&self) -> bool {
        matches!(self, H::Extern | H::Func | H::Any | H::Exn | H::Cont)
    }

    /// The bottom of its hierarchy.
    pub fn bottom(&self) -> HeapType {
        match self.top() {
            H::Extern => H::NoExtern,
            H::Func => H::NoFunc,
            H::Exn => H::NoExn,
            H::Cont => H::NoCont,
            _ => H::None,
        }
    }

    /// Whether it is the bottom of its hierarchy.
    pub fn is_bottom(&self) -> bool {
        matches!(
            self,
            H::NoExtern | H::NoFunc | H::None | H::NoExn | H::NoCont
        )
    }

    /// Whether everything of this type is of the other: whether it is a subtype.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn matches(&self, other: &HeapType) -> bool {
        if std::mem::discriminant(&self.top()) != std::mem::discriminant(&other.top()) {
            return false;
        }
        // From here on both are of the same hierarchy.
        if self.is_bottom() || other.is_top() {
            return true;
        }
        match (self, other) {
            (H::ConcreteFunc(a), H::ConcreteFunc(b)) => a.composite().is_subtype_of(b.composite()),
            (H::ConcreteArray(a), H::ConcreteArray(b)) => a.matches(b),
            (H::ConcreteStruct(a), H::ConcreteStruct(b)) => a.matches(b),
            (H::ConcreteExn(a), H::ConcreteExn(b)) => a.matches(b),
            (H::ConcreteCont(a), H::ConcreteCont(b)) => a.matches(b),
            (H::Eq, H::Eq) | (H::I31, H::Eq | H::I31) => true,
            (H::Array | H::ConcreteArray(_), H::Eq | H::Array) => true,
            (H::Struct | H::ConcreteStruct(_), H::Eq | H::Struct) => true,
            _ => false,
        }
    }

    /// Whether both are the same type.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    pub fn eq(a: &HeapType, b: &HeapType) -> bool {
        a.matches(b) && b.matches(a)
    }

    pub(crate) fn comes_from_same_engine(&self, engine: &Engine) -> bool {
        let its_own = match self {
            H::ConcreteFunc(ty) => ty.engine(),
            H::ConcreteArray(ty) => ty.engine(),
            H::ConcreteStruct(ty) => ty.engine(),
            H::ConcreteCont(ty) => ty.engine(),
            H::ConcreteExn(ty) => ty.engine(),
            _ => return true,
        };
        Engine::same(its_own, engine)
    }

    pub(crate) fn from_abi(engine: &Engine, ty: abi::HeapType<TypeId>) -> HeapType {
        use abi::HeapType as A;
        match ty {
            A::Func => H::Func,
            A::NoFunc => H::NoFunc,
            A::Extern => H::Extern,
            A::NoExtern => H::NoExtern,
            A::Any => H::Any,
            A::Eq => H::Eq,
            A::I31 => H::I31,
            A::Struct => H::Struct,
            A::Array => H::Array,
            A::None => H::None,
            A::Exn => H::Exn,
            A::NoExn => H::NoExn,
            A::Concrete(CompositeKind::Func, id) => FuncType::from_id(engine, id).into(),
            A::Concrete(CompositeKind::Struct, id) => StructType::from_id(engine, id).into(),
            A::Concrete(CompositeKind::Array, id) => ArrayType::from_id(engine, id).into(),
        }
    }

    /// An error for a type that compiled code cannot have yet.
    pub(crate) fn to_abi(&self) -> Result<abi::HeapType<TypeId>> {
        use abi::HeapType as A;
        Ok(match self {
            H::Func => A::Func,
            H::NoFunc => A::NoFunc,
            H::Extern => A::Extern,
            H::NoExtern => A::NoExtern,
            H::Any => A::Any,
            H::Eq => A::Eq,
            H::I31 => A::I31,
            H::Struct => A::Struct,
            H::Array => A::Array,
            H::None => A::None,
            H::Exn => A::Exn,
            H::NoExn => A::NoExn,
            H::ConcreteFunc(ty) => A::Concrete(CompositeKind::Func, ty.id()),
            H::ConcreteStruct(ty) => A::Concrete(CompositeKind::Struct, ty.id()),
            H::ConcreteArray(ty) => A::Concrete(CompositeKind::Array, ty.id()),
            H::ConcreteExn(_) | H::ConcreteCont(_) | H::Cont | H::NoCont => {
                bail!("references to {self} are not supported by this version of Meantime")
            }
        })
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            H::Extern => "extern",
            H::NoExtern => "noextern",
            H::Func => "func",
            H::NoFunc => "nofunc",
            H::Any => "any",
            H::Eq => "eq",
            H::I31 => "i31",
            H::Array => "array",
            H::Struct => "struct",
            H::None => "none",
            H::Exn => "exn",
            H::NoExn => "noexn",
            H::Cont => "cont",
            H::NoCont => "nocont",
            H::ConcreteFunc(ty) => return write!(f, "(concrete func {})", ty.id().bits()),
            H::ConcreteArray(ty) => return write!(f, "(concrete array {})", ty.id().bits()),
            H::ConcreteStruct(ty) => return write!(f, "(concrete struct {})", ty.id().bits()),
            H::ConcreteExn(ty) => return fmt::Display::fmt(ty, f),
            H::ConcreteCont(ty) => return fmt::Display::fmt(ty, f),
        })
    }
}
