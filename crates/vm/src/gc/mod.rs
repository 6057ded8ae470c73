//! References and what they name: values of the host in a table of the store, and objects in its heap.
//!
//! The one idea: a guest only ever holds numbers, and what they name is checked here, so that no guest and no corrupt heap can forge a
//! pointer. What is alive is found from the roots: the host's, globals, tables, element segments and the guest's frames.
//!
//! `heap` is the memory, `layouts` what is known of types, `collect` moves what is alive, `roots` and `values` are the host's side,
//! `frames` the guest's. `access` is how the host reads objects, `instructions` how the guest does what is not compiled inline.

mod access;
mod allocate;
mod collect;
mod frames;
mod heap;
pub(crate) mod instructions;
mod layouts;
mod roots;
#[cfg(test)]
mod tests;
mod values;

pub use roots::{OwnedRoot, OwnedRootId, Root, RootScope};

use heap::Heap;
use layouts::Layouts;
use meantime_abi::{GcBits, TypeId, VmFuncRef};
use roots::Roots;
use std::any::Any;
use std::num::NonZeroU32;
use values::HostValues;

/// A GC reference that is not null.
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
        self.bits() & GcBits::I31 != 0
    }

    /// Whether it names a value of the host.
    pub fn is_host_value(self) -> bool {
        self.bits() & GcBits::NOT_OBJECT == GcBits::HOST
    }

    /// Whether it names an object of the heap.
    pub fn is_object(self) -> bool {
        self.bits() & GcBits::NOT_OBJECT == 0
    }
}

/// The type with a number that may be no type's.
fn type_id(bits: u32) -> TypeId {
    match bits == TypeId::NONE.bits() {
        true => TypeId::NONE,
        false => TypeId::from_u32(bits),
    }
}

/// How a store's heap behaves.
#[derive(Copy, Clone, Debug)]
pub struct GcOptions {
    /// Whether what is dead is ever collected. If not, the heap only grows.
    pub collects: bool,
    /// Bytes for objects when the first is made; zero leaves the choice to the heap.
    pub initial_size: u64,
    /// Collect at every so many allocations, whether that is needed or not, to find references that a collection misses.
    pub zeal: Option<NonZeroU32>,
    /// Whether hardware faults are traps, as code was compiled.
    pub signals: bool,
}

impl Default for GcOptions {
    fn default() -> GcOptions {
        GcOptions {
            collects: true,
            initial_size: 0,
            zeal: None,
            signals: true,
        }
    }
}

/// What a store has that references name, and the host's roots.
#[derive(Default)]
pub struct GcStore {
    values: HostValues,
    roots: Roots,
    layouts: Layouts,
    heap: Option<Heap>,
    options: GcOptions,
    /// Raw references are in flight that nobody roots: the heap grows instead of being collected.
    paused: bool,
    /// Allocations until the next that zeal asks for.
    zeal_left: u32,
    /// An exception on its way.
    exception: Option<GcRef>,
    /// Functions by their numbers; the first is null.
    funcs: Vec<*mut VmFuncRef>,
}

impl GcStore {
    pub(crate) fn new(options: GcOptions) -> GcStore {
        GcStore {
            options,
            zeal_left: options.zeal.map_or(0, NonZeroU32::get),
            ..GcStore::default()
        }
    }

    /// How many values of the host are held.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no value of the host is held.
    pub fn is_empty(&self) -> bool {
        self.values.len() == 0
    }

    /// The value of the host that a reference names; none for one of another kind and for what was never given out.
    pub fn extern_data(&self, reference: GcRef) -> Option<&(dyn Any + Send + Sync)> {
        self.values.get(reference)
    }

    /// As [`GcStore::extern_data`], to be changed.
    pub fn extern_data_mut(&mut self, reference: GcRef) -> Option<&mut (dyn Any + Send + Sync)> {
        self.values.get_mut(reference)
    }

    /// Begins a scope of roots.
    #[inline]
    pub fn enter_scope(&self) -> RootScope {
        self.roots.enter_scope()
    }

    /// Ends a scope and all begun after it: their roots are no longer valid.
    #[inline]
    pub fn exit_scope(&mut self, scope: RootScope) {
        self.roots.exit_scope(scope);
    }

    /// Roots a reference in the current scope.
    pub fn push_root(&mut self, reference: GcRef) -> Root {
        self.roots.push(reference)
    }

    /// The reference of a root, or none when its scope has ended.
    pub fn root(&self, root: Root) -> Option<GcRef> {
        self.roots.get(root)
    }

    /// Roots a reference until the result and its clones are dropped.
    pub fn own_root(&mut self, reference: GcRef) -> OwnedRoot {
        self.roots.own(reference)
    }

    /// The reference of an owned root; none for one of another store.
    pub fn owned(&self, root: &OwnedRoot) -> Option<GcRef> {
        self.roots.owned(root)
    }

    /// The reference of the owned root with this name in this store; none once it was dropped and cleared away.
    pub fn owned_by_id(&self, id: OwnedRootId) -> Option<GcRef> {
        self.roots.owned_by_id(id)
    }

    /// The exception on its way.
    pub(crate) fn pending_exception(&self) -> Option<GcRef> {
        self.exception
    }

    /// Whether an address belongs to the heap: its objects, what surrounds them, or its guard.
    pub(crate) fn contains(&self, address: usize) -> bool {
        self.heap
            .as_ref()
            .is_some_and(|heap| heap.contains(address))
    }
}

impl std::fmt::Debug for GcStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GcStore")
            .field("values", &self.values.len())
            .field("roots", &self.roots)
            .field("heap", &self.heap)
            .finish_non_exhaustive()
    }
}
