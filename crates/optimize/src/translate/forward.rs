//! Loads that need no load, because what they would read was just stored.
//!
//! Cranelift does the same, but it takes any two stores to one memory for stores to the same place. Here, addresses that are a common value plus
//! different constants are told apart, which is what results in memory, locals with an address and 128-bit numbers need.
//!
//! The one idea: a short list of facts "at this address there is this value", true at the current position. It is emptied where control
//! flow joins and where anything else may write memory.

use super::{State, Translator};
use cranelift_codegen::ir::{InstructionData, Opcode, Type, Value};
use meantime_abi::MemoryIndex;

/// How many facts are kept.
const MAX_FACTS: usize = 12;

/// An address: a value plus a constant, wrapped to the memory's index type; and plus an offset, not wrapped.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) struct Place {
    memory: MemoryIndex,
    base: Option<Value>,
    constant: u64,
    offset: u64,
}

/// At a place there is a value.
#[derive(Copy, Clone)]
pub(super) struct Fact {
    place: Place,
    value: Value,
    ty: Type,
}

impl Place {
    /// Whether the two accesses cannot overlap.
    fn is_apart(&self, size: u32, other: &Place, other_size: u32) -> bool {
        if self.memory != other.memory || self.base != other.base {
            return false;
        }
        // Addresses that are equal are equal modulo 2^32, whatever wraps; so ranges that are apart on that circle are apart.
        let here = self.constant.wrapping_add(self.offset) as u32;
        let there = other.constant.wrapping_add(other.offset) as u32;
        there.wrapping_sub(here) >= size && here.wrapping_sub(there) >= other_size
    }
}

/// Whether a value of one type is one of the other: all vectors are interchangeable on the operand stack.
fn same_bits(x: Type, y: Type) -> bool {
    x == y || (x.is_vector() && y.is_vector() && x.bits() == y.bits())
}

impl State {
    /// Forgets what memories hold, and where those are that may move.
    pub(super) fn forget(&mut self) {
        self.facts.clear();
        self.addresses.may_grow();
    }
}

impl Translator<'_> {
    fn place(&self, memory: MemoryIndex, index: Value, offset: u64) -> Place {
        let dfg = &self.b.func.dfg;
        let mut place = Place {
            memory,
            base: Some(index),
            constant: 0,
            offset,
        };
        if let Some(constant) = self.constant(index) {
            place.base = None;
            place.constant = constant;
        } else if let Some(inst) = dfg.value_def(index).inst()
            && let InstructionData::Binary {
                opcode: Opcode::Iadd,
                args: [base, constant],
            } = dfg.insts[inst]
            && let Some(constant) = self.constant(constant)
        {
            place.base = Some(dfg.resolve_aliases(base));
            place.constant = constant;
        }
        place
    }

    /// The value that a load would read, if that is known.
    pub(super) fn known_value(
        &self,
        memory: MemoryIndex,
        index: Value,
        offset: u64,
        ty: Type,
    ) -> Option<Value> {
        if self.s.facts.is_empty() {
            return None;
        }
        let place = self.place(memory, index, offset);
        let fact = self
            .s
            .facts
            .iter()
            .rev()
            .find(|fact| fact.place == place && same_bits(fact.ty, ty))?;
        Some(fact.value)
    }

    /// Remembers what a whole store wrote, and forgets what it overwrote.
    pub(super) fn remember(
        &mut self,
        memory: MemoryIndex,
        index: Value,
        offset: u64,
        value: Value,
    ) {
        let ty = self.type_of(value);
        let place = self.overwrite(memory, index, offset, ty.bytes());
        self.add_fact(Fact { place, value, ty });
    }

    fn add_fact(&mut self, fact: Fact) {
        if self.s.facts.len() == MAX_FACTS {
            self.s.facts.remove(0);
        }
        self.s.facts.push(fact);
    }

    /// Forgets what a store of `size` bytes may overwrite.
    pub(super) fn overwrite(
        &mut self,
        memory: MemoryIndex,
        index: Value,
        offset: u64,
        size: u32,
    ) -> Place {
        let place = self.place(memory, index, offset);
        self.s
            .facts
            .retain(|fact| place.is_apart(size, &fact.place, fact.ty.bytes()));
        place
    }
}
