//! What operators cost, by their bytes.
//!
//! The rules stand in `meantime-abi`'s `fuel.rs`. The one idea: the prices are those of `meantime-module`, by the kind of operator; each kind is decoded once
//! here, so that the walk over a body finds them by opcode.

use meantime_abi::{FuelUnit, Tunables};
use meantime_module::{OperatorCost, fuel_unit};
use wasmparser::{BinaryReader, FrameKind, FrameStack};

/// How many operators there may be with each of the prefixes from `0xfb` on.
const PREFIXED: [usize; 4] = [0x40, 0x40, 0x180, 0x80];
const FIRST_PREFIX: u8 = 0xfb;

/// What an operator costs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cost {
    /// Whatever its operands are.
    pub(crate) fuel: u8,
    /// What its topmost operand counts, if its work depends on that, and what each of these costs.
    pub(crate) unit: Option<(FuelUnit, u8)>,
}

/// Prices of all operators.
pub(crate) struct Costs {
    plain: Vec<Cost>,
    prefixed: [Vec<Cost>; 4],
}

/// What is around any of the operators, so that it can be read alone.
struct Around;

impl FrameStack for Around {
    fn current_frame(&self) -> Option<FrameKind> {
        Some(FrameKind::If)
    }
}

impl Costs {
    /// None where code neither counts fuel nor looks at the epoch.
    pub(crate) fn new(tunables: &Tunables) -> Option<Costs> {
        if !tunables.consume_fuel && !tunables.epoch_interruption {
            return None;
        }
        let prices = OperatorCost::from(&tunables.operator_cost);
        let counts = tunables.consume_fuel;
        let cost = |opcode: &[u8]| cost(opcode, &prices, counts);
        Some(Costs {
            plain: (0..=u8::MAX).map(|opcode| cost(&[opcode])).collect(),
            prefixed: std::array::from_fn(|prefix| {
                let first = FIRST_PREFIX + prefix as u8;
                (0..PREFIXED[prefix])
                    .map(|second| cost(&[first, second as u8 & 0x7f | 0x80, (second >> 7) as u8]))
                    .collect()
            }),
        })
    }

    /// Of an operator with this first byte, and this number if that is a prefix.
    #[inline]
    pub(crate) fn of(&self, opcode: u8, number: impl FnOnce() -> u32) -> Cost {
        let prefix = usize::from(opcode.wrapping_sub(FIRST_PREFIX));
        match self.prefixed.get(prefix) {
            Some(costs) => match costs.get(number() as usize) {
                Some(cost) => *cost,
                None => self.plain[usize::from(opcode)],
            },
            None => self.plain[usize::from(opcode)],
        }
    }
}

/// The cost of the operator with these bytes, whatever follows them.
fn cost(opcode: &[u8], prices: &OperatorCost, counts: bool) -> Cost {
    // Either will do as immediates of each operator: a list of one type; or indices and numbers that are zero.
    let mut list = [0; 24];
    (list[0], list[1]) = (1, 0x7f);
    let immediates: [[u8; 24]; 2] = [list, [0; 24]];
    for immediates in immediates {
        let bytes = [opcode, &immediates].concat();
        if let Ok(op) = BinaryReader::new(&bytes, 0).peek_operator(&Around) {
            let fuel = if counts { prices.cost(&op) as u8 } else { 0 };
            let per_unit = |unit| if counts { prices.per_unit(unit) } else { 0 };
            return Cost {
                fuel,
                unit: fuel_unit(&op).map(|unit| (unit, per_unit(unit))),
            };
        }
    }
    // No operator.
    Cost {
        fuel: 0,
        unit: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meantime_abi::FuelCosts;
    use wasmparser::OperatorsReader;

    /// Every operator of a body costs what it does decoded.
    #[test]
    fn opcodes_cost_what_operators_do() {
        let mut prices = OperatorCost::new();
        prices.End = 3;
        prices.Else = 4;
        prices.TypedSelect = 5;
        prices.BrTable = 6;
        prices.I8x16Shuffle = 7;
        prices.I32AtomicRmw8AddU = 8;
        prices.V128Const = 9;
        prices.TryTable = 10;
        prices.RefCastNullable = 11;
        prices.variable.table_grow_per_element = 12;
        let costs = Costs::new(&Tunables {
            consume_fuel: true,
            operator_cost: FuelCosts::from(&prices),
            ..Tunables::default()
        })
        .unwrap();
        let wat = r#"(module (memory 1 1 shared) (table 1 funcref) (tag $e)
            (func (param i32 v128) (result i32)
                (if (local.get 0) (then) (else))
                (drop (select (result i32) (local.get 0) (local.get 0) (local.get 0)))
                (block (block (br_table 0 1 0 (local.get 0))))
                (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (local.get 1) (v128.const i64x2 1 2)))
                (drop (i32.atomic.rmw8.add_u (local.get 0) (i32.const 1)))
                (block (try_table (catch $e 0)))
                (drop (ref.cast (ref null func) (ref.null func)))
                (drop (table.grow (ref.null func) (i32.const 1000)))
                (memory.fill (local.get 0) (local.get 0) (local.get 0))
                (drop (i16x8.relaxed_q15mulr_s (local.get 1) (local.get 1)))
                (atomic.fence)
                (f64.const 1) drop
                (local.get 0)))"#;
        let buffer = wast::parser::ParseBuffer::new(wat).unwrap();
        let mut module = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap();
        let wasm = module.encode().unwrap();
        let mut count = 0;
        for payload in wasmparser::Parser::new(0).parse_all(&wasm) {
            let wasmparser::Payload::CodeSectionEntry(body) = payload.unwrap() else {
                continue;
            };
            let mut reader: OperatorsReader<'_> = body.get_operators_reader().unwrap();
            while !reader.eof() {
                let (op, at) = reader.read_with_offset().unwrap();
                let opcode = wasm[at as usize];
                let number = || {
                    let mut reader = BinaryReader::new(&wasm[at as usize + 1..], 0);
                    reader.read_var_u32().unwrap()
                };
                let unit = fuel_unit(&op).map(|unit| (unit, prices.per_unit(unit)));
                let fuel = prices.cost(&op) as u8;
                assert_eq!(costs.of(opcode, number), Cost { fuel, unit }, "{op:?}");
                count += 1;
            }
        }
        assert!(count > 40, "{count}");
    }
}
