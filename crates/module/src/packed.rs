//! Long lists in a module's encoded form: as plain bytes of fixed size for each item, which are much quicker to read than items one by one.
//!
//! Used as `#[serde(with = "packed")]` on the lists of which a large module has hundreds of thousands of items.

use crate::module::{Body, Function};
use meantime_abi::entity::{EntityRef, PrimaryMap};
use meantime_abi::{EscapedFuncIndex, FuncIndex, TypeIndex};
use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;
use std::fmt;
use std::marker::PhantomData;

/// In place of an index where there is none. Far above what the validator allows an index to be.
const NONE: u32 = u32::MAX;

/// An item that is written as a fixed number of words.
pub(crate) trait Packed: Sized {
    const BYTES: usize;
    fn pack(&self, bytes: &mut Vec<u8>);
    /// From exactly `BYTES` bytes.
    fn unpack(bytes: &[u8]) -> Self;
}

#[inline]
fn word(bytes: &[u8], i: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[4 * i..4 * i + 4]);
    u32::from_le_bytes(word)
}

impl Packed for u32 {
    const BYTES: usize = 4;

    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn unpack(bytes: &[u8]) -> u32 {
        word(bytes, 0)
    }
}

impl Packed for Option<FuncIndex> {
    const BYTES: usize = 4;

    fn pack(&self, bytes: &mut Vec<u8>) {
        self.map_or(NONE, FuncIndex::as_u32).pack(bytes);
    }

    fn unpack(bytes: &[u8]) -> Option<FuncIndex> {
        let func = word(bytes, 0);
        (func != NONE).then(|| FuncIndex::from_u32(func))
    }
}

impl Packed for FuncIndex {
    const BYTES: usize = 4;

    fn pack(&self, bytes: &mut Vec<u8>) {
        self.as_u32().pack(bytes);
    }

    fn unpack(bytes: &[u8]) -> FuncIndex {
        // The largest number is no index.
        FuncIndex::from_u32(word(bytes, 0).min(NONE - 1))
    }
}

impl Packed for Function {
    const BYTES: usize = 8;

    fn pack(&self, bytes: &mut Vec<u8>) {
        self.ty.as_u32().pack(bytes);
        self.escaped
            .map_or(NONE, EscapedFuncIndex::as_u32)
            .pack(bytes);
    }

    fn unpack(bytes: &[u8]) -> Function {
        let escaped = word(bytes, 1);
        Function {
            ty: TypeIndex::from_u32(word(bytes, 0).min(NONE - 1)),
            escaped: (escaped != NONE).then(|| EscapedFuncIndex::from_u32(escaped)),
        }
    }
}

impl Packed for Body {
    const BYTES: usize = 8;

    fn pack(&self, bytes: &mut Vec<u8>) {
        self.range.start.pack(bytes);
        self.range.end.pack(bytes);
    }

    fn unpack(bytes: &[u8]) -> Body {
        Body {
            range: word(bytes, 0)..word(bytes, 1),
        }
    }
}

/// A list of such items.
pub(crate) trait List {
    type Item: Packed;
    fn items(&self) -> &[Self::Item];
    fn from_items(items: Vec<Self::Item>) -> Self;
}

impl<T: Packed> List for Vec<T> {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }

    fn from_items(items: Vec<T>) -> Vec<T> {
        items
    }
}

impl<T: Packed> List for Box<[T]> {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }

    fn from_items(items: Vec<T>) -> Box<[T]> {
        items.into()
    }
}

impl<K: EntityRef, T: Packed> List for PrimaryMap<K, T> {
    type Item = T;

    fn items(&self) -> &[T] {
        self.as_values_slice()
    }

    fn from_items(items: Vec<T>) -> PrimaryMap<K, T> {
        PrimaryMap::from(items)
    }
}

pub(crate) fn serialize<L: List, S: Serializer>(
    list: &L,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let items = list.items();
    let mut bytes = Vec::with_capacity(items.len() * L::Item::BYTES);
    for item in items {
        item.pack(&mut bytes);
    }
    serializer.serialize_bytes(&bytes)
}

pub(crate) fn deserialize<'de, L: List, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<L, D::Error> {
    struct Bytes<L>(PhantomData<L>);

    impl<L: List> Visitor<'_> for Bytes<L> {
        type Value = L;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("packed items")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<L, E> {
            let items = bytes.chunks_exact(L::Item::BYTES);
            if !items.remainder().is_empty() {
                return Err(E::invalid_length(bytes.len(), &self));
            }
            Ok(L::from_items(items.map(L::Item::unpack).collect()))
        }
    }

    deserializer.deserialize_bytes(Bytes(PhantomData))
}
