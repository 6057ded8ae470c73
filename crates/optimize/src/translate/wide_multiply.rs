//! The guest's own 128-bit multiplication, `__multi3`, translated as the machine's.
//!
//! Compilers that target Wasm without wide arithmetic multiply 128-bit numbers by a call of this function of their support library, which puts the product
//! together from 32-bit pieces: `(pointer, x low, x high, y low, y high)`, with the result stored through the pointer.
//!
//! The one idea: recognition is exact. The body is evaluated symbolically to one expression per store, and these must be, node for node,
//! the schoolbook product, up to the order of operands. No name and no test values are trusted.

use super::{Result, Translator};
use cranelift_codegen::ir::{InstBuilder, Opcode, immediates::Offset32, types};
use meantime_abi::{DefinedFuncIndex, FuncIndex, InlineFrame, MemoryIndex, ValType};
use meantime_module::OperatorCost;
use wasmparser::{MemArg, MemArgTarget, Operator, OperatorsReader};

/// The longest body that is looked at.
const MAX_BODY: u32 = 256;
/// The most nodes of its expressions.
const MAX_NODES: usize = 64;

/// What such a function does: store the halves of the product, in this order.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct WideMultiply {
    stores: [Half; 2],
}

/// A store of one half.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Half {
    high: bool,
    memory: u32,
    offset: u64,
    /// Where the instruction is in the module.
    at: u32,
}

/// An expression, by its index in [`Graph::nodes`].
type Node = usize;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Expr {
    Param(u32),
    Const(u64),
    /// A sum of these, ascending and with repetitions.
    Sum(Vec<Node>),
    /// Operands ascending.
    Product(Node, Node),
    And(Node, Node),
    Or(Node, Node),
    ShiftLeft(Node, Node),
    ShiftRight(Node, Node),
}

/// Expressions, each only once, so that equal ones have equal indices.
#[derive(Default)]
struct Graph {
    nodes: Vec<Expr>,
}

impl Graph {
    fn add(&mut self, expr: Expr) -> Node {
        match self.nodes.iter().position(|known| *known == expr) {
            Some(at) => at,
            None => {
                self.nodes.push(expr);
                self.nodes.len() - 1
            }
        }
    }

    fn constant(&mut self, value: u64) -> Node {
        self.add(Expr::Const(value))
    }

    fn sum(&mut self, terms: &[Node]) -> Node {
        let mut all = Vec::new();
        for &term in terms {
            match &self.nodes[term] {
                Expr::Sum(inner) => all.extend_from_slice(inner),
                _ => all.push(term),
            }
        }
        all.sort_unstable();
        self.add(Expr::Sum(all))
    }

    fn product(&mut self, x: Node, y: Node) -> Node {
        self.add(Expr::Product(x.min(y), x.max(y)))
    }

    fn and(&mut self, x: Node, y: Node) -> Node {
        self.add(Expr::And(x.min(y), x.max(y)))
    }

    fn or(&mut self, x: Node, y: Node) -> Node {
        self.add(Expr::Or(x.min(y), x.max(y)))
    }

    /// The lower 32 bits.
    fn low(&mut self, x: Node) -> Node {
        let mask = self.constant(0xffff_ffff);
        self.and(x, mask)
    }

    /// The upper 32 bits.
    fn high(&mut self, x: Node) -> Node {
        let shift = self.constant(32);
        self.add(Expr::ShiftRight(x, shift))
    }

    /// The product of two 128-bit numbers, low half and high half, from products of 32-bit pieces. `swapped` says which of the two cross products is
    /// added first.
    fn schoolbook(&mut self, swapped: bool) -> (Node, Node) {
        let [x, x_high, y, y_high] = [1, 2, 3, 4].map(|i| self.add(Expr::Param(i)));
        let [(xl, xh), (yl, yh)] = [x, y].map(|n| (self.low(n), self.high(n)));
        let ((al, ah), (bl, bh)) = if swapped {
            ((yl, yh), (xl, xh))
        } else {
            ((xl, xh), (yl, yh))
        };
        let lowest = self.product(al, bl);
        let lowest_high = self.high(lowest);
        let first = self.product(ah, bl);
        let first = self.sum(&[lowest_high, first]);
        let first_low = self.low(first);
        let second = self.product(al, bh);
        let second = self.sum(&[first_low, second]);
        let shift = self.constant(32);
        let middle = self.add(Expr::ShiftLeft(second, shift));
        let lowest_low = self.low(lowest);
        let low = self.or(middle, lowest_low);
        let terms = [
            self.high(first),
            self.high(second),
            self.product(ah, bh),
            self.product(x, y_high),
            self.product(x_high, y),
        ];
        let high = self.sum(&terms);
        (low, high)
    }
}

/// A value of the symbolic evaluation.
#[derive(Copy, Clone)]
enum Symbol {
    Pointer,
    Number(Node),
}

/// Evaluates a body. None when it is not a multiplication.
fn recognize(locals: &[ValType], mut operators: OperatorsReader<'_>) -> Option<WideMultiply> {
    let mut graph = Graph::default();
    let mut values: Vec<Symbol> = Vec::new();
    for (i, ty) in locals.iter().enumerate() {
        values.push(match i {
            0 => Symbol::Pointer,
            1..5 => Symbol::Number(graph.add(Expr::Param(i as u32))),
            _ if *ty == ValType::I64 => Symbol::Number(graph.constant(0)),
            _ => return None,
        });
    }
    let mut stack: Vec<Symbol> = Vec::new();
    let mut stores: Vec<(Node, MemArg, u32)> = Vec::new();
    while !operators.eof() {
        let at = operators.original_position() as u32;
        let operator = operators.read().ok()?;
        if graph.nodes.len() > MAX_NODES {
            return None;
        }
        match operator {
            Operator::LocalGet { local_index } => stack.push(*values.get(local_index as usize)?),
            Operator::LocalSet { local_index } => {
                *values.get_mut(local_index as usize)? = stack.pop()?;
            }
            Operator::LocalTee { local_index } => {
                *values.get_mut(local_index as usize)? = *stack.last()?;
            }
            Operator::I64Const { value } => {
                stack.push(Symbol::Number(graph.constant(value as u64)));
            }
            Operator::I64Store { memarg } => {
                let (Symbol::Number(value), Symbol::Pointer) = (stack.pop()?, stack.pop()?) else {
                    return None;
                };
                stores.push((value, memarg, at));
            }
            Operator::I64Add
            | Operator::I64Mul
            | Operator::I64And
            | Operator::I64Or
            | Operator::I64Shl
            | Operator::I64ShrU => {
                let (Symbol::Number(y), Symbol::Number(x)) = (stack.pop()?, stack.pop()?) else {
                    return None;
                };
                stack.push(Symbol::Number(match operator {
                    Operator::I64Add => graph.sum(&[x, y]),
                    Operator::I64Mul => graph.product(x, y),
                    Operator::I64And => graph.and(x, y),
                    Operator::I64Or => graph.or(x, y),
                    Operator::I64Shl => graph.add(Expr::ShiftLeft(x, y)),
                    _ => graph.add(Expr::ShiftRight(x, y)),
                }));
            }
            Operator::End if operators.eof() => {}
            _ => return None,
        }
    }
    let [first, second] = stores[..] else {
        return None;
    };
    for swapped in [false, true] {
        let (low, high) = graph.schoolbook(swapped);
        let half = |(value, memarg, at): (Node, MemArg, u32)| {
            let MemArgTarget::Memory(memory) = memarg.target else {
                return None;
            };
            let high = match value {
                v if v == low => false,
                v if v == high => true,
                _ => return None,
            };
            Some(Half {
                high,
                memory,
                offset: memarg.offset,
                at,
            })
        };
        if let (Some(first), Some(second)) = (half(first), half(second)) {
            return Some(WideMultiply {
                stores: [first, second],
            });
        }
    }
    None
}

impl Translator<'_> {
    /// Translates a call as a multiplication if the callee is one. Says whether it did.
    pub(super) fn inline_wide_multiply(
        &mut self,
        index: FuncIndex,
        callee: DefinedFuncIndex,
    ) -> Result<bool> {
        let ty = self.module.func_type(index);
        let operands = matches!(
            ty.params[..],
            [
                ValType::I32 | ValType::I64,
                ValType::I64,
                ValType::I64,
                ValType::I64,
                ValType::I64
            ]
        );
        let range = &self.module.bodies()[callee].range;
        if !operands || !ty.results.is_empty() || range.end - range.start > MAX_BODY {
            return Ok(false);
        }
        let known = match self.s.wide_multiplies.get(&callee) {
            Some(&known) => known,
            None => {
                let found = self.find_wide_multiply(index, callee)?;
                self.s.wide_multiplies.insert(callee, found);
                found
            }
        };
        let Some(multiply) = known else {
            return Ok(false);
        };
        self.before_inlined();
        if let Some(costs) = self.target.costs.as_deref() {
            self.flow.owed += self.body_cost(callee, costs)?;
        }
        self.emit_wide_multiply(index, multiply);
        self.after_inlined();
        Ok(true)
    }

    fn find_wide_multiply(
        &self,
        index: FuncIndex,
        callee: DefinedFuncIndex,
    ) -> Result<Option<WideMultiply>> {
        let mut reader = self.body_reader(callee)?;
        let mut locals = self.module.func_type(index).params.to_vec();
        let groups = reader.read_var_u32().map_err(super::malformed)?;
        for _ in 0..groups {
            let count = reader.read_var_u32().map_err(super::malformed)?;
            let ty: wasmparser::ValType = reader.read().map_err(super::malformed)?;
            if ty != wasmparser::ValType::I64 || count > MAX_NODES as u32 {
                return Ok(None);
            }
            locals.extend((0..count).map(|_| ValType::I64));
        }
        Ok(recognize(&locals, OperatorsReader::new(reader)))
    }

    /// What all operators of a body cost.
    fn body_cost(&self, callee: DefinedFuncIndex, costs: &OperatorCost) -> Result<i64> {
        let mut reader = self.body_reader(callee)?;
        for _ in 0..reader.read_var_u32().map_err(super::malformed)? {
            reader.read_var_u32().map_err(super::malformed)?;
            let _: wasmparser::ValType = reader.read().map_err(super::malformed)?;
        }
        let mut operators = OperatorsReader::new(reader);
        let mut cost = 0;
        while !operators.eof() {
            cost += costs.cost(&operators.read().map_err(super::malformed)?);
        }
        Ok(cost)
    }

    fn emit_wide_multiply(&mut self, index: FuncIndex, multiply: WideMultiply) {
        let (y, y_high) = self.pop2();
        let (x, x_high) = self.pop2();
        let pointer = self.pop();
        let wide_x = self.b.ins().uextend(types::I128, x);
        let wide_y = self.b.ins().uextend(types::I128, y);
        let product = self.b.ins().imul(wide_x, wide_y);
        let (low, mut high) = self.b.ins().isplit(product);
        for (x, y) in [(x, y_high), (x_high, y)] {
            // Most operands are 64 bits wide in truth.
            if self.constant(x) != Some(0) && self.constant(y) != Some(0) {
                let cross = self.b.ins().imul(x, y);
                high = self.b.ins().iadd(high, cross);
            }
        }
        let outer = self.location;
        let frame = self.locations.inline(InlineFrame {
            func: index,
            call_wasm_offset: Some(outer.offset),
            parent: outer.inline,
        });
        self.location.inline = Some(frame);
        for half in multiply.stores {
            self.set_location(half.at);
            let memory = MemoryIndex::from_u32(half.memory);
            let Some(address) = self.address(memory, pointer, half.offset, 8) else {
                break;
            };
            let value = if half.high { high } else { low };
            let flags = self.memory_access(memory).interned;
            let offset = Offset32::new(address.offset);
            self.b.ins().Store(
                Opcode::Store,
                types::I64,
                flags,
                offset,
                value,
                address.base,
            );
            self.remember(memory, pointer, half.offset, value);
        }
        self.location = outer;
        self.set_location(outer.offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::BinaryReader;

    /// The value of an expression.
    fn evaluate(graph: &Graph, node: Node, params: &[u64; 5]) -> u64 {
        let value = |node: Node| evaluate(graph, node, params);
        match graph.nodes[node] {
            Expr::Param(i) => params[i as usize],
            Expr::Const(value) => value,
            Expr::Sum(ref terms) => terms.iter().fold(0, |sum, &t| sum.wrapping_add(value(t))),
            Expr::Product(x, y) => value(x).wrapping_mul(value(y)),
            Expr::And(x, y) => value(x) & value(y),
            Expr::Or(x, y) => value(x) | value(y),
            Expr::ShiftLeft(x, y) => value(x) << (value(y) & 63),
            Expr::ShiftRight(x, y) => value(x) >> (value(y) & 63),
        }
    }

    #[test]
    fn the_expressions_are_products() {
        let interesting = [
            0,
            1,
            2,
            0xffff_ffff,
            1 << 32,
            u64::MAX,
            0x0123_4567_89ab_cdef,
        ];
        for swapped in [false, true] {
            let mut graph = Graph::default();
            let (low, high) = graph.schoolbook(swapped);
            for a in interesting {
                for b in interesting {
                    for c in interesting {
                        for d in interesting {
                            let wide = |low, high| u128::from(high) << 64 | u128::from(low);
                            let expected: u128 = wide(a, b).wrapping_mul(wide(c, d));
                            let params = [0, a, b, c, d];
                            assert_eq!(evaluate(&graph, low, &params), expected as u64);
                            assert_eq!(evaluate(&graph, high, &params), (expected >> 64) as u64);
                        }
                    }
                }
            }
        }
    }

    /// What a C compiler's support library has.
    const BODY: &[u8] = &[
        0x20, 0x00, 0x20, 0x04, 0x20, 0x01, 0x7e, 0x20, 0x02, 0x20, 0x03, 0x7e, 0x7c, 0x20, 0x03,
        0x42, 0x20, 0x88, 0x22, 0x02, 0x20, 0x01, 0x42, 0x20, 0x88, 0x22, 0x04, 0x7e, 0x7c, 0x20,
        0x03, 0x42, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x83, 0x22, 0x03, 0x20, 0x01, 0x42, 0xff, 0xff,
        0xff, 0xff, 0x0f, 0x83, 0x22, 0x01, 0x7e, 0x22, 0x05, 0x42, 0x20, 0x88, 0x20, 0x03, 0x20,
        0x04, 0x7e, 0x7c, 0x22, 0x03, 0x42, 0x20, 0x88, 0x7c, 0x20, 0x03, 0x42, 0xff, 0xff, 0xff,
        0xff, 0x0f, 0x83, 0x20, 0x02, 0x20, 0x01, 0x7e, 0x7c, 0x22, 0x01, 0x42, 0x20, 0x88, 0x7c,
        0x37, 0x03, 0x08, 0x20, 0x00, 0x20, 0x01, 0x42, 0x20, 0x86, 0x20, 0x05, 0x42, 0xff, 0xff,
        0xff, 0xff, 0x0f, 0x83, 0x84, 0x37, 0x03, 0x00, 0x0b,
    ];

    fn of(body: &[u8]) -> Option<WideMultiply> {
        let mut locals = vec![ValType::I32];
        locals.extend([ValType::I64; 5]);
        recognize(&locals, OperatorsReader::new(BinaryReader::new(body, 0)))
    }

    #[test]
    fn the_body_of_a_support_library_is_recognized() {
        let multiply = of(BODY).expect("it is a multiplication");
        assert_eq!(
            multiply.stores.map(|half| (half.high, half.offset)),
            [(true, 8), (false, 0)]
        );
    }

    #[test]
    fn no_other_body_is() {
        // Any one byte changed makes another function, an invalid one, or the same with other alignment hints or store offsets.
        let harmless = |at: usize| BODY[at - 1] == 0x37 || BODY[at - 2] == 0x37;
        for at in 2..BODY.len() {
            let mut body = BODY.to_vec();
            body[at] ^= 1;
            if !harmless(at) {
                assert_eq!(of(&body), None, "byte {at}");
            }
        }
    }
}
