//! Hostile functions: compiling one that is four times as large takes about four times as long, and makes about four times as much code.
//!
//! What is measured is the time that this thread had on a processor, not the clock's, of the fastest of a few runs, so that other work on the machine
//! matters little; and only growth is judged. The one idea: each shape has two lengths that grow at once (locals and blocks, operands and branches), so that work
//! for every pair of them shows as sixteen times as long.

use meantime::{Config, Engine, Instance, Module, Store, Strategy};
use std::time::Duration;
use wasm_encoder::{
    BlockType, Catch, CodeSection, ConstExpr, ElementSection, Elements, ExportKind, ExportSection,
    FieldType, Function, FunctionSection, Instruction as I, RefType, StorageType, TableSection,
    TableType, TagKind, TagSection, TagType, TypeSection, ValType,
};

/// What four times the size may cost: linear is 4, quadratic 16.
const GROWTH: f64 = 9.0;

/// A function of a size. It returns at once when it is called with zero.
struct Shape {
    name: &'static str,
    small: u32,
    make: fn(u32) -> Function,
}

const SHAPES: &[Shape] = &[
    Shape {
        name: "straight code",
        small: 8_000,
        make: straight,
    },
    Shape {
        name: "a table of branches",
        small: 8_000,
        make: table,
    },
    Shape {
        name: "branches by tables to many blocks",
        small: 200,
        make: tables,
    },
    Shape {
        name: "locals",
        small: 12_000,
        make: locals,
    },
    Shape {
        name: "nested blocks",
        small: 4_000,
        make: nested,
    },
    Shape {
        name: "nested blocks with results",
        small: 4_000,
        make: nested_results,
    },
    Shape {
        name: "blocks with many results",
        small: 1_000,
        make: results,
    },
    Shape {
        name: "locals and blocks",
        small: 4_000,
        make: locals_and_blocks,
    },
    Shape {
        name: "locals and conditions",
        small: 4_000,
        make: locals_and_conditions,
    },
    Shape {
        name: "locals and loops",
        small: 2_000,
        make: locals_and_loops,
    },
    Shape {
        name: "nested loops",
        small: 2_000,
        make: nested_loops,
    },
    Shape {
        name: "operands and blocks",
        small: 2_000,
        make: operands_and_blocks,
    },
    Shape {
        name: "operands and branches",
        small: 2_000,
        make: operands_and_branches,
    },
    Shape {
        name: "operands and calls",
        small: 4_000,
        make: operands_and_calls,
    },
    Shape {
        name: "references and calls",
        small: 1_000,
        make: references_and_calls,
    },
    Shape {
        name: "references and objects",
        small: 500,
        make: references_and_objects,
    },
    Shape {
        name: "handlers",
        small: 2_000,
        make: handlers,
    },
    Shape {
        name: "code that is not reached",
        small: 8_000,
        make: unreached,
    },
];

fn function(locals: &[(u32, ValType)]) -> Function {
    let mut f = Function::new(locals.iter().copied());
    f.instruction(&I::LocalGet(0));
    f.instruction(&I::I32Eqz);
    f.instruction(&I::If(BlockType::Empty));
    f.instruction(&I::Return);
    f.instruction(&I::End);
    f
}

fn all(f: &mut Function, instructions: &[I<'_>]) {
    for instruction in instructions {
        f.instruction(instruction);
    }
}

fn end(mut f: Function) -> Function {
    f.instruction(&I::End);
    f
}

fn straight(n: u32) -> Function {
    let mut f = function(&[(8, ValType::I32)]);
    for i in 0..n {
        let (a, b, c) = (i % 8 + 1, (i * 7) % 8 + 1, (i * 3) % 8 + 1);
        all(
            &mut f,
            &[
                I::LocalGet(a),
                I::LocalGet(b),
                I::I32Add,
                I::I32Const(i as i32),
                I::I32Xor,
                I::LocalSet(c),
            ],
        );
    }
    end(f)
}

fn table(n: u32) -> Function {
    let mut f = function(&[]);
    for _ in 0..8 {
        f.instruction(&I::Block(BlockType::Empty));
    }
    let targets: Vec<u32> = (0..n).map(|i| i * 5 % 8).collect();
    all(&mut f, &[I::LocalGet(0), I::BrTable(targets.into(), 0)]);
    for _ in 0..8 {
        f.instruction(&I::End);
    }
    end(f)
}

fn tables(n: u32) -> Function {
    let mut f = function(&[]);
    for _ in 0..60 {
        f.instruction(&I::Block(BlockType::Empty));
    }
    let targets: Vec<u32> = (0..60).collect();
    for _ in 0..n {
        f.instruction(&I::Block(BlockType::Empty));
        all(
            &mut f,
            &[
                I::LocalGet(0),
                I::BrTable(targets.clone().into(), 1),
                I::End,
            ],
        );
    }
    for _ in 0..60 {
        f.instruction(&I::End);
    }
    end(f)
}

fn locals(n: u32) -> Function {
    let mut f = function(&[(n, ValType::I64)]);
    for i in 0..n {
        all(&mut f, &[I::LocalGet(i + 1), I::LocalSet(n - i)]);
    }
    end(f)
}

fn nested(n: u32) -> Function {
    let mut f = function(&[]);
    for _ in 0..n {
        all(
            &mut f,
            &[I::Block(BlockType::Empty), I::LocalGet(0), I::BrIf(0)],
        );
    }
    for _ in 0..n {
        f.instruction(&I::End);
    }
    end(f)
}

fn nested_results(n: u32) -> Function {
    let mut f = function(&[]);
    for _ in 0..n {
        f.instruction(&I::Block(BlockType::Result(ValType::I32)));
    }
    f.instruction(&I::I32Const(1));
    for i in 0..n {
        all(&mut f, &[I::LocalGet(0), I::BrIf(n - 1 - i), I::End]);
    }
    f.instruction(&I::Drop);
    end(f)
}

/// Blocks of type 2: a hundred results.
fn results(n: u32) -> Function {
    let mut f = function(&[]);
    for _ in 0..n {
        f.instruction(&I::Block(BlockType::FunctionType(2)));
        for i in 0..100 {
            f.instruction(&I::I32Const(i));
        }
        all(&mut f, &[I::LocalGet(0), I::BrIf(0), I::End]);
        for _ in 0..100 {
            f.instruction(&I::Drop);
        }
    }
    end(f)
}

fn locals_and_blocks(n: u32) -> Function {
    let mut f = function(&[(n, ValType::I32)]);
    for i in 0..n {
        all(&mut f, &[I::LocalGet(0), I::LocalSet(i + 1)]);
    }
    for _ in 0..n {
        all(
            &mut f,
            &[
                I::Block(BlockType::Empty),
                I::LocalGet(0),
                I::BrIf(0),
                I::End,
            ],
        );
    }
    end(f)
}

fn locals_and_conditions(n: u32) -> Function {
    let mut f = function(&[(n, ValType::I32)]);
    for i in 0..n {
        all(
            &mut f,
            &[
                I::LocalGet(i + 1),
                I::If(BlockType::Empty),
                I::I32Const(1),
                I::LocalSet(n - i),
                I::Else,
                I::I32Const(2),
                I::LocalSet(i / 2 + 1),
                I::End,
            ],
        );
    }
    end(f)
}

fn locals_and_loops(n: u32) -> Function {
    let mut f = function(&[(n, ValType::I64)]);
    for _ in 0..n {
        all(
            &mut f,
            &[
                I::Loop(BlockType::Empty),
                I::LocalGet(0),
                I::I32Eqz,
                I::BrIf(0),
                I::End,
            ],
        );
    }
    end(f)
}

fn nested_loops(n: u32) -> Function {
    let mut f = function(&[]);
    for _ in 0..n {
        f.instruction(&I::Loop(BlockType::Empty));
    }
    for i in 0..n {
        all(
            &mut f,
            &[I::LocalGet(0), I::I32Eqz, I::BrIf(i % 7 % (n - i)), I::End],
        );
    }
    end(f)
}

fn operands_and_blocks(n: u32) -> Function {
    let mut f = function(&[]);
    for _ in 0..n {
        f.instruction(&I::LocalGet(0));
    }
    for _ in 0..n {
        all(
            &mut f,
            &[
                I::Block(BlockType::Empty),
                I::LocalGet(0),
                I::BrIf(0),
                I::End,
            ],
        );
    }
    for _ in 0..n {
        f.instruction(&I::Drop);
    }
    end(f)
}

fn operands_and_branches(n: u32) -> Function {
    let mut f = function(&[]);
    f.instruction(&I::Block(BlockType::Result(ValType::I32)));
    for _ in 0..n {
        all(&mut f, &[I::LocalGet(0), I::LocalGet(0), I::BrIf(0)]);
    }
    for _ in 1..n {
        f.instruction(&I::Drop);
    }
    all(&mut f, &[I::End, I::Drop]);
    end(f)
}

fn operands_and_calls(n: u32) -> Function {
    let mut f = function(&[]);
    for _ in 0..n {
        all(&mut f, &[I::LocalGet(0), I::I32Const(0), I::Call(1)]);
    }
    for _ in 0..n {
        f.instruction(&I::Drop);
    }
    end(f)
}

fn references_and_calls(n: u32) -> Function {
    let mut f = function(&[(n, ValType::Ref(RefType::ANYREF))]);
    for i in 0..n {
        all(&mut f, &[I::LocalGet(0), I::RefI31, I::LocalSet(i + 1)]);
    }
    for _ in 0..n {
        all(&mut f, &[I::I32Const(0), I::Call(1)]);
    }
    for i in 0..n {
        all(&mut f, &[I::LocalGet(i + 1), I::Drop]);
    }
    end(f)
}

/// Objects of type 3, whose allocation may collect.
fn references_and_objects(n: u32) -> Function {
    let mut f = function(&[(n, ValType::Ref(RefType::ANYREF))]);
    for i in 0..n {
        all(&mut f, &[I::StructNewDefault(3), I::LocalSet(i + 1)]);
    }
    for i in 0..n {
        all(&mut f, &[I::LocalGet(i + 1), I::Drop]);
    }
    end(f)
}

fn handlers(n: u32) -> Function {
    let mut f = function(&[]);
    f.instruction(&I::Block(BlockType::Empty));
    for i in 0..n {
        let catch = match i % 2 {
            0 => Catch::One { tag: 0, label: i },
            _ => Catch::All { label: i },
        };
        f.instruction(&I::TryTable(BlockType::Empty, [catch].as_slice().into()));
    }
    for _ in 0..n {
        all(&mut f, &[I::I32Const(0), I::Call(1), I::End]);
    }
    f.instruction(&I::End);
    end(f)
}

fn unreached(n: u32) -> Function {
    let mut f = function(&[]);
    f.instruction(&I::Unreachable);
    for _ in 0..n {
        all(
            &mut f,
            &[
                I::Block(BlockType::Result(ValType::I32)),
                I::Unreachable,
                I::I32Add,
                I::BrIf(0),
                I::End,
                I::Drop,
            ],
        );
    }
    end(f)
}

/// A module that exports the function as `run`. Function 1 is the same type's, and does nothing.
fn module(function: &Function) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32], []);
    types.ty().function([], []);
    types.ty().function([], [ValType::I32; 100]);
    types.ty().struct_([FieldType {
        element_type: StorageType::Val(ValType::I32),
        mutable: true,
    }]);
    let mut functions = FunctionSection::new();
    functions.function(0).function(0);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 1,
        maximum: None,
        shared: false,
    });
    let mut tags = TagSection::new();
    tags.tag(TagType {
        kind: TagKind::Exception,
        func_type_idx: 1,
    });
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, 0);
    let mut elements = ElementSection::new();
    elements.active(
        None,
        &ConstExpr::i32_const(0),
        Elements::Functions([0].as_slice().into()),
    );
    let mut nothing = Function::new([]);
    nothing.instruction(&I::End);
    let mut code = CodeSection::new();
    code.function(function).function(&nothing);
    let mut module = wasm_encoder::Module::new();
    module
        .section(&types)
        .section(&functions)
        .section(&tables)
        .section(&tags);
    module.section(&exports).section(&elements).section(&code);
    module.finish()
}

/// The time that this thread has had on a processor.
fn now() -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat");
    let times = times.expect("Linux says it there");
    let nanoseconds = times.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// The time that it takes to compile and, for code that is made at the first call, call.
fn time(engine: &Engine, wasm: &[u8]) -> Duration {
    let start = now();
    let mut times = 0;
    // Long enough that the operating system's grain does not matter.
    while times == 0 || now() - start < Duration::from_millis(20) {
        let module = Module::new(engine, wasm).expect("it is valid");
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("it needs nothing");
        let run = instance.get_typed_func::<i32, ()>(&mut store, "run");
        let run = run.expect("it is exported");
        run.call(&mut store, 0).expect("it returns at once");
        times += 1;
    }
    (now() - start) / times
}

fn check(engine: &Engine, shapes: &[Shape]) {
    let mut slow = Vec::new();
    for shape in shapes {
        let [small, large] = [1, 4].map(|times| {
            let wasm = module(&(shape.make)(shape.small * times));
            let runs = (0..3).map(|_| time(engine, &wasm));
            runs.min().expect("there are some")
        });
        let growth = large.as_secs_f64() / small.as_secs_f64();
        println!(
            "{:40} {small:>12.3?} {large:>12.3?} {growth:5.1}",
            shape.name
        );
        if growth > GROWTH {
            slow.push((shape.name, growth));
        }
    }
    assert!(slow.is_empty(), "not linear: {slow:?}");
}

#[test]
fn baseline() {
    let mut config = Config::new();
    config.strategy(Strategy::Winch).parallel_compilation(false);
    check(&Engine::new(&config).expect("it is valid"), SHAPES);
}

/// Code that is made at the first call, and can change over at loops.
#[test]
fn first_tier() {
    let mut config = Config::new();
    config.tier_up_budget(u32::MAX);
    check(&Engine::new(&config).expect("it is valid"), SHAPES);
}
