//! The text format: to bytes, wherever bytes are accepted.
//!
//! This only turns text into bytes. What the module says is checked by [`Module::decode`](crate::Module::decode) like that of any other.

use crate::classify::require_module;
use crate::{InputKind, ModuleError, classify};
use std::borrow::Cow;
use std::path::Path;

/// The binary form of a module that may be text. Bytes in the binary format, component or module, are returned as they are.
///
/// # Errors
///
/// When it is text with a mistake in it, the message shows the line and the place in it. What is neither text nor in the binary
/// format gets the sentence that [`Module::decode`](crate::Module::decode) has for it.
pub fn parse_text(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ModuleError> {
    parse_text_at(bytes, None)
}

/// Like [`parse_text`], with the file's path for messages.
///
/// # Errors
///
/// As [`parse_text`].
pub fn parse_text_at<'a>(
    bytes: &'a [u8],
    path: Option<&Path>,
) -> Result<Cow<'a, [u8]>, ModuleError> {
    match classify(bytes) {
        InputKind::Module | InputKind::Component | InputKind::UnknownWasm => {
            return Ok(Cow::Borrowed(bytes));
        }
        InputKind::Text => {}
        // An empty module is valid text, but an empty file is nearly always a mistake.
        _ => {
            require_module(bytes)?;
            return Ok(Cow::Borrowed(bytes));
        }
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!(
            "input bytes aren't valid utf-8: the text is malformed at byte {:#x}",
            error.valid_up_to()
        );
        ModuleError::text(message)
    })?;
    match wat::Parser::new().parse_str(path, text) {
        Ok(bytes) => Ok(Cow::Owned(bytes)),
        Err(error) => Err(ModuleError::text(error.to_string())),
    }
}
