mod common;
use common::*;
use meantime_compile::*;
use std::time::Instant;
#[test]
fn measure() {
    let mut text = String::from("(module (type (func)) (memory 1)");
    for i in 0..100_000 {
        text += &format!(
            "(func $_ZN4core3fmt9Formatter_some_name_{i} (call {}))",
            i / 2
        );
    }
    text += "(table 50000 funcref) (elem (i32.const 0) func";
    for i in 0..50_000 {
        text += &format!(" {i}");
    }
    text += ") (export \"a\" (func 0)))";
    let t = Instant::now();
    let (module, wasm) = module(&text);
    println!("parse+decode {:?} wasm {}", t.elapsed(), wasm.len());
    let t = Instant::now();
    meantime_module::Module::decode(&wasm, meantime_module::WasmFeatures::all(), true).unwrap();
    println!("decode {:?}", t.elapsed());
    let t = Instant::now();
    let a = compile_module(&module, &wasm, &x86(), true).unwrap();
    println!("compile {:?}", t.elapsed());
    let t = Instant::now();
    let elf = a.to_elf().unwrap();
    println!("to_elf {:?} {}", t.elapsed(), elf.len());
    fn cpu() -> u64 { std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap() }
    let c = cpu();
    for _ in 0..200 {
        LoadedArtifact::parse(&elf, &expect()).unwrap();
    }
    println!("load cpu {} us each", (cpu() - c) / 200_000);
    let bytes = postcard::to_stdvec(&module).unwrap();
    let t = Instant::now();
    let m: meantime_module::Module = postcard::from_bytes(&bytes).unwrap();
    println!(
        "postcard {:?} {} {}",
        t.elapsed(),
        bytes.len(),
        m.bodies().len()
    );
}
