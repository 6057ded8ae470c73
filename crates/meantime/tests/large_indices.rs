//! Indices of more than 32 bits: compiled code takes the lower half of an index first and asks then whether that was all of it.

use meantime::*;

const GIB: i64 = 1 << 30;
const PAGE: i64 = 1 << 16;

/// Both compilers, with every way in which memories are kept apart from what is around them.
fn engines() -> Vec<Engine> {
    let changes: [fn(&mut Config) -> &mut Config; 6] = [
        |c| c,
        |c| c.memory_reservation(0),
        |c| c.signals_based_traps(false),
        |c| c.guard_before_linear_memory(false),
        |c| c.memory_guard_size(64 << 10),
        |c| c.cranelift_opt_level(OptLevel::None),
    ];
    let with = |strategy| {
        changes.map(|change| {
            let mut config = Config::new();
            Engine::new(change(config.strategy(strategy))).expect("a valid configuration")
        })
    };
    [Strategy::Cranelift, Strategy::Winch]
        .into_iter()
        .flat_map(with)
        .collect()
}

/// Functions that add up bytes at and around an index, in a memory of this type.
fn module(memory: &str) -> String {
    format!(
        r#"(module (memory (export "memory") {memory})
        (func (export "one") (param i64) (result i32) (i32.load8_u (local.get 0)))
        (func (export "offset") (param i64) (result i32)
            (i32.add (i32.load8_u offset=16 (local.get 0)) (i32.load8_u offset=20 (local.get 0))))
        (func (export "around") (param i64) (result i32)
            (i32.add
                (i32.add
                    (i32.load8_u (local.get 0))
                    (i32.load8_u (i64.add (local.get 0) (i64.const 8))))
                (i32.load8_u (i64.add (local.get 0) (i64.const -8)))))
        (func (export "scaled") (param i64) (result i32)
            (i32.load8_u (i64.shl (local.get 0) (i64.const 3))))
        ;; Bytes from an index on, as many as a step of 8 takes until the end of 64 bytes.
        (func (export "loop") (param i64) (result i32) (local $end i64) (local $sum i32)
            (local.set $end (i64.add (local.get 0) (i64.const 64)))
            (loop
                (local.set $sum (i32.add (local.get $sum)
                    (i32.add
                        (i32.load8_u (local.get 0))
                        (i32.load8_u (i64.add (local.get 0) (i64.const 4))))))
                (local.set 0 (i64.add (local.get 0) (i64.const 8)))
                (br_if 0 (i64.ne (local.get 0) (local.get $end))))
            (local.get $sum))
        ;; More accesses than are made large for speed outside of loops.
        (func (export "many") (param i64 i64) (result i32)
            (i32.add (i32.load8_u (i64.xor (local.get 0) (local.get 1)))
            (i32.add (i32.load8_u (i64.or (local.get 0) (local.get 1)))
            (i32.add (i32.load8_u (i64.sub (local.get 0) (local.get 1)))
            (i32.add (i32.load8_u (i64.mul (local.get 0) (i64.sub (i64.const 1) (local.get 1))))
            (i32.add (i32.load8_u (i64.rotl (local.get 0) (local.get 1)))
            (i32.add (i32.load8_u (i64.shr_u (local.get 0) (local.get 1)))
            (i32.add (i32.load8_u (i64.shr_s (local.get 0) (local.get 1)))
            (i32.add (i32.load8_u (i64.rotr (local.get 0) (local.get 1)))
            (i32.load8_u (i64.shl (local.get 0) (local.get 1))))))))))))
        (func (export "fill") (param i64)
            (loop
                (i64.store8 (local.get 0) (i64.const 7))
                (local.set 0 (i64.add (local.get 0) (i64.const 1)))
                (br 0))))"#
    )
}

fn instance(engine: &Engine, memory: &str) -> Result<(Store<()>, Instance)> {
    let module = Module::new(engine, module(memory))?;
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    Ok((store, instance))
}

/// The offsets of the bytes that a function reads, from its operand on.
fn reads(name: &str) -> Vec<i64> {
    match name {
        "offset" => vec![16, 20],
        "around" => vec![0, 8, -8],
        "loop" => (0..64).step_by(4).collect(),
        "many" => vec![0; 9],
        _ => vec![0],
    }
}

/// Calls a function, and checks its result or that it traps.
fn check(
    store: &mut Store<()>,
    instance: &Instance,
    name: &str,
    index: i64,
    byte: impl Fn(i128) -> Option<u8>,
) -> Result<()> {
    let operand = if name == "scaled" {
        index.cast_unsigned().wrapping_shr(3).cast_signed()
    } else {
        index
    };
    let at = |offset: i64| match name {
        "scaled" => byte(i128::from(operand.wrapping_shl(3).cast_unsigned())),
        // Offsets do not wrap.
        "offset" => byte(i128::from(operand.cast_unsigned()) + i128::from(offset)),
        _ => byte(i128::from(operand.wrapping_add(offset).cast_unsigned())),
    };
    let expected = reads(name)
        .into_iter()
        .map(|offset| at(offset).map(i32::from))
        .sum::<Option<i32>>();
    let result = if name == "many" {
        let func = instance.get_typed_func::<(i64, i64), i32>(&mut *store, name)?;
        func.call(&mut *store, (operand, 0))
    } else {
        let func = instance.get_typed_func::<i64, i32>(&mut *store, name)?;
        func.call(&mut *store, operand)
    };
    match (result, expected) {
        (Ok(sum), Some(expected)) => assert_eq!(sum, expected, "{name} {index:#x}"),
        (Err(error), None) => {
            let trap = error.downcast_ref::<Trap>();
            assert_eq!(trap, Some(&Trap::MemoryOutOfBounds), "{name} {index:#x}");
        }
        (result, expected) => panic!("{name} {index:#x}: {result:?} and not {expected:?}"),
    }
    Ok(())
}

/// Indices near all that compilers compare with.
fn indices(len: i64) -> Vec<i64> {
    let limit = 64 * GIB;
    let near = [
        0,
        len,
        4 * GIB,
        8 * GIB,
        4 * GIB + len,
        (1 << 33) + 4 * GIB,
        limit,
        limit + len,
        limit + (8 << 20),
        limit + (16 << 20),
        -(8 << 20),
        -4 * GIB,
        -4 * GIB + len,
        1 << 40,
        1 << 61,
        i64::MAX,
    ];
    let distances = [
        -128, -84, -68, -64, -21, -17, -16, -9, -8, -4, -1, 0, 1, 4, 8, 16, 64,
    ];
    let all = near
        .iter()
        .flat_map(|&at| distances.iter().map(move |&by| at.wrapping_add(by)));
    all.collect()
}

const NAMES: &[&str] = &["one", "offset", "around", "scaled", "loop", "many"];

fn pattern(at: i128) -> u8 {
    (at % 251) as u8
}

#[test]
fn in_a_small_memory_large_indices_are_outside() -> Result<()> {
    for memory in ["i64 1", "i64 1 1", "i64 1 65536", "i64 1 65537"] {
        for engine in engines() {
            let (mut store, instance) = instance(&engine, memory)?;
            let data = instance.get_memory(&mut store, "memory");
            let data = data.expect("an export").data_mut(&mut store);
            for (at, byte) in data.iter_mut().enumerate() {
                *byte = pattern(at as i128);
            }
            let byte = |at: i128| (0..i128::from(PAGE)).contains(&at).then(|| pattern(at));
            for index in indices(PAGE) {
                for name in NAMES {
                    check(&mut store, &instance, name, index, byte)?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn what_a_loop_stores_before_it_leaves_the_memory_is_stored() -> Result<()> {
    for memory in ["i64 1", "i64 1 1"] {
        for engine in engines() {
            let (mut store, instance) = instance(&engine, memory)?;
            let fill = instance.get_typed_func::<i64, ()>(&mut store, "fill")?;
            for (start, stored) in [(PAGE - 9, 9), (PAGE, 0), (4 * GIB, 0), (-1, 0), (4, 0)] {
                let memory = instance
                    .get_memory(&mut store, "memory")
                    .expect("an export");
                memory.data_mut(&mut store).fill(0);
                fill.call(&mut store, start).expect_err("outside");
                let count = memory.data(&store).iter().filter(|&&byte| byte == 7);
                let stored = if start == 4 { PAGE - 4 } else { stored };
                assert_eq!(count.count() as i64, stored, "{memory:?} {start}");
            }
        }
    }
    Ok(())
}

#[test]
#[cfg(target_pointer_width = "64")]
fn in_a_large_memory_large_indices_are_themselves() -> Result<()> {
    let pages = 65536 + 2;
    let len = i128::from(pages * PAGE);
    for engine in engines() {
        let (mut store, instance) = match instance(&engine, &format!("i64 {pages}")) {
            Ok(instance) => instance,
            Err(error) => {
                eprintln!("skipped, as this machine has not the address space: {error:?}");
                continue;
            }
        };
        let data = instance.get_memory(&mut store, "memory");
        let data = data.expect("an export").data_mut(&mut store);
        // Only some pages are touched.
        let end = data.len();
        for at in (0..4096)
            .chain((4 << 30) - 4096..(4 << 30) + 8192)
            .chain(end - 4096..end)
        {
            data[at] = pattern(at as i128);
        }
        let touched = |at: i128| {
            let here = 4i128 << 30;
            at < 4096 || (here - 4096..here + 8192).contains(&at) || at >= len - 4096
        };
        let byte = |at: i128| {
            let value = if touched(at) { pattern(at) } else { 0 };
            (0..len).contains(&at).then_some(value)
        };
        for index in indices(len as i64) {
            for name in NAMES {
                check(&mut store, &instance, name, index, byte)?;
            }
        }
    }
    Ok(())
}
