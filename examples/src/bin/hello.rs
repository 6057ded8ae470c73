//! The smallest whole program: compile a module, give it an import, call its export.

use meantime::*;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "hello" (func $hello))
            (func (export "run") (call $hello)))"#,
    )?;

    let mut store = Store::new(&engine, ());
    let hello = Func::wrap(&mut store, || {
        println!("Hello from the host, called by the guest.")
    });
    let instance = Instance::new(&mut store, &module, &[hello.into()])?;

    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    run.call(&mut store, ())?;
    println!("Done.");
    Ok(())
}
