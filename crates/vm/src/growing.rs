//! The text of a module whose functions are compiled while it runs.
//!
//! The one idea: code and its side table are published together, at rising addresses, and their entry is appended to a table whose length is
//! raised last. So readers, among them signal handlers, take no lock: what they see of the table is complete and sorted.

use crate::arena::CodeArena;
use crate::code::FuncEntry;
use crate::sys::Mapping;
use meantime_abi::{CallProfile, CodePtr, FuncKey};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// No piece of code with its side table is shorter: it bounds how many entries there can be.
const MIN_PIECE: usize = 32;

#[derive(Debug)]
pub(crate) struct GrowingText {
    arena: CodeArena,
    /// Room for as many entries as there can be pieces; pages that are not reached cost nothing.
    entries: Mapping,
    published: AtomicUsize,
    writer: Mutex<()>,
    /// Zeros at first; pages that are not reached cost nothing.
    profiles: Mapping,
    profile_count: usize,
}

impl GrowingText {
    /// Room for `reserve` bytes of code and side tables, and for so many profiles.
    pub fn new(reserve: usize, profile_count: usize) -> io::Result<GrowingText> {
        // Offsets in the text are 32 bits.
        let reserve = reserve.min(1 << 31);
        Ok(GrowingText {
            arena: CodeArena::new(reserve)?,
            entries: Mapping::zeroed(reserve / MIN_PIECE * size_of::<FuncEntry>())?,
            published: AtomicUsize::new(0),
            writer: Mutex::new(()),
            profiles: Mapping::zeroed(profile_count * size_of::<CallProfile>())?,
            profile_count,
        })
    }

    /// Profiles of calls.
    pub fn profiles(&self) -> &[CallProfile] {
        // SAFETY: there is room for as many, zeros are valid ones, and they are only changed as atomics.
        unsafe {
            std::slice::from_raw_parts(self.profiles.base().as_ptr().cast(), self.profile_count)
        }
    }

    /// Where the text starts.
    pub fn base(&self) -> CodePtr {
        self.arena.base()
    }

    /// Bytes reserved.
    pub fn len(&self) -> usize {
        self.arena.len()
    }

    /// Every byte of the text: code, side tables, and zeros where nothing is published yet.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: readable, and bytes that were published do not change; others are not looked at by who follows entries.
        unsafe { std::slice::from_raw_parts(self.base(), self.len()) }
    }

    /// What is published, by start.
    pub fn functions(&self) -> &[FuncEntry] {
        let len = self.published.load(Ordering::Acquire);
        // SAFETY: so many entries were written before the length was raised to this, and entries do not change.
        unsafe { std::slice::from_raw_parts(self.entries.base().as_ptr().cast(), len) }
    }

    /// Publishes a piece of code with its side table; none when there is no room. `patch` gets the address at which the code will run, and a copy of
    /// it to change.
    pub fn publish(
        &self,
        key: FuncKey,
        code: &[u8],
        align: usize,
        side_table: &[u8],
        patch: impl FnOnce(CodePtr, &mut [u8]),
    ) -> io::Result<Option<CodePtr>> {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let table_at = code.len().next_multiple_of(4);
        let len = (table_at + side_table.len()).max(MIN_PIECE);
        let write = |address, place: &mut [u8]| {
            place[..code.len()].copy_from_slice(code);
            place[table_at..table_at + side_table.len()].copy_from_slice(side_table);
            patch(address, &mut place[..code.len()]);
        };
        let Some(address) = self.arena.publish(len, align.max(4), write)? else {
            return Ok(None);
        };
        let start = (address as usize - self.base() as usize) as u32;
        let entry = FuncEntry {
            start,
            len: code.len() as u32,
            side_table_start: start + table_at as u32,
            side_table_len: side_table.len() as u32,
            key,
        };
        let index = self.published.load(Ordering::Relaxed);
        // SAFETY: there is room for as many entries as pieces fit into the arena, and the lock is held.
        unsafe {
            let entries: *mut FuncEntry = self.entries.base().as_ptr().cast();
            entries.add(index).write(entry);
        }
        self.published.store(index + 1, Ordering::Release);
        Ok(Some(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meantime_abi::DefinedFuncIndex;

    #[test]
    fn entries_are_sorted_and_pieces_stay_what_they_are() {
        let text = GrowingText::new(1 << 16, 0).unwrap();
        let mut published = 0;
        loop {
            let code = vec![published as u8; 5 + published % 50];
            let side = vec![!published as u8; 12];
            let key = FuncKey::Func(DefinedFuncIndex::from_u32(published as u32));
            match text.publish(key, &code, 16, &side, |_, _| {}).unwrap() {
                Some(address) => assert_eq!(address as usize % 16, 0),
                None => break,
            }
            published += 1;
        }
        assert!(published > 500);
        let functions = text.functions();
        assert_eq!(functions.len(), published);
        assert!(functions.is_sorted_by_key(|f| f.start));
        for (i, f) in functions.iter().enumerate() {
            let code = &text.bytes()[f.start as usize..][..f.len as usize];
            assert!(code.iter().all(|b| *b == i as u8) && code.len() == 5 + i % 50);
            let side = &text.bytes()[f.side_table_start as usize..][..f.side_table_len as usize];
            assert!(side.iter().all(|b| *b == !i as u8) && side.len() == 12);
        }
    }
}
