//! How failures are shown, and which exit status they give: 2 for a wrong command line, 134 for a trap, 1 for the rest.
//! A guest's own exit status is no failure and does not come here.

use crate::colour;
use meantime::{Error, Trap};
use std::io::{self, Write};

/// What somebody who gave the wrong options is told.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The status when the host could not do what it was asked.
pub const HOST_ERROR: i32 = 1;
/// The status of a wrong command line.
pub const USAGE_ERROR: i32 = 2;
/// The status of a program that trapped: on Unix what a shell shows for one that aborted.
pub const TRAPPED: i32 = if cfg!(windows) { 3 } else { 134 };

/// Shows an error on stderr and returns the exit status for it.
pub fn failure(error: &Error) -> i32 {
    let stderr = io::stderr();
    let colour::Style(before, after) = colour::palette(&stderr).error;
    let mut stderr = stderr.lock();
    // There is nobody left to tell when stderr cannot be written.
    if let Some(Usage(message)) = error.downcast_ref() {
        let _ = writeln!(
            stderr,
            "{before}error:{after} {message}\n\nFor more information, try '--help'."
        );
        return USAGE_ERROR;
    }
    let _ = writeln!(stderr, "{before}Error:{after} {error:?}");
    if error.is::<Trap>() {
        TRAPPED
    } else {
        HOST_ERROR
    }
}
