//! Profiles of modules that never ran: what they say of calls and functions is made up.
//!
//! The one idea: what a profile says may be wrong in every way, and code that was compiled for it does the same as any other. Most of it has the right
//! form, so that something comes of it: functions that a call may call by their type.

use crate::seeds::Noise;
use meantime::Profile;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use wasmparser::{Operator, Parser, Payload, TypeRef};

/// What is made up about.
#[derive(Default)]
struct Seen {
    /// Type indices of functions, imported ones first.
    functions: Vec<u32>,
    imported: usize,
    /// Calls through references by the offset of their opcode, with the type's index.
    calls: BTreeMap<u64, u32>,
}

impl Seen {
    /// What is in a valid module.
    fn new(wasm: &[u8]) -> wasmparser::Result<Seen> {
        let mut seen = Seen::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import?.ty {
                            seen.functions.push(ty);
                            seen.imported += 1;
                        }
                    }
                }
                Payload::FunctionSection(functions) => {
                    for ty in functions {
                        seen.functions.push(ty?);
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let mut operators = body.get_operators_reader()?;
                    while !operators.eof() {
                        let (operator, offset) = operators.read_with_offset()?;
                        if let Operator::CallIndirect { type_index: ty, .. }
                        | Operator::CallRef { type_index: ty } = operator
                        {
                            seen.calls.insert(offset, ty);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(seen)
    }

    /// Up to four functions that a call of a type may call, with how often they are called.
    fn callees(&self, ty: u32, noise: &mut Noise) -> BTreeMap<usize, usize> {
        let defined = self.imported..self.functions.len();
        let fitting: Vec<usize> = defined.filter(|i| self.functions[*i] == ty).collect();
        let mut callees = BTreeMap::new();
        for _ in 0..noise.below(5) {
            let any = noise.below(self.functions.len() + 2);
            let callee = match (fitting.len(), noise.below(16)) {
                (0, _) | (_, 0) => any,
                (len, _) => fitting[noise.below(len)],
            };
            callees.insert(callee, 1 + noise.below(1000));
        }
        callees
    }
}

/// A profile of a valid module.
///
/// # Panics
///
/// When the module is none, or what is made here is refused.
pub fn made_up(wasm: &[u8], seed: u64) -> Profile {
    let seen = Seen::new(wasm).unwrap_or_else(|e| panic!("this is no module: {e}"));
    let mut noise = Noise::new(seed);
    let hex = |bytes: &[u8]| -> String {
        let hash = Sha256::digest(bytes);
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let mut text = format!("meantime-profile 2\nmodule {}\n", hex(wasm));
    for index in 0..seen.functions.len() {
        if noise.below(4) > 0 {
            let _ = writeln!(text, "func {index} {}", noise.below(1_000_000));
        }
    }
    for (offset, &ty) in &seen.calls {
        let callees = seen.callees(ty, &mut noise);
        let calls: usize = callees.values().sum();
        let _ = write!(text, "call {offset} {}", calls + noise.below(100));
        for (callee, count) in callees {
            let _ = write!(text, " {callee} {count}");
        }
        text.push('\n');
    }
    let end = hex(text.as_bytes());
    let _ = writeln!(text, "end {end}");
    Profile::from_text(&text).unwrap_or_else(|e| panic!("refused: {e:?}\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Options, Tiers};
    use meantime::{Instance, Store};

    #[test]
    fn profiles_are_of_their_modules_and_change_their_code() {
        let wat = r#"(module
            (type $op (func (param i32) (result i32)))
            (import "" "" (func $imported (type $op)))
            (table funcref (elem $a $b $imported))
            (func $a (type $op) (i32.add (local.get 0) (i32.const 3)))
            (func $b (type $op) (i32.mul (local.get 0) (i32.const 5)))
            (func (export "run") (param i32 i32) (result i32)
                (call_indirect (type $op) (local.get 0) (local.get 1))))"#;
        let wasm = wat::parse_str(wat).unwrap();
        let seen = Seen::new(&wasm).unwrap();
        assert_eq!((seen.functions.len(), seen.imported), (4, 1));
        assert_eq!(seen.calls.values().collect::<Vec<_>>(), [&0]);
        let opcode = *seen.calls.keys().next().unwrap();
        assert_eq!(wasm[opcode as usize], 0x11);

        let mut codes = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let tiers = Tiers::Profiled(seed);
            let options = Options {
                tiers,
                ..Options::default()
            };
            let module = options.module(&wasm).unwrap();
            codes.insert(module.text().to_vec());
            let mut store = Store::new(module.engine(), ());
            let imported = meantime::Func::wrap(&mut store, |x: i32| x - 1);
            let instance = Instance::new(&mut store, &module, &[imported.into()]).unwrap();
            let run = instance
                .get_typed_func::<(i32, i32), i32>(&mut store, "run")
                .unwrap();
            for (index, result) in [(0, 10), (1, 35), (2, 6)] {
                assert_eq!(run.call(&mut store, (7, index)).unwrap(), result, "{seed}");
            }
            assert!(run.call(&mut store, (7, 3)).is_err());
        }
        // Neither, each of them alone or first, and both.
        assert!(codes.len() >= 4, "{}", codes.len());
    }
}
