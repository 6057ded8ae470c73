//! Yosys, as it is published: a large program in C++ that synthesizes circuits, and throws and catches exceptions when it is
//! given something wrong.
//!
//! It is compiled once, which takes a while: its code is over forty megabytes of Wasm.

use meantime_tests::{Outcome, Run, Scratch, compile, yosys};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use xtask::paths;
use xtask::toolbox::fetch::Yosys;

/// What the code will do is the same with less optimization, and it is there sooner.
const OPTIONS: &[&str] = &["-O", "opt-level=0", "-O", "regalloc-algorithm=single-pass"];

const COUNTER: &str = "\
module counter #(parameter WIDTH = 8) (input clk, input reset, input enable, output reg [WIDTH-1:0] count);
  always @(posedge clk)
    if (reset) count <= 0;
    else if (enable) count <= count + 1;
endmodule
";

/// Yosys and its compiled code. That stays in the target folder, where the next run replaces it.
fn compiled() -> Option<&'static (Yosys, PathBuf)> {
    static COMPILED: OnceLock<Option<(Yosys, PathBuf)>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let yosys = yosys()?;
        let code = paths::target().join("tests-scratch/yosys.cwasm");
        fs::create_dir_all(code.parent().unwrap()).unwrap();
        compile(OPTIONS, &yosys.wasm, &code);
        Some((yosys, code))
    });
    compiled.as_ref()
}

/// Runs Yosys with `scratch` as its `/work`; `None` when it cannot be fetched.
fn run(scratch: &Scratch, args: &[&str], stdin: &str) -> Option<Outcome> {
    let (yosys, code) = compiled()?;
    fs::write(scratch.path().join("counter.v"), COUNTER).unwrap();
    let share = format!("{}::/share", yosys.share.display());
    let temporary = Scratch::new("yosys");
    // Without register allocation worth the name, frames are large.
    let mut options = vec!["--allow-precompiled", "-W", "max-wasm-stack=2097152"];
    options.extend(OPTIONS);
    let (work, temporary) = (scratch.as_dir("/work"), temporary.as_dir("/tmp"));
    for dir in [&work, &share, &temporary] {
        options.extend(["--dir", dir]);
    }
    Some(Run::new(&options, code, args).stdin(stdin).outcome())
}

#[test]
fn a_counter_becomes_gates() {
    let scratch = Scratch::new("yosys");
    let script = "read_verilog /work/counter.v; synth -top counter; write_json /work/counter.json";
    let Some(outcome) = run(&scratch, &["-q", "-p", script], "") else {
        return;
    };
    assert_eq!(outcome.ok(), "");
    let text = fs::read_to_string(scratch.path().join("counter.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert!(json["creator"].as_str().unwrap().starts_with("Yosys 0.70"));
    let modules: Vec<_> = json["modules"].as_object().unwrap().keys().collect();
    assert_eq!(modules, ["counter"]);

    let module = &json["modules"]["counter"];
    let ports: BTreeMap<_, _> = module["ports"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, port)| {
            let bits = port["bits"].as_array().unwrap().len();
            (name.as_str(), (port["direction"].as_str().unwrap(), bits))
        })
        .collect();
    assert_eq!(
        ports,
        BTreeMap::from([
            ("clk", ("input", 1)),
            ("reset", ("input", 1)),
            ("enable", ("input", 1)),
            ("count", ("output", 8)),
        ])
    );

    // Eight flip-flops with reset and enable drive the output; the rest is an incrementer of gates.
    let cells: Vec<&Value> = module["cells"].as_object().unwrap().values().collect();
    let bits = |value: &Value| -> BTreeSet<u64> {
        let bits = value.as_array().unwrap().iter();
        bits.map(|bit| bit.as_u64().unwrap()).collect()
    };
    let (flops, gates): (Vec<&Value>, Vec<&Value>) = cells
        .into_iter()
        .partition(|cell| cell["type"] == "$_SDFFE_PP0P_");
    assert_eq!(flops.len(), 8);
    let driven: BTreeSet<u64> = flops
        .iter()
        .flat_map(|cell| bits(&cell["connections"]["Q"]))
        .collect();
    assert_eq!(driven, bits(&module["ports"]["count"]["bits"]));
    for flop in flops {
        for (pin, port) in [("C", "clk"), ("R", "reset"), ("E", "enable")] {
            assert_eq!(
                flop["connections"][pin], module["ports"][port]["bits"],
                "{pin}"
            );
        }
    }
    assert!((8..=40).contains(&gates.len()), "{} gates", gates.len());
    for gate in gates {
        let kind = gate["type"].as_str().unwrap();
        assert!(
            matches!(
                kind,
                "$_NOT_"
                    | "$_AND_"
                    | "$_NAND_"
                    | "$_OR_"
                    | "$_NOR_"
                    | "$_XOR_"
                    | "$_XNOR_"
                    | "$_ANDNOT_"
                    | "$_ORNOT_"
                    | "$_MUX_"
            ),
            "{kind} is no gate"
        );
    }
}

/// Its shell catches what a command throws, the C++ library's own exceptions among it, and takes the
/// next command.
#[test]
fn the_shell_survives_exceptions() {
    let commands = "no_such_command\nlogger -nowarn [\nread_verilog /work/missing.v\nread_verilog /work/counter.v\n\
                    logger -nowarn [\nhierarchy -check -top counter\nls\nexit\n";
    let scratch = Scratch::new("yosys");
    let Some(outcome) = run(&scratch, &[], commands) else {
        return;
    };
    let all = format!("{}{}", outcome.ok(), outcome.stderr);
    for (message, times) in [
        ("No such command: no_such_command", 1),
        ("Error in regex expression '['", 2),
        ("`/work/missing.v' not found", 1),
        ("Successfully finished Verilog frontend.", 1),
        ("Top module:  \\counter", 1),
        ("\n1 modules:\n  counter\n", 1),
    ] {
        assert!(
            all.matches(message).count() >= times,
            "{message:?} is not there {times} times in:\n{all}"
        );
    }
}

#[test]
fn an_error_in_a_script_is_the_programs_own_failure() {
    let scratch = Scratch::new("yosys");
    for (script, message) in [
        ("logger -nowarn [", "Error in regex expression '['"),
        (
            "read_verilog /work/missing.v",
            "File `/work/missing.v' not found",
        ),
    ] {
        let Some(outcome) = run(&scratch, &["-q", "-p", script], "") else {
            return;
        };
        assert_eq!(outcome.code, Some(1), "{script}");
        assert!(
            outcome.stderr.contains(message),
            "{script}: {}",
            outcome.stderr
        );
    }
}
