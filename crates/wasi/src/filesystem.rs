//! What a preopened directory permits. The files themselves are handled in `p1`.

use std::fs::File;

/// What a guest may do below a preopened directory.
///
/// This is the embedder's decision, like mounting a file system read-only. It is separate from the
/// *rights* of preview 1, which are the guest's own bookkeeping and which a guest can only give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsPerms {
    /// Everything may be read and nothing changed: each attempt fails with `perm`.
    ReadOnly,
    /// Files and directories may be read, created, changed and removed.
    ReadWrite,
}

impl FsPerms {
    /// Whether writing is refused.
    pub fn write_not_permitted(&self) -> bool {
        matches!(self, FsPerms::ReadOnly)
    }
}

/// The directories that a context starts with.
#[derive(Default)]
pub struct WasiFilesystemCtx {
    pub(crate) preopens: Vec<Preopen>,
}

/// One directory handed to the guest, with the name by which the guest knows it.
pub(crate) struct Preopen {
    pub(crate) dir: File,
    pub(crate) perms: FsPerms,
    pub(crate) guest_path: String,
}
