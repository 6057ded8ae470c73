//! [`CacheConfig`]: where a cache is and how large it may become; from code, or from a file.

use crate::error::Context;
use crate::{Error, Result, bail, ensure, format_err};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Settings of a [`Cache`](crate::Cache).
///
/// Those about compression and workers are taken and have no effect: entries are not compressed, so that they can be mapped, and are written by the
/// thread that made them.
#[derive(Clone, Debug)]
pub struct CacheConfig {
    directory: Option<PathBuf>,
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

impl Default for CacheConfig {
    fn default() -> CacheConfig {
        CacheConfig {
            directory: None,
            worker_event_queue_size: 16,
            baseline_compression_level: 3,
            optimized_compression_level: 20,
            optimized_compression_usage_counter_threshold: 256,
            cleanup_interval: Duration::from_secs(60 * 60),
            optimizing_compression_task_timeout: Duration::from_secs(30 * 60),
            allowed_clock_drift_for_files_from_future: Duration::from_secs(24 * 60 * 60),
            file_count_soft_limit: 64 << 10,
            files_total_size_soft_limit: 512 << 20,
            file_count_limit_percent_if_deleting: 70,
            files_total_size_limit_percent_if_deleting: 70,
        }
    }
}

/// A getter and a setter for each plain setting.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident $with:ident: $ty:ty;)*) => {
        impl CacheConfig {
            $(
                $(#[$doc])*
                pub fn $name(&self) -> $ty {
                    self.$name
                }

                #[doc = concat!("Sets [`CacheConfig::", stringify!($name), "`].")]
                pub fn $with(&mut self, value: $ty) -> &mut Self {
                    self.$name = value;
                    self
                }
            )*
        }
    };
}

settings! {
    /// How much work may wait for a worker. No effect.
    worker_event_queue_size with_worker_event_queue_size: u64;
    /// How strongly new entries are compressed. No effect.
    baseline_compression_level with_baseline_compression_level: i32;
    /// How strongly entries that are used often are compressed. No effect.
    optimized_compression_level with_optimized_compression_level: i32;
    /// How often an entry must be used for that. No effect.
    optimized_compression_usage_counter_threshold with_optimized_compression_usage_counter_threshold: u64;
    /// How long after the directory was cleaned it is cleaned again at the earliest. An hour by default.
    cleanup_interval with_cleanup_interval: Duration;
    /// How long compressing again may take. No effect.
    optimizing_compression_task_timeout with_optimizing_compression_task_timeout: Duration;
    /// How far in the future times of files may be. Entries from later than that are the first to be deleted. A day by default.
    allowed_clock_drift_for_files_from_future with_allowed_clock_drift_for_files_from_future: Duration;
    /// How many entries there may be before the oldest are deleted. 65,536 by default.
    file_count_soft_limit with_file_count_soft_limit: u64;
    /// How many bytes they may have together before the oldest are deleted. 512 MiB by default.
    files_total_size_soft_limit with_files_total_size_soft_limit: u64;
    /// How many percent of the limit are left when entries are deleted. 70 by default.
    file_count_limit_percent_if_deleting with_file_count_limit_percent_if_deleting: u8;
    /// How many percent of the limit of bytes are left when entries are deleted. 70 by default.
    files_total_size_limit_percent_if_deleting with_files_total_size_limit_percent_if_deleting: u8;
}

impl CacheConfig {
    /// The default settings.
    pub fn new() -> CacheConfig {
        CacheConfig::default()
    }

    /// The directory, if one was set.
    pub fn directory(&self) -> Option<&PathBuf> {
        self.directory.as_ref()
    }

    /// Sets the directory, an absolute path. The platform's place for such files by default. Whoever can write there can have any code run.
    pub fn with_directory(&mut self, directory: impl Into<PathBuf>) -> &mut Self {
        self.directory = Some(directory.into());
        self
    }

    /// The file that [`CacheConfig::from_file`] reads without a path: the platform's place for it. None where there is no such place. Meantime's own.
    pub fn user_file() -> Option<PathBuf> {
        super::place::config_file()
    }

    /// The settings in the table `[cache]` of a TOML file; without a path, of the file that `meantime config new` writes, if there is one.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not TOML, or has other keys and values than it may.
    pub fn from_file(config_file: Option<&Path>) -> Result<CacheConfig> {
        let (path, must_exist) = match config_file {
            Some(path) => (Some(path.to_owned()), true),
            None => (CacheConfig::user_file(), false),
        };
        let Some(path) = path.filter(|path| must_exist || path.exists()) else {
            return Ok(CacheConfig::default());
        };
        let text = std::fs::read_to_string(&path);
        text.map_err(Error::new)
            .and_then(|text| CacheConfig::from_toml(&text))
            .with_context(|| {
                format!(
                    "failed to read the cache configuration `{}`",
                    path.display()
                )
            })
    }

    fn from_toml(text: &str) -> Result<CacheConfig> {
        let file: toml::Table = text.parse()?;
        let mut config = CacheConfig::default();
        for (name, table) in file {
            let (true, Some(table)) = (name == "cache", table.as_table()) else {
                bail!("there is `{name}`, but only a table `[cache]` may be there");
            };
            for (key, value) in table {
                config
                    .set(key, value)
                    .with_context(|| format!("in the setting `{key}`"))?;
            }
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: &toml::Value) -> Result<()> {
        match key {
            "directory" => {
                let text = value.as_str().ok_or_else(|| format_err!("not a string"))?;
                self.directory = Some(PathBuf::from(text));
            }
            // Files of before may have it; it says nothing.
            "enabled" => {}
            "worker-event-queue-size" => self.worker_event_queue_size = number(value)?,
            "baseline-compression-level" => self.baseline_compression_level = level(value)?,
            "optimized-compression-level" => self.optimized_compression_level = level(value)?,
            "optimized-compression-usage-counter-threshold" => {
                self.optimized_compression_usage_counter_threshold = number(value)?;
            }
            "cleanup-interval" => self.cleanup_interval = duration(value)?,
            "optimizing-compression-task-timeout" => {
                self.optimizing_compression_task_timeout = duration(value)?;
            }
            "allowed-clock-drift-for-files-from-future" => {
                self.allowed_clock_drift_for_files_from_future = duration(value)?;
            }
            "file-count-soft-limit" => self.file_count_soft_limit = number(value)?,
            "files-total-size-soft-limit" => self.files_total_size_soft_limit = number(value)?,
            "file-count-limit-percent-if-deleting" => {
                self.file_count_limit_percent_if_deleting = percent(value)?;
            }
            "files-total-size-limit-percent-if-deleting" => {
                self.files_total_size_limit_percent_if_deleting = percent(value)?;
            }
            _ => bail!("there is no such setting"),
        }
        Ok(())
    }

    /// Checks what fits together.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(directory) = &self.directory {
            ensure!(
                directory.is_absolute(),
                "the directory of a cache must be an absolute path, not `{}`",
                directory.display()
            );
        }
        let percents = [
            self.file_count_limit_percent_if_deleting,
            self.files_total_size_limit_percent_if_deleting,
        ];
        ensure!(
            percents.iter().all(|p| *p <= 100),
            "a cache cannot be left with more than 100 percent of its limits"
        );
        Ok(())
    }
}

/// A number with one of some suffixes, each with what it stands for.
fn with_suffix(value: &toml::Value, suffixes: &[(&str, u64)]) -> Result<u64> {
    let wrong = || format_err!("{value:?} is not a number that can be here");
    if let Some(number) = value.as_integer() {
        return u64::try_from(number).map_err(|_| wrong());
    }
    let text = value.as_str().ok_or_else(wrong)?.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at(digits);
    let found = suffixes.iter().find(|(name, _)| *name == suffix.trim());
    let (_, factor) = found.ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(*factor).ok_or_else(wrong)
}

fn number(value: &toml::Value) -> Result<u64> {
    const K: u64 = 1000;
    let suffixes = [
        ("", 1),
        ("K", K),
        ("M", K * K),
        ("G", K * K * K),
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
    ];
    with_suffix(value, &suffixes)
}

fn duration(value: &toml::Value) -> Result<Duration> {
    let suffixes = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];
    with_suffix(value, &suffixes).map(Duration::from_secs)
}

fn percent(value: &toml::Value) -> Result<u8> {
    let percent = with_suffix(value, &[("%", 1)])?;
    u8::try_from(percent).map_err(Error::new)
}

fn level(value: &toml::Value) -> Result<i32> {
    let level = value.as_integer().and_then(|n| i32::try_from(n).ok());
    level.ok_or_else(|| format_err!("{value:?} is not a level"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_it_with_units() {
        let config = CacheConfig::from_toml(
            "[cache]\ndirectory = \"/a/b\"\ncleanup-interval = \"2d\"\nfile-count-soft-limit = 12\n\
             files-total-size-soft-limit = \"3 Mi\"\nfile-count-limit-percent-if-deleting = \"50%\"",
        )
        .unwrap();
        assert_eq!(config.directory(), Some(&PathBuf::from("/a/b")));
        assert_eq!(config.cleanup_interval(), Duration::from_secs(172_800));
        assert_eq!(config.file_count_soft_limit(), 12);
        assert_eq!(config.files_total_size_soft_limit(), 3 << 20);
        assert_eq!(config.file_count_limit_percent_if_deleting(), 50);
        assert_eq!(config.files_total_size_limit_percent_if_deleting(), 70);
    }

    #[test]
    fn what_it_may_not_say() {
        let error = |text: &str| format!("{:#}", CacheConfig::from_toml(text).unwrap_err());
        assert!(error("[cash]").contains("only a table `[cache]`"));
        assert!(error("[cache]\nsize = 3").contains("no such setting"));
        assert!(error("[cache]\ncleanup-interval = \"3 weeks\"").contains("cleanup-interval"));
        assert!(error("[cache]\nfile-count-soft-limit = -1").contains("not a number"));
        assert!(error("[cache").contains("TOML"));
        let mut config = CacheConfig::new();
        assert!(config.with_directory("a/b").check().is_err());
        assert!(config.with_directory("/a/b").check().is_ok());
        config.with_file_count_limit_percent_if_deleting(101);
        assert!(config.check().is_err());
    }
}
