//! Features of the language that are off unless the embedder asks for them.

use meantime::*;

#[test]
fn pages_of_one_byte() -> Result<()> {
    let text = r#"(module
        (memory (export "m") 10 20 (pagesize 1))
        (data (i32.const 8) "ab")
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;
    let engine = Engine::default();
    assert!(Module::new(&engine, text).is_err());
    for (signals, reservation) in [(true, 4 << 30), (true, 0), (false, 0)] {
        let mut config = Config::new();
        config
            .wasm_custom_page_sizes(true)
            .signals_based_traps(signals)
            .memory_reservation(reservation);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, text)?;
        let ty = module.exports().next().unwrap().ty();
        let ty = ty.unwrap_memory().clone();
        assert_eq!(
            (ty.page_size(), ty.minimum(), ty.maximum()),
            (1, 10, Some(20))
        );

        let limits = StoreLimitsBuilder::new().memory_size(15).build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        let instance = Instance::new(&mut store, &module, &[])?;
        let memory = instance.get_memory(&mut store, "m").unwrap();
        assert_eq!((memory.page_size(&store), memory.size(&store)), (1, 10));
        assert_eq!(memory.data_size(&store), 10);
        assert_eq!(&memory.data(&store)[8..], b"ab");

        let load = instance.get_typed_func::<u32, i32>(&mut store, "load")?;
        assert_eq!(load.call(&mut store, 9)?, i32::from(b'b'));
        for address in [10, 4095, 65535, u32::MAX] {
            let error = load.call(&mut store, address).unwrap_err();
            assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
        }
        let grow = instance.get_typed_func::<u32, i32>(&mut store, "grow")?;
        assert_eq!(grow.call(&mut store, 3)?, 10);
        assert_eq!(memory.grow(&mut store, 2)?, 13);
        // Beyond the limiter's bound, and beyond the type's.
        assert_eq!(grow.call(&mut store, 1)?, -1);
        assert_eq!(grow.call(&mut store, 6)?, -1);
        assert_eq!(load.call(&mut store, 14)?, 0);
        assert!(load.call(&mut store, 15).is_err());

        // Of the host's making.
        let ty = MemoryTypeBuilder::default()
            .min(3)
            .page_size_log2(0)
            .build()?;
        let memory = Memory::new(&mut store, ty)?;
        assert_eq!((memory.size(&store), memory.data_size(&store)), (3, 3));
    }
    Ok(())
}

#[test]
fn imports_that_share_the_name_of_their_module() -> Result<()> {
    let text = r#"(module
        (import "host" (item "one" (func $one (result i32))) (item "two" (func $two (result i32))))
        (func (export "run") (result i32) (i32.add (call $one) (call $two))))"#;
    assert!(Module::new(&Engine::default(), text).is_err());
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::COMPACT_IMPORTS, true);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, text)?;
    let names: Vec<_> = module.imports().map(|i| (i.module(), i.name())).collect();
    assert_eq!(names, [("host", "one"), ("host", "two")]);
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "one", || 1)?;
    linker.func_wrap("host", "two", || 2)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ())?, 3);
    Ok(())
}

#[test]
fn hints_and_annotations_are_read_over() -> Result<()> {
    let text = r#"(module
        (@custom "anything" "at all")
        (func (export "run") (param i32) (result i32)
            (@metadata.code.branch_hint "\01")
            (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2)))))"#;
    for hinting in [false, true] {
        let engine = Engine::new(Config::new().wasm_branch_hinting(hinting))?;
        assert_eq!(engine.get_wasm_branch_hinting(), hinting);
        let module = Module::new(&engine, text)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
        assert_eq!(run.call(&mut store, 0)?, 2);
        assert_eq!(run.call(&mut store, 1)?, 1);
    }
    Ok(())
}

#[test]
fn what_is_switched_off_is_refused() {
    let struct_text = "(module (type (struct)) (func (drop (struct.new 0))))";
    let tag_text = "(module (tag) (func (throw 0)))";
    let engine = Engine::default();
    for text in [struct_text, tag_text] {
        Module::new(&engine, text).unwrap();
    }
    let refused = |config: &Config, text: &str| {
        let engine = Engine::new(config).unwrap();
        assert!(Module::new(&engine, text).is_err(), "{text}");
    };
    refused(Config::new().wasm_gc(false), struct_text);
    refused(Config::new().gc_support(false), struct_text);
    refused(Config::new().wasm_exceptions(false), tag_text);
}
