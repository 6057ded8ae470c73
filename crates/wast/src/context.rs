//! The state of a running script: its store, its linker, and the names it has given to modules and instances.
//!
//! Not what directives mean (that is `directive`). The one idea: a script names three different things.
//! `(module $M …)` and `(module instance $I $M)` name *instances*, `(module definition $M …)` names a
//! *module*, and `(register "m")` gives an instance a name that later modules *import* from; the last is
//! kept by the linker.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use meantime::error::Context as _;
use meantime::{Engine, Extern, Instance, Linker, Module, Result, Store, bail, format_err};
use wast::core::EncodeOptions;
use wast::core::GenerateDwarf;
use wast::token::Id;
use wast::{QuoteWat, Wat};

use crate::run::Script;
use crate::spectest;

type StoreSetup = Arc<dyn Fn(&mut Store<()>) -> Result<()> + Send + Sync>;

/// How scripts are run.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// Accept any error where a script expects one, whatever its message says. The kind of the error still
    /// matters: a host error is no trap.
    pub ignore_error_messages: bool,
    /// Give modules written as text line tables that point into the script, so that a trap's backtrace names
    /// the script's lines. Slows down compilation.
    pub generate_dwarf: bool,
    /// Do not write to standard output what scripts pass to the `print` functions of `spectest`.
    pub silent: bool,
    store_setup: Option<StoreSetup>,
}

impl Options {
    /// Calls `setup` on each new store before anything runs in it, for example to give it fuel, an epoch
    /// deadline or a limiter. Scripts with `thread` directives use several stores, from several threads.
    pub fn store_setup(
        &mut self,
        setup: impl Fn(&mut Store<()>) -> Result<()> + Send + Sync + 'static,
    ) -> &mut Self {
        self.store_setup = Some(Arc::new(setup));
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("ignore_error_messages", &self.ignore_error_messages)
            .field("generate_dwarf", &self.generate_dwarf)
            .field("silent", &self.silent)
            .finish_non_exhaustive()
    }
}

/// Runs scripts one after the other in one store.
///
/// Names and registered instances stay from script to script, as in the specification's interpreter. Use one
/// context for each script to have them independent, as [`run_file`](crate::run_file) does.
pub struct WastContext {
    pub(crate) store: Store<()>,
    pub(crate) linker: Linker<()>,
    pub(crate) options: Options,
    /// The instance that directives without a name speak of: the latest one.
    current: Option<Instance>,
    instances: HashMap<String, Instance>,
    /// The module that `(module instance)` without a module's name speaks of: the latest definition.
    latest_definition: Option<Module>,
    definitions: HashMap<String, Module>,
    /// What this context was given of instances that live in another thread's store.
    shared: HashMap<String, Vec<(String, Extern)>>,
}

impl WastContext {
    /// A context with a fresh store, in which scripts find the `spectest` host module.
    ///
    /// # Errors
    ///
    /// If the store's setup fails, or the engine cannot create what `spectest` exports.
    pub fn new(engine: &Engine, options: &Options) -> Result<WastContext> {
        let mut store = Store::new(engine, ());
        if let Some(setup) = &options.store_setup {
            setup(&mut store).context("failed to set up the store")?;
        }
        let mut linker = Linker::new(engine);
        // Scripts register one name several times; the latest instance counts.
        linker.allow_shadowing(true);
        spectest::define(&mut store, &mut linker, options.silent)
            .context("failed to define the `spectest` module")?;
        Ok(WastContext {
            store,
            linker,
            options: options.clone(),
            current: None,
            instances: HashMap::new(),
            latest_definition: None,
            definitions: HashMap::new(),
            shared: HashMap::new(),
        })
    }

    /// The linker that resolves the imports of the scripts' modules, to provide more than `spectest`.
    pub fn linker(&mut self) -> &mut Linker<()> {
        &mut self.linker
    }

    /// The store that the scripts' instances live in.
    pub fn store(&mut self) -> &mut Store<()> {
        &mut self.store
    }

    /// Encodes and compiles a module.
    ///
    /// Malformed text and invalid modules both end up here as errors: the text format's grammar and the
    /// binary format's are checked by different libraries, which divide the two kinds a little differently
    /// from the specification.
    pub(crate) fn compile(&self, module: &mut QuoteWat<'_>, script: &Script<'_>) -> Result<Module> {
        let bytes = match module {
            QuoteWat::Wat(wat) => self.encode(wat, script)?,
            // The offsets in a quoted module are not the script's, so there are no line tables to make.
            QuoteWat::QuoteModule(..) => module.encode()?,
            QuoteWat::QuoteComponent(..) => bail!("components in scripts are not supported"),
        };
        // Not `Module::new`: a `(module binary)` whose bytes are no module must not pass as text.
        Module::from_binary(self.store.engine(), &bytes)
    }

    pub(crate) fn compile_wat(&self, wat: &mut Wat<'_>, script: &Script<'_>) -> Result<Module> {
        let bytes = self.encode(wat, script)?;
        Module::from_binary(self.store.engine(), &bytes)
    }

    fn encode(&self, wat: &mut Wat<'_>, script: &Script<'_>) -> Result<Vec<u8>> {
        if let Wat::Component(_) = wat {
            bail!("components in scripts are not supported");
        }
        let mut options = EncodeOptions::new();
        if self.options.generate_dwarf {
            options.dwarf(Path::new(script.name), script.text, GenerateDwarf::Lines);
        }
        Ok(options.encode_wat(wat)?)
    }

    pub(crate) fn instantiate(&mut self, module: &Module) -> Result<Instance> {
        self.linker.instantiate(&mut self.store, module)
    }

    /// Makes `instance` the current one and, with a name, one that directives can speak of.
    pub(crate) fn name_instance(&mut self, name: Option<Id<'_>>, instance: Instance) {
        if let Some(name) = name {
            self.instances.insert(name.name().to_string(), instance);
        }
        self.current = Some(instance);
    }

    pub(crate) fn name_definition(&mut self, name: Option<Id<'_>>, module: Module) {
        if let Some(name) = name {
            self.definitions
                .insert(name.name().to_string(), module.clone());
        }
        self.latest_definition = Some(module);
    }

    pub(crate) fn definition(&self, name: Option<Id<'_>>) -> Result<Module> {
        let found = match name {
            Some(name) => self.definitions.get(name.name()),
            None => self.latest_definition.as_ref(),
        };
        found.cloned().ok_or_else(|| match name {
            Some(name) => format_err!("there is no module definition `${}`", name.name()),
            None => format_err!("there is no module definition before this directive"),
        })
    }

    pub(crate) fn instance(&self, name: Option<Id<'_>>) -> Result<Instance> {
        let found = match name {
            Some(name) => self.instances.get(name.name()).copied(),
            None => self.current,
        };
        found.ok_or_else(|| match name {
            Some(name) => format_err!("there is no instance `${}`", name.name()),
            None => format_err!("there is no instance before this directive"),
        })
    }

    /// Lets this context register what another thread's instance `name` shares with it.
    pub(crate) fn share(&mut self, name: Id<'_>, exports: Vec<(String, Extern)>) {
        self.shared.insert(name.name().to_string(), exports);
    }

    /// Makes the exports of an instance available for import under `as_name`.
    pub(crate) fn register(&mut self, as_name: &str, instance: Option<Id<'_>>) -> Result<()> {
        if let Some(exports) = instance.and_then(|id| self.shared.get(id.name())) {
            for (field, export) in exports {
                self.linker
                    .define(&self.store, as_name, field, export.clone())?;
            }
            return Ok(());
        }
        let instance = self.instance(instance)?;
        self.linker.instance(&mut self.store, as_name, instance)?;
        Ok(())
    }

    pub(crate) fn export(&mut self, instance: Option<Id<'_>>, name: &str) -> Result<Extern> {
        self.instance(instance)?
            .get_export(&mut self.store, name)
            .ok_or_else(|| format_err!("the instance has no export named {name:?}"))
    }
}
