//! A table's elements and how they are stored.
//!
//! Not bounds that trap: those are in `table_ops`. The one idea: an element is stored as 8 bytes (functions) or 4 (GC references), and
//! in a lazily initialized table a function is stored with its lowest bit set, so that zero, what a new table is full of, means "not
//! initialized".

use crate::allocator::Allocator;
use crate::block::ZeroedBlock;
use crate::error::{AllocateError, GrowError};
use crate::gc::GcRef;
use crate::shape::TableShape;
use meantime_abi::{RefRepr, VmFuncRef};
use std::ptr::NonNull;

/// Elements that a table can grow to, as in other engines; more is only possible from the start.
const MAX_GROWN_LEN: usize = 10_000_000;

const INITIALIZED: u64 = 1;

/// A value in a table.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum TableElement {
    /// A function, or null.
    Func(Option<NonNull<VmFuncRef>>),
    /// A GC reference, or null.
    Gc(Option<GcRef>),
}

impl TableElement {
    /// Null.
    pub fn null(repr: RefRepr) -> TableElement {
        match repr {
            RefRepr::Func => TableElement::Func(None),
            RefRepr::Gc => TableElement::Gc(None),
        }
    }

    /// The element that compiled code passes as 64 bits.
    pub(crate) fn from_bits(repr: RefRepr, bits: u64) -> TableElement {
        match repr {
            RefRepr::Func => TableElement::Func(NonNull::new(
                std::ptr::with_exposed_provenance_mut(bits as usize),
            )),
            RefRepr::Gc => TableElement::Gc(GcRef::from_bits(bits as u32)),
        }
    }
}

/// A table that an instance defines.
#[derive(Debug)]
pub struct Table {
    repr: RefRepr,
    lazy: bool,
    max: Option<u64>,
    block: ZeroedBlock,
    len: usize,
}

impl Table {
    pub(crate) fn new(
        shape: &TableShape,
        allocator: &dyn Allocator,
    ) -> Result<Table, AllocateError> {
        let size = element_size(shape.repr);
        let bytes = usize::try_from(shape.min)
            .ok()
            .and_then(|len| len.checked_mul(size))
            .filter(|&bytes| isize::try_from(bytes).is_ok())
            .ok_or(AllocateError::TooLarge {
                what: "a table",
                size: shape.min,
            })?;
        Ok(Table {
            repr: shape.repr,
            lazy: shape.lazy && shape.repr == RefRepr::Func,
            max: shape.max,
            block: allocator
                .allocate_block(bytes)
                .map_err(|source| AllocateError::Os {
                    what: "a table",
                    size: bytes as u64,
                    source,
                })?,
            len: bytes / size,
        })
    }

    /// What its elements are.
    pub fn repr(&self) -> RefRepr {
        self.repr
    }

    /// Its length in elements now.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Elements at most, by its type.
    pub fn max(&self) -> Option<u64> {
        self.max
    }

    pub(crate) fn is_lazy(&self) -> bool {
        self.lazy
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.block.base().as_ptr()
    }

    pub(crate) fn into_block(self) -> ZeroedBlock {
        self.block
    }

    /// How an element is stored.
    pub(crate) fn encode(&self, element: TableElement) -> u64 {
        match (self.repr, element) {
            (RefRepr::Func, TableElement::Func(func)) => {
                let bits = func.map_or(0, |f| f.as_ptr().expose_provenance() as u64);
                if self.lazy { bits | INITIALIZED } else { bits }
            }
            (RefRepr::Gc, TableElement::Gc(value)) => value.map_or(0, GcRef::bits).into(),
            _ => panic!("a {element:?} in a table of another type"),
        }
    }

    /// The element that is stored as this, or none when it is not initialized.
    pub(crate) fn decode(&self, stored: u64) -> Option<TableElement> {
        if self.lazy && stored == 0 {
            return None;
        }
        Some(TableElement::from_bits(self.repr, stored & !self.tag()))
    }

    fn tag(&self) -> u64 {
        if self.lazy { INITIALIZED } else { 0 }
    }

    /// The stored form of an element.
    ///
    /// # Panics
    ///
    /// When the index is out of bounds.
    pub(crate) fn stored(&self, index: usize) -> u64 {
        assert!(index < self.len);
        // SAFETY: in bounds; the block holds `len` elements of this size, aligned.
        unsafe {
            match self.repr {
                RefRepr::Func => *self.base().cast::<u64>().add(index),
                RefRepr::Gc => (*self.base().cast::<u32>().add(index)).into(),
            }
        }
    }

    /// Stores an encoded element in a range.
    ///
    /// # Panics
    ///
    /// When the range is out of bounds.
    pub(crate) fn store(&mut self, index: usize, count: usize, stored: u64) {
        assert!(index.checked_add(count).is_some_and(|end| end <= self.len));
        // SAFETY: in bounds, as above; the table's owner writes.
        unsafe {
            match self.repr {
                RefRepr::Func => {
                    std::slice::from_raw_parts_mut(self.base().cast::<u64>().add(index), count)
                        .fill(stored)
                }
                RefRepr::Gc => {
                    std::slice::from_raw_parts_mut(self.base().cast::<u32>().add(index), count)
                        .fill(stored as u32)
                }
            }
        }
    }

    /// The elements of a table of references.
    ///
    /// # Panics
    ///
    /// When it is one of functions.
    pub(crate) fn gc_slots(&mut self) -> &mut [u32] {
        assert_eq!(self.repr, RefRepr::Gc);
        // SAFETY: the block holds `len` elements of this size, aligned; the table is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.base().cast(), self.len) }
    }

    /// The address of an element.
    ///
    /// # Panics
    ///
    /// When the index is beyond the end.
    pub(crate) fn element_address(&self, index: usize) -> *mut u8 {
        assert!(index <= self.len);
        self.base().wrapping_add(index * element_size(self.repr))
    }

    /// The length after growing, if its type and this implementation allow it.
    pub(crate) fn grown_len(&self, delta: u64) -> Result<usize, GrowError> {
        let max = self.max.unwrap_or(u64::MAX);
        (self.len as u64)
            .checked_add(delta)
            .filter(|&new| new <= max && new <= MAX_GROWN_LEN.max(self.len) as u64)
            .map(|new| new as usize)
            .ok_or(GrowError::TableMaximum)
    }

    /// Makes the table longer and fills what is new.
    pub(crate) fn grow_to(
        &mut self,
        new_len: usize,
        init: TableElement,
        allocator: &dyn Allocator,
    ) -> Result<(), GrowError> {
        let size = element_size(self.repr);
        let old_len = self.len;
        if new_len * size > self.block.size() {
            // Twice as much, so that growing by one takes constant time on average; only addresses where it is not used.
            let room = (new_len * size).max(2 * self.block.size());
            let block = allocator.allocate_block(room).map_err(GrowError::Os)?;
            // SAFETY: both blocks hold at least the old elements.
            unsafe {
                std::ptr::copy_nonoverlapping(self.base(), block.base().as_ptr(), old_len * size);
            }
            allocator.free_block(std::mem::replace(&mut self.block, block));
        }
        self.len = new_len;
        let stored = self.encode(init);
        if stored != 0 {
            self.store(old_len, new_len - old_len, stored);
        }
        Ok(())
    }
}

/// Bytes of an element.
pub(crate) fn element_size(repr: RefRepr) -> usize {
    match repr {
        RefRepr::Func => size_of::<u64>(),
        RefRepr::Gc => size_of::<u32>(),
    }
}
