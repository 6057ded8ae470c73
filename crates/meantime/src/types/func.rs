//! [`FuncType`]: the types of functions.

use super::composite::Composite;
use super::{Finality, ValType, assert_same_engine};
use crate::Engine;
use crate::error::{OutOfMemory, Result, ensure};
use crate::type_registry::RegisteredType;
use meantime_abi as abi;
use meantime_abi::{CompositeType, TypeId};
use std::fmt;

/// The type of a function.
///
/// ```
/// use meantime::{Engine, FuncType, ValType};
///
/// let engine = Engine::default();
/// let ty = FuncType::new(&engine, [ValType::I32, ValType::I64], [ValType::F32]);
/// assert_eq!(ty.to_string(), "(type (func (param i32 i64) (result f32)))");
/// assert_eq!(ty.params().len(), 2);
/// assert!(ty.result(0).unwrap().is_f32());
/// assert!(FuncType::eq(&ty, &ty.clone()));
/// ```
#[derive(Debug, Clone, Hash)]
pub struct FuncType {
    composite: Composite,
}

impl FuncType {
    /// A function with these parameters and results, which is final and has no supertype.
    ///
    /// # Panics
    ///
    /// When a type is of another engine, or one that this version of Meantime does not support (references to
    /// continuations).
    #[track_caller]
    pub fn new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        FuncType::with_finality_and_supertype(engine, Finality::Final, None, params, results)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`FuncType::new`].
    ///
    /// # Errors
    ///
    /// When there is no memory left.
    ///
    /// # Panics
    ///
    /// As [`FuncType::new`].
    #[track_caller]
    pub fn try_new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<FuncType, OutOfMemory> {
        Ok(FuncType::new(engine, params, results))
    }

    /// A function with these parameters and results and this place in the hierarchy.
    ///
    /// # Errors
    ///
    /// When the supertype is final, or the parameters and results do not match its: every parameter of the supertype must
    /// be a subtype of the parameter here, and every result here one of the result there.
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    #[track_caller]
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&Self>,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<Self> {
        // The public types keep alive what they refer to until the new type does.
        let params: Vec<ValType> = params.into_iter().collect();
        let results: Vec<ValType> = results.into_iter().collect();
        for ty in params.iter().chain(&results) {
            assert!(
                ty.comes_from_same_engine(engine),
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
                signature_matches(
                    params.iter().cloned(),
                    supertype.params(),
                    results.iter().cloned(),
                    supertype.results()
                ),
                "function type must match its supertype: found {}, expected {supertype}",
                Signature(&params, &results)
            );
        }
        let to_abi =
            |types: &[ValType]| -> Result<Box<[_]>> { types.iter().map(ValType::to_abi).collect() };
        let ty = abi::FuncType {
            params: to_abi(&params)?,
            results: to_abi(&results)?,
        };
        let supertype = supertype.map(|ty| ty.id());
        Ok(FuncType {
            composite: Composite::new(
                engine,
                finality.is_final(),
                supertype,
                CompositeType::Func(ty),
            )?,
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
        Some(FuncType { composite })
    }

    fn value(&self, ty: Option<&abi::ValType<TypeId>>) -> Option<ValType> {
        Some(ValType::from_abi(self.engine(), *ty?))
    }

    /// The type of a parameter, counted from zero.
    pub fn param(&self, i: usize) -> Option<ValType> {
        self.value(self.abi().params.get(i))
    }

    /// The types of its parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        let params = self.abi().params.iter();
        params.map(|ty| ValType::from_abi(self.engine(), *ty))
    }

    /// The type of a result, counted from zero.
    pub fn result(&self, i: usize) -> Option<ValType> {
        self.value(self.abi().results.get(i))
    }

    /// The types of its results.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        let results = self.abi().results.iter();
        results.map(|ty| ValType::from_abi(self.engine(), *ty))
    }

    /// Whether a function of this type can stand where one of the other is expected: it takes at least what that takes,
    /// and gives at most what that gives. Names in no declared hierarchy are needed for that.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    #[track_caller]
    pub fn matches(&self, other: &FuncType) -> bool {
        Composite::eq(&self.composite, &other.composite)
            || signature_matches(
                self.params(),
                other.params(),
                self.results(),
                other.results(),
            )
    }

    /// Whether both are the same type.
    ///
    /// # Panics
    ///
    /// When the types are of different engines.
    #[track_caller]
    pub fn eq(a: &FuncType, b: &FuncType) -> bool {
        Composite::eq(&a.composite, &b.composite)
    }

    pub(super) fn composite(&self) -> &Composite {
        &self.composite
    }

    /// The type with this id, which must be a living function type of the engine.
    ///
    /// # Panics
    ///
    /// When it is not.
    pub(crate) fn from_id(engine: &Engine, id: TypeId) -> FuncType {
        let composite = Composite::from_id(engine, id);
        assert!(composite.definition().as_func().is_some());
        FuncType { composite }
    }

    /// Its place in the engine's registry, which keeps it alive.
    pub(crate) fn registered(&self) -> &RegisteredType {
        self.composite.registered()
    }

    /// Its id, which means this type as long as this or a clone lives.
    pub(crate) fn id(&self) -> TypeId {
        self.composite.id()
    }

    /// The type as the runtime knows it.
    pub(crate) fn abi(&self) -> &abi::FuncType<TypeId> {
        let ty = self.composite.definition().as_func();
        ty.expect("checked when it was made")
    }
}

/// Parameters may become wider, results narrower.
fn signature_matches(
    a_params: impl ExactSizeIterator<Item = ValType>,
    b_params: impl ExactSizeIterator<Item = ValType>,
    a_results: impl ExactSizeIterator<Item = ValType>,
    b_results: impl ExactSizeIterator<Item = ValType>,
) -> bool {
    a_params.len() == b_params.len()
        && a_results.len() == b_results.len()
        && a_params.zip(b_params).all(|(a, b)| b.matches(&a))
        && a_results.zip(b_results).all(|(a, b)| a.matches(&b))
}

/// A function type in the text format.
struct Signature<'a>(&'a [ValType], &'a [ValType]);

impl fmt::Display for Signature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(func")?;
        for (name, types) in [("param", self.0), ("result", self.1)] {
            if !types.is_empty() {
                write!(f, " ({name}")?;
                for ty in types {
                    write!(f, " {ty}")?;
                }
                f.write_str(")")?;
            }
        }
        f.write_str(")")
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<ValType> = self.params().collect();
        let results: Vec<ValType> = self.results().collect();
        write!(f, "(type {})", Signature(&params, &results))
    }
}
