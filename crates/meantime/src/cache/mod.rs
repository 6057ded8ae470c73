//! [`Cache`]: what was compiled, kept on disk for the next process.
//!
//! `config` says where it is and how large it may become, `place` where the platform keeps such things, `files` reads, writes and cleans, `warm` is what
//! is kept of a module whose code is made while it runs. The one idea: an entry's name is a hash of everything that it depends on, and an entry ends with
//! a hash of itself. So nothing has to be locked or trusted to be whole: an entry is there and is right, or the module is compiled.

mod config;
mod files;
mod place;
mod warm;

pub use config::CacheConfig;
pub(crate) use files::content;
pub(crate) use warm::Warm;

use crate::error::Context;
use crate::profile::{hash, hex};
use crate::{Engine, Result, format_err};
use meantime_compile::Backend;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Compiled modules kept on disk.
///
/// Of a module that is compiled ahead ([`Strategy::Cranelift`](crate::Strategy::Cranelift), [`Strategy::Winch`](crate::Strategy::Winch)) all code is
/// kept, and mapped when it is compiled again. Of one whose code is made while it runs, it is the optimized code and the profile: the next process has its
/// hot functions optimized from the beginning. They are written when the last handle of the module is dropped, or with
/// [`Module::update_cache`](crate::Module::update_cache).
///
/// Processes can share a cache. What is damaged is compiled again. Whoever can write to the directory can have any code run.
///
/// ```no_run
/// use meantime::{Cache, Config, Engine};
///
/// # fn main() -> meantime::Result<()> {
/// let mut config = Config::new();
/// config.cache(Some(Cache::from_file(None)?));
/// let engine = Engine::new(&config)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: CacheConfig,
    directory: PathBuf,
    hits: AtomicUsize,
    misses: AtomicUsize,
}

/// The place of a module in a cache.
pub(crate) struct Entry {
    cache: Cache,
    path: PathBuf,
}

impl Cache {
    /// A cache with these settings.
    ///
    /// # Errors
    ///
    /// When the settings contradict themselves, or the directory cannot be made.
    pub fn new(config: CacheConfig) -> Result<Self> {
        config.check()?;
        let directory = config.directory().cloned().or_else(place::cache_directory);
        let directory = directory.ok_or_else(|| {
            format_err!("this platform has no place for a cache; set its directory")
        })?;
        std::fs::create_dir_all(&directory).with_context(|| {
            format!(
                "failed to make the cache directory `{}`",
                directory.display()
            )
        })?;
        Ok(Cache {
            inner: Arc::new(Inner {
                config,
                directory,
                hits: AtomicUsize::new(0),
                misses: AtomicUsize::new(0),
            }),
        })
    }

    /// A cache with the settings of this file, or those of the user: see [`CacheConfig::from_file`].
    ///
    /// # Errors
    ///
    /// As for [`CacheConfig::from_file`] and [`Cache::new`].
    pub fn from_file(path: Option<&Path>) -> Result<Self> {
        Cache::new(CacheConfig::from_file(path)?)
    }

    /// The directory.
    pub fn directory(&self) -> &PathBuf {
        &self.inner.directory
    }

    /// How many modules were found, by this handle and its clones.
    pub fn cache_hits(&self) -> usize {
        self.inner.hits.load(Ordering::Relaxed)
    }

    /// How many were not.
    pub fn cache_misses(&self) -> usize {
        self.inner.misses.load(Ordering::Relaxed)
    }

    /// The place of a module with these bytes, as this engine compiles it.
    pub(crate) fn entry(&self, engine: &Engine, wasm: &[u8]) -> Result<Entry> {
        let backend = engine.backend()?;
        let kind = match engine.tiers() {
            Some(_) => "tiers",
            None => "cwasm",
        };
        let mut key = Sha256::new();
        let mut add = |part: &str| {
            key.update((part.len() as u64).to_le_bytes());
            key.update(part);
        };
        add(env!("CARGO_PKG_VERSION"));
        add(&this_program());
        add(&backend.triple().to_string());
        add(&format!("{:?}", backend.settings()));
        add(&format!("{:?}", backend.tunables()));
        add(&format!("{:?}", engine.artifact_version()));
        add(&format!("{:?}", engine.config().cached_choices()));
        key.update(hash(wasm));
        let name = hex(&<[u8; 32]>::from(key.finalize()));
        Ok(Entry {
            cache: self.clone(),
            path: self.inner.directory.join(format!("{name}.{kind}")),
        })
    }
}

/// The settings, as [`CacheConfig`] has them.
macro_rules! settings {
    ($($name:ident: $ty:ty,)*) => {
        impl Cache {
            $(
                #[doc = concat!("See [`CacheConfig::", stringify!($name), "`].")]
                pub fn $name(&self) -> $ty {
                    self.inner.config.$name()
                }
            )*
        }
    };
}

settings! {
    worker_event_queue_size: u64,
    baseline_compression_level: i32,
    optimized_compression_level: i32,
    optimized_compression_usage_counter_threshold: u64,
    cleanup_interval: Duration,
    optimizing_compression_task_timeout: Duration,
    allowed_clock_drift_for_files_from_future: Duration,
    file_count_soft_limit: u64,
    files_total_size_soft_limit: u64,
    file_count_limit_percent_if_deleting: u8,
    files_total_size_limit_percent_if_deleting: u8,
}

impl Entry {
    /// The file, if there is one. Whether it is whole is still to be seen: see [`content`].
    pub fn open(&self) -> Option<File> {
        let file = File::open(&self.path).ok()?;
        files::touch(&file);
        Some(file)
    }

    /// Counts a module that was found, or not.
    pub fn count(&self, found: bool) {
        let inner = &self.cache.inner;
        let counter = if found { &inner.hits } else { &inner.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes it. That it cannot be written is nobody's concern: then it is not there the next time.
    pub fn write(&self, bytes: &[u8]) {
        let inner = &self.cache.inner;
        if files::write(&self.path, bytes).is_ok() {
            files::clean(&inner.directory, &inner.config);
        }
    }
}

/// Tells this very program from others of the same version, whose code may have other ideas of the runtime.
fn this_program() -> String {
    let describe = || {
        let metadata = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
        Some(format!(
            "{:?} {}",
            metadata.modified().ok()?,
            metadata.len()
        ))
    };
    describe().unwrap_or_default()
}
