//! Exceptions: throwing them, and the scopes that catch them.
//!
//! The one idea: the clauses of all open `try_table`s are one list. A call inside of any gets a handler for each of the clauses that can match, from
//! the inside out; where one leads there is code per clause, written when its `try_table` ends, which reads the exception and branches to the
//! clause's label. Nothing happens where nothing is thrown.
//!
//! Where an exception lands, registers are as after any call: those that calls preserve are as they were.

use super::control::{Frame, Kind};
use super::heap::{Length, ObjectSize};
use super::state::State;
use super::{Compiler, malformed};
use crate::buffer::Label;
use crate::machine::*;
use meantime_abi::{
    Builtin, ContextPlace, EXN_TAG, GcStorage, Handler, HandlerKind, StorageType, TagIndex, Trap,
    ValRepr, VmTag, VmTagImport,
};
use std::mem::offset_of;

/// A function with more handlers than this is left to the optimizing compiler: each call has those of all scopes around it.
const MAX_HANDLERS: usize = 1 << 20;

/// A clause of an open `try_table`.
#[derive(Copy, Clone)]
pub(super) struct Clause {
    /// The tag that it catches; none catches all.
    tag: Option<TagIndex>,
    /// Whether it passes on the exception itself.
    with_exn: bool,
    /// Index of the frame that it leads to.
    target: usize,
    /// Where exceptions land that it catches.
    landing: Label,
    /// Whether a call has a handler for it.
    used: bool,
}

/// Open `try_table`s.
#[derive(Default)]
pub(super) struct Scopes {
    /// The clauses, those of inner ones last.
    clauses: Vec<Clause>,
    /// Where the clauses of each begin.
    starts: Vec<usize>,
    /// The clauses that can match, in the order in which they are tried.
    order: Vec<usize>,
}

impl Scopes {
    pub(super) fn clear(&mut self) {
        self.clauses.clear();
        self.starts.clear();
        self.order.clear();
    }

    /// Finds the clauses that can match.
    fn find_order(&mut self) {
        self.order.clear();
        let mut end = self.clauses.len();
        for &start in self.starts.iter().rev() {
            for i in start..end {
                let tag = self.clauses[i].tag;
                let shadowed = |&earlier: &usize| self.clauses[earlier].tag == tag;
                if tag.is_some() && self.order.iter().any(shadowed) {
                    continue;
                }
                self.order.push(i);
                if tag.is_none() {
                    return;
                }
            }
            end = start;
        }
    }
}

/// More open clauses than this are left to the optimizing compiler.
const MAX_CLAUSES: usize = 1 << 10;

impl<M: Machine> Compiler<'_, M> {
    pub(super) fn begin_try(&mut self) {
        let (sig, params, results) = self.block_type();
        let start = self.s.scopes.clauses.len();
        let count = self.leb_u32();
        for _ in 0..count {
            let kind = self.byte();
            let tag = (kind < 2).then(|| TagIndex::from_u32(self.leb_u32()));
            let depth = self.leb_u32();
            let Some(target) = self.frame_at(depth) else {
                return;
            };
            if kind > 3 || self.s.scopes.clauses.len() >= MAX_CLAUSES {
                return self.unsupported("very many clauses");
            }
            let landing = self.b.label();
            self.s.scopes.clauses.push(Clause {
                tag,
                with_exn: kind & 1 != 0,
                target,
                landing,
                used: false,
            });
        }
        self.s.scopes.starts.push(start);
        self.s.scopes.find_order();
        self.flush(params);
        self.push_frame(Kind::Try, sig, params, results);
    }

    /// Ends a scope, with the code where its exceptions land.
    pub(super) fn end_try(&mut self, frame: &Frame) {
        let Some(start) = self.s.scopes.starts.pop() else {
            self.fail(malformed());
            return;
        };
        let clauses: Vec<Clause> = self.s.scopes.clauses.drain(start..).collect();
        self.s.scopes.find_order();
        if !clauses.iter().any(|c| c.used) {
            return;
        }
        if self.reachable {
            self.branch(self.s.frames.len() - 1);
        }
        for clause in clauses.iter().filter(|c| c.used) {
            self.drop_to(frame.height());
            self.land(clause);
        }
        self.drop_to(frame.height());
    }

    /// Where an exception lands: what the branch takes along is in the exception.
    fn land(&mut self, clause: &Clause) {
        // As after any call.
        let state = State {
            saved: (1 << self.s.float_pins.len()) - 1,
            ..State::default()
        };
        self.bind(clause.landing, &state);
        let exn = M::EXCEPTION;
        self.take_gpr(exn);
        self.take_fuel();
        M::extend(&mut self.b, Extend::U32, Size::S64, exn, Src::Reg(exn));
        if let Some(tag) = clause.tag {
            self.push_payload(exn, tag);
        }
        if clause.with_exn {
            self.push_gpr(ValRepr::GcRef, exn);
        } else {
            self.free_gpr(exn);
        }
        self.branch(clause.target);
    }

    /// Pushes the values that an exception with this tag carries.
    fn push_payload(&mut self, exn: Gpr, tag: TagIndex) {
        let ty = self.module.tags()[tag].func;
        let layout = self.fields(ty);
        let params = &self.module.type_as_func(ty).params;
        for (param, &(offset, _)) in params.iter().zip(&layout.fields) {
            let from = Address {
                base: M::SCRATCH,
                index: Some(exn),
                disp: offset as i32,
            };
            let storage = StorageType::Val(*param);
            self.push_stored(&storage, false, from, &[], Trap::GcHeapCorrupt);
        }
    }

    /// Records the handlers of a call that returns here.
    pub(super) fn record_handlers(&mut self) {
        let scopes = &mut self.s.scopes;
        if scopes.clauses.is_empty() {
            return;
        }
        for &i in &scopes.order {
            let clause = &mut scopes.clauses[i];
            clause.used = true;
            self.t.handler(&Handler {
                code_offset: self.b.at(),
                kind: clause.tag.map_or(HandlerKind::All, HandlerKind::Tag),
                landing: clause.landing.number(),
                sp_below_fp: 0,
                context: ContextPlace::BelowFp(-super::entry::CONTEXT_DISP as u32),
            });
        }
        if self.t.handler_count() > MAX_HANDLERS {
            self.unsupported("very many handlers");
        }
    }

    pub(super) fn throw(&mut self) {
        let tag = TagIndex::from_u32(self.leb_u32());
        let ty = self.module.tags()[tag].func;
        let layout = self.fields(ty);
        let storages = layout.fields.iter().map(|f: &(u32, GcStorage)| f.1);
        self.store_forms(storages);
        let exn = self.alloc_object(ty, ObjectSize::Fixed(layout.size), Length::Number(0));
        let address = self.object_address(exn);
        self.load_tag_number(M::SCRATCH, tag);
        let to = Address::new(address, EXN_TAG as i32);
        M::store(&mut self.b, Store::I32, to, Src::Reg(M::SCRATCH));
        for &(offset, storage) in layout.fields.iter().rev() {
            let value = self.pop();
            let to = Address::new(address, offset as i32);
            self.store_stored(value, storage, to, None);
        }
        self.free_gpr(address);
        self.throw_exception(exn);
    }

    /// Loads the number of a tag in the store.
    fn load_tag_number(&mut self, dst: Gpr, tag: TagIndex) {
        self.use_context();
        let mut at = match self.module.defined_tag(tag) {
            Some(defined) => Address::new(M::CONTEXT, self.layout.tag(defined) as i32),
            None => {
                let import = self.layout.tag_import(tag);
                let from = import + offset_of!(VmTagImport, from) as u32;
                self.load_context_field(dst, from);
                Address::new(dst, 0)
            }
        };
        at.disp += offset_of!(VmTag, id) as i32;
        M::load(&mut self.b, Load::U32, dst, at);
    }

    pub(super) fn throw_ref(&mut self) {
        let value = self.pop();
        let exn = self.own_gpr(value);
        self.trap_if_zero(exn, Size::S32, Trap::NullReference);
        self.throw_exception(exn);
    }

    /// Throws an exception that is not null.
    fn throw_exception(&mut self, exn: Gpr) {
        self.throwing = true;
        self.builtin(Builtin::ThrowRef, &[super::environment::Arg::Reg(exn)]);
        self.throwing = false;
        // Not reached.
        M::trap(&mut self.b);
        self.reachable = false;
    }
}
