//! Functions with several results, in both directions.

use meantime::*;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "divide" (func $divide (param i32 i32) (result i32 i32)))
            (func (export "swapped") (param i32 i32) (result i32 i32)
                (call $divide (local.get 1) (local.get 0)))
            (func (export "many") (param i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
                (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
                (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let divide = Func::wrap(&mut store, |a: i32, b: i32| -> Result<(i32, i32)> {
        ensure!(b != 0, "division by zero, says the host");
        Ok((a / b, a % b))
    });
    let instance = Instance::new(&mut store, &module, &[divide.into()])?;

    let swapped = instance.get_typed_func::<(i32, i32), (i32, i32)>(&mut store, "swapped")?;
    let (quotient, remainder) = swapped.call(&mut store, (5, 17))?;
    println!("17 / 5 = {quotient}, remainder {remainder}");
    assert_eq!((quotient, remainder), (3, 2));
    println!("{:#}", swapped.call(&mut store, (0, 1)).unwrap_err());

    // The same without types known ahead.
    let many = instance.get_func(&mut store, "many").expect("exported");
    let mut results = vec![Val::I32(0); many.ty(&store).results().len()];
    many.call(&mut store, &[Val::I64(3)], &mut results)?;
    assert!(results.iter().all(|r| r.unwrap_i64() == 3));
    Ok(())
}
