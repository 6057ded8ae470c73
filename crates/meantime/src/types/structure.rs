//! [`StructType`]: the types of structures.

use super::composite::Composite;
use super::{FieldType, Finality, assert_same_engine};
use crate::Engine;
use crate::error::{Result, ensure};
use crate::type_registry::RegisteredType;
use meantime_abi as abi;
use meantime_abi::{CompositeType, TypeId};
use std::fmt;

/// How many fields a structure may have; the same bound holds for modules.
const MAX_FIELDS: usize = 10_000;

/// The type of a structure.
///
/// ```
/// use meantime::{Engine, FieldType, Finality, Mutability, StorageType, StructType, ValType};
///
/// # fn main() -> meantime::Result<()> {
/// let engine = Engine::default();
/// let byte = FieldType::new(Mutability::Var, StorageType::I8);
/// let base = StructType::with_finality_and_supertype(&engine, Finality::NonFinal, None, [byte.clone()])?;
/// let more = FieldType::new(Mutability::Const, ValType::I64.into());
/// let derived =
///     StructType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), [byte, more])?;
/// assert_eq!(derived.to_string(), "(struct (field (mut i8)) (field i64))");
/// assert!(derived.matches(&base));
/// assert!(!base.matches(&derived));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Hash)]
pub struct StructType {
    composite: Composite,
}

impl StructType {
    /// A structure with these fields, which is final and has no supertype.
    ///
    /// # Errors
    ///
    /// When there are more than 10,000 fields.
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    #[track_caller]
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = FieldType>) -> Result<Self> {
        StructType::with_finality_and_supertype(engine, Finality::Final, None, fields)
    }

    /// A structure with these fields and this place in the hierarchy.
    ///
    /// # Errors
    ///
    /// When there are more than 10,000 fields, when the supertype is final, or when its fields are not matched by the
    /// first fields here.
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    #[track_caller]
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&Self>,
        fields: impl IntoIterator<Item = FieldType>,
    ) -> Result<Self> {
        // The public types keep alive what they refer to until the new type does.
        let fields: Vec<FieldType> = fields.into_iter().collect();
        for field in &fields {
            assert!(
                field.comes_from_same_engine(engine),
                "types of different engines cannot be used together"
            );
        }
        if let Some(supertype) = supertype {
            assert_same_engine(engine, supertype.engine());
            ensure!(
                supertype.finality().is_non_final(),
                "cannot create a subtype of a final supertype"
            );
            ensure!(
                fields.len() >= supertype.fields().len()
                    && fields
                        .iter()
                        .zip(supertype.fields())
                        .all(|(a, b)| a.matches(&b)),
                "struct fields must match their supertype's fields"
            );
        }
        ensure!(
            fields.len() <= MAX_FIELDS,
            "attempted to define a struct type with {} fields, but that is more than the maximum supported \
             number of fields ({MAX_FIELDS})",
            fields.len()
        );
        let fields_abi: Result<Box<[_]>> = fields.iter().map(FieldType::to_abi).collect();
        let ty = CompositeType::Struct(fields_abi?);
        let supertype = supertype.map(|ty| ty.id());
        Ok(StructType {
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
        Some(StructType { composite })
    }

    fn abi(&self) -> &[abi::FieldType<TypeId>] {
        match &self.composite.definition().composite {
            CompositeType::Struct(fields) => fields,
            _ => unreachable!("checked when it was made"),
        }
    }

    /// The type of a field, counted from zero.
    pub fn field(&self, i: usize) -> Option<FieldType> {
        Some(FieldType::from_abi(self.engine(), *self.abi().get(i)?))
    }

    /// The types of its fields.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        let fields = self.abi().iter();
        fields.map(|ty| FieldType::from_abi(self.engine(), *ty))
    }

    /// Whether this is the other type or has it among its declared supertypes.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    #[track_caller]
    pub fn matches(&self, other: &StructType) -> bool {
        self.composite.is_subtype_of(&other.composite)
    }

    /// Whether both are the same type.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    #[track_caller]
    pub fn eq(a: &StructType, b: &StructType) -> bool {
        Composite::eq(&a.composite, &b.composite)
    }

    /// The type with this id, which must be a living structure type of the engine.
    ///
    /// # Panics
    ///
    /// When it is not.
    pub(crate) fn from_id(engine: &Engine, id: TypeId) -> StructType {
        let composite = Composite::from_id(engine, id);
        assert!(matches!(
            composite.definition().composite,
            CompositeType::Struct(_)
        ));
        StructType { composite }
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

impl fmt::Display for StructType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(struct")?;
        for field in self.fields() {
            write!(f, " (field {field})")?;
        }
        f.write_str(")")
    }
}
