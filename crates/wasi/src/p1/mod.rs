//! `wasi_snapshot_preview1`.
//!
//! A guest's call goes through three steps: `link` finds the memory of the instance that called and
//! the context of its store; the method of [`Host`] with the name of the call, in the file of its
//! family, does the work; its result becomes an error number, or a trap. The same methods serve
//! `wasi_unstable` ([`crate::p0`]): the few that differ ask for the version.

mod args_env;
mod clock;
mod dir;
mod errno;
mod fd;
mod file;
mod io;
mod link;
mod memory;
mod path;
mod poll;
mod proc;
mod random;
mod sock;
mod table;
mod types;

pub use errno::Errno;
pub(crate) use errno::Error;
pub(crate) use link::add_to_linker;
pub(crate) use types::{Advice, FdFlags, FileStat, FileType, Version};

use crate::WasiCtx;
use crate::cli::HostStream;
use crate::p2::{InputStream, OutputStream};
use meantime::Linker;
use memory::GuestMemory;
use table::{Descriptor, Kind, OpenDir, Table};
use types::Rights;

/// The state of one guest of preview 1: a [`WasiCtx`] and the guest's open descriptors.
///
/// Made by [`WasiCtxBuilder::build_p1`](crate::WasiCtxBuilder::build_p1), kept in the `T` of a
/// `Store<T>`.
pub struct WasiP1Ctx {
    ctx: WasiCtx,
    table: Table,
}

impl WasiP1Ctx {
    pub(crate) fn new(mut ctx: WasiCtx) -> Self {
        let mut descriptors = vec![
            input(ctx.cli.stdin.host_stream(), || {
                (ctx.cli.stdin.p2_stream(), ctx.cli.stdin.is_terminal())
            }),
            output(ctx.cli.stdout.host_stream(), || {
                (ctx.cli.stdout.p2_stream(), ctx.cli.stdout.is_terminal())
            }),
            output(ctx.cli.stderr.host_stream(), || {
                (ctx.cli.stderr.p2_stream(), ctx.cli.stderr.is_terminal())
            }),
        ];
        for preopen in ctx.filesystem.preopens.drain(..) {
            descriptors.push(Descriptor {
                kind: Kind::Dir(Box::new(OpenDir {
                    dir: preopen.dir,
                    perms: preopen.perms,
                    preopen: Some(preopen.guest_path),
                    listing: None,
                })),
                rights: Rights::DIRECTORY,
                inheriting: Rights::ALL,
                flags: FdFlags::NONE,
            });
        }
        for socket in ctx.sockets.preopens.drain(..) {
            descriptors.push(sock::descriptor(socket.0));
        }
        WasiP1Ctx {
            ctx,
            table: Table::from(descriptors),
        }
    }

    /// The context that the guest was given.
    pub fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.ctx
    }
}

fn input(
    host: Option<HostStream>,
    stream: impl FnOnce() -> (Box<dyn InputStream>, bool),
) -> Descriptor {
    let kind = match host {
        Some(host) => Kind::Stream(host),
        None => {
            let (stream, terminal) = stream();
            Kind::Input { stream, terminal }
        }
    };
    Descriptor {
        kind,
        rights: Rights::INPUT,
        inheriting: Rights::NONE,
        flags: FdFlags::NONE,
    }
}

fn output(
    host: Option<HostStream>,
    stream: impl FnOnce() -> (Box<dyn OutputStream>, bool),
) -> Descriptor {
    let kind = match host {
        Some(host) => Kind::Stream(host),
        None => {
            let (stream, terminal) = stream();
            Kind::Output { stream, terminal }
        }
    };
    Descriptor {
        kind,
        rights: Rights::OUTPUT,
        inheriting: Rights::NONE,
        flags: FdFlags::NONE,
    }
}

/// One call of a guest: what it may touch while it lasts.
pub(crate) struct Host<'a> {
    version: Version,
    ctx: &'a mut WasiCtx,
    table: &'a mut Table,
    memory: GuestMemory<'a>,
}

/// Adds all functions of `wasi_snapshot_preview1` to `linker`. `get` finds the context in the data
/// of the store.
///
/// The functions run, and where needed block, on the thread that called the guest. They use the
/// memory that the calling instance exports under the name `memory`.
///
/// # Errors
///
/// If the linker has one of the functions already and does not allow shadowing.
pub fn add_to_linker_sync<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> meantime::Result<()> {
    add_to_linker(linker, "wasi_snapshot_preview1", Version::Preview1, get)
}

/// The same for a linker whose guests run asynchronously.
///
/// The functions are those of [`add_to_linker_sync`]: while one waits for input or for a clock, it
/// blocks its thread and does not yield to the executor.
///
/// # Errors
///
/// As there.
pub fn add_to_linker_async<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> meantime::Result<()> {
    add_to_linker_sync(linker, get)
}
