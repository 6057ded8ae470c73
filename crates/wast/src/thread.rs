//! The `thread` and `wait` directives: parts of a script that run beside the rest.
//!
//! Not threads of a guest. The one idea: a store belongs to one thread, so each `thread` directive gets a
//! context of its own, and all that can reach into it from outside are shared memories.

use std::collections::BTreeMap;
use std::thread::{Scope, ScopedJoinHandle};

use meantime::{Extern, Result, format_err};
use wast::WastThread;
use wast::token::Id;

use crate::context::WastContext;
use crate::run::{OnFailure, Report, Script};

/// The threads that a list of directives has started and not yet waited for.
pub(crate) struct Threads<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    on_failure: OnFailure,
    running: BTreeMap<&'scope str, ScopedJoinHandle<'scope, Report>>,
}

impl<'scope, 'env> Threads<'scope, 'env> {
    pub(crate) fn new(scope: &'scope Scope<'scope, 'env>, on_failure: OnFailure) -> Self {
        Threads {
            scope,
            on_failure,
            running: BTreeMap::new(),
        }
    }

    /// Runs the directives of `thread` on a new thread, in a context that `parent` shares memories with.
    pub(crate) fn start<'a: 'scope>(
        &mut self,
        parent: &mut WastContext,
        script: &Script<'a>,
        thread: WastThread<'a>,
    ) -> Result<()> {
        let engine = parent.store.engine().clone();
        let mut child = WastContext::new(&engine, &parent.options)?;
        if let Some(name) = thread.shared_module {
            child.share(name, shared_memories(parent, name)?);
        }
        let name = thread.name.name();
        if self.running.contains_key(name) {
            return Err(format_err!("a thread `${name}` is running already"));
        }
        let (scope, script, on_failure) = (self.scope, *script, self.on_failure);
        let handle = scope
            .spawn(move || child.run_directives(scope, &script, thread.directives, on_failure));
        self.running.insert(name, handle);
        Ok(())
    }

    /// Waits for the thread `name` and adds what came of it to `report`.
    pub(crate) fn wait(&mut self, name: Id<'_>, report: &mut Report) -> Result<()> {
        let handle = self
            .running
            .remove(name.name())
            .ok_or_else(|| format_err!("there is no thread `${}` to wait for", name.name()))?;
        join(handle, report);
        Ok(())
    }

    /// Waits for the threads that no directive waited for: their failures count, too.
    pub(crate) fn wait_for_rest(self, report: &mut Report) {
        for handle in self.running.into_values() {
            join(handle, report);
        }
    }
}

fn join(handle: ScopedJoinHandle<'_, Report>, report: &mut Report) {
    match handle.join() {
        Ok(child) => {
            report.directives += child.directives;
            report.failures.extend(child.failures);
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The shared memories that the instance `name` exports.
///
/// A script writes `(thread $T (shared (module $M)) …)` and then, inside, `(register "m" $M)`: the thread gets
/// no instance, only what another store may use of one.
fn shared_memories(parent: &mut WastContext, name: Id<'_>) -> Result<Vec<(String, Extern)>> {
    let instance = parent.instance(Some(name))?;
    Ok(instance
        .exports(&mut parent.store)
        .map(|export| (export.name().to_string(), export.into_extern()))
        .filter(|(_, export)| matches!(export, Extern::SharedMemory(_)))
        .collect())
}
