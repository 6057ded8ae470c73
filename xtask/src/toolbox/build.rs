//! Builds guests with the fetched compilers, once per change of their sources or flags.
//!
//! What was built is remembered by a hash of the command and of our own files that went into it;
//! the sources inside crates never change under one path, because the path holds the version.

use super::fetch::{self, Compilers};
use super::guest::{Guest, Library, Source, Target};
use super::text;
use crate::paths;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Flags of every C program on every target. Contraction of `a * b + c` is off so that
/// floating-point results, and with them checksums, agree between targets with and without such an
/// instruction.
const C_FLAGS: &[&str] = &[
    "-O2",
    "-std=gnu11",
    "-ffp-contract=off",
    "-fno-sanitize=all",
    "-fno-strict-aliasing",
    "-w",
];

/// Flags of C programs without a C library; `_start` is exported by an attribute.
const FREESTANDING_FLAGS: &[&str] = &[
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,-z,stack-size=1048576",
    "-DBENCH_FREESTANDING",
    "-s",
];

/// Builds `guest` for `target` and returns the path of the program.
///
/// # Errors
/// When the compilers cannot be fetched, a source is missing, or compilation fails.
pub fn build(compilers: &Compilers, guest: &Guest, target: Target) -> Result<PathBuf> {
    let _exclusive = fetch::exclusive("build")?;
    let dir = paths::tools().join("programs");
    fs::create_dir_all(&dir)?;
    let output = dir.join(format!("{}.{}", guest.name, target.suffix()));
    let mut command = match guest.source {
        Source::Text(file) => {
            ensure!(
                target == Target::Wasm,
                "{file} is in text format and can be built for nothing but Wasm"
            );
            return text::build(file, &output);
        }
        Source::Go(package) => go(compilers, package, target, &output),
        Source::C(file) => {
            let mut command = c(compilers, guest, target);
            command.arg(workspace_file(file)?).arg("-o").arg(&output);
            if matches!(target, Target::Wasm | Target::Native) {
                command.arg("-lm");
            }
            command
        }
        Source::Library(library) => {
            let mut command = c(compilers, guest, target);
            command.args(library.flags);
            if target == Target::Wasm {
                command.args(library.wasm_flags);
            }
            add_library(&mut command, guest, &library)?;
            command.arg("-o").arg(&output).arg("-lm");
            command
        }
    };
    let stamp = output.with_added_extension("stamp");
    let wanted = fingerprint(&command, guest)?;
    if output.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(output);
    }
    eprintln!("building {} ({})", guest.name, target.suffix());
    let result = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start the compiler for {}", guest.name))?;
    ensure!(
        result.status.success(),
        "{} does not compile ({}):\n{}",
        guest.name,
        result.status,
        String::from_utf8_lossy(&result.stderr)
    );
    fs::write(stamp, wanted)?;
    Ok(output)
}

/// `zig cc` with the flags that every C guest has.
fn c(compilers: &Compilers, guest: &Guest, target: Target) -> Command {
    let mut command = Command::new(&compilers.zig);
    command.arg("cc").args(C_FLAGS).args(guest.flags);
    match target {
        Target::Wasm => {
            command
                .args(["-target", "wasm32-wasi"])
                .args(guest.wasm_flags);
            // Debug information only where it is asked for: it would be most of a module's bytes.
            if !guest.flags.contains(&"-g") {
                command.arg("-s");
            }
        }
        // A fixed level rather than this very processor, so that the column means the same
        // elsewhere; AVX2 is in it.
        Target::Native if cfg!(target_arch = "x86_64") => {
            command.arg("-mcpu=x86_64_v3");
        }
        Target::Native => {}
        Target::Freestanding32 | Target::Freestanding64 => {
            let triple = if target == Target::Freestanding32 {
                "wasm32-freestanding"
            } else {
                "wasm64-freestanding"
            };
            command
                .args(["-target", triple])
                .args(FREESTANDING_FLAGS)
                .args(guest.wasm_flags);
        }
    }
    command
        .arg("-I")
        .arg(paths::workspace().join("benches/include"));
    command.env("ZIG_GLOBAL_CACHE_DIR", paths::tools().join("zig-cache"));
    command.env("ZIG_LOCAL_CACHE_DIR", paths::tools().join("zig-cache"));
    command
}

fn go(compilers: &Compilers, package: &str, target: Target, output: &Path) -> Command {
    let mut command = Command::new(&compilers.go);
    command
        .current_dir(paths::workspace().join(package))
        .args(["build", "-trimpath", "-ldflags=-s -w", "-o"])
        .arg(output)
        .arg(".");
    command
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-mod=mod")
        .env("CGO_ENABLED", "0");
    command
        .env("GOCACHE", paths::tools().join("go-cache"))
        .env("GOPATH", paths::tools().join("go-path"));
    if target == Target::Wasm {
        command.env("GOOS", "wasip1").env("GOARCH", "wasm");
    }
    command
}

fn add_library(command: &mut Command, guest: &Guest, library: &Library) -> Result<()> {
    let mut root = fetch::crate_sources(library.package)?;
    if let Some(archive) = library.archive {
        root = unpacked(&root.join(archive), library.package)?;
    }
    let generated = paths::tools().join("generated").join(guest.name);
    fs::create_dir_all(&generated)?;
    for (name, text) in library.generated {
        let path = generated.join(name);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(path, text)?;
    }
    if let Some(script) = library.script {
        fs::write(
            generated.join("script.h"),
            script_header(&fs::read(workspace_file(script)?)?),
        )?;
    }
    command.arg("-I").arg(&generated);
    for include in library.include {
        command.arg("-I").arg(root.join(include));
    }
    command.arg(workspace_file(library.driver)?);
    for file in library.files {
        let mut found = Vec::new();
        collect(&root, file, &mut found)?;
        found.retain(|path| {
            !library
                .except
                .iter()
                .any(|ending| path.to_string_lossy().ends_with(ending))
        });
        ensure!(
            !found.is_empty(),
            "{}: no sources at {file} in {}",
            guest.name,
            root.display()
        );
        // The order of a folder's entries is the file system's; the order of the command must not
        // be.
        found.sort();
        command.args(found);
    }
    Ok(())
}

/// Resolves one entry of [`Library::files`].
fn collect(root: &Path, entry: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    if entry.ends_with(".c") {
        found.push(root.join(entry));
        return Ok(());
    }
    let (folder, deep) = match entry.strip_suffix("/**") {
        Some(folder) => (folder, true),
        None => (entry, false),
    };
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for item in
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = item?.path();
            if path.is_dir() && deep {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "c") {
                found.push(path);
            }
        }
    }
    Ok(())
}

/// Unpacks a `.tar.gz` once and returns the folder of its contents.
fn unpacked(archive: &Path, package: &str) -> Result<PathBuf> {
    let dir = paths::tools().join("unpacked").join(package);
    let done = dir.join("unpacked-from");
    let wanted = archive.display().to_string();
    if !fs::read_to_string(&done).is_ok_and(|found| found == wanted) {
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        let status = Command::new("tar")
            .arg("-xzf")
            .arg(archive)
            .arg("-C")
            .arg(&dir)
            .args(["--strip-components", "1"])
            .status()?;
        ensure!(status.success(), "cannot unpack {}", archive.display());
        fs::write(done, wanted)?;
    }
    Ok(dir)
}

/// A C array of the script's bytes and a final NUL.
fn script_header(script: &[u8]) -> String {
    let mut text = String::from("static const unsigned char bench_script[] = {");
    for byte in script {
        text.push_str(&format!("{byte},"));
    }
    text.push_str("0};\n");
    text
}

fn workspace_file(file: &str) -> Result<PathBuf> {
    let path = paths::workspace().join(file);
    ensure!(path.exists(), "{} does not exist", path.display());
    Ok(path)
}

/// A hash over the command line and our own sources.
fn fingerprint(command: &Command, guest: &Guest) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    let args: Vec<OsString> = command.get_args().map(OsString::from).collect();
    (command.get_program(), args).hash(&mut hasher);
    let mut files = vec!["benches/include/bench.h", "benches/include/freestanding.h"];
    match guest.source {
        Source::C(file) | Source::Text(file) => files.push(file),
        Source::Library(library) => {
            files.push(library.driver);
            files.extend(library.script);
            library.generated.hash(&mut hasher);
        }
        Source::Go(package) => {
            let mut sources: Vec<PathBuf> = fs::read_dir(paths::workspace().join(package))?
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<_>>()?;
            sources.sort();
            for path in sources.iter().filter(|path| path.is_file()) {
                fs::read(path)?.hash(&mut hasher);
            }
        }
    }
    for file in files {
        fs::read(paths::workspace().join(file))
            .with_context(|| format!("cannot read {file}"))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}
