//! Running a program that uses WASI preview 1, with arguments, and its output in the host's hands.

use meantime::*;
use meantime_wasi::p1::{self, WasiP1Ctx};
use meantime_wasi::p2::pipe::MemoryOutputPipe;
use meantime_wasi::{I32Exit, WasiCtxBuilder};

const PROGRAM: &str = include_str!("../../hello.wat");

const EXIT: &str = r#"
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const 3))))
"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx)?;

    let stdout = MemoryOutputPipe::new(4096);
    let wasi = WasiCtxBuilder::new()
        .arg("hello")
        .stdout(stdout.clone())
        .build_p1();
    let mut store = Store::new(&engine, wasi);
    let module = Module::new(&engine, PROGRAM)?;
    linker.module(&mut store, "", &module)?;
    linker
        .get_default(&mut store, "")?
        .typed::<(), ()>(&store)?
        .call(&mut store, ())?;
    let output = stdout.contents();
    println!("the guest wrote {:?}", String::from_utf8_lossy(&output));
    assert_eq!(&output[..], b"Hello from WebAssembly!\n");

    // An exit is an error that says with which status.
    let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, EXIT)?)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    let error = start.call(&mut store, ()).unwrap_err();
    let status = error
        .downcast_ref::<I32Exit>()
        .expect("proc_exit ends this way")
        .0;
    println!("the second guest exited with {status}");
    assert_eq!(status, 3);
    Ok(())
}
