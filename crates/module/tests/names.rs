//! The name section: names are found, and whatever is wrong with them is ignored.

mod common;

use common::{decode, decode_text};
use meantime_abi::FuncIndex;
use meantime_module::Module;
use wasm_encoder::{CustomSection, NameMap, NameSection};

fn name(module: &Module, i: u32) -> Option<&str> {
    module.func_name(FuncIndex::from_u32(i))
}

/// A module with two functions and this name section.
fn with_section(section: &[u8]) -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = wasm_encoder::TypeSection::new();
    types.ty().function([], []);
    let mut functions = wasm_encoder::FunctionSection::new();
    let mut code = wasm_encoder::CodeSection::new();
    for _ in 0..2 {
        functions.function(0);
        let mut body = wasm_encoder::Function::new([]);
        body.instructions().end();
        code.function(&body);
    }
    module.section(&types).section(&functions).section(&code);
    module.section(&CustomSection {
        name: "name".into(),
        data: section.into(),
    });
    module.finish()
}

#[test]
fn names_of_the_module_and_of_functions() {
    let module =
        decode_text(r#"(module $m (import "" "" (func $imported)) (func $f) (func) (func $g))"#);
    assert_eq!(module.name(), Some("m"));
    assert_eq!(name(&module, 0), Some("imported"));
    assert_eq!(name(&module, 1), Some("f"));
    assert_eq!(name(&module, 2), None);
    assert_eq!(name(&module, 3), Some("g"));
    assert_eq!(module.func_name_count(), 3);
}

#[test]
fn names_of_functions_that_are_not_there_are_ignored() {
    let mut names = NameMap::new();
    names.append(7, "seven");
    names.append(1, "one");
    let mut section = NameSection::new();
    section.functions(&names);
    let module = decode(&with_section(&section_bytes(&section)));
    assert_eq!(
        (module.func_name_count(), name(&module, 1)),
        (1, Some("one"))
    );
    assert_eq!(name(&module, 7), None);
}

/// The contents of an encoded section, without its name.
fn section_bytes(section: &NameSection) -> Vec<u8> {
    use wasm_encoder::Encode;
    let mut bytes = Vec::new();
    section.encode(&mut bytes);
    // Size, length of the name, the name.
    bytes.split_off(1 + 1 + 4)
}

#[test]
fn malformed_sections_are_ignored_from_where_they_are_malformed() {
    let mut names = NameMap::new();
    names.append(0, "zero");
    names.append(1, "one");
    let mut section = NameSection::new();
    section.module("m");
    section.functions(&names);
    let whole = section_bytes(&section);
    let module = decode(&with_section(&whole));
    assert_eq!((module.name(), name(&module, 1)), (Some("m"), Some("one")));
    for len in 0..whole.len() {
        let module = decode(&with_section(&whole[..len]));
        assert_eq!(name(&module, 1), None);
        assert_eq!(module.functions().len(), 2);
    }
    for i in 0..whole.len() {
        let mut changed = whole.clone();
        changed[i] = 0xff;
        assert_eq!(decode(&with_section(&changed)).functions().len(), 2);
    }
}
