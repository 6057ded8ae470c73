//! Why something could not be made or grown. Traps are not here: they are `abi::Trap`.

use crate::HostError;
use std::fmt;
use std::io;

/// Why an instance, memory or table could not be allocated.
#[non_exhaustive]
pub enum AllocateError {
    /// The embedder's limiter returned an error.
    Host(HostError),
    /// The embedder's limiter refused a memory's minimum size.
    MemoryLimit {
        /// The minimum, in pages.
        pages: u64,
    },
    /// The embedder's limiter refused a table's minimum size.
    TableLimit {
        /// The minimum, in elements.
        elements: u64,
    },
    /// More than the address space, or than this implementation allows.
    TooLarge {
        /// What.
        what: &'static str,
        /// How many bytes or elements were asked for; the largest number when there were more.
        size: u64,
    },
    /// The heap of objects is full and cannot grow. In a guest that is stopped because of it, this is the error of the host, in a box.
    GcHeapOutOfMemory {
        /// Bytes that were asked for.
        size: u64,
    },
    /// The system refused.
    Os {
        /// What was to be allocated.
        what: &'static str,
        /// How many bytes.
        size: u64,
        /// Its reason.
        source: io::Error,
    },
}

impl fmt::Display for AllocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AllocateError::Host(_) => f.write_str("the resource limiter failed"),
            AllocateError::MemoryLimit { pages } => {
                write!(
                    f,
                    "memory minimum size of {pages} pages exceeds memory limits"
                )
            }
            AllocateError::TableLimit { elements } => {
                write!(
                    f,
                    "table minimum size of {elements} elements exceeds table limits"
                )
            }
            AllocateError::TooLarge { what, size } => {
                write!(
                    f,
                    "{what} of size {size} is too large for this host's address space"
                )
            }
            AllocateError::GcHeapOutOfMemory { size } => {
                write!(
                    f,
                    "GC heap out of memory: no capacity for allocation of {size} bytes"
                )
            }
            AllocateError::Os { what, size, source } => {
                write!(f, "failed to allocate {what} of {size} bytes: {source}")
            }
        }
    }
}

impl fmt::Debug for AllocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for AllocateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            AllocateError::Os { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why a memory or table did not grow.
#[derive(Debug)]
#[non_exhaustive]
pub enum GrowError {
    /// Beyond the maximum of a memory's type.
    MemoryMaximum,
    /// Beyond the maximum of a table's type, or of this implementation.
    TableMaximum,
    /// Beyond what was reserved, and the memory must not move.
    Reservation,
    /// The system refused.
    Os(io::Error),
}

impl fmt::Display for GrowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GrowError::MemoryMaximum => f.write_str("Memory maximum size exceeded"),
            GrowError::TableMaximum => f.write_str("Table maximum size exceeded"),
            GrowError::Reservation => {
                f.write_str("the memory is larger than its reservation and must not move")
            }
            GrowError::Os(source) => write!(f, "the system refused more memory: {source}"),
        }
    }
}

impl std::error::Error for GrowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            GrowError::Os(source) => Some(source),
            _ => None,
        }
    }
}
