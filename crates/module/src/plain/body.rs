//! The walk over a body.
//!
//! The one idea: the operands of all blocks are on one stack, at whose bottom lie two bytes that are no type; a block knows where its own begin. After
//! a branch that is always taken there are as many more of whatever type is wanted.
//!
//! Operators that are only what their row says are walked over without telling them apart: eight bytes are read at once, and whatever is unusual in any way
//! is found by one comparison and looked at again, with care.

use super::table::{Class, LOCALS, ONE_BYTE, ROWS, Row, TRUNCATIONS};
use super::*;

/// Bytes at the bottom of the stack that no block owns, so that two can always be read.
const BOTTOM: usize = 2;
/// How many operands there can be; with more, nothing is known. A power of two, so that places in the stack need no other check.
pub(super) const DEPTH: usize = 1 << 10;
/// Below which place plain operators push.
const MAX_PLACE: usize = DEPTH - 1;
/// Opcodes of what is not told apart by a table.
const BLOCK: u8 = 0x02;
const LOOP: u8 = 0x03;
const IF: u8 = 0x04;
const ELSE: u8 = 0x05;
const END: u8 = 0x0b;
const BR: u8 = 0x0c;
const BR_IF: u8 = 0x0d;
const LOCAL_GET: u8 = 0x20;
const LOCAL_SET: u8 = 0x21;
const LOCAL_TEE: u8 = 0x22;
/// Constants come in the order of their types.
const I32_CONST: u8 = 0x41;
const I64_CONST: u8 = 0x42;
/// The type of a block without parameters and results.
const EMPTY: u8 = 0x40;
/// How many locals a function can have: an implementation limit of the full validator.
const MAX_LOCALS: usize = 50_000;
/// How many may be listed for a small body: to declare them takes a few bytes, to list them as many as they are.
const MAX_LOCALS_FOR_FREE: usize = 256;

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Kind {
    Block,
    Loop,
    If,
    TryTable,
}

/// A block that is open.
#[derive(Copy, Clone, Debug)]
pub(super) struct Frame {
    kind: Kind,
    ty: Signature,
    /// Where its operands begin.
    base: usize,
    /// Whether what follows cannot be reached.
    unreachable: bool,
}

/// See the module. All of it ends with `None` where the validity is not known.
pub(super) struct Walk<'a> {
    plain: &'a Plain,
    code: &'a [u8],
    at: usize,
    stack: &'a mut [Code; DEPTH + 1],
    top: usize,
    /// All types, and then those of the locals.
    types: &'a mut Vec<Code>,
    frames: &'a mut Vec<Frame>,
    /// Of the innermost block.
    base: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        plain: &'a Plain,
        scratch: &'a mut Scratch,
        ty: Signature,
        code: &'a [u8],
    ) -> Walk<'a> {
        let Scratch {
            stack,
            types,
            frames,
        } = scratch;
        let stack = &mut stack.0;
        frames.clear();
        frames.push(Frame {
            kind: Kind::Block,
            ty,
            base: BOTTOM,
            unreachable: false,
        });
        types.clear();
        types.extend(0..LOCALS);
        types.extend_from_slice(&plain.codes[ty.params.range()]);
        Walk {
            plain,
            code,
            at: 0,
            stack,
            top: BOTTOM,
            types,
            frames,
            base: BOTTOM,
        }
    }

    pub(super) fn run(mut self) -> Option<()> {
        self.declare_locals()?;
        loop {
            let row = self.plain_operators()?;
            self.at += 1;
            match row.class {
                Class::End => {
                    if self.end()? {
                        return (self.at == self.code.len()).then_some(());
                    }
                }
                class => self.other(class, row)?,
            }
        }
    }

    /// Walks over plain operators, up to one that is something else or unusual: its row.
    #[inline(always)]
    fn plain_operators(&mut self) -> Option<&'static Row> {
        let rows = &ROWS[usize::from(self.plain.memory)];
        let code = self.code;
        let (stack, types, frames) = (&mut *self.stack, &self.types[..], &mut *self.frames);
        let plain = self.plain;
        let globals = &plain.globals[..];
        let mut place = Place {
            rest: code.get(self.at..)?,
            top: self.top,
            base: self.base,
        };
        let row = loop {
            // More than half of all operators are about locals or push small constants, and many others are control that takes no values along.
            while let Some(&[opcode, number @ ..0x80]) = place.rest.first_chunk()
                && place.top < MAX_PLACE
            {
                if let LOCAL_GET..=LOCAL_TEE = opcode {
                    let ty = *types.get(usize::from(LOCALS + number))?;
                    if opcode == LOCAL_GET {
                        place.push(stack, ty);
                    } else if place.ends_with(stack, ty) {
                        place.top -= usize::from(opcode == LOCAL_SET);
                    } else {
                        break;
                    }
                } else if let I32_CONST..=I64_CONST = opcode {
                    place.push(stack, opcode - I32_CONST + I32);
                } else {
                    break;
                }
                place.rest = place.rest.get(2..)?;
            }
            if let Some(&[opcode @ ..=BR_IF, next]) = place.rest.first_chunk()
                && place.control(opcode, next, stack, frames).is_some()
            {
                continue;
            }
            let Place { rest, top, base } = place;
            let word = match rest.first_chunk() {
                Some(bytes) => u64::from_le_bytes(*bytes),
                None => last_bytes(rest)?,
            };
            let row = &rows[usize::from(word as u8)];
            let number = (word >> row.shift) as u32;
            let stops = !number & row.stops;
            let below = (top - 2) % DEPTH;
            let found = u16::from_le_bytes([stack[below], stack[below + 1]]);
            let bottom = top.wrapping_sub(usize::from(row.pops));
            if stops == 0
                || (word >> 8) as u8 > row.max_align
                || found & row.mask != row.pattern
                || bottom < base
                || bottom >= MAX_PLACE
            {
                if place
                    .global(row.class, (word >> 8) as u8, globals, stack)
                    .is_some()
                {
                    continue;
                }
                if let Class::Call | Class::Const32 | Class::Access = row.class
                    && let Some(after) = place.long(row, word >> 8, plain, stack)
                {
                    place = after;
                    continue;
                }
                break row;
            }
            stack[bottom % DEPTH] = row.result;
            place.top = bottom + usize::from(row.pushes);
            // A branch that is mostly taken one way, so that where the next operator begins is known before how long this one's number is.
            let mut len = usize::from(row.bytes) + 1;
            if stops & ONE_BYTE == 0 {
                len += more_bytes(stops);
            }
            place.rest = rest.get(len..)?;
        };
        self.at = code.len() - place.rest.len();
        (self.top, self.base) = (place.top, place.base);
        Some(row)
    }

    /// An operator that is what its row says, with its parts one by one: a long number, or operands that are not there because the code cannot be
    /// reached.
    #[cold]
    fn unusual(&mut self, row: &Row) -> Option<()> {
        let mut ty = row.result;
        match row.class {
            Class::Access => self.memarg(row.max_align)?,
            Class::Bytes => self.at += usize::from(row.bytes),
            Class::Const32 => self.skip_signed::<32>()?,
            Class::Const64 => self.skip_signed::<64>()?,
            Class::Local => ty = self.local()?,
            _ => {}
        }
        let [lower, upper] = row.pattern.to_le_bytes();
        for operand in [upper | ty & row.local, lower]
            .into_iter()
            .take(row.pops.into())
        {
            self.pop(operand)?;
        }
        if row.pushes != 0 {
            self.push(ty)?;
        }
        Some(())
    }

    fn declare_locals(&mut self) -> Option<()> {
        for _ in 0..self.unsigned()? {
            let count = self.unsigned()? as usize;
            let ty = self.byte()?;
            let ty = self.value_type(ty)?;
            let len = self.types.len().saturating_add(count);
            let locals = len - usize::from(LOCALS);
            if locals > MAX_LOCALS || locals > MAX_LOCALS_FOR_FREE + self.code.len() {
                return None;
            }
            self.types.resize(len, ty);
        }
        Some(())
    }

    #[inline(always)]
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.code.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// An unsigned number of 32 bits.
    #[inline(always)]
    fn unsigned(&mut self) -> Option<u32> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u32::from(first));
        }
        self.long_unsigned(first)
    }

    fn long_unsigned(&mut self, first: u8) -> Option<u32> {
        let mut value = u32::from(first & 0x7f);
        for shift in [7, 14, 21] {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        let last = self.byte()?;
        (last < 0x10).then_some(value | u32::from(last) << 28)
    }

    /// Reads an unsigned number of 64 bits.
    fn skip_unsigned_64(&mut self) -> Option<()> {
        for _ in 0..9 {
            if self.byte()? < 0x80 {
                return Some(());
            }
        }
        (self.byte()? < 2).then_some(())
    }

    /// Reads a signed number.
    fn skip_signed<const BITS: u32>(&mut self) -> Option<()> {
        for _ in 0..BITS / 7 {
            if self.byte()? < 0x80 {
                return Some(());
            }
        }
        // The bits that are not part of the number repeat its sign.
        let sign = !0 << (BITS % 7 - 1) & 0x7f;
        let byte = self.byte()?;
        (byte < 0x80 && (byte & sign == 0 || byte & sign == sign)).then_some(())
    }

    #[inline(always)]
    fn push(&mut self, ty: Code) -> Option<()> {
        *self.stack.get_mut(self.top)? = ty;
        self.top += 1;
        Some(())
    }

    #[inline(always)]
    fn pop(&mut self, ty: Code) -> Option<()> {
        if self.top == self.base {
            return self.pop_unknown();
        }
        self.top -= 1;
        (self.stack[self.top] == ty).then_some(())
    }

    /// There is an operand of any type where the code cannot be reached.
    #[cold]
    fn pop_unknown(&mut self) -> Option<()> {
        self.frames.last()?.unreachable.then_some(())
    }

    fn local(&mut self) -> Option<Code> {
        let index = self.unsigned()? as usize;
        let place = index.checked_add(usize::from(LOCALS))?;
        self.types.get(place).copied()
    }

    /// The memory argument of an access of the first memory, if there is one.
    fn memarg(&mut self, max_align: u8) -> Option<()> {
        // A longer form, or one with another memory, is larger than any alignment.
        if self.byte()? > max_align {
            return None;
        }
        match self.plain.memory {
            I32 => self.unsigned().map(drop),
            I64 => self.skip_unsigned_64(),
            _ => None,
        }
    }

    #[inline]
    fn pop_all(&mut self, types: Span) -> Option<()> {
        match types.len() {
            0 => Some(()),
            1 => self.pop(*self.plain.codes.get(types.start as usize)?),
            _ => self.pop_several(types),
        }
    }

    fn pop_several(&mut self, types: Span) -> Option<()> {
        let types = &self.plain.codes[types.range()];
        let bottom = self.top.wrapping_sub(types.len());
        if bottom >= self.base && bottom <= self.top {
            self.top = bottom;
            return (self.stack[bottom..bottom + types.len()] == *types).then_some(());
        }
        types.iter().rev().try_for_each(|ty| self.pop(*ty))
    }

    #[inline]
    fn push_all(&mut self, types: Span) -> Option<()> {
        match types.len() {
            0 => Some(()),
            1 => self.push(self.plain.codes[types.start as usize]),
            _ => self.push_several(types),
        }
    }

    fn push_several(&mut self, types: Span) -> Option<()> {
        let types = &self.plain.codes[types.range()];
        let room = self.stack.get_mut(self.top..self.top + types.len())?;
        room.copy_from_slice(types);
        self.top += types.len();
        Some(())
    }

    /// What a branch to this block takes along.
    fn label(&self, depth: u32) -> Option<Span> {
        let index = self.frames.len().checked_sub(1 + depth as usize)?;
        let frame = self.frames.get(index)?;
        Some(match frame.kind {
            Kind::Loop => frame.ty.params,
            _ => frame.ty.results,
        })
    }

    fn never_returns(&mut self) -> Option<()> {
        self.frames.last_mut()?.unreachable = true;
        self.top = self.base;
        Some(())
    }

    fn block_type(&mut self) -> Option<Signature> {
        let first = *self.code.get(self.at)?;
        if first == 0x40 {
            self.at += 1;
            return Some(Signature::default());
        }
        if let Some(ty) = self.value_type(first) {
            self.at += 1;
            return Some(Signature {
                params: Span::default(),
                results: Span::one(ty),
            });
        }
        // A signed number, of which the positive half is wanted: in the last byte, the upper bit is the sign.
        let index = self.unsigned()?;
        if self.code.get(self.at - 1)? & 0x40 != 0 {
            return None;
        }
        self.plain.types.get(index as usize).copied().flatten()
    }

    fn begin(&mut self, kind: Kind) -> Option<()> {
        let ty = self.block_type()?;
        if kind == Kind::If {
            self.pop(I32)?;
        }
        self.pop_all(ty.params)?;
        if kind == Kind::TryTable {
            self.clauses()?;
        }
        self.enter(kind, ty)
    }

    /// The clauses of a `try_table`, which lead to labels outside of it.
    fn clauses(&mut self) -> Option<()> {
        if !self.plain.exceptions {
            return None;
        }
        for _ in 0..self.unsigned()? {
            let kind = self.byte()?;
            let payload = match kind {
                0 | 1 => self.tag()?,
                2 | 3 => Span::default(),
                _ => return None,
            };
            let depth = self.unsigned()?;
            let codes = &self.plain.codes;
            let mut label = &codes[self.label(depth)?.range()];
            // With an odd kind, the exception comes last.
            if kind & 1 == 1 {
                let (last, rest) = label.split_last()?;
                if *last != EXN {
                    return None;
                }
                label = rest;
            }
            if codes[payload.range()] != *label {
                return None;
            }
        }
        Some(())
    }

    /// The payload of the tag whose number follows.
    fn tag(&mut self) -> Option<Span> {
        let index = self.unsigned()? as usize;
        Some(self.plain.tags.get(index).copied().flatten()?.params)
    }

    fn value_type(&self, byte: u8) -> Option<Code> {
        match byte {
            0x7c..=0x7f => Some(0x80 - byte),
            0x69 if self.plain.exceptions => Some(EXN),
            _ => None,
        }
    }

    fn enter(&mut self, kind: Kind, ty: Signature) -> Option<()> {
        self.base = self.top;
        self.frames.push(Frame {
            kind,
            ty,
            base: self.top,
            unreachable: false,
        });
        self.push_all(ty.params)
    }

    /// Ends a block, whose results are taken from the stack.
    fn leave(&mut self) -> Option<Frame> {
        let frame = *self.frames.last()?;
        self.pop_all(frame.ty.results)?;
        if self.top != self.base {
            return None;
        }
        self.frames.pop();
        Some(frame)
    }

    /// Whether that was the end of the function.
    fn end(&mut self) -> Option<bool> {
        let frame = self.leave()?;
        let Some(outer) = self.frames.last() else {
            return Some(true);
        };
        self.base = outer.base;
        let codes = &self.plain.codes;
        let (params, results) = (frame.ty.params.range(), frame.ty.results.range());
        if frame.kind == Kind::If && codes[params] != codes[results] {
            return None;
        }
        self.push_all(frame.ty.results)?;
        Some(false)
    }

    fn br_table(&mut self) -> Option<()> {
        let count = self.unsigned()?;
        self.pop(I32)?;
        let mut arity = None;
        for _ in 0..=count {
            let depth = self.unsigned()?;
            let types = &self.plain.codes[self.label(depth)?.range()];
            let bottom = self.top.checked_sub(types.len())?;
            let fits = bottom >= self.base && self.stack[bottom..self.top] == *types;
            if !fits || arity.is_some_and(|arity| arity != types.len()) {
                return None;
            }
            arity = Some(types.len());
        }
        self.never_returns()
    }

    fn call(&mut self, ty: Signature) -> Option<()> {
        self.pop_all(ty.params)?;
        self.push_all(ty.results)
    }

    fn global(&mut self) -> Option<(Code, bool)> {
        let index = self.unsigned()? as usize;
        let global = *self.plain.globals.get(index)?;
        (global.0 != OTHER).then_some(global)
    }

    /// The index of the first memory, if there is one; its type of addresses.
    fn memory(&mut self) -> Option<Code> {
        (self.byte()? == 0 && self.plain.memory != OTHER).then_some(self.plain.memory)
    }

    #[inline(always)]
    fn other(&mut self, class: Class, row: &Row) -> Option<()> {
        match class {
            Class::Simple
            | Class::Access
            | Class::Bytes
            | Class::Const32
            | Class::Const64
            | Class::Local => self.unusual(row)?,
            Class::Unreachable => self.never_returns()?,
            Class::Block => self.begin(Kind::Block)?,
            Class::Loop => self.begin(Kind::Loop)?,
            Class::If => self.begin(Kind::If)?,
            Class::TryTable => self.begin(Kind::TryTable)?,
            Class::Throw => {
                let payload = self.tag()?;
                self.pop_all(payload)?;
                self.never_returns()?;
            }
            Class::ThrowRef => {
                self.plain.exceptions.then_some(())?;
                self.pop(EXN)?;
                self.never_returns()?;
            }
            Class::Else => {
                let frame = self.leave()?;
                if frame.kind != Kind::If {
                    return None;
                }
                self.enter(Kind::Block, frame.ty)?;
            }
            Class::Br => {
                let depth = self.unsigned()?;
                let types = self.label(depth)?;
                self.pop_all(types)?;
                self.never_returns()?;
            }
            Class::BrIf => {
                let depth = self.unsigned()?;
                self.pop(I32)?;
                let types = self.label(depth)?;
                if types.start != types.end {
                    self.pop_all(types)?;
                    self.push_all(types)?;
                }
            }
            Class::BrTable => self.br_table()?,
            Class::Return => {
                let types = self.frames.first()?.ty.results;
                self.pop_all(types)?;
                self.never_returns()?;
            }
            Class::Call => {
                let index = self.unsigned()? as usize;
                self.call(self.plain.functions.get(index).copied().flatten()?)?;
            }
            Class::CallIndirect => {
                let ty = self.unsigned()? as usize;
                let table = self.unsigned()? as usize;
                let ty = self.plain.types.get(ty).copied().flatten()?;
                let index = *self.plain.tables.get(table)?;
                if index == OTHER {
                    return None;
                }
                self.pop(index)?;
                self.call(ty)?;
            }
            Class::Drop => {
                if self.top == self.base {
                    self.pop_unknown()?;
                } else {
                    self.top -= 1;
                }
            }
            Class::Select => {
                self.pop(I32)?;
                let (x, y) = (self.stack[self.top - 2], self.stack[self.top - 1]);
                if self.top < self.base + 2 || x != y || x == EXN {
                    return None;
                }
                self.top -= 1;
            }
            Class::GlobalGet => {
                let (ty, _) = self.global()?;
                self.push(ty)?;
            }
            Class::GlobalSet => {
                let (ty, mutable) = self.global()?;
                mutable.then_some(())?;
                self.pop(ty)?;
            }
            Class::MemorySize => {
                let ty = self.memory()?;
                self.push(ty)?;
            }
            Class::MemoryGrow => {
                let ty = self.memory()?;
                self.pop(ty)?;
                self.push(ty)?;
            }
            Class::Prefix => self.prefixed()?,
            _ => return None,
        }
        Some(())
    }

    /// Operators with the prefix `0xfc`.
    fn prefixed(&mut self) -> Option<()> {
        let number = self.byte()?;
        if let Some(row) = TRUNCATIONS.get(usize::from(number)) {
            return self.unusual(row);
        }
        let memories = match number {
            // `memory.copy`, `memory.fill`.
            10 => 2,
            11 => 1,
            _ => return None,
        };
        for _ in 0..memories {
            self.memory()?;
        }
        let address = self.plain.memory;
        self.pop(address)?;
        self.pop(if memories == 2 { address } else { I32 })?;
        self.pop(address)
    }
}

/// Where a walk is.
#[derive(Copy, Clone)]
struct Place<'a> {
    rest: &'a [u8],
    top: usize,
    base: usize,
}

impl Place<'_> {
    /// Walks over structured control that takes no values along but a condition, where it can be reached: of nearly all blocks, the type is empty. None for what
    /// is anything else, of which nothing was done.
    #[inline(always)]
    fn control(
        &mut self,
        opcode: u8,
        next: u8,
        stack: &[Code; DEPTH + 1],
        frames: &mut Vec<Frame>,
    ) -> Option<()> {
        let has_condition = self.ends_with(stack, I32);
        let len = match opcode {
            BLOCK | LOOP if next == EMPTY => {
                let kind = if opcode == LOOP {
                    Kind::Loop
                } else {
                    Kind::Block
                };
                self.enter(kind, frames);
                2
            }
            IF if next == EMPTY && has_condition => {
                self.top -= 1;
                self.enter(Kind::If, frames);
                2
            }
            ELSE => {
                let frame = frames.last_mut()?;
                if frame.kind != Kind::If || !frame.ty.is_empty() || self.top != self.base {
                    return None;
                }
                (frame.kind, frame.unreachable) = (Kind::Block, false);
                1
            }
            END => {
                let [.., outer, frame] = &frames[..] else {
                    return None;
                };
                if !frame.ty.is_empty() || self.top != self.base {
                    return None;
                }
                self.base = outer.base;
                frames.pop();
                1
            }
            BR if has_empty_label(frames, next) => {
                frames.last_mut()?.unreachable = true;
                self.top = self.base;
                2
            }
            BR_IF if has_condition && has_empty_label(frames, next) => {
                self.top -= 1;
                2
            }
            _ => return None,
        };
        self.rest = self.rest.get(len..)?;
        Some(())
    }

    #[inline(always)]
    fn push(&mut self, stack: &mut [Code; DEPTH + 1], ty: Code) {
        stack[self.top % DEPTH] = ty;
        self.top += 1;
    }

    /// Whether the topmost operand is one of the block's and of this type.
    #[inline(always)]
    fn ends_with(&self, stack: &[Code; DEPTH + 1], ty: Code) -> bool {
        self.top > self.base && stack[(self.top - 1) % DEPTH] == ty
    }

    /// Walks over an operator that gets or sets the global of this number, if that is all there is to it. None for anything else, of which nothing
    /// was done.
    #[inline(always)]
    fn global(
        &mut self,
        class: Class,
        number: u8,
        globals: &[(Code, bool)],
        stack: &mut [Code; DEPTH + 1],
    ) -> Option<()> {
        if !matches!(class, Class::GlobalGet | Class::GlobalSet) || number >= 0x80 {
            return None;
        }
        let (ty, mutable) = *globals.get(usize::from(number))?;
        if ty == OTHER || self.top >= MAX_PLACE {
            return None;
        }
        if class == Class::GlobalGet {
            self.push(stack, ty);
        } else if mutable && self.ends_with(stack, ty) {
            self.top -= 1;
        } else {
            return None;
        }
        self.rest = self.rest.get(2..)?;
        Some(())
    }

    /// Walks over a call, or a constant or an access with a long number, of which the word has the bytes after the opcode. None for what is not valid or not all
    /// there, of which nothing was done.
    #[inline(never)]
    fn long(
        self,
        row: &Row,
        word: u64,
        plain: &Plain,
        stack: &mut [Code; DEPTH + 1],
    ) -> Option<Self> {
        let mut place = self;
        let is_access = row.class == Class::Access;
        // What is in front of an offset.
        let align = word as u8;
        let word = if is_access { word >> 8 } else { word };
        let len = (!word & 0x80_8080_8080).trailing_zeros() as usize / 8 + 1;
        if len > 5 {
            return None;
        }
        place.rest = place.rest.get(1 + usize::from(is_access) + len..)?;
        let byte = |i: u32| (word >> (8 * i) & 0x7f) as u32;
        // Of five bytes, the last has four bits of the number.
        let last = if len == 5 { byte(4) } else { 0 };
        match row.class {
            Class::Const32 => {
                // The bits that are not part of the number repeat its sign.
                if last & 0x78 != 0 && last & 0x78 != 0x78 || place.top >= MAX_PLACE {
                    return None;
                }
                place.push(stack, I32);
            }
            Class::Access => {
                if plain.memory != I32 || align > row.max_align || last >= 0x10 {
                    return None;
                }
                let below = (place.top - BOTTOM) % DEPTH;
                let found = u16::from_le_bytes([stack[below], stack[below + 1]]);
                let bottom = place.top.wrapping_sub(usize::from(row.pops));
                let fits = bottom >= place.base && bottom < MAX_PLACE;
                if !fits || found & row.mask != row.pattern {
                    return None;
                }
                stack[bottom % DEPTH] = row.result;
                place.top = bottom + usize::from(row.pushes);
            }
            _ => {
                if last >= 0x10 {
                    return None;
                }
                let index = (0..len as u32).fold(0, |index, i| index | byte(i) << (7 * i));
                let ty = plain.functions.get(index as usize).copied().flatten()?;
                let params = plain.codes.get(ty.params.range())?;
                let results = plain.codes.get(ty.results.range())?;
                let bottom = place.top.checked_sub(params.len())?;
                let end = bottom.checked_add(results.len())?;
                if bottom < place.base || end > MAX_PLACE {
                    return None;
                }
                let operands = stack.get(bottom..place.top)?;
                if operands.iter().zip(params).any(|(x, y)| x != y) {
                    return None;
                }
                for (to, ty) in stack.get_mut(bottom..end)?.iter_mut().zip(results) {
                    *to = *ty;
                }
                place.top = end;
            }
        }
        Some(place)
    }

    #[inline(always)]
    fn enter(&mut self, kind: Kind, frames: &mut Vec<Frame>) {
        self.base = self.top;
        frames.push(Frame {
            kind,
            ty: Signature::default(),
            base: self.top,
            unreachable: false,
        });
    }
}

/// Whether a branch to this depth takes nothing along.
#[inline(always)]
fn has_empty_label(frames: &[Frame], depth: u8) -> bool {
    let index = frames.len().wrapping_sub(1 + usize::from(depth));
    depth < 0x80 && frames.get(index).is_some_and(|f| f.ty.is_empty())
}

/// How many bytes more than one a number has that ends at the first of these.
#[cold]
#[inline(never)]
fn more_bytes(stops: u32) -> usize {
    stops.trailing_zeros() as usize / 8
}

/// The last bytes, of which there are fewer than eight, and then zeros. None if there are none at all.
#[cold]
#[inline(never)]
fn last_bytes(rest: &[u8]) -> Option<u64> {
    let mut word = 0;
    for byte in rest.iter().rev() {
        word = word << 8 | u64::from(*byte);
    }
    (!rest.is_empty()).then_some(word)
}
