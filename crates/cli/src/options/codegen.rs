//! The keys of `-C` / `--codegen`: which compiler makes the code, and how.

use super::table::{Group, Key, Kind, Value, later, on};
use meantime::{Collector, Config, Inlining, Strategy};

/// `-C` / `--codegen` / `[codegen]`.
pub static CODEGEN: Group = Group {
    letter: 'C',
    name: "codegen",
    about: "Code generation",
    keys: KEYS,
};

const KEYS: &[Key] = &[
    on(
        "compiler",
        Kind::Choice(&["cranelift", "winch"]),
        "cranelift",
        "the compiler",
        |plan, value| {
            plan.config.strategy(match value {
                Value::Text(word) if word == "winch" => Strategy::Winch,
                _ => Strategy::Cranelift,
            });
        },
    ),
    on(
        "collector",
        Kind::Choice(&["drc", "null", "copying"]),
        "copying",
        "the garbage collector",
        |plan, value| {
            plan.config.collector(match value {
                Value::Text(word) if word == "null" => Collector::Null,
                _ => Collector::Copying,
            });
        },
    )
    .but_later(&["drc"]),
    on(
        "cranelift-debug-verifier",
        Kind::Bool,
        "n",
        "check Cranelift's code between its passes",
        |plan, value| {
            plan.config.cranelift_debug_verifier(value.on());
        },
    ),
    on(
        "cache",
        Kind::Bool,
        "n, unless cache-config is given",
        "keep compiled code on disk for the next run",
        |plan, value| {
            plan.cache = Some(value.on());
        },
    ),
    on(
        "cache-config",
        Kind::Text("PATH"),
        "the platform's place",
        "the configuration file of the cache",
        |plan, value| {
            if let Value::Text(path) = value {
                plan.cache_config = Some(path.into());
            }
        },
    ),
    on(
        "parallel-compilation",
        Kind::Bool,
        "y",
        "compile functions on several threads",
        |plan, value| {
            plan.config.parallel_compilation(value.on());
        },
    ),
    on(
        "native-unwind-info",
        Kind::Bool,
        "y where native tools use them",
        "put the platform's unwind tables in compiled code",
        |plan, value| {
            plan.config.native_unwind_info(value.on());
        },
    ),
    on(
        "inlining",
        Kind::BoolOr(&["gc", "inter-module", "intrinsics"]),
        "y",
        "which calls the compiler may inline",
        |plan, value| {
            plan.config.compiler_inlining(match value {
                Value::Bool(false) => Inlining::No,
                Value::Text(word) if word == "gc" => Inlining::InterModuleAndIntraGc,
                Value::Text(word) if word == "inter-module" => Inlining::InterModule,
                Value::Text(word) if word == "intrinsics" => Inlining::Intrinsics,
                _ => Inlining::Yes,
            });
        },
    ),
    later(
        "metadata-for-internal-asserts",
        Kind::Bool,
        "n",
        "keep trap metadata for internal assertions",
    )
    .harmless(&["n"]),
    on(
        "metadata-for-gc-heap-corruption",
        Kind::Bool,
        "y",
        "keep trap metadata for checks of the GC heap",
        |plan, value| {
            plan.config.metadata_for_gc_heap_corruption(value.on());
        },
    ),
    on(
        "cranelift-",
        Kind::Flag,
        "none",
        "set a flag of Cranelift's; `meantime settings` lists them",
        |plan, value| {
            let (flag, value) = value.flag();
            set_cranelift_flag(&mut plan.config, flag, value);
        },
    ),
];

/// Sets a flag by name, or enables it when no value is given. A name that Cranelift does not have, or a flag
/// that would change how compiled code and the runtime fit together, is refused when the engine is made.
#[allow(
    unsafe_code,
    reason = "the API is unsafe: flags decide what code is made"
)]
fn set_cranelift_flag(config: &mut Config, flag: &str, value: Option<&str>) {
    // SAFETY: the engine checks flags by name and value and refuses those that its own code relies on. What remains is asking for
    // instructions that the host lacks, which the engine also refuses for code that it is to run.
    unsafe {
        match value {
            None => config.cranelift_flag_enable(flag),
            Some(value) => config.cranelift_flag_set(flag, value),
        };
    }
}
