//! Limits on what a guest may use: memory, table elements, stack.

use meantime::*;

fn main() -> Result<()> {
    let mut config = Config::new();
    config.max_wasm_stack(64 << 10);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module
            (memory (export "memory") 1)
            (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
            (func $deep (export "deep") (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
                    (else (i32.const 0)))))"#,
    )?;
    let limits = StoreLimitsBuilder::new()
        .memory_size(4 << 16)
        .instances(1)
        .build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let instance = Instance::new(&mut store, &module, &[])?;

    let grow = instance.get_typed_func::<u32, i32>(&mut store, "grow")?;
    assert_eq!(grow.call(&mut store, 3)?, 1);
    assert_eq!(
        grow.call(&mut store, 1)?,
        -1,
        "five pages are more than the limit"
    );
    println!("{:#}", Instance::new(&mut store, &module, &[]).unwrap_err());

    let deep = instance.get_typed_func::<u32, u32>(&mut store, "deep")?;
    assert_eq!(deep.call(&mut store, 100)?, 100);
    let error = deep.call(&mut store, 1_000_000).unwrap_err();
    println!("{}", error.root_cause());
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
    Ok(())
}
