//! One compiled module on several threads: engines and modules are shared, each thread has a store of its own.

use meantime::*;
use std::thread;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (func (export "sum") (param $n i64) (result i64)
            (local $s i64)
            (loop $next
                (local.set $s (i64.add (local.get $s) (local.get $n)))
                (local.set $n (i64.sub (local.get $n) (i64.const 1)))
                (br_if $next (i64.ne (local.get $n) (i64.const 0))))
            (local.get $s)))"#,
    )?;
    let workers: Vec<_> = (1..=4u64)
        .map(|i| {
            let module = module.clone();
            thread::spawn(move || -> Result<u64> {
                let mut store = Store::new(module.engine(), ());
                let instance = Instance::new(&mut store, &module, &[])?;
                let sum = instance.get_typed_func::<u64, u64>(&mut store, "sum")?;
                sum.call(&mut store, i * 1000)
            })
        })
        .collect();
    for (i, worker) in workers.into_iter().enumerate() {
        let n = (i as u64 + 1) * 1000;
        let sum = worker.join().expect("no panic")?;
        println!("1 + … + {n} = {sum}");
        assert_eq!(sum, n * (n + 1) / 2);
    }
    Ok(())
}
