//! Vectors wherever values can be: locals with and without registers, operands across loops and branches, parameters and results in memory, globals, objects,
//! exceptions. All compilers agree, and code of one goes on where that of another left off.

use meantime::*;

const PROGRAM: &str = r#"(module
    (type $point (struct (field $x (mut v128)) (field $tag i8) (field $y v128)))
    (type $row (array (mut v128)))
    (type $many (func (param v128 i32 v128 v128 f64 v128 v128 v128 v128 v128 i64 v128 v128)
        (result v128 v128 i32 v128 v128 v128 v128 f32 v128 v128 v128 v128 i64)))
    (tag $odd (param i32 v128 f64 v128))
    (memory (export "memory") 1)
    (global $sum (mut v128) (v128.const i32x4 1 2 3 4))
    (global $fixed v128 (v128.const i32x4 5 6 7 8))
    (elem declare func $many)

    (func $double (param v128) (result v128) (i32x4.add (local.get 0) (local.get 0)))
    (func $spread (param i32) (result v128) (i32x4.mul (i32x4.splat (local.get 0)) (v128.const i32x4 1 3 5 7)))

    ;; Locals in registers and in the frame, and operands below the loop.
    (func (export "loop") (param $n i32) (result v128)
        (local $a v128) (local $b v128) (local $c v128) (local $d v128) (local $e v128) (local $f v128) (local $g v128) (local $h v128)
        (local $i v128) (local $j v128) (local $k i64) (local $l v128) (local $m f32)
        (local.set $a (call $spread (local.get $n)))
        (local.set $l (call $double (local.get $a)))
        (call $double (local.get $l))
        (v128.const i32x4 9 8 7 6)
        (i32.const 77)
        (v128.const i32x4 0 0 0 0)
        (loop $again (param v128) (result v128)
            (i32x4.add (local.get $a))
            (local.set $b (i32x4.add (local.get $b) (local.get $l)))
            (local.set $j (v128.xor (local.get $j) (call $double (local.get $b))))
            (local.set $l (i32x4.add (local.get $l) (i32x4.splat (local.get $n))))
            (local.set $k (i64.add (local.get $k) (i64x2.extract_lane 1 (local.get $l))))
            (local.set $m (f32.add (local.get $m) (f32.const 0.5)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32x4.add (local.get $j))
        (local.set $c)
        (i32x4.splat)
        (i32x4.add) (i32x4.add)
        (i32x4.add (local.get $c)) (i32x4.add (local.get $i))
        (i64x2.add (i64x2.splat (local.get $k)))
        (i32x4.add (i32x4.splat (i32.trunc_sat_f32_s (local.get $m)))))

    ;; Branches that carry vectors among others.
    (func (export "branches") (param $n i32) (result v128)
        (local $v v128)
        (local.set $v (call $spread (local.get $n)))
        (local.get $v)
        (block $out (result i32 v128 i64)
            (block $two (result i32 v128 i64)
                (block $one (result i32 v128 i64)
                    (v128.const i32x4 1 1 1 1)
                    (i32.add (local.get $n) (i32.const 1)) (call $double (local.get $v)) (i64.const 3)
                    (br_table $one $two $out (local.get $n)))
                (local.set $v (call $double (local.get $v)))
                (br_if $out (i32.eqz (local.get $n))))
            (local.set $v (i32x4.add (local.get $v) (global.get $fixed))))
        (i64x2.splat) (i32x4.add)
        (local.set $v)
        (i32x4.splat)
        (i32x4.add (local.get $v))
        (i32x4.add)
        (if (param v128) (result v128) (local.get $n)
            (then (i32x4.sub (global.get $sum)))
            (else (call $double)))
        (select (v128.const i32x4 3 3 3 3) (i32.gt_u (local.get $n) (i32.const 5)))
        (select (result v128) (local.get $v) (i32.lt_u (local.get $n) (i32.const 7))))

    ;; More parameters and results than there are registers.
    (func $many (type $many)
        (i32x4.add (local.get 11) (local.get 0)) (local.get 2)
        (i32.add (local.get 1) (i32.trunc_sat_f64_s (local.get 4)))
        (local.get 12) (local.get 3) (local.get 5) (local.get 6) (f32.demote_f64 (local.get 4))
        (local.get 7) (local.get 8) (i32x4.sub (local.get 9) (local.get 12)) (v128.not (local.get 11)) (local.get 10))
    (func $tail (type $many)
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7)
        (local.get 12) (local.get 9) (local.get 10) (local.get 11) (local.get 8)
        (return_call_ref $many (ref.func $many)))
    (func $fewer (param $n i32) (result v128 v128 i32 v128 v128 v128 v128 f32 v128 v128 v128 v128 i64)
        (local.set $n (i32.mul (local.get $n) (i32.const 13)))
        (call $spread (local.get $n)) (local.get $n) (call $spread (i32.const 2)) (call $spread (i32.const 3)) (f64.const 4.5)
        (call $spread (i32.const 5)) (call $spread (i32.const 6)) (call $spread (i32.const 7)) (call $spread (i32.const 8))
        (call $spread (i32.const 9)) (i64.const 10) (call $spread (i32.const 11)) (call $spread (i32.const 12))
        (return_call $tail))
    (func (export "calls") (param $n i32) (result v128)
        (local $i32 i32) (local $f32 f32) (local $i64 i64)
        (call $fewer (local.get $n))
        (local.set $i64)
        (i32x4.mul) (i32x4.add) (i32x4.mul)
        (local.set $n (i32x4.extract_lane 2))
        (local.set $f32)
        (i32x4.mul) (i32x4.add) (i32x4.mul)
        (i32x4.add (i32x4.splat (local.get $n)))
        (local.set $n (i32x4.extract_lane 3))
        (local.set $i32)
        (i32x4.mul)
        (i32x4.replace_lane 1 (local.get $n)) (i32x4.replace_lane 2 (local.get $i32))
        (i64x2.add (i64x2.splat (local.get $i64)))
        (f32x4.replace_lane 0 (local.get $f32)))

    (func (export "globals") (param $n i32) (result v128)
        (global.set $sum (i32x4.add (global.get $sum) (call $spread (local.get $n))))
        (i32x4.mul (global.get $sum) (global.get $fixed)))

    (func (export "objects") (param $n i32) (result v128)
        (local $p (ref null $point)) (local $r (ref null $row)) (local $v v128)
        (local.set $v (call $spread (local.get $n)))
        (local.set $p (struct.new $point (local.get $v) (i32.const 3) (call $double (local.get $v))))
        (local.set $r (array.new $row (local.get $v) (i32.and (local.get $n) (i32.const 15))))
        (array.copy $row $row (local.get $r) (i32.const 0) (array.new $row (v128.const i32x4 1 2 3 4) (i32.const 1)) (i32.const 0) (i32.const 1))
        (struct.set $point $x (local.get $p) (i32x4.add (struct.get $point $y (local.get $p)) (array.get $row (local.get $r) (i32.const 0))))
        (array.set $row (local.get $r) (i32.const 1) (v128.const i32x4 8 8 8 8))
        (array.fill $row (local.get $r) (i32.const 2) (struct.get $point $x (local.get $p)) (i32.sub (array.len (local.get $r)) (i32.const 2)))
        (local.set $n (array.len (local.get $r)))
        (loop $each (result v128)
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (local.set $v (i32x4.add (i32x4.mul (local.get $v) (i32x4.splat (i32.const 3))) (array.get $row (local.get $r) (local.get $n))))
            (local.get $v)
            (local.get $n)
            (if (param v128) (result v128) (then (br $each (drop))) (else)))
        (i32x4.add (array.get $row (array.new_fixed $row 2 (local.get $v) (struct.get $point $x (struct.new_default $point))) (i32.const 1)))
        (i32x4.add (array.get $row (array.new_fixed $row 2 (local.get $v) (v128.const i32x4 1 0 0 0)) (i32.const 0))))

    (func $throws (param $n i32) (param $v v128) (result v128)
        (if (i32.and (local.get $n) (i32.const 1))
            (then (throw $odd (local.get $n) (local.get $v) (f64.const 2.5) (call $double (local.get $v)))))
        (local.get $v))
    (func (export "exceptions") (param $n i32) (result v128)
        (local $v v128) (local $w v128)
        (local.set $w (call $spread (i32.const 100)))
        (block $caught (result i32 v128 f64 v128)
            (return (i32x4.add (local.get $w)
                (try_table (result v128) (catch $odd $caught)
                    (local.set $w (i32x4.sub (local.get $w) (v128.const i32x4 1 1 1 1)))
                    (call $throws (local.get $n) (call $spread (local.get $n)))))))
        (local.set $v)
        (drop)
        (local.set $v (i32x4.add (local.get $v)))
        (i32x4.splat)
        (i32x4.add (local.get $v)) (i32x4.add (local.get $w)))

    ;; A trap at the last byte, and not before.
    (func (export "edge") (param $n i32) (result v128)
        (v128.store (i32.const 65520) (call $spread (local.get $n)))
        (v128.load32_lane 2 (i32.const 65532) (v128.load (i32.const 65520))))
    (func (export "beyond") (param $n i32) (result v128)
        (v128.load (i32.add (i32.const 65520) (local.get $n)))))"#;

const FUNCTIONS: [&str; 7] = [
    "loop",
    "branches",
    "calls",
    "globals",
    "objects",
    "exceptions",
    "edge",
];

fn results(change: impl Fn(&mut Config)) -> Vec<u128> {
    let mut config = Config::new();
    config
        .wasm_gc(true)
        .wasm_exceptions(true)
        .wasm_function_references(true);
    change(&mut config);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, PROGRAM).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let mut all = Vec::new();
    for name in FUNCTIONS {
        let func = instance.get_typed_func::<i32, V128>(&mut store, name);
        let func = func.unwrap();
        // Arrays have at least three elements.
        for n in [3, 4, 5, 6, 7, 8, 15] {
            all.push(func.call(&mut store, n).unwrap().as_u128());
        }
    }
    let beyond = instance.get_typed_func::<i32, V128>(&mut store, "beyond");
    let beyond = beyond.unwrap();
    beyond.call(&mut store, 0).unwrap();
    for n in [1, 16] {
        let error = beyond.call(&mut store, n).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
    }
    all
}

#[test]
fn wherever_values_can_be() {
    let expected = results(|config| {
        config.strategy(Strategy::Cranelift);
    });
    assert!(expected.iter().filter(|v| **v != 0).count() > expected.len() / 2);
    let same = |what: &str, change: fn(&mut Config)| {
        assert_eq!(results(change), expected, "{what}");
    };
    same("baseline", |c| {
        c.strategy(Strategy::Winch);
    });
    same("with checks", |c| {
        c.strategy(Strategy::Winch)
            .signals_based_traps(false)
            .memory_reservation(0)
            .memory_guard_size(0);
    });
    same("in tiers", |c| {
        c.strategy(Strategy::Auto);
    });
    // Every loop is left for better code at its first turn.
    same("leaving loops", |c| {
        c.strategy(Strategy::Auto)
            .tier_up_budget(0)
            .tier_up_waits(true);
    });
}
