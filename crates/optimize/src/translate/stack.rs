//! The operand stack, and the types of vectors on it.
//!
//! The one idea: `v128` is `i8x16` wherever values meet (locals, block parameters, calls, globals); in between, a value keeps the
//! vector type of the instruction that made it, and a user that wants another asks for it.

use super::Translator;
use cranelift_codegen::ir::{
    ConstantData, Endianness, InstBuilder, MemFlagsData, Type, Value, types,
};

impl Translator<'_> {
    pub(super) fn push(&mut self, value: Value) {
        self.s.stack.push(value);
    }

    /// Pops the topmost operand. Validation says that there is one.
    pub(super) fn pop(&mut self) -> Value {
        self.s.stack.pop().expect("validated: an operand")
    }

    /// Pops two operands and returns them in the order in which they were pushed.
    pub(super) fn pop2(&mut self) -> (Value, Value) {
        let y = self.pop();
        (self.pop(), y)
    }

    /// Pops three operands and returns them in the order in which they were pushed.
    pub(super) fn pop3(&mut self) -> (Value, Value, Value) {
        let (y, z) = self.pop2();
        (self.pop(), y, z)
    }

    /// The topmost operand.
    pub(super) fn peek(&self) -> Value {
        *self.s.stack.last().expect("validated: an operand")
    }

    /// Where the topmost `count` operands begin.
    pub(super) fn top(&self, count: usize) -> usize {
        self.s
            .stack
            .len()
            .checked_sub(count)
            .expect("validated: operands")
    }

    pub(super) fn type_of(&self, value: Value) -> Type {
        self.b.func.dfg.value_type(value)
    }

    /// The value as a vector of this type.
    pub(super) fn as_vector(&mut self, value: Value, ty: Type) -> Value {
        if self.type_of(value) == ty {
            return value;
        }
        // Lanes are numbered as in memory.
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.b.ins().bitcast(ty, flags, value)
    }

    /// The value in the type that it has where values meet.
    pub(super) fn canonical(&mut self, value: Value) -> Value {
        if self.type_of(value).is_vector() {
            self.as_vector(value, types::I8X16)
        } else {
            value
        }
    }

    /// The topmost `count` operands, each in its canonical type, replaced on the stack.
    pub(super) fn canonicalize_top(&mut self, count: usize) {
        for i in self.top(count)..self.s.stack.len() {
            let value = self.s.stack[i];
            self.s.stack[i] = self.canonical(value);
        }
    }

    pub(super) fn pop_vector(&mut self, ty: Type) -> Value {
        let value = self.pop();
        self.as_vector(value, ty)
    }

    pub(super) fn pop2_vectors(&mut self, ty: Type) -> (Value, Value) {
        let (x, y) = self.pop2();
        (self.as_vector(x, ty), self.as_vector(y, ty))
    }

    pub(super) fn pop3_vectors(&mut self, ty: Type) -> (Value, Value, Value) {
        let (x, y, z) = self.pop3();
        (
            self.as_vector(x, ty),
            self.as_vector(y, ty),
            self.as_vector(z, ty),
        )
    }

    pub(super) fn vector_const(&mut self, bytes: &[u8; 16]) -> Value {
        let data = ConstantData::from(&bytes[..]);
        let constant = self.b.func.dfg.constants.insert(data);
        self.b.ins().vconst(types::I8X16, constant)
    }

    /// The value as a number, when it is an integer constant. Zero-extended.
    pub(super) fn constant(&self, value: Value) -> Option<u64> {
        use cranelift_codegen::ir::{InstructionData, Opcode};
        let dfg = &self.b.func.dfg;
        let inst = dfg.value_def(value).inst()?;
        match dfg.insts[inst] {
            InstructionData::UnaryImm {
                opcode: Opcode::Iconst,
                imm,
            } => {
                let bits = dfg.value_type(value).bits();
                let mask = u64::MAX >> (64 - bits.clamp(1, 64));
                Some(imm.bits() as u64 & mask)
            }
            _ => None,
        }
    }
}
