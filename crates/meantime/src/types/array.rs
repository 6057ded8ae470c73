//! [`ArrayType`]: the types of arrays.

use super::composite::Composite;
use super::{FieldType, Finality, Mutability, StorageType, assert_same_engine};
use crate::Engine;
use crate::error::{Result, ensure};
use crate::type_registry::RegisteredType;
use meantime_abi::{CompositeType, TypeId};
use std::fmt;

/// The type of an array.
///
/// ```
/// use meantime::{ArrayType, Engine, FieldType, Mutability, StorageType};
///
/// let engine = Engine::default();
/// let bytes = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I8));
/// assert_eq!(bytes.to_string(), "(array (field (mut i8)))");
/// assert!(bytes.mutability().is_var() && bytes.element_type().is_i8());
/// ```
#[derive(Debug, Clone, Hash)]
pub struct ArrayType {
    composite: Composite,
}

impl ArrayType {
    /// An array of these elements, which is final and has no supertype.
    ///
    /// # Panics
    ///
    /// When a type is of another engine, or one that this version of Meantime does not support (references to
    /// continuations).
    #[track_caller]
    pub fn new(engine: &Engine, field_type: FieldType) -> Self {
        ArrayType::with_finality_and_supertype(engine, Finality::Final, None, field_type)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// An array of these elements with this place in the hierarchy.
    ///
    /// # Errors
    ///
    /// When the supertype is final or its elements are not matched by those here.
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    #[track_caller]
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&Self>,
        field_type: FieldType,
    ) -> Result<Self> {
        assert!(
            field_type.comes_from_same_engine(engine),
            "types of different engines cannot be used together"
        );
        if let Some(supertype) = supertype {
            assert_same_engine(engine, supertype.engine());
            ensure!(
                supertype.finality().is_non_final(),
                "cannot create a subtype of a final supertype"
            );
            ensure!(
                field_type.matches(&supertype.field_type()),
                "array field type must match its supertype's field type"
            );
        }
        let ty = CompositeType::Array(field_type.to_abi()?);
        let supertype = supertype.map(|ty| ty.id());
        Ok(ArrayType {
            composite: Composite::new(engine, finality.is_final(), supertype, ty)?,
        })
    }

    /// The engine that it belongs to.
    pub fn engine(&self) -> &Engine {
        self.composite.engine()
    }

    /// Whether it can have subtypes.
    pub fn finality(&self) -> Finality {
        Finality::from_bool(self.composite.definition().is_final)
    }

    /// Its declared supertype.
    pub fn supertype(&self) -> Option<Self> {
        let composite = self.composite.supertype()?;
        Some(ArrayType { composite })
    }

    /// The type of its elements.
    pub fn field_type(&self) -> FieldType {
        match &self.composite.definition().composite {
            CompositeType::Array(ty) => FieldType::from_abi(self.engine(), *ty),
            _ => unreachable!("checked when it was made"),
        }
    }

    /// Whether its elements can be set.
    pub fn mutability(&self) -> Mutability {
        self.field_type().mutability()
    }

    /// What its elements hold.
    pub fn element_type(&self) -> StorageType {
        self.field_type().element_type().clone()
    }

    /// Whether this is the other type or has it among its declared supertypes.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    #[track_caller]
    pub fn matches(&self, other: &ArrayType) -> bool {
        self.composite.is_subtype_of(&other.composite)
    }

    /// Whether both are the same type.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    #[track_caller]
    pub fn eq(a: &ArrayType, b: &ArrayType) -> bool {
        Composite::eq(&a.composite, &b.composite)
    }

    /// The type with this id, which must be a living array type of the engine.
    ///
    /// # Panics
    ///
    /// When it is not.
    pub(crate) fn from_id(engine: &Engine, id: TypeId) -> ArrayType {
        let composite = Composite::from_id(engine, id);
        assert!(matches!(
            composite.definition().composite,
            CompositeType::Array(_)
        ));
        ArrayType { composite }
    }

    /// Its place in the engine's registry, which keeps it alive.
    pub(crate) fn registered(&self) -> &RegisteredType {
        self.composite.registered()
    }

    /// Its id, which means this type as long as this or a clone lives.
    pub(crate) fn id(&self) -> TypeId {
        self.composite.id()
    }
}

impl fmt::Display for ArrayType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(array (field {}))", self.field_type())
    }
}
