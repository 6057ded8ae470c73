//! Branches through tables.
//!
//! The one idea: where all targets want the operands in the same place, that is done once, before the branch; otherwise each target gets an edge that
//! does it, from the operands' own slots.

use super::value::Value;
use super::{Compiler, malformed};
use crate::buffer::Label;
use crate::machine::*;

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn br_table(&mut self) {
        let mut targets = std::mem::take(&mut self.s.targets);
        targets.clear();
        let count = self.leb_u32();
        if count as usize > self.code.len() - self.at {
            self.error = Some(malformed());
            return;
        }
        for _ in 0..=count {
            targets.push(self.leb_u32());
        }
        let deepest = targets.iter().copied().max().unwrap_or(0);
        if self.frame_at(deepest).is_some() {
            self.branch_by_table(&targets);
        }
        self.s.targets = targets;
    }

    /// The last of the depths is the default's.
    fn branch_by_table(&mut self, depths: &[u32]) {
        let selector = self.pop();
        let Some((default, entries)) = depths.split_last() else {
            return;
        };
        if entries.is_empty() {
            self.release(selector);
            return self.br(*default);
        }
        let outermost = self.s.frames.len() - 1;
        let frame_of = |depth: u32| outermost - depth as usize;
        let arity = self.s.frames[frame_of(*default)].arity();
        let in_slots = |d: &u32| self.s.frames[frame_of(*d)].in_slots();
        let with_edges = arity > 0 && depths.iter().any(in_slots);
        let index = self.table_index(selector, arity == 1 && !with_edges);
        if with_edges {
            // In their slots, where each edge finds them.
            self.flush(arity);
        } else {
            // Each agrees with all, and then with those that nobody branched to yet.
            for depth in depths {
                if let Some(state) = self.s.frames[frame_of(*depth)].state {
                    self.conform(&state);
                }
            }
            for depth in depths {
                self.agree(frame_of(*depth));
            }
        }
        let labels = self.table_labels(depths, with_edges);
        let (default_label, labels) = labels.split_last().expect("there is a default");
        let count = Src::Imm(i64::from(entries.len() as i32));
        let beyond = M::compare(&mut self.b, IntCc::GeU, Size::S32, Src::Reg(index), count);
        M::jump_if(&mut self.b, beyond, *default_label);
        M::jump_table(&mut self.b, index, &mut labels.iter().copied());
        self.free_gpr(index);
        if with_edges {
            self.write_edges(depths);
        }
        self.reachable = false;
    }

    /// The selector in a register of its own, which is not that of a result that goes along.
    fn table_index(&mut self, selector: Value, with_result: bool) -> Gpr {
        let mut index = self.own_gpr(selector);
        if with_result {
            if index == M::RESULT {
                let other = self.alloc_gpr();
                M::move_int(&mut self.b, Size::S32, other, Src::Reg(index));
                self.free_gpr(index);
                index = other;
            }
            self.leave_result();
        }
        index
    }

    /// The label of each entry: the frame's, or one of an edge that first moves the values.
    fn table_labels(&mut self, depths: &[u32], with_edges: bool) -> Vec<Label> {
        let outermost = self.s.frames.len() - 1;
        if !with_edges {
            let label = |d: &u32| self.s.frames[outermost - *d as usize].label;
            return depths.iter().map(label).collect();
        }
        self.s.edges.clear();
        self.s.edges.resize(outermost + 1, Label::NONE);
        let mut labels = Vec::with_capacity(depths.len());
        for depth in depths {
            if self.s.edges[*depth as usize] == Label::NONE {
                self.s.edges[*depth as usize] = self.b.label();
            }
            labels.push(self.s.edges[*depth as usize]);
        }
        labels
    }

    fn write_edges(&mut self, depths: &[u32]) {
        let outermost = self.s.frames.len() - 1;
        let state = self.state;
        for depth in depths {
            let label = std::mem::replace(&mut self.s.edges[*depth as usize], Label::NONE);
            if label == Label::NONE {
                continue;
            }
            let frame = outermost - *depth as usize;
            self.bind(label, &state);
            self.branch(frame);
            if !self.s.frames[frame].in_slots() {
                // The next edge finds the value in its slot again.
                let value = self.pop();
                self.release(value);
                self.push_slot(value.ty);
            }
        }
    }
}
