//! From a script's text to a report: parse, run each directive, and tie each failure to its place.
//!
//! Not what a directive means (that is `directive`). The one idea: the same loop serves the command line,
//! which stops at the first failure, and the test suite, which wants to know of all of them.

use std::fmt;
use std::path::Path;
use std::thread::{self, Scope};

use meantime::error::Context as _;
use meantime::{Engine, Error, Result};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::Span;
use wast::{Wast, WastDirective};

use crate::context::{Options, WastContext};
use crate::thread::Threads;

/// Runs the script in the file at `path`, in a context of its own.
///
/// # Errors
///
/// If the file cannot be read, is not a script, or one of its directives fails. The first directive that fails
/// ends the run; the error names its file, line and column.
pub fn run_file(engine: &Engine, path: impl AsRef<Path>, options: &Options) -> Result<()> {
    WastContext::new(engine, options)?.run_file(path)
}

/// Runs the script `text`, in a context of its own. `name` stands for its file in errors and line tables.
///
/// # Errors
///
/// As [`run_file`].
pub fn run_text(engine: &Engine, name: &str, text: &str, options: &Options) -> Result<()> {
    WastContext::new(engine, options)?.run_text(name, text)
}

/// A script's name and text, to tell offsets as lines and columns.
#[derive(Clone, Copy)]
pub(crate) struct Script<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

/// What came of a script whose directives have all been run.
#[derive(Debug)]
#[must_use]
pub struct Report {
    /// How many directives ran, those inside `thread` directives included.
    pub directives: usize,
    /// Those that failed, in the order they did.
    pub failures: Vec<Failure>,
}

/// A directive that failed.
///
/// Displayed on one line, as `file:line:column: reason`. The alternate form (`{:#}`) adds all causes.
#[derive(Debug)]
pub struct Failure {
    /// The script's name.
    pub file: String,
    /// The line of the directive, counted from 1.
    pub line: usize,
    /// The column of the directive's first keyword, counted from 1 in bytes.
    pub column: usize,
    /// Why it failed.
    pub error: Error,
}

impl Failure {
    fn new(script: &Script<'_>, span: Span, error: Error) -> Failure {
        let (line, column) = span.linecol_in(script.text);
        Failure {
            file: script.name.to_string(),
            line: line + 1,
            column: column + 1,
            error,
        }
    }

    /// The error with the directive's place as its outermost context.
    pub fn into_error(self) -> Error {
        let place = format!(
            "failed directive at {}:{}:{}",
            self.file, self.line, self.column
        );
        self.error.context(place)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        fmt::Display::fmt(&self.error, f)
    }
}

/// What the loop does after a failed directive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    Stop,
    Continue,
}

impl WastContext {
    /// Runs the script in the file at `path`.
    ///
    /// # Errors
    ///
    /// As [`run_file`].
    pub fn run_file(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read the script `{}`", path.display()))?;
        self.run_text(&path.display().to_string(), &text)
    }

    /// Runs the script `text`. `name` stands for its file in errors and line tables.
    ///
    /// # Errors
    ///
    /// As [`run_file`].
    pub fn run_text(&mut self, name: &str, text: &str) -> Result<()> {
        let report = self.run_script(Script { name, text }, OnFailure::Stop)?;
        match report.failures.into_iter().next() {
            Some(failure) => Err(failure.into_error()),
            None => Ok(()),
        }
    }

    /// Runs all directives of the script `text`, also those after one that fails.
    ///
    /// # Errors
    ///
    /// If `text` is not a script. What its directives fail with is in the report.
    pub fn run_all(&mut self, name: &str, text: &str) -> Result<Report> {
        self.run_script(Script { name, text }, OnFailure::Continue)
    }

    fn run_script(&mut self, script: Script<'_>, on_failure: OnFailure) -> Result<Report> {
        let located = |mut error: wast::Error| {
            error.set_path(Path::new(script.name));
            error.set_text(script.text);
            error
        };
        let mut lexer = Lexer::new(script.text);
        // Scripts test that identifiers and strings may hold any character.
        lexer.allow_confusing_unicode(true);
        let mut buffer = ParseBuffer::new_with_lexer(lexer).map_err(located)?;
        // Without the places of instructions, line tables would know only those of functions.
        buffer.track_instr_spans(self.options.generate_dwarf);
        let directives = parser::parse::<Wast<'_>>(&buffer).map_err(located)?;
        Ok(thread::scope(|scope| {
            self.run_directives(scope, &script, directives.directives, on_failure)
        }))
    }

    /// Runs `directives` and waits for the threads that they start.
    pub(crate) fn run_directives<'scope, 'env, 'a: 'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'env>,
        script: &Script<'a>,
        directives: Vec<WastDirective<'a>>,
        on_failure: OnFailure,
    ) -> Report {
        let mut report = Report {
            directives: 0,
            failures: Vec::new(),
        };
        let mut threads = Threads::new(scope, on_failure);
        for directive in directives {
            report.directives += 1;
            let span = directive.span();
            let result = match directive {
                WastDirective::Thread(thread) => threads.start(self, script, thread),
                WastDirective::Wait { thread, .. } => threads.wait(thread, &mut report),
                directive => self.run_directive(directive, script),
            };
            if let Err(error) = result {
                report.failures.push(Failure::new(script, span, error));
            }
            if on_failure == OnFailure::Stop && !report.failures.is_empty() {
                break;
            }
        }
        threads.wait_for_rest(&mut report);
        report
    }
}
