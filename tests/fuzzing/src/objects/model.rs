//! What a program over objects does, interpreted over plain values that nothing collects.
//!
//! The one idea: an object is an index into a list that only grows, so that nothing here can go wrong as a collector can.

use super::program::{
    DATA, ELEMENTS, Function, Heap, How, Index, Kind, LEAVES, NewArray, Op, PLACES, Program,
    REGISTERS, Type,
};

/// A reference of the hierarchy of `any`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Ref {
    /// Null.
    #[default]
    Null,
    /// An `i31`, by its lowest 31 bits.
    I31(u32),
    /// An object.
    Object(usize),
    /// A value of the host, by its number.
    Foreign(u64),
}

/// What a field or an element holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Cell {
    Bits(u128),
    Ref(Ref),
    Func(Option<usize>),
}

#[derive(Clone, Debug)]
struct Object {
    ty: Type,
    cells: Vec<Cell>,
}

/// How a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// With its `x`, and what the host sees of its reference.
    Returns(u64, u64),
    /// With a trap that has one of these names.
    Traps(Vec<&'static str>),
}

/// A call of the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was observed, in order.
    pub reports: Vec<u64>,
    /// And the end.
    pub end: Expected,
}

enum Stop {
    Trap(Vec<&'static str>),
    /// The program takes too long to be of use.
    Long,
}

type Result<T> = std::result::Result<T, Stop>;

fn trap<T>(name: &'static str) -> Result<T> {
    Err(Stop::Trap(vec![name]))
}

/// Operations that a whole program may take.
const STEPS: u32 = 6_000;

struct Machine<'p> {
    program: &'p Program,
    objects: Vec<Object>,
    globals: [Ref; PLACES],
    table: [Ref; PLACES],
    host: [Ref; PLACES],
    elements: Vec<Ref>,
    reports: Vec<u64>,
    steps: u32,
}

struct Frame {
    function: usize,
    r: [Ref; REGISTERS],
    x: u64,
}

/// Every call that the host makes, in each round; none if the program takes too long.
pub fn run(program: &Program, rounds: usize) -> Option<Vec<Call>> {
    let mut machine = Machine {
        program,
        objects: Vec::new(),
        globals: Default::default(),
        table: Default::default(),
        host: Default::default(),
        elements: Vec::new(),
        reports: Vec::new(),
        steps: 0,
    };
    let shared = machine.zeroed(Type::Struct(0), None);
    machine.elements = (0..ELEMENTS)
        .map(|i| match i % 3 {
            0 => Ref::Null,
            1 => Ref::I31(i as u32),
            _ => shared,
        })
        .collect();
    let mut calls = Vec::new();
    for _ in 0..rounds {
        for &(function, x) in &program.calls {
            let end = match machine.call(function, Ref::Null, Ref::Null, x) {
                Ok((r, x)) => Expected::Returns(x, machine.see(r)),
                Err(Stop::Trap(names)) => Expected::Traps(names),
                Err(Stop::Long) => return None,
            };
            let reports = std::mem::take(&mut machine.reports);
            calls.push(Call { reports, end });
        }
    }
    Some(calls)
}

/// Byte `i` of the data segment.
pub fn data(i: usize) -> u8 {
    (i * 37 + (i >> 8) * 11 + 5) as u8
}

/// A number that one thing after another went into.
pub fn mix(x: u64, value: u64) -> u64 {
    x.rotate_left(7) ^ value
}

/// How the host reports on an object: its kind and, one after the other, what it holds.
pub fn describe(kind: u64, parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(kind, |all, part| {
        mix(all, part).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

/// The bits of `x + add` as a field of this kind has them; none for references.
fn number(kind: Kind, x: u64, add: u64) -> Option<u128> {
    let value = x.wrapping_add(add);
    Some(match kind {
        Kind::I8 => u128::from(value as u8),
        Kind::I16 => u128::from(value as u16),
        Kind::I32 | Kind::F32 => u128::from(value as u32),
        Kind::I64 | Kind::F64 => u128::from(value),
        Kind::V128 => u128::from(value) << 64 | u128::from(x),
        _ => return None,
    })
}

/// What a field's bits are in an `i64`.
fn read(kind: Kind, bits: u128, signed: bool) -> u64 {
    match (kind, signed) {
        (Kind::I8, true) => u64::from(i32::from(bits as u8 as i8) as u32),
        (Kind::I16, true) => u64::from(i32::from(bits as u16 as i16) as u32),
        (Kind::V128, _) => bits as u64 ^ (bits >> 64) as u64,
        _ => bits as u64,
    }
}

impl Machine<'_> {
    fn kinds(&self, ty: Type) -> &[Kind] {
        match ty {
            Type::Struct(i) => &self.program.structs[i],
            Type::Array(i) => std::slice::from_ref(&self.program.arrays[i]),
        }
    }

    fn alloc(&mut self, ty: Type, cells: Vec<Cell>) -> Ref {
        self.objects.push(Object { ty, cells });
        Ref::Object(self.objects.len() - 1)
    }

    /// A structure, or an array with a length, of zeros.
    fn zeroed(&mut self, ty: Type, len: Option<usize>) -> Ref {
        let zero = |kind: &Kind| match kind {
            Kind::Any | Kind::First | Kind::Extern => Cell::Ref(Ref::Null),
            Kind::Func => Cell::Func(None),
            _ => Cell::Bits(0),
        };
        let cells = match len {
            None => self.kinds(ty).iter().map(zero).collect(),
            Some(len) => vec![zero(&self.kinds(ty)[0]); len],
        };
        self.alloc(ty, cells)
    }

    fn is(&self, r: Ref, heap: Heap, null: bool) -> bool {
        match (r, heap) {
            (Ref::Null, _) => null,
            (_, Heap::Any) => true,
            (_, Heap::None) => false,
            (Ref::Foreign(_), _) => false,
            (_, Heap::Eq) => true,
            (Ref::I31(_), heap) => heap == Heap::I31,
            (Ref::Object(o), heap) => match (self.objects[o].ty, heap) {
                (Type::Struct(_), Heap::Struct) | (Type::Array(_), Heap::Array) => true,
                (ty, Heap::Of(of)) => Program::is_subtype(ty, of),
                _ => false,
            },
        }
    }

    /// The object that a register holds.
    fn object(&self, r: Ref, ty: Type, null: bool) -> Result<usize> {
        match r {
            Ref::Object(o) if self.is(r, Heap::Of(ty), false) => Ok(o),
            Ref::Null if null => trap("NullReference"),
            _ => trap("CastFailure"),
        }
    }

    /// What is stored for `x`, `add` and a register.
    fn cell(&self, kind: Kind, x: u64, add: u64, r: Ref) -> Cell {
        match (kind, number(kind, x, add)) {
            (_, Some(bits)) => Cell::Bits(bits),
            (Kind::First, _) if !self.is(r, Heap::Of(Type::Struct(0)), false) => {
                Cell::Ref(Ref::Null)
            }
            (Kind::Func, _) => Cell::Func(func(add)),
            _ => Cell::Ref(r),
        }
    }

    fn load(
        &mut self,
        f: &mut Frame,
        dst: usize,
        kind: Kind,
        cell: Cell,
        signed: bool,
    ) -> Result<()> {
        match cell {
            Cell::Bits(bits) => f.x = mix(f.x, read(kind, bits, signed)),
            Cell::Ref(r) => f.r[dst] = r,
            Cell::Func(None) => f.x = mix(f.x, 1),
            Cell::Func(Some(to)) => {
                f.x = mix(f.x, 0);
                if f.function < LEAVES {
                    (f.r[dst], f.x) = self.call(to, f.r[dst], Ref::Null, f.x)?;
                }
            }
        }
        Ok(())
    }

    /// As the host describes it.
    fn see(&self, r: Ref) -> u64 {
        let o = match r {
            Ref::Null => return describe(0, std::iter::empty()),
            Ref::I31(bits) => return describe(1, [u64::from(bits)].into_iter()),
            Ref::Foreign(number) => return describe(2, [number].into_iter()),
            Ref::Object(o) => &self.objects[o],
        };
        let number = match o.ty {
            Type::Struct(_) => 3,
            Type::Array(_) => 4,
        };
        let kinds = self.kinds(o.ty);
        let parts = o.cells.iter().enumerate().map(|(i, cell)| match *cell {
            Cell::Bits(bits) => read(kinds[i.min(kinds.len() - 1)], bits, false),
            Cell::Ref(r) => u64::from(r == Ref::Null),
            Cell::Func(to) => u64::from(to.is_none()),
        });
        describe(number, parts)
    }

    fn call(&mut self, function: usize, a: Ref, b: Ref, x: u64) -> Result<(Ref, u64)> {
        let mut f = Frame {
            function,
            r: Default::default(),
            x,
        };
        (f.r[0], f.r[1]) = (a, b);
        let program = self.program;
        let Function { body, tail } = &program.functions[function];
        self.block(&mut f, body)?;
        match *tail {
            Some((to, How::Direct | How::Ref | How::Indirect)) => {
                self.call(to, f.r[0], f.r[1], f.x)
            }
            None => Ok((f.r[0], f.x)),
        }
    }

    fn block(&mut self, f: &mut Frame, ops: &[Op]) -> Result<()> {
        ops.iter().try_for_each(|op| {
            self.steps += 1;
            if self.steps > STEPS {
                return Err(Stop::Long);
            }
            self.op(f, op)
        })
    }

    fn op(&mut self, f: &mut Frame, op: &Op) -> Result<()> {
        match *op {
            Op::Observe => self.reports.push(f.x),
            Op::New {
                dst,
                of,
                default,
                src,
                add,
            } => {
                let ty = Type::Struct(of);
                let whole = !default;
                f.r[dst] = match whole {
                    false => self.zeroed(ty, None),
                    true => {
                        let kinds = self.kinds(ty).iter();
                        let cells = kinds.map(|k| self.cell(*k, f.x, add, f.r[src])).collect();
                        self.alloc(ty, cells)
                    }
                };
            }
            Op::Get {
                dst,
                src,
                of,
                field,
                signed,
                null,
                safe,
            } => {
                let ty = Type::Struct(of);
                if safe && !self.is(f.r[src], Heap::Of(ty), false) {
                    return Ok(());
                }
                let o = self.object(f.r[src], ty, null)?;
                let cell = self.objects[o].cells[field];
                self.load(f, dst, self.program.structs[of][field], cell, signed)?;
            }
            Op::Set {
                dst,
                of,
                field,
                src,
                add,
                safe,
            } => {
                let ty = Type::Struct(of);
                if safe && !self.is(f.r[dst], Heap::Of(ty), false) {
                    return Ok(());
                }
                let o = self.object(f.r[dst], ty, false)?;
                let cell = self.cell(self.program.structs[of][field], f.x, add, f.r[src]);
                self.objects[o].cells[field] = cell;
            }
            Op::ArrayNew {
                dst,
                of,
                how,
                len,
                src,
                add,
            } => {
                f.r[dst] = self.new_array(f, of, how, len, src, add)?;
            }
            Op::ArrayGet {
                dst,
                src,
                of,
                index,
                signed,
                safe,
            } => {
                let Some((o, at)) = self.element(f, src, of, index, safe)? else {
                    return Ok(());
                };
                let cell = self.objects[o].cells[at];
                self.load(f, dst, self.program.arrays[of], cell, signed)?;
            }
            Op::ArraySet {
                dst,
                of,
                index,
                src,
                add,
                safe,
            } => {
                let Some((o, at)) = self.element(f, dst, of, index, safe)? else {
                    return Ok(());
                };
                let cell = self.cell(self.program.arrays[of], f.x, add, f.r[src]);
                self.objects[o].cells[at] = cell;
            }
            Op::ArrayLen { src, safe } => {
                let r = f.r[src];
                match r {
                    Ref::Object(o) if self.is(r, Heap::Array, false) => {
                        f.x = mix(f.x, self.objects[o].cells.len() as u64);
                    }
                    _ if safe => {}
                    Ref::Null => return trap("NullReference"),
                    _ => return trap("CastFailure"),
                }
            }
            Op::ArrayFill {
                dst,
                of,
                at,
                len,
                src,
                add,
                safe,
            } => {
                let Some((o, at, n)) = self.range(f, dst, of, at, len, safe)? else {
                    return Ok(());
                };
                let cell = self.cell(self.program.arrays[of], f.x, add, f.r[src]);
                self.objects[o].cells[at..at + n].fill(cell);
            }
            Op::ArrayCopy {
                dst,
                src,
                of,
                to,
                from,
                len,
                safe,
            } => {
                self.copy(f, (dst, src), of, (to, from), len, safe)?;
            }
            Op::ArrayInit {
                dst,
                of,
                to,
                from,
                len,
                safe,
            } => {
                let kind = self.program.arrays[of];
                if !has_segment(kind) {
                    return Ok(());
                }
                let from = index(from, f.x) as usize;
                let o = match self.range(f, dst, of, to, len, safe) {
                    Ok(o) => o,
                    // Which of two bounds is looked at first is not said.
                    Err(Stop::Trap(names)) if names == ["ArrayOutOfBounds"] => {
                        let n = index(len, f.x) as usize;
                        return match self.segment(kind, from, n) {
                            Ok(_) => trap("ArrayOutOfBounds"),
                            Err(mut other) => {
                                other.push("ArrayOutOfBounds");
                                Err(Stop::Trap(other))
                            }
                        };
                    }
                    Err(other) => return Err(other),
                };
                let Some((o, at, n)) = o else { return Ok(()) };
                let cells = self.segment(kind, from, n).map_err(Stop::Trap)?;
                self.objects[o].cells[at..at + n].copy_from_slice(&cells);
            }
            Op::I31 { dst } => f.r[dst] = Ref::I31(f.x as u32 & 0x7fff_ffff),
            Op::I31Get { src, signed, safe } => match f.r[src] {
                Ref::I31(bits) => {
                    let wide = if signed {
                        ((bits << 1) as i32 >> 1) as u32
                    } else {
                        bits
                    };
                    f.x = mix(f.x, u64::from(wide));
                }
                _ if safe => {}
                Ref::Null => return trap("NullReference"),
                _ => return trap("CastFailure"),
            },
            Op::Test { src, heap, null } => {
                f.x = mix(f.x, u64::from(self.is(f.r[src], heap, null)));
            }
            Op::Branch {
                dst,
                src,
                heap,
                null,
                fail,
            } => {
                let is = self.is(f.r[src], heap, null);
                f.x = mix(f.x, if is == fail { 21 } else { 42 });
                if is {
                    f.r[dst] = f.r[src];
                }
            }
            Op::Same { a, b } => {
                let eq = |r| self.is(r, Heap::Eq, true);
                if eq(f.r[a]) && eq(f.r[b]) {
                    f.x = mix(f.x, u64::from(f.r[a] == f.r[b]));
                }
            }
            Op::Foreign { dst } => f.r[dst] = Ref::Foreign(f.x & 15),
            Op::RoundTrip { dst, src } | Op::Move { dst, src } => f.r[dst] = f.r[src],
            Op::GlobalGet { dst, place } => f.r[dst] = self.globals[place],
            Op::GlobalSet { place, src } => self.globals[place] = f.r[src],
            Op::TableGet { dst, index: at } => match self.table.get(index(at, f.x) as usize) {
                Some(r) => f.r[dst] = *r,
                None => return trap("TableOutOfBounds"),
            },
            Op::TableSet { src, index: at } => match self.table.get_mut(index(at, f.x) as usize) {
                Some(r) => *r = f.r[src],
                None => return trap("TableOutOfBounds"),
            },
            Op::TableFill { src, at, len } => {
                let at = index(at, f.x) as usize;
                match self.table.get_mut(at..at + index(len, f.x) as usize) {
                    Some(places) => places.fill(f.r[src]),
                    None => return trap("TableOutOfBounds"),
                }
            }
            Op::Garbage { .. } | Op::Collect => {}
            Op::Keep { place, src } => self.host[place] = f.r[src],
            Op::Give { dst, place } => f.r[dst] = self.host[place],
            Op::See { src } => {
                let seen = self.see(f.r[src]);
                self.reports.push(seen);
            }
            Op::Write { dst } => self.write(f.r[dst], f.x),
            Op::CallBack { dst, src } => {
                (f.r[dst], f.x) = self.call(LEAVES, f.r[src], Ref::Null, f.x)?;
            }
            Op::Loop { times, ref body } => {
                for i in 0..times {
                    f.x = f.x.wrapping_add(u64::from(i));
                    self.block(f, body)?;
                }
            }
            Op::If {
                src,
                heap,
                ref yes,
                ref no,
            } => {
                let is = self.is(f.r[src], heap, false);
                self.block(f, if is { yes } else { no })?;
            }
            Op::Call {
                dst,
                a,
                b,
                to,
                how: _,
            } => {
                (f.r[dst], f.x) = self.call(to, f.r[a], f.r[b], f.x)?;
            }
        }
        Ok(())
    }

    fn new_array(
        &mut self,
        f: &Frame,
        of: usize,
        how: NewArray,
        len: Index,
        src: usize,
        add: u64,
    ) -> Result<Ref> {
        let kind = self.program.arrays[of];
        let n = index(len, f.x) as usize;
        let ty = Type::Array(of);
        let cell = self.cell(kind, f.x, add, f.r[src]);
        let cells = match how {
            NewArray::Default => return Ok(self.zeroed(ty, Some(n))),
            NewArray::Fixed => vec![cell; 3],
            NewArray::Segment if has_segment(kind) => {
                let from = add as usize % 8;
                self.segment(kind, from, n).map_err(Stop::Trap)?
            }
            NewArray::New | NewArray::Segment => vec![cell; n],
        };
        Ok(self.alloc(ty, cells))
    }

    /// Elements from the segment for arrays of this kind, or the names of a trap.
    fn segment(
        &self,
        kind: Kind,
        from: usize,
        n: usize,
    ) -> std::result::Result<Vec<Cell>, Vec<&'static str>> {
        let Some(size) = kind.size() else {
            let elements = self.elements.get(from..from + n);
            let elements = elements.ok_or(vec!["TableOutOfBounds"])?;
            return Ok(elements.iter().map(|r| Cell::Ref(*r)).collect());
        };
        if from + n * size > DATA {
            return Err(vec!["MemoryOutOfBounds"]);
        }
        let cell = |i: usize| {
            let bytes = (0..size).rev().map(|b| data(from + i * size + b));
            Cell::Bits(bytes.fold(0, |all, byte| all << 8 | u128::from(byte)))
        };
        Ok((0..n).map(cell).collect())
    }

    /// The array and the index of an element of it; none if nothing is to be done.
    fn element(
        &self,
        f: &Frame,
        r: usize,
        of: usize,
        at: Index,
        safe: bool,
    ) -> Result<Option<(usize, usize)>> {
        let ty = Type::Array(of);
        let at = index(at, f.x) as usize;
        if !safe {
            let o = self.object(f.r[r], ty, false)?;
            return match at < self.objects[o].cells.len() {
                true => Ok(Some((o, at))),
                false => trap("ArrayOutOfBounds"),
            };
        }
        let Ok(o) = self.object(f.r[r], ty, false) else {
            return Ok(None);
        };
        match self.objects[o].cells.len() {
            0 => Ok(None),
            len => Ok(Some((o, at % len))),
        }
    }

    /// The array, where a range of it starts, and its length.
    fn range(
        &self,
        f: &Frame,
        r: usize,
        of: usize,
        at: Index,
        n: Index,
        safe: bool,
    ) -> Result<Option<(usize, usize, usize)>> {
        let n = index(n, f.x) as usize;
        if safe {
            let found = self.element(f, r, of, at, true)?;
            return Ok(found.map(|(o, at)| (o, at, n % (self.objects[o].cells.len() - at))));
        }
        let o = self.object(f.r[r], Type::Array(of), false)?;
        let at = index(at, f.x) as usize;
        match at + n <= self.objects[o].cells.len() {
            true => Ok(Some((o, at, n))),
            false => trap("ArrayOutOfBounds"),
        }
    }

    fn copy(
        &mut self,
        f: &Frame,
        (dst, src): (usize, usize),
        of: usize,
        (to, from): (Index, Index),
        len: Index,
        safe: bool,
    ) -> Result<()> {
        if !safe {
            // Both are cast before any bound is looked at.
            self.object(f.r[dst], Type::Array(of), false)?;
            self.object(f.r[src], Type::Array(of), false)?;
        }
        let Some((d, to, n)) = self.range(f, dst, of, to, len, safe)? else {
            return Ok(());
        };
        let (s, from, n) = match safe {
            true => match self.element(f, src, of, from, true)? {
                Some((s, from)) => (s, from, n % (self.objects[s].cells.len() - from)),
                None => return Ok(()),
            },
            false => match self.range(f, src, of, from, len, false)? {
                Some(range) => range,
                None => return Ok(()),
            },
        };
        let cells = self.objects[s].cells[from..from + n].to_vec();
        self.objects[d].cells[to..to + n].copy_from_slice(&cells);
        Ok(())
    }

    /// What the host writes: the lowest bits of `x` into the first field or element, if that is a number.
    fn write(&mut self, r: Ref, x: u64) {
        let Ref::Object(o) = r else { return };
        let kind = self.kinds(self.objects[o].ty)[0];
        let bits = match kind {
            Kind::V128 => Some(u128::from(x)),
            kind => number(kind, x, 0),
        };
        if let (Some(cell), Some(bits)) = (self.objects[o].cells.first_mut(), bits) {
            *cell = Cell::Bits(bits);
        }
    }
}

/// An index as the guest computes it.
fn index(index: Index, x: u64) -> u32 {
    match index.varies {
        true => index.constant.wrapping_add(x as u32 & 7),
        false => index.constant,
    }
}

/// The function that a field gets for this number.
pub fn func(add: u64) -> Option<usize> {
    let count = super::program::FUNCTIONS - LEAVES;
    match add as usize % (count + 1) {
        0 => None,
        i => Some(LEAVES + i - 1),
    }
}

/// Whether there is a segment for arrays of this kind.
pub fn has_segment(kind: Kind) -> bool {
    kind.size().is_some() || kind == Kind::Any
}
