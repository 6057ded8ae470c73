//! Tests and casts of references, and branches on them.
//!
//! The one idea: every one of these instructions is a branch to one of two places, by null, by the reference's lowest bits and by
//! the type in the object's header, in this order and as far as needed. Subtyping takes constant time: an object's type lists its
//! supertypes by depth, and the target's depth is known.

use super::control::Args;
use super::environment::Region;
use super::{Result, Translator};
use crate::types::{PTR, heap_type};
use cranelift_codegen::ir::types::I32;
use cranelift_codegen::ir::{Block, InstBuilder, Value, condcodes::IntCC};
use meantime_abi::{
    Builtin, CompositeKind, GcBits, HeapType, Trap, TypeId, TypeIndex, VmFuncRef, VmGcType,
    VmStoreContext,
};
use std::mem::offset_of;
use wasmparser::{self as wp, Operator};

/// A type that references are tested for, and what is known of them.
#[derive(Copy, Clone)]
struct Test {
    heap: HeapType,
    /// Whether null passes.
    nullable: bool,
    /// Whether what is tested is null or an object for certain.
    is_object: bool,
    /// What a fault of the first access to the object means, where it is accessed without knowing that it is not null.
    null: Option<Trap>,
}

/// Where a test leads.
struct Edge {
    block: Block,
    args: Args,
}

impl Edge {
    fn new(block: Block) -> Edge {
        Edge {
            block,
            args: Args::new(),
        }
    }
}

impl Translator<'_> {
    pub(super) fn cast(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::RefTestNonNull { hty } => self.ref_test(hty, false)?,
            Operator::RefTestNullable { hty } => self.ref_test(hty, true)?,
            Operator::RefCastNonNull { hty } => self.ref_cast(hty, false)?,
            Operator::RefCastNullable { hty } => self.ref_cast(hty, true)?,
            Operator::BrOnCast {
                relative_depth,
                from_ref_type,
                to_ref_type,
            } => self.br_on_cast(relative_depth, from_ref_type, to_ref_type, true)?,
            Operator::BrOnCastFail {
                relative_depth,
                from_ref_type,
                to_ref_type,
            } => self.br_on_cast(relative_depth, from_ref_type, to_ref_type, false)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn heap_type(&self, ty: wp::HeapType) -> Result<HeapType> {
        let known = heap_type(self.module, ty);
        known.ok_or_else(|| self.error(format!("heap type {ty:?} is not supported")))
    }

    fn ref_test(&mut self, ty: wp::HeapType, nullable: bool) -> Result<()> {
        let heap = self.heap_type(ty)?;
        let value = self.pop();
        let result = match self.test_bits(value, &heap, nullable) {
            Some(passes) => self.b.ins().uextend(I32, passes),
            None => {
                let done = self.b.create_block();
                let result = self.b.append_block_param(done, I32);
                let [no, yes] = [0, 1].map(|n| {
                    let n = self.b.ins().iconst(I32, n);
                    Edge {
                        block: done,
                        args: Args::from_slice(&[n.into()]),
                    }
                });
                let test = Test {
                    heap,
                    nullable,
                    is_object: false,
                    null: None,
                };
                self.branch_on_type(value, &test, &yes, &no);
                self.enter(done);
                result
            }
        };
        self.push(result);
        Ok(())
    }

    fn ref_cast(&mut self, ty: wp::HeapType, nullable: bool) -> Result<()> {
        let heap = self.heap_type(ty)?;
        let value = self.peek();
        if let Some(passes) = self.test_bits(value, &heap, nullable) {
            self.trap_unless(passes, Trap::CastFailure);
            return Ok(());
        }
        let [yes, no] = [(); 2].map(|()| Edge::new(self.b.create_block()));
        self.b.set_cold_block(no.block);
        let test = Test {
            heap,
            nullable,
            is_object: false,
            null: (!nullable && self.signals()).then_some(Trap::CastFailure),
        };
        self.branch_on_type(value, &test, &yes, &no);
        self.enter(no.block);
        self.trap(Trap::CastFailure);
        self.enter(yes.block);
        Ok(())
    }

    /// Branches when the cast succeeds (`when`) or fails, with the reference as the last operand; goes on with it otherwise.
    fn br_on_cast(
        &mut self,
        depth: u32,
        from: wp::RefType,
        to: wp::RefType,
        when: bool,
    ) -> Result<()> {
        let from_heap = self.heap_type(from.heap_type())?;
        let heap = self.heap_type(to.heap_type())?;
        let nullable = to.is_nullable();
        let value = self.peek();
        if let Some(passes) = self.test_bits(value, &heap, nullable) {
            self.br_if(passes, depth, when);
            return Ok(());
        }
        let (block, args) = self.branch_edge(depth);
        let taken = Edge { block, args };
        let next = Edge::new(self.b.create_block());
        let test = Test {
            heap,
            nullable,
            is_object: is_object(&from_heap),
            null: None,
        };
        if when {
            self.branch_on_type(value, &test, &taken, &next);
        } else {
            self.branch_on_type(value, &test, &next, &taken);
        }
        self.enter(next.block);
        Ok(())
    }

    /// The outcome of a test that needs to look at nothing but the reference.
    fn test_bits(&mut self, value: Value, heap: &HeapType, nullable: bool) -> Option<Value> {
        let ty = self.type_of(value);
        match heap {
            HeapType::Any | HeapType::Extern | HeapType::Exn | HeapType::Func => {
                let zero = self.b.ins().iconst(ty, 0);
                // Every value passes, except null where it does not.
                let cc = if nullable {
                    IntCC::UnsignedGreaterThanOrEqual
                } else {
                    IntCC::NotEqual
                };
                Some(self.b.ins().icmp(cc, value, zero))
            }
            HeapType::None | HeapType::NoExtern | HeapType::NoExn | HeapType::NoFunc => {
                let zero = self.b.ins().iconst(ty, 0);
                // Nothing but null does, and nothing at all where null does not.
                let cc = if nullable {
                    IntCC::Equal
                } else {
                    IntCC::UnsignedLessThan
                };
                Some(self.b.ins().icmp(cc, value, zero))
            }
            HeapType::I31 => {
                let bit = self.low_bits(value, GcBits::I31);
                let zero = self.b.ins().iconst(I32, 0);
                let is_i31 = self.b.ins().icmp(IntCC::NotEqual, bit, zero);
                Some(self.or_null(is_i31, value, nullable))
            }
            HeapType::Eq => {
                let bits = self.low_bits(value, GcBits::NOT_OBJECT);
                let host = self.b.ins().iconst(I32, i64::from(GcBits::HOST));
                let is_eq = self.b.ins().icmp(IntCC::NotEqual, bits, host);
                if nullable {
                    return Some(is_eq);
                }
                let null = self.b.ins().iconst(I32, 0);
                let some = self.b.ins().icmp(IntCC::NotEqual, value, null);
                Some(self.b.ins().band(is_eq, some))
            }
            HeapType::Struct | HeapType::Array | HeapType::Concrete(..) => None,
        }
    }

    fn or_null(&mut self, passes: Value, value: Value, nullable: bool) -> Value {
        if !nullable {
            return passes;
        }
        let null = self.b.ins().iconst(I32, 0);
        let is_null = self.b.ins().icmp(IntCC::Equal, value, null);
        self.b.ins().bor(passes, is_null)
    }

    fn low_bits(&mut self, value: Value, mask: u32) -> Value {
        let mask = self.b.ins().iconst(I32, i64::from(mask));
        self.b.ins().band(value, mask)
    }

    fn branch(&mut self, condition: Value, yes: &Edge, no: &Edge) {
        let (then, otherwise) = (yes.block, no.block);
        self.b
            .ins()
            .brif(condition, then, &yes.args, otherwise, &no.args);
    }

    /// Goes on in a new block when the condition holds, else to the edge.
    fn go_on_if(&mut self, condition: Value, otherwise: &Edge) {
        let next = Edge::new(self.b.create_block());
        self.branch(condition, &next, otherwise);
        self.enter(next.block);
    }

    /// Goes on in a new block when the condition does not hold, else to the edge.
    fn go_on_unless(&mut self, condition: Value, then: &Edge) {
        let next = Edge::new(self.b.create_block());
        self.branch(condition, then, &next);
        self.enter(next.block);
    }

    /// Branches by whether a reference has a type that is in its header. Ends the block; both places are sealed by others.
    fn branch_on_type(&mut self, value: Value, test: &Test, yes: &Edge, no: &Edge) {
        let null = if test.nullable { yes } else { no };
        if test.null.is_none() {
            self.go_on_if(value, null);
        }
        match test.heap {
            HeapType::Concrete(CompositeKind::Func, ty) => {
                self.branch_on_func(value, ty, test, yes, no)
            }
            HeapType::Concrete(_, ty) => {
                let actual = self.object_type(value, test, no);
                self.branch_on_object(actual, ty, yes, no);
            }
            HeapType::Struct => self.branch_on_kind(value, VmGcType::KIND_STRUCT, test, yes, no),
            HeapType::Array => self.branch_on_kind(value, VmGcType::KIND_ARRAY, test, yes, no),
            _ => unreachable!("the bits of the reference suffice"),
        }
    }

    fn branch_on_func(&mut self, func: Value, ty: TypeIndex, test: &Test, yes: &Edge, no: &Edge) {
        let flags = self.trusted(Region::FuncRefs).with_readonly();
        let flags = match test.null {
            Some(trap) => flags.with_trap_code(Some(crate::types::trap_code(trap))),
            None => flags,
        };
        let offset = offset_of!(VmFuncRef, type_id) as i32;
        let actual = self.b.ins().load(I32, flags, func, offset);
        let expected = self.type_id(ty);
        let equal = self.b.ins().icmp(IntCC::Equal, actual, expected);
        if self.module.types()[ty].is_final {
            self.branch(equal, yes, no);
            return;
        }
        self.go_on_unless(equal, yes);
        self.branch_by_runtime(actual, expected, yes, no);
    }

    fn branch_by_runtime(&mut self, actual: Value, expected: Value, yes: &Edge, no: &Edge) {
        let is_subtype = self.builtin(Builtin::IsSubtype, &[actual, expected]);
        let is_subtype = is_subtype.expect("the builtin has a result");
        self.branch(is_subtype, yes, no);
    }

    /// The type of what is an object; goes to `no` with what is something else.
    fn object_type(&mut self, value: Value, test: &Test, no: &Edge) -> Value {
        if !test.is_object {
            let bits = self.low_bits(value, GcBits::NOT_OBJECT);
            self.go_on_unless(bits, no);
        }
        let fault = test.null.unwrap_or(Trap::GcHeapCorrupt);
        self.load_type_id(value, fault)
    }

    fn branch_on_object(&mut self, actual: Value, ty: TypeIndex, yes: &Edge, no: &Edge) {
        let expected = self.type_id(ty);
        let equal = self.b.ins().icmp(IntCC::Equal, actual, expected);
        if self.module.types()[ty].is_final {
            self.branch(equal, yes, no);
            return;
        }
        self.go_on_unless(equal, yes);
        let depth = self.depth(ty);
        if depth >= VmGcType::DISPLAY {
            self.branch_by_runtime(actual, expected, yes, no);
            return;
        }
        let offset = offset_of!(VmGcType, display) + depth * size_of::<TypeId>();
        let found = self.load_gc_type(actual, offset, no);
        let equal = self.b.ins().icmp(IntCC::Equal, found, expected);
        self.branch(equal, yes, no);
    }

    fn branch_on_kind(&mut self, value: Value, kind: u32, test: &Test, yes: &Edge, no: &Edge) {
        let actual = self.object_type(value, test, no);
        let found = self.load_gc_type(actual, offset_of!(VmGcType, kind), no);
        let kind = self.number(kind);
        let equal = self.b.ins().icmp(IntCC::Equal, found, kind);
        self.branch(equal, yes, no);
    }

    /// 32 bits of what is known of a type; goes to `no` when nothing is.
    fn load_gc_type(&mut self, id: Value, offset: usize, no: &Edge) -> Value {
        let store = self.store_context();
        let flags = self.trusted(Region::Store);
        let len = offset_of!(VmStoreContext, gc_types_len) as i32;
        let len = self.b.ins().load(I32, flags, store, len);
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, id, len);
        self.go_on_if(inside, no);
        let types = self.load_store_field(store, offset_of!(VmStoreContext, gc_types) as i32);
        let id = self.b.ins().uextend(PTR, id);
        let shift = size_of::<VmGcType>().trailing_zeros();
        let shift = self.b.ins().iconst(PTR, i64::from(shift));
        let at = self.b.ins().ishl(id, shift);
        let at = self.b.ins().iadd(types, at);
        self.b.ins().load(I32, flags, at, offset as i32)
    }

    /// How many supertypes a type has. The validator allows few.
    fn depth(&self, ty: TypeIndex) -> usize {
        let types = self.module.types();
        let supertypes = std::iter::successors(types[ty].supertype, |ty| types[*ty].supertype);
        supertypes.take(VmGcType::DISPLAY).count()
    }
}

/// Whether every reference of this heap type that is not null is an object.
fn is_object(heap: &HeapType) -> bool {
    matches!(
        heap,
        HeapType::Struct
            | HeapType::Array
            | HeapType::Concrete(CompositeKind::Struct | CompositeKind::Array, _)
    )
}
