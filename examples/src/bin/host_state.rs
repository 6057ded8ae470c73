//! Host functions that work on the host's own data in the store, and that call back into the guest.

use meantime::*;

/// What the host keeps for each guest.
#[derive(Default)]
struct State {
    log: Vec<String>,
}

fn main() -> Result<()> {
    let engine = Engine::default();
    let mut linker: Linker<State> = Linker::new(&engine);
    linker.func_wrap(
        "host",
        "log",
        |mut caller: Caller<'_, State>, ptr: u32, len: u32| {
            // The guest says where its text is; nothing it says is taken for granted.
            let memory = match caller.get_export("memory") {
                Some(Extern::Memory(memory)) => memory,
                _ => bail!("the guest has no memory"),
            };
            let (data, state) = memory.data_and_store_mut(&mut caller);
            let text = data
                .get(ptr as usize..)
                .and_then(|rest| rest.get(..len as usize))
                .ok_or_else(|| format_err!("text is out of bounds"))?;
            state.log.push(String::from_utf8_lossy(text).into_owned());
            Ok(())
        },
    )?;
    linker.func_wrap(
        "host",
        "twice",
        |mut caller: Caller<'_, State>| -> Result<()> {
            let callback = caller.get_export("callback").and_then(Extern::into_func);
            let callback = callback.ok_or_else(|| format_err!("no callback"))?;
            let callback = callback.typed::<(), ()>(&caller)?;
            callback.call(&mut caller, ())?;
            callback.call(&mut caller, ())
        },
    )?;

    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "log" (func $log (param i32 i32)))
            (import "host" "twice" (func $twice))
            (memory (export "memory") 1)
            (data (i32.const 0) "hello")
            (func (export "callback") (call $log (i32.const 0) (i32.const 5)))
            (func (export "run") (call $twice))
            (func (export "lie") (call $log (i32.const 65535) (i32.const 5))))"#,
    )?;
    let pre = linker.instantiate_pre(&module)?;
    for guest in 0..2 {
        let mut store = Store::new(&engine, State::default());
        let instance = pre.instantiate(&mut store)?;
        instance
            .get_typed_func::<(), ()>(&mut store, "run")?
            .call(&mut store, ())?;
        let lie = instance.get_typed_func::<(), ()>(&mut store, "lie")?;
        println!(
            "guest {guest}: {}",
            lie.call(&mut store, ()).unwrap_err().root_cause()
        );
        println!("guest {guest}: {:?}", store.data().log);
        assert_eq!(store.into_data().log, ["hello", "hello"]);
    }
    Ok(())
}
