//! Folding active segments into initial images, and when that must not be.

mod common;

use common::decode_text_with_bytes;
use meantime_abi::{DefinedMemoryIndex, DefinedTableIndex, FuncIndex};
use meantime_module::*;

/// Start and contents of the image of the first memory, with trailing zeros cut off.
fn image(text: &str) -> Option<(u64, Vec<u8>)> {
    let (wasm, module) = decode_text_with_bytes(text);
    let image = module.memory_images()[DefinedMemoryIndex::from_u32(0)].as_ref()?;
    let mut bytes = image.bytes(&wasm).into_owned();
    assert_eq!(bytes.len() as u64, image.len);
    bytes.truncate(bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1));
    Some((image.start, bytes))
}

fn datas_in_image(text: &str) -> Vec<bool> {
    let (_, module) = decode_text_with_bytes(text);
    let in_image =
        |mode: &SegmentMode<_>| matches!(mode, SegmentMode::Active { in_image: true, .. });
    module.datas().values().map(|d| in_image(&d.mode)).collect()
}

fn table_image(text: &str) -> (Vec<Option<u32>>, Vec<bool>) {
    let (_, module) = decode_text_with_bytes(text);
    let image = &module.table_inits()[DefinedTableIndex::from_u32(0)].image;
    let in_image =
        |mode: &SegmentMode<_>| matches!(mode, SegmentMode::Active { in_image: true, .. });
    (
        image.iter().map(|f| f.map(FuncIndex::as_u32)).collect(),
        module.elems().values().map(|e| in_image(&e.mode)).collect(),
    )
}

#[test]
fn segments_at_constant_places_become_an_image() {
    let text =
        r#"(module (memory 3) (data (i32.const 65540) "abc") (data (i32.const 65541) "XY"))"#;
    assert_eq!(image(text), Some((65536, b"\0\0\0\0aXY".to_vec())));
    assert_eq!(datas_in_image(text), [true, true]);
}

#[test]
fn later_segments_overwrite_earlier_ones_also_with_zeros() {
    let text =
        r#"(module (memory 1) (data (i32.const 0) "abcdef") (data (i32.const 1) "\00\00Z"))"#;
    assert_eq!(image(text), Some((0, b"a\0\0Zef".to_vec())));
}

#[test]
fn zeros_around_an_image_are_left_out() {
    let zeros = "\\00".repeat(70_000);
    let text = format!(r#"(module (memory 9) (data (i32.const 65536) "{zeros}!{zeros}"))"#);
    let (wasm, module) = decode_text_with_bytes(&text);
    let image = module.memory_images()[DefinedMemoryIndex::from_u32(0)]
        .as_ref()
        .unwrap();
    assert_eq!((image.start, image.len), (131_072, 65536));
    for (at, range) in &image.pieces {
        assert!(*at >= image.start && at + range.len() as u64 <= image.start + image.len);
    }
    let bytes = image.bytes(&wasm);
    assert_eq!(
        bytes.iter().position(|b| *b != 0),
        Some(65536 + 70_000 - 131_072)
    );
}

#[test]
fn nothing_but_zeros_is_folded_into_no_image() {
    let text = r#"(module (memory 1) (data (i32.const 0) "\00\00") (data (i32.const 65536) ""))"#;
    assert_eq!(image(text), None);
    assert_eq!(datas_in_image(text), [true, true]);
}

#[test]
fn a_segment_that_can_trap_is_not_folded_nor_any_after_it() {
    for at in ["i32.const 65535", "i32.const -1", "global.get 0"] {
        let text = format!(
            r#"(module (import "" "" (global i32)) (memory 1) (memory 1)
                (data (i32.const 0) "a") (data ({at}) "bc") (data (i32.const 4) "d") (data (memory 1) (i32.const 0) "e"))"#
        );
        assert_eq!(datas_in_image(&text), [true, false, false, false], "{at}");
        assert_eq!(image(&text), Some((0, b"a".to_vec())));
    }
}

#[test]
fn an_empty_segment_can_trap_too() {
    let text = r#"(module (memory 1) (data (i32.const 65537) "") (data (i32.const 0) "a"))"#;
    assert_eq!(datas_in_image(text), [false, false]);
}

#[test]
fn segments_of_imported_memories_are_not_folded_but_can_be_harmless() {
    let text = r#"(module (import "" "" (memory 1)) (memory 1)
        (data (i32.const 65535) "a") (data (memory 1) (i32.const 0) "b")
        (data (i32.const 65536) "c") (data (memory 1) (i32.const 1) "d"))"#;
    assert_eq!(datas_in_image(text), [false, true, false, false]);
}

#[test]
fn an_element_segment_that_can_trap_comes_before_all_data() {
    let text = r#"(module (table 1 funcref) (memory 1) (func)
        (elem (i32.const 1) 0) (data (i32.const 0) "a"))"#;
    assert_eq!(datas_in_image(text), [false]);
}

#[test]
fn known_globals_and_arithmetic_are_constant() {
    let text = r#"(module (memory i64 1) (global $g i64 (i64.const 5)) (global $h i64 (i64.add (global.get $g) (i64.const 2)))
        (data (i64.sub (global.get $h) (i64.const 3)) "x"))"#;
    assert_eq!(image(text), Some((0, b"\0\0\0\0x".to_vec())));
    let mutable =
        r#"(module (memory 1) (global $g (mut i32) (i32.const 5)) (data (i32.const 9) "y"))"#;
    assert_eq!(datas_in_image(mutable), [true]);
}

#[test]
fn small_pages_are_not_overrun() {
    let text = r#"(module (memory 5 (pagesize 1)) (data (i32.const 3) "ab"))"#;
    assert_eq!(image(text), Some((3, b"ab".to_vec())));
}

#[test]
fn sparse_images_are_bounded_together() {
    // 12 MiB of nothing is made once, not twice; a dense image costs nothing.
    let text = |n: usize| {
        let far =
            r#"(data (memory N) (i32.const 0) "a") (data (memory N) (i32.const 0xc00000) "b")"#;
        let fars: String = (0..n).map(|i| far.replace('N', &i.to_string())).collect();
        format!(
            "(module {} {fars} (memory 1) (data (memory {n}) (i32.const 7) \"dense\"))",
            "(memory 1000)".repeat(n)
        )
    };
    assert_eq!(datas_in_image(&text(1)), [true; 3]);
    assert_eq!(datas_in_image(&text(2)), [true, true, false, false, true]);
    let too_far =
        r#"(module (memory 1000) (data (i32.const 0) "a") (data (i32.const 0x1400000) "b"))"#;
    assert_eq!(datas_in_image(too_far), [false, false]);
}

#[test]
fn tables_of_functions_have_images_too() {
    let text = "(module (table 10 funcref) (func) (func) (func)
        (elem (i32.const 1) 0 1) (elem (i32.const 2) 2) (elem (i32.const 10) func))";
    assert_eq!(
        table_image(text),
        (vec![None, Some(0), Some(2)], vec![true; 3])
    );
}

#[test]
fn between_segments_a_table_has_its_initial_value() {
    let text = "(module (table 10 (ref func) (ref.func 1)) (func) (func) (elem (i32.const 2) 0))";
    assert_eq!(
        table_image(text),
        (vec![Some(1), Some(1), Some(0)], vec![true])
    );
    let unknown = r#"(module (import "" "" (global (ref func))) (table 10 (ref func) (global.get 0)) (func)
        (elem (i32.const 2) 0))"#;
    assert_eq!(table_image(unknown), (vec![], vec![false]));
}

#[test]
fn table_images_stop_at_what_is_not_known() {
    let text = r#"(module (import "" "" (global funcref)) (table 4 funcref) (table 4 externref) (func)
        (elem (i32.const 0) 0)
        (elem (table 1) (offset (i32.const 0)) externref (ref.null extern))
        (elem (table 0) (offset (i32.const 1)) funcref (global.get 0))
        (elem (i32.const 2) 0))"#;
    // The one of externrefs can be neither folded nor trap.
    assert_eq!(
        table_image(text),
        (vec![Some(0)], vec![true, false, false, false])
    );
}

#[test]
fn table_images_are_bounded_together() {
    let tables = 400;
    let mut text = String::from("(module (func)");
    for i in 0..tables {
        text += &format!("(table 10000000 funcref) (elem (table {i}) (i32.const 5000) func 0)");
    }
    text.push(')');
    let (_, module) = decode_text_with_bytes(&text);
    let made = module
        .table_inits()
        .values()
        .map(|t| t.image.len())
        .sum::<usize>();
    assert!(made > 0 && made <= 1 << 20, "{made}");
}
