//! Finished machine code, and what the runtime knows of it.
//!
//! Not a linker: all relocations have been applied. The one idea: a [`CodeRegion`] is one module's text with its table of functions and
//! their side tables, all looked up in place; it is in the process's registry as long as it lives. The text is whole from the start, or grows as
//! functions are compiled.

use crate::bytes::SharedBytes;
use crate::code_builder::CodeBuilder;
use crate::growing::GrowingText;
use crate::stubs::Passing;
use crate::sys::{Mapping, flush_instruction_cache, host_page_size};
use crate::tiers::Tiers;
use crate::{registry, stubs};
use meantime_abi::{
    CallProfile, CodePtr, CodeSlot, DefinedFuncIndex, FuncKey, SideTable, Trampoline, TypeIndex,
};
use std::any::Any;
use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// Machine code that can be executed and not written.
#[derive(Debug)]
pub struct CodeMemory {
    mapping: Mapping,
    len: usize,
}

impl CodeMemory {
    /// A copy of position-independent code.
    ///
    /// # Errors
    ///
    /// When the system refuses memory, or to make it executable.
    pub fn from_bytes(text: &[u8]) -> io::Result<CodeMemory> {
        let mut builder = CodeBuilder::new(text.len())?;
        builder.append(text)?;
        builder.finish()
    }

    /// Code that was written to the start of a mapping: so many bytes, at most all of it.
    pub(crate) fn of(mapping: Mapping, len: usize) -> io::Result<CodeMemory> {
        assert!(len <= mapping.len());
        // SAFETY: references into a mapping are borrowed from who owns it, and that is this function now.
        unsafe { mapping.make_executable(0..mapping.len())? };
        flush_instruction_cache(mapping.base().as_ptr(), len);
        Ok(CodeMemory { mapping, len })
    }

    /// Position-independent code mapped from a file. `offset` is a multiple of the host's page size.
    ///
    /// # Errors
    ///
    /// When the system refuses, for example because the file is on a file system mounted `noexec`.
    ///
    /// # Safety
    ///
    /// The file must not change as long as the code lives.
    pub unsafe fn from_file(file: &File, offset: u64, len: usize) -> io::Result<CodeMemory> {
        let mapping = Mapping::reserve(len)?;
        let end = len.next_multiple_of(host_page_size());
        // SAFETY: the mapping is new; that the file stays is the caller's promise.
        unsafe { mapping.map_executable(0..end, file, offset)? };
        flush_instruction_cache(mapping.base().as_ptr(), len);
        Ok(CodeMemory { mapping, len })
    }

    /// The code.
    pub fn text(&self) -> &[u8] {
        // SAFETY: readable, never written, and alive as long as `self`.
        unsafe { std::slice::from_raw_parts(self.mapping.base().as_ptr(), self.len) }
    }
}

/// A function or trampoline in a text. Offsets are in bytes.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct FuncEntry {
    /// Where its code starts in the text.
    pub start: u32,
    /// Bytes of its code.
    pub len: u32,
    /// Where its side table starts among the side tables.
    pub side_table_start: u32,
    /// Bytes of its side table.
    pub side_table_len: u32,
    /// What it is.
    pub key: FuncKey,
}

/// Why code and its description do not belong together.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CodeError {
    /// Functions are not sorted by start, overlap, or are not inside the text.
    Functions,
    /// A side table is not inside the given bytes or is not one.
    SideTable,
    /// A function of the module has no code, though one with a larger index does.
    Missing(DefinedFuncIndex),
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodeError::Functions => f.write_str("the table of functions does not fit the code"),
            CodeError::SideTable => f.write_str("a function's side table is damaged"),
            CodeError::Missing(func) => write!(f, "{func} has no code"),
        }
    }
}

impl std::error::Error for CodeError {}

/// The code of one module, with its table of functions, known to the process.
pub struct CodeRegion {
    text: Text,
    func_imports: u32,
    slots: Box<[CodeSlot]>,
    owner: Arc<dyn Any + Send + Sync>,
}

enum Text {
    Whole(WholeText),
    Growing(GrowingText, Arc<dyn Tiers>),
}

/// A text to which nothing is added.
struct WholeText {
    memory: CodeMemory,
    side_tables: SharedBytes,
    functions: Box<[FuncEntry]>,
    /// Start of each defined function.
    func_starts: Box<[u32]>,
    /// Sorted by what it is.
    trampolines: Box<[((Trampoline, TypeIndex), u32)]>,
}

impl CodeRegion {
    /// Describes code and makes it known to the process, until the last reference is gone.
    ///
    /// `functions` is sorted by start; `func_imports` is how many functions the module imports; `slots` asks for a code slot for each
    /// defined function. `owner` is what the embedder wants to find again from a code address, and must not hold the region.
    ///
    /// # Errors
    ///
    /// When the description does not fit the code.
    pub fn new(
        memory: CodeMemory,
        side_tables: SharedBytes,
        functions: Vec<FuncEntry>,
        func_imports: u32,
        slots: bool,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> Result<Arc<CodeRegion>, CodeError> {
        check_functions(memory.text(), &side_tables, &functions)?;
        let func_starts = func_starts(&functions)?;
        let mut trampolines: Vec<_> = functions
            .iter()
            .filter_map(|f| match f.key {
                FuncKey::Trampoline(way, ty) => Some(((way, ty), f.start)),
                FuncKey::Func(_) => None,
            })
            .collect();
        trampolines.sort_unstable();
        let slots = if slots { &*func_starts } else { &[] };
        let slots = slots
            .iter()
            .map(|&start| {
                let code = memory.text().as_ptr().wrapping_add(start as usize);
                CodeSlot::new(code)
            })
            .collect();
        let region = Arc::new(CodeRegion {
            text: Text::Whole(WholeText {
                memory,
                side_tables,
                functions: functions.into(),
                func_starts,
                trampolines: trampolines.into(),
            }),
            func_imports,
            slots,
            owner,
        });
        registry::register(&region);
        Ok(region)
    }

    /// A region for functions that are compiled when they are called first, with room for `reserve` bytes of code and side tables and
    /// so many profiles of calls. `room_first` says for each function whether its results are in memory.
    ///
    /// # Errors
    ///
    /// When the system refuses memory.
    pub fn tiered(
        room_first: &[bool],
        func_imports: u32,
        reserve: usize,
        profiles: usize,
        tiers: Arc<dyn Tiers>,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> io::Result<Arc<CodeRegion>> {
        // Modules have at most a million functions.
        let functions = room_first.len() as u32;
        stubs::prepare(Passing::ContextFirst, functions)?;
        if room_first.contains(&true) {
            stubs::prepare(Passing::RoomFirst, functions)?;
        }
        let slots = room_first.iter().enumerate().map(|(i, &room_first)| {
            let func = DefinedFuncIndex::from_u32(i as u32);
            let mut slot = CodeSlot::new(stubs::lazy(passing(room_first), func));
            slot.room_first = room_first.into();
            slot
        });
        let region = Arc::new(CodeRegion {
            text: Text::Growing(GrowingText::new(reserve, profiles)?, tiers),
            func_imports,
            slots: slots.collect(),
            owner,
        });
        registry::register(&region);
        Ok(region)
    }

    /// Who compiles its functions, where that is done while it runs.
    pub fn tiers(&self) -> Option<&Arc<dyn Tiers>> {
        match &self.text {
            Text::Whole(_) => None,
            Text::Growing(_, tiers) => Some(tiers),
        }
    }

    /// Adds code to a region that grows, and returns where it starts; none when there is no room. `patch` gets that address, and a copy of the
    /// code to change.
    ///
    /// # Errors
    ///
    /// When the system refuses to make it executable, or the region does not grow.
    pub fn publish(
        &self,
        key: FuncKey,
        code: &[u8],
        align: usize,
        side_table: &[u8],
        patch: impl FnOnce(CodePtr, &mut [u8]),
    ) -> io::Result<Option<CodePtr>> {
        match &self.text {
            Text::Whole(_) => Err(io::Error::from(io::ErrorKind::Unsupported)),
            Text::Growing(text, _) => text.publish(key, code, align, side_table, patch),
        }
    }

    /// The code; of a region that grows, with all that is between and after it.
    pub fn text(&self) -> &[u8] {
        match &self.text {
            Text::Whole(text) => text.memory.text(),
            Text::Growing(text, _) => text.bytes(),
        }
    }

    /// What the embedder gave.
    pub fn owner(&self) -> &Arc<dyn Any + Send + Sync> {
        &self.owner
    }

    /// Every function and trampoline, by start. In a region that grows, those that have code so far, each as often as it was compiled.
    pub fn functions(&self) -> &[FuncEntry] {
        match &self.text {
            Text::Whole(text) => &text.functions,
            Text::Growing(text, _) => text.functions(),
        }
    }

    /// How many functions the module imports.
    pub fn func_imports(&self) -> u32 {
        self.func_imports
    }

    /// The profiles of calls, by the number that code was given for each; none where nothing is recorded.
    pub fn call_profiles(&self) -> &[CallProfile] {
        match &self.text {
            Text::Whole(_) => &[],
            Text::Growing(text, _) => text.profiles(),
        }
    }

    /// The function of this region's module that an address in a funcref stands for, if the address goes through a slot.
    pub fn func_of_thunk(&self, address: usize) -> Option<DefinedFuncIndex> {
        let func = stubs::of_thunk(address)?;
        ((func.as_u32() as usize) < self.slots.len()).then_some(func)
    }

    /// The code slots, by [`DefinedFuncIndex`]; empty when there are none.
    pub fn slots(&self) -> &[CodeSlot] {
        &self.slots
    }

    /// Where a function can be called, from now on and for good. Of a region that grows, that is a way through its slot.
    ///
    /// # Panics
    ///
    /// When the module has no such function.
    pub fn func_code(&self, func: DefinedFuncIndex) -> CodePtr {
        match &self.text {
            Text::Whole(text) => self.at(text.func_starts[func.as_u32() as usize]),
            Text::Growing(..) => {
                let slot = &self.slots[func.as_u32() as usize];
                stubs::thunk(passing(slot.room_first != 0), func)
            }
        }
    }

    /// The trampoline for a type.
    pub fn trampoline(&self, way: Trampoline, ty: TypeIndex) -> Option<CodePtr> {
        match &self.text {
            Text::Whole(text) => {
                let i = text
                    .trampolines
                    .binary_search_by_key(&(way, ty), |t| t.0)
                    .ok()?;
                Some(self.at(text.trampolines[i].1))
            }
            Text::Growing(_, tiers) => tiers.trampoline(self, way, ty),
        }
    }

    fn at(&self, offset: u32) -> CodePtr {
        self.text().as_ptr().wrapping_add(offset as usize)
    }

    /// The function at a code address, and how far into it the address is. Works in a signal handler.
    pub fn find(&self, pc: usize) -> Option<(&FuncEntry, u32)> {
        let offset = pc.checked_sub(self.text().as_ptr() as usize)?;
        let offset = u32::try_from(offset).ok()?;
        let functions = self.functions();
        let after = functions.partition_point(|f| f.start <= offset);
        let entry = &functions[after.checked_sub(1)?];
        let inside = offset - entry.start;
        (inside < entry.len).then_some((entry, inside))
    }

    /// The function that a return address leads back into, and how far into it the address is.
    pub fn find_return(&self, address: usize) -> Option<(&FuncEntry, u32)> {
        // A call can be a function's last instruction, and then returns to what follows the function.
        let (entry, inside) = self.find(address.checked_sub(1)?)?;
        Some((entry, inside + 1))
    }

    /// A function's side table. Works in a signal handler.
    pub fn side_table(&self, entry: &FuncEntry) -> Option<SideTable<'_>> {
        let all = match &self.text {
            Text::Whole(text) => &text.side_tables[..],
            Text::Growing(text, _) => text.bytes(),
        };
        let start = entry.side_table_start as usize;
        let bytes = all.get(start..start + entry.side_table_len as usize)?;
        SideTable::new(bytes).ok()
    }
}

fn passing(room_first: bool) -> Passing {
    match room_first {
        true => Passing::RoomFirst,
        false => Passing::ContextFirst,
    }
}

impl fmt::Debug for CodeRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeRegion")
            .field("text", &self.text().as_ptr_range())
            .field("functions", &self.functions().len())
            .finish_non_exhaustive()
    }
}

impl Drop for CodeRegion {
    fn drop(&mut self) {
        registry::unregister(self);
    }
}

fn check_functions(
    text: &[u8],
    side_tables: &[u8],
    functions: &[FuncEntry],
) -> Result<(), CodeError> {
    let mut end = 0u64;
    for f in functions {
        if u64::from(f.start) < end {
            return Err(CodeError::Functions);
        }
        end = u64::from(f.start) + u64::from(f.len);
        if end > text.len() as u64 {
            return Err(CodeError::Functions);
        }
        let start = f.side_table_start as usize;
        let bytes = start
            .checked_add(f.side_table_len as usize)
            .and_then(|end| side_tables.get(start..end));
        if bytes.is_none_or(|bytes| SideTable::new(bytes).is_err()) {
            return Err(CodeError::SideTable);
        }
    }
    Ok(())
}

fn func_starts(functions: &[FuncEntry]) -> Result<Box<[u32]>, CodeError> {
    let count = functions
        .iter()
        .filter_map(|f| match f.key {
            FuncKey::Func(i) => Some(i.as_u32() as usize + 1),
            FuncKey::Trampoline(..) => None,
        })
        .max()
        .unwrap_or(0);
    // Every function has one entry, so a larger index means that one is missing; checked first so that it bounds the allocation.
    if count > functions.len() {
        return Err(CodeError::Missing(DefinedFuncIndex::from_u32(
            functions.len() as u32,
        )));
    }
    let mut starts = vec![None; count];
    for f in functions {
        if let FuncKey::Func(i) = f.key {
            starts[i.as_u32() as usize] = Some(f.start);
        }
    }
    let starts: Result<Vec<u32>, CodeError> = starts
        .into_iter()
        .enumerate()
        .map(|(i, s)| s.ok_or(CodeError::Missing(DefinedFuncIndex::from_u32(i as u32))))
        .collect();
    Ok(starts?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use meantime_abi::SideTableBuilder;

    fn entry(start: u32, len: u32, key: FuncKey) -> FuncEntry {
        FuncEntry {
            start,
            len,
            side_table_start: 0,
            side_table_len: SideTableBuilder::new().finish().len() as u32,
            key,
        }
    }

    fn func(i: u32) -> FuncKey {
        FuncKey::Func(DefinedFuncIndex::from_u32(i))
    }

    fn region(functions: Vec<FuncEntry>) -> Result<Arc<CodeRegion>, CodeError> {
        let memory = CodeMemory::from_bytes(&[0xcc; 100]).unwrap();
        let tables = SharedBytes::from(SideTableBuilder::new().finish());
        CodeRegion::new(memory, tables, functions, 0, true, Arc::new(()))
    }

    #[test]
    fn lookups_by_index_and_by_address() {
        let enter = FuncKey::Trampoline(Trampoline::Enter, TypeIndex::from_u32(3));
        let region = region(vec![
            entry(0, 10, func(1)),
            entry(16, 8, func(0)),
            entry(32, 8, enter),
        ])
        .unwrap();
        let base = region.text().as_ptr() as usize;
        assert_eq!(
            region.func_code(DefinedFuncIndex::from_u32(0)) as usize,
            base + 16
        );
        assert_eq!(
            region.func_code(DefinedFuncIndex::from_u32(1)) as usize,
            base
        );
        let (found, offset) = region.find(base + 20).unwrap();
        assert_eq!((found.key, offset), (func(0), 4));
        assert!(region.find(base + 13).is_none() && region.find(base.wrapping_sub(1)).is_none());
        let ty = TypeIndex::from_u32(3);
        assert_eq!(
            region.trampoline(Trampoline::Enter, ty).unwrap() as usize,
            base + 32
        );
        assert!(region.trampoline(Trampoline::Host, ty).is_none());
        assert_eq!(region.slots().len(), 2);
        let found = crate::lookup_code(base + 33).unwrap();
        assert!(Arc::ptr_eq(&found, &region));
        drop((found, region));
        assert!(crate::lookup_code(base + 33).is_none());
    }

    #[test]
    fn descriptions_that_do_not_fit_are_refused() {
        let bad = |functions| region(functions).err();
        assert_eq!(
            bad(vec![entry(0, 101, func(0))]),
            Some(CodeError::Functions)
        );
        assert_eq!(
            bad(vec![entry(8, 8, func(0)), entry(0, 8, func(1))]),
            Some(CodeError::Functions)
        );
        let missing = CodeError::Missing(DefinedFuncIndex::from_u32(1));
        assert_eq!(bad(vec![entry(0, 8, func(2))]), Some(missing));
        let truncated = FuncEntry {
            side_table_len: 8,
            ..entry(0, 8, func(0))
        };
        assert_eq!(bad(vec![truncated]), Some(CodeError::SideTable));
    }

    #[test]
    fn code_from_bytes_and_from_a_file_is_the_same() {
        let file = crate::sys::memory_file(&[0x90; 50]).unwrap();
        // SAFETY: the file is sealed.
        let mapped = unsafe { CodeMemory::from_file(&file, 0, 50).unwrap() };
        assert_eq!(
            mapped.text(),
            CodeMemory::from_bytes(&[0x90; 50]).unwrap().text()
        );
    }
}
