//! Runs the built command and looks at what comes out: status, stdout, stderr.
//! Not tests of its parts, which are next to them.

mod commands;
mod input;
mod invoke;
mod options;
mod run;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What came of a run.
struct Outcome {
    status: i32,
    stdout: String,
    stderr: String,
}

/// A directory for one test, and the command run in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a file into the directory.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command, in this directory and with an environment of its own.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meantime"));
        command
            .current_dir(self.path())
            .args(arguments)
            .stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("MEANTIME_")
                || name.starts_with("WASMTIME_")
                || ["NO_COLOR", "RUST_BACKTRACE", "RUST_LIB_BACKTRACE"].contains(&&*name)
            {
                command.env_remove(&*name);
            }
        }
        command
    }

    /// Runs the command.
    fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(self.command(arguments).output().unwrap())
    }

    /// Runs the command with something to read on its stdin.
    fn run_with_stdin(&self, arguments: &[&str], stdin: &[u8]) -> Outcome {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read everything has its reasons.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        outcome(child.wait_with_output().unwrap())
    }
}

fn outcome(output: Output) -> Outcome {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome {
        status: output.status.code().expect("the command ended by itself"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Outcome {
    /// Asserts the status and that stderr has all of these in it.
    #[track_caller]
    fn fails(&self, status: i32, parts: &[&str]) {
        assert_eq!(self.status, status, "stderr: {}", self.stderr);
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "{part:?} is not in: {}",
                self.stderr
            );
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// Asserts that all went well and what stdout is.
    #[track_caller]
    fn prints(&self, stdout: &str) {
        assert_eq!(
            (self.status, self.stdout.as_str(), self.stderr.as_str()),
            (0, stdout, "")
        );
    }

    /// Asserts that all went well and that stdout has all of these in it.
    #[track_caller]
    fn shows(&self, parts: &[&str]) {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""));
        for part in parts {
            assert!(
                self.stdout.contains(part),
                "{part:?} is not in: {}",
                self.stdout
            );
        }
    }
}
