//! The canonical types of an engine: equal types of all its modules and of the host get the same [`TypeId`].
//!
//! The specification equates types by whole recursion groups, so groups are what is kept, each once. A group's key is
//! its types with every reference either local (the n-th type of this group) or canonical (a [`TypeId`]); the keys of
//! equal groups are equal. A group lives as long as somebody holds it (a module, a type of the embedder, another group
//! that refers to it), and gives its ids back after that.
//!
//! The one idea: everything is owned through `Arc<RecGroup>`; the registry itself holds only weak references, and so
//! is never a reason for a type to live. Nothing is global and no thread runs; an engine without types costs nothing.

mod group;
#[cfg(test)]
mod tests;

pub(crate) use group::{RecGroup, RegisteredType};

use crate::error::{Result, ensure};
use group::{GroupRef, Member};
use meantime_abi::entity::PrimaryMap;
use meantime_abi::{CompositeType, SubType, TypeId, TypeIndex};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

/// How many supertypes a type may have. The validator holds modules to the same bound.
const MAX_SUPERTYPES: usize = 63;

/// The canonical types of an engine. A clone is the same registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypeRegistry {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Every group by its key. An entry whose group is gone is on its way out.
    groups: HashMap<Arc<[SubType<GroupRef>]>, Weak<RecGroup>>,
    /// By [`TypeId`]: the group, and which of its types it is.
    places: Vec<Option<(Weak<RecGroup>, u32)>>,
    /// Ids without a type.
    free: Vec<TypeId>,
}

impl Shared {
    /// Panics elsewhere leave the state as it was or complete, so that poison means nothing.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Shared::read`]. Who holds the guard must not drop the last reference to a group: that takes the lock too.
    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The canonical types of a module. Keeps them alive.
#[derive(Debug)]
pub(crate) struct ModuleTypes {
    ids: Box<[TypeId]>,
    groups: Box<[Arc<RecGroup>]>,
}

impl ModuleTypes {
    /// The canonical type of each type of the module, by [`TypeIndex`]. Its address never changes.
    pub(crate) fn ids(&self) -> &[TypeId] {
        &self.ids
    }

    /// The canonical type of one of the module's.
    ///
    /// # Panics
    ///
    /// When the module has no such type.
    pub(crate) fn id(&self, index: TypeIndex) -> TypeId {
        self.ids[index.as_u32() as usize]
    }

    /// Every type of the module: its id, its supertypes from the topmost down to the declared one, and its definition.
    pub(crate) fn definitions(
        &self,
    ) -> impl Iterator<Item = (TypeId, &[TypeId], &CompositeType<TypeId>)> {
        let members = self.groups.iter().flat_map(|group| group.members());
        members.map(|m| (m.id(), m.supertypes(), &m.ty().composite))
    }
}

impl TypeRegistry {
    /// A registry without types.
    pub(crate) fn new() -> TypeRegistry {
        TypeRegistry::default()
    }

    /// Registers the types of a module: `groups` are consecutive ranges that cover all of `types`.
    ///
    /// # Errors
    ///
    /// When a type refers to one of a later group, or has too many supertypes; both cannot be in a validated module.
    pub(crate) fn register_module(
        &self,
        types: &PrimaryMap<TypeIndex, SubType>,
        groups: impl IntoIterator<Item = Range<u32>>,
    ) -> Result<ModuleTypes> {
        let types = types.as_values_slice();
        let mut ids: Vec<TypeId> = Vec::with_capacity(types.len());
        // Declared before the guard, so that on an early return the groups are dropped after the lock is.
        let mut registered: Vec<Arc<RecGroup>> = Vec::new();
        let mut state = self.shared.write();
        for range in groups {
            let (start, end) = (range.start, range.end);
            let members = types.get(start as usize..end as usize);
            ensure!(
                start as usize == ids.len() && members.is_some(),
                "recursion group {start}..{end} does not follow the one before it"
            );
            let mut later = None;
            let canonical = |index: TypeIndex| {
                let index = index.as_u32();
                match ids.get(index as usize) {
                    Some(&id) => GroupRef::Canonical(id),
                    None => {
                        if index >= end {
                            later = Some(index);
                        }
                        GroupRef::Local(index - start)
                    }
                }
            };
            let key = map_all(members.unwrap_or_default(), canonical);
            if let Some(index) = later {
                let error = "refers to a type of a later recursion group";
                crate::bail!("recursion group {start}..{end} {error}: {index}");
            }
            let group = state.group(&self.shared, key)?;
            ids.extend(group.members().iter().map(Member::id));
            registered.push(group);
        }
        drop(state);
        ensure!(
            ids.len() == types.len(),
            "recursion groups do not cover all types"
        );
        Ok(ModuleTypes {
            ids: ids.into(),
            groups: registered.into(),
        })
    }

    /// Registers one type by itself. The caller keeps alive the types that it refers to until this returns.
    ///
    /// # Errors
    ///
    /// When it has too many supertypes.
    ///
    /// # Panics
    ///
    /// When it refers to an id that is not of a type of this registry.
    pub(crate) fn register(&self, ty: &SubType<TypeId>) -> Result<RegisteredType> {
        let key = map_all(std::slice::from_ref(ty), GroupRef::Canonical);
        let group = self.shared.write().group(&self.shared, key)?;
        Ok(RegisteredType::new(group, 0))
    }

    /// The type with this id, if there is one.
    pub(crate) fn lookup(&self, id: TypeId) -> Option<RegisteredType> {
        let (group, index) = self.shared.read().place(id)?;
        Some(RegisteredType::new(group, index))
    }

    /// Whether `sub` is `sup` or has it among its supertypes. False for ids that are not of this registry's types.
    pub(crate) fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        if sub == sup {
            return true;
        }
        let (sub, sup) = {
            let state = self.shared.read();
            (state.place(sub), state.place(sup))
        };
        match (sub, sup) {
            (Some((a, i)), Some((b, j))) => {
                RegisteredType::new(a, i).is_subtype_of(&RegisteredType::new(b, j))
            }
            _ => false,
        }
    }

    /// How many types there are.
    #[cfg(test)]
    fn len(&self) -> usize {
        let state = self.shared.read();
        state.places.iter().flatten().count()
    }
}

fn map_all<T: Copy, U>(types: &[SubType<T>], mut f: impl FnMut(T) -> U) -> Vec<SubType<U>> {
    types.iter().map(|ty| ty.map(&mut f)).collect()
}

impl State {
    fn place(&self, id: TypeId) -> Option<(Arc<RecGroup>, u32)> {
        let (group, index) = self.places.get(id.as_u32() as usize)?.as_ref()?;
        Some((group.upgrade()?, *index))
    }

    /// The group with this key: the one that is there, or a new one.
    fn group(
        &mut self,
        shared: &Arc<Shared>,
        key: Vec<SubType<GroupRef>>,
    ) -> Result<Arc<RecGroup>> {
        if let Some(group) = self.groups.get(&*key).and_then(Weak::upgrade) {
            return Ok(group);
        }
        self.check_depths(&key)?;
        let ids: Vec<TypeId> = key.iter().map(|_| self.allocate()).collect();
        let resolve = |r| match r {
            GroupRef::Local(index) => ids[index as usize],
            GroupRef::Canonical(id) => id,
        };
        let mut members: Vec<Member> = Vec::with_capacity(key.len());
        for (ty, &id) in key.iter().zip(&ids) {
            let supertypes = match ty.supertype {
                None => Box::default(),
                Some(GroupRef::Local(index)) => members[index as usize].supertypes_and_self(),
                Some(GroupRef::Canonical(id)) => self.member(id, Member::supertypes_and_self),
            };
            members.push(Member::new(id, ty.map(resolve), supertypes));
        }
        let refers_to = self.refers_to(&key);
        let key: Arc<[_]> = key.into();
        let group = RecGroup::new(shared.clone(), key.clone(), members.into(), refers_to);
        for (index, id) in (0..).zip(&ids) {
            self.places[id.as_u32() as usize] = Some((Arc::downgrade(&group), index));
        }
        self.groups.insert(key, Arc::downgrade(&group));
        Ok(group)
    }

    /// What `f` finds in a type that is known to live.
    fn member<R>(&self, id: TypeId, f: impl FnOnce(&Member) -> R) -> R {
        let (group, index) = self.place(id).expect("a type that is referred to lives");
        f(&group.members()[index as usize])
    }

    /// Refuses a new group in which a type has too many supertypes, or one that does not come before it.
    fn check_depths(&self, key: &[SubType<GroupRef>]) -> Result<()> {
        let mut depths: Vec<usize> = Vec::with_capacity(key.len());
        for ty in key {
            let depth = match ty.supertype {
                None => 0,
                Some(GroupRef::Canonical(id)) => self.member(id, Member::depth) + 1,
                Some(GroupRef::Local(index)) => match depths.get(index as usize) {
                    Some(depth) => depth + 1,
                    None => crate::bail!("a type's supertype does not come before it"),
                },
            };
            ensure!(
                depth <= MAX_SUPERTYPES,
                "a type may have at most {MAX_SUPERTYPES} supertypes"
            );
            depths.push(depth);
        }
        Ok(())
    }

    /// The other groups that a new one refers to, each once.
    fn refers_to(&self, key: &[SubType<GroupRef>]) -> Vec<Arc<RecGroup>> {
        let mut refers_to: Vec<Arc<RecGroup>> = Vec::new();
        for ty in key {
            ty.map(|r| {
                if let GroupRef::Canonical(id) = r {
                    let (group, _) = self.place(id).expect("a type that is referred to lives");
                    refers_to.push(group);
                }
            });
        }
        refers_to.sort_by_key(Arc::as_ptr);
        refers_to.dedup_by(|a, b| Arc::ptr_eq(a, b));
        refers_to
    }

    fn allocate(&mut self) -> TypeId {
        self.free.pop().unwrap_or_else(|| {
            let id = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
            // Not reachable: that many types take hundreds of gigabytes.
            assert!(id != TypeId::NONE.bits(), "more types than there are ids");
            self.places.push(None);
            TypeId::from_u32(id)
        })
    }

    /// Forgets a group to which nobody refers any more.
    fn forget(&mut self, group: &RecGroup) {
        // A group with the same key may have been made since the last reference went away; that one stays.
        if let Some(found) = self.groups.get(group.key())
            && found.strong_count() == 0
        {
            self.groups.remove(group.key());
        }
        for member in group.members() {
            self.places[member.id().as_u32() as usize] = None;
            self.free.push(member.id());
        }
    }
}
