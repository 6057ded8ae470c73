//! Text is accepted where bytes are, and its mistakes are shown in their place.

use meantime_module::{ModuleErrorKind, parse_text, parse_text_at};
use std::borrow::Cow;
use std::path::Path;

#[test]
fn text_becomes_bytes_and_bytes_stay() {
    let wasm = parse_text(b"(module)").unwrap();
    assert_eq!(&wasm[..], b"\0asm\x01\0\0\0");
    assert!(matches!(parse_text(&wasm), Ok(Cow::Borrowed(_))));
    assert!(matches!(
        parse_text(b"\0asm\x0d\0\x01\0"),
        Ok(Cow::Borrowed(_))
    ));
}

#[test]
fn mistakes_are_shown_with_file_line_and_place() {
    let error = parse_text_at(b"(module\n  (func bad))", Some(Path::new("x.wat"))).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ModuleErrorKind::Text, None)
    );
    let shown = error.to_string();
    for part in ["x.wat:2:9", "(func bad)", "^"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn what_is_neither_text_nor_binary_is_named() {
    for (bytes, message) in [
        (&b""[..], "empty"),
        (b"\x7fELF\x02\x01", "ELF"),
        (b"\xff\xfe\xfd\xfc", "begins with"),
    ] {
        let error = parse_text(bytes).unwrap_err();
        assert!(error.message().contains(message), "{error}");
    }
    let mut latin = vec![b' '; 2000];
    latin.push(0xe4);
    let error = parse_text(&latin).unwrap_err();
    assert!(error.message().contains("at byte 0x7d0"), "{error}");
}
