//! Fuel: a guest that runs out of it is stopped, at the same place on every machine.

use meantime::*;

fn main() -> Result<()> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module
            (func $fibonacci (export "fibonacci") (param i32) (result i32)
                (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
                    (then (local.get 0))
                    (else (i32.add
                        (call $fibonacci (i32.sub (local.get 0) (i32.const 1)))
                        (call $fibonacci (i32.sub (local.get 0) (i32.const 2))))))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let fibonacci = instance.get_typed_func::<i32, i32>(&mut store, "fibonacci")?;

    // With the same fuel for each number, the first that needs more is always the same.
    let mut last = None;
    for n in 0.. {
        store.set_fuel(100_000)?;
        match fibonacci.call(&mut store, n) {
            Ok(value) => {
                let used = 100_000 - store.get_fuel()?;
                println!("fibonacci({n}) = {value}, for {used}");
                last = Some(n);
            }
            Err(error) => {
                println!("fibonacci({n}): {}", error.root_cause());
                assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
                break;
            }
        }
    }
    assert_eq!(last, Some(18));
    Ok(())
}
