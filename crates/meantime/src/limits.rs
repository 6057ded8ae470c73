//! Limits on what a store may use: memory, table elements, instances.
//!
//! Not here: who asks. Creating and growing memories and tables asks the store's [`ResourceLimiter`] first; a guest
//! whose request is denied sees its `grow` instruction fail, as the specification allows at any time.

use crate::error::{Result, bail};

/// How many instances a store may have if nothing says otherwise.
pub(crate) const DEFAULT_INSTANCE_LIMIT: usize = 10_000;
/// How many tables a store may have if nothing says otherwise.
pub(crate) const DEFAULT_TABLE_LIMIT: usize = 10_000;
/// How many memories a store may have if nothing says otherwise.
pub(crate) const DEFAULT_MEMORY_LIMIT: usize = 10_000;

/// Decides about every request for memory and table elements of a store, installed with `Store::limiter`.
///
/// Linear memories, tables and the store's heap of objects are asked about, the heap as if it were a memory; what the runtime itself
/// allocates is not.
/// [`StoreLimits`] implements it for limits that are fixed ahead.
///
/// ```
/// use meantime::{ResourceLimiter, Result};
///
/// /// One megabyte for everything.
/// struct Budget {
///     left: usize,
/// }
///
/// impl ResourceLimiter for Budget {
///     fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
///         match self.left.checked_sub(desired - current) {
///             Some(left) => self.left = left,
///             None => return Ok(false),
///         }
///         Ok(true)
///     }
///
///     fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
///         Ok(desired <= 1000)
///     }
/// }
///
/// let mut budget = Budget { left: 1 << 20 };
/// assert!(budget.memory_growing(0, 1 << 19, None).unwrap());
/// assert!(!budget.memory_growing(1 << 19, 1 << 21, None).unwrap());
/// assert_eq!(budget.instances(), 10_000);
/// ```
pub trait ResourceLimiter: Send {
    /// Whether a memory may grow from `current` to `desired` bytes. A new memory grows from zero.
    ///
    /// `maximum` is what the memory's type allows; `desired` may exceed it, and growing then fails whatever this
    /// returns. Both are multiples of the page size.
    ///
    /// # Errors
    ///
    /// An error is a trap in the guest that asked.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool>;

    /// Told that a memory could not grow though [`ResourceLimiter::memory_growing`] allowed it, or that `desired` was
    /// out of reach from the start.
    ///
    /// # Errors
    ///
    /// An error is a trap in the guest that asked; by default there is none.
    fn memory_grow_failed(&mut self, error: crate::Error) -> Result<()> {
        drop(error);
        Ok(())
    }

    /// Whether a table may grow from `current` to `desired` elements. A new table grows from zero.
    ///
    /// # Errors
    ///
    /// An error is a trap in the guest that asked.
    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool>;

    /// As [`ResourceLimiter::memory_grow_failed`], for tables.
    ///
    /// # Errors
    ///
    /// An error is a trap in the guest that asked; by default there is none.
    fn table_grow_failed(&mut self, error: crate::Error) -> Result<()> {
        drop(error);
        Ok(())
    }

    /// How many instances the store may have. Asked once, when the limiter is installed.
    fn instances(&self) -> usize {
        DEFAULT_INSTANCE_LIMIT
    }

    /// How many tables the store may have. Asked once, when the limiter is installed.
    fn tables(&self) -> usize {
        DEFAULT_TABLE_LIMIT
    }

    /// How many memories the store may have. Asked once, when the limiter is installed.
    fn memories(&self) -> usize {
        DEFAULT_MEMORY_LIMIT
    }
}

/// Makes a [`StoreLimits`].
pub struct StoreLimitsBuilder(StoreLimits);

impl StoreLimitsBuilder {
    /// Begins with the defaults: 10,000 instances, tables and memories, of any size.
    pub fn new() -> Self {
        StoreLimitsBuilder(StoreLimits::default())
    }

    /// Bytes that each memory may have, and the heap of objects, too.
    pub fn memory_size(mut self, limit: usize) -> Self {
        self.0.memory_size = Some(limit);
        self
    }

    /// Elements that each table may have.
    pub fn table_elements(mut self, limit: usize) -> Self {
        self.0.table_elements = Some(limit);
        self
    }

    /// Instances that the store may have.
    pub fn instances(mut self, limit: usize) -> Self {
        self.0.instances = limit;
        self
    }

    /// Tables that the store may have.
    pub fn tables(mut self, tables: usize) -> Self {
        self.0.tables = tables;
        self
    }

    /// Memories that the store may have.
    pub fn memories(mut self, memories: usize) -> Self {
        self.0.memories = memories;
        self
    }

    /// Whether a guest that asks for too much is stopped by a trap, rather than told that growing failed.
    pub fn trap_on_grow_failure(mut self, trap: bool) -> Self {
        self.0.trap_on_grow_failure = trap;
        self
    }

    /// The limits.
    pub fn build(self) -> StoreLimits {
        self.0
    }
}

impl Default for StoreLimitsBuilder {
    fn default() -> Self {
        StoreLimitsBuilder::new()
    }
}

/// Limits that are fixed ahead; made by a [`StoreLimitsBuilder`].
///
/// ```
/// use meantime::{ResourceLimiter, StoreLimitsBuilder};
///
/// let mut limits = StoreLimitsBuilder::new()
///     .memory_size(16 << 20)
///     .instances(2)
///     .build();
/// assert!(limits.memory_growing(0, 16 << 20, None).unwrap());
/// assert!(!limits.memory_growing(0, 17 << 20, None).unwrap());
/// assert_eq!(limits.instances(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct StoreLimits {
    memory_size: Option<usize>,
    table_elements: Option<usize>,
    instances: usize,
    tables: usize,
    memories: usize,
    trap_on_grow_failure: bool,
}

impl Default for StoreLimits {
    fn default() -> Self {
        StoreLimits {
            memory_size: None,
            table_elements: None,
            instances: DEFAULT_INSTANCE_LIMIT,
            tables: DEFAULT_TABLE_LIMIT,
            memories: DEFAULT_MEMORY_LIMIT,
            trap_on_grow_failure: false,
        }
    }
}

impl StoreLimits {
    fn grow_failed(&self, error: crate::Error, what: &'static str) -> Result<()> {
        if self.trap_on_grow_failure {
            return Err(error.context(format!("forcing a {what} growth failure to be a trap")));
        }
        Ok(())
    }
}

/// Whether `desired` is within both limits.
fn within(desired: usize, limit: Option<usize>, maximum: Option<usize>) -> bool {
    limit.is_none_or(|limit| desired <= limit) && maximum.is_none_or(|maximum| desired <= maximum)
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let allow = within(desired, self.memory_size, maximum);
        if !allow && self.trap_on_grow_failure {
            bail!("forcing trap when growing memory to {desired} bytes");
        }
        Ok(allow)
    }

    fn memory_grow_failed(&mut self, error: crate::Error) -> Result<()> {
        self.grow_failed(error, "memory")
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let allow = within(desired, self.table_elements, maximum);
        if !allow && self.trap_on_grow_failure {
            bail!("forcing trap when growing table to {desired} elements");
        }
        Ok(allow)
    }

    fn table_grow_failed(&mut self, error: crate::Error) -> Result<()> {
        self.grow_failed(error, "table")
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn defaults_allow_what_the_type_allows() {
        let mut limits = StoreLimits::default();
        assert!(limits.memory_growing(0, usize::MAX, None).unwrap());
        assert!(limits.memory_growing(0, 10, Some(10)).unwrap());
        assert!(!limits.memory_growing(0, 11, Some(10)).unwrap());
        assert!(!limits.table_growing(0, 11, Some(10)).unwrap());
        assert_eq!(
            (limits.instances(), limits.tables(), limits.memories()),
            (10_000, 10_000, 10_000)
        );
        limits.memory_grow_failed(Error::msg("no")).unwrap();
        limits.table_grow_failed(Error::msg("no")).unwrap();
    }

    #[test]
    fn limits_hold() {
        let builder = StoreLimitsBuilder::default()
            .memory_size(100)
            .table_elements(5);
        let mut limits = builder.instances(1).tables(2).memories(3).build();
        assert!(limits.memory_growing(0, 100, Some(200)).unwrap());
        assert!(!limits.memory_growing(0, 101, Some(200)).unwrap());
        assert!(limits.table_growing(0, 5, None).unwrap());
        assert!(!limits.table_growing(0, 6, None).unwrap());
        assert_eq!(
            (limits.instances(), limits.tables(), limits.memories()),
            (1, 2, 3)
        );
    }

    #[test]
    fn failures_can_be_traps() {
        let builder = StoreLimitsBuilder::new().memory_size(1).table_elements(1);
        let mut limits = builder.trap_on_grow_failure(true).build();
        let error = limits.memory_growing(0, 2, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "forcing trap when growing memory to 2 bytes"
        );
        let error = limits.table_growing(0, 2, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "forcing trap when growing table to 2 elements"
        );
        let error = limits.memory_grow_failed(Error::msg("no")).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "forcing a memory growth failure to be a trap: no"
        );
        let error = limits.table_grow_failed(Error::msg("no")).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "forcing a table growth failure to be a trap: no"
        );
    }
}
