//! Moves of several values at once, where one's destination can be another's source.
//!
//! The one idea: a move is done when no other waits for what its destination holds; if there is none such, what remains are cycles, which exchanges
//! of registers resolve. Values that are in no register come last.

use super::Compiler;
use crate::buffer::Buffer;
use crate::machine::{FSrc, Fpr, Gpr, Machine, Size, Src};

/// A move of what is in no register.
#[derive(Copy, Clone, Debug)]
struct Late<R, S> {
    dst: R,
    src: S,
    size: Size,
}

/// A move between registers.
#[derive(Copy, Clone, Debug)]
struct Move {
    dst: u8,
    src: u8,
    size: Size,
}

/// Moves to do, of values in registers of one kind.
#[derive(Default)]
struct Pending {
    moves: Vec<Move>,
    /// How many of them read each register.
    readers: [u8; 32],
}

/// All moves to do.
#[derive(Default)]
pub(super) struct Moves {
    ints: Pending,
    floats: Pending,
    late: Vec<Late<Gpr, Src>>,
    late_floats: Vec<Late<Fpr, FSrc>>,
}

impl Pending {
    fn add(&mut self, dst: u8, src: u8, size: Size) {
        // A register to itself is still a move of 32 bits where the upper ones may be others; none of what is moved here is such.
        if dst != src {
            self.readers[src as usize] += 1;
            self.moves.push(Move { dst, src, size });
        }
    }

    /// Does all moves, on what is passed on.
    #[inline]
    fn resolve<T>(
        &mut self,
        on: &mut T,
        emit: impl Fn(&mut T, Move),
        swap: impl Fn(&mut T, u8, u8),
    ) {
        while !self.moves.is_empty() {
            let before = self.moves.len();
            let mut i = 0;
            while i < self.moves.len() {
                let it = self.moves[i];
                if self.readers[it.dst as usize] == 0 {
                    emit(on, it);
                    self.readers[it.src as usize] -= 1;
                    self.moves.swap_remove(i);
                } else {
                    i += 1;
                }
            }
            if self.moves.len() == before {
                self.break_cycle(|x, y| swap(on, x, y));
            }
        }
        debug_assert!(self.readers.iter().all(|n| *n == 0));
    }

    /// Every source is another's destination: exchanges two registers, so that one holds what it should.
    #[cold]
    fn break_cycle(&mut self, swap: impl FnOnce(u8, u8)) {
        let Some(it) = self.moves.pop() else {
            return;
        };
        swap(it.dst, it.src);
        for other in &mut self.moves {
            if other.src == it.dst {
                other.src = it.src;
            } else if other.src == it.src {
                other.src = it.dst;
            }
        }
        self.moves.retain(|m| m.dst != m.src);
        self.readers = [0; 32];
        for other in &self.moves {
            self.readers[other.src as usize] += 1;
        }
    }
}

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn add_move(&mut self, dst: Gpr, src: Src, size: Size) {
        match src {
            Src::Reg(src) => self.s.moves.ints.add(dst.0, src.0, size),
            _ => self.s.moves.late.push(Late { dst, src, size }),
        }
    }

    pub(super) fn add_float_move(&mut self, dst: Fpr, src: FSrc, size: Size) {
        match src {
            FSrc::Reg(src) => self.s.moves.floats.add(dst.0, src.0, size),
            _ => self.s.moves.late_floats.push(Late { dst, src, size }),
        }
    }

    /// Does all moves that were added.
    pub(super) fn do_moves(&mut self) {
        let Self { b, s, .. } = self;
        let moves = &mut s.moves;
        if !moves.floats.moves.is_empty() || !moves.late_floats.is_empty() {
            moves.do_floats::<M>(b);
        }
        moves.ints.resolve(
            b,
            |b, m| M::move_int(b, m.size, Gpr(m.dst), Src::Reg(Gpr(m.src))),
            |b, x, y| M::swap_int(b, Gpr(x), Gpr(y)),
        );
        for it in &moves.late {
            M::move_int(b, it.size, it.dst, it.src);
        }
        moves.late.clear();
    }
}

impl Moves {
    #[inline(never)]
    fn do_floats<M: Machine>(&mut self, b: &mut Buffer) {
        self.floats.resolve(
            b,
            |b, m| M::move_float(b, m.size, Fpr(m.dst), FSrc::Reg(Fpr(m.src))),
            |b, x, y| M::swap_float(b, Fpr(x), Fpr(y)),
        );
        for it in self.late_floats.drain(..) {
            M::move_float(b, it.size, it.dst, it.src);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does moves on registers that hold their own numbers.
    fn after(moves: &[(u8, u8)]) -> [u8; 32] {
        let mut registers = std::array::from_fn::<u8, 32, _>(|i| i as u8);
        let mut pending = Pending::default();
        for &(dst, src) in moves {
            pending.add(dst, src, Size::S64);
        }
        pending.resolve(
            &mut registers,
            |registers, m| registers[m.dst as usize] = registers[m.src as usize],
            |registers, x, y| registers.swap(x as usize, y as usize),
        );
        registers
    }

    #[test]
    fn all_moves_of_four_registers_are_right() {
        for code in 0..5u32.pow(4) {
            // Each register gets one of them, or a fifth that is not written.
            let source = |dst: u32| (code / 5u32.pow(dst) % 5) as u8;
            let moves: Vec<_> = (0..4).map(|dst| (dst as u8, source(dst))).collect();
            let after = after(&moves);
            for (dst, src) in moves {
                assert_eq!(after[dst as usize], src, "{code}");
            }
            assert_eq!(after[4], 4);
        }
    }

    #[test]
    fn a_chain_into_a_cycle() {
        let after = after(&[(1, 2), (2, 1), (3, 1), (4, 3), (5, 4)]);
        assert_eq!(after[1..6], [2, 1, 1, 3, 4]);
    }
}
