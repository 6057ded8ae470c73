//! Runs the specification's test scripts (`.wast`) on an engine.
//!
//! A script is a list of directives: modules to instantiate, functions to invoke, and assertions on what
//! comes of it. This crate is the interpreter of that list. It is not a parser (the `wast` crate is) and
//! knows nothing of the engine but its public API, so whatever it tests is what an embedder gets.
//!
//! The one idea needed to read it: a [`WastContext`] is a store, a linker, and the script's name tables
//! (`context`); `directive` says what each directive means in terms of those; `run` feeds it the directives
//! one after the other and ties each failure to its line and column.
//!
//! | file | concept |
//! |---|---|
//! | `run` | a script from text to a report |
//! | `context` | store, linker, and the names that a script has given to modules and instances |
//! | `directive` | what each directive does and asserts |
//! | `thread` | the `thread` and `wait` directives |
//! | `value` | arguments to values, results against patterns |
//! | `gc` | the same for references that only garbage collection and exceptions bring |
//! | `message` | does an error say what the script expects |
//! | `spectest` | the host module that scripts import |
//!
//! ```
//! use meantime::Engine;
//! use meantime_wast::{Options, run_text};
//!
//! # fn main() -> meantime::Result<()> {
//! let script = r#"
//!     (module (func (export "add") (param i32 i32) (result i32)
//!         (i32.add (local.get 0) (local.get 1))))
//!     (assert_return (invoke "add" (i32.const 1) (i32.const 2)) (i32.const 3))
//! "#;
//! run_text(&Engine::default(), "add.wast", script, &Options::default())?;
//! # Ok(())
//! # }
//! ```

mod context;
mod directive;
mod gc;
mod message;
mod run;
mod spectest;
mod thread;
mod value;

pub use context::{Options, WastContext};
pub use run::{Failure, Report, run_file, run_text};
