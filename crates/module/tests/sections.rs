//! One test for each kind of section: what it says is found in the module.

mod common;

use common::decode_text;
use meantime_abi::*;
use meantime_module::*;

fn func(i: u32) -> FuncIndex {
    FuncIndex::from_u32(i)
}

#[test]
fn types_keep_their_groups_and_refer_forward() {
    let module = decode_text(
        "(module
            (type $plain (func (param i32 v128) (result f64 f32 i64)))
            (rec
                (type $list (sub (struct (field (mut (ref null $list))) (field i8))))
                (type $array (array (mut (ref null $f))))
                (type $f (func (param (ref $array)) (result externref))))
            (type $sub (sub final $list (struct (field (mut (ref null $list))) (field i8) (field i16)))))",
    );
    let types: Vec<_> = module.types().values().collect();
    assert_eq!(types.len(), 5);
    let groups: Vec<_> = module.rec_groups().values().cloned().collect();
    assert_eq!(groups, [0..1, 1..4, 4..5]);
    let plain = module.type_as_func(TypeIndex::from_u32(0));
    assert_eq!(*plain.params, [ValType::I32, ValType::V128]);
    assert_eq!(*plain.results, [ValType::F64, ValType::F32, ValType::I64]);
    let concrete = |nullable, kind, i| {
        ValType::Ref(RefType {
            nullable,
            heap: HeapType::Concrete(kind, TypeIndex::from_u32(i)),
        })
    };
    let CompositeType::Struct(fields) = &types[1].composite else {
        panic!("not a struct");
    };
    let list = concrete(true, CompositeKind::Struct, 1);
    assert_eq!(fields[0].storage, StorageType::Val(list));
    assert_eq!(fields[1].storage, StorageType::I8);
    assert!(fields[0].mutable && !fields[1].mutable && !types[1].is_final);
    let forward = concrete(true, CompositeKind::Func, 3);
    let element = FieldType {
        mutable: true,
        storage: StorageType::Val(forward),
    };
    assert_eq!(types[2].composite, CompositeType::Array(element));
    let f = types[3].as_func().unwrap();
    assert_eq!(*f.params, [concrete(false, CompositeKind::Array, 2)]);
    assert_eq!(*f.results, [ValType::EXTERNREF]);
    assert_eq!(types[4].supertype, Some(TypeIndex::from_u32(1)));
    assert!(types[4].is_final);
}

#[test]
fn imports_come_first_in_every_index_space() {
    let module = decode_text(
        r#"(module
            (import "a" "f" (func (param i32)))
            (import "a" "t" (table 1 2 funcref))
            (import "b" "m" (memory 3 4))
            (import "b" "g" (global (mut i64)))
            (import "" "e" (tag (param f32)))
            (func) (table 5 externref) (memory 6) (global i32 (i32.const 7)) (tag))"#,
    );
    let names: Vec<_> = module
        .imports()
        .iter()
        .map(|i| (&*i.module, &*i.name))
        .collect();
    assert_eq!(
        names,
        [("a", "f"), ("a", "t"), ("b", "m"), ("b", "g"), ("", "e")]
    );
    assert_eq!(
        module.imports()[4].index,
        EntityIndex::Tag(TagIndex::from_u32(0))
    );
    assert_eq!(
        *module.counts(),
        VmCounts {
            func_imports: 1,
            table_imports: 1,
            memory_imports: 1,
            global_imports: 1,
            tag_imports: 1,
            tables: 1,
            memories: 1,
            globals: 1,
            tags: 1,
            escaped_funcs: 0,
        }
    );
    let memory = module.memories()[MemoryIndex::from_u32(0)];
    assert_eq!(
        (memory.min, memory.max, memory.page_size()),
        (3, Some(4), 65536)
    );
    assert!(module.globals()[GlobalIndex::from_u32(0)].mutable);
    assert_eq!(module.defined_func(func(0)), None);
    assert_eq!(
        module.defined_func(func(1)),
        Some(DefinedFuncIndex::from_u32(0))
    );
    assert_eq!(module.func_index(DefinedFuncIndex::from_u32(0)), func(1));
    let ExternType::Table(table) = module.type_of(EntityIndex::Table(TableIndex::from_u32(1)))
    else {
        panic!("not a table");
    };
    assert_eq!(
        (table.min, table.max, table.element),
        (5, None, RefType::EXTERNREF)
    );
}

#[test]
fn memories_and_tables_of_every_shape() {
    let module = decode_text(
        "(module (memory i64 1 0x100000000) (memory 1 2 shared) (memory 9 (pagesize 1))
            (table i64 3 0x100000000 externref))",
    );
    let memories: Vec<_> = module.memories().values().collect();
    assert_eq!(memories[0].addr, AddrType::I64);
    assert_eq!(memories[0].max, Some(1 << 32));
    assert!(memories[1].shared);
    assert_eq!(
        (memories[2].page_size(), memories[2].min_bytes()),
        (1, Some(9))
    );
    let table = module.tables()[TableIndex::from_u32(0)];
    assert_eq!((table.addr, table.max), (AddrType::I64, Some(1 << 32)));
}

#[test]
fn globals_and_their_initial_values() {
    let module = decode_text(
        r#"(module (import "" "g" (global i32))
            (func $f)
            (global i64 (i64.const -1))
            (global f32 (f32.const -0.0))
            (global f64 (f64.const nan:0x4000000000000))
            (global v128 (v128.const i64x2 1 2))
            (global (mut funcref) (ref.func $f))
            (global externref (ref.null extern))
            (global i32 (i32.add (global.get 0) (i32.mul (i32.const 2) (i32.const 3)))))"#,
    );
    let inits: Vec<_> = module
        .global_inits()
        .values()
        .map(|e| e.ops.to_vec())
        .collect();
    assert_eq!(inits[0], [ConstOp::I64Const(-1)]);
    assert_eq!(inits[1], [ConstOp::F32Const(0x8000_0000)]);
    assert_eq!(inits[2], [ConstOp::F64Const(0x7ff4_0000_0000_0000)]);
    assert_eq!(inits[3], [ConstOp::V128Const(2 << 64 | 1)]);
    assert_eq!(inits[4], [ConstOp::RefFunc(func(0))]);
    assert_eq!(inits[5], [ConstOp::RefNull(HeapType::Extern)]);
    assert_eq!(inits[6].len(), 5);
    assert_eq!(inits[6][0], ConstOp::GlobalGet(GlobalIndex::from_u32(0)));
    assert_eq!(inits[6][4], ConstOp::I32Add);
}

#[test]
fn exports_are_found_by_name() {
    let module = decode_text(
        r#"(module (func) (memory 1) (table 1 funcref) (global i32 (i32.const 0)) (tag)
            (export "z" (func 0)) (export "" (memory 0)) (export "ä" (table 0))
            (export "m" (global 0)) (export "a" (tag 0)) (export "zz" (func 0)))"#,
    );
    assert_eq!(module.exports().len(), 6);
    for (i, export) in module.exports().iter().enumerate() {
        assert_eq!(module.export_at(&export.name), Some(i));
        assert_eq!(module.export(&export.name), Some(export.index));
    }
    for absent in ["b", "zzz", "Z", "\0"] {
        assert_eq!(module.export(absent), None);
    }
}

#[test]
fn start_and_bodies() {
    let (wasm, module) = common::decode_text_with_bytes(
        "(module (func $a (nop)) (func $b (local i32 i32 f64) (drop (local.get 0))) (start $b))",
    );
    assert_eq!(module.start(), Some(func(1)));
    let bodies: Vec<_> = module
        .bodies()
        .values()
        .map(|b| &wasm[b.range.start as usize..b.range.end as usize])
        .collect();
    assert_eq!(bodies[0], [0x00, 0x01, 0x0b]);
    assert_eq!(
        bodies[1],
        [0x02, 0x02, 0x7f, 0x01, 0x7c, 0x20, 0x00, 0x1a, 0x0b]
    );
    // The contents of the section begin with the number of bodies and the size of the first.
    let first = module.bodies()[DefinedFuncIndex::from_u32(0)].range.start;
    assert_eq!(module.code_section_start(), first - 2);
}

#[test]
fn element_segments_of_every_mode() {
    let module = decode_text(
        "(module (table 10 funcref) (table 10 externref) (func) (func)
            (elem (i32.const 1) 0 1)
            (elem func 1)
            (elem declare func 0)
            (elem (table 0) (offset (i32.const 4)) funcref (ref.func 1) (ref.null func))
            (elem externref (ref.null extern)))",
    );
    let elems: Vec<_> = module.elems().values().collect();
    let funcs = |elem: &Elem| match &elem.items {
        ElemItems::Funcs(funcs) => funcs.iter().map(|f| f.map(|f| f.as_u32())).collect(),
        ElemItems::Exprs(_) => vec![],
    };
    assert_eq!(funcs(elems[0]), [Some(0), Some(1)]);
    assert!(matches!(elems[0].mode, SegmentMode::Active { .. }));
    assert_eq!(
        (funcs(elems[1]), &elems[1].mode),
        (vec![Some(1)], &SegmentMode::Passive)
    );
    assert_eq!(
        (funcs(elems[2]), &elems[2].mode),
        (vec![Some(0)], &SegmentMode::Declared)
    );
    assert_eq!(funcs(elems[3]), [Some(1), None]);
    assert_eq!(elems[3].ty, RefType::FUNCREF);
    assert!(matches!(&elems[4].items, ElemItems::Exprs(exprs) if exprs.len() == 1));
    assert!(!elems[4].items.is_empty());
}

#[test]
fn expressions_that_are_not_all_functions_stay_expressions() {
    let module = decode_text(
        r#"(module (import "" "g" (global funcref)) (func)
            (elem funcref (ref.func 0) (ref.null func) (global.get 0) (ref.func 0)))"#,
    );
    let elem = &module.elems()[ElemIndex::from_u32(0)];
    let ElemItems::Exprs(exprs) = &elem.items else {
        panic!("not expressions");
    };
    let ops: Vec<_> = exprs.iter().map(|e| e.ops[0]).collect();
    let global = ConstOp::GlobalGet(GlobalIndex::from_u32(0));
    let null = ConstOp::RefNull(HeapType::Func);
    assert_eq!(
        ops,
        [
            ConstOp::RefFunc(func(0)),
            null,
            global,
            ConstOp::RefFunc(func(0))
        ]
    );
}

#[test]
fn data_segments_and_data_count() {
    let (wasm, module) = common::decode_text_with_bytes(
        r#"(module (memory 1) (data (i32.const 8) "abc") (data "passive") (data (i32.const 0) "")
            (func (data.drop 1)))"#,
    );
    let bytes: Vec<_> = module
        .datas()
        .values()
        .map(|d| &wasm[d.range.start as usize..d.range.end as usize])
        .collect();
    assert_eq!(bytes, [&b"abc"[..], b"passive", b""]);
    assert_eq!(
        module.datas()[DataIndex::from_u32(1)].mode,
        SegmentMode::Passive
    );
}

#[test]
fn custom_sections_are_found_by_name() {
    let (wasm, module) = common::decode_text_with_bytes(
        r#"(module (@custom ".debug_info" "dwarf") (func) (@custom "x" "1") (@custom "x" "2"))"#,
    );
    let names: Vec<_> = module.custom_sections().iter().map(|s| &*s.name).collect();
    assert_eq!(names, [".debug_info", "x", "x"]);
    let range = module.custom_section(".debug_info").unwrap();
    assert_eq!(&wasm[range.start as usize..range.end as usize], b"dwarf");
    let range = module.custom_section("x").unwrap();
    assert_eq!(&wasm[range.start as usize..range.end as usize], b"1");
    assert_eq!(module.custom_section("y"), None);
}

#[test]
fn table_initializers() {
    let module =
        decode_text("(module (func $f) (table 3 (ref func) (ref.func $f)) (table 1 funcref))");
    let inits: Vec<_> = module
        .table_inits()
        .values()
        .map(|t| t.init.clone())
        .collect();
    assert_eq!(
        inits[0].as_ref().unwrap().ops[..],
        [ConstOp::RefFunc(func(0))]
    );
    assert_eq!(inits[1], None);
}

#[test]
fn the_empty_module() {
    let module = Module::decode(b"\0asm\x01\0\0\0", WasmFeatures::default(), true).unwrap();
    assert_eq!(*module.counts(), VmCounts::default());
    assert_eq!((module.name(), module.start()), (None, None));
    assert_eq!(module.layout().size() as usize, size_of::<VmContext>());
}

#[test]
fn constant_expressions_make_objects() {
    let module = decode_text(
        "(module
            (type $box (struct (field i32)))
            (type $ints (array i32))
            (global (ref $box) (struct.new $box (i32.const 7)))
            (global (ref $ints) (array.new_fixed $ints 2 (i32.const 1) (i32.const 2)))
            (global anyref (any.convert_extern (extern.convert_any (ref.i31 (i32.const 3)))))
            (table 1 (ref null $ints) (array.new_default $ints (i32.const 4)))
            (elem (ref null $box) (item (struct.new_default $box)))
            (tag (param i32)))",
    );
    let (a_box, ints) = (TypeIndex::from_u32(0), TypeIndex::from_u32(1));
    let inits: Vec<_> = module.global_inits().values().map(|i| &*i.ops).collect();
    assert_eq!(inits[0], [ConstOp::I32Const(7), ConstOp::StructNew(a_box)]);
    let one_two = [
        ConstOp::I32Const(1),
        ConstOp::I32Const(2),
        ConstOp::ArrayNewFixed(ints, 2),
    ];
    assert_eq!(inits[1], one_two);
    let there_and_back = [
        ConstOp::I32Const(3),
        ConstOp::RefI31,
        ConstOp::ExternConvertAny,
        ConstOp::AnyConvertExtern,
    ];
    assert_eq!(inits[2], there_and_back);
    let tables: Vec<_> = module.table_inits().values().collect();
    let init = tables[0].init.as_ref().unwrap();
    assert_eq!(
        *init.ops,
        [ConstOp::I32Const(4), ConstOp::ArrayNewDefault(ints)]
    );
    let elems: Vec<_> = module.elems().values().collect();
    let ElemItems::Exprs(items) = &elems[0].items else {
        panic!("not expressions");
    };
    assert_eq!(*items[0].ops, [ConstOp::StructNewDefault(a_box)]);
    assert_eq!(module.tags().len(), 1);
}
