//! `sock_*`: connections from listeners that the guest was given, and bytes over streams.
//!
//! `fd_read` and `fd_write` work on streams too; these calls add flags.

use super::Host;
use super::errno::{Errno, Result};
use super::table::{Descriptor, Kind};
use super::types::{FdFlags, RiFlags, Rights, SdFlags};
use crate::sockets::Socket;
use crate::sys;
use std::net::Shutdown;

/// `recv_data_truncated` of `roflags`.
const RECV_DATA_TRUNCATED: u16 = 1;

/// The descriptor of a socket that the embedder gave.
pub(super) fn descriptor(socket: Socket) -> Descriptor {
    let (rights, inheriting) = match socket.is_listener() {
        true => (Rights::LISTENER, Rights::STREAM),
        false => (Rights::STREAM, Rights::NONE),
    };
    let flags = if socket.is_nonblocking() {
        FdFlags::NONBLOCK
    } else {
        FdFlags::NONE
    };
    Descriptor {
        kind: Kind::Socket(socket),
        rights,
        inheriting,
        flags,
    }
}

impl Host<'_> {
    pub(crate) fn sock_accept(&mut self, fd: u32, flags: u32, accepted: u32) -> Result<()> {
        let flags = FdFlags::from_bits(flags)?;
        if flags.without(FdFlags::NONBLOCK) != FdFlags::NONE {
            return Err(Errno::Inval.into());
        }
        let listener = self.table.get(fd)?;
        let stream = listener
            .socket(Rights::SOCK_ACCEPT)?
            .accept()
            .ok_or(Errno::Notsup)??;
        stream.set_nonblocking(flags.contains(FdFlags::NONBLOCK))?;
        let rights = listener.inheriting.and(Rights::STREAM);
        let number = self.table.insert(Descriptor {
            kind: Kind::Socket(stream),
            rights,
            inheriting: Rights::NONE,
            flags,
        })?;
        self.memory.write_u32(accepted, number)
    }

    pub(crate) fn sock_recv(
        &mut self,
        fd: u32,
        ri_data: u32,
        ri_data_len: u32,
        ri_flags: u32,
        ro_datalen: u32,
        ro_flags: u32,
    ) -> Result<()> {
        let flags = RiFlags::from_bits(ri_flags)?;
        let socket = self.table.get(fd)?.socket(Rights::FD_READ)?;
        let (peek, wait_all) = (
            flags.contains(RiFlags::RECV_PEEK),
            flags.contains(RiFlags::RECV_WAITALL),
        );
        let (received, truncated) = self.memory.with_iovecs(ri_data, ri_data_len, |buffers| {
            Ok(sys::receive(socket.handle(), buffers, peek, wait_all)?)
        })?;
        self.memory.write_u32(
            ro_datalen,
            u32::try_from(received).map_err(|_| Errno::Overflow)?,
        )?;
        self.memory
            .write_u16(ro_flags, if truncated { RECV_DATA_TRUNCATED } else { 0 })
    }

    /// No flags are defined.
    pub(crate) fn sock_send(
        &mut self,
        fd: u32,
        si_data: u32,
        si_data_len: u32,
        si_flags: u32,
        so_datalen: u32,
    ) -> Result<()> {
        let socket = self.table.get(fd)?.socket(Rights::FD_WRITE)?;
        if si_flags != 0 {
            return Err(Errno::Inval.into());
        }
        let sent = self.memory.with_ciovecs(si_data, si_data_len, |buffers| {
            Ok(sys::send(socket.handle(), buffers)?)
        })?;
        self.memory.write_u32(
            so_datalen,
            u32::try_from(sent).map_err(|_| Errno::Overflow)?,
        )
    }

    pub(crate) fn sock_shutdown(&mut self, fd: u32, how: u32) -> Result<()> {
        let socket = self.table.get(fd)?.socket(Rights::SOCK_SHUTDOWN)?;
        let how = match SdFlags::from_bits(how)? {
            SdFlags::RD => Shutdown::Read,
            SdFlags::WR => Shutdown::Write,
            SdFlags::ALL => Shutdown::Both,
            _ => return Err(Errno::Inval.into()),
        };
        Ok(socket.shutdown(how)?)
    }
}
