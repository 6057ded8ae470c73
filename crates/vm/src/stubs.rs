//! Two few-instruction pieces of code for every function index, the same for all modules.
//!
//! The *lazy stub* of a function stands in its code slot until it has code: it says which function it is, and goes to `arch::lazy_entry`, which has it
//! compiled and goes on there. The *thunk* of a function goes wherever the slot points: an address of the function that stays good while
//! the slot changes, for funcrefs and imports. The one idea: both find the slots through the context that every call passes, so they depend on the
//! index alone, and are written once per process, in chunks that double.

use crate::arch;
use crate::code::CodeMemory;
use meantime_abi::{CodePtr, DefinedFuncIndex};
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Which functions a table is for. Where a function's results do not fit registers, its caller passes room for them in front of the context.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Passing {
    /// The context is the first parameter.
    ContextFirst,
    /// It is the second.
    RoomFirst,
}

/// Functions in the first chunk; each further chunk has twice as many.
const FIRST: u32 = 64;
/// More functions than a module can have.
const CHUNKS: usize = 16;

type Table = [OnceLock<CodeMemory>; CHUNKS];

static CONTEXT_FIRST: Table = [const { OnceLock::new() }; CHUNKS];
static ROOM_FIRST: Table = [const { OnceLock::new() }; CHUNKS];
static WRITER: Mutex<()> = Mutex::new(());

/// The chunk of a function, and its place there.
fn place(func: u32) -> (usize, u32) {
    let chunk = (func / FIRST + 1).ilog2();
    (chunk as usize, func - first_of(chunk))
}

fn first_of(chunk: u32) -> u32 {
    FIRST * ((1 << chunk) - 1)
}

fn table(passing: Passing) -> &'static Table {
    match passing {
        Passing::ContextFirst => &CONTEXT_FIRST,
        Passing::RoomFirst => &ROOM_FIRST,
    }
}

/// Makes the stubs of as many functions.
///
/// # Errors
///
/// When the system refuses memory, or there are too many functions.
pub(crate) fn prepare(passing: Passing, functions: u32) -> io::Result<()> {
    let Some(last) = functions.checked_sub(1) else {
        return Ok(());
    };
    let (last, _) = place(last);
    if last >= CHUNKS {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    for (chunk, memory) in table(passing)[..=last].iter().enumerate() {
        if memory.get().is_none() {
            let _writer = WRITER.lock().unwrap_or_else(PoisonError::into_inner);
            if memory.get().is_none() {
                let made = write_chunk(passing, chunk as u32)?;
                // Nobody else sets it: the lock is held.
                let _ = memory.set(made);
            }
        }
    }
    Ok(())
}

fn write_chunk(passing: Passing, chunk: u32) -> io::Result<CodeMemory> {
    let first = first_of(chunk);
    let count = FIRST << chunk;
    let mut text = Vec::with_capacity(arch::STUB_HEADER + count as usize * arch::STUB);
    arch::write_stub_header(&mut text);
    debug_assert_eq!(text.len(), arch::STUB_HEADER);
    for func in first..first + count {
        let start = text.len();
        arch::write_thunk(&mut text, passing, func);
        text.resize(start + arch::LAZY_STUB_AT, arch::FILLER);
        arch::write_lazy_stub(&mut text, passing, func);
        text.resize(start + arch::STUB, arch::FILLER);
    }
    CodeMemory::from_bytes(&text)
}

fn stub(passing: Passing, func: DefinedFuncIndex) -> CodePtr {
    let (chunk, index) = place(func.as_u32());
    let memory = table(passing)[chunk].get().expect("stubs were prepared");
    let at = arch::STUB_HEADER + index as usize * arch::STUB;
    memory.text()[at..].as_ptr()
}

/// The function whose thunk this is, if it is one.
pub(crate) fn of_thunk(address: usize) -> Option<DefinedFuncIndex> {
    let in_table = |passing| table(passing).iter().map_while(OnceLock::get).enumerate();
    let mut chunks = in_table(Passing::ContextFirst).chain(in_table(Passing::RoomFirst));
    chunks.find_map(|(chunk, memory)| {
        let start = memory.text().as_ptr().addr() + arch::STUB_HEADER;
        let inside = address.checked_sub(start)?;
        let index = inside / arch::STUB;
        let is_thunk = inside % arch::STUB == 0 && index < (FIRST as usize) << chunk;
        // Functions have 32-bit indices.
        is_thunk.then(|| DefinedFuncIndex::from_u32(first_of(chunk as u32) + index as u32))
    })
}

/// Where a function can be called for good.
///
/// # Panics
///
/// When [`prepare`] was not called for as many functions.
pub(crate) fn thunk(passing: Passing, func: DefinedFuncIndex) -> CodePtr {
    stub(passing, func)
}

/// What stands in the slot of a function without code.
///
/// # Panics
///
/// As for [`thunk`].
pub(crate) fn lazy(passing: Passing, func: DefinedFuncIndex) -> CodePtr {
    stub(passing, func).wrapping_add(arch::LAZY_STUB_AT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_a_place() {
        assert_eq!(place(0), (0, 0));
        assert_eq!(place(63), (0, 63));
        assert_eq!(place(64), (1, 0));
        assert_eq!(place(191), (1, 127));
        assert_eq!(place(192), (2, 0));
        assert!(place(1_000_000).0 < CHUNKS);
        let passing = Passing::ContextFirst;
        prepare(passing, 200).unwrap();
        let at = |i| thunk(passing, DefinedFuncIndex::from_u32(i)) as usize;
        assert_eq!(at(1) - at(0), arch::STUB);
        assert_eq!(at(199) - at(192), 7 * arch::STUB);
        assert_eq!(of_thunk(at(199)), Some(DefinedFuncIndex::from_u32(199)));
        assert_eq!(of_thunk(at(199) + 1), None);
        assert!(prepare(passing, u32::MAX).is_err());
    }
}
