//! What a guest is given: the builder, and the context it builds.
//!
//! Nothing here does input or output, except that [`WasiCtxBuilder::preopened_dir`] opens its
//! directory.

use crate::cli::{self, StdinStream, StdoutStream, WasiCliCtx};
use crate::clocks::{HostMonotonicClock, HostWallClock, WasiClocksCtx};
use crate::filesystem::{FsPerms, Preopen, WasiFilesystemCtx};
use crate::p1::WasiP1Ctx;
use crate::random::WasiRandomCtx;
use crate::sockets::{PreopenedSocket, WasiSocketsCtx};
use crate::sys;
use meantime::Result;
use meantime::error::Context as _;
use rand_core::Rng;
use std::mem;
use std::path::Path;

/// Builds a [`WasiCtx`] or a [`WasiP1Ctx`].
///
/// The defaults give a guest nothing: standard input is at its end, standard output and error are
/// discarded, there are no arguments, no environment, no directories and no sockets. Clocks and
/// randomness are the host's.
#[derive(Default)]
pub struct WasiCtxBuilder {
    ctx: WasiCtx,
    built: bool,
}

impl WasiCtxBuilder {
    /// A builder with the defaults above.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses `stdin` as standard input.
    pub fn stdin(&mut self, stdin: impl StdinStream + 'static) -> &mut Self {
        self.ctx.cli.stdin = Box::new(stdin);
        self
    }

    /// Uses `stdout` as standard output.
    pub fn stdout(&mut self, stdout: impl StdoutStream + 'static) -> &mut Self {
        self.ctx.cli.stdout = Box::new(stdout);
        self
    }

    /// Uses `stderr` as standard error.
    pub fn stderr(&mut self, stderr: impl StdoutStream + 'static) -> &mut Self {
        self.ctx.cli.stderr = Box::new(stderr);
        self
    }

    /// Gives the guest the host's standard input.
    pub fn inherit_stdin(&mut self) -> &mut Self {
        self.stdin(cli::stdin())
    }

    /// Gives the guest the host's standard output.
    pub fn inherit_stdout(&mut self) -> &mut Self {
        self.stdout(cli::stdout())
    }

    /// Gives the guest the host's standard error.
    pub fn inherit_stderr(&mut self) -> &mut Self {
        self.stderr(cli::stderr())
    }

    /// Gives the guest all three standard streams of the host.
    pub fn inherit_stdio(&mut self) -> &mut Self {
        self.inherit_stdin().inherit_stdout().inherit_stderr()
    }

    /// Says whether a call may block the thread it is made on. Calls of preview 1 linked with
    /// `add_to_linker_sync` always run on the calling thread, so for them either setting means the
    /// same.
    pub fn allow_blocking_current_thread(&mut self, _enable: bool) -> &mut Self {
        self
    }

    /// Adds environment variables.
    pub fn envs(&mut self, env: &[(impl AsRef<str>, impl AsRef<str>)]) -> &mut Self {
        for (key, value) in env {
            self.env(key, value);
        }
        self
    }

    /// Adds one environment variable.
    pub fn env(&mut self, k: impl AsRef<str>, v: impl AsRef<str>) -> &mut Self {
        self.ctx
            .cli
            .environment
            .push((k.as_ref().to_owned(), v.as_ref().to_owned()));
        self
    }

    /// Adds all environment variables of the host.
    ///
    /// # Panics
    ///
    /// If a variable's name or value is not UTF-8.
    pub fn inherit_env(&mut self) -> &mut Self {
        self.ctx.cli.environment.extend(std::env::vars());
        self
    }

    /// Adds command-line arguments. The first of all is by convention the program's name.
    pub fn args(&mut self, args: &[impl AsRef<str>]) -> &mut Self {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Adds one command-line argument.
    pub fn arg(&mut self, arg: impl AsRef<str>) -> &mut Self {
        self.ctx.cli.arguments.push(arg.as_ref().to_owned());
        self
    }

    /// Adds all command-line arguments of the host.
    ///
    /// # Panics
    ///
    /// If an argument is not UTF-8.
    pub fn inherit_args(&mut self) -> &mut Self {
        self.ctx.cli.arguments.extend(std::env::args());
        self
    }

    /// Sets the working directory that a guest is told. Preview 1 has no such notion; this is for
    /// later previews.
    pub fn initial_cwd(&mut self, path: impl AsRef<str>) -> &mut Self {
        self.ctx.cli.initial_cwd = Some(path.as_ref().to_owned());
        self
    }

    /// Opens the host's directory `host_path` and gives it to the guest, which sees it under the
    /// name `guest_path`.
    ///
    /// The guest reaches what is below the directory and nothing else. In preview 1 the directories
    /// are descriptors 3, 4, … in the order of these calls.
    ///
    /// # Errors
    ///
    /// If `host_path` is not a directory that can be opened.
    pub fn preopened_dir(
        &mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl AsRef<str>,
        perms: FsPerms,
    ) -> Result<&mut Self> {
        let host_path = host_path.as_ref();
        let dir = sys::open_ambient_dir(host_path)
            .with_context(|| format!("failed to open directory `{}`", host_path.display()))?;
        self.ctx.filesystem.preopens.push(Preopen {
            dir,
            perms,
            guest_path: guest_path.as_ref().to_owned(),
        });
        Ok(self)
    }

    /// Gives the guest a socket: a listener to accept connections from, or a connected stream.
    ///
    /// In preview 1 the sockets are the descriptors after the last directory, in the order of these
    /// calls, because C libraries look for directories from descriptor 3 upwards and stop at the
    /// first that is none. This method is Meantime's own.
    pub fn preopened_socket(&mut self, socket: impl Into<PreopenedSocket>) -> &mut Self {
        self.ctx.sockets.preopens.push(socket.into());
        self
    }

    /// Replaces the source of `random_get`. The default asks the operating system.
    pub fn secure_random(&mut self, random: impl Rng + Send + 'static) -> &mut Self {
        self.ctx.random.set_secure(Box::new(random));
        self
    }

    /// Replaces the source of randomness that need not be secret (not used by preview 1).
    pub fn insecure_random(&mut self, insecure_random: impl Rng + Send + 'static) -> &mut Self {
        self.ctx.random.set_insecure(Box::new(insecure_random));
        self
    }

    /// Sets the seed for hash tables and the like (not used by preview 1).
    pub fn insecure_random_seed(&mut self, insecure_random_seed: u128) -> &mut Self {
        self.ctx.random.set_insecure_seed(insecure_random_seed);
        self
    }

    /// Sets how many random bytes one call may ask for; more is a trap. The default is
    /// [`DEFAULT_MAX_SIZE`](crate::random::DEFAULT_MAX_SIZE).
    pub fn max_random_size(&mut self, max_size: u64) -> &mut Self {
        self.ctx.random.max_size = max_size;
        self
    }

    /// Replaces the wall clock.
    pub fn wall_clock(&mut self, clock: impl HostWallClock + 'static) -> &mut Self {
        self.ctx.clocks.wall_clock = Box::new(clock);
        self.ctx.clocks.wall_replaced = true;
        self
    }

    /// Replaces the monotonic clock. The CPU-time clocks follow it.
    pub fn monotonic_clock(&mut self, clock: impl HostMonotonicClock + 'static) -> &mut Self {
        self.ctx.clocks.monotonic_clock = Box::new(clock);
        self.ctx.clocks.monotonic_replaced = true;
        self
    }

    /// Finishes the context.
    ///
    /// # Panics
    ///
    /// If this builder has built a context before.
    pub fn build(&mut self) -> WasiCtx {
        assert!(!self.built, "a WasiCtxBuilder builds one context");
        self.built = true;
        mem::take(&mut self.ctx)
    }

    /// Finishes the context for use with [`p1::add_to_linker_sync`](crate::p1::add_to_linker_sync).
    ///
    /// # Panics
    ///
    /// If this builder has built a context before.
    pub fn build_p1(&mut self) -> WasiP1Ctx {
        WasiP1Ctx::new(self.build())
    }
}

/// Everything that a guest can reach, independent of the version of WASI through which it does.
#[derive(Default)]
pub struct WasiCtx {
    pub(crate) cli: WasiCliCtx,
    pub(crate) clocks: WasiClocksCtx,
    pub(crate) filesystem: WasiFilesystemCtx,
    pub(crate) random: WasiRandomCtx,
    pub(crate) sockets: WasiSocketsCtx,
}

impl WasiCtx {
    /// A builder.
    pub fn builder() -> WasiCtxBuilder {
        WasiCtxBuilder::new()
    }

    /// Arguments, environment and standard streams.
    pub fn cli(&mut self) -> &mut WasiCliCtx {
        &mut self.cli
    }

    /// The clocks.
    pub fn clocks(&mut self) -> &mut WasiClocksCtx {
        &mut self.clocks
    }

    /// The preopened directories.
    pub fn filesystem(&mut self) -> &mut WasiFilesystemCtx {
        &mut self.filesystem
    }

    /// The sources of randomness.
    pub fn random(&mut self) -> &mut WasiRandomCtx {
        &mut self.random
    }

    /// The preopened sockets.
    pub fn sockets(&mut self) -> &mut WasiSocketsCtx {
        &mut self.sockets
    }
}
