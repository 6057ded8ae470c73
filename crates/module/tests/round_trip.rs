//! A module survives being written and read, and being separated from its bytes.

mod common;

use common::{decode, decode_text_with_bytes};
use meantime_abi::{DataIndex, DefinedMemoryIndex};
use meantime_module::*;

const TEXT: &str = r#"(module $m
    (type $s (struct (field (mut i16)) (field (ref null $s))))
    (import "a" "f" (func $imported (param i32 (ref null $s)) (result externref)))
    (import "a" "g" (global i32))
    (table 10 funcref) (table 4 externref) (memory 40) (memory 1)
    (global v128 (v128.const i64x2 -1 5)) (global f64 (f64.const nan))
    (tag (param f32))
    (func $f (export "f") (nop)) (func $g)
    (start $g)
    (elem (i32.const 1) $f $imported) (elem declare func $g) (elem externref (ref.null extern))
    (data (i32.const 70000) "one") (data "passive") (data (i32.const 70002) "TWO")
    (data (memory 1) (global.get 0) "dynamic") (data (memory 0) (i32.const 200000) "three")
    (@custom ".debug_line" "lines") (@custom "other" "bytes"))"#;

#[test]
fn postcard() {
    let (_, module) = decode_text_with_bytes(TEXT);
    let bytes = postcard::to_stdvec(&module).unwrap();
    assert_eq!(postcard::from_bytes::<Module>(&bytes).unwrap(), module);
    for len in 0..bytes.len() {
        assert!(postcard::from_bytes::<Module>(&bytes[..len]).is_err());
    }
}

fn segment<'a>(module: &Module, source: &'a [u8], i: u32) -> &'a [u8] {
    let range = &module.datas()[DataIndex::from_u32(i)].range;
    &source[range.start as usize..range.end as usize]
}

#[test]
fn extraction_keeps_what_instantiation_needs() {
    let (wasm, module) = decode_text_with_bytes(TEXT);
    let keep = |name: &str| name.starts_with(".debug");
    let memory = DefinedMemoryIndex::from_u32(0);
    let image = |module: &Module, source| {
        let image = module.memory_images()[memory].as_ref().unwrap();
        (image.start, image.bytes(source).into_owned())
    };
    let expected = image(&module, &wasm);
    assert_eq!(&expected.1[70000 - 65536..70000 - 65536 + 5], b"onTWO");
    let (once, small) = module.extract(&wasm, &keep, Images::Pieces).unwrap();
    assert!(small.len() < 100, "{}", small.len());
    let align = 4096;
    let (twice, built) = once
        .extract(&small, &|_| true, Images::Built { align })
        .unwrap();
    for (module, source) in [(&once, &small), (&twice, &built)] {
        assert_eq!(image(module, source), expected);
        assert_eq!(segment(module, source, 0), b"");
        assert_eq!(segment(module, source, 1), b"passive");
        assert_eq!(segment(module, source, 3), b"dynamic");
        let lines = module.custom_section(".debug_line").unwrap();
        assert_eq!(&source[lines.start as usize..lines.end as usize], b"lines");
        assert_eq!(module.custom_section("other"), None);
        assert_eq!(module.bodies(), decode(&wasm).bodies());
    }
    let built_image = twice.memory_images()[memory].as_ref().unwrap();
    assert_eq!(built_image.as_one_piece().unwrap().start % align, 0);
    assert!(matches!(
        built_image.bytes(&built),
        std::borrow::Cow::Borrowed(_)
    ));
}
