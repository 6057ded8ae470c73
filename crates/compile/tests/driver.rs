//! What the driver compiles, in which order, on which threads, and what it says when it cannot.

mod common;

use common::*;
use meantime_abi::*;
use meantime_compile::{CompileOptions, compile_module, compile_module_with};

/// Many functions, each of which calls the one before it and the last.
fn large() -> String {
    let mut text = String::from("(module ");
    for i in 0..300 {
        let nops = "nop ".repeat(40 + i * 7 % 50);
        text += &format!("(func $f{i} {nops} (call {}) (call 299))", i.max(1) - 1);
    }
    text + r#"(export "f" (func 0)))"#
}

#[test]
fn functions_stand_in_their_order_and_calls_reach_them() {
    let artifact = compile(EVERYTHING, &x86());
    let view = artifact.view();
    let text = view.text();
    let start = |i| view.func(DefinedFuncIndex::from_u32(i)).code.start;
    for i in 0..3 {
        let func = DefinedFuncIndex::from_u32(i);
        assert_eq!(word(text, start(i)), i);
        assert_eq!(view.func(func).key, FuncKey::Func(func));
        assert_eq!(start(i) % 32, 0);
    }
    let call = |from: u32, n: u32| {
        let next = start(from) + 4 + 5 * (n + 1);
        next.wrapping_add(word(text, next - 4))
    };
    // The call of the import is the backend's own affair.
    assert_eq!(call(0, 0), start(1));
    assert_eq!(call(0, 1), start(0));
    assert_eq!(call(2, 0), start(0));
}

#[test]
fn lookups_by_address() {
    let artifact = compile(EVERYTHING, &x86());
    let view = artifact.view();
    for record in view.funcs().iter() {
        for at in [record.code.start, record.code.end - 1] {
            assert_eq!(view.find(at).as_ref(), Some(&record));
        }
        assert_ne!(view.find(record.code.end).as_ref(), Some(&record));
    }
    assert_eq!(view.find(u32::MAX), None);
    let first = view.func(DefinedFuncIndex::from_u32(0));
    let table = view.side_table(&first).unwrap();
    let body = &view.module().bodies()[DefinedFuncIndex::from_u32(0)];
    assert_eq!(table.trap(4).unwrap().wasm_offset, Some(body.range.start));
}

#[test]
fn only_trampolines_that_can_be_used_are_made() {
    let artifact = compile(EVERYTHING, &x86());
    let view = artifact.view();
    let kinds: Vec<_> = view
        .trampolines()
        .map(|(kind, ty, _)| (kind, ty.as_u32()))
        .collect();
    // Exported: `main` without parameters and `other`; imported: `f`.
    let types = view.module().types();
    let ty_of = |params: usize| {
        let mut found = types
            .iter()
            .filter(|(_, t)| t.as_func().unwrap().params.len() == params);
        found.next().unwrap().0
    };
    let (none, one, two) = (ty_of(0), ty_of(1), ty_of(2));
    let mut expected = vec![
        (Trampoline::Enter, none.as_u32()),
        (Trampoline::Enter, two.as_u32()),
        (Trampoline::Host, one.as_u32()),
    ];
    expected.sort();
    assert_eq!(kinds, expected);
    assert_eq!(view.trampoline(Trampoline::Host, none), None);
    let record = view.trampoline(Trampoline::Enter, two).unwrap();
    assert_eq!(word(view.text(), record.code.start), 0x1021);
    let signature = view.module().type_as_func(two).signature();
    assert_eq!(
        view.trampoline_for(Trampoline::Enter, &signature),
        Some(record)
    );
    assert_eq!(view.trampoline_for(Trampoline::Host, &signature), None);
}

#[test]
fn where_functions_cross_the_border_all_signatures_have_trampolines() {
    let text = r#"(module (type (func (param i32))) (type (func (param f32))) (type (func (param i32)))
        (type (struct)) (table (export "t") 1 funcref) (func (type 1)) (elem (i32.const 0) 0))"#;
    let artifact = compile(text, &x86());
    let view = artifact.view();
    let kinds: Vec<_> = view
        .trampolines()
        .map(|(kind, ty, _)| (kind, ty.as_u32()))
        .collect();
    use Trampoline::*;
    assert_eq!(kinds, [(Enter, 1), (Host, 0), (Host, 1)]);
    // Types of equal signatures share.
    let at = |ty| view.trampoline(Host, TypeIndex::from_u32(ty));
    assert_eq!(at(0), at(2));
    assert!(at(0).is_some() && at(3).is_none());
}

#[test]
fn a_start_function_can_be_entered() {
    let artifact = compile("(module (func) (start 0))", &x86());
    assert_eq!(artifact.view().trampolines().count(), 1);
}

#[test]
fn threads_change_nothing_and_small_modules_start_none() {
    let here = std::thread::current().id();
    let backend = x86();
    compile(EVERYTHING, &backend);
    assert!(backend.threads.lock().unwrap().iter().all(|t| *t == here));
    let (module, wasm) = module(&large());
    let one = compile_module(&module, &wasm, &backend, false).unwrap();
    assert!(backend.threads.lock().unwrap().iter().all(|t| *t == here));
    let many = compile_module(&module, &wasm, &backend, true).unwrap();
    assert!(backend.threads.lock().unwrap().iter().any(|t| *t != here));
    assert_eq!(one, many);
}

#[test]
fn the_first_function_that_fails_is_named() {
    let (module, wasm) = module(&large());
    let backend = Fake {
        refuses: vec![250, 40, 41, 100],
        ..x86()
    };
    for parallel in [false, true, true, true, true] {
        let error = compile_module(&module, &wasm, &backend, parallel).unwrap_err();
        assert_eq!(error.message, "function 40 `f40`: refused");
        let start = module.bodies()[DefinedFuncIndex::from_u32(40)].range.start;
        assert_eq!(error.offset, Some(start));
    }
}

#[test]
fn an_empty_module_is_an_artifact() {
    let artifact = compile("(module)", &x86());
    let view = artifact.view();
    assert!(view.funcs().is_empty() && view.text().is_empty());
    assert_eq!(view.find(0), None);
}

#[test]
fn options_say_what_is_kept_and_recorded() {
    let (module, wasm) = module(EVERYTHING);
    let options = CompileOptions {
        parallel: false,
        keep_custom: |name| name == "producers",
        settings: vec![("features".to_owned(), "7".to_owned())],
        version: Some("mine".to_owned()),
    };
    let artifact = compile_module_with(&module, &wasm, &x86(), &options).unwrap();
    let view = artifact.view();
    assert_eq!(view.custom_section("producers"), Some(&b"dropped"[..]));
    assert_eq!(view.custom_section(".debug_info"), None);
    assert_eq!(artifact.info().version, "mine");
    assert_eq!(artifact.info().settings.last().unwrap().0, "features");
    let default = compile(EVERYTHING, &x86());
    assert_eq!(default.view().custom_section("producers"), None);
    assert_eq!(
        default.view().custom_section(".debug_info"),
        Some(&b"debugging"[..])
    );
}
