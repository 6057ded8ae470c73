//! The commands, a file each: what each one's options are, and the steps that it takes.

pub mod compile;
pub mod completion;
pub mod config;
pub mod objdump;
pub mod run;
pub mod settings;
pub mod wast;

use crate::options::not_supported;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use std::ffi::OsStr;

/// Refuses every value of an option that is known but not done yet. Holds how the option is written.
#[derive(Clone)]
struct NotYet(&'static str);

impl TypedValueParser for NotYet {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        _: &OsStr,
    ) -> Result<String, clap::Error> {
        Err(
            clap::Error::raw(ErrorKind::InvalidValue, not_supported(self.0) + "\n")
                .with_cmd(command),
        )
    }
}
