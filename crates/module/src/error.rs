//! Why bytes are not a module that can be used: one error type for decoding, validation and text.
//!
//! The one idea: an error says what is wrong in the words that the specification's tests expect, where in the bytes it is, and of
//! which kind it is, so that a caller can choose an exit code or a hint without reading the message.

use wasmparser::WasmFeatures;

/// Which kind of error it is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ModuleErrorKind {
    /// The bytes are not in the binary format.
    Malformed,
    /// They are, but the module does not validate.
    Invalid,
    /// It is larger than an implementation limit.
    Limit,
    /// It would validate with these features, which are disabled.
    Feature(WasmFeatures),
    /// It uses what Meantime does not implement.
    Unsupported,
    /// It is a component, not a module.
    Component,
    /// It is not WebAssembly at all.
    NotWasm,
    /// It is text with a mistake in it.
    Text,
}

/// Why bytes are not a module that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModuleError {
    kind: ModuleErrorKind,
    message: Box<str>,
    offset: Option<u64>,
}

impl ModuleError {
    /// An error at an offset of the module's bytes.
    pub(crate) fn at(kind: ModuleErrorKind, message: impl Into<Box<str>>, offset: u64) -> Self {
        ModuleError {
            kind,
            message: message.into(),
            offset: Some(offset),
        }
    }

    /// An error of the text format, whose message shows the place itself.
    #[cfg(feature = "wat")]
    pub(crate) fn text(message: impl Into<Box<str>>) -> Self {
        ModuleError {
            kind: ModuleErrorKind::Text,
            message: message.into(),
            offset: None,
        }
    }

    /// An error of the decoder, as opposed to the validator.
    pub(crate) fn malformed(error: wasmparser::Error) -> Self {
        Self::with_default(error, ModuleErrorKind::Malformed)
    }

    /// An error of the validator, which also reads the contents of sections.
    pub(crate) fn invalid(error: wasmparser::Error) -> Self {
        let kind = if is_malformed(error.message()) {
            ModuleErrorKind::Malformed
        } else {
            ModuleErrorKind::Invalid
        };
        Self::with_default(error, kind)
    }

    fn with_default(error: wasmparser::Error, default: ModuleErrorKind) -> Self {
        let kind = if let Some(features) = error.missing_wasm_feature() {
            ModuleErrorKind::Feature(features)
        } else if is_limit(error.message()) {
            ModuleErrorKind::Limit
        } else {
            default
        };
        Self::at(kind, error.message(), error.offset())
    }

    /// Which kind of error it is.
    pub fn kind(&self) -> ModuleErrorKind {
        self.kind
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where in the bytes, unless the message says it (text) or it concerns them as a whole.
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }
}

/// Whether the validator's message is about the encoding. It reads sections and validates them in one step and does not tell the
/// two apart itself; a message that is not listed counts as invalid, which only concerns the kind.
fn is_malformed(message: &str) -> bool {
    const STARTS: &[&str] = &[
        "unexpected end",
        "unexpected content",
        "section size mismatch",
        "invalid leading byte",
        "invalid u7",
        "invalid var_",
        "invalid boolean",
        "invalid flags byte",
        "invalid table encoding",
        "invalid table resizable limits",
        "invalid memory limits flags",
        "invalid tag attributes",
        "invalid value type",
        "integer representation too long",
        "integer too large",
        "illegal opcode",
        "malformed",
        "magic header not detected",
        "zero byte expected",
        "unknown 0xf",
        "unexpected SIMD opcode",
        "trailing bytes",
        "unexpected data beyond the end",
        "function body must end",
        "control frames remain",
        "only the function external type",
    ];
    STARTS.iter().any(|start| message.starts_with(start))
        || message.contains("size is out of bounds")
}

/// Whether a message is about an implementation limit.
fn is_limit(message: &str) -> bool {
    message.contains("exceeds limit")
        || message.contains("exceeds the limit")
        || message.contains("size is out of bounds")
        || message.contains("size out of bounds")
        || message.contains("exceed the maximum")
        || message.starts_with("too many locals")
}

impl std::fmt::Display for ModuleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match self.offset {
            Some(offset) => write!(f, " (at offset {offset:#x})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ModuleError {}
