//! Functions made to be dear to optimize, compiled ahead of time, and such with large frames: they get the baseline compiler's code, within bounds of time,
//! and do what they say.

use meantime::*;
use std::fmt::Write;
use std::time::{Duration, Instant};

fn leb(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(content.len()), content].concat()
}

/// A module with one function from `i32` to `i32`, exported as `f`, with so many more locals of that type.
fn module(locals: usize, code: &[u8]) -> Vec<u8> {
    let locals = [&[1][..], &leb(locals), &[0x7f]].concat();
    let body = [&locals, code, &[0x0b]].concat();
    [
        &b"\0asm\x01\0\0\0"[..],
        &section(1, b"\x01\x60\x01\x7f\x01\x7f"),
        &section(3, b"\x01\0"),
        &section(7, b"\x01\x01f\0\0"),
        &section(10, &[&[1][..], &leb(body.len()), &body].concat()),
    ]
    .concat()
}

/// Many branches by table with many entries each, which lead to the ends of two blocks.
fn tables() -> Vec<u8> {
    let entries = 65_000;
    let mut code = Vec::new();
    for _ in 0..60 {
        // (block (block (br_table … (local.get 0))) (local.set 0 (i32.add (local.get 0) (i32.const 1))))
        code.extend(b"\x02\x40\x02\x40\x20\0\x0e");
        code.extend(leb(entries));
        code.extend([0, 1].repeat(entries / 2));
        code.extend(b"\0\x0b\x20\0\x41\x01\x6a\x21\0\x0b");
    }
    code.extend(b"\x20\0");
    module(1, &code)
}

/// Many locals and many blocks, each of which may set one.
fn locals() -> Vec<u8> {
    let (locals, blocks) = (49_000, 6000);
    let mut code = Vec::new();
    let all = || (0..blocks).map(|i| leb(1 + i * 5 % locals));
    for local in all() {
        // (if (local.get 0) (then (local.set … (local.get 0))))
        code.extend(b"\x20\0\x04\x40\x20\0\x21");
        code.extend(local);
        code.push(0x0b);
    }
    code.extend(b"\x41\0");
    for local in all() {
        code.push(0x20);
        code.extend(local);
        code.push(0x6a);
    }
    module(locals, &code)
}

/// A long way without a branch.
fn instructions() -> Vec<u8> {
    // (i32.popcnt (i32.eqz …))
    let code = [&b"\x20\0"[..], &b"\x45\x69".repeat(1_500_000)].concat();
    module(1, &code)
}

#[test]
fn what_is_dear_to_optimize_is_not_optimized_ahead_of_time() {
    let dear = [
        ("tables", tables(), (1, 1)),
        ("locals", locals(), (3, 18_000)),
        ("instructions", instructions(), (5, 1)),
    ];
    for strategy in [Strategy::Auto, Strategy::Cranelift] {
        for (name, wasm, (param, result)) in &dear {
            let engine = Engine::new(Config::new().strategy(strategy)).unwrap();
            let began = Instant::now();
            let module = match strategy {
                Strategy::Auto => {
                    let code = engine.precompile_module(wasm).unwrap();
                    #[allow(unsafe_code, reason = "it was just compiled")]
                    // SAFETY: by this engine.
                    unsafe {
                        Module::deserialize(&engine, code)
                    }
                }
                _ => Module::new(&engine, wasm),
            };
            let (module, took) = (module.unwrap(), began.elapsed());
            // A few seconds where nothing else runs; who optimizes them takes minutes or gigabytes.
            assert!(took < Duration::from_secs(100), "{name}: {took:?}");
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let f = instance
                .get_typed_func::<i32, i32>(&mut store, "f")
                .unwrap();
            assert_eq!(f.call(&mut store, *param).unwrap(), *result, "{name}");
        }
    }
}

/// A function `f` that keeps so many numbers while it calls itself, until its parameter is zero, and then sums them up.
fn large_frame(count: usize) -> String {
    let mut text = String::from(r#"(module (memory (data "\01")) (table funcref (elem $f))"#);
    text += r#"(func $f (export "f") (param i32) (result i32) (local $sum i64)"#;
    for i in 0..count {
        write!(text, "(local $l{i} i64)").unwrap();
    }
    // All are alive at the call, which may change what they were loaded from.
    for i in 0..count {
        write!(
            text,
            "(local.set $l{i} (i64.load8_u offset={i} (i32.const 0)))"
        )
        .unwrap();
    }
    text += "(if (local.get 0) (then (call_indirect (param i32) (result i32)";
    text += "(i32.sub (local.get 0) (i32.const 1)) (i32.const 0)) drop))";
    for i in 0..count {
        let sum = "(local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3)) (local.get $l";
        write!(text, "{sum}{i})))").unwrap();
    }
    text += "(i32.wrap_i64 (local.get $sum))))";
    text
}

#[test]
fn large_frames_overflow_the_stack_in_no_other_way_than_small_ones() {
    for (count, strategy) in [(20_000, Strategy::Cranelift), (30_000, Strategy::Winch)] {
        let text = large_frame(count);
        let expected = (1..count).fold(1u32, |sum, _| sum.wrapping_mul(3)) as i32;
        for signals in [false, true] {
            let mut config = Config::new();
            config
                .strategy(strategy)
                .cranelift_opt_level(OptLevel::None)
                .cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass)
                .signals_based_traps(signals)
                .max_wasm_stack(2 << 20);
            let engine = Engine::new(&config).unwrap();
            let module = Module::new(&engine, &text).unwrap();
            let run = || {
                let mut store = Store::new(&engine, ());
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let f = instance
                    .get_typed_func::<i32, i32>(&mut store, "f")
                    .unwrap();
                assert_eq!(f.call(&mut store, 1).unwrap(), expected);
                let error = f.call(&mut store, 1000).unwrap_err();
                assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
                assert_eq!(f.call(&mut store, 1).unwrap(), expected);
            };
            // The threads' stacks end before the guest's would, at different places of its frames.
            for i in 0..16 {
                std::thread::scope(|scope| {
                    let thread = std::thread::Builder::new().stack_size((1 << 20) + (i << 14));
                    thread.spawn_scoped(scope, run).unwrap();
                });
            }
        }
    }
}

/// A function `f` that reads its locals so often before it uses what it read, while it changes them after every few.
fn kept(count: u32) -> (String, i32) {
    const LOCALS: usize = 12;
    let mut text = String::from(r#"(module (func $f (export "f") (param i32) (result i32)"#);
    text += "(local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)";
    // The same, done here with a parameter of 5.
    let mut locals = [0u32; LOCALS];
    locals[0] = 5;
    let mut stack = Vec::new();
    for i in 0..count {
        let read = i as usize % LOCALS;
        write!(text, " local.get {read}").unwrap();
        stack.push(locals[read]);
        if i % 3 == 0 || i > count / 2 {
            let (from, to) = ((i as usize / 3) % LOCALS, (i as usize / 5) % LOCALS);
            write!(
                text,
                " local.get {from} i32.const {i} i32.add local.set {to}"
            )
            .unwrap();
            locals[to] = locals[from].wrapping_add(i);
        }
    }
    let mut sum = stack.pop().expect("not empty");
    while let Some(value) = stack.pop() {
        text += " i32.const 31 i32.mul i32.add";
        sum = sum.wrapping_mul(31).wrapping_add(value);
    }
    text += "))";
    (text, sum as i32)
}

#[test]
fn values_of_locals_are_kept_when_those_change() {
    // The largest takes little time, unless every change looks at all that is kept. From 65 entries on, a change moves them to their slots.
    for count in [1, 10, 63, 64, 65, 66, 200, 1000, 30_000] {
        let (text, expected) = kept(count);
        for strategy in [Strategy::Winch, Strategy::Cranelift] {
            let engine = Engine::new(Config::new().strategy(strategy)).unwrap();
            let module = Module::new(&engine, &text).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let f = instance
                .get_typed_func::<i32, i32>(&mut store, "f")
                .unwrap();
            assert_eq!(f.call(&mut store, 5).unwrap(), expected, "{count}");
        }
    }
}

/// What is read by way of an address, for the code of a number from it: type, operators, operators that make a number of 32 bits of it, and that number.
const READ: [(&str, &str, &str, i32); 6] = [
    ("i32", "global.get $i", "", 77),
    ("i64", "global.get $l", "i32.wrap_i64", 78),
    ("f64", "global.get $f", "i32.trunc_f64_s", 79),
    ("v128", "global.get $v", "i32x4.extract_lane 2", 80),
    ("i32", "memory.size", "", 3),
    ("i32", "table.size", "", 4),
];

#[test]
fn what_a_local_is_set_to_is_read_after_older_values_of_it_were_saved() -> Result<()> {
    const LOCALS: usize = 30;
    for (ty, read, number, expected) in READ {
        for count in [1, 63, 64, 65, 70, 130] {
            let locals: String = (0..LOCALS).map(|i| format!("(local $n{i} i32)")).collect();
            let set: String = (0..LOCALS)
                .map(|i| format!("(local.set $n{i} (i32.add (local.get $x) (i32.const {i})))"))
                .collect();
            let get: String = (0..count)
                .map(|i| format!("local.get $n{} ", i % LOCALS))
                .collect();
            let add = "i32.add ".repeat(count);
            let wat = format!(
                r#"(module
                    (import "" "i" (global $i i32)) (import "" "l" (global $l i64))
                    (import "" "f" (global $f f64)) (import "" "v" (global $v v128))
                    (memory 3 5) (table 4 9 funcref)
                    (func (export "run") (param $x i32) (result i32) (local $p {ty}) {locals}
                        {set}
                        local.get $p local.get $x {get}
                        {read} local.set $p
                        {add} local.set $x
                        drop
                        (i32.mul (local.get $x) (i32.const 1000))
                        local.get $p {number} i32.add))"#
            );
            for strategy in [Strategy::Winch, Strategy::Cranelift] {
                let mut config = Config::new();
                config.strategy(strategy);
                let engine = Engine::new(&config)?;
                let module = Module::new(&engine, &wat)?;
                let mut store = Store::new(&engine, ());
                let values = [
                    (ValType::I32, Val::I32(77)),
                    (ValType::I64, Val::I64(78)),
                    (ValType::F64, Val::F64(79.5_f64.to_bits())),
                    (ValType::V128, Val::V128(V128::from(80 << 64))),
                ];
                let mut imports = Vec::new();
                for (ty, value) in values {
                    let ty = GlobalType::new(ty, Mutability::Const);
                    imports.push(Global::new(&mut store, ty, value)?.into());
                }
                let instance = Instance::new(&mut store, &module, &imports)?;
                let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
                let sum: usize = (0..count).map(|i| 7 + i % LOCALS).sum::<usize>() + 7;
                let whole = sum as i32 * 1000 + expected;
                assert_eq!(
                    run.call(&mut store, 7)?,
                    whole,
                    "{read} above {count} values"
                );
            }
        }
    }
    Ok(())
}
