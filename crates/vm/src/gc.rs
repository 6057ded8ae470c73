//! References to values of the host, as the guest holds them: 32 bits that name an entry of a table of the store.
//!
//! Not a heap of structures and arrays; one can take this table's place behind the same names. The one idea: a guest only ever
//! holds numbers, and what they name is checked here, so that no guest can forge a pointer. What is still named is found by marking from
//! the roots: the host's, globals, tables, and the guest's frames.

use std::any::Any;
use std::num::NonZeroU32;
use std::sync::Arc;

/// A GC reference that is not null. The lowest bit set means an `i31`.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct GcRef(NonZeroU32);

impl GcRef {
    /// The reference with these bits, unless they are null.
    pub fn from_bits(bits: u32) -> Option<GcRef> {
        NonZeroU32::new(bits).map(GcRef)
    }

    /// Its bits.
    pub fn bits(self) -> u32 {
        self.0.get()
    }

    /// Whether it is an `i31` and names nothing.
    pub fn is_i31(self) -> bool {
        self.bits() & 1 != 0
    }

    fn slot(self) -> Option<usize> {
        (!self.is_i31()).then_some(self.bits() as usize >> 1)
    }
}

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
    reference: GcRef,
    alive: Arc<()>,
    serial: u64,
}

type HostValue = Box<dyn Any + Send + Sync>;

enum Slot {
    /// The next free slot; zero ends the list.
    Free(u32),
    Used {
        value: HostValue,
        marked: bool,
    },
}

/// The host's values that a store's guests can name, and the host's roots.
pub struct GcStore {
    /// The first is never used, as its reference would be null.
    slots: Vec<Slot>,
    first_free: u32,
    used: usize,
    /// When as many are used, a collection is worth its while.
    collect_at: usize,
    scoped: Vec<(GcRef, u32)>,
    /// Counts scopes that have ended.
    generation: u32,
    owned: Vec<Option<OwnedEntry>>,
    /// Counts owned roots.
    owned_serial: u64,
    /// Places in `owned` that are free.
    free_owned: Vec<u32>,
    trim_owned_at: usize,
}

const FIRST_COLLECTION: usize = 4096;
/// References have 31 bits for the slot.
const MAX_SLOTS: usize = 1 << 31;

impl Default for GcStore {
    fn default() -> GcStore {
        GcStore {
            slots: Vec::new(),
            first_free: 0,
            used: 0,
            collect_at: FIRST_COLLECTION,
            scoped: Vec::new(),
            generation: 0,
            owned: Vec::new(),
            owned_serial: 0,
            free_owned: Vec::new(),
            trim_owned_at: 64,
        }
    }
}

impl GcStore {
    /// Whether enough was allocated for a collection to be due.
    pub(crate) fn wants_collection(&self) -> bool {
        self.used >= self.collect_at
    }

    /// How many values are held.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether no value is held.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Holds a value; returned when there is no name left for it.
    pub(crate) fn insert(&mut self, value: HostValue) -> Result<GcRef, HostValue> {
        let used = Slot::Used {
            value,
            marked: false,
        };
        let index = match self.first_free {
            0 => {
                if self.slots.is_empty() {
                    self.slots.push(Slot::Free(0));
                }
                if self.slots.len() >= MAX_SLOTS {
                    let Slot::Used { value, .. } = used else {
                        unreachable!()
                    };
                    return Err(value);
                }
                self.slots.push(used);
                self.slots.len() as u32 - 1
            }
            index => {
                let free = std::mem::replace(&mut self.slots[index as usize], used);
                if let Slot::Free(next) = free {
                    self.first_free = next;
                }
                index
            }
        };
        self.used += 1;
        Ok(GcRef::from_bits(index << 1).expect("the first slot is never used"))
    }

    /// The value that a reference names; none for an `i31` and for what was never given out.
    pub fn extern_data(&self, reference: GcRef) -> Option<&(dyn Any + Send + Sync)> {
        match self.slots.get(reference.slot()?)? {
            Slot::Used { value, .. } => Some(&**value),
            Slot::Free(_) => None,
        }
    }

    /// As [`GcStore::extern_data`], to be changed.
    pub fn extern_data_mut(&mut self, reference: GcRef) -> Option<&mut (dyn Any + Send + Sync)> {
        match self.slots.get_mut(reference.slot()?)? {
            Slot::Used { value, .. } => Some(&mut **value),
            Slot::Free(_) => None,
        }
    }

    /// Begins a scope of roots.
    pub fn enter_scope(&self) -> RootScope {
        RootScope(self.scoped.len())
    }

    /// Ends a scope and all begun after it: their roots are no longer valid.
    pub fn exit_scope(&mut self, scope: RootScope) {
        if scope.0 < self.scoped.len() {
            self.scoped.truncate(scope.0);
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// Roots a reference in the current scope.
    pub fn push_root(&mut self, reference: GcRef) -> Root {
        let root = Root {
            index: u32::try_from(self.scoped.len()).expect("fewer roots than 32 bits can count"),
            generation: self.generation,
        };
        self.scoped.push((reference, self.generation));
        root
    }

    /// The reference of a root, or none when its scope has ended.
    pub fn root(&self, root: Root) -> Option<GcRef> {
        let &(reference, generation) = self.scoped.get(root.index as usize)?;
        (generation == root.generation).then_some(reference)
    }

    /// Roots a reference until the result and its clones are dropped.
    pub fn own_root(&mut self, reference: GcRef) -> OwnedRoot {
        if self.free_owned.is_empty() && self.owned.len() >= self.trim_owned_at {
            self.trim_owned();
            let live = self.owned.len() - self.free_owned.len();
            self.trim_owned_at = 64.max(2 * live);
        }
        let alive = Arc::new(());
        self.owned_serial += 1;
        let serial = self.owned_serial;
        let entry = Some(OwnedEntry {
            reference,
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

    /// The reference of an owned root; none for one of another store.
    pub fn owned(&self, root: &OwnedRoot) -> Option<GcRef> {
        let entry = self.owned.get(root.id.index as usize)?.as_ref()?;
        Arc::ptr_eq(&entry.alive, &root.alive).then_some(entry.reference)
    }

    /// The reference of the owned root with this name in this store; none once it was dropped and cleared away.
    pub fn owned_by_id(&self, id: OwnedRootId) -> Option<GcRef> {
        let entry = self.owned.get(id.index as usize)?.as_ref()?;
        (entry.serial == id.serial).then_some(entry.reference)
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

    /// Marks what the host has rooted.
    pub(crate) fn mark_host_roots(&mut self) {
        self.trim_owned();
        for i in 0..self.scoped.len() {
            self.mark(self.scoped[i].0);
        }
        for i in 0..self.owned.len() {
            if let Some(reference) = self.owned[i].as_ref().map(|entry| entry.reference) {
                self.mark(reference);
            }
        }
    }

    /// Marks what a reference names. One that names nothing is ignored.
    pub(crate) fn mark(&mut self, reference: GcRef) {
        let slot = reference.slot().and_then(|i| self.slots.get_mut(i));
        if let Some(Slot::Used { marked, .. }) = slot {
            *marked = true;
        }
    }

    /// Takes out everything that is not marked, and clears the marks. The values are returned because dropping them runs the
    /// host's code.
    pub(crate) fn sweep(&mut self) -> Vec<HostValue> {
        let mut dead = Vec::new();
        for (i, slot) in self.slots.iter_mut().enumerate() {
            match slot {
                Slot::Used { marked: true, .. } => {
                    if let Slot::Used { marked, .. } = slot {
                        *marked = false;
                    }
                }
                Slot::Used { marked: false, .. } => {
                    let free = std::mem::replace(slot, Slot::Free(self.first_free));
                    self.first_free = i as u32;
                    if let Slot::Used { value, .. } = free {
                        dead.push(value);
                    }
                }
                Slot::Free(_) => {}
            }
        }
        self.used -= dead.len();
        self.collect_at = FIRST_COLLECTION.max(2 * self.used);
        dead
    }
}

impl std::fmt::Debug for GcStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GcStore")
            .field("used", &self.used)
            .field("scoped", &self.scoped.len())
            .field("owned", &self.owned.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(gc: &GcStore, reference: GcRef) -> Option<u32> {
        gc.extern_data(reference)?.downcast_ref().copied()
    }

    #[test]
    fn what_is_not_marked_is_taken_out_and_its_slot_used_again() {
        let mut gc = GcStore::default();
        let a = gc.insert(Box::new(1u32)).unwrap();
        let b = gc.insert(Box::new(2u32)).unwrap();
        assert!(!a.is_i31() && a != b);
        gc.mark(b);
        assert_eq!(gc.sweep().len(), 1);
        assert_eq!((number(&gc, a), number(&gc, b)), (None, Some(2)));
        let c = gc.insert(Box::new(3u32)).unwrap();
        assert_eq!(c, a);
        assert_eq!(gc.len(), 2);
        assert_eq!(gc.sweep().len(), 2);
        assert!(gc.is_empty());
    }

    #[test]
    fn forged_references_name_nothing() {
        let mut gc = GcStore::default();
        for bits in [1, 2, 3, 4, u32::MAX, u32::MAX - 1] {
            let reference = GcRef::from_bits(bits).unwrap();
            assert!(gc.extern_data(reference).is_none());
            gc.mark(reference);
        }
    }

    #[test]
    fn scoped_roots_end_with_their_scope() {
        let mut gc = GcStore::default();
        let a = gc.insert(Box::new(1u32)).unwrap();
        let outer = gc.push_root(a);
        let scope = gc.enter_scope();
        let b = gc.insert(Box::new(2u32)).unwrap();
        let inner = gc.push_root(b);
        assert_eq!(gc.root(inner), Some(b));
        gc.exit_scope(scope);
        let other = gc.push_root(a);
        assert_eq!((gc.root(inner), gc.root(outer)), (None, Some(a)));
        assert_eq!(gc.root(other), Some(a));
        gc.mark_host_roots();
        assert_eq!(gc.sweep().len(), 1);
        assert_eq!(number(&gc, a), Some(1));
    }

    #[test]
    fn owned_roots_live_until_the_last_clone() {
        let mut gc = GcStore::default();
        let a = gc.insert(Box::new(1u32)).unwrap();
        let root = gc.own_root(a);
        let clone = root.clone();
        drop(root);
        gc.mark_host_roots();
        assert!(gc.sweep().is_empty());
        assert_eq!(gc.owned(&clone), Some(a));
        assert_eq!(GcStore::default().owned(&clone), None);
        drop(clone);
        gc.mark_host_roots();
        assert_eq!(gc.sweep().len(), 1);
        for _ in 0..1000 {
            let a = gc.insert(Box::new(1u32)).unwrap();
            gc.own_root(a);
        }
        assert!(gc.owned.len() <= 128, "{}", gc.owned.len());
    }
}
