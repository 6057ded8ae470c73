//! What is said of files that are no modules, and the forms in which modules come.

use crate::Place;

#[test]
fn a_missing_file() {
    Place::new()
        .run(&["nothing.wasm"])
        .fails(1, &["there is no file `nothing.wasm`"]);
    Place::new()
        .run(&["run", "a/b.wasm"])
        .fails(1, &["there is no file `a/b.wasm`"]);
}

#[test]
fn a_misspelt_command() {
    Place::new()
        .run(&["complie"])
        .fails(1, &["there is no file `complie`, and no command"]);
}

#[test]
fn a_command_after_options() {
    let place = Place::new();
    place.run(&["-O", "opt-level=0", "compile", "a.wat"]).fails(
        1,
        &["there is no file `compile`", "as in `meantime compile …`"],
    );
}

#[test]
fn a_directory() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("d.wasm")).unwrap();
    for arguments in [
        &["d.wasm"][..],
        &["compile", "d.wasm"],
        &["objdump", "d.wasm"],
    ] {
        place.run(arguments).fails(1, &["`d.wasm` is a directory"]);
    }
}

#[test]
fn an_empty_file() {
    let place = Place::new();
    place.file("e.wasm", "");
    place.run(&["e.wasm"]).fails(1, &["`e.wasm` is empty"]);
    place
        .run_with_stdin(&["-"], b"")
        .fails(1, &["stdin is empty"]);
}

#[test]
fn a_native_program() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_meantime");
    place.run(&[program]).fails(
        1,
        &["is a native program or library", "not a WebAssembly module"],
    );
    place
        .run(&["--allow-precompiled", program])
        .fails(1, &["is a native program or library"]);
}

#[test]
fn a_component() {
    let place = Place::new();
    place.file("c.wasm", b"\0asm\x0d\0\x01\0");
    place.file("c.wat", "(component)");
    for name in ["c.wasm", "c.wat"] {
        place.run(&[name]).fails(
            1,
            &[
                "is a component",
                "not supported by this version of Meantime",
            ],
        );
    }
}

#[test]
fn bytes_that_are_nothing() {
    let place = Place::new();
    place.file("x.wasm", [0xff, 0xfe, 1, 2]);
    place.run(&["x.wasm"]).fails(
        1,
        &[
            "`x.wasm` is not a WebAssembly module",
            "begins with ff fe 01 02",
        ],
    );
    place.file("s.wasm", "#!/bin/sh\necho\n");
    place.run(&["s.wasm"]).fails(1, &["`s.wasm` is a script"]);
}

#[test]
fn wrong_text_has_a_line() {
    let place = Place::new();
    place.file("t.wat", "(module\n  (func nonsense))");
    place
        .run(&["t.wat"])
        .fails(1, &["`t.wat` is not valid WebAssembly text", "t.wat:2:9"]);
}

#[test]
fn an_invalid_module_has_an_offset() {
    let place = Place::new();
    // A type section that is cut off.
    place.file("i.wasm", b"\0asm\x01\0\0\0\x01\x7f");
    place
        .run(&["i.wasm"])
        .fails(1, &["cannot load `i.wasm`", "offset"]);
    place.file("v.wat", "(module (func (result i32)))");
    place
        .run(&["v.wat"])
        .fails(1, &["cannot load `v.wat`", "type mismatch", "offset"]);
}

#[test]
fn stdin_as_text_and_as_binary() {
    let place = Place::new();
    let arguments = ["--invoke", "f", "-"];
    place
        .run_with_stdin(
            &arguments,
            b"(module (func (export \"f\") (result i32) i32.const 3))",
        )
        .prints("3\n");
    place.run_with_stdin(&["-"], b"\0asm\x01\0\0\0").prints("");
}

#[test]
fn compiled_modules_need_trust() {
    let place = Place::new();
    place.file(
        "a.wat",
        "(module (func (export \"f\") (result i32) i32.const 4))",
    );
    place.run(&["compile", "a.wat"]).prints("");
    place
        .run(&["--invoke", "f", "a.cwasm"])
        .fails(2, &["`a.cwasm` is compiled code", "--allow-precompiled"]);
    place
        .run(&["--allow-precompiled", "--invoke", "f", "a.cwasm"])
        .prints("4\n");
    let bytes = std::fs::read(place.path().join("a.cwasm")).unwrap();
    place
        .run_with_stdin(&["--allow-precompiled", "--invoke", "f", "-"], &bytes)
        .prints("4\n");
    place
        .run(&["compile", "a.cwasm", "-o", "b.cwasm"])
        .fails(1, &["is compiled already"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let path = place.file("p.wasm", "(module)");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read it all the same.
    if std::fs::read(&path).is_err() {
        place.run(&["p.wasm"]).fails(1, &["permission denied"]);
    } else {
        place.run(&["p.wasm"]).prints("");
    }
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end() {
    let place = Place::new();
    place
        .run(&["/dev/zero"])
        .fails(1, &["begins with 00 00 00 00"]);
    place.run(&["/dev/null"]).fails(1, &["is empty"]);
}
