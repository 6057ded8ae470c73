//! Arguments, environment and the three standard streams.
//!
//! The one idea: a standard stream is either a *host stream* (the process's own, a file, or
//! nothing), which calls of preview 1 read and write directly, or an embedder's object behind
//! [`InputStream`] or [`OutputStream`]. The traits here are how the builder accepts both.

mod stdio;

use crate::p2::{InputStream, OutputStream};

pub use stdio::{HostStream, InputFile, OutputFile, Stderr, Stdin, Stdout, stderr, stdin, stdout};

/// Whether a stream is a terminal, as C's `isatty` in the guest will answer.
pub trait IsTerminal {
    /// Returns whether this stream is backed by a terminal.
    fn is_terminal(&self) -> bool;
}

/// Something that can be a guest's standard input.
pub trait StdinStream: IsTerminal + Send {
    /// A stream that reads this input. All streams made from one value share its position.
    fn p2_stream(&self) -> Box<dyn InputStream>;

    /// The host stream behind this input, if there is one. An implementation of this trait outside
    /// of this crate has no reason to override the default, `None`.
    #[doc(hidden)]
    fn host_stream(&self) -> Option<HostStream> {
        None
    }
}

/// Something that can be a guest's standard output or standard error.
pub trait StdoutStream: IsTerminal + Send {
    /// A stream that writes to this output.
    fn p2_stream(&self) -> Box<dyn OutputStream>;

    /// The host stream behind this output, if there is one. An implementation of this trait outside
    /// of this crate has no reason to override the default, `None`.
    #[doc(hidden)]
    fn host_stream(&self) -> Option<HostStream> {
        None
    }
}

macro_rules! forward {
    ($trait:ident, $stream:ident: $(($($generics:tt)*) $type:ty),*) => {
        $(
            impl<$($generics)*> $trait for $type {
                fn p2_stream(&self) -> Box<dyn $stream> {
                    (**self).p2_stream()
                }

                fn host_stream(&self) -> Option<HostStream> {
                    (**self).host_stream()
                }
            }
        )*
    };
}

forward!(StdinStream, InputStream:
    (T: ?Sized + StdinStream + Sync) &T,
    (T: ?Sized + StdinStream + Sync) &mut T,
    (T: ?Sized + StdinStream + Sync) Box<T>,
    (T: ?Sized + StdinStream + Sync) std::sync::Arc<T>
);
forward!(StdoutStream, OutputStream:
    (T: ?Sized + StdoutStream + Sync) &T,
    (T: ?Sized + StdoutStream + Sync) &mut T,
    (T: ?Sized + StdoutStream + Sync) Box<T>,
    (T: ?Sized + StdoutStream + Sync) std::sync::Arc<T>
);

macro_rules! forward_is_terminal {
    ($($type:ty),*) => {
        $(
            impl<T: ?Sized + IsTerminal> IsTerminal for $type {
                fn is_terminal(&self) -> bool {
                    (**self).is_terminal()
                }
            }
        )*
    };
}

forward_is_terminal!(&T, &mut T, Box<T>, std::sync::Arc<T>);

/// The command-line side of a context.
pub struct WasiCliCtx {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) arguments: Vec<String>,
    pub(crate) initial_cwd: Option<String>,
    pub(crate) stdin: Box<dyn StdinStream>,
    pub(crate) stdout: Box<dyn StdoutStream>,
    pub(crate) stderr: Box<dyn StdoutStream>,
}

impl Default for WasiCliCtx {
    fn default() -> Self {
        WasiCliCtx {
            environment: Vec::new(),
            arguments: Vec::new(),
            initial_cwd: None,
            stdin: Box::new(HostStream::Empty),
            stdout: Box::new(HostStream::Empty),
            stderr: Box::new(HostStream::Empty),
        }
    }
}

impl WasiCliCtx {
    /// The environment variables, in the order in which they were given.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The command-line arguments, the program's name first.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The working directory a guest is told, if one was set.
    pub fn initial_cwd(&self) -> Option<&str> {
        self.initial_cwd.as_deref()
    }
}
