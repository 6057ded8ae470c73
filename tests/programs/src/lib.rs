//! What the tests of real programs share: compilers for guests, the `meantime` command, scratch
//! folders.
//!
//! The tests themselves are in `tests/`, one file for each kind of program. They drive the command
//! as a person would, as a process with arguments, and know nothing of the crates behind it.
//!
//! Guests are compiled by zig and Go, which come from package registries; one comes from there as it
//! is. Where those cannot be reached the tests say so and do nothing, unless `MEANTIME_REQUIRE_PROGRAMS=1` is set, as CI
//! does: then they fail.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use xtask::paths;
use xtask::toolbox::build;
use xtask::toolbox::fetch::{self, Compilers, Yosys};
use xtask::toolbox::guest::{Guest, Target};

/// Builds `guest` to Wasm; `None` when the compilers cannot be fetched and need not be.
///
/// # Panics
/// When the guest does not compile, or the compilers are missing although required.
pub fn wasm(guest: &Guest) -> Option<PathBuf> {
    static COMPILERS: OnceLock<Result<Compilers, String>> = OnceLock::new();
    // Tests run on several threads, and two of them may want the same guest.
    static BUILDING: Mutex<()> = Mutex::new(());
    match COMPILERS.get_or_init(|| fetch::compilers().map_err(|error| format!("{error:#}"))) {
        Ok(compilers) => {
            let _one_at_a_time = BUILDING
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            Some(
                build::build(compilers, guest, Target::Wasm)
                    .unwrap_or_else(|error| panic!("{error:#}")),
            )
        }
        Err(reason) => skipped(guest.name, reason),
    }
}

/// Fetches Yosys; `None` when that cannot be done and need not be.
///
/// # Panics
/// When it cannot be done although required.
pub fn yosys() -> Option<Yosys> {
    match fetch::yosys() {
        Ok(yosys) => Some(yosys),
        Err(reason) => skipped("yosys", &format!("{reason:#}")),
    }
}

/// Says that a program could not be had, or fails where it must be.
fn skipped<T>(program: &str, reason: &str) -> Option<T> {
    let required = std::env::var_os("MEANTIME_REQUIRE_PROGRAMS").is_some_and(|value| value == "1");
    assert!(!required, "{program} is required: {reason}");
    eprintln!("skipped {program}: it cannot be fetched or built: {reason}");
    None
}

/// The `meantime` command: the one that `MEANTIME_BIN` names, or else this workspace's, built
/// first.
fn executable() -> &'static Path {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| {
        if let Some(path) = std::env::var_os("MEANTIME_BIN") {
            return path.into();
        }
        let release = !cfg!(debug_assertions);
        let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--package", "meantime-cli"])
            .args(release.then_some("--release"))
            .current_dir(paths::workspace())
            .status()
            .expect("cargo starts");
        assert!(status.success(), "the meantime command does not build");
        paths::target()
            .join(if release { "release" } else { "debug" })
            .join("meantime")
    })
}

/// `meantime compile OPTIONS -o OUTPUT FILE`.
///
/// # Panics
/// When that fails.
pub fn compile(options: &[&str], file: &Path, output: &Path) {
    let result = Command::new(executable())
        .arg("compile")
        .args(options)
        .arg("-o")
        .args([output, file])
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    assert!(
        result.status.success(),
        "{} does not compile:\n{}",
        file.display(),
        String::from_utf8_lossy(&result.stderr)
    );
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status; `None` when a signal ended the process.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Asserts that the run ended with status 0 and returns its output.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn ok(&self) -> &str {
        assert_eq!(
            self.code,
            Some(0),
            "the program failed\nstdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        &self.stdout
    }
}

/// A run of the command in the making.
#[derive(Debug)]
pub struct Run {
    command: Command,
    stdin: Vec<u8>,
}

impl Run {
    /// `meantime run OPTIONS FILE ARGS`, in an environment without any of the variables that change what is printed.
    pub fn new(options: &[&str], file: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(executable());
        command.arg("run").args(options).arg(file).args(args);
        for variable in [
            "WASMTIME_BACKTRACE_DETAILS",
            "WASMTIME_LOG",
            "RUST_BACKTRACE",
            "RUST_LIB_BACKTRACE",
        ] {
            command.env_remove(variable);
        }
        Run {
            command,
            stdin: Vec::new(),
        }
    }

    /// Sets a variable of the command's own environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives the program something to read.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.into();
        self
    }

    /// Runs to the end.
    ///
    /// # Panics
    /// When the command cannot be started.
    pub fn outcome(mut self) -> Outcome {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {:?}: {error}", self.command));
        let mut stdin = child.stdin.take().expect("stdin is piped");
        // A program that ends without reading closes the pipe, which is no failure of the test.
        let _ = stdin.write_all(&self.stdin);
        drop(stdin);
        let output = child
            .wait_with_output()
            .expect("the process can be waited for");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// An empty folder of a test's own, removed at its end.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder below Cargo's target folder.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new(test: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = paths::target()
            .join("tests-scratch")
            .join(format!("{test}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path)
            .unwrap_or_else(|error| panic!("cannot create {}: {error}", path.display()));
        Scratch(path)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The value of `--dir` that shows this folder to the guest as `guest`.
    pub fn as_dir(&self, guest: &str) -> String {
        format!("{}::{guest}", self.0.display())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind lies in the target folder and does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
