//! Checked access to the guest's memory: the only place where a number from the guest becomes an
//! address.
//!
//! The one idea: everything goes through [`GuestMemory::range`], which checks address and length
//! together without overflow. An address outside of the memory is a trap, as the interface's
//! calling convention asks; addresses need not be aligned. Lists are bounded before they are looked
//! at.

use super::errno::{Errno, Error, Result};
use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;

/// The most buffers one call may name, as on the systems below.
pub(crate) const MAX_IOVECS: u32 = 1024;

/// The longest path, as on the systems below.
pub(crate) const MAX_PATH: u32 = 4096;

/// How many buffers are kept without an allocation.
const INLINE_IOVECS: usize = 8;

/// The memory of the instance that made the call, for as long as the call lasts.
pub(crate) struct GuestMemory<'a> {
    bytes: &'a mut [u8],
}

/// A guest passed an address that its memory does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OutOfBounds {
    address: u32,
    len: u64,
    memory: usize,
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OutOfBounds {
            address,
            len,
            memory,
        } = self;
        write!(f, "pointer out of bounds: {len} bytes at {address:#x}")?;
        match memory {
            0 => f.write_str("; the module exports no memory named `memory`, or an empty one"),
            _ => write!(f, " of a memory of {memory:#x} bytes"),
        }
    }
}

impl std::error::Error for OutOfBounds {}

impl<'a> GuestMemory<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Self {
        GuestMemory { bytes }
    }

    #[inline]
    fn range(&self, address: u32, len: u64) -> Result<Range<usize>> {
        let start = u64::from(address);
        // `len` is at most 2^32 elements of at most 64 bytes: the sum fits.
        if start + len <= self.bytes.len() as u64 {
            Ok(start as usize..(start + len) as usize)
        } else {
            Err(self.out_of_bounds(address, len))
        }
    }

    #[cold]
    fn out_of_bounds(&self, address: u32, len: u64) -> Error {
        Error::Trap(
            OutOfBounds {
                address,
                len,
                memory: self.bytes.len(),
            }
            .into(),
        )
    }

    pub(crate) fn slice(&self, address: u32, len: u32) -> Result<&[u8]> {
        Ok(&self.bytes[self.range(address, len.into())?])
    }

    pub(crate) fn slice_mut(&mut self, address: u32, len: u32) -> Result<&mut [u8]> {
        let range = self.range(address, len.into())?;
        Ok(&mut self.bytes[range])
    }

    /// The `index`th of a list of records of `N` bytes.
    pub(crate) fn read_record<const N: usize>(&self, list: u32, index: u32) -> Result<[u8; N]> {
        let offset = u64::from(index) * N as u64;
        let range = self.range(list, offset + N as u64)?;
        let mut record = [0; N];
        record.copy_from_slice(&self.bytes[range.start + offset as usize..range.end]);
        Ok(record)
    }

    pub(crate) fn write(&mut self, address: u32, bytes: &[u8]) -> Result<()> {
        let range = self.range(address, bytes.len() as u64)?;
        self.bytes[range].copy_from_slice(bytes);
        Ok(())
    }

    /// Writes the `index`th of a list of records of the size of `record`.
    pub(crate) fn write_record(&mut self, list: u32, index: u32, record: &[u8]) -> Result<()> {
        let offset = u64::from(index) * record.len() as u64;
        let range = self.range(list, offset + record.len() as u64)?;
        self.bytes[range.start + offset as usize..range.end].copy_from_slice(record);
        Ok(())
    }

    pub(crate) fn write_u16(&mut self, address: u32, value: u16) -> Result<()> {
        self.write(address, &value.to_le_bytes())
    }

    pub(crate) fn write_u32(&mut self, address: u32, value: u32) -> Result<()> {
        self.write(address, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, address: u32, value: u64) -> Result<()> {
        self.write(address, &value.to_le_bytes())
    }

    /// A path: UTF-8 and not too long.
    pub(crate) fn path(&self, address: u32, len: u32) -> Result<&str> {
        let bytes = self.slice(address, len)?;
        if len > MAX_PATH {
            return Err(Errno::Nametoolong.into());
        }
        let path = std::str::from_utf8(bytes).map_err(|_| Errno::Ilseq)?;
        if path.contains('\0') {
            return Err(Errno::Inval.into());
        }
        Ok(path)
    }

    /// Address and length of one buffer of a list, checked. An empty buffer may point anywhere.
    fn iovec(&self, iovs: u32, index: u32) -> Result<Range<usize>> {
        let [a, b, c, d, e, f, g, h] = self.read_record::<8>(iovs, index)?;
        let (address, len) = (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        );
        if len == 0 {
            Ok(0..0)
        } else {
            self.range(address, len.into())
        }
    }

    fn check_iovecs(iovs_len: u32) -> Result<()> {
        if iovs_len > MAX_IOVECS {
            Err(Errno::Inval.into())
        } else {
            Ok(())
        }
    }

    /// Calls `with` with the buffers that a list names, for reading from them.
    pub(crate) fn with_ciovecs<R>(
        &self,
        iovs: u32,
        iovs_len: u32,
        with: impl FnOnce(&[IoSlice<'_>]) -> Result<R>,
    ) -> Result<R> {
        Self::check_iovecs(iovs_len)?;
        if iovs_len == 1 {
            return with(&[IoSlice::new(&self.bytes[self.iovec(iovs, 0)?])]);
        }
        if iovs_len as usize <= INLINE_IOVECS {
            let mut slices = [IoSlice::new(&[]); INLINE_IOVECS];
            for (index, slice) in (0..iovs_len).zip(&mut slices) {
                *slice = IoSlice::new(&self.bytes[self.iovec(iovs, index)?]);
            }
            return with(&slices[..iovs_len as usize]);
        }
        let slices = (0..iovs_len)
            .map(|index| Ok(IoSlice::new(&self.bytes[self.iovec(iovs, index)?])))
            .collect::<Result<Vec<_>>>()?;
        with(&slices)
    }

    /// Calls `with` with the buffers that a list names, for writing to them.
    ///
    /// Buffers that overlap cannot be handed out together; of a list with such buffers only the
    /// first that is not empty is, which the caller sees as a short read.
    pub(crate) fn with_iovecs<R>(
        &mut self,
        iovs: u32,
        iovs_len: u32,
        with: impl FnOnce(&mut [IoSliceMut<'_>]) -> Result<R>,
    ) -> Result<R> {
        Self::check_iovecs(iovs_len)?;
        match iovs_len {
            1 => {
                let range = self.iovec(iovs, 0)?;
                with(&mut [IoSliceMut::new(&mut self.bytes[range])])
            }
            2 => {
                let ranges = [self.iovec(iovs, 0)?, self.iovec(iovs, 1)?];
                let first = if ranges[0].is_empty() {
                    ranges[1].clone()
                } else {
                    ranges[0].clone()
                };
                match self.bytes.get_disjoint_mut(ranges) {
                    Ok([a, b]) => with(&mut [IoSliceMut::new(a), IoSliceMut::new(b)]),
                    Err(_) => with(&mut [IoSliceMut::new(&mut self.bytes[first])]),
                }
            }
            _ => {
                let ranges = (0..iovs_len)
                    .map(|index| self.iovec(iovs, index))
                    .collect::<Result<Vec<_>>>()?;
                match carve(&mut *self.bytes, &ranges) {
                    Some(mut slices) => with(&mut slices),
                    None => {
                        let first = ranges
                            .into_iter()
                            .find(|range| !range.is_empty())
                            .unwrap_or(0..0);
                        with(&mut [IoSliceMut::new(&mut self.bytes[first])])
                    }
                }
            }
        }
    }
}

/// Cuts `ranges` out of `bytes`, in the order of `ranges` and without those that are empty; `None`
/// if two overlap.
fn carve<'m>(bytes: &'m mut [u8], ranges: &[Range<usize>]) -> Option<Vec<IoSliceMut<'m>>> {
    let mut order: Vec<usize> = (0..ranges.len())
        .filter(|&index| !ranges[index].is_empty())
        .collect();
    order.sort_unstable_by_key(|&index| ranges[index].start);
    let mut rest = bytes;
    let mut cut_off = 0;
    let mut slices = Vec::with_capacity(order.len());
    for index in order {
        let range = &ranges[index];
        let (_, from_start) = rest.split_at_mut(range.start.checked_sub(cut_off)?);
        let (slice, after) = from_start.split_at_mut(range.len());
        slices.push((index, IoSliceMut::new(slice)));
        (rest, cut_off) = (after, range.end);
    }
    slices.sort_unstable_by_key(|(index, _)| *index);
    Some(slices.into_iter().map(|(_, slice)| slice).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iovecs(list: &[(u32, u32)]) -> Vec<u8> {
        list.iter()
            .flat_map(|(address, len)| [address.to_le_bytes(), len.to_le_bytes()].concat())
            .collect()
    }

    fn lengths(memory: &mut [u8], list: &[(u32, u32)]) -> Result<Vec<usize>> {
        let encoded = iovecs(list);
        memory[..encoded.len()].copy_from_slice(&encoded);
        let mut guest = GuestMemory::new(memory);
        let reading = guest.with_ciovecs(0, list.len() as u32, |slices| {
            Ok(slices
                .iter()
                .map(|slice| slice.len())
                .filter(|len| *len > 0)
                .collect::<Vec<_>>())
        })?;
        let writing = guest.with_iovecs(0, list.len() as u32, |slices| {
            Ok(slices
                .iter()
                .map(|slice| slice.len())
                .filter(|len| *len > 0)
                .collect::<Vec<_>>())
        })?;
        assert!(reading.starts_with(&writing));
        Ok(writing)
    }

    #[test]
    fn bounds_are_checked_without_overflow() {
        let mut bytes = [0; 100];
        let mut memory = GuestMemory::new(&mut bytes);
        assert!(memory.slice(100, 0).is_ok());
        assert!(memory.slice(99, 1).is_ok());
        for (address, len) in [
            (100, 1),
            (99, 2),
            (u32::MAX, u32::MAX),
            (0, u32::MAX),
            (101, 0),
        ] {
            assert!(
                matches!(memory.slice(address, len), Err(Error::Trap(_))),
                "{address} {len}"
            );
            assert!(
                matches!(memory.slice_mut(address, len), Err(Error::Trap(_))),
                "{address} {len}"
            );
        }
        assert!(matches!(memory.write_u64(93, 1), Err(Error::Trap(_))));
        assert!(memory.write_u64(92, u64::MAX).is_ok());
        assert!(matches!(
            memory.read_record::<48>(0, u32::MAX),
            Err(Error::Trap(_))
        ));
        assert!(
            memory
                .read_record::<48>(4, 1)
                .is_ok_and(|record| record[47] == 0xff)
        );
    }

    #[test]
    fn buffers_keep_their_order() {
        let mut memory = [0; 400];
        for count in [1, 2, 3, 20] {
            let list: Vec<_> = (0..count)
                .map(|index| (390 - 10 * index, index % 7))
                .collect();
            let expected: Vec<_> = list
                .iter()
                .map(|(_, len)| *len as usize)
                .filter(|len| *len > 0)
                .collect();
            assert_eq!(lengths(&mut memory, &list).unwrap(), expected);
        }
    }

    #[test]
    fn overlapping_buffers_become_a_short_read() {
        let mut memory = [0; 200];
        assert_eq!(lengths(&mut memory, &[(100, 20), (110, 20)]).unwrap(), [20]);
        assert_eq!(
            lengths(&mut memory, &[(100, 0), (110, 20), (110, 20)]).unwrap(),
            [20]
        );
        assert_eq!(
            lengths(&mut memory, &[(110, 5), (100, 10), (115, 1)]).unwrap(),
            [5, 10, 1]
        );
    }

    #[test]
    fn a_list_of_buffers_is_bounded_and_checked() {
        let mut memory = [0; 200];
        assert!(matches!(
            lengths(&mut memory, &[(199, 2)]),
            Err(Error::Trap(_))
        ));
        assert_eq!(lengths(&mut memory, &[(u32::MAX, 0), (1, 1)]).unwrap(), [1]);
        let guest = GuestMemory::new(&mut memory);
        let too_many = guest.with_ciovecs(0, MAX_IOVECS + 1, |_| Ok(()));
        assert!(matches!(too_many, Err(Error::Errno(Errno::Inval))));
        assert!(matches!(
            guest.with_ciovecs(0, MAX_IOVECS, |_| Ok(())),
            Err(Error::Trap(_))
        ));
    }

    #[test]
    fn paths_are_bounded_text() {
        let mut bytes = vec![b'a'; 5000];
        bytes[10] = 0xff;
        bytes[20] = 0;
        let memory = GuestMemory::new(&mut bytes);
        assert_eq!(memory.path(0, 3).unwrap(), "aaa");
        assert!(matches!(
            memory.path(0, 11),
            Err(Error::Errno(Errno::Ilseq))
        ));
        assert!(matches!(
            memory.path(15, 10),
            Err(Error::Errno(Errno::Inval))
        ));
        assert!(matches!(
            memory.path(30, MAX_PATH + 1),
            Err(Error::Errno(Errno::Nametoolong))
        ));
        assert!(matches!(memory.path(30, 5000), Err(Error::Trap(_))));
    }
}
