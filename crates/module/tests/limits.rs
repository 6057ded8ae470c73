//! Absurd modules are refused or decoded within bounded time and memory.

mod common;

use common::error;
use meantime_module::*;
use std::time::{Duration, Instant};
use wasm_encoder::*;

/// The type `[] -> []`, a function of it with this body.
fn with_body(body: &[u8]) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut code = CodeSection::new();
    code.raw(body);
    module.section(&types).section(&functions).section(&code);
    module.finish()
}

fn decode(wasm: &[u8]) -> Result<meantime_module::Module, ModuleError> {
    let start = Instant::now();
    let result = meantime_module::Module::decode(wasm, common::all_features(), false);
    // Generous, for a slow machine under load and an unoptimized build: what this finds are not seconds but hours.
    assert!(start.elapsed() < Duration::from_secs(120));
    result
}

#[test]
fn too_many_locals() {
    // One group of 2^32 - 1, and many groups that are too many together.
    let one = with_body(b"\x01\xff\xff\xff\xff\x0f\x7f\x0b");
    let two = with_body(b"\x02\xff\xff\xff\xff\x0f\x7f\xff\xff\xff\xff\x0f\x7e\x0b");
    for wasm in [one, two] {
        let error = decode(&wasm).unwrap_err();
        assert!(error.message().contains("too many locals"), "{error}");
        assert_eq!(error.kind(), ModuleErrorKind::Limit);
    }
}

#[test]
fn deep_nesting() {
    let depth = 1_000_000;
    let mut body = vec![0];
    body.extend([0x02, 0x40].repeat(depth));
    body.extend(vec![0x0b; depth + 1]);
    assert!(decode(&with_body(&body)).is_ok());
    // The end of the outermost is missing.
    body.pop();
    let error = decode(&with_body(&body)).unwrap_err();
    assert!(error.message().contains("control frames remain"), "{error}");
}

#[test]
fn too_many_operands() {
    let mut module = wasm_encoder::Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], vec![ValType::I32; 1000]);
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0).function(1);
    let mut code = CodeSection::new();
    code.raw(b"\0\0\x0b");
    // A million calls, then what takes all operands away.
    let calls = b"\x10\0".repeat(1_000_000);
    code.raw(&[b"\0", &calls[..], b"\0\x0b"].concat());
    module.section(&types).section(&functions).section(&code);
    let error = decode(&module.finish()).unwrap_err();
    assert!(error.message().contains("operands"), "{error}");
    assert_eq!(error.kind(), ModuleErrorKind::Limit);
}

#[test]
fn a_function_that_is_too_large() {
    let mut body = vec![0];
    body.extend(vec![0x01; 8_000_000]);
    body.push(0x0b);
    let error = decode(&with_body(&body)).unwrap_err();
    assert_eq!(error.kind(), ModuleErrorKind::Limit, "{error}");
}

#[test]
fn a_million_types() {
    let mut types = TypeSection::new();
    for i in 0..1_000_000u32 {
        let params = (0..20).map(|bit| {
            if i >> bit & 1 == 0 {
                ValType::I32
            } else {
                ValType::I64
            }
        });
        types.ty().function(params.collect::<Vec<_>>(), []);
    }
    let mut module = wasm_encoder::Module::new();
    let wasm = module.section(&types).clone().finish();
    let decoded = decode(&wasm).unwrap();
    assert_eq!(decoded.types().len(), 1_000_000);
    types.ty().function([], []);
    let wasm = wasm_encoder::Module::new().section(&types).clone().finish();
    let error = decode(&wasm).unwrap_err();
    assert_eq!(error.kind(), ModuleErrorKind::Limit, "{error}");
}

#[test]
fn counts_that_the_bytes_do_not_have() {
    // Section, size, a count of 2^32 - 1 (or what its limit allows), and nothing.
    for (id, name) in [
        (1u8, "types"),
        (2, "imports"),
        (3, "functions"),
        (4, "tables"),
        (5, "memories"),
        (6, "globals"),
        (7, "exports"),
        (9, "elements"),
        (10, "code"),
        (11, "data"),
        (13, "tags"),
    ] {
        for count in [&b"\xff\xff\xff\xff\x0f"[..], b"\xc0\x84\x3d", b"\x64"] {
            let mut wasm = b"\0asm\x01\0\0\0".to_vec();
            wasm.push(id);
            wasm.push(count.len() as u8);
            wasm.extend_from_slice(count);
            assert!(decode(&wasm).is_err(), "{name}");
        }
    }
}

#[test]
fn huge_memories_and_tables_take_nothing_to_decode() {
    let wasm = common::bytes(
        r#"(module (memory i64 0x1000000000000) (table i64 0xffffffffffffffff funcref) (func)
            (data (i64.const 0xfffffffffffffff0) "end") (elem (i64.const 0xfffffffffffffff0) func 0))"#,
    );
    let module = decode(&wasm).unwrap();
    let memory = module.memories().values().next().unwrap();
    assert_eq!(memory.min_bytes(), None);
    let table = module.table_inits().values().next().unwrap();
    assert!(table.image.is_empty());
}

#[test]
fn addresses_that_overflow_are_not_in_bounds() {
    let wasm = common::bytes(
        r#"(module (memory i64 1) (table i64 1 funcref) (func)
            (data (i64.const 0xffffffffffffffff) "xx") (elem (i64.const 0xffffffffffffffff) func 0 0))"#,
    );
    let module = decode(&wasm).unwrap();
    assert!(module.memory_images().values().all(Option::is_none));
}

#[test]
fn many_custom_sections_are_forgotten_not_kept() {
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    for _ in 0..100_000 {
        wasm.extend_from_slice(b"\0\x01\0");
    }
    assert_eq!(decode(&wasm).unwrap().custom_sections().len(), 10_000);
}

#[test]
fn strings_that_are_too_long() {
    let mut imports = ImportSection::new();
    imports.import(
        &"x".repeat(200_000),
        "",
        GlobalType {
            val_type: ValType::I32,
            mutable: false,
            shared: false,
        },
    );
    let wasm = wasm_encoder::Module::new()
        .section(&imports)
        .clone()
        .finish();
    assert_eq!(error(&wasm).kind(), ModuleErrorKind::Limit);
}
