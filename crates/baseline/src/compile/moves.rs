//! Moves of several values at once, where one's destination can be another's source.
//!
//! The one idea: a move is done when no other waits for what its destination holds; if there is none such, what remains are cycles, which exchanges
//! of registers resolve. Values that are in no register come last.

use super::Compiler;
use crate::machine::{FSrc, Fpr, Gpr, Machine, Size, Src};

#[derive(Copy, Clone, Debug)]
pub(super) struct Move {
    pub(super) dst: Gpr,
    pub(super) src: Src,
    pub(super) size: Size,
}

#[derive(Copy, Clone, Debug)]
pub(super) struct FloatMove {
    pub(super) dst: Fpr,
    pub(super) src: FSrc,
    pub(super) size: Size,
}

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn add_move(&mut self, dst: Gpr, src: Src, size: Size) {
        self.s.moves.push(Move { dst, src, size });
    }

    pub(super) fn add_float_move(&mut self, dst: Fpr, src: FSrc, size: Size) {
        self.s.float_moves.push(FloatMove { dst, src, size });
    }

    /// Does all moves that were added. There are no more than registers of parameters.
    pub(super) fn do_moves(&mut self) {
        let mut moves = std::mem::take(&mut self.s.moves);
        moves.retain(|m| m.src != Src::Reg(m.dst));
        let mut registers = moves.iter().filter(|m| is_reg(m.src)).count();
        while registers > 0 {
            let blocked = |m: &Move| moves.iter().any(|other| other.src == Src::Reg(m.dst));
            let ready = moves.iter().position(|m| is_reg(m.src) && !blocked(m));
            if let Some(ready) = ready {
                let it = moves.swap_remove(ready);
                M::move_int(&mut self.b, it.size, it.dst, it.src);
                registers -= 1;
                continue;
            }
            // Every source is another's destination.
            let at = moves.iter().position(|m| is_reg(m.src));
            let it = moves.swap_remove(at.expect("counted"));
            registers -= 1;
            let Src::Reg(src) = it.src else {
                unreachable!("found by that");
            };
            M::swap_int(&mut self.b, it.dst, src);
            for other in &mut moves {
                if other.src == Src::Reg(it.dst) {
                    other.src = Src::Reg(src);
                } else if other.src == Src::Reg(src) {
                    other.src = Src::Reg(it.dst);
                }
            }
            let before = moves.len();
            moves.retain(|m| m.src != Src::Reg(m.dst));
            registers -= before - moves.len();
        }
        for it in &moves {
            M::move_int(&mut self.b, it.size, it.dst, it.src);
        }
        moves.clear();
        self.s.moves = moves;
    }

    /// The same for floats.
    pub(super) fn do_float_moves(&mut self) {
        let mut moves = std::mem::take(&mut self.s.float_moves);
        let is_reg = |src: FSrc| matches!(src, FSrc::Reg(_));
        moves.retain(|m| m.src != FSrc::Reg(m.dst));
        let mut registers = moves.iter().filter(|m| is_reg(m.src)).count();
        while registers > 0 {
            let blocked = |m: &FloatMove| moves.iter().any(|other| other.src == FSrc::Reg(m.dst));
            let ready = moves.iter().position(|m| is_reg(m.src) && !blocked(m));
            if let Some(ready) = ready {
                let it = moves.swap_remove(ready);
                M::move_float(&mut self.b, it.size, it.dst, it.src);
                registers -= 1;
                continue;
            }
            let at = moves.iter().position(|m| is_reg(m.src));
            let it = moves.swap_remove(at.expect("counted"));
            registers -= 1;
            let FSrc::Reg(src) = it.src else {
                unreachable!("found by that");
            };
            M::swap_float(&mut self.b, it.dst, src);
            for other in &mut moves {
                if other.src == FSrc::Reg(it.dst) {
                    other.src = FSrc::Reg(src);
                } else if other.src == FSrc::Reg(src) {
                    other.src = FSrc::Reg(it.dst);
                }
            }
            let before = moves.len();
            moves.retain(|m| m.src != FSrc::Reg(m.dst));
            registers -= before - moves.len();
        }
        for it in &moves {
            M::move_float(&mut self.b, it.size, it.dst, it.src);
        }
        moves.clear();
        self.s.float_moves = moves;
    }
}

fn is_reg(src: Src) -> bool {
    matches!(src, Src::Reg(_))
}
