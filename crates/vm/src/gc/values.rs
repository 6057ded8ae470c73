//! Values of the host that the guest can name: a table, and a number for each.
//!
//! Not objects of the heap, which may hold these numbers. The one idea: a number is an index that is checked, so a forged one names
//! another value or none, and never an address.

use super::GcRef;
use meantime_abi::GcBits;
use std::any::Any;

pub(super) type HostValue = Box<dyn Any + Send + Sync>;

enum Slot {
    /// The next free slot; zero ends the list.
    Free(u32),
    Used {
        value: HostValue,
        marked: bool,
    },
}

/// The values of a store.
pub(super) struct HostValues {
    /// The first is never used, so that zero ends the list of free ones.
    slots: Vec<Slot>,
    first_free: u32,
    used: usize,
    /// When as many are used, a collection is worth its while.
    collect_at: usize,
}

const FIRST_COLLECTION: usize = 4096;
/// Bits of a reference below the slot's number.
const SHIFT: u32 = 2;
/// References have 30 bits for the slot.
const MAX_SLOTS: usize = 1 << (u32::BITS - SHIFT);

impl Default for HostValues {
    fn default() -> HostValues {
        HostValues {
            slots: Vec::new(),
            first_free: 0,
            used: 0,
            collect_at: FIRST_COLLECTION,
        }
    }
}

fn slot(reference: GcRef) -> Option<usize> {
    reference
        .is_host_value()
        .then_some((reference.bits() >> SHIFT) as usize)
}

impl HostValues {
    /// Whether enough was allocated for a collection to be due.
    pub fn want_collection(&self) -> bool {
        self.used >= self.collect_at
    }

    /// How many values are held.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Holds a value; returned when there is no name left for it.
    pub fn insert(&mut self, value: HostValue) -> Result<GcRef, HostValue> {
        let used = |value| Slot::Used {
            value,
            marked: false,
        };
        let index = match self.first_free {
            0 => {
                if self.slots.is_empty() {
                    self.slots.push(Slot::Free(0));
                }
                if self.slots.len() >= MAX_SLOTS {
                    return Err(value);
                }
                self.slots.push(used(value));
                self.slots.len() as u32 - 1
            }
            index => {
                let free = std::mem::replace(&mut self.slots[index as usize], used(value));
                if let Slot::Free(next) = free {
                    self.first_free = next;
                }
                index
            }
        };
        self.used += 1;
        Ok(GcRef::from_bits(index << SHIFT | GcBits::HOST).expect("the lowest bits are not zero"))
    }

    /// The value that a reference names.
    pub fn get(&self, reference: GcRef) -> Option<&(dyn Any + Send + Sync)> {
        match self.slots.get(slot(reference)?)? {
            Slot::Used { value, .. } => Some(&**value),
            Slot::Free(_) => None,
        }
    }

    /// As [`HostValues::get`], to be changed.
    pub fn get_mut(&mut self, reference: GcRef) -> Option<&mut (dyn Any + Send + Sync)> {
        match self.slots.get_mut(slot(reference)?)? {
            Slot::Used { value, .. } => Some(&mut **value),
            Slot::Free(_) => None,
        }
    }

    /// Marks the value that these bits of a reference to one name, if they name one.
    pub fn mark(&mut self, bits: u32) {
        if let Some(Slot::Used { marked, .. }) = self.slots.get_mut((bits >> SHIFT) as usize) {
            *marked = true;
        }
    }

    /// Takes out everything that is not marked, and clears the marks. The values are returned because dropping them runs the
    /// host's code.
    pub fn sweep(&mut self) -> Vec<HostValue> {
        let mut dead = Vec::new();
        for (i, slot) in self.slots.iter_mut().enumerate() {
            match slot {
                Slot::Used { marked, .. } if *marked => *marked = false,
                Slot::Used { .. } => {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn number(values: &HostValues, reference: GcRef) -> Option<u32> {
        values.get(reference)?.downcast_ref().copied()
    }

    #[test]
    fn what_is_not_marked_is_taken_out_and_its_slot_used_again() {
        let mut values = HostValues::default();
        let a = values.insert(Box::new(1u32)).unwrap();
        let b = values.insert(Box::new(2u32)).unwrap();
        assert!(!a.is_i31() && !a.is_object() && a != b);
        values.mark(b.bits());
        assert_eq!(values.sweep().len(), 1);
        assert_eq!((number(&values, a), number(&values, b)), (None, Some(2)));
        let c = values.insert(Box::new(3u32)).unwrap();
        assert_eq!(c, a);
        assert_eq!(values.len(), 2);
        assert_eq!(values.sweep().len(), 2);
        assert_eq!(values.len(), 0);
    }

    #[test]
    fn forged_references_name_nothing() {
        let mut values = HostValues::default();
        values.insert(Box::new(1u32)).unwrap();
        for bits in [1, 2, 3, 4, 5, 7, 8, 10, u32::MAX, u32::MAX - 1] {
            let reference = GcRef::from_bits(bits).unwrap();
            assert!(values.get(reference).is_none(), "{bits}");
            assert!(values.get_mut(reference).is_none(), "{bits}");
            values.mark(bits | GcBits::HOST);
        }
    }
}
