//! The table of a module's code: one record of fixed size for each function and trampoline, in the order of the text.
//!
//! The one idea: the table is read in place, from an artifact in memory or from a mapped file, so that loading decodes nothing, and
//! looking up an address allocates nothing and takes no lock: it works in a signal handler.

use crate::link::Linked;
use meantime_abi::{DefinedFuncIndex, FuncKey, Trampoline, TypeIndex};
use std::ops::Range;

/// Bytes of a record: start, length, start and length of the side table, kind, index.
const RECORD: usize = 24;
/// Bytes that say the records of a type's two trampolines.
pub(crate) const TRAMPOLINE_PAIR: usize = 8;
/// In place of a record, where there is none.
pub(crate) const NO_RECORD: u32 = u32::MAX;

const KIND_FUNC: u32 = 0;
const KIND_ENTER: u32 = 1;
const KIND_HOST: u32 = 2;

/// A piece of code. Positions are bytes in the text and in the side tables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FuncRecord {
    /// What it is.
    pub key: FuncKey,
    /// Where it lies in the text.
    pub code: Range<u32>,
    /// Where its side table lies among all side tables.
    pub side: Range<u32>,
}

/// The records of a module, sorted by address. The first ones are the defined functions, in their order.
#[derive(Copy, Clone, Debug)]
pub struct FuncTable<'a> {
    records: &'a [[u8; RECORD]],
}

/// Why bytes are not a table of records; for a person.
type Problem = &'static str;

impl<'a> FuncTable<'a> {
    /// Takes bytes whose contents were checked, or made by [`encode`].
    pub(crate) fn new(bytes: &'a [u8]) -> FuncTable<'a> {
        FuncTable {
            records: bytes.as_chunks().0,
        }
    }

    /// Checks that all ranges are inside, and all keys what they should be.
    pub(crate) fn check(
        bytes: &'a [u8],
        functions: usize,
        types: usize,
        text_len: usize,
        side_len: usize,
    ) -> Result<FuncTable<'a>, Problem> {
        let (records, rest) = bytes.as_chunks::<RECORD>();
        let table = FuncTable { records };
        if !rest.is_empty() || records.len() < functions {
            return Err("the table of functions has a wrong size");
        }
        let mut end = 0;
        for i in 0..records.len() {
            let words = table.words(i);
            let [start, len, side, side_len_here, kind, index] = words.map(|w| w as usize);
            if start < end || start + len > text_len {
                return Err("a function lies outside of the code");
            }
            if side + side_len_here > side_len {
                return Err("a side table lies outside of the side tables");
            }
            let key_is_right = if i < functions {
                kind == KIND_FUNC as usize && index == i
            } else {
                (kind == KIND_ENTER as usize || kind == KIND_HOST as usize) && index < types
            };
            if !key_is_right {
                return Err("a function has a wrong key");
            }
            end = start + len;
        }
        Ok(table)
    }

    fn words(&self, i: usize) -> [u32; 6] {
        let mut words = [0; 6];
        for (word, bytes) in words.iter_mut().zip(self.records[i].as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    }

    /// How many pieces of code there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The piece with this number.
    pub fn get(&self, i: usize) -> Option<FuncRecord> {
        if i >= self.records.len() {
            return None;
        }
        let [start, len, side, side_len, kind, index] = self.words(i);
        Some(FuncRecord {
            key: match kind {
                KIND_FUNC => FuncKey::Func(DefinedFuncIndex::from_u32(index)),
                KIND_ENTER => FuncKey::Trampoline(Trampoline::Enter, TypeIndex::from_u32(index)),
                _ => FuncKey::Trampoline(Trampoline::Host, TypeIndex::from_u32(index)),
            },
            code: start..start + len,
            side: side..side + side_len,
        })
    }

    /// The piece that holds this offset of the text. No allocation, no lock.
    pub fn find(&self, offset: u32) -> Option<FuncRecord> {
        // The first piece that starts after the offset; the one before it is the only one that can hold it.
        let after = self
            .records
            .partition_point(|r| u32::from_le_bytes([r[0], r[1], r[2], r[3]]) <= offset);
        let record = self.get(after.checked_sub(1)?)?;
        record.code.contains(&offset).then_some(record)
    }

    /// Every piece, by address.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = FuncRecord> + use<'a> {
        let table = *self;
        (0..self.records.len()).map(move |i| table.get(i).expect("below the length"))
    }
}

/// The table for linked code, whose pieces have these keys.
pub(crate) fn encode(keys: &[FuncKey], linked: &Linked) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(keys.len() * RECORD);
    for ((key, code), side) in keys.iter().zip(&linked.placed).zip(&linked.sides) {
        let (kind, index) = match key {
            FuncKey::Func(func) => (KIND_FUNC, func.as_u32()),
            FuncKey::Trampoline(Trampoline::Enter, ty) => (KIND_ENTER, ty.as_u32()),
            FuncKey::Trampoline(Trampoline::Host, ty) => (KIND_HOST, ty.as_u32()),
        };
        let words = [
            code.start,
            code.end - code.start,
            side.start,
            side.end - side.start,
            kind,
            index,
        ];
        bytes.extend(words.into_iter().flat_map(u32::to_le_bytes));
    }
    bytes
}

/// Which records are the trampolines of each type, as an artifact keeps it.
#[derive(Copy, Clone, Debug)]
pub(crate) struct TrampolineTable<'a> {
    pairs: &'a [[u8; TRAMPOLINE_PAIR]],
}

impl<'a> TrampolineTable<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> TrampolineTable<'a> {
        TrampolineTable {
            pairs: bytes.as_chunks().0,
        }
    }

    pub(crate) fn check(
        bytes: &'a [u8],
        types: usize,
        records: usize,
    ) -> Result<TrampolineTable<'a>, Problem> {
        if bytes.len() != types * TRAMPOLINE_PAIR {
            return Err("the table of trampolines has a wrong size");
        }
        let inside = |record: &[u8; 4]| match u32::from_le_bytes(*record) {
            NO_RECORD => true,
            record => (record as usize) < records,
        };
        if !bytes.as_chunks::<4>().0.iter().all(inside) {
            return Err("a trampoline lies outside of the table of functions");
        }
        Ok(TrampolineTable::new(bytes))
    }

    /// The number of the record of a type's trampoline.
    pub(crate) fn record(&self, kind: Trampoline, ty: TypeIndex) -> Option<usize> {
        let pair = self.pairs.get(ty.as_u32() as usize)?;
        let [enter, host] = *pair.as_chunks::<4>().0 else {
            return None;
        };
        let record = u32::from_le_bytes(match kind {
            Trampoline::Enter => enter,
            Trampoline::Host => host,
        });
        (record != NO_RECORD).then_some(record as usize)
    }
}
