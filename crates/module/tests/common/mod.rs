//! What several tests need: a module from text, with every proposal enabled that the decoder knows.

#![allow(dead_code)]

use meantime_module::{Module, ModuleError, WasmFeatures, parse_text};

/// Every feature.
pub fn all_features() -> WasmFeatures {
    WasmFeatures::all()
}

/// The bytes of a module in text.
pub fn bytes(text: &str) -> Vec<u8> {
    match parse_text(text.as_bytes()) {
        Ok(bytes) => bytes.into_owned(),
        Err(error) => panic!("{error}"),
    }
}

/// A valid module.
pub fn decode(bytes: &[u8]) -> Module {
    match Module::decode(bytes, all_features(), false) {
        Ok(module) => module,
        Err(error) => panic!("{error}"),
    }
}

/// A valid module in text.
pub fn decode_text(text: &str) -> Module {
    decode(&bytes(text))
}

/// A valid module in text, and its bytes.
pub fn decode_text_with_bytes(text: &str) -> (Vec<u8>, Module) {
    let bytes = bytes(text);
    let module = decode(&bytes);
    (bytes, module)
}

/// What is wrong with bytes.
pub fn error(bytes: &[u8]) -> ModuleError {
    Module::decode(bytes, all_features(), false).expect_err("bytes are not a valid module")
}
