//! The `spectest` host module that scripts import.
//!
//! Not configurable beyond silence. The one idea: what it exports is fixed by the specification's harness
//! (its interpreter's `host/spectest.ml`, with `table64` and `shared_memory` of later versions), so that
//! scripts can rely on each type and value.

use meantime::{
    Global, GlobalType, Instance, Linker, Memory, MemoryType, Module, Mutability, Ref, RefType,
    Result, Store, Table, TableType, Val, ValType,
};

const NAME: &str = "spectest";

/// Defines `spectest` in `linker`. If `silent`, its functions print nothing.
pub(crate) fn define(store: &mut Store<()>, linker: &mut Linker<()>, silent: bool) -> Result<()> {
    define_functions(linker, silent)?;
    define_globals(store, linker)?;
    define_tables(store, linker)?;
    define_memories(store, linker)
}

fn define_functions(linker: &mut Linker<()>, silent: bool) -> Result<()> {
    let print = move |line: std::fmt::Arguments<'_>| {
        if !silent {
            println!("{line}");
        }
    };
    linker.func_wrap(NAME, "print", || {})?;
    linker.func_wrap(NAME, "print_i32", move |x: i32| {
        print(format_args!("{x} : i32"));
    })?;
    linker.func_wrap(NAME, "print_i64", move |x: i64| {
        print(format_args!("{x} : i64"));
    })?;
    linker.func_wrap(NAME, "print_f32", move |x: f32| {
        print(format_args!("{x} : f32"));
    })?;
    linker.func_wrap(NAME, "print_f64", move |x: f64| {
        print(format_args!("{x} : f64"));
    })?;
    linker.func_wrap(NAME, "print_i32_f32", move |x: i32, y: f32| {
        print(format_args!("{x} : i32"));
        print(format_args!("{y} : f32"));
    })?;
    linker.func_wrap(NAME, "print_f64_f64", move |x: f64, y: f64| {
        print(format_args!("{x} : f64"));
        print(format_args!("{y} : f64"));
    })?;
    Ok(())
}

fn define_globals(store: &mut Store<()>, linker: &mut Linker<()>) -> Result<()> {
    for (name, ty, value) in [
        ("global_i32", ValType::I32, Val::I32(666)),
        ("global_i64", ValType::I64, Val::I64(666)),
        ("global_f32", ValType::F32, Val::F32(666.6_f32.to_bits())),
        ("global_f64", ValType::F64, Val::F64(666.6_f64.to_bits())),
    ] {
        let global = Global::new(&mut *store, GlobalType::new(ty, Mutability::Const), value)?;
        linker.define(&*store, NAME, name, global)?;
    }
    Ok(())
}

fn define_tables(store: &mut Store<()>, linker: &mut Linker<()>) -> Result<()> {
    let ty = TableType::new(RefType::FUNCREF, 10, Some(20));
    let table = Table::new(&mut *store, ty, Ref::Func(None))?;
    linker.define(&*store, NAME, "table", table)?;

    // With the memory64 proposal. An engine without it refuses the type; scripts that import the table then
    // say so.
    let ty = TableType::new64(RefType::FUNCREF, 10, Some(20));
    if let Ok(table) = Table::new(&mut *store, ty, Ref::Func(None)) {
        linker.define(&*store, NAME, "table64", table)?;
    }
    Ok(())
}

fn define_memories(store: &mut Store<()>, linker: &mut Linker<()>) -> Result<()> {
    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    linker.define(&*store, NAME, "memory", memory)?;

    // With the threads proposal, and made by a module, since a shared memory has no constructor on a store.
    // An engine without it refuses the module or the memory; scripts that import it then say so.
    if let Ok(instance) = shared_memory_instance(store, linker) {
        linker.instance(&mut *store, NAME, instance)?;
    }
    Ok(())
}

/// An instance of `(module (memory (export "shared_memory") 1 2 shared))`.
fn shared_memory_instance(store: &mut Store<()>, linker: &Linker<()>) -> Result<Instance> {
    const BYTES: &[u8] = b"\0asm\x01\0\0\0\
        \x05\x04\x01\x03\x01\x02\
        \x07\x11\x01\x0dshared_memory\x02\x00";
    let module = Module::from_binary(store.engine(), BYTES)?;
    linker.instantiate(store, &module)
}
