//! The host's roots: references that stay valid, and are kept up to date, while the host names them.
//!
//! The one idea: the host holds places, never references, so that a collection that moves objects writes their new references to
//! the places.

use super::GcRef;
use std::sync::Arc;

/// A root in a scope of the host: valid until the scope ends.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Root {
    index: u32,
    generation: u32,
}

/// Where a scope of roots starts.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct RootScope(usize);

/// A root of the host that lives until its last clone is dropped.
#[derive(Clone, Debug)]
pub struct OwnedRoot {
    id: OwnedRootId,
    alive: Arc<()>,
}

/// Names an owned root without keeping it. Never used again for another.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct OwnedRootId {
    index: u32,
    serial: u64,
}

impl OwnedRoot {
    /// Its name.
    pub fn id(&self) -> OwnedRootId {
        self.id
    }
}

/// A place for an owned root.
struct OwnedEntry {
    reference: Option<GcRef>,
    alive: Arc<()>,
    serial: u64,
}

/// How many owned roots there are when the first look for dropped ones is taken.
const FIRST_TRIM: usize = 64;

/// The host's roots in a store.
pub(super) struct Roots {
    /// With the generation in which each was made. None for what a corrupt heap made of it.
    scoped: Vec<(Option<GcRef>, u32)>,
    /// Counts scopes that have ended.
    generation: u32,
    owned: Vec<Option<OwnedEntry>>,
    /// Counts owned roots.
    owned_serial: u64,
    /// Places in `owned` that are free.
    free_owned: Vec<u32>,
    trim_owned_at: usize,
}

impl Default for Roots {
    fn default() -> Roots {
        Roots {
            scoped: Vec::new(),
            generation: 0,
            owned: Vec::new(),
            owned_serial: 0,
            free_owned: Vec::new(),
            trim_owned_at: FIRST_TRIM,
        }
    }
}

impl Roots {
    #[inline]
    pub fn enter_scope(&self) -> RootScope {
        RootScope(self.scoped.len())
    }

    #[inline]
    pub fn exit_scope(&mut self, scope: RootScope) {
        if scope.0 < self.scoped.len() {
            self.scoped.truncate(scope.0);
            self.generation = self.generation.wrapping_add(1);
        }
    }

    pub fn push(&mut self, reference: GcRef) -> Root {
        let root = Root {
            index: u32::try_from(self.scoped.len()).expect("fewer roots than 32 bits can count"),
            generation: self.generation,
        };
        self.scoped.push((Some(reference), self.generation));
        root
    }

    pub fn get(&self, root: Root) -> Option<GcRef> {
        let &(reference, generation) = self.scoped.get(root.index as usize)?;
        reference.filter(|_| generation == root.generation)
    }

    pub fn own(&mut self, reference: GcRef) -> OwnedRoot {
        if self.free_owned.is_empty() && self.owned.len() >= self.trim_owned_at {
            self.trim_owned();
            let live = self.owned.len() - self.free_owned.len();
            self.trim_owned_at = FIRST_TRIM.max(2 * live);
        }
        let alive = Arc::new(());
        self.owned_serial += 1;
        let serial = self.owned_serial;
        let entry = Some(OwnedEntry {
            reference: Some(reference),
            alive: alive.clone(),
            serial,
        });
        let index = match self.free_owned.pop() {
            Some(free) => {
                self.owned[free as usize] = entry;
                free
            }
            None => {
                self.owned.push(entry);
                u32::try_from(self.owned.len() - 1).expect("fewer roots than 32 bits can count")
            }
        };
        let id = OwnedRootId { index, serial };
        OwnedRoot { id, alive }
    }

    pub fn owned(&self, root: &OwnedRoot) -> Option<GcRef> {
        let entry = self.owned.get(root.id.index as usize)?.as_ref()?;
        entry
            .reference
            .filter(|_| Arc::ptr_eq(&entry.alive, &root.alive))
    }

    pub fn owned_by_id(&self, id: OwnedRootId) -> Option<GcRef> {
        let entry = self.owned.get(id.index as usize)?.as_ref()?;
        entry.reference.filter(|_| entry.serial == id.serial)
    }

    fn trim_owned(&mut self) {
        self.free_owned.clear();
        for (i, entry) in self.owned.iter_mut().enumerate() {
            let dropped = |entry: &OwnedEntry| Arc::strong_count(&entry.alive) == 1;
            if entry.as_ref().is_none_or(dropped) {
                *entry = None;
                self.free_owned.push(i as u32);
            }
        }
    }

    /// Every root, to be updated.
    pub fn visit(&mut self, mut visit: impl FnMut(&mut Option<GcRef>)) {
        self.trim_owned();
        for (reference, _) in &mut self.scoped {
            visit(reference);
        }
        for entry in self.owned.iter_mut().flatten() {
            visit(&mut entry.reference);
        }
    }
}

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roots")
            .field("scoped", &self.scoped.len())
            .field("owned", &self.owned.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(i: u32) -> GcRef {
        GcRef::from_bits(i << 3).unwrap()
    }

    /// The bits of all roots, sorted.
    fn all(roots: &mut Roots) -> Vec<u32> {
        let mut all = Vec::new();
        roots.visit(|root| all.extend(root.map(GcRef::bits)));
        all.sort_unstable();
        all
    }

    #[test]
    fn scoped_roots_end_with_their_scope() {
        let mut roots = Roots::default();
        let (a, b) = (reference(1), reference(2));
        let outer = roots.push(a);
        let scope = roots.enter_scope();
        let inner = roots.push(b);
        assert_eq!(roots.get(inner), Some(b));
        roots.exit_scope(scope);
        let other = roots.push(a);
        assert_eq!((roots.get(inner), roots.get(outer)), (None, Some(a)));
        assert_eq!(roots.get(other), Some(a));
        assert_eq!(all(&mut roots), [8, 8]);
    }

    #[test]
    fn owned_roots_live_until_the_last_clone() {
        let mut roots = Roots::default();
        let a = reference(1);
        let root = roots.own(a);
        let clone = root.clone();
        drop(root);
        assert_eq!(all(&mut roots), [8]);
        assert_eq!(roots.owned(&clone), Some(a));
        assert_eq!(Roots::default().owned(&clone), None);
        let id = clone.id();
        drop(clone);
        assert!(all(&mut roots).is_empty());
        assert_eq!(roots.owned_by_id(id), None);
        for _ in 0..1000 {
            roots.own(a);
        }
        assert!(roots.owned.len() <= 128, "{}", roots.owned.len());
    }

    #[test]
    fn roots_are_changed_where_they_are() {
        let mut roots = Roots::default();
        let scoped = roots.push(reference(1));
        let owned = roots.own(reference(2));
        roots.visit(|root| *root = root.and_then(|r| GcRef::from_bits(r.bits() + 800)));
        assert_eq!(roots.get(scoped), Some(reference(101)));
        assert_eq!(roots.owned(&owned), Some(reference(102)));
        roots.visit(|root| *root = None);
        assert_eq!((roots.get(scoped), roots.owned(&owned)), (None, None));
    }
}
