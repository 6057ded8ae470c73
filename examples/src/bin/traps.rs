//! Traps, backtraces, and errors of the host that travel through the guest.

use meantime::*;
use std::fmt;

#[derive(Debug)]
struct Denied(i32);

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {} denied", self.0)
    }
}

impl std::error::Error for Denied {}

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module $shop
            (import "host" "request" (func $request (param i32)))
            (func $divide (param i32) (result i32) (i32.div_s (i32.const 100) (local.get 0)))
            (func $price (export "price") (param i32) (result i32) (call $divide (local.get 0)))
            (func $forever (export "forever") (call $forever))
            (func $order (export "order") (param i32) (call $request (local.get 0))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let request = Func::wrap(&mut store, |n: i32| -> Result<()> { Err(Denied(n).into()) });
    let instance = Instance::new(&mut store, &module, &[request.into()])?;

    // A trap is an error with a kind and a backtrace.
    let price = instance.get_typed_func::<i32, i32>(&mut store, "price")?;
    let error = price.call(&mut store, 0).unwrap_err();
    assert_eq!(
        error.downcast_ref::<Trap>(),
        Some(&Trap::IntegerDivisionByZero)
    );
    let backtrace = error
        .downcast_ref::<WasmBacktrace>()
        .expect("recorded by default");
    let names: Vec<_> = backtrace.frames().iter().map(|f| f.func_name()).collect();
    assert_eq!(names, [Some("divide"), Some("price")]);
    println!("{error:?}\n");

    // The store is usable afterwards, also after the stack overflowed.
    assert_eq!(price.call(&mut store, 4)?, 25);
    let forever = instance.get_typed_func::<(), ()>(&mut store, "forever")?;
    let error = forever.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
    assert_eq!(price.call(&mut store, 5)?, 20);

    // The host's own errors come out as they went in.
    let order = instance.get_typed_func::<i32, ()>(&mut store, "order")?;
    let error = order.call(&mut store, 7).unwrap_err();
    println!("{error:?}");
    assert_eq!(error.downcast_ref::<Denied>().map(|d| d.0), Some(7));
    Ok(())
}
