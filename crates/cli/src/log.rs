//! Logging to stderr, for those who ask: `MEANTIME_LOG=meantime=debug` or `WASMTIME_LOG=…`, with `…_LOG_NO_CONTEXT=1` for bare messages.
//! A process that was not asked sets up nothing.

use crate::{colour, environment};
use meantime::Result;
use meantime::error::Context;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// Sets logging up if a variable asks for it.
///
/// # Errors
///
/// The variable is not a list of `target=level`.
pub fn start() -> Result<()> {
    let Some(filter) = environment::variable("LOG").filter(|filter| !filter.is_empty()) else {
        return Ok(());
    };
    let filter = filter
        .to_string_lossy()
        .parse::<Targets>()
        .context("MEANTIME_LOG is not a list of `target=level`")?;
    let colours = colour::palette(&std::io::stderr()).name != colour::PLAIN.name;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    let registry = tracing_subscriber::registry();
    if environment::switch("LOG_NO_CONTEXT") {
        registry
            .with(
                lines
                    .with_level(false)
                    .with_target(false)
                    .without_time()
                    .with_filter(filter),
            )
            .init();
    } else {
        registry.with(lines.with_filter(filter)).init();
    }
    Ok(())
}
