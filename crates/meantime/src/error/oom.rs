//! [`OutOfMemory`]: an allocation that failed.

use std::fmt;

/// An allocation that failed, with its size.
///
/// ```
/// use meantime::{Error, OutOfMemory};
///
/// let error = Error::from(OutOfMemory::new(4096));
/// assert_eq!(error.to_string(), "out of memory (failed to allocate 4096 bytes)");
/// assert_eq!(error.downcast_ref::<OutOfMemory>().unwrap().requested_allocation_size(), 4096);
/// ```
#[derive(Copy, Clone)]
#[repr(transparent)]
pub struct OutOfMemory {
    requested_allocation_size: usize,
}

impl OutOfMemory {
    /// The error for an allocation of this many bytes.
    pub const fn new(requested_allocation_size: usize) -> Self {
        OutOfMemory {
            requested_allocation_size,
        }
    }

    /// How many bytes were asked for.
    pub fn requested_allocation_size(&self) -> usize {
        self.requested_allocation_size
    }
}

impl fmt::Debug for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutOfMemory")
            .field("requested_allocation_size", &self.requested_allocation_size)
            .finish()
    }
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.requested_allocation_size;
        write!(f, "out of memory (failed to allocate {size} bytes)")
    }
}

impl std::error::Error for OutOfMemory {}
