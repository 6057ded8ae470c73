//! Programs over objects, as trees, and how they are made from choices.
//!
//! A function has the registers `r0`… of type `anyref` and `x` of type `i64`; its first two registers and `x` are its parameters, `r0` and `x` its
//! results. The one idea: what is read goes into `x`, so that a number that was wrong once is wrong from there on. A function calls only ones
//! behind it, so that every program ends.

use crate::choices::Choices;

/// Registers of a function that hold references.
pub const REGISTERS: usize = 5;
/// Functions.
pub const FUNCTIONS: usize = 6;
/// The first function that calls none. References are to those.
pub const LEAVES: usize = 4;
/// Globals, elements of the table, and places of the host.
pub const PLACES: usize = 4;
/// Bytes of the data segment.
pub const DATA: usize = 512;
/// Elements of the element segment: a null, an `i31` and one object of the first structure's type for all.
pub const ELEMENTS: usize = 24;

/// What a field or an element holds.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the types are")]
pub enum Kind {
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    V128,
    Any,
    /// `(ref null $s0)`
    First,
    Extern,
    /// A reference to a function without calls.
    Func,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 11] = [
        Kind::I8,
        Kind::I16,
        Kind::I32,
        Kind::I64,
        Kind::F32,
        Kind::F64,
        Kind::V128,
        Kind::Any,
        Kind::First,
        Kind::Extern,
        Kind::Func,
    ];

    /// Bytes of an element in a data segment; none for references.
    pub fn size(self) -> Option<usize> {
        Some(match self {
            Kind::I8 => 1,
            Kind::I16 => 2,
            Kind::I32 | Kind::F32 => 4,
            Kind::I64 | Kind::F64 => 8,
            Kind::V128 => 16,
            _ => return None,
        })
    }
}

/// A type of objects: a structure, or an array, by their numbers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "see above")]
pub enum Type {
    Struct(usize),
    Array(usize),
}

/// What a reference can be tested for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the types are")]
pub enum Heap {
    Any,
    Eq,
    I31,
    Struct,
    Array,
    None,
    Of(Type),
}

/// An index or a length: a constant, or one that depends on `x`.
#[derive(Copy, Clone, Debug)]
pub struct Index {
    /// Added to it.
    pub constant: u32,
    /// Whether the lowest three bits of `x` are.
    pub varies: bool,
}

/// How a function is called.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the instructions are")]
pub enum How {
    Direct,
    Ref,
    Indirect,
}

/// An operation. Registers are called `dst` and `src`; `safe` ones are done only when nothing about them would trap.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "named as the instructions are")]
pub enum Op {
    Observe,
    New {
        dst: usize,
        of: usize,
        default: bool,
        src: usize,
        add: u64,
    },
    Get {
        dst: usize,
        src: usize,
        of: usize,
        field: usize,
        signed: bool,
        null: bool,
        safe: bool,
    },
    Set {
        dst: usize,
        of: usize,
        field: usize,
        src: usize,
        add: u64,
        safe: bool,
    },
    ArrayNew {
        dst: usize,
        of: usize,
        how: NewArray,
        len: Index,
        src: usize,
        add: u64,
    },
    ArrayGet {
        dst: usize,
        src: usize,
        of: usize,
        index: Index,
        signed: bool,
        safe: bool,
    },
    ArraySet {
        dst: usize,
        of: usize,
        index: Index,
        src: usize,
        add: u64,
        safe: bool,
    },
    ArrayLen {
        src: usize,
        safe: bool,
    },
    ArrayFill {
        dst: usize,
        of: usize,
        at: Index,
        len: Index,
        src: usize,
        add: u64,
        safe: bool,
    },
    ArrayCopy {
        dst: usize,
        src: usize,
        of: usize,
        to: Index,
        from: Index,
        len: Index,
        safe: bool,
    },
    /// `array.init_data` or `array.init_elem`, as the array is.
    ArrayInit {
        dst: usize,
        of: usize,
        to: Index,
        from: Index,
        len: Index,
        safe: bool,
    },
    I31 {
        dst: usize,
    },
    I31Get {
        src: usize,
        signed: bool,
        safe: bool,
    },
    Test {
        src: usize,
        heap: Heap,
        null: bool,
    },
    Branch {
        dst: usize,
        src: usize,
        heap: Heap,
        null: bool,
        fail: bool,
    },
    Same {
        a: usize,
        b: usize,
    },
    Foreign {
        dst: usize,
    },
    RoundTrip {
        dst: usize,
        src: usize,
    },
    GlobalGet {
        dst: usize,
        place: usize,
    },
    GlobalSet {
        place: usize,
        src: usize,
    },
    TableGet {
        dst: usize,
        index: Index,
    },
    TableSet {
        src: usize,
        index: Index,
    },
    TableFill {
        src: usize,
        at: Index,
        len: Index,
    },
    Garbage {
        len: u32,
        times: u32,
    },
    Collect,
    Keep {
        place: usize,
        src: usize,
    },
    Give {
        dst: usize,
        place: usize,
    },
    See {
        src: usize,
    },
    Write {
        dst: usize,
    },
    CallBack {
        dst: usize,
        src: usize,
    },
    Move {
        dst: usize,
        src: usize,
    },
    Loop {
        times: u32,
        body: Vec<Op>,
    },
    If {
        src: usize,
        heap: Heap,
        yes: Vec<Op>,
        no: Vec<Op>,
    },
    Call {
        dst: usize,
        a: usize,
        b: usize,
        to: usize,
        how: How,
    },
}

/// How an array is made.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the instructions are")]
pub enum NewArray {
    New,
    Default,
    Fixed,
    /// From the segment that has its kind of elements.
    Segment,
}

/// A function: its operations, and the function that it ends with a tail call of.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "see above")]
pub struct Function {
    pub body: Vec<Op>,
    pub tail: Option<(usize, How)>,
}

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Fields of the structures. The second is a subtype of the first, the third of none.
    pub structs: [Vec<Kind>; 3],
    /// Elements of the arrays.
    pub arrays: Vec<Kind>,
    /// The functions.
    pub functions: Vec<Function>,
    /// What the host calls, with which `x`.
    pub calls: Vec<(usize, u64)>,
}

impl Program {
    /// Makes one.
    pub fn new(choices: &mut Choices<'_>) -> Program {
        let mut fields = |least: usize, most: usize| -> Vec<Kind> {
            let count = least + choices.below(most - least + 1);
            (0..count).map(|_| choices.of(&Kind::ALL)).collect()
        };
        let first = fields(1, 5);
        let second = [first.clone(), fields(0, 3)].concat();
        let structs = [first, second, fields(1, 12)];
        let arrays = fields(4, 6);
        let functions = (0..FUNCTIONS).map(|i| {
            let mut maker = Maker {
                likely: [None; REGISTERS],
                choices,
                structs: &structs,
                arrays: &arrays,
                function: i,
            };
            maker.function()
        });
        Program {
            functions: functions.collect(),
            calls: (0..6)
                .map(|i| {
                    (
                        i % FUNCTIONS,
                        u64::from(choices.byte()) << (i * 8) | i as u64,
                    )
                })
                .collect(),
            structs,
            arrays,
        }
    }

    /// Whether the first type is the second or a subtype of it.
    pub fn is_subtype(sub: Type, of: Type) -> bool {
        sub == of || (sub == Type::Struct(1) && of == Type::Struct(0))
    }
}

struct Maker<'m, 'a> {
    /// What registers hold, if all goes on from one operation to the next.
    likely: [Option<Type>; REGISTERS],
    choices: &'m mut Choices<'a>,
    structs: &'m [Vec<Kind>; 3],
    arrays: &'m [Kind],
    function: usize,
}

impl Maker<'_, '_> {
    fn function(&mut self) -> Function {
        let leaf = self.function >= LEAVES;
        let most = if leaf { 6 } else { 14 };
        let tail = !leaf && self.choices.one_in(4);
        let mut body = vec![self.new_struct(2), self.new_array(3)];
        body.extend(self.ops(3, most, 0));
        Function {
            body,
            tail: tail.then(|| (self.callee(), self.how())),
        }
    }

    fn new_struct(&mut self, dst: usize) -> Op {
        let of = self.choices.below(3);
        self.likely[dst] = Some(Type::Struct(of));
        Op::New {
            dst,
            of,
            default: self.choices.one_in(4),
            src: self.register(),
            add: self.add(),
        }
    }

    fn new_array(&mut self, dst: usize) -> Op {
        let of = self.choices.below(self.arrays.len());
        self.likely[dst] = Some(Type::Array(of));
        Op::ArrayNew {
            dst,
            of,
            how: self.choices.of(&[
                NewArray::New,
                NewArray::Default,
                NewArray::Fixed,
                NewArray::Segment,
            ]),
            len: self.small(),
            src: self.register(),
            add: self.add(),
        }
    }

    fn add(&mut self) -> u64 {
        u64::from(self.choices.byte()).wrapping_mul(0x0123_4567_89ab_cdef)
    }

    /// A register and a structure that it mostly holds.
    fn structure(&mut self) -> (usize, usize) {
        let first = self.register();
        for r in (first..REGISTERS).chain(0..first) {
            if let Some(Type::Struct(of)) = self.likely[r] {
                return (r, of);
            }
        }
        (first, self.choices.below(3))
    }

    /// A register and an array that it mostly holds.
    fn array(&mut self) -> (usize, usize) {
        let first = self.register();
        for r in (first..REGISTERS).chain(0..first) {
            if let Some(Type::Array(of)) = self.likely[r] {
                return (r, of);
            }
        }
        (first, self.choices.below(self.arrays.len()))
    }

    fn ops(&mut self, least: usize, most: usize, depth: u32) -> Vec<Op> {
        let count = least + self.choices.below(most - least + 1);
        (0..count).map(|_| self.op(depth)).collect()
    }

    fn register(&mut self) -> usize {
        self.choices.below(REGISTERS)
    }

    fn callee(&mut self) -> usize {
        self.function + 1 + self.choices.below(FUNCTIONS - self.function - 1)
    }

    fn how(&mut self) -> How {
        self.choices.of(&[How::Direct, How::Ref, How::Indirect])
    }

    fn safe(&mut self) -> bool {
        !self.choices.one_in(40)
    }

    fn index(&mut self) -> Index {
        let constant = match self.choices.one_in(60) {
            true => self.choices.of(&[24, 600, u32::MAX, 1 << 31, 0x1000_0000]),
            false => self.choices.below(13) as u32,
        };
        Index {
            constant,
            varies: self.choices.one_in(2),
        }
    }

    /// What is never so large that it would be refused.
    fn small(&mut self) -> Index {
        Index {
            constant: self.choices.below(13) as u32,
            varies: self.choices.one_in(2),
        }
    }

    fn place(&mut self) -> Index {
        let last = if self.choices.one_in(60) {
            PLACES + 1
        } else {
            PLACES
        };
        Index {
            constant: self.choices.below(last) as u32,
            varies: false,
        }
    }

    fn heap(&mut self) -> Heap {
        match self.choices.below(10) {
            0 => Heap::Any,
            1 => Heap::Eq,
            2 => Heap::I31,
            3 => Heap::Struct,
            4 => Heap::Array,
            5 => Heap::None,
            6 | 7 => Heap::Of(Type::Struct(self.choices.below(3))),
            _ => Heap::Of(Type::Array(self.choices.below(self.arrays.len()))),
        }
    }

    fn op(&mut self, depth: u32) -> Op {
        let (dst, src) = (self.register(), self.register());
        let add = self.add();
        let signed = add & 1 == 0;
        let safe = self.safe();
        match self.choices.below(40) {
            0 => Op::Observe,
            1..=2 => self.new_struct(dst),
            3..=6 => {
                let (src, of) = self.structure();
                let field = self.choices.below(self.structs[of].len());
                Op::Get {
                    dst,
                    src,
                    of,
                    field,
                    signed,
                    null: add & 2 == 0,
                    safe,
                }
            }
            7..=9 => {
                let (dst, of) = self.structure();
                let field = self.choices.below(self.structs[of].len());
                Op::Set {
                    dst,
                    of,
                    field,
                    src,
                    add,
                    safe,
                }
            }
            10..=11 => self.new_array(dst),
            12..=14 => {
                let (src, of) = self.array();
                Op::ArrayGet {
                    dst,
                    src,
                    of,
                    index: self.index(),
                    signed,
                    safe,
                }
            }
            15 | 16 => {
                let (dst, of) = self.array();
                Op::ArraySet {
                    dst,
                    of,
                    index: self.index(),
                    src,
                    add,
                    safe,
                }
            }
            17 => Op::ArrayLen { src, safe },
            18 => {
                let ((dst, of), at, len) = (self.array(), self.index(), self.index());
                Op::ArrayFill {
                    dst,
                    of,
                    at,
                    len,
                    src,
                    add,
                    safe,
                }
            }
            19 => {
                let ((dst, of), to, from, len) =
                    (self.array(), self.index(), self.index(), self.index());
                let src = if signed { dst } else { src };
                Op::ArrayCopy {
                    dst,
                    src,
                    of,
                    to,
                    from,
                    len,
                    safe,
                }
            }
            20 => {
                let ((dst, of), to, from, len) =
                    (self.array(), self.index(), self.index(), self.index());
                Op::ArrayInit {
                    dst,
                    of,
                    to,
                    from,
                    len,
                    safe,
                }
            }
            21 => Op::I31 { dst },
            22 => Op::I31Get { src, signed, safe },
            23 => Op::Test {
                src,
                heap: self.heap(),
                null: signed,
            },
            24 => Op::Branch {
                dst,
                src,
                heap: self.heap(),
                null: signed,
                fail: add & 2 == 0,
            },
            25 => Op::Same { a: dst, b: src },
            26 => Op::Foreign { dst },
            27 => Op::RoundTrip { dst, src },
            28 => Op::GlobalGet {
                dst,
                place: self.choices.below(PLACES),
            },
            29 => Op::GlobalSet {
                place: self.choices.below(PLACES),
                src,
            },
            30 => match self.choices.below(3) {
                0 => Op::TableGet {
                    dst,
                    index: self.place(),
                },
                1 => Op::TableSet {
                    src,
                    index: self.place(),
                },
                _ => {
                    let len = Index {
                        constant: self.choices.below(2) as u32,
                        varies: false,
                    };
                    Op::TableFill {
                        src,
                        at: self.place(),
                        len,
                    }
                }
            },
            31 => match self.choices.below(3) {
                0 => Op::Garbage {
                    len: 1 + self.choices.below(2000) as u32,
                    times: 3,
                },
                _ => Op::Collect,
            },
            32 => Op::Keep {
                place: self.choices.below(PLACES),
                src,
            },
            33 => Op::Give {
                dst,
                place: self.choices.below(PLACES),
            },
            34 => Op::See { src },
            35 => Op::Write { dst: src },
            36 if self.function < LEAVES => Op::CallBack { dst, src },
            37 if depth < 3 => {
                let times = 1 + self.choices.below(7) as u32;
                Op::Loop {
                    times,
                    body: self.ops(1, 6, depth + 1),
                }
            }
            38 if depth < 3 => {
                let heap = self.heap();
                let (yes, no) = (self.ops(1, 4, depth + 1), self.ops(0, 3, depth + 1));
                Op::If { src, heap, yes, no }
            }
            39 if self.function < LEAVES => {
                let (b, to, how) = (self.register(), self.callee(), self.how());
                Op::Call {
                    dst,
                    a: src,
                    b,
                    to,
                    how,
                }
            }
            _ => {
                self.likely[dst] = self.likely[src];
                Op::Move { dst, src }
            }
        }
    }
}
