//! What kind of file bytes are, by their first few bytes: so that each wrong kind gets its own sentence.
//!
//! This does not decode anything and promises nothing about what follows the first bytes.

use crate::{ModuleError, ModuleErrorKind};

/// What bytes look like.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum InputKind {
    /// There are none.
    Empty,
    /// A module in the binary format.
    Module,
    /// A component in the binary format.
    Component,
    /// The binary format's magic number, and then too few bytes or a version that is neither a module's nor a component's.
    UnknownWasm,
    /// A native program, library or object file for Linux and the like.
    Elf,
    /// A native program, library or object file for macOS.
    MachO,
    /// A native program or library for Windows.
    Pe,
    /// A static library or another archive of `ar`.
    Archive,
    /// Compressed, as by gzip, zip, zstd or xz.
    Compressed,
    /// LLVM bitcode.
    Bitcode,
    /// A script for a Unix shell or interpreter.
    Script,
    /// Text, perhaps in the WebAssembly text format.
    Text,
    /// Anything else.
    Unknown,
}

/// The bytes that every WebAssembly binary begins with.
const MAGIC: &[u8] = b"\0asm";

/// What bytes look like.
pub fn classify(bytes: &[u8]) -> InputKind {
    const STARTS: &[(&[u8], InputKind)] = &[
        (b"\0asm\x01\0\0\0", InputKind::Module),
        (b"\0asm\x0d\0\x01\0", InputKind::Component),
        (b"\0asm", InputKind::UnknownWasm),
        (b"\x7fELF", InputKind::Elf),
        (b"\xcf\xfa\xed\xfe", InputKind::MachO),
        (b"\xce\xfa\xed\xfe", InputKind::MachO),
        (b"\xca\xfe\xba\xbe", InputKind::MachO),
        (b"MZ", InputKind::Pe),
        (b"!<arch>\n", InputKind::Archive),
        (b"!<thin>\n", InputKind::Archive),
        (b"\x1f\x8b", InputKind::Compressed),
        (b"PK\x03\x04", InputKind::Compressed),
        (b"\x28\xb5\x2f\xfd", InputKind::Compressed),
        (b"\xfd7zXZ\0", InputKind::Compressed),
        (b"BC\xc0\xde", InputKind::Bitcode),
        (b"#!", InputKind::Script),
    ];
    if bytes.is_empty() {
        return InputKind::Empty;
    }
    if let Some((_, kind)) = STARTS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return *kind;
    }
    // The start is enough to tell text from other bytes; a character may be cut off at its end.
    let start = &bytes[..bytes.len().min(1024)];
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && bytes.len() > start.len() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or("")
        }
        Err(_) => return InputKind::Unknown,
    };
    let is_control = |c: char| c.is_control() && !c.is_whitespace();
    if text.is_empty() || text.chars().any(is_control) {
        InputKind::Unknown
    } else {
        InputKind::Text
    }
}

/// Refuses what is certainly not a module, in words about what it is instead.
pub(crate) fn require_module(bytes: &[u8]) -> Result<(), ModuleError> {
    // What is shorter than a header may be the start of anything: decoding says that it ends too early.
    if (1..4).contains(&bytes.len()) {
        return Ok(());
    }
    let not_wasm = |what: &str| {
        let message =
            format!("magic header not detected: this is {what}, not a WebAssembly module");
        Err(ModuleError::at(ModuleErrorKind::NotWasm, message, 0))
    };
    match classify(bytes) {
        InputKind::Module => Ok(()),
        InputKind::Component => Err(ModuleError::at(
            ModuleErrorKind::Component,
            "this is a WebAssembly component, and a WebAssembly module was expected",
            4,
        )),
        InputKind::UnknownWasm if bytes.len() < 8 => Err(ModuleError::at(
            ModuleErrorKind::Malformed,
            "unexpected end-of-file: the version of the binary format is cut off",
            bytes.len() as u64,
        )),
        InputKind::UnknownWasm => {
            let version = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            Err(ModuleError::at(
                ModuleErrorKind::Malformed,
                format!("unknown binary version: {version:#x}, a WebAssembly module has 0x1"),
                4,
            ))
        }
        InputKind::Empty => Err(ModuleError::at(
            ModuleErrorKind::NotWasm,
            "unexpected end-of-file: the input is empty, not a WebAssembly module",
            0,
        )),
        InputKind::Elf => not_wasm("a native ELF file"),
        InputKind::MachO => not_wasm("a native Mach-O file"),
        InputKind::Pe => not_wasm("a native Windows program"),
        InputKind::Archive => not_wasm("an archive"),
        InputKind::Compressed => not_wasm("a compressed file"),
        InputKind::Bitcode => not_wasm("LLVM bitcode"),
        InputKind::Script => not_wasm("a script"),
        InputKind::Text => not_wasm("text"),
        InputKind::Unknown if MAGIC.starts_with(bytes) => Err(ModuleError::at(
            ModuleErrorKind::Malformed,
            "unexpected end-of-file: the magic number of the binary format is cut off",
            bytes.len() as u64,
        )),
        InputKind::Unknown => {
            let start: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:#04x}")).collect();
            not_wasm(&format!("a file that begins with [{}]", start.join(", ")))
        }
    }
}
