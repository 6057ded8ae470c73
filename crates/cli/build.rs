//! Tells the command which commit and date it was built from, for `--version`.
//! Not a requirement: without git, or outside the repository (a package from a registry), the version stands alone.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let commit = repository().and_then(|repository| {
        watch(&repository);
        git(&repository, &["rev-parse", "--short=9", "HEAD"])
    });
    // Whoever builds reproducibly says which date to show; otherwise it is the commit's.
    let date = env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .map(date)
        .or_else(|| {
            let repository = repository()?;
            git(&repository, &["show", "-s", "--format=%cs", "HEAD"])
        });
    let details: Vec<String> = [commit, date].into_iter().flatten().collect();
    let details = if details.is_empty() {
        String::new()
    } else {
        format!(" ({})", details.join(" "))
    };
    println!("cargo:rustc-env=MEANTIME_VERSION={version}{details}");
}

/// The root of the repository, if this package lies at its place in it and not in somebody else's.
fn repository() -> Option<PathBuf> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let root = package.ancestors().nth(2)?.to_path_buf();
    root.join(".git").exists().then_some(root)
}

/// Has cargo ask again when there is a new commit.
fn watch(repository: &Path) {
    for name in ["HEAD", "logs/HEAD"] {
        let Some(path) = git(repository, &["rev-parse", "--git-path", name]) else {
            continue;
        };
        let path = repository.join(path);
        // To cargo a file that is missing has always just changed.
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
}

/// What git prints, or nothing when it is not there or does not know.
fn git(repository: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// The day, in UTC, of a number of seconds since 1970.
fn date(seconds: u64) -> String {
    let mut days = seconds / 86_400;
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length || year == 9999 {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length || month == 12 {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}
