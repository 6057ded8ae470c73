//! Stopping a guest from a host function: an error that it returns unwinds the guest, however deep it is.

use meantime::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "checkpoint" (func $checkpoint))
            (func (export "run") (loop $forever (call $checkpoint) (br $forever))))"#,
    )?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut store = Store::new(&engine, stop.clone());
    let mut linker = Linker::new(&engine);
    linker.func_wrap(
        "host",
        "checkpoint",
        |caller: Caller<'_, Arc<AtomicBool>>| -> Result<()> {
            if caller.data().load(Ordering::Relaxed) {
                return Err(Trap::Interrupt.into());
            }
            Ok(())
        },
    )?;
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;

    let timer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        stop.store(true, Ordering::Relaxed);
    });
    let error = run.call(&mut store, ()).unwrap_err();
    timer.join().expect("the timer does not panic");
    println!("{}", error.root_cause());
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    Ok(())
}
