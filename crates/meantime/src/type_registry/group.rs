//! A recursion group and the handle to one of its types.
//!
//! Both can be read without the registry's lock: a group never changes.

use super::{Shared, TypeRegistry};
use meantime_abi::{GcLayout, SubType, TypeId};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// A reference in a group's key.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum GroupRef {
    /// To this type of the same group.
    Local(u32),
    /// To a type of another group.
    Canonical(TypeId),
}

/// A type of a group.
#[derive(Debug)]
pub(crate) struct Member {
    id: TypeId,
    ty: SubType<TypeId>,
    /// From the topmost down to the declared supertype.
    supertypes: Box<[TypeId]>,
    /// How objects of it lie in a heap, once somebody asked.
    layout: OnceLock<GcLayout>,
}

impl Member {
    pub(super) fn new(id: TypeId, ty: SubType<TypeId>, supertypes: Box<[TypeId]>) -> Member {
        Member {
            id,
            ty,
            supertypes,
            layout: OnceLock::new(),
        }
    }

    pub(super) fn id(&self) -> TypeId {
        self.id
    }

    /// How many supertypes it has.
    pub(super) fn depth(&self) -> usize {
        self.supertypes.len()
    }

    pub(super) fn ty(&self) -> &SubType<TypeId> {
        &self.ty
    }

    pub(super) fn supertypes(&self) -> &[TypeId] {
        &self.supertypes
    }

    /// The supertypes of a direct subtype: from the topmost down to this.
    pub(super) fn supertypes_and_self(&self) -> Box<[TypeId]> {
        self.supertypes.iter().copied().chain([self.id]).collect()
    }
}

/// A recursion group. Its types keep their ids as long as it lives.
pub(crate) struct RecGroup {
    shared: Arc<Shared>,
    key: Arc<[SubType<GroupRef>]>,
    members: Box<[Member]>,
    /// Keeps alive what the types refer to, and so the meaning of the key.
    refers_to: Vec<Arc<RecGroup>>,
}

impl RecGroup {
    pub(super) fn new(
        shared: Arc<Shared>,
        key: Arc<[SubType<GroupRef>]>,
        members: Box<[Member]>,
        refers_to: Vec<Arc<RecGroup>>,
    ) -> Arc<RecGroup> {
        Arc::new(RecGroup {
            shared,
            key,
            members,
            refers_to,
        })
    }

    pub(super) fn key(&self) -> &[SubType<GroupRef>] {
        &self.key
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }
}

impl Drop for RecGroup {
    fn drop(&mut self) {
        self.shared.write().forget(self);
        // Groups refer to groups in chains as long as a module likes: let go of them in a loop, not in a recursion.
        // What a group refers to outlives it, since its key would otherwise name ids that are free.
        let mut released = std::mem::take(&mut self.refers_to);
        while let Some(group) = released.pop() {
            if let Some(mut group) = Arc::into_inner(group) {
                released.append(&mut group.refers_to);
            }
        }
    }
}

impl fmt::Debug for RecGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&*self.members).finish()
    }
}

/// A type of an engine. Keeps it, and so its id, alive; a clone is cheap.
#[derive(Clone)]
pub(crate) struct RegisteredType {
    group: Arc<RecGroup>,
    index: u32,
}

impl RegisteredType {
    pub(super) fn new(group: Arc<RecGroup>, index: u32) -> RegisteredType {
        RegisteredType { group, index }
    }

    fn member(&self) -> &Member {
        &self.group.members[self.index as usize]
    }

    /// Its id. Means this type only as long as the type lives.
    pub(crate) fn id(&self) -> TypeId {
        self.member().id
    }

    /// Its definition.
    pub(crate) fn ty(&self) -> &SubType<TypeId> {
        &self.member().ty
    }

    /// How objects of it lie in a heap; of a function type, exceptions whose tag has it.
    pub(crate) fn layout(&self) -> &GcLayout {
        let member = self.member();
        member
            .layout
            .get_or_init(|| GcLayout::of(&member.ty.composite))
    }

    /// All its supertypes, from the topmost down to the declared one.
    pub(crate) fn supertypes(&self) -> &[TypeId] {
        self.member().supertypes()
    }

    /// The type's declared supertype.
    pub(crate) fn supertype(&self) -> Option<RegisteredType> {
        self.registry().lookup(self.ty().supertype?)
    }

    /// Whether this is the other type or has it among its supertypes.
    ///
    /// Constant time: if it has, the other stands among this type's supertypes at the place that is its depth.
    pub(crate) fn is_subtype_of(&self, other: &RegisteredType) -> bool {
        let (sub, sup) = (self.member(), other.member());
        let same_registry = Arc::ptr_eq(&self.group.shared, &other.group.shared);
        let at_depth = sub.supertypes.get(sup.depth());
        same_registry && (sub.id == sup.id || at_depth == Some(&sup.id))
    }

    fn registry(&self) -> TypeRegistry {
        TypeRegistry {
            shared: self.group.shared.clone(),
        }
    }
}

impl PartialEq for RegisteredType {
    fn eq(&self, other: &RegisteredType) -> bool {
        self.id() == other.id() && Arc::ptr_eq(&self.group.shared, &other.group.shared)
    }
}

impl Eq for RegisteredType {}

impl Hash for RegisteredType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for RegisteredType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredType")
            .field("id", &self.id())
            .field("ty", self.ty())
            .finish()
    }
}
