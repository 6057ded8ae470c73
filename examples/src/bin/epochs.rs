//! Epochs: a clock that interrupts guests, and a store that decides what then happens to its own.

use meantime::*;
use std::thread;
use std::time::Duration;

fn main() -> Result<()> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config)?;

    // One clock for all guests. It does not keep the engine alive, and ends with it.
    let weak = engine.weak();
    let clock = thread::spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(Duration::from_millis(5));
        }
    });
    guests(engine)?;
    clock.join().expect("the clock does not panic");
    Ok(())
}

/// Whatever holds the engine is gone when this returns; that includes errors, for the names in their backtraces.
fn guests(engine: Engine) -> Result<()> {
    let module = Module::new(
        &engine,
        r#"(module (func (export "forever") (loop (br 0))))"#,
    )?;

    // One guest has three epochs, about fifteen milliseconds.
    let mut store = Store::new(&engine, 0);
    store.set_epoch_deadline(3);
    let instance = Instance::new(&mut store, &module, &[])?;
    let forever = instance.get_typed_func::<(), ()>(&mut store, "forever")?;
    let error = forever.call(&mut store, ()).unwrap_err();
    println!("{}", error.root_cause());
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));

    // Another one is asked about, epoch by epoch.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        *store.data_mut() += 1;
        match store.data() {
            1..=3 => Ok(UpdateDeadline::Continue(1)),
            _ => Ok(UpdateDeadline::Interrupt),
        }
    });
    let error = forever.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    assert_eq!(*store.data(), 4);
    Ok(())
}
