//! What each directive of a script does and asserts.
//!
//! Not how scripts are parsed or failures reported (that is `run`), nor how single values are compared (that
//! is `value`). The one idea: a directive that executes something has one of three outcomes, values, a trap,
//! or another error, and each assertion names the one it wants.

use meantime::{Error, Extern, Instance, Result, Trap, Val, bail, error::Context as _};
use wast::{QuoteWat, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

use crate::context::WastContext;
use crate::message::{self, Assertion};
use crate::run::Script;
use crate::{gc, value};

/// What an execution came to, if not to values.
enum Failed {
    /// A trap, and the error that carried it.
    Trap(Trap, Error),
    /// An exception that nothing caught.
    Exception,
    /// Anything else: a missing export, a type mismatch, a link error, an error of a host function.
    Other(Error),
}

impl WastContext {
    /// Runs one directive other than `thread` and `wait`.
    pub(crate) fn run_directive(
        &mut self,
        directive: WastDirective<'_>,
        script: &Script<'_>,
    ) -> Result<()> {
        match directive {
            WastDirective::Module(module) => self.module(module, script),
            WastDirective::ModuleDefinition(module) => self.module_definition(module, script),
            WastDirective::ModuleInstance {
                instance, module, ..
            } => {
                let module = self.definition(module)?;
                let created = self.instantiate(&module)?;
                self.name_instance(instance, created);
                Ok(())
            }
            WastDirective::Register { name, module, .. } => self.register(name, module),
            WastDirective::Invoke(invoke) => self
                .invoke(&invoke)
                .map(drop)
                .context("failed to invoke a function"),
            WastDirective::AssertReturn { exec, results, .. } => {
                self.assert_return(exec, &results, script)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                self.assert_trap(exec, message, script)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.assert_exhaustion(call, message, script)
            }
            WastDirective::AssertException { exec, .. } => self.assert_exception(exec, script),
            WastDirective::AssertInvalid {
                module, message, ..
            }
            | WastDirective::AssertInvalidCustom {
                module, message, ..
            }
            | WastDirective::AssertMalformed {
                module, message, ..
            }
            | WastDirective::AssertMalformedCustom {
                module, message, ..
            } => self.assert_rejected(module, message, script),
            WastDirective::AssertUnlinkable {
                module, message, ..
            } => self.assert_unlinkable(module, message, script),
            WastDirective::AssertSuspension { .. } => {
                bail!("assert_suspension is not supported: the engine has no stack switching")
            }
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                bail!("thread and wait directives are not run on their own")
            }
        }
    }

    fn module(&mut self, mut module: QuoteWat<'_>, script: &Script<'_>) -> Result<()> {
        let name = module.name();
        let compiled = self
            .compile(&mut module, script)
            .context("failed to compile a module")?;
        let instance = self
            .instantiate(&compiled)
            .context("failed to instantiate a module")?;
        self.name_instance(name, instance);
        Ok(())
    }

    fn module_definition(&mut self, mut module: QuoteWat<'_>, script: &Script<'_>) -> Result<()> {
        let name = module.name();
        let compiled = self
            .compile(&mut module, script)
            .context("failed to compile a module definition")?;
        self.name_definition(name, compiled);
        Ok(())
    }

    fn assert_return(
        &mut self,
        exec: WastExecute<'_>,
        expected: &[WastRet<'_>],
        script: &Script<'_>,
    ) -> Result<()> {
        let results = match self.execute(exec, script) {
            Ok(results) => results,
            Err(Failed::Trap(_, error)) => {
                return Err(error.context("expected results, got a trap"));
            }
            Err(Failed::Exception) => bail!("expected results, got an exception"),
            Err(Failed::Other(error)) => {
                return Err(error.context("expected results, got an error"));
            }
        };
        if results.len() != expected.len() {
            bail!("expected {} results, got {}", expected.len(), results.len());
        }
        for (i, (actual, expected)) in results.iter().zip(expected).enumerate() {
            let WastRet::Core(expected) = expected else {
                bail!("expected a component value, which a core function cannot return");
            };
            value::check(&mut self.store, actual, expected)
                .with_context(|| format!("result {i} is not as expected"))?;
        }
        Ok(())
    }

    fn assert_trap(
        &mut self,
        exec: WastExecute<'_>,
        message: &str,
        script: &Script<'_>,
    ) -> Result<()> {
        let trap = self.expect_trap(exec, message, script)?;
        self.check_message(Assertion::Trap, message, &trap.to_string())
    }

    fn assert_exhaustion(
        &mut self,
        call: WastInvoke<'_>,
        message: &str,
        script: &Script<'_>,
    ) -> Result<()> {
        let trap = self.expect_trap(WastExecute::Invoke(call), message, script)?;
        if trap != Trap::StackOverflow {
            bail!("expected a stack overflow, got `{trap}`");
        }
        self.check_message(Assertion::Trap, message, &trap.to_string())
    }

    fn expect_trap(
        &mut self,
        exec: WastExecute<'_>,
        message: &str,
        script: &Script<'_>,
    ) -> Result<Trap> {
        match self.execute(exec, script) {
            Err(Failed::Trap(trap, _)) => Ok(trap),
            Ok(results) => bail!("expected the trap {message:?}, got the results {results:?}"),
            Err(Failed::Exception) => bail!("expected the trap {message:?}, got an exception"),
            Err(Failed::Other(error)) => {
                Err(error.context(format!("expected the trap {message:?}, got an error")))
            }
        }
    }

    fn assert_exception(&mut self, exec: WastExecute<'_>, script: &Script<'_>) -> Result<()> {
        match self.execute(exec, script) {
            Err(Failed::Exception) => Ok(()),
            Ok(results) => bail!("expected an exception, got the results {results:?}"),
            Err(Failed::Trap(_, error)) => Err(error.context("expected an exception, got a trap")),
            Err(Failed::Other(error)) => Err(error.context("expected an exception, got an error")),
        }
    }

    /// For `assert_invalid` and `assert_malformed`: the module does not compile.
    fn assert_rejected(
        &mut self,
        mut module: QuoteWat<'_>,
        message: &str,
        script: &Script<'_>,
    ) -> Result<()> {
        if let QuoteWat::QuoteComponent(..) | QuoteWat::Wat(Wat::Component(_)) = module {
            // Would be an error, and so pass, for the wrong reason.
            bail!("components in scripts are not supported");
        }
        match self.compile(&mut module, script) {
            Ok(_) => bail!("expected the module to be rejected with {message:?}, but it compiles"),
            Err(error) => self.check_message(Assertion::Rejected, message, &format!("{error:#}")),
        }
    }

    fn assert_unlinkable(
        &mut self,
        mut module: Wat<'_>,
        message: &str,
        script: &Script<'_>,
    ) -> Result<()> {
        let compiled = self
            .compile_wat(&mut module, script)
            .context("failed to compile a module that is expected only not to link")?;
        match self.instantiate(&compiled).map_err(|e| self.classify(e)) {
            Ok(_) => bail!("expected linking to fail with {message:?}, but it succeeds"),
            Err(Failed::Other(error)) => {
                self.check_message(Assertion::Unlinkable, message, &format!("{error:#}"))
            }
            Err(Failed::Trap(_, error)) => {
                Err(error.context("expected linking to fail, got a trap at instantiation"))
            }
            Err(Failed::Exception) => bail!("expected linking to fail, got an exception"),
        }
    }

    fn check_message(&self, assertion: Assertion, expected: &str, actual: &str) -> Result<()> {
        if self.options.ignore_error_messages || message::matches(assertion, expected, actual) {
            return Ok(());
        }
        bail!("expected an error that says {expected:?}, got {actual:?}")
    }

    /// Executes an action and says what came of it.
    fn execute(&mut self, exec: WastExecute<'_>, script: &Script<'_>) -> Result<Vec<Val>, Failed> {
        let outcome = match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(mut wat) => match self.compile_wat(&mut wat, script) {
                Ok(module) => self.instantiate(&module).map(|_: Instance| Vec::new()),
                Err(error) => Err(error.context("failed to compile a module")),
            },
            WastExecute::Get { module, global, .. } => match self.export(module, global) {
                Ok(Extern::Global(global)) => Ok(vec![global.get(&mut self.store)]),
                Ok(_) => Err(Error::msg(format!("the export {global:?} is not a global"))),
                Err(error) => Err(error),
            },
        };
        outcome.map_err(|error| self.classify(error))
    }

    fn classify(&mut self, error: Error) -> Failed {
        match error.downcast_ref::<Trap>() {
            Some(trap) => Failed::Trap(*trap, error),
            None if gc::take_exception(&mut self.store, &error) => Failed::Exception,
            None => Failed::Other(error),
        }
    }

    /// Calls an exported function.
    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Vec<Val>> {
        let Extern::Func(func) = self.export(invoke.module, invoke.name)? else {
            bail!("the export {:?} is not a function", invoke.name);
        };
        let args = invoke
            .args
            .iter()
            .map(|arg| value::argument(&mut self.store, arg))
            .collect::<Result<Vec<_>>>()?;
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        func.call(&mut self.store, &args, &mut results)?;
        Ok(results)
    }
}
