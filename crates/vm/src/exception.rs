//! Where an exception continues.
//!
//! Not the jump (`arch`), nor what an exception is (`gc`). The one idea: the frames between a throw and its handler are the guest's own
//! and found by their frame pointers; side tables say what each call's handlers catch, so entering a scope that catches costs nothing,
//! and a throw allocates nothing.

use crate::arch;
use crate::backtrace::{MachineFrame, RegionCache, Start, walk_activation};
use crate::instance::InstanceRef;
use crate::store::StoreCore;
use meantime_abi::{Handler, HandlerKind, VmContext};
use std::ops::ControlFlow;

/// A place in the guest's code, and what it expects.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Landing {
    pc: usize,
    sp: usize,
    fp: usize,
    exception: u32,
}

impl Landing {
    /// Goes on there.
    ///
    /// # Safety
    ///
    /// It was found since the guest called the host last, and no Rust frame between here and there owns anything.
    pub unsafe fn resume(self) -> ! {
        // SAFETY: passed on to the caller.
        unsafe { arch::resume_at(self.pc, self.sp, self.fp, self.exception.into()) }
    }
}

/// The handler of the store's pending exception among the frames that the host was called from since it entered the guest last. The
/// exception is then no longer pending.
///
/// # Safety
///
/// The store's exit record is that of a frame that is still on the stack, and no other reference to the store is in use.
pub(crate) unsafe fn find_handler(store: *mut StoreCore) -> Option<Landing> {
    // SAFETY: the caller vouches for the store and its records.
    unsafe {
        let exception = (*store).gc().pending_exception()?;
        // What is no exception has no tag, and only what catches all catches it.
        let tag = (*store).gc().exception_tag(exception).unwrap_or(0);
        let mut landing = None;
        let mut regions = std::mem::take(&mut (*store).throw_regions);
        walk_activation((*store).context(), Start::Exit, |frame| {
            match catches(&mut regions, &frame, tag) {
                Some(found) => {
                    landing = Some(Landing {
                        exception: exception.bits(),
                        ..found
                    });
                    ControlFlow::Break(())
                }
                None => ControlFlow::Continue(()),
            }
        });
        (*store).throw_regions = regions;
        if landing.is_some() {
            (*store).take_pending_exception();
        }
        landing
    }
}

/// Where a frame continues with an exception of this tag, if it catches it.
///
/// # Safety
///
/// The frame is one of the guest's on this thread's stack.
unsafe fn catches(regions: &mut RegionCache, frame: &MachineFrame, tag: u32) -> Option<Landing> {
    let (region, entry, offset) = regions.find(frame)?;
    let handlers = region.side_table(&entry)?.handlers(offset);
    for handler in handlers {
        // SAFETY: passed on to the caller.
        if !unsafe { matches(&handler, frame.fp, tag) } {
            continue;
        }
        let text = region.text().as_ptr() as usize;
        return Some(Landing {
            pc: text + entry.start as usize + handler.landing as usize,
            sp: frame.fp - handler.sp_below_fp as usize,
            fp: frame.fp,
            exception: 0,
        });
    }
    None
}

/// Whether a handler of a frame catches exceptions of this tag.
///
/// # Safety
///
/// The handler is that of a call that the frame is in.
unsafe fn matches(handler: &Handler, fp: usize, tag: u32) -> bool {
    match handler.kind {
        HandlerKind::All => true,
        // SAFETY: the code keeps its context there while the call runs, and its instance lives as long as the store.
        HandlerKind::Tag(index) => unsafe {
            let slot = (fp - handler.context_below_fp as usize) as *const *mut VmContext;
            InstanceRef::of(slot.read()).tag_number(index) == tag
        },
    }
}
