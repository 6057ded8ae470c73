//! A program that jumps as a module in the text format.
//!
//! The one idea: a machine is a block for its end, in that the loop, and in that a block for each of its own, the first innermost, around the table;
//! the code of each stands behind its block.

use super::model::REACH;
use super::program::{FUNCTIONS, LEVELS, LOOPS, Machine, Op, PAGES, Program, Style, To};
use std::fmt::Write;

/// The module.
pub fn module(program: &Program) -> String {
    let mut out = format!(
        "(module\n(memory (export \"memory\") 1 {PAGES})\n(global $budget (export \"budget\") (mut i32) (i32.const 0))\n"
    );
    for (i, machine) in program.functions.iter().enumerate() {
        function(i, machine, &mut out);
    }
    out.push_str(")\n");
    out
}

fn function(index: usize, machine: &Machine, out: &mut String) {
    debug_assert!(index < FUNCTIONS);
    let _ = writeln!(
        out,
        "(func $f{index} (export \"f{index}\") (param $p0 i32) (param $x i64) (result i64)"
    );
    for i in 1..LEVELS {
        let _ = writeln!(out, "(local $p{i} i32)");
    }
    for i in 0..LOOPS {
        let _ = writeln!(out, "(local $n{i} i32)");
    }
    self::machine(machine, out);
    out.push_str("local.get $x)\n");
}

fn machine(machine: &Machine, out: &mut String) {
    let Machine {
        level,
        style,
        blocks,
        table,
    } = machine;
    let _ = writeln!(out, "block $out{level}");
    if *style == Style::Above {
        out.push_str("i32.const 7\n");
    }
    let _ = writeln!(out, "loop $top{level}");
    for i in (0..blocks.len()).rev() {
        let _ = writeln!(out, "block $b{level}_{i}");
    }
    if *style == Style::Nop {
        out.push_str("nop\n");
    }
    let _ = writeln!(out, "local.get $p{level}");
    if *style == Style::Computed {
        out.push_str("global.get $budget\ni32.const 0\ni32.and\ni32.add\n");
    }
    out.push_str("br_table");
    for to in table {
        let _ = match to {
            To::Block(block) => write!(out, " $b{level}_{block}"),
            To::Out => write!(out, " $out{level}"),
        };
    }
    out.push('\n');
    for (i, ops) in blocks.iter().enumerate() {
        let _ = writeln!(out, "end ;; $b{level}_{i}\n{STEP}");
        self::ops(ops, out);
    }
    let _ = writeln!(out, "end ;; $top{level}");
    if *style == Style::Above {
        out.push_str("drop\n");
    }
    let _ = writeln!(out, "end ;; $out{level}");
}

/// What a block pays.
const STEP: &str = "(global.set $budget (i32.sub (global.get $budget) (i32.const 1)))\n(if (i32.eqz (global.get $budget)) (then unreachable))";

fn ops(ops: &[Op], out: &mut String) {
    for op in ops {
        self::op(op, out);
    }
}

/// Whether `x` has a bit.
fn has(bit: u32) -> String {
    format!("(i32.and (i32.wrap_i64 (i64.shr_u (local.get $x) (i64.const {bit}))) (i32.const 1))")
}

fn choose(level: usize, choice: u32) -> String {
    format!("i32.const {choice}\nlocal.set $p{level}")
}

/// Makes a value go into `x`.
fn mix(value: &str) -> String {
    format!("(local.set $x (i64.xor (i64.rotl (local.get $x) (i64.const 7)) {value}))")
}

fn op(op: &Op, out: &mut String) {
    let address = format!("(i32.wrap_i64 (i64.rem_u (local.get $x) (i64.const {REACH})))");
    let _ = match *op {
        Op::Mix(value) => writeln!(out, "{}", mix(&format!("(i64.const {value})"))),
        Op::Store(offset) => writeln!(out, "(i64.store offset={offset} {address} (local.get $x))"),
        Op::Load(offset) => {
            let load = format!("(i64.load offset={offset} {address})");
            writeln!(out, "{}", mix(&load))
        }
        Op::Grow => {
            let grow = "(i64.extend_i32_u (memory.grow (i32.const 1)))";
            writeln!(out, "{}", mix(grow))
        }
        Op::Set { level, choice } => writeln!(out, "{}", choose(level, choice)),
        Op::Jump { level, choice } => {
            let choose = choice.map_or(String::new(), |choice| choose(level, choice));
            writeln!(out, "{choose}\nbr $top{level}")
        }
        Op::JumpVia { level } => writeln!(
            out,
            "(local.set $p{level} (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 15)))\nbr $top{level}"
        ),
        Op::JumpIf { bit, level, choice } => writeln!(
            out,
            "{}\nif\n{}\nbr $top{level}\nend",
            has(bit),
            choose(level, choice)
        ),
        Op::BranchIf { bit, level, choice } => writeln!(
            out,
            "{}\n(br_if $top{level} {})",
            choose(level, choice),
            has(bit)
        ),
        Op::Forward { bit, level, block } => {
            writeln!(out, "(br_if $b{level}_{block} {})", has(bit))
        }
        Op::Out { bit, level } => writeln!(out, "(br_if $out{level} {})", has(bit)),
        Op::Return { bit } => writeln!(out, "(if {} (then (return (local.get $x))))", has(bit)),
        Op::Call { to } => writeln!(
            out,
            "(local.set $x (call $f{to} (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 7)) (local.get $x)))"
        ),
        Op::Loop {
            times,
            depth,
            ref body,
        } => {
            let _ = writeln!(
                out,
                "(local.set $n{depth} (i32.const {times}))\nloop $l{depth}"
            );
            ops(body, out);
            writeln!(
                out,
                "(br_if $l{depth} (local.tee $n{depth} (i32.sub (local.get $n{depth}) (i32.const 1))))\nend"
            )
        }
        Op::Inner(first, ref machine) => {
            let _ = writeln!(out, "{}", choose(machine.level, first));
            self::machine(machine, out);
            Ok(())
        }
    };
}
