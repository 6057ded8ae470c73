//! A table of functions as a dispatch table that host and guest both change.

use meantime::*;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $op (func (param i32 i32) (result i32)))
            (table (export "ops") 3 10 funcref)
            (elem (i32.const 0) $add $sub)
            (func $add (type $op) (i32.add (local.get 0) (local.get 1)))
            (func $sub (type $op) (i32.sub (local.get 0) (local.get 1)))
            (func (export "apply") (param $which i32) (param i32 i32) (result i32)
                (call_indirect (type $op) (local.get 1) (local.get 2) (local.get $which))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let ops = instance.get_table(&mut store, "ops").expect("exported");
    let apply = instance.get_typed_func::<(u32, i32, i32), i32>(&mut store, "apply")?;

    assert_eq!(apply.call(&mut store, (0, 30, 12))?, 42);
    assert_eq!(apply.call(&mut store, (1, 30, 12))?, 18);
    let error = apply.call(&mut store, (2, 30, 12)).unwrap_err();
    println!("an empty entry: {}", error.root_cause());

    // The host fills the empty one, and adds another.
    let multiply = Func::wrap(&mut store, |a: i32, b: i32| a * b);
    ops.set(&mut store, 2, multiply.into())?;
    assert_eq!(apply.call(&mut store, (2, 30, 12))?, 360);
    let maximum = Func::wrap(&mut store, |a: i32, b: i32| a.max(b));
    let index = ops.grow(&mut store, 1, maximum.into())?;
    println!(
        "maximum is number {index}: {}",
        apply.call(&mut store, (index as u32, 30, 12))?
    );

    // Types are checked on every indirect call.
    let wrong = Func::wrap(&mut store, |_: i64| {});
    ops.set(&mut store, 0, wrong.into())?;
    let error = apply.call(&mut store, (0, 1, 2)).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::BadSignature));
    // And the host can call what is in the table.
    let Some(Ref::Func(Some(sub))) = ops.get(&mut store, 1) else {
        bail!("not a function")
    };
    assert_eq!(
        sub.typed::<(i32, i32), i32>(&store)?
            .call(&mut store, (1, 2))?,
        -1
    );
    Ok(())
}
