//! Compiling ahead of time: once to bytes or a file, loaded many times without a compiler's work.

use meantime::*;

fn main() -> Result<()> {
    let engine = Engine::default();
    let wat = r#"(module $answer (func (export "run") (result i32) i32.const 42))"#;

    // From memory.
    let bytes = engine.precompile_module(wat.as_bytes())?;
    assert_eq!(
        Engine::detect_precompiled(&bytes),
        Some(Precompiled::Module)
    );
    // SAFETY: these bytes were made just now by this library and not changed.
    #[allow(unsafe_code)]
    let module = unsafe { Module::deserialize(&engine, &bytes)? };
    assert_eq!(run(&engine, &module)?, 42);

    // From a file, which is mapped.
    let path = std::env::temp_dir().join(format!("meantime-example-{}.cwasm", std::process::id()));
    std::fs::write(&path, &bytes)?;
    // SAFETY: as above; nobody changes the file while it is in use.
    #[allow(unsafe_code)]
    let module = unsafe { Module::deserialize_file(&engine, &path)? };
    println!(
        "{:?} from {} gives {}",
        module.name(),
        path.display(),
        run(&engine, &module)?
    );
    std::fs::remove_file(&path)?;

    // Code that was compiled with other options is refused, with the difference.
    let other = Engine::new(Config::new().signals_based_traps(false))?;
    // SAFETY: as above.
    #[allow(unsafe_code)]
    let refused = unsafe { Module::deserialize(&other, &bytes) };
    println!("{:#}", refused.unwrap_err());
    Ok(())
}

fn run(engine: &Engine, module: &Module) -> Result<i32> {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[])?;
    instance
        .get_typed_func::<(), i32>(&mut store, "run")?
        .call(&mut store, ())
}
