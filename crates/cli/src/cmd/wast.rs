//! `meantime wast`: runs scripts of the specification's tests.
//! The only file that knows `meantime_wast`.

use super::NotYet;
use crate::log;
use crate::options::{CommonOptions, not_supported};
use crate::report::Usage;
use crate::run::interrupt;
use clap::builder::BoolishValueParser;
use meantime::{Engine, Result};
use meantime_wast::Options;
use std::path::PathBuf;

/// Run scripts (.wast)
#[derive(clap::Args, Debug)]
pub struct WastCommand {
    /// Let backtraces name the lines of scripts
    #[arg(long, value_name = "BOOL", require_equals = true, num_args = 0..=1, default_value = "true",
          default_missing_value = "true", value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set)]
    generate_dwarf: bool,

    /// Do not compare messages, only whether there is an error
    #[arg(long)]
    ignore_error_messages: bool,

    /// Run on stacks of their own (not supported yet)
    #[arg(long = "async", value_name = "BOOL", require_equals = true, num_args = 0..=1, default_value = "false",
          default_missing_value = "true", hide = true, value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set)]
    async_: bool,

    /// Store what is compiled (not supported yet)
    #[arg(long, value_name = "DIR", hide = true, value_parser = NotYet("--precompile-save"))]
    precompile_save: Option<String>,

    /// Use what was stored (not supported yet)
    #[arg(long, value_name = "DIR", hide = true, value_parser = NotYet("--precompile-load"))]
    precompile_load: Option<String>,

    /// Provide the `wasmtime` host module (not supported yet)
    #[arg(long, hide = true)]
    wasmtime_builtins: bool,

    /// The scripts
    #[arg(value_name = "SCRIPT_FILE", required = true)]
    scripts: Vec<PathBuf>,

    #[command(flatten)]
    common: CommonOptions,
}

impl WastCommand {
    /// Runs the scripts in order, each by itself; the first that fails is the last.
    pub fn execute(self) -> Result<i32> {
        let not_yet = [
            (self.async_, "--async"),
            (self.wasmtime_builtins, "--wasmtime-builtins"),
        ];
        if let Some((_, option)) = not_yet.iter().find(|(given, _)| *given) {
            return Err(Usage(not_supported(option)).into());
        }
        let plan = self.common.plan()?;
        if plan.logging {
            log::start()?;
        }
        let engine = Engine::new(&plan.config)?;
        let mut options = Options::default();
        options.ignore_error_messages = self.ignore_error_messages;
        options.generate_dwarf = self.generate_dwarf;
        let bounds = plan.bounds;
        interrupt::start_timer(&engine, bounds)?;
        options.store_setup(move |store| interrupt::prepare(store, bounds));
        for script in &self.scripts {
            meantime_wast::run_file(&engine, script, &options)?;
        }
        Ok(0)
    }
}
