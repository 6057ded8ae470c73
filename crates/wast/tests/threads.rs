//! Scripts that run parts of themselves on other threads.
//!
//! Not the atomic instructions (the specification's scripts test those). The one idea: a thread's context is
//! its own but for shared memories, and its failures are the script's.

use meantime::{Config, Engine, Result};
use meantime_wast::{Options, Report, WastContext};

fn run(script: &str) -> Result<Report> {
    let mut config = Config::new();
    config.wasm_threads(true).shared_memory(true);
    let engine = Engine::new(&config)?;
    WastContext::new(&engine, &Options::default())?.run_all("threads.wast", script)
}

#[test]
fn threads_wait_for_each_other_in_a_shared_memory() -> Result<()> {
    let report = run(r#"
        (module $Mem (memory (export "shared") 1 1 shared))
        (thread $Waiter (shared (module $Mem))
          (register "mem" $Mem)
          (module
            (memory (import "mem" "shared") 1 1 shared)
            (func (export "run") (result i32)
              (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
          (assert_return (invoke "run") (either (i32.const 0) (i32.const 1))))
        (thread $Notifier (shared (module $Mem))
          (register "mem" $Mem)
          (module
            (memory (import "mem" "shared") 1 1 shared)
            (func (export "run")
              (i32.atomic.store (i32.const 0) (i32.const 42))
              (drop (memory.atomic.notify (i32.const 0) (i32.const -1)))))
          (assert_return (invoke "run")))
        (wait $Notifier)
        (wait $Waiter)
        (register "mem" $Mem)
        (module (memory (import "mem" "shared") 1 1 shared)
          (func (export "load") (result i32) (i32.atomic.load (i32.const 0))))
        (assert_return (invoke "load") (i32.const 42))
    "#)?;
    assert_eq!(report.failures.len(), 0, "{:?}", report.failures);
    assert_eq!(report.directives, 14);
    Ok(())
}

#[test]
fn failures_in_threads_count_whether_waited_for_or_not() -> Result<()> {
    let report = run(r#"
        (module)
        (thread $A (module) (invoke "none"))
        (thread $B (module) (invoke "none"))
        (wait $A)
        (wait $A)
    "#)?;
    let mut lines: Vec<_> = report.failures.iter().map(|f| f.line).collect();
    lines.sort();
    assert_eq!(lines, [3, 4, 6]);
    Ok(())
}

#[test]
fn only_shared_memories_reach_a_thread() -> Result<()> {
    let report = run(r#"
        (module $M (memory (export "m") 1) (func (export "f")))
        (thread $T (shared (module $M))
          (register "m" $M)
          (assert_unlinkable (module (import "m" "f" (func))) "unknown import")
          (assert_unlinkable (module (import "m" "m" (memory 1))) "unknown import"))
        (wait $T)
    "#)?;
    assert_eq!(report.failures.len(), 0, "{:?}", report.failures);
    Ok(())
}
