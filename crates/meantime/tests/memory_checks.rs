//! Checks of addresses that are left out, shared or made wider: accesses trap exactly where they did, and after exactly the same stores.

use meantime::*;

/// Every way in which memories are kept apart from what is around them.
fn engines() -> Vec<Engine> {
    let changes: [fn(&mut Config) -> &mut Config; 4] = [
        |c| c,
        |c| c.memory_reservation(0),
        |c| c.signals_based_traps(false),
        |c| c.guard_before_linear_memory(false),
    ];
    let engine = |change: fn(&mut Config) -> &mut Config| {
        Engine::new(change(&mut Config::new())).expect("a valid configuration")
    };
    changes.into_iter().map(engine).collect()
}

fn instance(engine: &Engine, text: &str) -> Result<(Store<()>, Instance)> {
    let module = Module::new(engine, text)?;
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    Ok((store, instance))
}

fn is_out_of_bounds(error: &Error) -> bool {
    matches!(error.downcast_ref::<Trap>(), Some(Trap::MemoryOutOfBounds))
}

#[test]
fn sums_of_64_bit_indices_and_constants_wrap() -> Result<()> {
    let text = r#"(module (memory i64 1)
        (data (i64.const 0) "\01\00\00\00\02\00\00\00\03\00\00\00\04\00\00\00")
        (func (export "sum") (param i64) (result i32)
            (i32.add
                (i32.load8_u (i64.add (local.get 0) (i64.const 16)))
                (i32.load8_u (i64.add (local.get 0) (i64.const 20)))))
        (func (export "below") (param i64) (result i32)
            (i32.add
                (i32.load8_u (i64.add (local.get 0) (i64.const -4)))
                (i32.load8_u (local.get 0))))
        (func (export "offset") (param i64) (result i32)
            (i32.add
                (i32.load8_u (local.get 0))
                (i32.load8_u offset=16 (i64.add (local.get 0) (i64.const -8)))))
        (func (export "offset_only") (param i64) (result i32)
            (i32.add
                (i32.load8_u (i64.add (local.get 0) (i64.const 8)))
                (i32.load8_u offset=16 (local.get 0))))
        (func (export "word") (param i64) (result i32)
            (i32.add
                (i32.load (i64.add (local.get 0) (i64.const 8)))
                (i32.load (i64.add (local.get 0) (i64.const 12))))))"#;
    let limit = 64i64 << 30;
    let margin = 8i64 << 20;
    for engine in engines() {
        let (mut store, instance) = instance(&engine, text)?;
        let mut call = |name: &str, index: i64| -> Result<i32> {
            let func = instance.get_typed_func::<i64, i32>(&mut store, name)?;
            func.call(&mut store, index)
        };
        // An index below zero comes back inside by what is added to it, but not by an offset.
        assert_eq!(call("sum", -16)?, 1 + 2);
        assert_eq!(call("sum", -8)?, 3 + 4);
        assert_eq!(call("sum", 65536 - 21)?, 0);
        assert_eq!(call("below", 4)?, 1 + 2);
        assert_eq!(call("offset", 8)?, 3);
        assert_eq!(call("word", -8)?, 1 + 2);
        let outside = [
            ("sum", -17),
            ("sum", -20),
            ("sum", 65536 - 20),
            ("sum", i64::MAX),
            ("sum", i64::MIN),
            ("below", 3),
            ("below", 0),
            ("below", 65536),
            ("offset", 4),
            ("offset", -4),
            ("offset_only", -8),
            ("word", -9),
            ("word", -12),
            ("word", 65536 - 15),
        ];
        let far = [limit, limit + margin, limit + 2 * margin, -margin, 1 << 40];
        let around = far.iter().flat_map(|&at| [at - 17, at - 1, at, at + 1]);
        let around: Vec<_> = around.collect();
        let names = ["sum", "below", "offset", "offset_only", "word"];
        let all = names
            .iter()
            .flat_map(|&name| around.iter().map(move |&at| (name, at)));
        for (name, index) in outside.into_iter().chain(all) {
            let error = call(name, index).expect_err("outside");
            assert!(is_out_of_bounds(&error), "{name} {index}: {error:?}");
        }
    }
    Ok(())
}

#[test]
fn what_is_stored_before_a_trap_is_stored() -> Result<()> {
    for ty in ["i32", "i64"] {
        let text = format!(
            r#"(module (memory {ty} 1 3)
            (func (export "store") (param {ty})
                (i32.store (local.get 0) (i32.const 1))
                (i32.store offset=8 (local.get 0) (i32.const 2))
                (i32.store offset=4 (local.get 0) (i32.const 3))
                (i32.store ({ty}.add (local.get 0) ({ty}.const 16)) (i32.const 4)))
            (func (export "grow") (param {ty}) (result i32)
                (i32.store offset=4 (local.get 0) (i32.const 5))
                (drop (memory.grow ({ty}.const 1)))
                (i32.store (local.get 0) (i32.const 6))
                (i32.add
                    (i32.load offset=4 (local.get 0))
                    (i32.load8_u offset=65536 (local.get 0)))))"#
        );
        for engine in engines() {
            let (mut store, instance) = instance(&engine, &text)?;
            let mut call = |name: &str, index: i64| {
                let func = instance.get_func(&mut store, name).expect("an export");
                let index = match ty {
                    "i32" => Val::I32(index as i32),
                    _ => Val::I64(index),
                };
                let mut results = [Val::I32(0)];
                let count = func.ty(&store).results().len();
                func.call(&mut store, &[index], &mut results[..count])?;
                Ok::<i32, Error>(results[0].unwrap_i32())
            };
            call("store", 65536 - 20)?;
            for at in [65536 - 19, 65536 - 12, 65536 - 8, 65536 - 4] {
                let error = call("store", at).expect_err("outside");
                assert!(is_out_of_bounds(&error), "{at}: {error:?}");
            }
            assert_eq!(call("grow", 65536 - 8)?, 5);
        }
    }
    Ok(())
}

#[test]
fn a_trap_comes_after_the_stores_before_it() -> Result<()> {
    let text = r#"(module (memory (export "memory") 1)
        (func (export "run") (param i32)
            (i32.store (local.get 0) (i32.const 0x01010101))
            (i32.store offset=4 (local.get 0) (i32.const 0x02020202))
            (i32.store offset=8 (local.get 0) (i32.const 0x03030303))))"#;
    for engine in engines() {
        let (mut store, instance) = instance(&engine, text)?;
        let run = instance.get_typed_func::<i32, ()>(&mut store, "run")?;
        let error = run.call(&mut store, 65536 - 8).expect_err("outside");
        assert!(is_out_of_bounds(&error), "{error:?}");
        let memory = instance
            .get_memory(&mut store, "memory")
            .expect("an export");
        let end = &memory.data(&store)[65536 - 8..];
        assert_eq!(end, [1, 1, 1, 1, 2, 2, 2, 2]);
    }
    Ok(())
}

#[test]
fn what_faults_is_known_however_many_instructions_come_before_it() -> Result<()> {
    let operators = ["add", "sub", "and", "or", "xor", "xchg"];
    let mut text = String::from("(module (memory 1 1 shared) (type $s (struct (field i32)))");
    for op in operators {
        for (name, ty) in [("i32.atomic.rmw8", "i32"), ("i64.atomic.rmw", "i64")] {
            let suffix = if ty == "i32" { "_u" } else { "" };
            // A field of an object that is there, before an access that faults.
            text += &format!(
                r#"(func (export "{op} {ty}") (param i32) (result {ty})
                    ({name}.{op}{suffix}
                        (i32.add (local.get 0) (struct.get $s 0 (struct.new_default $s)))
                        ({ty}.const 3)))"#
            );
        }
    }
    text += ")";
    for strategy in [Strategy::Winch, Strategy::Cranelift] {
        for reservation in [4 << 30, 1 << 20] {
            let mut config = Config::new();
            config
                .wasm_threads(true)
                .shared_memory(true)
                .wasm_gc(true)
                .strategy(strategy)
                .memory_reservation(reservation)
                .memory_guard_size(64 << 10);
            let (mut store, instance) = instance(&Engine::new(&config)?, &text)?;
            for op in operators {
                let narrow =
                    instance.get_typed_func::<i32, i32>(&mut store, &format!("{op} i32"))?;
                let wide = instance.get_typed_func::<i32, i64>(&mut store, &format!("{op} i64"))?;
                narrow.call(&mut store, 65535)?;
                wide.call(&mut store, 65528)?;
                for outside in [65536, 1 << 24, -8] {
                    let error = narrow.call(&mut store, outside).unwrap_err();
                    assert!(is_out_of_bounds(&error), "{op} {strategy:?}: {error:?}");
                    let error = wide.call(&mut store, outside).unwrap_err();
                    assert!(is_out_of_bounds(&error), "{op} {strategy:?}: {error:?}");
                }
            }
        }
    }
    Ok(())
}
