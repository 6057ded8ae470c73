//! Running a program, step by step: load, provide imports, instantiate, call.
//! Not the parsing of options, which is done when this begins.

pub mod interrupt;
mod invoke;
mod tiers;
mod uncaught;
mod wasi;

use crate::cmd::run::RunCommand;
use crate::input;
use crate::options::{Plan, UnknownImports};
use crate::report::Usage;
use meantime::error::Context;
use meantime::{
    Engine, Error, Func, Instance, Linker, Module, Result, Store, StoreLimits, bail, format_err,
};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

/// What the store holds for the host's side.
struct Host {
    limits: StoreLimits,
    wasi: wasi::State,
}

/// Runs the program that a command line names and returns its exit status.
pub fn program(command: &RunCommand, plan: &Plan) -> Result<i32> {
    let path = PathBuf::from(&command.module_and_arguments[0]);
    // The process ends when the program does, and the system takes everything back at once: taking it down by hand would only cost time.
    let engine = ManuallyDrop::new(Engine::new(&plan.config)?);
    let module = ManuallyDrop::new(input::load(&engine, &path, command.allow_precompiled)?);
    if command.profile_out.is_some() && module.profile().is_none() {
        return Err(Usage(format!(
            "--profile-out is for code that is made while the program runs; that of {} is made ahead",
            input::name(&path)
        ))
        .into());
    }
    let preloads = ManuallyDrop::new(load_preloads(&engine, command)?);

    let modules = || {
        preloads
            .iter()
            .map(|(_, preload)| preload)
            .chain([&*module])
    };
    let wasi = wasi::State::new(command, plan, wasi::Needs::of(modules()))?;
    let mut store = ManuallyDrop::new(Store::new(
        &engine,
        Host {
            limits: StoreLimits::default(),
            wasi,
        },
    ));
    interrupt::prepare(&mut store, plan.bounds)?;
    interrupt::start_timer(&engine, plan.bounds)?;
    if let Some(limits) = plan.limits.limiter() {
        store.data_mut().limits = limits;
        store.limiter(|host| &mut host.limits);
    }
    let mut linker = ManuallyDrop::new(Linker::new(&engine));
    linker.allow_unknown_exports(plan.unknown_exports_allow);
    wasi::provide(&mut linker, plan, wasi::Needs::of(modules()))?;

    for (name, preload) in preloads.iter() {
        stand_in(&mut linker, &mut store, plan, preload)?;
        linker
            .module(&mut *store, name, preload)
            .with_context(|| format!("cannot preload `{name}`"))?;
    }
    stand_in(&mut linker, &mut store, plan, &module)?;
    let called = call_main(command, &linker, &mut store, &module)
        .with_context(|| format!("failed to run main module {}", input::name(&path)));
    if plan.tiers {
        eprint!("{}", tiers::report(&module));
    }
    for module in modules() {
        module.update_cache();
    }
    if let Some(file) = &command.profile_out
        && let Some(profile) = module.profile()
    {
        std::fs::write(file, profile.to_text())
            .with_context(|| format!("cannot write the profile `{}`", file.display()))?;
    }
    match called {
        Ok(()) => Ok(0),
        Err(error) => wasi::exit_status(&error).ok_or(error),
    }
}

/// Loads the modules given by `--preload`.
fn load_preloads(engine: &Engine, command: &RunCommand) -> Result<Vec<(String, Module)>> {
    let load = |(name, path): &(String, PathBuf)| {
        Ok((
            name.clone(),
            input::load(engine, path, command.allow_precompiled)?,
        ))
    };
    command.preload.iter().map(load).collect()
}

/// Defines what `-W unknown-imports-…` asks for in place of imports that nothing provides.
fn stand_in(
    linker: &mut Linker<Host>,
    store: &mut Store<Host>,
    plan: &Plan,
    module: &Module,
) -> Result<()> {
    match plan.unknown_imports {
        UnknownImports::Error => Ok(()),
        UnknownImports::Trap => linker.define_unknown_imports_as_traps(module),
        UnknownImports::Default => linker.define_unknown_imports_as_default_values(store, module),
    }
}

/// Instantiates the main module and calls the function that `--invoke` names, or else the program's own start.
fn call_main(
    command: &RunCommand,
    linker: &Linker<Host>,
    store: &mut Store<Host>,
    module: &Module,
) -> Result<()> {
    let instance = linker
        .instantiate(&mut *store, module)
        .map_err(|error| uncaught::described(store, None, error))?;
    // A reactor is to be initialised before anything else is called.
    if let Some(initialize) = instance.get_func(&mut *store, "_initialize") {
        initialize
            .typed::<(), ()>(&*store)?
            .call(&mut *store, ())
            .map_err(|error| uncaught::described(store, Some(&instance), error))
            .context("failed to call `_initialize`")?;
    }
    let Some(name) = &command.invoke else {
        let main = ["", "_start"]
            .iter()
            .find_map(|name| instance.get_func(&mut *store, name));
        return match main {
            Some(main) => call(
                command,
                store,
                &instance,
                "the program's start function",
                main,
            ),
            // A module of data and functions alone has nothing to run.
            None => Ok(()),
        };
    };
    let function = exported_function(store, &instance, module, name)?;
    call(command, store, &instance, &format!("`{name}`"), function)
}

/// Finds a function by name, or says which there are.
fn exported_function(
    store: &mut Store<Host>,
    instance: &Instance,
    module: &Module,
    name: &str,
) -> Result<Func> {
    if let Some(function) = instance.get_func(&mut *store, name) {
        return Ok(function);
    }
    const MOST: usize = 10;
    let is_function = |export: &meantime::ExportType<'_>| export.ty().func().is_some();
    let names: Vec<_> = module
        .exports()
        .filter(is_function)
        .map(|export| format!("`{}`", export.name()))
        .collect();
    match names.len() {
        0 => bail!("the module exports no function `{name}`, nor any other"),
        1..=MOST => bail!(
            "the module exports no function `{name}`, but {}",
            names.join(", ")
        ),
        more => bail!(
            "the module exports no function `{name}`, but {} and {} more",
            names[..MOST].join(", "),
            more - MOST
        ),
    }
}

/// Calls a function with the arguments of the command line, as far as it takes any, and prints what it returns.
fn call(
    command: &RunCommand,
    store: &mut Store<Host>,
    instance: &Instance,
    what: &str,
    function: Func,
) -> Result<()> {
    let ty = function.ty(&*store);
    let parameters: Vec<_> = ty.params().collect();
    let texts = &command.module_and_arguments[1..];
    if texts.len() < parameters.len() {
        bail!(
            "{what} takes {} arguments, but {} are given",
            parameters.len(),
            texts.len()
        );
    }
    let mut arguments = Vec::with_capacity(parameters.len());
    for (index, (ty, text)) in parameters.iter().zip(texts).enumerate() {
        let argument = invoke::parse(ty, text);
        arguments.push(
            argument
                .map_err(|problem| format_err!("argument {} of {what}: {problem}", index + 1))?,
        );
    }
    let mut results: Vec<_> = ty.results().map(|ty| invoke::placeholder(&ty)).collect();
    function
        .call(&mut *store, &arguments, &mut results)
        .map_err(|error| uncaught::described(store, Some(instance), error))
        .with_context(|| format!("failed to call {what}"))?;
    invoke::print(&results)
}

/// What the program is told it is called.
fn argv0(command: &RunCommand) -> Result<String, Error> {
    if let Some(name) = &command.argv0 {
        return Ok(name.clone());
    }
    let path = Path::new(&command.module_and_arguments[0]);
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_str()
        .map(str::to_string)
        .ok_or_else(|| format_err!("the module's file name is not UTF-8; give --argv0"))
}
