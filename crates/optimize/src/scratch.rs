//! Memory that one compilation leaves for the next: a pool with one piece per thread that compiles at a time.

use crate::location::Locations;
use crate::translate::State;
use cranelift_codegen::Context;
use cranelift_control::ControlPlane;
use cranelift_frontend::FunctionBuilderContext;
use std::sync::{Mutex, PoisonError};
use wasmparser::OperatorsReaderAllocations;

/// What compiling one function needs besides its input.
pub(crate) struct Scratch {
    pub(crate) context: Context,
    pub(crate) builder: FunctionBuilderContext,
    pub(crate) control: ControlPlane,
    pub(crate) registers: regalloc2::Ctx,
    pub(crate) state: State,
    pub(crate) locations: Locations,
    pub(crate) reader: OperatorsReaderAllocations,
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch {
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            control: ControlPlane::default(),
            registers: regalloc2::Ctx::default(),
            state: State::default(),
            locations: Locations::default(),
            reader: OperatorsReaderAllocations::default(),
        }
    }
}

/// The pool. Each piece is several hundred kilobytes when used, so they are boxed and never copied.
#[derive(Default)]
pub(crate) struct Pool {
    // Boxed so that taking one moves a pointer.
    #[allow(clippy::vec_box)]
    free: Mutex<Vec<Box<Scratch>>>,
}

impl Pool {
    pub(crate) fn take(&self) -> Box<Scratch> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop().unwrap_or_default()
    }

    pub(crate) fn put(&self, scratch: Box<Scratch>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(scratch);
    }
}
