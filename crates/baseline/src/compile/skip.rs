//! Code that cannot be reached: read up to the `else` or `end` of the block that it is in.

use super::Compiler;
use crate::machine::Machine;
use wasmparser::{BinaryReader, FrameKind, FrameStack, VisitOperator, VisitSimdOperator};

impl<M: Machine> Compiler<'_, M> {
    /// Skips operators, and compiles the `else` or `end`.
    pub(super) fn skip(&mut self) {
        let mut nesting = 0u32;
        while self.error.is_none() && self.at < self.code.len() {
            self.b.wasm_offset = self.start + self.at as u32;
            let opcode = self.byte();
            match opcode {
                0x02..=0x04 => {
                    self.block_sig();
                    nesting += 1;
                }
                0x05 if nesting == 0 => return self.begin_else(),
                0x0b if nesting == 0 => return self.end(),
                0x0b => nesting -= 1,
                0x08
                | 0x0c
                | 0x0d
                | 0x10
                | 0x12
                | 0x14
                | 0x15
                | 0x20..=0x26
                | 0x3f
                | 0x40
                | 0xd2
                | 0xd5
                | 0xd6 => {
                    self.leb_u64();
                }
                0x0e => {
                    let count = self.leb_u32();
                    for _ in 0..=count {
                        self.leb_u32();
                        if self.error.is_some() {
                            break;
                        }
                    }
                }
                0x11 | 0x13 => {
                    self.leb_u32();
                    self.leb_u32();
                }
                0x1c => {
                    for _ in 0..self.leb_u32() {
                        self.val_type();
                        if self.error.is_some() {
                            break;
                        }
                    }
                }
                0x1f => {
                    nesting += 1;
                    self.at -= 1;
                    self.skip_any();
                }
                0x28..=0x3e => {
                    self.memarg();
                }
                0x41 | 0x42 | 0xd0 => {
                    self.leb_signed();
                }
                0x43 => self.at += 4,
                0x44 => self.at += 8,
                0xfb..=0xfe => {
                    self.at -= 1;
                    self.skip_any();
                }
                _ => {}
            }
        }
    }

    /// Skips an operator of any kind.
    fn skip_any(&mut self) {
        let mut reader = BinaryReader::new(&self.code[self.at..], 0);
        match reader.visit_operator(&mut Skip) {
            Ok(()) => self.at += reader.current_position(),
            Err(_) => self.fail(super::malformed()),
        }
    }
}

/// Does nothing with an operator.
struct Skip;

impl FrameStack for Skip {
    fn current_frame(&self) -> Option<FrameKind> {
        Some(FrameKind::Block)
    }
}

macro_rules! skip {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, _: $argty)*)?) -> Self::Output {}
        )*
    };
}

impl<'a> VisitOperator<'a> for Skip {
    type Output = ();

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = ()>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(skip);
}

impl VisitSimdOperator<'_> for Skip {
    wasmparser::for_each_visit_simd_operator!(skip);
}
