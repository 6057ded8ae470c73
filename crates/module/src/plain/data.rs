//! Data sections as most of those with very many segments are: all of them active, of the first memory, at constant addresses.
//!
//! The one idea: such a section is read and validated at once; of one with anything else in it, or anything wrong, nothing is known. There is little to be
//! valid: the memory must be there, and have addresses of 32 bits.
//!
//! Spec: "Data Section" of the binary format, "Data Segments" of validation.

use crate::module::{Data, Module, SegmentMode};
use crate::{ConstExpr, ConstOp};
use meantime_abi::{AddrType, MemoryIndex};
use smallvec::smallvec;
use std::ops::Range;

/// More segments than this are for the full validator, which has a limit.
const MAX_SEGMENTS: usize = 100_000;

/// Bytes that are read from the front.
struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// A number of at most 32 bits, sign-extended from the last of its bits, and how many there are.
    fn number(&mut self) -> Option<(i64, u32)> {
        let (mut value, mut len) = (0, 0);
        loop {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << len;
            len += 7;
            if byte < 0x80 {
                let unused = 64 - len;
                return Some((value << unused >> unused, len));
            }
            if len == 35 {
                return None;
            }
        }
    }

    fn signed(&mut self) -> Option<i32> {
        i32::try_from(self.number()?.0).ok()
    }

    fn unsigned(&mut self) -> Option<u32> {
        let (value, len) = self.number()?;
        u32::try_from(value & ((1 << len) - 1)).ok()
    }

    fn skip(&mut self, len: u32) -> Option<()> {
        self.rest = self.rest.get(len as usize..)?;
        Some(())
    }
}

/// The segments, where all of them are as described: `count` in these bytes of the module, of which the sections before are known. The module is less
/// than 4 GiB.
pub(crate) fn datas(
    module: &Module,
    bytes: &[u8],
    segments: Range<u64>,
    count: u32,
) -> Option<Vec<Data>> {
    let memory = module.memories.values().next()?;
    let count = count as usize;
    if memory.addr != AddrType::I32 || count > MAX_SEGMENTS {
        return None;
    }
    let range = usize::try_from(segments.start).ok()?..usize::try_from(segments.end).ok()?;
    let end = u32::try_from(range.end).ok()?;
    let mut section = Bytes {
        rest: bytes.get(range)?,
    };
    // Each takes at least five bytes.
    let mut datas = Vec::with_capacity(count.min(section.rest.len() / 5));
    for _ in 0..count {
        // Active in the first memory, `i32.const`.
        if section.byte()? != 0 || section.byte()? != 0x41 {
            return None;
        }
        let offset = section.signed()?;
        // `end`.
        if section.byte()? != 0x0b {
            return None;
        }
        let len = section.unsigned()?;
        let start = end - section.rest.len() as u32;
        section.skip(len)?;
        let mode = SegmentMode::Active {
            target: MemoryIndex::from_u32(0),
            offset: ConstExpr {
                ops: smallvec![ConstOp::I32Const(offset)],
            },
            in_image: false,
        };
        let range = start..start + len;
        datas.push(Data { mode, range });
    }
    section.rest.is_empty().then_some(datas)
}
