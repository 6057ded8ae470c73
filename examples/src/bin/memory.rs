//! Reading, writing and growing a guest's memory.

use meantime::*;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (memory (export "memory") 1 3)
            (data (i32.const 100) "guest data")
            (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
            (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.get_memory(&mut store, "memory").expect("exported");
    let load = instance.get_typed_func::<u32, u32>(&mut store, "load")?;
    let store_byte = instance.get_typed_func::<(u32, u32), ()>(&mut store, "store")?;

    // The host sees what the guest starts with, and the other way round.
    println!(
        "{}",
        String::from_utf8_lossy(&memory.data(&store)[100..110])
    );
    memory.write(&mut store, 0, b"written by the host")?;
    assert_eq!(load.call(&mut store, 0)?, u32::from(b'w'));
    store_byte.call(&mut store, (0, u32::from(b'W')))?;
    assert_eq!(memory.data(&store)[0], b'W');

    // Sizes are in pages of 64 KiB.
    assert_eq!(memory.size(&store), 1);
    assert_eq!(memory.grow(&mut store, 1)?, 1);
    println!("the memory has {} bytes now", memory.data_size(&store));
    assert!(
        memory.grow(&mut store, 2).is_err(),
        "three pages are its maximum"
    );

    // An access beyond the end is a trap for the guest and an error for the host; both go on.
    let trap = load.call(&mut store, 2 * 65536).unwrap_err();
    println!("{}", trap.root_cause());
    assert_eq!(trap.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
    assert!(memory.write(&mut store, 2 * 65536 - 1, b"xx").is_err());
    Ok(())
}
