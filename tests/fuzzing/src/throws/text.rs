//! A program that throws and catches as a module in the text format.
//!
//! The one idea: a `Try` is a block for its end, in that one for each clause that does something, and in these the `try_table`; a clause's code stands
//! behind its block.

use super::model::offset;
use super::program::{Catch, EXCEPTIONS, FUNCTIONS, Host, How, Kind, Op, Program, TAGS};
use std::fmt::Write;

/// The module. Every second tag is imported.
pub fn module(program: &Program) -> String {
    let mut out =
        String::from("(module\n(type $f (func (param i64 exnref) (result i64 exnref)))\n");
    for (i, kinds) in TAGS.iter().enumerate() {
        let _ = match i % 2 {
            0 => Ok(()),
            _ => writeln!(
                out,
                "(import \"host\" \"t{i}\" (tag $t{i} (param {})))",
                types(kinds)
            ),
        };
    }
    out.push_str(IMPORTS);
    for (i, kinds) in TAGS.iter().enumerate() {
        let _ = match i % 2 {
            0 => writeln!(
                out,
                "(tag $t{i} (export \"t{i}\") (param {}))",
                types(kinds)
            ),
            _ => writeln!(out, "(export \"t{i}\" (tag $t{i}))"),
        };
    }
    let funcs: Vec<String> = (0..FUNCTIONS).map(|i| format!("$f{i}")).collect();
    let _ = writeln!(out, "(table $funcs funcref (elem {}))", funcs.join(" "));
    out.push_str("(global $saved (mut exnref) (ref.null exn))\n");
    for (i, body) in program.functions.iter().enumerate() {
        function(i, body, &mut out);
    }
    out.push_str(")\n");
    out
}

const IMPORTS: &str = r#"
(import "host" "observe" (func $observe (param i64)))
(import "host" "collect" (func $collect))
(import "host" "call" (func $call (param i32 i32 i64) (result i64)))
(import "host" "throw" (func $throw (param i32 i64)))
"#;

fn ty(kind: Kind) -> &'static str {
    match kind {
        Kind::I32 => "i32",
        Kind::I64 => "i64",
        Kind::F32 => "f32",
        Kind::F64 => "f64",
        Kind::V128 => "v128",
        Kind::Any => "anyref",
        Kind::Extern => "externref",
        Kind::Func => "funcref",
        Kind::Exn => "exnref",
    }
}

fn types(kinds: &[Kind]) -> String {
    let types: Vec<_> = kinds.iter().map(|kind| ty(*kind)).collect();
    types.join(" ")
}

/// The `i`th value of an exception.
fn value(i: usize, kind: Kind) -> String {
    let number = format!("(i64.add (local.get $x) (i64.const {}))", offset(i) as i64);
    let narrow = format!("(i32.wrap_i64 {number})");
    match kind {
        Kind::I32 => narrow,
        Kind::I64 => number,
        Kind::F32 => format!("(f32.reinterpret_i32 {narrow})"),
        Kind::F64 => format!("(f64.reinterpret_i64 {number})"),
        Kind::V128 => format!("(i64x2.replace_lane 1 (i64x2.splat (i64.const -1)) {number})"),
        Kind::Any => format!("(ref.i31 {narrow})"),
        Kind::Extern => format!("(extern.convert_any (ref.i31 {narrow}))"),
        // Not null if the number is even.
        Kind::Func => format!(
            "(if (result funcref) (i32.and {narrow} (i32.const 1)) (then (ref.null func)) (else (ref.func $f0)))"
        ),
        Kind::Exn => "(local.get $e0)".to_string(),
    }
}

/// A value in the local for its kind as an `i64`.
fn read(kind: Kind) -> String {
    let get = format!("(local.get ${})", ty(kind));
    let i31 = |any: &str| format!("(i64.extend_i32_u (i31.get_u (ref.cast (ref i31) {any})))");
    match kind {
        Kind::I32 => format!("(i64.extend_i32_u {get})"),
        Kind::I64 => get,
        Kind::F32 => format!("(i64.extend_i32_u (i32.reinterpret_f32 {get}))"),
        Kind::F64 => format!("(i64.reinterpret_f64 {get})"),
        Kind::V128 => format!("(i64x2.extract_lane 1 {get})"),
        Kind::Any => i31(&get),
        Kind::Extern => i31(&format!("(any.convert_extern {get})")),
        Kind::Func | Kind::Exn => format!("(i64.extend_i32_u (ref.is_null {get}))"),
    }
}

fn function(i: usize, body: &[Op], out: &mut String) {
    let _ = writeln!(
        out,
        "(func $f{i} (export \"f{i}\") (type $f) (param $x i64) (param $e0 exnref) (result i64 exnref)"
    );
    for i in 1..EXCEPTIONS {
        let _ = writeln!(out, "(local $e{i} exnref)");
    }
    for i in 0..8 {
        let _ = writeln!(out, "(local $i{i} i32)");
    }
    use Kind::*;
    for kind in [I32, I64, F32, F64, V128, Any, Extern, Func, Exn] {
        let _ = writeln!(out, "(local ${} {})", ty(kind), ty(kind));
    }
    let mut writer = Writer {
        out,
        tries: Vec::new(),
        count: 0,
        depth: 0,
    };
    writer.block(body);
    out.push_str("(local.get $x) (local.get $e0))\n");
}

struct Writer<'w> {
    out: &'w mut String,
    /// The `Try`s around the operation, by number.
    tries: Vec<usize>,
    count: usize,
    /// Loops around the operation.
    depth: usize,
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

    fn op(&mut self, op: &Op) {
        match *op {
            Op::Observe => self.line("(call $observe (local.get $x))"),
            Op::Add(number) => self.line(&format!(
                "(local.set $x (i64.add (local.get $x) (i64.const {})))",
                number as i64
            )),
            Op::Throw(tag) => {
                let values = TAGS[tag].iter().enumerate();
                let values: Vec<_> = values.map(|(i, kind)| value(i, *kind)).collect();
                self.line(&format!("(throw $t{tag} {})", values.join(" ")));
            }
            Op::ThrowRef { exn, safe } => {
                let throw = format!("(throw_ref (local.get $e{exn}))");
                self.line(&match safe {
                    true => {
                        format!("(if (i32.eqz (ref.is_null (local.get $e{exn}))) (then {throw}))")
                    }
                    false => throw,
                });
            }
            Op::Try {
                ref body,
                ref catches,
            } => self.r#try(body, catches),
            Op::Leave => {
                if let Some(to) = self.tries.last() {
                    let to = *to;
                    self.line(&format!("(br $done{to})"));
                }
            }
            Op::Return => self.line("(return (local.get $x) (local.get $e0))"),
            Op::Call { to, how } => {
                let call = call("call", to, how);
                self.line(&format!("{call} (local.set $e0) (local.set $x)"));
            }
            Op::TailCall { to, how } => self.line(&call("return_call", to, how)),
            Op::Host { to, what } => {
                let what = match what {
                    Host::Through => 0,
                    Host::Swallow => 1,
                    Host::Rethrow => 2,
                    Host::Convert => 3,
                    Host::Fail => 4,
                };
                self.line(&format!(
                    "(local.set $x (call $call (i32.const {to}) (i32.const {what}) (local.get $x)))"
                ));
            }
            Op::HostThrow { tag } => {
                self.line(&format!("(call $throw (i32.const {tag}) (local.get $x))"));
            }
            Op::Loop { times, ref body } => {
                let i = self.depth;
                self.depth += 1;
                self.line(&format!("(local.set $i{i} (i32.const 0)) (loop $l{i}"));
                self.line(&format!(
                    "(local.set $x (i64.add (local.get $x) (i64.extend_i32_u (local.get $i{i}))))"
                ));
                self.block(body);
                self.line(&format!(
                    "(br_if $l{i} (i32.lt_u (local.tee $i{i} (i32.add (local.get $i{i}) (i32.const 1))) (i32.const {times}))))"
                ));
                self.depth -= 1;
            }
            Op::If {
                bit,
                ref yes,
                ref no,
            } => {
                self.line(&format!(
                    "(if (i32.and (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const {bit}))) (i32.const 1)) (then"
                ));
                self.block(yes);
                self.line(") (else");
                self.block(no);
                self.line("))");
            }
            Op::Collect => self.line("(call $collect)"),
            Op::Copy { to, from } => self.line(&format!("(local.set $e{to} (local.get $e{from}))")),
            Op::Save { exn } => self.line(&format!("(global.set $saved (local.get $e{exn}))")),
            Op::Restore { exn } => self.line(&format!("(local.set $e{exn} (global.get $saved))")),
            Op::Unreachable => self.line("(unreachable)"),
        }
    }

    fn r#try(&mut self, body: &[Op], catches: &[Catch]) {
        let n = self.count;
        self.count += 1;
        self.line(&format!("(block $done{n}"));
        for (i, catch) in catches.iter().enumerate().rev() {
            if catch.then.is_some() {
                let kinds = catch.tag.map_or("".to_string(), |tag| types(TAGS[tag]));
                let exn = if catch.exn.is_some() { "(ref exn)" } else { "" };
                self.line(&format!("(block $h{n}_{i} (result {kinds} {exn})"));
            }
        }
        let clauses = catches.iter().enumerate().map(|(i, catch)| {
            let to = match catch.then {
                Some(_) => format!("$h{n}_{i}"),
                None => format!("$done{n}"),
            };
            let exn = if catch.exn.is_some() { "_ref" } else { "" };
            match catch.tag {
                Some(tag) => format!("(catch{exn} $t{tag} {to})"),
                None => format!("(catch_all{exn} {to})"),
            }
        });
        let clauses = clauses.collect::<Vec<_>>().join(" ");
        self.line(&format!("(try_table {clauses}"));
        self.tries.push(n);
        self.block(body);
        self.tries.pop();
        self.line(")");
        self.line(&format!("(br $done{n})"));
        for catch in catches {
            if let Some(then) = &catch.then {
                self.line(")");
                if let Some(exn) = catch.exn {
                    self.line(&format!("(local.set $e{exn})"));
                }
                let kinds = catch.tag.map_or(&[][..], |tag| TAGS[tag]);
                for kind in kinds.iter().rev() {
                    self.line(&format!("(local.set ${})", ty(*kind)));
                    self.line(&format!(
                        "(local.set $x (i64.xor (i64.rotl (local.get $x) (i64.const 7)) {}))",
                        read(*kind)
                    ));
                }
                self.block(then);
                self.line(&format!("(br $done{n})"));
            }
        }
        self.line(")");
    }
}

fn call(instruction: &str, to: usize, how: How) -> String {
    let args = "(local.get $x) (local.get $e0)";
    match how {
        How::Direct => format!("({instruction} $f{to} {args})"),
        How::Ref => format!("({instruction}_ref $f {args} (ref.func $f{to}))"),
        How::Indirect => {
            format!("({instruction}_indirect $funcs (type $f) {args} (i32.const {to}))")
        }
    }
}
