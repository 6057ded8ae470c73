//! What a guest program is made from. Plain data: how it is built is `build`'s business.

/// The sources of one program.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// One C file of ours, relative to the workspace.
    C(&'static str),
    /// One C file of ours that drives a C library from a crate's sources.
    Library(Library),
    /// A Go package, a folder relative to the workspace.
    Go(&'static str),
    /// A module of ours in text format, relative to the workspace; see
    /// [`text`](super::text). It is Wasm and nothing else.
    Text(&'static str),
}

/// A C library inside a `*-sys` crate, and the driver that makes a program of it.
#[derive(Debug, Clone, Copy)]
pub struct Library {
    /// Our file with `main`, relative to the workspace.
    pub driver: &'static str,
    /// The crate whose sources hold the library; a dependency of `benches/sources`.
    pub package: &'static str,
    /// An archive inside the crate that holds the sources, when they are not simply there.
    pub archive: Option<&'static str>,
    /// Files and folders to compile, relative to the crate (or the archive). A folder stands for
    /// every `.c` in it, a folder ending in `/**` for every `.c` below it.
    pub files: &'static [&'static str],
    /// Endings of paths to leave out of `files`.
    pub except: &'static [&'static str],
    /// Flags that the library needs, on every target.
    pub flags: &'static [&'static str],
    /// What it needs beyond them when the target is Wasm.
    pub wasm_flags: &'static [&'static str],
    /// Folders for `-I`, relative to the crate (or the archive).
    pub include: &'static [&'static str],
    /// A text file of ours, relative to the workspace, offered to the driver as the array
    /// `bench_script` in `script.h`.
    pub script: Option<&'static str>,
    /// Files to write where the driver and the library find them by `#include`: name and contents.
    pub generated: &'static [(&'static str, &'static str)],
}

/// A program to build.
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    /// Unique, and the stem of the files built.
    pub name: &'static str,
    /// What it is made from.
    pub source: Source,
    /// Flags for the C compiler, on every target.
    pub flags: &'static [&'static str],
    /// Further flags when the target is Wasm.
    pub wasm_flags: &'static [&'static str],
}

/// What to build a guest for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `wasm32-wasi` (preview 1).
    Wasm,
    /// This machine's architecture: on x86-64 at level 3, elsewhere at the compiler's default.
    Native,
    /// `wasm32` with nothing but `benches/include/freestanding.h`, for kernels in C.
    Freestanding32,
    /// The same with memory of 64-bit addresses.
    Freestanding64,
}

impl Target {
    /// How the file that is built for it ends, after the guest's name and a dot.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Target::Wasm => "wasm",
            Target::Native => "native",
            Target::Freestanding32 => "free32.wasm",
            Target::Freestanding64 => "free64.wasm",
        }
    }
}
