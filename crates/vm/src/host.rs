//! Functions of the host, as the guest sees them.
//!
//! The one idea: they live as long as their store and never move, so they lie in chunks that only grow; linking forty of them costs
//! one allocation.

use crate::builtins::BUILTINS;
use meantime_abi::{CodePtr, HostFn, TypeId, VmFuncRef, VmHeader, VmHostContext, VmStoreContext};
use std::any::Any;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;

const CHUNK: usize = 32;

/// The host functions of a store.
#[derive(Default)]
pub(crate) struct HostFuncs {
    /// All full but the last.
    chunks: Vec<NonNull<[MaybeUninit<VmHostContext>; CHUNK]>>,
    used_in_last: usize,
    owners: Vec<Arc<dyn Any + Send + Sync>>,
}

impl HostFuncs {
    /// Makes a function.
    pub fn alloc(
        &mut self,
        store: *mut VmStoreContext,
        func: HostFn,
        data: *mut c_void,
        owner: Option<Arc<dyn Any + Send + Sync>>,
        type_id: TypeId,
        code: CodePtr,
    ) -> NonNull<VmFuncRef> {
        if self.chunks.is_empty() || self.used_in_last == CHUNK {
            let chunk = Box::new([const { MaybeUninit::uninit() }; CHUNK]);
            self.chunks.push(NonNull::from(Box::leak(chunk)));
            self.used_in_last = 0;
        }
        self.owners.extend(owner);
        let chunk = *self.chunks.last().expect("just made");
        let index = self.used_in_last;
        self.used_in_last += 1;
        let header = VmHeader {
            kind: VmHeader::HOST,
            reserved: 0,
            store,
            builtins: &raw const BUILTINS,
        };
        // SAFETY: the place is inside the chunk, and nobody has its address yet.
        unsafe {
            let place: NonNull<VmHostContext> =
                chunk.cast::<MaybeUninit<VmHostContext>>().add(index).cast();
            place.write(VmHostContext {
                header,
                func,
                data,
                func_ref: VmFuncRef {
                    code,
                    context: place.as_ptr().cast(),
                    type_id,
                    id: 0,
                    enter: std::ptr::null(),
                },
            });
            NonNull::new_unchecked(&raw mut (*place.as_ptr()).func_ref)
        }
    }
}

impl Drop for HostFuncs {
    fn drop(&mut self) {
        for chunk in &self.chunks {
            // SAFETY: made by `Box::leak`; the contexts in it own nothing.
            drop(unsafe { Box::from_raw(chunk.as_ptr()) });
        }
    }
}
