//! Exceptions: throwing them, and the scopes that catch them.
//!
//! The one idea: the clauses of all open `try_table`s are one list. A call inside of any becomes a `try_call` whose exception table
//! lists the clauses that can match, from the inside out; where one leads there is a landing block per clause, written when its
//! `try_table` ends, which reads the exception and branches to the clause's label. Nothing happens where nothing is thrown.

use super::environment::Region;
use super::heap::{Extend, Size};
use super::known_address::Mark;
use super::{Result, Translator};
use crate::types::{PTR, Repr, UNREACHED, throw_signature};
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExceptionTable, ExceptionTableData, ExceptionTableItem,
    ExceptionTag, InstBuilder, SigRef, Value,
};
use hashbrown::HashSet;
use meantime_abi::{
    Builtin, EXN_TAG, StorageType, TagIndex, Trap, TypeIndex, ValType, VmTag, VmTagImport,
};
use smallvec::SmallVec;
use std::mem::offset_of;
use wasmparser::{Catch, Operator};

/// More entries of exception tables than this in one function are refused: each call has those of all scopes around it.
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
    /// Where calls continue that it catches an exception of, once there was one.
    landing: Option<Block>,
}

/// Open `try_table`s.
#[derive(Default)]
pub(super) struct Scopes {
    /// The clauses, those of inner ones last.
    clauses: Vec<Clause>,
    /// Where the clauses of each begin.
    starts: Vec<usize>,
    /// The clauses that can match, in the order in which they are tried, once there was a call since this last changed.
    order: Option<Vec<usize>>,
    /// How many handlers were made.
    handlers: usize,
}

impl Scopes {
    pub(super) fn clear(&mut self) {
        self.clauses.clear();
        self.starts.clear();
        self.order = None;
        self.handlers = 0;
    }

    /// Indices of all clauses, in the order in which they are tried.
    fn inside_out(&self) -> impl Iterator<Item = usize> {
        let ends = self.starts.iter().skip(1).copied();
        let ends = ends.chain([self.clauses.len()]).rev();
        let starts = self.starts.iter().rev().copied();
        starts.zip(ends).flat_map(|(start, end)| start..end)
    }

    /// The clauses that can match, and the work that finding them was.
    fn order(&self) -> (Vec<usize>, usize) {
        let mut seen = HashSet::new();
        let mut order = Vec::new();
        let mut work = 0;
        for i in self.inside_out() {
            work += 1;
            match self.clauses[i].tag {
                Some(tag) if !seen.insert(tag) => {}
                Some(_) => order.push(i),
                None => {
                    order.push(i);
                    break;
                }
            }
        }
        (order, work)
    }
}

impl Translator<'_> {
    pub(super) fn exception(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::Throw { tag_index } => self.throw(TagIndex::from_u32(tag_index))?,
            Operator::ThrowRef => {
                let exn = self.pop();
                self.trap_unless(exn, Trap::NullReference);
                self.throw_ref(exn)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Opens a scope. Its frame is not open yet: labels count from outside of it.
    pub(super) fn push_scope(&mut self, catches: &[Catch]) {
        let start = self.s.scopes.clauses.len();
        for catch in catches {
            let (tag, label, with_exn) = match *catch {
                Catch::One { tag, label } => (Some(tag), label, false),
                Catch::OneRef { tag, label } => (Some(tag), label, true),
                Catch::All { label } => (None, label, false),
                Catch::AllRef { label } => (None, label, true),
            };
            let clause = Clause {
                tag: tag.map(TagIndex::from_u32),
                with_exn,
                target: self.frame_at(label),
                landing: None,
            };
            self.keeps_exceptions |= with_exn;
            self.s.scopes.clauses.push(clause);
        }
        self.s.scopes.starts.push(start);
        self.s.scopes.order = None;
    }

    /// Closes the innermost scope and writes its landing blocks. The current block has ended.
    pub(super) fn pop_scope(&mut self) -> Result<()> {
        let start = self.s.scopes.starts.pop().expect("inside a try_table");
        self.s.scopes.order = None;
        let clauses: SmallVec<[Clause; 4]> = self.s.scopes.clauses.drain(start..).collect();
        for clause in clauses {
            if let Some(block) = clause.landing {
                self.landing(&clause, block);
                // One operator, but as much code as there are clauses with large exceptions.
                self.check_size()?;
            }
        }
        Ok(())
    }

    /// Whether the innermost scope has landing blocks to write.
    pub(super) fn scope_has_landings(&self) -> bool {
        let scopes = &self.s.scopes;
        let start = scopes.starts.last().copied().unwrap_or(0);
        scopes.clauses[start..].iter().any(|c| c.landing.is_some())
    }

    /// Whether a call here is in the scope of a clause.
    pub(super) fn in_scope(&self) -> bool {
        !self.s.scopes.clauses.is_empty()
    }

    /// Where a call continues that a clause catches an exception of: the operands of the branch are in the exception.
    fn landing(&mut self, clause: &Clause, block: Block) {
        self.enter(block);
        self.s.join(Mark::default());
        self.after_throw();
        let word = self.b.block_params(block)[0];
        let exn = self.b.ins().ireduce(I32, word);
        self.b.declare_value_needs_stack_map(exn);
        let height = self.s.stack.len();
        if let Some(tag) = clause.tag {
            self.landing = true;
            self.push_payload(exn, tag);
            self.landing = false;
        }
        if clause.with_exn {
            self.push(exn);
        }
        self.before_caught(clause.target);
        self.branch_to(clause.target);
        self.s.stack.truncate(height);
    }

    /// Pushes the values that an exception with this tag carries.
    fn push_payload(&mut self, exn: Value, tag: TagIndex) {
        let ty = self.module.tags()[tag].func;
        let layout = self.fields(ty);
        let params = &self.module.type_as_func(ty).params;
        for (i, (param, &(offset, _))) in params.iter().zip(&layout.fields).enumerate() {
            let flags = self.heap_flags(Region::GcField(i as u32), Some(Trap::GcHeapCorrupt));
            let address = self.heap_address(exn);
            let storage = StorageType::Val(*param);
            let offset = offset as i32;
            let value = self.load_stored(flags, &storage, Extend::Unsigned, address, offset);
            self.push(value);
        }
    }

    /// The clauses that can match, in the order in which they are tried: to be put back. Counts how often they are gone through.
    fn take_order(&mut self) -> Result<Vec<usize>> {
        let scopes = &mut self.s.scopes;
        let order = match scopes.order.take() {
            Some(order) => order,
            None => {
                let (order, work) = scopes.order();
                scopes.handlers += work;
                order
            }
        };
        scopes.handlers += order.len();
        if scopes.handlers > MAX_HANDLERS {
            return Err(self.error("a function is too large to be compiled"));
        }
        Ok(order)
    }

    /// What a call with this signature in a scope continues with: an exception table with the normal continuation, and that. The callee returns
    /// something else `before` the results.
    pub(super) fn exception_table(
        &mut self,
        signature: SigRef,
        before: usize,
        results: &[ValType],
    ) -> Result<(ExceptionTable, Block)> {
        let order = self.take_order()?;
        let mut items = Vec::with_capacity(order.len() + 1);
        items.push(ExceptionTableItem::Context(self.context));
        for &i in &order {
            let call = self.landing_call(i);
            items.push(match self.s.scopes.clauses[i].tag {
                Some(tag) => ExceptionTableItem::Tag(ExceptionTag::from_u32(tag.as_u32()), call),
                None => ExceptionTableItem::Default(call),
            });
        }
        self.s.scopes.order = Some(order);

        let next = self.b.create_block();
        for ty in results {
            let Repr { ty, gc } = ty.repr().into();
            let value = self.b.append_block_param(next, ty);
            if gc {
                self.b.declare_value_needs_stack_map(value);
            }
        }
        let args = (0..results.len()).map(|i| BlockArg::TryCallRet((before + i) as u32));
        let lists = &mut self.b.func.dfg.value_lists;
        let normal = BlockCall::new(next, args, lists);
        let table = ExceptionTableData::new(signature, normal, items);
        Ok((self.b.func.dfg.exception_tables.push(table), next))
    }

    /// The branch to a clause's landing block.
    fn landing_call(&mut self, clause: usize) -> BlockCall {
        let block = match self.s.scopes.clauses[clause].landing {
            Some(block) => block,
            None => {
                let block = self.b.create_block();
                self.b.set_cold_block(block);
                self.b.append_block_param(block, PTR);
                self.s.scopes.clauses[clause].landing = Some(block);
                block
            }
        };
        let args = [BlockArg::TryCallExn(0)];
        BlockCall::new(block, args, &mut self.b.func.dfg.value_lists)
    }

    fn throw(&mut self, tag: TagIndex) -> Result<()> {
        let Some(clause) = self.caught(tag)? else {
            let exn = self.new_exception(tag, false);
            return self.throw_ref(exn);
        };
        // No more than a branch. Without a reference to it, nobody sees the exception itself.
        let keep = clause.tag.is_some();
        if clause.with_exn {
            let exn = self.new_exception(tag, keep);
            self.push(exn);
        } else if !keep {
            let top = self.top(self.payload_len(tag));
            self.s.stack.truncate(top);
        }
        self.before_caught(clause.target);
        self.branch_to(clause.target);
        Ok(())
    }

    fn payload_len(&self, tag: TagIndex) -> usize {
        let ty = self.module.tags()[tag].func;
        self.module.type_as_func(ty).params.len()
    }

    /// The clause that catches what is thrown here, where that is known.
    fn caught(&mut self, thrown: TagIndex) -> Result<Option<Clause>> {
        let module = self.module;
        let imported = |tag| module.defined_tag(tag).is_none();
        let order = self.take_order()?;
        let mut clauses = order.iter().map(|&i| self.s.scopes.clauses[i]);
        // Two imports may be the same tag. Two of which one is defined here are not.
        let first = clauses.find(|clause| match clause.tag {
            None => true,
            Some(tag) => tag == thrown || (imported(tag) && imported(thrown)),
        });
        self.s.scopes.order = Some(order);
        Ok(first.filter(|clause| clause.tag.is_none_or(|tag| tag == thrown)))
    }

    /// Makes an exception of the topmost operands, which stay when they are to be kept.
    fn new_exception(&mut self, tag: TagIndex, keep: bool) -> Value {
        let ty: TypeIndex = self.module.tags()[tag].func;
        let layout = self.fields(ty);
        let top = self.top(layout.fields.len());
        let mut values = SmallVec::<[Value; 8]>::new();
        for (i, &(_, storage)) in layout.fields.iter().enumerate() {
            // Before there is an object: this may call the runtime.
            values.push(self.stored_form(self.s.stack[top + i], storage));
        }
        if !keep {
            self.s.stack.truncate(top);
        }
        let id = self.tag_id(tag);
        let exn = self.alloc(ty, Size::Fixed(layout.size), None);
        let address = self.heap_address(exn);
        let flags = self.heap_flags(Region::GcHeader, None);
        self.b.ins().store(flags, id, address, EXN_TAG as i32);
        for (i, (&(offset, storage), value)) in layout.fields.iter().zip(values).enumerate() {
            let flags = self.heap_flags(Region::GcField(i as u32), None);
            self.store_stored(flags, storage, value, address, offset as i32);
        }
        exn
    }

    /// The number of a tag in the store.
    fn tag_id(&mut self, tag: TagIndex) -> Value {
        let (base, at) = match self.module.defined_tag(tag) {
            Some(defined) => (self.context, self.layout.tag(defined)),
            None => {
                let import = self.layout.tag_import(tag);
                let from = import + offset_of!(VmTagImport, from) as u32;
                (self.context_pointer(from), 0)
            }
        };
        let flags = self.constant_place(Region::Context);
        let offset = at as i32 + offset_of!(VmTag, id) as i32;
        self.b.ins().load(I32, flags, base, offset)
    }

    /// Throws an exception that is not null, and has what follows skipped.
    fn throw_ref(&mut self, exn: Value) -> Result<()> {
        if self.s.scopes.clauses.is_empty() {
            self.builtin(Builtin::ThrowRef, &[exn]);
        } else {
            // Not the signature of other builtins: a scope gets back no register as it was.
            let signature = throw_signature();
            let signature = self.b.import_signature(signature);
            let code = self.builtin_code(Builtin::ThrowRef);
            let (table, next) = self.exception_table(signature, 0, &[])?;
            let args = [self.context, exn];
            self.b.ins().try_call_indirect(code, &args, table);
            self.b.set_cold_block(next);
            self.enter(next);
        }
        self.b.ins().trap(UNREACHED);
        self.reachable = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(tables: &[&[Option<u32>]]) -> Scopes {
        let mut scopes = Scopes::default();
        for clauses in tables {
            scopes.starts.push(scopes.clauses.len());
            scopes.clauses.extend(clauses.iter().map(|tag| Clause {
                tag: tag.map(TagIndex::from_u32),
                with_exn: false,
                target: 0,
                landing: None,
            }));
        }
        scopes
    }

    #[test]
    fn clauses_are_tried_from_the_inside_out() {
        let tables: &[&[_]] = &[&[Some(1), Some(2)], &[], &[Some(3), Some(1)]];
        assert_eq!(scopes(tables).order(), (vec![2, 3, 1], 4));
    }

    #[test]
    fn nothing_is_tried_after_what_catches_all() {
        let tables: &[&[_]] = &[&[Some(1)], &[Some(2), None, Some(3)], &[Some(4)]];
        assert_eq!(scopes(tables).order(), (vec![4, 1, 2], 3));
        assert_eq!(scopes(&[]).order(), (vec![], 0));
    }
}
