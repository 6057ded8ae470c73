//! Code that is published function by function while other threads run.
//!
//! Not for whole modules, which `code` maps at once. The one idea: the same memory is mapped twice, once to be written and once to be
//! executed, so that no address is ever both, and publishing takes nothing from threads that run what is there already. Where
//! the system refuses to execute a memory file, each publication takes whole pages and makes them executable when they are written.

use crate::sys::{Mapping, executable_memory_file, flush_instruction_cache, host_page_size};
use meantime_abi::CodePtr;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Room for machine code, filled from its start. Code stays until the arena is dropped.
#[derive(Debug)]
pub struct CodeArena {
    executable: Mapping,
    /// The same memory; none when there is one mapping only.
    writable: Option<Mapping>,
    used: Mutex<usize>,
}

impl CodeArena {
    /// An arena of this many bytes, rounded up to whole pages.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn new(len: usize) -> io::Result<CodeArena> {
        let len = len.max(1).next_multiple_of(host_page_size());
        CodeArena::with_two_mappings(len).or_else(|_| CodeArena::with_one_mapping(len))
    }

    fn with_two_mappings(len: usize) -> io::Result<CodeArena> {
        let file = executable_memory_file(len)?;
        Ok(CodeArena {
            executable: Mapping::file_shared(&file, len, true)?,
            writable: Some(Mapping::file_shared(&file, len, false)?),
            used: Mutex::new(0),
        })
    }

    fn with_one_mapping(len: usize) -> io::Result<CodeArena> {
        Ok(CodeArena {
            executable: Mapping::zeroed(len)?,
            writable: None,
            used: Mutex::new(0),
        })
    }

    /// Where it starts, to be executed.
    pub fn base(&self) -> CodePtr {
        self.executable.base().as_ptr()
    }

    /// Its length in bytes.
    #[allow(clippy::len_without_is_empty)] // It has at least a page.
    pub fn len(&self) -> usize {
        self.executable.len()
    }

    /// Publishes a function of `len` bytes, aligned to `align`, a power of two up to the page size. `write` gets the address at which it
    /// will run and writes it. Returns that address; none when there is no room.
    ///
    /// # Errors
    ///
    /// When the system refuses to make it executable.
    pub fn publish(
        &self,
        len: usize,
        align: usize,
        write: impl FnOnce(CodePtr, &mut [u8]),
    ) -> io::Result<Option<CodePtr>> {
        let page = host_page_size();
        debug_assert!(align.is_power_of_two() && align <= page);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let align = if self.writable.is_some() { align } else { page };
        let start = used.next_multiple_of(align);
        let Some(end) = start
            .checked_add(len)
            .filter(|&end| end <= self.executable.len())
        else {
            return Ok(None);
        };
        let address = self.executable.base().as_ptr().wrapping_add(start);
        let writable = self.writable.as_ref().unwrap_or(&self.executable);
        // SAFETY: this part was never published, so under the lock nobody else refers to it; it is writable.
        unsafe {
            let place = writable.base().as_ptr().add(start);
            write(address, std::slice::from_raw_parts_mut(place, len));
            if self.writable.is_none() {
                self.executable
                    .make_executable(start..end.next_multiple_of(page))?;
            }
        }
        *used = end;
        flush_instruction_cache(address, len);
        Ok(Some(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code that returns a number.
    #[cfg(target_arch = "x86_64")]
    fn returning(n: u8) -> Vec<u8> {
        vec![0xb8, n, 0, 0, 0, 0xc3]
    }

    /// Code that returns a number.
    #[cfg(target_arch = "aarch64")]
    fn returning(n: u8) -> Vec<u8> {
        let mov = 0x5280_0000u32 | u32::from(n) << 5;
        [mov, 0xd65f_03c0]
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect()
    }

    fn fill(arena: &CodeArena) -> u32 {
        let mut published = Vec::new();
        loop {
            let code = returning(published.len() as u8);
            let address = arena
                .publish(code.len(), 16, |_, place| place.copy_from_slice(&code))
                .unwrap();
            let Some(address) = address else { break };
            assert_eq!(address as usize % 16, 0);
            published.push(address);
            for (n, &address) in published.iter().enumerate() {
                // SAFETY: the code written above takes nothing and returns a number.
                let n_again = unsafe {
                    std::mem::transmute::<CodePtr, unsafe extern "C" fn() -> u32>(address)()
                };
                assert_eq!(n_again, n as u32 & 0xff);
            }
        }
        published.len() as u32
    }

    #[test]
    fn functions_run_while_others_are_published() {
        let page = host_page_size();
        assert_eq!(
            fill(&CodeArena::with_two_mappings(page).unwrap()),
            page as u32 / 16
        );
        assert_eq!(fill(&CodeArena::with_one_mapping(3 * page).unwrap()), 3);
    }
}
