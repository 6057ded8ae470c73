//! Which functions can become funcrefs, and whether they can cross the border of an instance.

mod common;

use common::decode_text;
use meantime_abi::{EscapedFuncIndex, FuncIndex};

fn escaped(text: &str) -> Vec<u32> {
    let module = decode_text(text);
    let escaped: Vec<u32> = module.escaped().values().map(|f| f.as_u32()).collect();
    assert_eq!(module.counts().escaped_funcs as usize, escaped.len());
    for (i, func) in escaped.iter().enumerate() {
        let function = module.functions()[FuncIndex::from_u32(*func)];
        assert_eq!(function.escaped, Some(EscapedFuncIndex::from_u32(i as u32)));
    }
    let marked = module.functions().values().filter(|f| f.escaped.is_some());
    assert_eq!(marked.count(), escaped.len());
    escaped
}

#[test]
fn exported_functions_escape_also_imported_ones() {
    let text = r#"(module (import "" "" (func)) (import "" "" (func)) (func) (func)
        (export "a" (func 3)) (export "b" (func 1)) (export "c" (func 3)))"#;
    assert_eq!(escaped(text), [1, 3]);
}

#[test]
fn functions_in_segments_of_every_mode_escape() {
    let text = "(module (table 9 funcref) (func) (func) (func) (func) (func) (func)
        (elem (i32.const 0) 5) (elem func 3) (elem declare func 1)
        (elem funcref (ref.func 4) (ref.null func)))";
    assert_eq!(escaped(text), [1, 3, 4, 5]);
}

#[test]
fn functions_in_constant_expressions_escape() {
    let text = "(module (func) (func) (func) (func)
        (global funcref (ref.func 2)) (table 1 (ref func) (ref.func 1)))";
    assert_eq!(escaped(text), [1, 2]);
}

#[test]
fn the_start_function_escapes_and_called_ones_do_not() {
    let text = "(module (func) (func (call 0)) (start 1))";
    assert_eq!(escaped(text), [1]);
}

#[test]
fn functions_cross_only_where_a_type_at_the_border_can_carry_them() {
    let private = [
        "(module)",
        r#"(module (import "" "" (func (param i32))) (table 1 funcref) (global funcref (ref.null func)) (func (param funcref)))"#,
        r#"(module (import "" "" (func (param externref))) (tag (export "") (param i32)))"#,
        r#"(module (table (export "") 1 externref) (memory (export "m") 1))"#,
    ];
    let crossing = [
        r#"(module (table (export "") 1 funcref))"#,
        r#"(module (import "" "" (table 1 funcref)))"#,
        r#"(module (import "" "" (func (result funcref))))"#,
        r#"(module (func (export "") (param funcref)))"#,
        r#"(module (global (export "") funcref (ref.null func)))"#,
        "(module (tag (param funcref)))",
        r#"(module (func (export "") (param anyref)))"#,
        r#"(module (func (export "") (param exnref)))"#,
        r#"(module (type (struct (field funcref))) (func (export "") (param externref)))"#,
        r#"(module (type $f (func)) (func (export "") (param (ref null $f))))"#,
    ];
    for text in private {
        assert!(!decode_text(text).funcrefs_cross(), "{text}");
    }
    for text in crossing {
        assert!(decode_text(text).funcrefs_cross(), "{text}");
    }
}
