//! Writing to stdout on the command's own behalf: buffered, and quiet when nobody reads any more (`meantime … | head`).
//! Not the guest's stdout, whose errors are the guest's.

use meantime::Result;
use meantime::error::Context;
use std::io::{self, BufWriter, ErrorKind, Write};

/// Writes to stdout with `write`. A reader that has gone away is no error: what it did not want is simply not written.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            // What is left in the buffer must not be tried again when it is dropped.
            let _ = out.into_parts();
            Ok(())
        }
        done => done.context("cannot write to stdout"),
    }
}
