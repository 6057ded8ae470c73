//! From an import of the guest to a method of [`Host`], and back.
//!
//! The list of functions below is the only one: preview 1 and preview 0 are both linked from it.
//! Parameters have the types that they have in WebAssembly.

use super::errno::{Error, Result};
use super::memory::GuestMemory;
use super::types::Version;
use super::{Host, WasiP1Ctx};
use crate::I32Exit;
use meantime::{Caller, Extern, Linker, bail};

/// Calls the macro `$link` with every function that returns an error number and that both versions
/// have.
macro_rules! for_each_function {
    ($link:ident) => {
        $link! {
            args_get(argv: u32, argv_buf: u32);
            args_sizes_get(argc: u32, argv_buf_size: u32);
            environ_get(environ: u32, environ_buf: u32);
            environ_sizes_get(count: u32, environ_buf_size: u32);
            clock_res_get(id: u32, resolution: u32);
            clock_time_get(id: u32, precision: u64, time: u32);
            fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
            fd_allocate(fd: u32, offset: u64, len: u64);
            fd_close(fd: u32);
            fd_datasync(fd: u32);
            fd_fdstat_get(fd: u32, stat: u32);
            fd_fdstat_set_flags(fd: u32, flags: u32);
            fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
            fd_filestat_get(fd: u32, stat: u32);
            fd_filestat_set_size(fd: u32, size: u64);
            fd_filestat_set_times(fd: u32, atim: u64, mtim: u64, flags: u32);
            fd_pread(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nread: u32);
            fd_prestat_get(fd: u32, prestat: u32);
            fd_prestat_dir_name(fd: u32, path: u32, path_len: u32);
            fd_pwrite(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nwritten: u32);
            fd_read(fd: u32, iovs: u32, iovs_len: u32, nread: u32);
            fd_readdir(fd: u32, buf: u32, buf_len: u32, cookie: u64, bufused: u32);
            fd_renumber(from: u32, to: u32);
            fd_seek(fd: u32, offset: i64, whence: u32, position: u32);
            fd_sync(fd: u32);
            fd_tell(fd: u32, position: u32);
            fd_write(fd: u32, iovs: u32, iovs_len: u32, nwritten: u32);
            path_create_directory(fd: u32, path: u32, path_len: u32);
            path_filestat_get(fd: u32, flags: u32, path: u32, path_len: u32, stat: u32);
            path_filestat_set_times(
                fd: u32, flags: u32, path: u32, path_len: u32, atim: u64, mtim: u64, fst_flags: u32
            );
            path_link(
                old_fd: u32, old_flags: u32, old_path: u32, old_path_len: u32,
                new_fd: u32, new_path: u32, new_path_len: u32
            );
            path_open(
                fd: u32, dirflags: u32, path: u32, path_len: u32, oflags: u32,
                base: u64, inheriting: u64, fdflags: u32, opened: u32
            );
            path_readlink(fd: u32, path: u32, path_len: u32, buf: u32, buf_len: u32, bufused: u32);
            path_remove_directory(fd: u32, path: u32, path_len: u32);
            path_rename(
                old_fd: u32, old_path: u32, old_path_len: u32,
                new_fd: u32, new_path: u32, new_path_len: u32
            );
            path_symlink(
                old_path: u32, old_path_len: u32, fd: u32, new_path: u32, new_path_len: u32
            );
            path_unlink_file(fd: u32, path: u32, path_len: u32);
            poll_oneoff(subscriptions: u32, events: u32, nsubscriptions: u32, nevents: u32);
            proc_raise(signal: u32);
            sched_yield();
            random_get(buf: u32, buf_len: u32);
            sock_recv(
                fd: u32, ri_data: u32, ri_data_len: u32, ri_flags: u32,
                ro_datalen: u32, ro_flags: u32
            );
            sock_send(fd: u32, si_data: u32, si_data_len: u32, si_flags: u32, so_datalen: u32);
            sock_shutdown(fd: u32, how: u32);
        }
    };
}

/// Adds the functions of `version` to `linker` as the module `module`.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    module: &str,
    version: Version,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx + Copy + Send + Sync + 'static,
) -> meantime::Result<()> {
    macro_rules! link {
        ($($name:ident($($parameter:ident: $type:ty),*);)*) => {
            $(
                linker.func_wrap(
                    module,
                    stringify!($name),
                    move |mut caller: Caller<'_, T>, $($parameter: $type),*| {
                        enter(&mut caller, version, get, |host| host.$name($($parameter),*))
                    },
                )?;
            )*
        };
    }
    for_each_function!(link);
    if version == Version::Preview1 {
        link! { sock_accept(fd: u32, flags: u32, accepted: u32); }
    }
    linker.func_wrap(module, "proc_exit", |status: u32| exit(status))?;
    Ok(())
}

/// Does one call.
#[inline]
fn enter<T: 'static>(
    caller: &mut Caller<'_, T>,
    version: Version,
    get: impl Fn(&mut T) -> &mut WasiP1Ctx,
    call: impl FnOnce(&mut Host<'_>) -> Result<()>,
) -> meantime::Result<u32> {
    let (bytes, data) = match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => memory.data_and_store_mut(&mut *caller),
        Some(Extern::SharedMemory(_)) => bail!("WASI preview 1 cannot use a shared memory"),
        // A guest without a memory can still make the calls that need none.
        _ => (&mut [][..], caller.data_mut()),
    };
    let WasiP1Ctx { ctx, table } = get(data);
    match call(&mut Host {
        version,
        ctx,
        table,
        memory: GuestMemory::new(bytes),
    }) {
        Ok(()) => Ok(0),
        Err(Error::Errno(errno)) => Ok(errno as u32),
        Err(Error::Trap(error)) => Err(error),
    }
}

/// `proc_exit`: ends the guest. Statuses from 126 on are left to the host, as a shell keeps them
/// for itself.
fn exit(status: u32) -> meantime::Result<()> {
    if status >= 126 {
        bail!("exit with invalid exit status outside of [0..126)");
    }
    Err(I32Exit(status as i32).into())
}
