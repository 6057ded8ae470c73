//! The commands besides `run`.

use crate::{Place, outcome};
use std::process::Stdio;

#[test]
fn versions() {
    let place = Place::new();
    let version = env!("CARGO_PKG_VERSION");
    place
        .run(&["--version"])
        .shows(&[&format!("meantime {version}")]);
    place.run(&["-V"]).shows(&[&format!("meantime {version}")]);
    place
        .run(&["compile", "-V"])
        .prints(&format!("meantime-compile {version}\n"));
    place.run(&["wast", "-V"]).fails(2, &["-V"]);
}

#[test]
fn help_of_each_command() {
    let place = Place::new();
    let commands = [
        "run",
        "compile",
        "wast",
        "objdump",
        "settings",
        "config",
        "completion",
    ];
    place.run(&["--help"]).shows(&commands);
    place.run(&["help"]).shows(&commands);
    for command in commands {
        let long = place.run(&[command, "--help"]);
        long.shows(&[&format!("Usage: meantime {command}")]);
        place.run(&["help", command]).prints(&long.stdout);
    }
    let run = place.run(&["run", "-h"]);
    let own = run.stdout.find("--invoke").unwrap();
    let shared = run.stdout.find("Engine options:").unwrap();
    assert!(
        own < shared,
        "the shared options have a heading of their own"
    );
    run.shows(&[
        "--invoke <FUNCTION>",
        "--dir <HOST[::GUEST]>",
        "-O, --optimize",
    ]);
}

#[test]
fn completions() {
    let place = Place::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        place
            .run(&["completion", shell])
            .shows(&["meantime", "allow-precompiled", "objdump"]);
    }
    place
        .run(&["completion", "cmd"])
        .fails(2, &["invalid value 'cmd'"]);
}

#[test]
fn compiling() {
    let place = Place::new();
    place.file("a.wat", "(module (func (export \"f\")))");
    place.run(&["compile", "a.wat"]).prints("");
    place
        .run(&["compile", "-O", "opt-level=0", "--output", "b.bin", "a.wat"])
        .prints("");
    assert!(place.path().join("a.cwasm").exists() && place.path().join("b.bin").exists());
    place.run(&["compile", "-"]).fails(2, &["--output"]);
    place
        .run_with_stdin(&["compile", "-", "-o", "s.cwasm"], b"(module)")
        .prints("");
    place
        .run(&["compile", "a.wat", "-o", "no/where"])
        .fails(1, &["cannot write `no/where`"]);
    place
        .run(&[
            "compile",
            "--target",
            "aarch64-unknown-linux-gnu",
            "a.wat",
            "-o",
            "arm.cwasm",
        ])
        .prints("");
    place
        .run(&["--allow-precompiled", "arm.cwasm"])
        .fails(1, &["cannot load `arm.cwasm`"]);
}

#[test]
fn disassembling() {
    let place = Place::new();
    place.file("a.wat", "(module (func (export \"f\") (param i32) (result i32) (loop (br_if 0 (local.get 0))) unreachable))");
    for (target, jump, trap) in [
        ("x86_64-unknown-linux-gnu", "j", "ud2"),
        ("aarch64-unknown-linux-gnu", "b", "udf"),
    ] {
        place
            .run(&["compile", "--target", target, "a.wat"])
            .prints("");
        let plain = place.run(&["objdump", "a.cwasm"]);
        plain.shows(&[jump, trap]);
        assert!(
            !plain.stdout.contains("trampoline") && !plain.stdout.contains('\x1b'),
            "{}",
            plain.stdout
        );
        let full = place.run(&[
            "objdump",
            "--addresses",
            "--bytes",
            "--funcs",
            "all",
            "--color",
            "always",
            "a.cwasm",
        ]);
        full.shows(&["\x1b[", "0:\x1b[0m "]);
        assert!(full.stdout.len() > plain.stdout.len());
        let jumps = place.run(&["objdump", "--address-jumps", "--address-width=4", "a.cwasm"]);
        assert!(
            jumps.stdout.lines().any(|line| line.get(4..5) == Some(":")),
            "{}",
            jumps.stdout
        );
        place
            .run(&["objdump", "--filter", "no such name", "a.cwasm"])
            .prints("");
        let notes = place.run(&[
            "objdump",
            "--traps",
            "--addrmap=y",
            "--stack-maps",
            "a.cwasm",
        ]);
        notes.shows(&["╰─╼ trap: UnreachableCodeReached", "╭─╼ addrmap: 0x"]);
        place
            .run(&["objdump", "--traps=n", "a.cwasm"])
            .prints(&plain.stdout);
        let bytes = std::fs::read(place.path().join("a.cwasm")).unwrap();
        place
            .run_with_stdin(&["objdump"], &bytes)
            .prints(&plain.stdout);
    }
    place
        .run(&["objdump", "a.wat"])
        .fails(1, &["`a.wat` is not a .cwasm file"]);
    place
        .run(&["objdump", "--frame-tables", "a.cwasm"])
        .fails(2, &["--frame-tables is not supported"]);
    place
        .run(&["objdump", "--funcs", "some", "a.cwasm"])
        .fails(2, &["invalid value 'some'"]);
}

#[test]
fn damaged_files_are_not_disassembled_into_a_panic() {
    let place = Place::new();
    place.file(
        "a.wat",
        "(module (func (export \"f\") (param i32) (result i32) local.get 0))",
    );
    place.run(&["compile", "a.wat"]).prints("");
    let good = std::fs::read(place.path().join("a.cwasm")).unwrap();
    for step in 1..24 {
        let cut = good.len() * step / 24;
        place.file("cut.cwasm", &good[..cut]);
        let outcome = place.run(&["objdump", "--funcs", "all", "cut.cwasm"]);
        assert!(
            outcome.status <= 1 && !outcome.stderr.contains("panicked"),
            "{cut}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn settings() {
    let place = Place::new();
    place
        .run(&["settings"])
        .shows(&["Cranelift settings for target", "inferred"]);
    place
        .run(&["settings", "--target", "x86_64-unknown-linux-gnu"])
        .shows(&["has_avx2", "skylake"]);
    place
        .run(&["settings", "--target", "aarch64-unknown-linux-gnu"])
        .shows(&["has_lse"]);
    place
        .run(&["settings", "--target", "pdp11"])
        .fails(2, &["pdp11"]);
    let json = place.run(&["settings", "--json", "--target", "x86_64-unknown-linux-gnu"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["triple"], "x86_64-unknown-linux-gnu");
    let names: Vec<_> = json["bools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| flag["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"has_avx2"), "{names:?}");
}

#[test]
fn new_configuration_files() {
    let place = Place::new();
    place
        .run(&["config", "new", "c/config.toml"])
        .shows(&["c/config.toml"]);
    assert!(
        std::fs::read_to_string(place.path().join("c/config.toml"))
            .unwrap()
            .contains("[cache]")
    );
    place
        .run(&["config", "new", "c/config.toml"])
        .fails(1, &["there is a file `c/config.toml` already"]);
    if cfg!(target_os = "linux") {
        let mut command = place.command(&["config", "new"]);
        command.env("XDG_CONFIG_HOME", place.path());
        assert_eq!(command.output().unwrap().status.code(), Some(0));
        assert!(place.path().join("meantime/config.toml").exists());
    }
    place.run(&["config"]).fails(2, &["Usage: meantime config"]);
}

#[test]
fn scripts() {
    let place = Place::new();
    let good = "(module (func (export \"f\") (result i32) i32.const 1))\n(assert_return (invoke \"f\") (i32.const 1))";
    place.file("good.wast", good);
    place.run(&["wast", "good.wast", "good.wast"]).prints("");
    place.file("bad.wast", good.replace("(i32.const 1))", "(i32.const 2))"));
    place
        .run(&["wast", "good.wast", "bad.wast"])
        .fails(1, &["bad.wast:2"]);
    place.run(&["wast", "none.wast"]).fails(1, &["none.wast"]);
    place.run(&["wast"]).fails(2, &["<SCRIPT_FILE>"]);
}

#[test]
fn nobody_reads_the_output() {
    let place = Place::new();
    place.file(
        "m.wat",
        "(module (func (export \"f\") (result i32) i32.const 1))",
    );
    for arguments in [
        &["settings"][..],
        &["--help"],
        &["-W", "help-long"],
        &["completion", "bash"],
        &["--invoke", "f", "m.wat"],
    ] {
        let mut command = place.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let outcome = outcome(child.wait_with_output().unwrap());
        assert_eq!(outcome.stderr, "", "{arguments:?}");
        assert!(outcome.status == 0, "{arguments:?} gave {}", outcome.status);
    }
}

/// Calls a function through a table, in a loop.
const HOT: &str = r#"(module
    (type $op (func (param i32) (result i32)))
    (table 1 funcref)
    (elem (i32.const 0) $next)
    (func $next (type $op) (i32.add (local.get 0) (i32.const 1)))
    (func (export "run") (param $n i32) (result i32) (local $x i32)
        (loop $again
            (local.set $x (call_indirect (type $op) (local.get $x) (i32.const 0)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $x)))"#;

#[test]
fn profiles_are_written_and_used() {
    let place = Place::new();
    place.file("m.wat", HOT);
    let run = ["run", "--profile-out", "m.profile", "--invoke", "run"];
    let run = |more: &[&str]| place.run(&[&run, more].concat());
    run(&["m.wat", "5000000"]).prints("5000000\n");
    let text = std::fs::read_to_string(place.path().join("m.profile")).unwrap();
    assert!(text.starts_with("meantime-profile 2\nmodule "), "{text}");
    assert!(text.lines().any(|line| line.starts_with("call ")), "{text}");
    let compile = |profile: &str, module: &str| {
        place.run(&["compile", "--profile-in", profile, "-o", "m.cwasm", module])
    };
    compile("m.profile", "m.wat").prints("");
    let ahead = ["run", "--allow-precompiled", "--invoke", "run", "m.cwasm"];
    place.run(&[&ahead[..], &["50"]].concat()).prints("50\n");

    place.file("other.wat", "(module)");
    compile("m.profile", "other.wat").fails(1, &["the profile is of another module"]);
    place.file("bad.profile", text.replace("call ", "call 1"));
    compile("bad.profile", "m.wat").fails(1, &["`bad.profile`", "damaged"]);
    place.file("bad.profile", "something else");
    compile("bad.profile", "m.wat").fails(1, &["not a profile"]);
    compile("none.profile", "m.wat").fails(1, &["cannot read the profile `none.profile`"]);
    run(&["-C", "compiler=cranelift", "m.wat", "5"]).fails(2, &["--profile-out"]);
}

#[test]
fn a_cache_keeps_what_was_optimized() {
    let place = Place::new();
    place.file("m.wat", HOT);
    let directory = place.path().join("cache");
    place.file(
        "cache.toml",
        format!(
            "[cache]\ndirectory = {:?}\n",
            directory.display().to_string()
        ),
    );
    let run = |more: &[&str]| {
        let options = ["-C", "cache-config=cache.toml", "--invoke", "run"];
        place.run(&[&options, more].concat())
    };
    let entries = || {
        let files = std::fs::read_dir(&directory).unwrap();
        let names = files.map(|f| f.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains('.')).collect::<Vec<_>>()
    };
    run(&["-C", "compiler=cranelift", "m.wat", "7"]).prints("7\n");
    let first = entries();
    assert!(
        first.len() == 1 && first[0].ends_with(".cwasm"),
        "{first:?}"
    );
    run(&["-C", "compiler=cranelift", "m.wat", "8"]).prints("8\n");
    assert_eq!(entries(), first);
    // Long enough for something to be optimized on any machine.
    run(&["m.wat", "500000000"]).prints("500000000\n");
    assert_eq!(entries().len(), 2);
    run(&["m.wat", "9"]).prints("9\n");
    place.file("cache.toml", "[cache]\nsize = 1\n");
    run(&["m.wat", "9"]).fails(1, &["cache.toml", "`size`"]);
}
