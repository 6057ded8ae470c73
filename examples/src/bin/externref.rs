//! Giving values of the host to a guest, which can keep and return them but not look inside.

use meantime::*;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (table $t (export "table") 10 externref)
            (global $g (export "global") (mut externref) (ref.null extern))
            (func (export "identity") (param externref) (result externref) (local.get 0))
            (func (export "keep") (param i32 externref) (table.set $t (local.get 0) (local.get 1)))
            (func (export "take") (param i32) (result externref) (table.get $t (local.get 0))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;

    let greeting = ExternRef::new(&mut store, String::from("hello"))?;
    let identity = instance
        .get_typed_func::<Option<Rooted<ExternRef>>, Option<Rooted<ExternRef>>>(
            &mut store, "identity",
        )?;
    let same = identity
        .call(&mut store, Some(greeting))?
        .expect("not null");
    assert!(Rooted::ref_eq(&store, &greeting, &same)?);
    let data = same.data(&store)?.expect("a value of the host");
    println!("{}", data.downcast_ref::<String>().expect("a string"));
    assert!(identity.call(&mut store, None)?.is_none());

    // What a guest keeps lives on after its scope of roots.
    let keep =
        instance.get_typed_func::<(u32, Option<Rooted<ExternRef>>), ()>(&mut store, "keep")?;
    let take = instance.get_typed_func::<u32, Option<Rooted<ExternRef>>>(&mut store, "take")?;
    {
        let mut scope = RootScope::new(&mut store);
        for i in 0..10u32 {
            let number = ExternRef::new(&mut scope, i * i)?;
            keep.call(&mut scope, (i, Some(number)))?;
        }
    }
    store.gc(None)?;
    let nine = take.call(&mut store, 3)?.expect("kept");
    let nine = nine
        .data(&store)?
        .and_then(|d| d.downcast_ref::<u32>())
        .copied();
    println!("the table still has {nine:?}");
    assert_eq!(nine, Some(9));
    Ok(())
}
