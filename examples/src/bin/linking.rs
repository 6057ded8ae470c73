//! Two modules, one of which imports what the other exports, put together by a linker.

use meantime::*;

const LIBRARY: &str = r#"
(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))
  (func (export "allocate") (param $len i32) (result i32)
    (global.get $next)
    (global.set $next (i32.add (global.get $next) (local.get $len)))))
"#;

const PROGRAM: &str = r#"
(module
  (import "library" "allocate" (func $allocate (param i32) (result i32)))
  (import "library" "memory" (memory 1))
  (func (export "run") (result i32)
    (local $p i32)
    (local.set $p (call $allocate (i32.const 8)))
    (i32.store (local.get $p) (i32.const 7))
    (i32.add (call $allocate (i32.const 8)) (i32.load (local.get $p)))))
"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let library = Module::new(&engine, LIBRARY)?;
    let program = Module::new(&engine, PROGRAM)?;

    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);

    // What is missing is named, with its type.
    let error = linker.instantiate(&mut store, &program).unwrap_err();
    println!("{error}");
    assert!(error.is::<UnknownImportError>());

    let library = linker.instantiate(&mut store, &library)?;
    linker.instance(&mut store, "library", library)?;
    let program = linker.instantiate(&mut store, &program)?;
    let run = program.get_typed_func::<(), i32>(&mut store, "run")?;
    let result = run.call(&mut store, ())?;
    println!("run() = {result}");
    assert_eq!(result, 1032 + 7);
    Ok(())
}
