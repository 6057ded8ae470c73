//! Exceptions: the host throws one for the guest to catch, and catches one of the guest's.
//!
//! The one idea: a call that an exception ends returns the error `ThrownException`, and the exception itself waits in the store; a host
//! function throws by returning that error.

use meantime::*;

const PARSER: &str = r#"(module
    (import "host" "bad-digit" (tag $bad_digit (param i32)))
    (import "host" "digit" (func $digit (param i32) (result i32)))
    (tag $negative (export "negative") (param i64))

    ;; The value of a character, or -1 for what is no digit.
    (func (export "value") (param $char i32) (result i32)
        (block $caught (result i32)
            (try_table (catch $bad_digit $caught)
                (return (call $digit (local.get $char))))
            (unreachable))
        (drop)
        (i32.const -1))

    (func (export "root") (param $x i64) (result f64)
        (if (i64.lt_s (local.get $x) (i64.const 0))
            (then (throw $negative (local.get $x))))
        (f64.sqrt (f64.convert_i64_s (local.get $x)))))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, PARSER)?;
    let mut store = Store::new(&engine, ());
    let ty = FuncType::new(&engine, [ValType::I32], []);
    let bad_digit = Tag::new(&mut store, &TagType::new(ty))?;

    let mut linker = Linker::new(&engine);
    linker.define(&store, "host", "bad-digit", bad_digit)?;
    linker.func_wrap(
        "host",
        "digit",
        move |mut caller: Caller<'_, ()>, char: u32| -> Result<u32> {
            if let Some(digit) = char::from_u32(char).and_then(|c| c.to_digit(10)) {
                return Ok(digit);
            }
            let ty = ExnType::from_tag_type(&bad_digit.ty(&caller))?;
            let allocator = ExnRefPre::new(&mut caller, ty);
            let fields = [Val::I32(char as i32)];
            let exception = ExnRef::new(&mut caller, &allocator, &bad_digit, &fields)?;
            caller.as_context_mut().throw(exception)
        },
    )?;
    let instance = linker.instantiate(&mut store, &module)?;

    let value = instance.get_typed_func::<u32, i32>(&mut store, "value")?;
    assert_eq!(value.call(&mut store, '7'.into())?, 7);
    assert_eq!(value.call(&mut store, 'x'.into())?, -1);

    let root = instance.get_typed_func::<i64, f64>(&mut store, "root")?;
    assert_eq!(root.call(&mut store, 81)?, 9.0);
    let error = root.call(&mut store, -4).unwrap_err();
    assert!(error.is::<ThrownException>());
    let exception = store.take_pending_exception().expect("it waits");
    let negative = instance.get_tag(&mut store, "negative").expect("exported");
    assert!(Tag::eq(&exception.tag(&mut store)?, &negative, &store));
    let number = exception.field(&mut store, 0)?.unwrap_i64();
    println!("{number} has no root");
    assert_eq!(number, -4);
    Ok(())
}
