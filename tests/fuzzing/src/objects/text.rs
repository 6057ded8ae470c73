//! A program over objects as a module in the text format.
//!
//! The one idea: what the model says of an operation in a line is here the instructions for it; both are read side by side.

use super::model::{data, func, has_segment};
use super::program::{
    DATA, ELEMENTS, FUNCTIONS, Heap, How, Index, Kind, LEAVES, NewArray, Op, PLACES, Program,
    REGISTERS, Type,
};
use std::fmt::Write;

/// The module.
pub fn module(program: &Program) -> String {
    let mut out = String::from("(module\n");
    types(program, &mut out);
    out.push_str(IMPORTS);
    for i in 0..PLACES {
        let _ = writeln!(out, "(global $g{i} (mut anyref) (ref.null any))");
    }
    let _ = writeln!(out, "(table $places {PLACES} anyref)");
    let funcs: Vec<String> = (0..FUNCTIONS).map(|i| format!("$f{i}")).collect();
    let _ = writeln!(out, "(table $funcs funcref (elem {}))", funcs.join(" "));
    let bytes: String = (0..DATA).map(|i| format!("\\{:02x}", data(i))).collect();
    let _ = writeln!(out, "(data $data \"{bytes}\")");
    // One object for all elements: it is made once, for a global.
    out.push_str("(global $shared (ref $s0) (struct.new_default $s0))\n");
    let elements: Vec<String> = (0..ELEMENTS)
        .map(|i| match i % 3 {
            0 => "(item ref.null any)".to_string(),
            1 => format!("(item (ref.i31 (i32.const {i})))"),
            _ => "(item global.get $shared)".to_string(),
        })
        .collect();
    let _ = writeln!(out, "(elem $elements anyref {})", elements.join(" "));
    for i in 0..FUNCTIONS {
        function(program, i, &mut out);
    }
    reset(&mut out);
    out.push_str(")\n");
    out
}

const IMPORTS: &str = r#"
(import "host" "observe" (func $observe (param i64)))
(import "host" "see" (func $see (param anyref)))
(import "host" "collect" (func $collect))
(import "host" "keep" (func $keep (param i32 anyref)))
(import "host" "give" (func $give (param i32) (result anyref)))
(import "host" "write" (func $write (param anyref i64)))
(import "host" "foreign" (func $foreign (param i64) (result externref)))
(import "host" "call_back" (func $call_back (param anyref i64) (result anyref i64)))
"#;

fn storage(kind: Kind) -> &'static str {
    match kind {
        Kind::I8 => "i8",
        Kind::I16 => "i16",
        Kind::I32 => "i32",
        Kind::I64 => "i64",
        Kind::F32 => "f32",
        Kind::F64 => "f64",
        Kind::V128 => "v128",
        Kind::Any => "anyref",
        Kind::First => "(ref null $s0)",
        Kind::Extern => "externref",
        Kind::Func => "(ref null $f)",
    }
}

fn types(program: &Program, out: &mut String) {
    let kind = |kind: &Kind| format!("(mut {})", storage(*kind));
    let fields = |i: usize| -> String {
        let fields = program.structs[i].iter().map(kind);
        fields.map(|field| format!("(field {field})")).collect()
    };
    out.push_str("(rec\n");
    let _ = writeln!(out, "(type $s0 (sub (struct {})))", fields(0));
    let _ = writeln!(out, "(type $s1 (sub final $s0 (struct {})))", fields(1));
    let _ = writeln!(out, "(type $s2 (sub final (struct {})))", fields(2));
    for (i, element) in program.arrays.iter().enumerate() {
        let _ = writeln!(out, "(type $a{i} (array {}))", kind(element));
    }
    out.push_str("(type $f (func (param anyref anyref i64) (result anyref i64))))\n");
}

/// Empties all places of the guest; and a function whose result is known, that needs little of the heap.
fn reset(out: &mut String) {
    out.push_str("(func (export \"reset\")\n");
    for i in 0..PLACES {
        let _ = writeln!(out, "(global.set $g{i} (ref.null any))");
    }
    let _ = writeln!(
        out,
        "(table.fill $places (i32.const 0) (ref.null any) (i32.const {PLACES})))"
    );
    out.push_str(
        "(type $small (struct (field i32)))\n(func (export \"small\") (param i32) (result i32)\n\
         (struct.get $small 0 (struct.new $small (local.get 0))))\n",
    );
}

fn function(program: &Program, i: usize, out: &mut String) {
    let _ = writeln!(
        out,
        "(func $f{i} (export \"f{i}\") (type $f) (param $r0 anyref) (param $r1 anyref) (param $x i64) (result anyref i64)"
    );
    for r in 2..REGISTERS {
        let _ = writeln!(out, "(local $r{r} anyref)");
    }
    for i in 0..4 {
        let _ = writeln!(out, "(local $i{i} i32)");
    }
    for i in 0..program.structs.len() {
        let _ = writeln!(out, "(local $s{i} (ref null $s{i}))");
    }
    for i in 0..program.arrays.len() {
        let _ = writeln!(out, "(local $a{i} (ref null $a{i}))");
    }
    out.push_str("(local $at i32) (local $n i32) (local $m i32) (local $func (ref null $f))\n");
    let mut writer = Writer {
        program,
        function: i,
        out,
        depth: 0,
    };
    writer.block(&program.functions[i].body);
    if let Some((to, how)) = program.functions[i].tail {
        let args = "(local.get $r0) (local.get $r1) (local.get $x)";
        let _ = match how {
            How::Direct => writeln!(out, "(return_call $f{to} {args})"),
            How::Ref => writeln!(out, "(return_call_ref $f {args} (ref.func $f{to}))"),
            How::Indirect => {
                writeln!(
                    out,
                    "(return_call_indirect $funcs (type $f) {args} (i32.const {to}))"
                )
            }
        };
    }
    out.push_str("(local.get $r0) (local.get $x))\n");
}

struct Writer<'w> {
    program: &'w Program,
    function: usize,
    out: &'w mut String,
    depth: usize,
}

fn heap(heap: Heap) -> String {
    match heap {
        Heap::Any => "any".to_string(),
        Heap::Eq => "eq".to_string(),
        Heap::I31 => "i31".to_string(),
        Heap::Struct => "struct".to_string(),
        Heap::Array => "array".to_string(),
        Heap::None => "none".to_string(),
        Heap::Of(Type::Struct(i)) => format!("$s{i}"),
        Heap::Of(Type::Array(i)) => format!("$a{i}"),
    }
}

fn reference(null: bool, of: Heap) -> String {
    format!("(ref {} {})", if null { "null" } else { "" }, heap(of))
}

fn index(index: Index) -> String {
    let constant = index.constant as i32;
    match index.varies {
        true => format!(
            "(i32.add (i32.const {constant}) (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 7)))"
        ),
        false => format!("(i32.const {constant})"),
    }
}

/// `x` after this `i64` went in.
fn mix(value: &str) -> String {
    format!("(local.set $x (i64.xor (i64.rotl (local.get $x) (i64.const 7)) {value}))")
}

fn mix32(value: &str) -> String {
    mix(&format!("(i64.extend_i32_u {value})"))
}

/// What is stored in a field.
fn value(kind: Kind, add: u64, r: usize) -> String {
    let add = format!("(i64.add (local.get $x) (i64.const {}))", add as i64);
    match kind {
        Kind::I8 | Kind::I16 | Kind::I32 => format!("(i32.wrap_i64 {add})"),
        Kind::I64 => add,
        Kind::F32 => format!("(f32.reinterpret_i32 (i32.wrap_i64 {add}))"),
        Kind::F64 => format!("(f64.reinterpret_i64 {add})"),
        Kind::V128 => format!("(i64x2.replace_lane 1 (i64x2.splat (local.get $x)) {add})"),
        Kind::Any => format!("(local.get $r{r})"),
        Kind::First => format!(
            "(if (result (ref null $s0)) (ref.test (ref $s0) (local.get $r{r})) \
             (then (ref.cast (ref $s0) (local.get $r{r}))) (else (ref.null $s0)))"
        ),
        Kind::Extern => format!("(extern.convert_any (local.get $r{r}))"),
        Kind::Func => unreachable!("it depends on the number alone"),
    }
}

fn stored(kind: Kind, add: u64, r: usize) -> String {
    match (kind, func(add)) {
        (Kind::Func, None) => "(ref.null $f)".to_string(),
        (Kind::Func, Some(to)) => format!("(ref.func $f{to})"),
        _ => value(kind, add, r),
    }
}

/// `struct.get` and its like: packed fields say how they are extended.
fn get(kind: Kind, of: &str, signed: bool) -> String {
    let sign = match (kind, signed) {
        (Kind::I8 | Kind::I16, true) => "_s",
        (Kind::I8 | Kind::I16, false) => "_u",
        _ => "",
    };
    format!("{of}.get{sign}")
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn block(&mut self, ops: &[Op]) {
        for op in ops {
            self.op(op);
        }
    }

    /// Reads a field with this instruction.
    fn load(&mut self, dst: usize, kind: Kind, read: &str) {
        let text = match kind {
            Kind::I8 | Kind::I16 | Kind::I32 => mix32(read),
            Kind::I64 => mix(read),
            Kind::F32 => mix32(&format!("(i32.reinterpret_f32 {read})")),
            Kind::F64 => mix(&format!("(i64.reinterpret_f64 {read})")),
            Kind::V128 => {
                let lane = |i| format!("(i64x2.extract_lane {i} {read})");
                mix(&format!("(i64.xor {} {})", lane(0), lane(1)))
            }
            Kind::Any | Kind::First => format!("(local.set $r{dst} {read})"),
            Kind::Extern => format!("(local.set $r{dst} (any.convert_extern {read}))"),
            Kind::Func => {
                let null = mix32("(ref.is_null (local.get $func))");
                let call = match self.function < LEAVES {
                    true => format!(
                        "(if (i32.eqz (ref.is_null (local.get $func))) (then \
                         (call_ref $f (local.get $r{dst}) (ref.null any) (local.get $x) (local.get $func)) \
                         (local.set $x) (local.set $r{dst})))"
                    ),
                    false => String::new(),
                };
                format!("(local.set $func {read}) {null} {call}")
            }
        };
        self.line(&text);
    }

    /// Does this if it is safe or need not be.
    fn guarded(&mut self, safe: bool, r: usize, of: &str, body: impl FnOnce(&mut Self)) {
        if safe {
            self.line(&format!(
                "(if (ref.test (ref {of}) (local.get $r{r})) (then"
            ));
        }
        body(self);
        if safe {
            self.line("))");
        }
    }

    /// Does this with an element of an array, its index in `$at`.
    fn element(
        &mut self,
        safe: bool,
        r: usize,
        of: usize,
        at: Index,
        body: impl FnOnce(&mut Self),
    ) {
        self.guarded(safe, r, &format!("$a{of}"), |w| {
            w.line(&format!(
                "(local.set $a{of} (ref.cast (ref $a{of}) (local.get $r{r})))"
            ));
            w.line(&format!("(local.set $at {})", index(at)));
            if safe {
                w.line(&format!("(if (array.len (local.get $a{of})) (then"));
                w.line(&format!(
                    "(local.set $at (i32.rem_u (local.get $at) (array.len (local.get $a{of}))))"
                ));
            }
            body(w);
            if safe {
                w.line("))");
            }
        });
    }

    /// The same with a range, its length in `$n`.
    fn range(
        &mut self,
        safe: bool,
        r: usize,
        of: usize,
        at: Index,
        n: Index,
        body: impl FnOnce(&mut Self),
    ) {
        self.element(safe, r, of, at, |w| {
            let n = index(n);
            let n = match safe {
                true => format!(
                    "(i32.rem_u {n} (i32.sub (array.len (local.get $a{of})) (local.get $at)))"
                ),
                false => n,
            };
            w.line(&format!("(local.set $n {n})"));
            body(w);
        });
    }

    fn op(&mut self, op: &Op) {
        match *op {
            Op::Observe => self.line("(call $observe (local.get $x))"),
            Op::New { dst, of, default, src, add } => {
                let new = match default {
                    true => format!("(struct.new_default $s{of})"),
                    false => {
                        let kinds = self.program.structs[of].iter();
                        let values: Vec<_> = kinds.map(|k| stored(*k, add, src)).collect();
                        format!("(struct.new $s{of} {})", values.join(" "))
                    }
                };
                self.line(&format!("(local.set $r{dst} {new})"));
            }
            Op::Get { dst, src, of, field, signed, null, safe } => {
                let kind = self.program.structs[of][field];
                self.guarded(safe, src, &format!("$s{of}"), |w| {
                    let ty = reference(null, Heap::Of(Type::Struct(of)));
                    let get = get(kind, "struct", signed);
                    w.load(
                        dst,
                        kind,
                        &format!("({get} $s{of} {field} (ref.cast {ty} (local.get $r{src})))"),
                    );
                });
            }
            Op::Set { dst, of, field, src, add, safe } => {
                let value = stored(self.program.structs[of][field], add, src);
                self.guarded(safe, dst, &format!("$s{of}"), |w| {
                    w.line(&format!("(local.set $s{of} (ref.cast (ref $s{of}) (local.get $r{dst})))"));
                    w.line(&format!("(struct.set $s{of} {field} (local.get $s{of}) {value})"));
                });
            }
            Op::ArrayNew { dst, of, how, len, src, add } => {
                let kind = self.program.arrays[of];
                let (value, len) = (stored(kind, add, src), index(len));
                let from = add % 8;
                let new = match how {
                    NewArray::Default => format!("(array.new_default $a{of} {len})"),
                    NewArray::Fixed => format!("(array.new_fixed $a{of} 3 {value} {value} {value})"),
                    NewArray::Segment if has_segment(kind) => match kind {
                        Kind::Any => format!("(array.new_elem $a{of} $elements (i32.const {from}) {len})"),
                        _ => format!("(array.new_data $a{of} $data (i32.const {from}) {len})"),
                    },
                    NewArray::New | NewArray::Segment => format!("(array.new $a{of} {value} {len})"),
                };
                self.line(&format!("(local.set $r{dst} {new})"));
            }
            Op::ArrayGet { dst, src, of, index, signed, safe } => {
                let kind = self.program.arrays[of];
                self.element(safe, src, of, index, |w| {
                    let get = get(kind, "array", signed);
                    w.load(dst, kind, &format!("({get} $a{of} (local.get $a{of}) (local.get $at))"));
                });
            }
            Op::ArraySet { dst, of, index, src, add, safe } => {
                let value = stored(self.program.arrays[of], add, src);
                self.element(safe, dst, of, index, |w| {
                    w.line(&format!("(array.set $a{of} (local.get $a{of}) (local.get $at) {value})"));
                });
            }
            Op::ArrayLen { src, safe } => self.guarded(safe, src, "array", |w| {
                let len = format!("(array.len (ref.cast (ref null array) (local.get $r{src})))");
                w.line(&mix32(&len));
            }),
            Op::ArrayFill { dst, of, at, len, src, add, safe } => {
                let value = stored(self.program.arrays[of], add, src);
                self.range(safe, dst, of, at, len, |w| {
                    w.line(&format!(
                        "(array.fill $a{of} (local.get $a{of}) (local.get $at) {value} (local.get $n))"
                    ));
                });
            }
            Op::ArrayCopy { dst, src, of, to, from, len, safe } => {
                self.copy((dst, src), of, (to, from), len, safe);
            }
            Op::ArrayInit { dst, of, to, from, len, safe } => {
                let kind = self.program.arrays[of];
                if !has_segment(kind) {
                    return;
                }
                let (how, segment) = match kind {
                    Kind::Any => ("elem", "elements"),
                    _ => ("data", "data"),
                };
                let from = index(from);
                self.range(safe, dst, of, to, len, |w| {
                    w.line(&format!(
                        "(array.init_{how} $a{of} ${segment} (local.get $a{of}) (local.get $at) {from} (local.get $n))"
                    ));
                });
            }
            Op::I31 { dst } => {
                self.line(&format!("(local.set $r{dst} (ref.i31 (i32.wrap_i64 (local.get $x))))"));
            }
            Op::I31Get { src, signed, safe } => self.guarded(safe, src, "i31", |w| {
                let sign = if signed { "s" } else { "u" };
                w.line(&mix32(&format!(
                    "(i31.get_{sign} (ref.cast (ref null i31) (local.get $r{src})))"
                )));
            }),
            Op::Test { src, heap, null } => {
                let ty = reference(null, heap);
                self.line(&mix32(&format!("(ref.test {ty} (local.get $r{src}))")));
            }
            Op::Branch { dst, src, heap, null, fail } => self.branch(dst, src, heap, null, fail),
            Op::Same { a, b } => {
                let test = |r| format!("(ref.test (ref null eq) (local.get $r{r}))");
                let cast = |r| format!("(ref.cast (ref null eq) (local.get $r{r}))");
                let same = mix32(&format!("(ref.eq {} {})", cast(a), cast(b)));
                self.line(&format!("(if (i32.and {} {}) (then {same}))", test(a), test(b)));
            }
            Op::Foreign { dst } => self.line(&format!(
                "(local.set $r{dst} (any.convert_extern (call $foreign (i64.and (local.get $x) (i64.const 15)))))"
            )),
            Op::RoundTrip { dst, src } => self.line(&format!(
                "(local.set $r{dst} (any.convert_extern (extern.convert_any (local.get $r{src}))))"
            )),
            Op::Move { dst, src } => self.line(&format!("(local.set $r{dst} (local.get $r{src}))")),
            Op::GlobalGet { dst, place } => {
                self.line(&format!("(local.set $r{dst} (global.get $g{place}))"));
            }
            Op::GlobalSet { place, src } => {
                self.line(&format!("(global.set $g{place} (local.get $r{src}))"));
            }
            Op::TableGet { dst, index: at } => {
                self.line(&format!("(local.set $r{dst} (table.get $places {}))", index(at)));
            }
            Op::TableSet { src, index: at } => {
                self.line(&format!("(table.set $places {} (local.get $r{src}))", index(at)));
            }
            Op::TableFill { src, at, len } => self.line(&format!(
                "(table.fill $places {} (local.get $r{src}) {})",
                index(at),
                index(len)
            )),
            Op::Garbage { len, times } => self.counted(times, |w| {
                w.line(&format!("(drop (array.new_default $a0 (i32.const {len})))"));
            }),
            Op::Collect => self.line("(call $collect)"),
            Op::Keep { place, src } => {
                self.line(&format!("(call $keep (i32.const {place}) (local.get $r{src}))"));
            }
            Op::Give { dst, place } => {
                self.line(&format!("(local.set $r{dst} (call $give (i32.const {place})))"));
            }
            Op::See { src } => self.line(&format!("(call $see (local.get $r{src}))")),
            Op::Write { dst } => self.line(&format!("(call $write (local.get $r{dst}) (local.get $x))")),
            Op::CallBack { dst, src } => self.line(&format!(
                "(call $call_back (local.get $r{src}) (local.get $x)) (local.set $x) (local.set $r{dst})"
            )),
            Op::Loop { times, ref body } => {
                let i = self.depth;
                self.counted(times, |w| {
                    w.line(&format!(
                        "(local.set $x (i64.add (local.get $x) (i64.extend_i32_u (local.get $i{i}))))"
                    ));
                    w.block(body);
                });
            }
            Op::If { src, heap, ref yes, ref no } => {
                let ty = reference(false, heap);
                self.line(&format!("(if (ref.test {ty} (local.get $r{src})) (then"));
                self.block(yes);
                self.line(") (else");
                self.block(no);
                self.line("))");
            }
            Op::Call { dst, a, b, to, how } => {
                let args = format!("(local.get $r{a}) (local.get $r{b}) (local.get $x)");
                let call = match how {
                    How::Direct => format!("(call $f{to} {args})"),
                    How::Ref => format!("(call_ref $f {args} (ref.func $f{to}))"),
                    How::Indirect => {
                        format!("(call_indirect $funcs (type $f) {args} (i32.const {to}))")
                    }
                };
                self.line(&format!("{call} (local.set $x) (local.set $r{dst})"));
            }
        }
    }

    /// A loop with a counter that no loop inside of it uses.
    fn counted(&mut self, times: u32, body: impl FnOnce(&mut Self)) {
        let i = self.depth;
        self.depth += 1;
        self.line(&format!("(local.set $i{i} (i32.const 0)) (loop $l{i}"));
        body(self);
        self.line(&format!(
            "(br_if $l{i} (i32.lt_u (local.tee $i{i} (i32.add (local.get $i{i}) (i32.const 1))) (i32.const {times}))))"
        ));
        self.depth -= 1;
    }

    fn branch(&mut self, dst: usize, src: usize, of: Heap, null: bool, fail: bool) {
        let ty = reference(null, of);
        let (yes, no) = (mix("(i64.const 21)"), mix("(i64.const 42)"));
        let get = format!("(local.get $r{src})");
        let text = match fail {
            // What is not of the type leaves the inner block.
            true => format!(
                "(block $done (block $no (result anyref) (local.set $r{dst} (br_on_cast_fail $no anyref {ty} {get})) \
                 {yes} (br $done)) (drop) {no})"
            ),
            false => format!(
                "(block $done (block $yes (result {ty}) (drop (br_on_cast $yes anyref {ty} {get})) \
                 {yes} (br $done)) (local.set $r{dst}) {no})"
            ),
        };
        self.line(&text);
    }

    fn copy(
        &mut self,
        (dst, src): (usize, usize),
        of: usize,
        (to, from): (Index, Index),
        len: Index,
        safe: bool,
    ) {
        let cast = |r: usize| format!("(ref.cast (ref $a{of}) (local.get $r{r}))");
        if !safe {
            let (to, from, len) = (index(to), index(from), index(len));
            self.line(&format!(
                "(array.copy $a{of} $a{of} {} {to} {} {from} {len})",
                cast(dst),
                cast(src)
            ));
            return;
        }
        self.range(true, dst, of, to, len, |w| {
            // The first array's index is kept while that of the second is found.
            w.line("(local.set $m (local.get $at))");
            w.element(true, src, of, from, |w| {
                w.line(&format!(
                    "(array.copy $a{of} $a{of} {} (local.get $m) (local.get $a{of}) (local.get $at) \
                     (i32.rem_u (local.get $n) (i32.sub (array.len (local.get $a{of})) (local.get $at))))",
                    cast(dst)
                ));
            });
        });
    }
}
