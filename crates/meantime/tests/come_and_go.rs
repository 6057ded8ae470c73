//! Modules that are loaded, run in both tiers and dropped leave neither memory nor address space behind. A program of its own, as it looks at the whole
//! process.

use meantime::*;

/// Pages of address space, and of memory, that the process has.
fn pages() -> (usize, usize) {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let mut numbers = statm.split(' ').map(|n| n.parse::<usize>().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn modules_that_come_and_go_leave_nothing() {
    let engine = Engine::new(Config::new().tier_up_budget(0)).unwrap();
    let wat = r#"(module
        (func (export "run") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))"#;
    let load_and_run = |times| {
        for i in 0..times {
            let module = Module::new(&engine, wat).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let run = instance
                .get_typed_func::<i32, i32>(&mut store, "run")
                .unwrap();
            assert_eq!(run.call(&mut store, i).unwrap(), i + 1);
            assert_eq!(run.call(&mut store, i).unwrap(), i + 1);
        }
        engine.wait_for_tier_up();
    };
    load_and_run(200);
    let before = pages();
    load_and_run(3000);
    let after = pages();
    // A few pages come and go with allocations; three thousand modules that stayed would be hundreds of thousands.
    let grown = |before: usize, after: usize| after.saturating_sub(before);
    assert!(
        grown(before.0, after.0) < 3000 * 256,
        "{before:?} {after:?}"
    );
    assert!(grown(before.1, after.1) < 3000 * 4, "{before:?} {after:?}");
}
