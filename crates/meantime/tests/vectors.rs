//! Every operator on vectors, with its operands in every place where a compiler may have them: both compilers agree, down to what relaxed operators do.
//!
//! The one idea: a module has a function per operator and way to provide operands; whatever the way, the result is the same.

use meantime::*;
use std::fmt::Write as _;

/// Operators by what they take (`v` a vector, `i`, `l`, `f`, `d` the numbers, `a` an address) and give (`s`: they store). Each name may begin with several
/// shapes, separated by bars, and end with immediates.
const OPERATORS: &[(&str, &str)] = &[
    (
        "v v",
        "v128.not f32x4|f64x2.abs f32x4|f64x2.neg f32x4|f64x2.sqrt f32x4|f64x2.ceil f32x4|f64x2.floor f32x4|f64x2.trunc f32x4|f64x2.nearest",
    ),
    (
        "v v",
        "i8x16|i16x8|i32x4|i64x2.abs i8x16|i16x8|i32x4|i64x2.neg i8x16.popcnt",
    ),
    (
        "v v",
        "i16x8.extend_low_i8x16_s i16x8.extend_high_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_u",
    ),
    (
        "v v",
        "i32x4.extend_low_i16x8_s i32x4.extend_high_i16x8_s i32x4.extend_low_i16x8_u i32x4.extend_high_i16x8_u",
    ),
    (
        "v v",
        "i64x2.extend_low_i32x4_s i64x2.extend_high_i32x4_s i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_u",
    ),
    (
        "v v",
        "i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s i32x4.extadd_pairwise_i16x8_u",
    ),
    (
        "v v",
        "f32x4.convert_i32x4_s f32x4.convert_i32x4_u f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u",
    ),
    (
        "v v",
        "i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero",
    ),
    ("v v", "f32x4.demote_f64x2_zero f64x2.promote_low_f32x4"),
    (
        "v v",
        "i32x4.relaxed_trunc_f32x4_s i32x4.relaxed_trunc_f32x4_u i32x4.relaxed_trunc_f64x2_s_zero i32x4.relaxed_trunc_f64x2_u_zero",
    ),
    (
        "vv v",
        "v128.and v128.andnot v128.or v128.xor i8x16.swizzle i8x16.relaxed_swizzle",
    ),
    (
        "vv v",
        "i8x16.shuffle/16_1_18_3_4_5_6_7_31_30_29_28_27_0_0_17 i8x16.shuffle/15_1_12_3_4_5_6_7_0_0_0_0_1_0_0_1",
    ),
    (
        "vv v",
        "i8x16|i16x8|i32x4|i64x2.eq i8x16|i16x8|i32x4|i64x2.ne i8x16|i16x8|i32x4|i64x2.lt_s i8x16|i16x8|i32x4|i64x2.gt_s",
    ),
    (
        "vv v",
        "i8x16|i16x8|i32x4|i64x2.le_s i8x16|i16x8|i32x4|i64x2.ge_s i8x16|i16x8|i32x4.lt_u i8x16|i16x8|i32x4.gt_u",
    ),
    (
        "vv v",
        "i8x16|i16x8|i32x4.le_u i8x16|i16x8|i32x4.ge_u f32x4|f64x2.eq f32x4|f64x2.ne f32x4|f64x2.lt f32x4|f64x2.gt f32x4|f64x2.le f32x4|f64x2.ge",
    ),
    (
        "vv v",
        "i8x16|i16x8|i32x4|i64x2.add i8x16|i16x8|i32x4|i64x2.sub i16x8|i32x4|i64x2.mul",
    ),
    (
        "vv v",
        "i8x16|i16x8.add_sat_s i8x16|i16x8.add_sat_u i8x16|i16x8.sub_sat_s i8x16|i16x8.sub_sat_u i8x16|i16x8.avgr_u",
    ),
    (
        "vv v",
        "i8x16|i16x8|i32x4.min_s i8x16|i16x8|i32x4.min_u i8x16|i16x8|i32x4.max_s i8x16|i16x8|i32x4.max_u",
    ),
    (
        "vv v",
        "i16x8.q15mulr_sat_s i32x4.dot_i16x8_s i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u",
    ),
    (
        "vv v",
        "i16x8.extmul_low_i8x16_s i16x8.extmul_high_i8x16_s i16x8.extmul_low_i8x16_u i16x8.extmul_high_i8x16_u",
    ),
    (
        "vv v",
        "i32x4.extmul_low_i16x8_s i32x4.extmul_high_i16x8_s i32x4.extmul_low_i16x8_u i32x4.extmul_high_i16x8_u",
    ),
    (
        "vv v",
        "i64x2.extmul_low_i32x4_s i64x2.extmul_high_i32x4_s i64x2.extmul_low_i32x4_u i64x2.extmul_high_i32x4_u",
    ),
    (
        "vv v",
        "f32x4|f64x2.add f32x4|f64x2.sub f32x4|f64x2.mul f32x4|f64x2.div f32x4|f64x2.min f32x4|f64x2.max f32x4|f64x2.pmin f32x4|f64x2.pmax",
    ),
    (
        "vv v",
        "f32x4|f64x2.relaxed_min f32x4|f64x2.relaxed_max i16x8.relaxed_q15mulr_s i16x8.relaxed_dot_i8x16_i7x16_s",
    ),
    (
        "vvv v",
        "v128.bitselect f32x4|f64x2.relaxed_madd f32x4|f64x2.relaxed_nmadd i32x4.relaxed_dot_i8x16_i7x16_add_s",
    ),
    ("vvv v", "i8x16|i16x8|i32x4|i64x2.relaxed_laneselect"),
    (
        "vi v",
        "i8x16|i16x8|i32x4|i64x2.shl i8x16|i16x8|i32x4|i64x2.shr_s i8x16|i16x8|i32x4|i64x2.shr_u",
    ),
    (
        "vi v",
        "i8x16.replace_lane/15 i16x8.replace_lane/5 i32x4.replace_lane/2",
    ),
    ("vl v", "i64x2.replace_lane/0 i64x2.replace_lane/1"),
    ("vf v", "f32x4.replace_lane/0 f32x4.replace_lane/3"),
    ("vd v", "f64x2.replace_lane/0 f64x2.replace_lane/1"),
    ("i v", "i8x16|i16x8|i32x4.splat"),
    ("l v", "i64x2.splat"),
    ("f v", "f32x4.splat"),
    ("d v", "f64x2.splat"),
    (
        "v i",
        "i8x16.extract_lane_s/9 i8x16.extract_lane_u/0 i16x8.extract_lane_s/0 i16x8.extract_lane_u/7 i32x4.extract_lane/0 i32x4.extract_lane/3",
    ),
    ("v l", "i64x2.extract_lane/0 i64x2.extract_lane/1"),
    ("v f", "f32x4.extract_lane/0 f32x4.extract_lane/2"),
    ("v d", "f64x2.extract_lane/0 f64x2.extract_lane/1"),
    (
        "v i",
        "v128.any_true i8x16|i16x8|i32x4|i64x2.all_true i8x16|i16x8|i32x4|i64x2.bitmask",
    ),
    (
        "a v",
        "v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u",
    ),
    (
        "a v",
        "v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.load32_zero v128.load64_zero",
    ),
    (
        "av v",
        "v128.load8_lane/15 v128.load16_lane/6 v128.load32_lane/3 v128.load64_lane/1",
    ),
    (
        "av s",
        "v128.store v128.store8_lane/13 v128.store16_lane/0 v128.store32_lane/2 v128.store64_lane/1",
    ),
];

/// An operator in the text format, with what it takes and gives.
struct Operator {
    takes: &'static str,
    gives: &'static str,
    text: String,
}

fn operators() -> Vec<Operator> {
    let mut operators = Vec::new();
    for (signature, names) in OPERATORS {
        let (takes, gives) = signature.split_once(' ').unwrap();
        for name in names.split(' ') {
            let (shapes, rest) = name.split_once('.').unwrap();
            for shape in shapes.split('|') {
                let text = match rest.split_once('/') {
                    Some((rest, immediates)) => {
                        format!("{shape}.{rest} {}", immediates.replace('_', " "))
                    }
                    None => format!("{shape}.{rest}"),
                };
                operators.push(Operator { takes, gives, text });
            }
        }
    }
    operators
}

fn type_name(letter: char) -> &'static str {
    match letter {
        'v' => "v128",
        'l' => "i64",
        'f' => "f32",
        'd' => "f64",
        _ => "i32",
    }
}

/// Ways to provide operands: from locals, computed, one or the other, the same local for each, and with no register left.
const WAYS: usize = 6;

fn operand(text: &mut String, way: usize, takes: &str, index: usize) {
    let letter = takes.chars().nth(index).unwrap();
    // The first of that type.
    let same = takes.find(letter).unwrap();
    let (local, computed) = match way {
        0 => (index, false),
        1 => (index, true),
        2 => (index, index.is_multiple_of(2)),
        3 => (index, !index.is_multiple_of(2)),
        4 => (same, false),
        _ => (index, true),
    };
    let get = format!("(local.get {local})");
    match letter {
        _ if !computed => write!(text, "{get}"),
        'v' => write!(text, "(v128.xor (global.get $zero) {get})"),
        'l' => write!(text, "(i64.xor (global.get $zero64) {get})"),
        'f' | 'd' => write!(text, "(select {get} {get} (global.get $zero32))"),
        _ => write!(text, "(i32.xor (global.get $zero32) {get})"),
    }
    .unwrap();
}

/// One function for each operator and way.
fn module() -> String {
    let mut text = "(module (memory (export \"m\") 1)
        (global $zero (mut v128) (v128.const i64x2 0 0))
        (global $zero32 (mut i32) (i32.const 0)) (global $zero64 (mut i64) (i64.const 0))"
        .to_owned();
    for (i, operator) in operators().iter().enumerate() {
        for way in 0..WAYS {
            write!(text, "(func (export \"{i} {way}\")").unwrap();
            for letter in operator.takes.chars() {
                write!(text, " (param {})", type_name(letter)).unwrap();
            }
            // Enough others that no register is left.
            let pressure = way == 5;
            let result = match operator.gives {
                "s" => "v128",
                gives => type_name(gives.chars().next().unwrap()),
            };
            write!(text, " (result {result}) (local $out {result})").unwrap();
            if pressure {
                text += &"(v128.not (global.get $zero))".repeat(14);
            }
            for index in 0..operator.takes.len() {
                operand(&mut text, way, operator.takes, index);
            }
            writeln!(text, "{}", operator.text).unwrap();
            match operator.gives {
                "s" => write!(text, "(v128.load (i32.const 32)) (local.set $out)").unwrap(),
                _ => write!(text, "(local.set $out)").unwrap(),
            }
            if pressure {
                text += &"v128.and ".repeat(13);
                text += "(if (i32.eqz (i8x16.all_true)) (then unreachable))";
            }
            writeln!(text, "(local.get $out))").unwrap();
        }
    }
    text + ")"
}

/// Numbers that matter, and others.
fn numbers() -> Vec<u128> {
    let floats = [
        0.0f32,
        -0.0,
        1.5,
        -2.5,
        4294967296.0,
        -1e20,
        f32::INFINITY,
        2147483648.0,
    ];
    let doubles = [
        0.0f64,
        -0.0,
        0.5,
        -2147483649.0,
        4294967295.5,
        f64::NEG_INFINITY,
    ];
    let mut numbers = vec![
        0,
        u128::MAX,
        0x80 << 120 | 1,
        u128::MAX / 255,
        u128::MAX / 255 * 0x80,
    ];
    numbers.push(u128::MAX / 0xffff * 0x8000);
    for four in floats.windows(4) {
        let bits = four.iter().rev();
        numbers.push(bits.fold(0, |sum, f| sum << 32 | u128::from(f.to_bits())));
    }
    for two in doubles.windows(2) {
        numbers.push(u128::from(two[0].to_bits()) << 64 | u128::from(two[1].to_bits()));
    }
    let mut state = 88_172_645_463_325_252u64;
    for _ in 0..16 {
        let mut next = || {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u128::from(state)
        };
        numbers.push(next() << 64 | next());
    }
    numbers
}

/// The bits of a result, with every NaN of floats the same.
fn bits(value: &Val, float: Option<u32>) -> u128 {
    let one = |bits: u64, width: u32| match width {
        32 if f32::from_bits(bits as u32).is_nan() => 0x7fc0_0000,
        64 if f64::from_bits(bits).is_nan() => 0x7ff8 << 48,
        _ => bits,
    };
    match (value, float) {
        (Val::V128(v), Some(width)) => (0..128 / width).fold(0, |sum, i| {
            let lane = v.as_u128() >> (i * width) & ((1 << width) - 1);
            sum | u128::from(one(lane as u64, width)) << (i * width)
        }),
        (Val::V128(v), None) => v.as_u128(),
        (Val::I32(n), _) => (*n as u32).into(),
        (Val::I64(n), _) => (*n as u64).into(),
        (Val::F32(n), _) => (*n).into(),
        (Val::F64(n), _) => (*n).into(),
        _ => unreachable!("a number"),
    }
}

struct Machine {
    store: Store<()>,
    instance: Instance,
}

impl Machine {
    fn new(change: impl FnOnce(&mut Config)) -> Machine {
        let mut config = Config::new();
        change(&mut config);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, module()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        Machine { store, instance }
    }

    fn call(&mut self, name: &str, args: &[Val], result: ValType, float: Option<u32>) -> u128 {
        let memory = self.instance.get_memory(&mut self.store, "m").unwrap();
        memory.data_mut(&mut self.store)[..48].copy_from_slice(&[0xa5; 48]);
        memory.data_mut(&mut self.store)[16..24]
            .copy_from_slice(&0x8122_8344_8566_8788u64.to_le_bytes());
        let func = self.instance.get_func(&mut self.store, name).unwrap();
        let mut results = [Val::default_for_ty(&result).unwrap()];
        func.call(&mut self.store, args, &mut results).unwrap();
        bits(&results[0], float)
    }
}

fn check(canonical_nans: bool, change: fn(&mut Config)) {
    let with = |strategy: Strategy| {
        Machine::new(|config| {
            config
                .strategy(strategy)
                .cranelift_nan_canonicalization(canonical_nans);
            change(config);
        })
    };
    let mut expected = with(Strategy::Cranelift);
    let mut others = [with(Strategy::Winch), with(Strategy::Auto)];
    let numbers = numbers();
    for (i, operator) in operators().iter().enumerate() {
        let float = match &operator.text[..3] {
            _ if canonical_nans => None,
            "f32" => Some(32),
            "f64" => Some(64),
            _ => None,
        };
        let result = match operator.gives {
            "i" => ValType::I32,
            "l" => ValType::I64,
            "f" => ValType::F32,
            "d" => ValType::F64,
            _ => ValType::V128,
        };
        for (n, _) in numbers.iter().enumerate() {
            let number = |k: usize| numbers[(n + 7 * k * (n % 3)) % numbers.len()];
            let args: Vec<Val> = operator
                .takes
                .chars()
                .enumerate()
                .map(|(k, letter)| match letter {
                    'v' => Val::V128(number(k).into()),
                    'l' => Val::I64(number(k) as i64),
                    'f' => Val::F32(number(k) as u32),
                    'd' => Val::F64(number(k) as u64),
                    'a' => Val::I32(if operator.gives == "s" { 32 } else { 16 }),
                    _ => Val::I32(number(k) as i32),
                })
                .collect();
            for way in 0..WAYS {
                let name = format!("{i} {way}");
                let wanted = expected.call(&name, &args, result.clone(), float);
                for other in &mut others {
                    let found = other.call(&name, &args, result.clone(), float);
                    let text = &operator.text;
                    assert_eq!(
                        found, wanted,
                        "{text} in way {way} of {args:x?}: {found:x} {wanted:x}"
                    );
                }
            }
        }
    }
}

#[test]
fn both_compilers_agree() {
    check(false, |_| {});
}

#[test]
fn both_compilers_agree_on_canonical_nans() {
    check(true, |_| {});
}

#[test]
fn both_compilers_agree_on_what_is_deterministic() {
    check(false, |config| {
        config.relaxed_simd_deterministic(true);
    });
}

#[test]
fn both_compilers_agree_with_checks() {
    check(false, |config| {
        config
            .memory_reservation(0)
            .memory_guard_size(0)
            .signals_based_traps(false);
    });
}
