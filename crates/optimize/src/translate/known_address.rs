//! Addresses that were computed and checked, to serve again.
//!
//! The one idea: a check that was passed stays passed, as no memory ever shrinks, and what was computed before a block was opened is known
//! in it and after it. So this is a list of what is known at the current position, which is cut back to what it was when a block was
//! opened wherever control flow joins.

use super::State;
use cranelift_codegen::ir::{Inst, Value};
use meantime_abi::MemoryIndex;

/// How many addresses are kept.
const MAX_ADDRESSES: usize = 8;

/// An address that was computed where the current position follows.
#[derive(Copy, Clone)]
pub(super) struct KnownAddress {
    pub(super) memory: MemoryIndex,
    /// It is that of the index `origin + delta`, wrapped.
    pub(super) origin: Value,
    pub(super) delta: i64,
    pub(super) base: Value,
    pub(super) clamp: Clamp,
}

/// What was done to an index.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Clamp {
    /// Nothing: it is below the limit.
    None,
    /// Beyond the limit it is replaced, by this comparison and this choice.
    Above {
        compare: Inst,
        select: Inst,
        /// Whether no access had an offset.
        plain: bool,
    },
    /// As above, but what is less than the margin outside, on either side, stays.
    Outside,
    /// It was compared with the memory's length.
    Checked {
        /// So many bytes from it on are inside.
        end: u64,
        /// Whether the address is another one once the memory has grown.
        moves: bool,
    },
}

/// Which addresses are older than a block.
#[derive(Copy, Clone, Default)]
pub(super) struct Mark(u64);

/// The addresses, each with its number.
#[derive(Default)]
pub(super) struct KnownAddresses {
    list: Vec<(u64, KnownAddress)>,
    count: u64,
}

impl KnownAddresses {
    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    pub(super) fn add(&mut self, address: KnownAddress) {
        if self.list.len() == MAX_ADDRESSES {
            self.list.remove(0);
        }
        self.list.push((self.count, address));
        self.count += 1;
    }

    /// All of an index in a memory, to be changed, the newest first.
    pub(super) fn of(
        &mut self,
        memory: MemoryIndex,
        origin: Value,
    ) -> impl Iterator<Item = &mut KnownAddress> {
        let all = self.list.iter_mut().rev().map(|(_, address)| address);
        all.filter(move |known| (known.memory, known.origin) == (memory, origin))
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.count)
    }

    /// Forgets what may be another address in a memory that may grow now.
    pub(super) fn may_grow(&mut self) {
        self.list
            .retain(|(_, known)| !matches!(known.clamp, Clamp::Checked { moves: true, .. }));
    }
}

impl State {
    /// Forgets all that is only true after what was translated last: control flow joins here that came from a block's beginning.
    pub(super) fn join(&mut self, beginning: Mark) {
        self.facts.clear();
        self.addresses
            .list
            .retain(|(number, _)| *number < beginning.0);
    }

    /// Forgets all that is only true the first time that a loop begins.
    pub(super) fn begin_loop(&mut self) {
        self.facts.clear();
        self.addresses.may_grow();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(state: &mut State) -> Vec<u32> {
        let list = &state.addresses.list;
        list.iter()
            .map(|(_, known)| known.origin.as_u32())
            .collect()
    }

    fn add(state: &mut State, origin: u32, moves: bool) {
        state.addresses.add(KnownAddress {
            memory: MemoryIndex::from_u32(0),
            origin: Value::from_u32(origin),
            delta: 0,
            base: Value::from_u32(0),
            clamp: Clamp::Checked { end: 8, moves },
        });
    }

    #[test]
    fn a_block_ends_with_what_was_known_at_its_beginning() {
        let mut state = State::default();
        add(&mut state, 1, false);
        add(&mut state, 2, true);
        let mark = state.addresses.mark();
        add(&mut state, 3, false);
        state.forget();
        assert_eq!(known(&mut state), [1, 3]);
        add(&mut state, 4, true);
        state.join(mark);
        assert_eq!(known(&mut state), [1]);
        add(&mut state, 5, true);
        state.begin_loop();
        assert_eq!(known(&mut state), [1]);
    }

    #[test]
    fn old_addresses_are_forgotten_first() {
        let mut state = State::default();
        for origin in 0..10 {
            add(&mut state, origin, false);
        }
        let mark = state.addresses.mark();
        for origin in 10..13 {
            add(&mut state, origin, false);
        }
        state.join(mark);
        assert_eq!(known(&mut state), [5, 6, 7, 8, 9]);
    }
}
