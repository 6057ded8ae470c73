//! Everything that is not a module gets an error of its kind, in words that the specification's tests expect, with the offset.

mod common;

use common::{bytes, error};
use meantime_module::*;

const HEADER: &[u8] = b"\0asm\x01\0\0\0";

fn section(id: u8, contents: &[u8]) -> Vec<u8> {
    let mut wasm = HEADER.to_vec();
    wasm.push(id);
    wasm.push(contents.len() as u8);
    wasm.extend_from_slice(contents);
    wasm
}

#[test]
fn each_wrong_kind_of_file_has_its_own_sentence() {
    use ModuleErrorKind::*;
    let cases: &[(&[u8], ModuleErrorKind, &str)] = &[
        (b"", NotWasm, "the input is empty"),
        (b"\0as", Malformed, "unexpected end-of-file"),
        (b"\x01", Malformed, "unexpected end-of-file"),
        (b"MZ", Malformed, "unexpected end-of-file"),
        (b"\0asm", Malformed, "unexpected end-of-file"),
        (b"\0asm\x01\0\0", Malformed, "unexpected end-of-file"),
        (b"\0asm\x02\0\0\0", Malformed, "unknown binary version: 0x2"),
        (b"\0asm\x0d\0\x01\0", Component, "a WebAssembly component"),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
            NotWasm,
            "a native ELF file",
        ),
        (
            b"\xcf\xfa\xed\xfe\x07\0\0\x01",
            NotWasm,
            "a native Mach-O file",
        ),
        (b"MZ\x90\0\x03\0\0\0", NotWasm, "a native Windows program"),
        (b"!<arch>\n//", NotWasm, "an archive"),
        (b"PK\x03\x04\x14\0\0\0", NotWasm, "a compressed file"),
        (b"BC\xc0\xde5\x14\0\0", NotWasm, "LLVM bitcode"),
        (b"#!/bin/sh\nexit", NotWasm, "a script"),
        (b"(module)", NotWasm, "this is text"),
        (
            b"asm\0\x01\0\0\0",
            NotWasm,
            "begins with [0x61, 0x73, 0x6d, 0x00]",
        ),
        (&[0xff; 20], NotWasm, "begins with [0xff, 0xff, 0xff, 0xff]"),
    ];
    for (bytes, kind, message) in cases {
        let error = error(bytes);
        assert_eq!(error.kind(), *kind, "{error}");
        assert!(error.message().contains(message), "{error}");
        let shown = format!("{error}");
        assert!(
            shown.ends_with(&format!("(at offset {:#x})", error.offset().unwrap())),
            "{shown}"
        );
    }
}

#[test]
fn text_is_told_from_other_bytes() {
    // A character that the first kilobyte ends in.
    let long = format!("{}é", ";".repeat(1023));
    assert_eq!(classify(long.as_bytes()), InputKind::Text);
    assert_eq!(classify(b"\t(module)\r\n"), InputKind::Text);
    assert_eq!(classify(b"text with \0 in it"), InputKind::Unknown);
    assert_eq!(classify(b"latin \xe4"), InputKind::Unknown);
    assert_eq!(classify(b"\0"), InputKind::Unknown);
    assert_eq!(classify(HEADER), InputKind::Module);
}

#[test]
fn malformed_sections() {
    let cases: &[(Vec<u8>, &str, u64)] = &[
        (section(14, b""), "malformed section id", 10),
        (section(1, b"\x01\x61"), "invalid leading byte", 11),
        (section(1, b"\x01\x60\0"), "unexpected end", 13),
        (section(1, b"\x00\x00"), "section size mismatch", 11),
        (
            section(1, b"\x80\x80\x80\x80\x80\0"),
            "invalid var_u32: integer representation too long",
            14,
        ),
        (
            section(2, b"\x01\x01\xff\x00\x00\x00"),
            "malformed UTF-8 encoding",
            12,
        ),
        (
            section(5, b"\x01\x10\x00"),
            "invalid memory limits flags",
            11,
        ),
        (
            section(9, b"\x01\x08"),
            "invalid flags byte in element segment",
            11,
        ),
        ([HEADER, b"\x01\x7f"].concat(), "unexpected end", 10),
        ([HEADER, b"\x03\x02\x01\x00"].concat(), "unknown type 0", 11),
        (
            [&section(3, b"\x00"), &b"\x01\x01\x00"[..]].concat(),
            "section out of order",
            13,
        ),
        (
            [&section(1, b"\x00"), &b"\x01\x01\x00"[..]].concat(),
            "section out of order",
            13,
        ),
    ];
    let mut wrong = Vec::new();
    for (wasm, message, offset) in cases {
        let error = error(wasm);
        let kind = if message.contains("unknown type") {
            ModuleErrorKind::Invalid
        } else {
            ModuleErrorKind::Malformed
        };
        if !error.message().contains(message)
            || error.offset() != Some(*offset)
            || error.kind() != kind
        {
            wrong.push(format!("{error:?} instead of {message} at {offset}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn invalid_modules() {
    let cases = [
        ("(module (func (result i32)))", "type mismatch"),
        (
            "(module (func (drop (i32.const 0)) (drop)))",
            "type mismatch",
        ),
        ("(module (func (call 7)))", "unknown function"),
        ("(module (func (local.get 0)))", "unknown local"),
        ("(module (func (global.get 0)))", "unknown global"),
        (
            "(module (func (drop (i32.load (i32.const 0)))))",
            "unknown memory",
        ),
        (
            "(module (memory 1) (func (drop (i32.load align=8 (i32.const 0)))))",
            "alignment must not be larger than natural",
        ),
        ("(module (memory 65537))", "memory size must be at most"),
        (
            "(module (memory 2 1))",
            "size minimum must not be greater than maximum",
        ),
        (
            r#"(module (func) (export "a" (func 0)) (export "a" (func 0)))"#,
            "duplicate export name",
        ),
        ("(module (func (param i32)) (start 0))", "start function"),
        ("(module (global i32 (i64.const 0)))", "type mismatch"),
        (
            "(module (global i32 (global.get 1)) (global i32 (i32.const 0)))",
            "unknown global",
        ),
        (
            "(module (func $f) (func (drop (ref.func $f))))",
            "undeclared function reference",
        ),
    ];
    for (text, message) in cases {
        let error = error(&bytes(text));
        assert!(error.message().contains(message), "{error} for {text}");
        assert_eq!(error.kind(), ModuleErrorKind::Invalid, "{error}");
        assert!(error.offset().is_some_and(|o| o >= 8), "{error}");
    }
}

#[test]
fn disabled_features_are_named() {
    let simd = bytes("(module (func (param v128)))");
    let features = WasmFeatures::all().difference(WasmFeatures::SIMD);
    let error = Module::decode(&simd, features, false).unwrap_err();
    assert_eq!(
        error.kind(),
        ModuleErrorKind::Feature(WasmFeatures::SIMD),
        "{error}"
    );
    let in_body = bytes("(module (func (drop (i32.extend8_s (i32.const 0)))))");
    let features = WasmFeatures::all().difference(WasmFeatures::SIGN_EXTENSION);
    let error = Module::decode(&in_body, features, false).unwrap_err();
    assert_eq!(
        error.kind(),
        ModuleErrorKind::Feature(WasmFeatures::SIGN_EXTENSION),
        "{error}"
    );
}

#[test]
fn proposals_that_are_not_implemented_are_refused() {
    let cases = [
        "(module (type $f (func)) (type (cont $f)))",
        "(module (type (shared (func))))",
        "(module (table shared 1 (ref null (shared func))))",
    ];
    for text in cases {
        let Ok(wasm) = parse_text(text.as_bytes()) else {
            panic!("not text: {text}");
        };
        let error = error(&wasm);
        assert_eq!(
            error.kind(),
            ModuleErrorKind::Unsupported,
            "{error} for {text}"
        );
        assert!(error.message().contains("not supported"), "{error}");
    }
}

#[test]
fn every_truncation_is_an_error_and_never_a_panic() {
    let wasm = bytes(
        r#"(module $m (type (func (param i32))) (import "a" "b" (func (type 0))) (func (type 0) (call 0 (local.get 0)))
            (table 3 funcref) (memory 1) (global i32 (i32.const 3)) (tag (param i32)) (export "x" (func 1)) (start 2) (func)
            (elem (i32.const 0) 0 1) (data (i32.const 9) "data"))"#,
    );
    assert!(Module::decode(&wasm, WasmFeatures::all(), false).is_ok());
    let mut refused = 0;
    for len in 0..wasm.len() {
        refused += usize::from(Module::decode(&wasm[..len], WasmFeatures::all(), false).is_err());
    }
    // It is still a module only where it is cut between two sections and nothing refers beyond; at least where there is only a header.
    assert!(refused >= wasm.len() - 8, "{refused} of {}", wasm.len());
}

#[test]
fn every_changed_byte_is_decoded_or_refused() {
    let wasm = bytes(
        r#"(module (import "a" "b" (func (param i32))) (func (result i32) (i32.add (i32.const 1) (i32.const 2)))
            (table 3 funcref) (memory 1) (global i32 (i32.const 3)) (export "x" (func 1))
            (elem (i32.const 0) 0 1) (data (i32.const 9) "data"))"#,
    );
    for i in 0..wasm.len() {
        for value in [
            0x00,
            0x01,
            0x40,
            0x7f,
            0x80,
            0xff,
            wasm[i] ^ 1,
            wasm[i].wrapping_add(1),
        ] {
            let mut changed = wasm.clone();
            changed[i] = value;
            if let Err(error) = Module::decode(&changed, WasmFeatures::all(), false) {
                let end = changed.len() as u64;
                assert!(
                    error.offset().is_some_and(|offset| offset <= end),
                    "{error}"
                );
            }
        }
    }
}
