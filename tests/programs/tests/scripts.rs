//! Interpreters: Lua and QuickJS read a script from a preopened folder and run it.

use meantime_tests::{Outcome, Run, Scratch, wasm};
use std::fs;
use xtask::toolbox::guest::{Guest, Library, Source};
use xtask::toolbox::library::{LUA, QUICKJS};

const LUA_RUN: Guest = Guest {
    name: "test_lua_run",
    source: Source::Library(Library {
        driver: "tests/programs/guests/lua_run.c",
        ..LUA
    }),
    flags: &[],
    wasm_flags: &[],
};
const QUICKJS_RUN: Guest = Guest {
    name: "test_quickjs_run",
    source: Source::Library(Library {
        driver: "tests/programs/guests/quickjs_run.c",
        ..QUICKJS
    }),
    flags: &[],
    wasm_flags: &[],
};

/// Runs `script` with `guest`; `None` when there are no compilers.
fn run(guest: &Guest, script: &str, args: &[&str]) -> Option<Outcome> {
    let program = wasm(guest)?;
    let scratch = Scratch::new("scripts");
    fs::write(scratch.path().join("script"), script).unwrap();
    let args: Vec<&str> = std::iter::once("/scripts/script")
        .chain(args.iter().copied())
        .collect();
    Some(Run::new(&["--dir", &scratch.as_dir("/scripts")], &program, &args).outcome())
}

#[test]
fn lua_runs_a_script() {
    let script = r##"
local who, n = ...
print("hello " .. who, #who)
local t = {}
for i = 1, tonumber(n) do t[i] = (i * 7) % 11 end
table.sort(t)
print(table.concat(t, " "))
print(string.format("%5.2f|%-4s|%x", math.pi, "ab", 255), ("a,b,c"):gsub(",", ";"))
local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({ x = a.x + b.x }, Point) end
print((setmetatable({ x = 1 }, Point) + setmetatable({ x = 41 }, Point)).x, 7 // 2, 7 / 2, 1 << 40, utf8.char(233, 8364))
"##;
    let Some(outcome) = run(&LUA_RUN, script, &["w\u{f6}rld", "10"]) else {
        return;
    };
    assert_eq!(
        outcome.ok(),
        "hello w\u{f6}rld\t6\n1 2 3 4 5 6 7 8 9 10\n 3.14|ab  |ff\ta;b;c\t2\n42\t3\t3.5\t1099511627776\t\u{e9}\u{20ac}\n"
    );
}

#[test]
fn quickjs_runs_a_script() {
    let script = r#"
class Animal { #name; constructor(name) { this.#name = name; } get name() { return this.#name; } }
class Dog extends Animal { speak() { return `${this.name} says ${"w\u00f6of".toUpperCase()}`; } }
print(new Dog("Rex").speak());
const { a, ...rest } = JSON.parse('{"a": [1, 2.5, null], "b": {"c": "\\u00e9"}, "d": true}');
print(JSON.stringify(rest), a.map((x) => x ?? "none").join());
print("2026-11-23".replace(/(?<y>\d+)-(?<m>\d+)/, "$<m>/$<y>"), 2n ** 100n, [..."ab\u{1f600}"].length);
function* naturals() { for (let i = 0; ; i++) yield i; }
let sum = 0;
for (const n of naturals()) { if (n > 1000) break; sum += n; }
print(sum, new Map([[1, 2]]).get(1), [3, 1, 2].toSorted(), Math.hypot(3, 4));
try { null.x; } catch (error) { print(error instanceof TypeError); }
Promise.resolve(1).then((v) => print("later", v));
print("sooner");
"#;
    let Some(outcome) = run(&QUICKJS_RUN, script, &[]) else {
        return;
    };
    assert_eq!(
        outcome.ok(),
        "Rex says W\u{d6}OF\n{\"b\":{\"c\":\"\u{e9}\"},\"d\":true} 1,2.5,none\n11/2026-23 1267650600228229401496703205376 3\n\
         500500 2 1,2,3 5\ntrue\nsooner\nlater 1\n"
    );
}

#[test]
fn an_exception_in_javascript_is_the_programs_own_failure() {
    let Some(outcome) = run(
        &QUICKJS_RUN,
        "print('first'); throw new RangeError('too far');",
        &[],
    ) else {
        return;
    };
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(1), "first\n")
    );
    assert!(
        outcome.stderr.contains("RangeError: too far"),
        "{}",
        outcome.stderr
    );
}
