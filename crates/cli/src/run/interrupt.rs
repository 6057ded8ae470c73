//! What bounds a run: `-W fuel` by what it does, `-W timeout` by how long it takes.

use crate::options::Bounds;
use crate::report::TRAPPED;
use meantime::{Engine, Result, Store, bail};
use std::thread;
use std::time::Duration;

/// How long after its timeout a program may still be running. Guests notice at once, but not while they wait in the host.
const GRACE: Duration = Duration::from_secs(1);

/// Gives a store its fuel, and a deadline that [`start_timer`] lets pass.
pub fn prepare<T>(store: &mut Store<T>, bounds: Bounds) -> Result<()> {
    if let Some(fuel) = bounds.fuel {
        store.set_fuel(fuel)?;
    }
    // Checking alone interrupts nothing.
    store.set_epoch_deadline(bounds.timeout.map_or(u64::MAX, |_| 1));
    Ok(())
}

/// Has everything that runs in the engine interrupted after the time that `-W timeout` gives.
pub fn start_timer(engine: &Engine, bounds: Bounds) -> Result<()> {
    let Some(timeout) = bounds.timeout else {
        return Ok(());
    };
    if !engine.get_epoch_interruption() {
        bail!("-W timeout needs -W epoch-interruption, which is switched off");
    }
    let engine = engine.weak();
    let watch = move || {
        thread::sleep(timeout);
        if let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
        }
        thread::sleep(GRACE);
        eprintln!("Error: the program took longer than {timeout:?}, and waits for the host");
        std::process::exit(TRAPPED);
    };
    thread::Builder::new()
        .name("timeout".to_string())
        .spawn(watch)?;
    Ok(())
}
