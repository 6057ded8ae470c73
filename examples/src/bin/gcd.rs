//! Calling a function with numbers, and getting one back.

use meantime::*;

const GCD: &str = r#"
(module
  (func (export "gcd") (param $a i32) (param $b i32) (result i32)
    (local $t i32)
    (loop $again
      (if (i32.eqz (local.get $b)) (then (return (local.get $a))))
      (local.set $t (i32.rem_u (local.get $a) (local.get $b)))
      (local.set $a (local.get $b))
      (local.set $b (local.get $t))
      (br $again))
    (unreachable)))
"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, GCD)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let gcd = instance.get_typed_func::<(u32, u32), u32>(&mut store, "gcd")?;
    for (a, b) in [(6, 27), (252, 105), (17, 5)] {
        println!("gcd({a}, {b}) = {}", gcd.call(&mut store, (a, b))?);
    }
    assert_eq!(gcd.call(&mut store, (6, 27))?, 3);
    Ok(())
}
