//! From a path to something that can be compiled or run: binary, text, a compiled `.cwasm`, or `-` for stdin.
//! Not validation, which is the library's; but whatever is plainly something else gets a sentence of its own here.

use crate::cli;
use crate::options::not_supported;
use crate::progress::Progress;
use crate::report::Usage;
use meantime::error::Context;
use meantime::{Engine, Error, Module, Precompiled, Result, bail, ensure, format_err};
use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// What was found at a path.
#[derive(Debug)]
pub enum Input {
    /// A binary module, as it was or translated from text.
    Module(Vec<u8>),
    /// A compiled module in a file of its own, which can be mapped.
    CompiledFile(PathBuf),
    /// A compiled module that came through a pipe.
    Compiled(Vec<u8>),
}

/// How a path is called in messages.
pub fn name(path: &Path) -> String {
    if is_stdin(path) {
        "stdin".to_string()
    } else {
        format!("`{}`", path.display())
    }
}

/// Reads what is at `path` and says what it is.
///
/// # Errors
///
/// It cannot be read, or is plainly not a WebAssembly module.
pub fn read(path: &Path) -> Result<Input> {
    let name = name(path);
    let mut bytes = Vec::new();
    if is_stdin(path) {
        read_to_end(&name, path, io::stdin().lock(), &mut bytes)?;
        return recognise(&name, path, bytes);
    }
    let (mut file, metadata) = open(&name, path)?;
    // A compiled module is better mapped than read, and a device may have no end, so look at the beginning first.
    read_to_end(&name, path, (&mut file).take(4), &mut bytes)?;
    let is_compiled =
        || Ok::<_, Error>(Engine::detect_precompiled_file(path)? == Some(Precompiled::Module));
    if bytes == ELF && metadata.is_file() && is_compiled()? {
        return Ok(Input::CompiledFile(path.to_path_buf()));
    }
    if !bytes.starts_with(b"\0") || bytes == WASM {
        bytes.reserve_exact(usize::try_from(metadata.len().min(MOST)).unwrap_or(0));
        read_to_end(&name, path, file, &mut bytes)?;
    }
    recognise(&name, path, bytes)
}

/// Loads the module at `path`: compiles it, or takes it as it is if it is compiled and the caller trusts it.
///
/// # Errors
///
/// As [`read`]; or it is invalid, or compiled and not allowed.
pub fn load(engine: &Engine, path: &Path, allow_precompiled: bool) -> Result<Module> {
    let name = name(path);
    let input = read(path)?;
    if !allow_precompiled && !matches!(input, Input::Module(_)) {
        return Err(Usage(format!(
            "{name} is compiled code, which could do anything; if you trust where it comes from, give --allow-precompiled"
        ))
        .into());
    }
    match input {
        Input::Module(bytes) => {
            let _progress = Progress::start(&name, bytes.len());
            Module::from_binary(engine, &bytes)
        }
        Input::CompiledFile(path) => trusted_file(engine, &path),
        Input::Compiled(bytes) => trusted_bytes(engine, &bytes),
    }
    .with_context(|| format!("cannot load {name}"))
}

/// What is at a path, whatever it is.
///
/// # Errors
///
/// It cannot be read.
pub fn any_bytes(path: &Path) -> Result<Vec<u8>> {
    let name = name(path);
    let mut bytes = Vec::new();
    if is_stdin(path) {
        read_to_end(&name, path, io::stdin().lock(), &mut bytes)?;
    } else {
        read_to_end(&name, path, open(&name, path)?.0, &mut bytes)?;
    }
    Ok(bytes)
}

/// The bytes of a module that is to be compiled, whatever then happens to the result.
///
/// # Errors
///
/// As [`read`]; or it is compiled already.
pub fn module_bytes(path: &Path) -> Result<Vec<u8>> {
    match read(path)? {
        Input::Module(bytes) => Ok(bytes),
        Input::CompiledFile(_) | Input::Compiled(_) => bail!("{} is compiled already", name(path)),
    }
}

/// Maps a compiled module that the user vouched for.
#[allow(unsafe_code, reason = "the API is unsafe: what it loads is run")]
fn trusted_file(engine: &Engine, path: &Path) -> Result<Module> {
    // SAFETY: only reached with `--allow-precompiled`, by which the user vouches that the file was made by Meantime and not changed since.
    unsafe { Module::deserialize_file(engine, path) }
}

/// Takes a compiled module that the user vouched for.
#[allow(unsafe_code, reason = "the API is unsafe: what it loads is run")]
fn trusted_bytes(engine: &Engine, bytes: &[u8]) -> Result<Module> {
    // SAFETY: as in `trusted_file`.
    unsafe { Module::deserialize(engine, bytes) }
}

/// The most bytes that are read of anything. Web browsers take no larger modules, either.
const MOST: u64 = 1 << 30;
const ELF: &[u8] = b"\x7fELF";
const WASM: &[u8] = b"\0asm";

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens a file that is not a directory.
fn open(name: &str, path: &Path) -> Result<(File, Metadata)> {
    let open = || {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Ok((file, metadata))
    };
    let (file, metadata) = open().map_err(|error| unreadable(name, path, error))?;
    if metadata.is_dir() {
        bail!("{name} is a directory, not a WebAssembly module");
    }
    Ok((file, metadata))
}

/// Reads what is left of a file or pipe.
fn read_to_end(name: &str, path: &Path, file: impl Read, bytes: &mut Vec<u8>) -> Result<()> {
    let read = file.take(MOST + 1).read_to_end(bytes);
    read.map_err(|error| unreadable(name, path, error))?;
    ensure!(
        bytes.len() as u64 <= MOST,
        "{name} is larger than {} MiB",
        MOST >> 20
    );
    Ok(())
}

/// Says in words why a file cannot be read.
fn unreadable(name: &str, path: &Path, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => {
            format_err!(
                "there is no file {name}{}",
                about_commands(path).unwrap_or_default()
            )
        }
        ErrorKind::PermissionDenied => format_err!("{name} may not be read: permission denied"),
        ErrorKind::IsADirectory => format_err!("{name} is a directory, not a WebAssembly module"),
        _ => Error::from(error).context(format!("cannot read {name}")),
    }
}

/// What to say to somebody who meant a command, if that is likely.
fn about_commands(path: &Path) -> Option<String> {
    let word = path.to_str().filter(|word| !word.is_empty())?;
    if cli::is_command(word) {
        return Some(format!(
            "; a command comes before all options, as in `meantime {word} …`"
        ));
    }
    let like_a_command = word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    like_a_command
        .then(|| ", and no command of that name; `meantime help` lists the commands".to_string())
}

/// Says what bytes are by how they begin.
fn recognise(name: &str, path: &Path, bytes: Vec<u8>) -> Result<Input> {
    if bytes.is_empty() {
        bail!("{name} is empty; a WebAssembly module has at least 8 bytes");
    }
    if bytes.starts_with(ELF) {
        return match Engine::detect_precompiled(&bytes) {
            Some(Precompiled::Module) => Ok(Input::Compiled(bytes)),
            Some(Precompiled::Component) => bail!(component(name)),
            None => bail!(
                "{name} is a native program or library (ELF{}), not a WebAssembly module",
                machine(&bytes)
            ),
        };
    }
    if let Some(what) = foreign(&bytes) {
        bail!("{name} is {what}, not a WebAssembly module");
    }
    let binary = if bytes.starts_with(WASM) {
        bytes
    } else {
        assemble(name, path, bytes)?
    };
    match binary.get(4..8) {
        Some([_, _, 1, 0]) => bail!(component(name)),
        _ => Ok(Input::Module(binary)),
    }
}

fn component(name: &str) -> String {
    format!(
        "{name} is a component; {}, only core modules are",
        not_supported("running components")
    )
}

/// For an ELF file, the machine it is for, after a comma.
fn machine(bytes: &[u8]) -> &'static str {
    match bytes.get(18..20) {
        Some([62, 0]) => ", x86-64",
        Some([183, 0]) => ", AArch64",
        Some([243, 0]) => ", RISC-V",
        _ => "",
    }
}

/// Names some formats that people mistake for modules.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [b'M', b'Z', ..] => "a native program or library (Windows)",
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => "a native program or library (Mach-O)",
        [0xca, 0xfe, 0xba, 0xbe, ..] => "a native program (Mach-O) or Java class",
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => "an archive of object files",
        [0x1f, 0x8b, ..] => "compressed with gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "compressed with zstd",
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [b'B', b'C', 0xc0, 0xde, ..] => "LLVM bitcode",
        [b'#', b'!', ..] => "a script",
        _ => return None,
    })
}

/// Translates text to binary.
fn assemble(name: &str, path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.starts_with(b"\0") || std::str::from_utf8(&bytes).is_err() {
        let begin: Vec<_> = bytes
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        bail!(
            "{name} is not a WebAssembly module: it begins with {}, a module with 00 61 73 6d",
            begin.join(" ")
        );
    }
    match wat::Parser::new().parse_bytes(Some(path), &bytes) {
        Ok(Cow::Owned(binary)) => Ok(binary),
        // What is binary is not translated; but this is text, so it was.
        Ok(Cow::Borrowed(binary)) => Ok(binary.to_vec()),
        Err(error) => {
            Err(Error::from(error).context(format!("{name} is not valid WebAssembly text")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(bytes: &[u8]) -> String {
        let error = recognise("`x`", Path::new("x"), bytes.to_vec()).unwrap_err();
        format!("{error:#}")
    }

    #[test]
    fn what_is_plainly_something_else() {
        assert!(why(b"").contains("is empty"));
        assert!(why(b"MZ\x90\0").contains("Windows"));
        assert!(why(b"#!/bin/sh\n").contains("a script"));
        assert!(why(b"\x1f\x8b\x08\0").contains("gzip"));
        assert!(why(b"\x7fELF\x02\x01\x01\0").contains("a native program or library (ELF)"));
        assert!(why(b"\0asm\x0d\0\x01\0").contains("is a component"));
        assert!(why(b"(component)").contains("is a component"));
        assert!(why(b"\xff\xfe\xfd").contains("begins with ff fe fd"));
        assert!(why(b"\0\0\0\0").contains("begins with 00 00 00 00"));
        assert!(why(b"hello").contains("is not valid WebAssembly text"));
    }

    #[test]
    fn text_and_binary() {
        let Input::Module(binary) = recognise("`x`", Path::new("x"), b"(module)".to_vec()).unwrap()
        else {
            panic!("text is a module");
        };
        assert!(binary.starts_with(b"\0asm\x01\0\0\0"));
        // A short or odd binary is the validator's to explain, with the offset.
        assert!(matches!(
            recognise("`x`", Path::new("x"), b"\0asm".to_vec()),
            Ok(Input::Module(_))
        ));
    }

    #[test]
    fn words_that_could_be_commands() {
        let about = |word| about_commands(Path::new(word)).unwrap_or_default();
        assert!(about("compile").contains("before all options"));
        assert!(about("complie").contains("no command of that name"));
        assert_eq!(about("app.wasm"), "");
        assert_eq!(about("./app"), "");
    }
}
