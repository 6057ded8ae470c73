//! Values on their ways between host and guest: through every kind of register, the stack, and the room that a caller has for results.
//!
//! The one idea: a guest's function passes what it is called with on to a function of the host of the same type, and returns what that returns; both ends
//! know what to expect. Each compiler makes the trampolines, and the code between them.

use meantime::*;
use std::fmt::Write;

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn types(&mut self, kinds: &[ValType]) -> Vec<ValType> {
        let most = if self.next().is_multiple_of(4) {
            40
        } else {
            10
        };
        let count = self.next() % most;
        let pick = |_| kinds[self.next() as usize % kinds.len()].clone();
        (0..count).map(pick).collect()
    }
}

/// A value that tells its place.
fn value(ty: &ValType, seed: u32) -> Val {
    let wide = u64::from(seed) << 40 | 0x8000_0001_0000_0000 | u64::from(seed);
    match ty {
        ValType::I32 => Val::I32(seed as i32 | i32::MIN),
        ValType::I64 => Val::I64(wide as i64),
        ValType::F32 => Val::F32(seed),
        ValType::F64 => Val::F64(wide),
        ValType::V128 => Val::V128(V128::from(u128::from(wide) << 64 | u128::from(seed))),
        _ => unreachable!("not among the kinds"),
    }
}

fn bits(value: &Val) -> u128 {
    match value {
        Val::I32(x) => *x as u32 as u128,
        Val::I64(x) => *x as u64 as u128,
        Val::F32(x) => u128::from(*x),
        Val::F64(x) => u128::from(*x),
        Val::V128(x) => x.as_u128(),
        _ => unreachable!("not among the kinds"),
    }
}

fn values(types: &[ValType], seed: u32) -> Vec<Val> {
    (seed..).zip(types).map(|(at, ty)| value(ty, at)).collect()
}

fn assert_same(values: &[Val], expected: &[Val], what: &str) {
    let all = |values: &[Val]| values.iter().map(bits).collect::<Vec<_>>();
    assert_eq!(all(values), all(expected), "{what}");
}

fn list(keyword: &str, types: &[ValType]) -> String {
    let mut text = format!("({keyword}");
    for ty in types {
        write!(text, " {ty}").unwrap();
    }
    text + ")"
}

fn program(params: &[ValType], results: &[ValType]) -> String {
    let mut arguments = String::new();
    for i in 0..params.len() {
        write!(arguments, "local.get {i} ").unwrap();
    }
    format!(
        r#"(module
            (type $t (func {} {}))
            (import "" "h" (func $h (type $t)))
            (func (export "f") (type $t) {arguments} call $h))"#,
        list("param", params),
        list("result", results)
    )
}

fn both_ways(engine: &Engine, params: &[ValType], results: &[ValType]) {
    let what = format!("{params:?} -> {results:?}");
    let mut store = Store::new(engine, ());
    let ty = FuncType::new(engine, params.to_vec(), results.to_vec());
    let (expected, given) = (values(params, 100), values(results, 1000));
    let host = {
        let (what, given) = (what.clone(), given.clone());
        Func::new(&mut store, ty, move |_, params, results| {
            assert_same(params, &expected, &what);
            results.clone_from_slice(&given);
            Ok(())
        })
    };
    let module = Module::new(engine, program(params, results)).unwrap();
    let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    let f = instance.get_func(&mut store, "f").unwrap();
    let mut found = vec![Val::I32(0); results.len()];
    for _ in 0..3 {
        f.call(&mut store, &values(params, 100), &mut found)
            .unwrap();
        assert_same(&found, &given, &what);
    }
}

fn engines() -> Vec<Engine> {
    let strategies = [Strategy::Auto, Strategy::Cranelift, Strategy::Winch];
    let of = |strategy| Engine::new(Config::new().strategy(strategy)).unwrap();
    strategies.into_iter().map(of).collect()
}

#[test]
fn values_of_many_signatures() {
    let scalars = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
    let all = [&scalars[..], &[ValType::V128]].concat();
    for engine in engines() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for i in 0..60 {
            let kinds = if i % 3 == 0 { &all[..] } else { &scalars };
            let (params, results) = (random.types(kinds), random.types(kinds));
            both_ways(&engine, &params, &results);
        }
    }
}

#[test]
fn as_many_values_as_there_can_be() {
    for engine in engines() {
        let mut random = Random(1);
        let mut many = |kinds: &[ValType]| -> Vec<ValType> {
            (0..1000)
                .map(|_| kinds[random.next() as usize % kinds.len()].clone())
                .collect()
        };
        let params = many(&[ValType::I32, ValType::F64, ValType::V128]);
        let results = many(&[ValType::I64, ValType::F32, ValType::V128]);
        both_ways(&engine, &params, &results);
    }
}

#[test]
fn an_error_of_the_host_goes_through() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let params = vec![ValType::I64; 12];
        let ty = FuncType::new(&engine, params.clone(), params.clone());
        let host = Func::new(&mut store, ty, |_, _, _| Err(format_err!("as asked")));
        let module = Module::new(&engine, program(&params, &params)).unwrap();
        let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
        let f = instance.get_func(&mut store, "f").unwrap();
        let mut found = vec![Val::I64(0); 12];
        for _ in 0..3 {
            let error = f.call(&mut store, &values(&params, 1), &mut found);
            let error = error.unwrap_err();
            assert_eq!(error.root_cause().to_string(), "as asked");
            let frames = error.downcast_ref::<WasmBacktrace>().unwrap().frames();
            assert_eq!(frames.len(), 1, "{error:?}");
        }
    }
}
