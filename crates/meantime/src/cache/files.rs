//! The files of a cache: read whole or not at all, written at once, deleted when they are many.
//!
//! The one idea: a file is written under another name and renamed when it is complete, and its last bytes are a hash of the others. So there is nothing that
//! processes must agree on while they read and write.

use super::CacheConfig;
use crate::profile::hash;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// Bytes of the hash at the end.
const HASH: usize = 32;
/// Says in its time when the directory was cleaned last.
const CLEANED: &str = "cleaned";
/// What files are called while they are written.
const UNFINISHED: &str = "new";
/// How old such a file is when whoever wrote it is gone.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// How old the time of a file may be when it is used without being set anew.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// What is in a file before its hash, if that is right.
pub(crate) fn content(bytes: &[u8]) -> Option<&[u8]> {
    let (content, end) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
    (hash(content) == end).then_some(content)
}

/// Writes a file that is there as a whole or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{}-{number}.{UNFINISHED}", std::process::id()));
    let written = File::create_new(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.write_all(&hash(bytes))?;
        drop(file);
        fs::rename(&unfinished, path)
    });
    if written.is_err() {
        // It may not be there.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// Notes that a file is used: the oldest are deleted first.
pub(super) fn touch(file: &File) {
    let age = || file.metadata().ok()?.modified().ok()?.elapsed().ok();
    if age().is_none_or(|age| age > FRESH) {
        // A file of someone else's grows old.
        let _ = file.set_modified(SystemTime::now());
    }
}

/// Deletes the oldest files when there are too many, unless that was looked at a while ago.
pub(super) fn clean(directory: &Path, config: &CacheConfig) {
    let marker = directory.join(CLEANED);
    let age = || fs::metadata(&marker).ok()?.modified().ok()?.elapsed().ok();
    if age().is_some_and(|age| age < config.cleanup_interval()) {
        return;
    }
    // What cannot be looked at or deleted stays.
    let _ = File::create(&marker).and_then(|file| file.set_modified(SystemTime::now()));
    let _ = delete_oldest(directory, config);
}

fn delete_oldest(directory: &Path, config: &CacheConfig) -> io::Result<()> {
    let now = SystemTime::now();
    let latest = now + config.allowed_clock_drift_for_files_from_future();
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for file in fs::read_dir(directory)? {
        let file = file?;
        let path = file.path();
        let Ok(metadata) = file.metadata() else {
            continue;
        };
        let Some(extension) = path.extension().and_then(|e| e.to_str()) else {
            continue;
        };
        let time = time(&metadata);
        match extension {
            UNFINISHED if now.duration_since(time).is_ok_and(|age| age > ABANDONED) => {
                let _ = fs::remove_file(&path);
            }
            "cwasm" | "tiers" => {
                // A time that cannot be is as good as none.
                let time = if time > latest {
                    SystemTime::UNIX_EPOCH
                } else {
                    time
                };
                files.push((time, metadata.len(), path));
            }
            _ => {}
        }
    }
    let mut count = files.len() as u64;
    let mut size: u64 = files.iter().map(|file| file.1).sum();
    let most = (
        config.file_count_soft_limit(),
        config.files_total_size_soft_limit(),
    );
    if count <= most.0 && size <= most.1 {
        return Ok(());
    }
    let part = |limit: u64, percent: u8| (u128::from(limit) * u128::from(percent) / 100) as u64;
    let left = (
        part(most.0, config.file_count_limit_percent_if_deleting()),
        part(most.1, config.files_total_size_limit_percent_if_deleting()),
    );
    files.sort();
    for (_, len, path) in files {
        if count <= left.0 && size <= left.1 {
            break;
        }
        if fs::remove_file(path).is_ok() {
            count -= 1;
            size -= len;
        }
    }
    Ok(())
}

fn time(metadata: &Metadata) -> SystemTime {
    metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.cwasm");
        write(&path, b"some bytes").unwrap();
        write(&path, b"other bytes").unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(content(&bytes), Some(&b"other bytes"[..]));
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 0x10;
            assert_eq!(content(&changed), None);
            assert_eq!(content(&bytes[..i]), None);
        }
        // Nothing unfinished is left.
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write(&directory.path().join("no/such/directory"), b"").is_err());
    }

    #[test]
    fn the_oldest_are_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let age = |name: &str, hours: u64| {
            let file = File::options().append(true).open(path(name)).unwrap();
            let time = SystemTime::now() - Duration::from_secs(hours * 60 * 60);
            file.set_modified(time).unwrap();
        };
        for i in 1..=10u64 {
            let name = format!("{i}.cwasm");
            write(&path(&name), &[0; 68]).unwrap();
            age(&name, i);
        }
        fs::write(path("x.new"), "left by a process that ended").unwrap();
        age("x.new", 9);
        fs::write(path("note.txt"), "not one of ours").unwrap();
        let mut config = CacheConfig::new();
        config.with_files_total_size_soft_limit(1000);
        clean(directory.path(), &config);
        // All ten have just as many bytes as they may; it is not looked at again within the hour.
        assert!(path("10.cwasm").exists() && !path("x.new").exists());
        config.with_files_total_size_soft_limit(999);
        clean(directory.path(), &config);
        assert!(path("10.cwasm").exists());
        config.with_cleanup_interval(Duration::ZERO);
        clean(directory.path(), &config);
        // Seven tenths of 999 bytes are six files.
        let is_left = |i: u64| path(&format!("{i}.cwasm")).exists();
        assert!((1..=6).all(is_left) && !(7..=10).any(is_left));
        assert!(path("note.txt").exists());
    }
}
