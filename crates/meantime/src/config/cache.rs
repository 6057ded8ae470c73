//! [`Cache`]: compiled modules kept on disk, which there is not yet.

use crate::Result;
use crate::error::bail;
use std::convert::Infallible;
use std::path::Path;

/// Settings of a [`Cache`].
#[derive(Clone, Debug, Default)]
pub struct CacheConfig(());

impl CacheConfig {
    /// The default settings.
    pub fn new() -> CacheConfig {
        CacheConfig::default()
    }
}

/// Compiled modules kept on disk.
///
/// This version of Meantime has no such cache: there is no value of this type, and making one is an error. Programs that
/// run without one pass `None` to [`Config::cache`](crate::Config::cache).
///
/// ```
/// use meantime::{Cache, Config};
///
/// let mut config = Config::new();
/// config.cache(Cache::from_file(None).ok());
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    never: Infallible,
}

impl Cache {
    /// A cache with these settings.
    ///
    /// # Errors
    ///
    /// Always: caches are not supported yet.
    pub fn new(_config: CacheConfig) -> Result<Self> {
        bail!("a cache of compiled modules is not supported by this version of Meantime")
    }

    /// A cache with the settings of this file, or those of the user.
    ///
    /// # Errors
    ///
    /// Always: caches are not supported yet.
    pub fn from_file(_path: Option<&Path>) -> Result<Self> {
        bail!("a cache of compiled modules is not supported by this version of Meantime")
    }

    /// What follows from there being a cache: nothing can.
    pub(super) fn unreachable(self) -> ! {
        match self.never {}
    }
}
