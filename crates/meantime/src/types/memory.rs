//! [`MemoryType`]: the types of memories, and the builder that checks them.

use crate::error::{Context, Result, bail, ensure};
use meantime_abi as abi;
use meantime_abi::AddrType;

/// The page size unless a type says otherwise: 64 KiB.
const DEFAULT_PAGE_SIZE_LOG2: u8 = 16;

/// Makes a [`MemoryType`] step by step.
///
/// ```
/// use meantime::MemoryTypeBuilder;
///
/// # fn main() -> meantime::Result<()> {
/// let ty = MemoryTypeBuilder::new().memory64(true).min(1).max(Some(10)).build()?;
/// assert!(ty.is_64());
///
/// let error = MemoryTypeBuilder::new().min(2).max(Some(1)).build().unwrap_err();
/// assert_eq!(error.to_string(), "maximum page size cannot be smaller than the minimum page size");
/// # Ok(())
/// # }
/// ```
pub struct MemoryTypeBuilder {
    ty: abi::MemoryType,
}

impl Default for MemoryTypeBuilder {
    fn default() -> Self {
        MemoryTypeBuilder {
            ty: abi::MemoryType {
                addr: AddrType::I32,
                shared: false,
                min: 0,
                max: None,
                page_size_log2: DEFAULT_PAGE_SIZE_LOG2,
            },
        }
    }
}

impl MemoryTypeBuilder {
    /// Begins with 32-bit addresses, no pages, no maximum, not shared, pages of 64 KiB.
    pub fn new() -> MemoryTypeBuilder {
        MemoryTypeBuilder::default()
    }

    /// Pages at the start.
    pub fn min(&mut self, minimum: u64) -> &mut Self {
        self.ty.min = minimum;
        self
    }

    /// Pages at most.
    pub fn max(&mut self, maximum: Option<u64>) -> &mut Self {
        self.ty.max = maximum;
        self
    }

    /// Whether addresses have 64 bits.
    pub fn memory64(&mut self, memory64: bool) -> &mut Self {
        self.ty.addr = match memory64 {
            true => AddrType::I64,
            false => AddrType::I32,
        };
        self
    }

    /// Whether several threads may use it.
    pub fn shared(&mut self, shared: bool) -> &mut Self {
        self.ty.shared = shared;
        self
    }

    /// The binary logarithm of the page size in bytes: 16, or 0 with the custom page sizes proposal.
    pub fn page_size_log2(&mut self, page_size_log2: u8) -> &mut Self {
        self.ty.page_size_log2 = page_size_log2;
        self
    }

    /// The type.
    ///
    /// # Errors
    ///
    /// When the maximum is below the minimum, either is beyond the reach of an address, a shared memory has no maximum, or
    /// the page size is not one that the specification allows.
    pub fn build(&self) -> Result<MemoryType> {
        let ty = &self.ty;
        if ty.max.is_some_and(|max| max < ty.min) {
            bail!("maximum page size cannot be smaller than the minimum page size");
        }
        ensure!(
            matches!(ty.page_size_log2, 0 | DEFAULT_PAGE_SIZE_LOG2),
            "page size must be 2**16 or 2**0, but was given 2**{}; note that future Wasm extensions might allow \
             any power of two page size, but only 2**16 and 2**0 are currently valid",
            ty.page_size_log2
        );
        if ty.shared && ty.max.is_none() {
            bail!("shared memories must have a maximum size");
        }
        ty.min_bytes()
            .context("memory's minimum byte size must fit in a u64")?;
        // The minimum is within the reach of 64-bit addresses by now, and a maximum beyond it does no harm.
        if ty.addr == AddrType::I32 {
            let reach = ty.max_pages_by_addr();
            if ty.min > reach {
                bail!("minimum size is too large for this memory type's index type");
            }
            if ty.max.is_some_and(|max| max > reach) {
                bail!("maximum size is too large for this memory type's index type");
            }
        }
        Ok(MemoryType { ty: *ty })
    }
}

/// The type of a memory. Sizes are in pages.
///
/// ```
/// use meantime::MemoryType;
///
/// let ty = MemoryType::new(1, Some(4));
/// assert_eq!(ty.minimum() * ty.page_size(), 64 << 10);
/// assert_eq!(ty.maximum(), Some(4));
/// assert!(!ty.is_64() && !ty.is_shared());
/// ```
#[derive(Debug, Clone, Hash, Eq, PartialEq)]
pub struct MemoryType {
    ty: abi::MemoryType,
}

impl MemoryType {
    /// A memory with 32-bit addresses.
    ///
    /// # Panics
    ///
    /// When the sizes are not possible, see [`MemoryTypeBuilder::build`].
    #[track_caller]
    pub fn new(minimum: u32, maximum: Option<u32>) -> MemoryType {
        MemoryTypeBuilder::new()
            .min(minimum.into())
            .max(maximum.map(u64::from))
            .build()
            .unwrap()
    }

    /// A memory with 64-bit addresses.
    ///
    /// # Panics
    ///
    /// When the sizes are not possible, see [`MemoryTypeBuilder::build`].
    #[track_caller]
    pub fn new64(minimum: u64, maximum: Option<u64>) -> MemoryType {
        MemoryTypeBuilder::new()
            .memory64(true)
            .min(minimum)
            .max(maximum)
            .build()
            .unwrap()
    }

    /// A memory with 32-bit addresses that several threads may use.
    ///
    /// # Panics
    ///
    /// When the sizes are not possible, see [`MemoryTypeBuilder::build`].
    #[track_caller]
    pub fn shared(minimum: u32, maximum: u32) -> MemoryType {
        MemoryTypeBuilder::new()
            .shared(true)
            .min(minimum.into())
            .max(Some(maximum.into()))
            .build()
            .unwrap()
    }

    /// Begins a type with less usual properties.
    pub fn builder() -> MemoryTypeBuilder {
        MemoryTypeBuilder::new()
    }

    /// Whether addresses have 64 bits.
    pub fn is_64(&self) -> bool {
        self.ty.addr == AddrType::I64
    }

    /// Whether several threads may use it.
    pub fn is_shared(&self) -> bool {
        self.ty.shared
    }

    /// Pages at the start.
    pub fn minimum(&self) -> u64 {
        self.ty.min
    }

    /// Pages at most.
    pub fn maximum(&self) -> Option<u64> {
        self.ty.max
    }

    /// Bytes in a page.
    pub fn page_size(&self) -> u64 {
        self.ty.page_size()
    }

    /// The binary logarithm of [`MemoryType::page_size`].
    pub fn page_size_log2(&self) -> u8 {
        self.ty.page_size_log2
    }

    pub(crate) fn from_abi(ty: abi::MemoryType) -> MemoryType {
        MemoryType { ty }
    }

    pub(crate) fn to_abi(&self) -> abi::MemoryType {
        self.ty
    }
}
