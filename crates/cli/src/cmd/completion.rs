//! `meantime completion`: prints a script that teaches a shell to complete this command's options.

use crate::cli::CommandLine;
use crate::output;
use clap::CommandFactory;
use clap_complete::Shell;
use meantime::Result;

/// Print a completion script for a shell
#[derive(clap::Args, Debug)]
#[command(
    after_help = "For example, for this session of bash:  source <(meantime completion bash)"
)]
pub struct CompletionCommand {
    /// The shell
    shell: Shell,
}

impl CompletionCommand {
    /// Prints the script.
    pub fn execute(self) -> Result<i32> {
        // Generating writes in many small pieces and cannot fail half-way into a vector.
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut CommandLine::command(),
            "meantime",
            &mut script,
        );
        output::print(|out| out.write_all(&script))?;
        Ok(0)
    }
}
