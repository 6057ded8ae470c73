//! What function, structure and array types have in common: a definition in an engine's registry.

use super::assert_same_engine;
use crate::Engine;
use crate::error::Result;
use crate::type_registry::RegisteredType;
use meantime_abi::{CompositeType, SubType, TypeId};
use std::fmt;
use std::hash::{Hash, Hasher};

/// A definition and the engine that has it.
#[derive(Clone)]
pub(super) struct Composite {
    engine: Engine,
    registered: RegisteredType,
}

impl Composite {
    /// Registers a definition by itself. Whoever refers to other types in it keeps them alive until this returns.
    pub(super) fn new(
        engine: &Engine,
        is_final: bool,
        supertype: Option<TypeId>,
        composite: CompositeType<TypeId>,
    ) -> Result<Composite> {
        let definition = SubType {
            is_final,
            supertype,
            composite,
        };
        Ok(Composite {
            engine: engine.clone(),
            registered: engine.types().register(&definition)?,
        })
    }

    /// The type with this id.
    ///
    /// # Panics
    ///
    /// When the engine has none: who has the id of a type also keeps the type alive.
    pub(super) fn from_id(engine: &Engine, id: TypeId) -> Composite {
        let registered = engine.types().lookup(id);
        Composite {
            engine: engine.clone(),
            registered: registered.expect("a type whose id is in use lives"),
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn id(&self) -> TypeId {
        self.registered.id()
    }

    pub(super) fn registered(&self) -> &RegisteredType {
        &self.registered
    }

    pub(super) fn definition(&self) -> &SubType<TypeId> {
        self.registered.ty()
    }

    pub(super) fn supertype(&self) -> Option<Composite> {
        Some(Composite {
            engine: self.engine.clone(),
            registered: self.registered.supertype()?,
        })
    }

    /// Whether the declared hierarchy has this at or below the other.
    #[track_caller]
    pub(super) fn is_subtype_of(&self, other: &Composite) -> bool {
        assert_same_engine(&self.engine, &other.engine);
        self.registered.is_subtype_of(&other.registered)
    }

    #[track_caller]
    pub(super) fn eq(a: &Composite, b: &Composite) -> bool {
        assert_same_engine(&a.engine, &b.engine);
        a.id() == b.id()
    }
}

impl fmt::Debug for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registered.fmt(f)
    }
}

impl Hash for Composite {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.registered.hash(state);
    }
}
