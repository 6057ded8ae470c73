//! Modules that make canonical NaNs by themselves where the generator forgets to: at conversions between the two widths of floats.
//!
//! Without it, two engines that are both right may differ: a NaN that is not canonical may keep its payload or not. Each such instruction is
//! followed by a choice between its result and the canonical NaN, by way of a local of its own.

use wasm_encoder::reencode::{Error, Reencode, RoundtripReencoder};
use wasm_encoder::{CodeSection, Function, Instruction, Module, ValType};
use wasmparser::{CompositeInnerType, FunctionBody, Operator, Parser, Payload};

/// The same module, with canonical results of `f32.demote_f64`, `f64.promote_f32` and their like on vectors.
///
/// # Panics
///
/// When the module is not valid or imports functions.
pub(crate) fn conversions(wasm: &[u8]) -> Vec<u8> {
    let mut canonical = Canonical {
        parameters: parameters(wasm).expect("a valid module").into_iter(),
    };
    let mut module = Module::new();
    canonical
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .expect("a valid module");
    module.finish()
}

/// How many parameters each function has.
fn parameters(wasm: &[u8]) -> wasmparser::Result<Vec<u32>> {
    let (mut types, mut functions) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                        CompositeInnerType::Func(ty) => ty.params().len() as u32,
                        _ => 0,
                    }));
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    functions.push(types[ty? as usize]);
                }
            }
            _ => {}
        }
    }
    Ok(functions)
}

struct Canonical {
    /// Of the functions that come.
    parameters: std::vec::IntoIter<u32>,
}

impl Reencode for Canonical {
    type Error = std::convert::Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error> {
        let mut locals = Vec::new();
        let mut count = self.parameters.next().expect("a body has a type");
        for group in body.get_locals_reader()? {
            let (more, ty) = group?;
            count += more;
            locals.push((more, RoundtripReencoder.val_type(ty)?));
        }
        let operators: Vec<_> = body
            .get_operators_reader()?
            .into_iter()
            .collect::<wasmparser::Result<_>>()?;
        let mut places = [None; 4];
        for kind in operators.iter().filter_map(Kind::of) {
            places[kind as usize].get_or_insert_with(|| {
                locals.push((1, kind.ty()));
                count += 1;
                count - 1
            });
        }
        let mut function = Function::new(locals);
        for operator in operators {
            let place = Kind::of(&operator).map(|kind| (kind, places[kind as usize]));
            function.instruction(&RoundtripReencoder.instruction(operator)?);
            if let Some((kind, Some(local))) = place {
                kind.choose(local, &mut function);
            }
        }
        code.function(&function);
        Ok(())
    }
}

/// What an instruction's result is.
#[derive(Copy, Clone)]
enum Kind {
    F32,
    F64,
    F32x4,
    F64x2,
}

impl Kind {
    fn of(operator: &Operator<'_>) -> Option<Kind> {
        Some(match operator {
            Operator::F32DemoteF64 => Kind::F32,
            Operator::F64PromoteF32 => Kind::F64,
            Operator::F32x4DemoteF64x2Zero => Kind::F32x4,
            Operator::F64x2PromoteLowF32x4 => Kind::F64x2,
            _ => return None,
        })
    }

    fn ty(self) -> ValType {
        match self {
            Kind::F32 => ValType::F32,
            Kind::F64 => ValType::F64,
            Kind::F32x4 | Kind::F64x2 => ValType::V128,
        }
    }

    /// Replaces the NaNs in the value on top of the stack.
    fn choose(self, local: u32, function: &mut Function) {
        const F32: u32 = 0x7fc0_0000;
        const F64: u64 = 0x7ff8_0000_0000_0000;
        let (nan, equal, select) = match self {
            Kind::F32 => (
                Instruction::F32Const(f32::from_bits(F32).into()),
                Instruction::F32Eq,
                Instruction::Select,
            ),
            Kind::F64 => (
                Instruction::F64Const(f64::from_bits(F64).into()),
                Instruction::F64Eq,
                Instruction::Select,
            ),
            Kind::F32x4 => (
                Instruction::V128Const(i128::from(F32) * 0x1_0000_0001_0000_0001_0000_0001),
                Instruction::F32x4Eq,
                Instruction::V128Bitselect,
            ),
            Kind::F64x2 => (
                Instruction::V128Const(i128::from(F64) * 0x1_0000_0000_0000_0001),
                Instruction::F64x2Eq,
                Instruction::V128Bitselect,
            ),
        };
        let get = Instruction::LocalGet(local);
        for instruction in [
            Instruction::LocalTee(local),
            nan,
            get.clone(),
            get,
            equal,
            select,
        ] {
            function.instruction(&instruction);
        }
    }
}

#[cfg(test)]
mod tests {
    use meantime::{Engine, Instance, Module, Result, Store};

    #[test]
    fn conversions_make_any_nan_canonical() -> Result<()> {
        let text = r#"(module
            (func (export "demote") (param f64) (result i32)
                (i32.reinterpret_f32 (f32.demote_f64 (local.get 0))))
            (func (export "promote") (param f64 f32) (result i64) (local i32)
                (i64.reinterpret_f64 (f64.promote_f32 (local.get 1))))
            (func (export "demote two") (param f64) (result i64)
                (i64x2.extract_lane 0 (f32x4.demote_f64x2_zero (f64x2.splat (local.get 0)))))
            (func (export "promote two") (param f32) (result i64)
                (i64x2.extract_lane 1 (f64x2.promote_low_f32x4 (f32x4.splat (local.get 0))))))"#;
        let wasm = super::conversions(&wat::parse_str(text)?);
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &Module::new(&engine, wasm)?, &[])?;
        let wide = |bits: u64| f64::from_bits(bits);
        let narrow = |bits: u32| f32::from_bits(bits);
        let demote = instance.get_typed_func::<f64, u32>(&mut store, "demote")?;
        let nan = wide(0xffff_ffff_ffff_ffff);
        assert_eq!(demote.call(&mut store, nan)?, 0x7fc0_0000);
        assert_eq!(demote.call(&mut store, 1.5)?, 1.5f32.to_bits());
        let promote = instance.get_typed_func::<(f64, f32), u64>(&mut store, "promote")?;
        let nan = (0.0, narrow(0xffff_ffff));
        assert_eq!(promote.call(&mut store, nan)?, 0x7ff8_0000_0000_0000);
        assert_eq!(promote.call(&mut store, (0.0, -2.5))?, (-2.5f64).to_bits());
        let demote = instance.get_typed_func::<f64, u64>(&mut store, "demote two")?;
        let nan = wide(0xffff_ffff_ffff_ffff);
        assert_eq!(demote.call(&mut store, nan)?, 0x7fc0_0000_7fc0_0000);
        let promote = instance.get_typed_func::<f32, u64>(&mut store, "promote two")?;
        assert_eq!(
            promote.call(&mut store, narrow(0xffff_ffff))?,
            0x7ff8_0000_0000_0000
        );
        Ok(())
    }
}
