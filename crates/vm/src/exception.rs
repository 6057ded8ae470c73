//! Where an exception continues.
//!
//! Not the jump (`arch`), nor what an exception is (`gc`). The one idea: the frames between a throw and its handler are the guest's own
//! and found by their frame pointers; side tables say what each call's handlers catch, so entering a scope that catches costs nothing,
//! and a throw allocates nothing. They also say where each function keeps registers of its caller, so that these are at the landing as they were at
//! the call.

use crate::arch;
use crate::backtrace::{MachineFrame, RegionCache, Start, walk_activation};
use crate::instance::InstanceRef;
use crate::store::StoreCore;
use meantime_abi::{ContextPlace, Handler, HandlerKind, SideTable, VmContext};
use std::ops::ControlFlow;

/// What registers hold that calls preserve, in the order of [`arch::PRESERVED`].
type Registers = [usize; arch::PRESERVED.len()];

/// A place in the guest's code, and what it expects.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Landing {
    pc: usize,
    sp: usize,
    fp: usize,
    exception: u32,
    registers: Registers,
}

impl Landing {
    /// Goes on there.
    ///
    /// # Safety
    ///
    /// It was found since the guest called the host last, and no Rust frame between here and there owns anything.
    pub unsafe fn resume(self) -> ! {
        // SAFETY: passed on to the caller.
        unsafe {
            arch::resume_at(
                self.pc,
                self.sp,
                self.fp,
                self.exception.into(),
                &self.registers,
            )
        }
    }
}

/// The handler of the store's pending exception among the frames that the host was called from since it entered the guest last. The
/// exception is then no longer pending.
///
/// # Safety
///
/// The store's exit record is that of a frame of `arch::builtin_entry` that is still on the stack, and no other reference to the store is in use.
pub(crate) unsafe fn find_handler(store: *mut StoreCore) -> Option<Landing> {
    // SAFETY: the caller vouches for the store and its records.
    unsafe {
        let exception = (*store).gc().pending_exception()?;
        // What is no exception has no tag, and only what catches all catches it.
        let tag = (*store).gc().exception_tag(exception).unwrap_or(0);
        let mut landing = None;
        let mut regions = std::mem::take(&mut (*store).throw_regions);
        let context = (*store).context();
        let mut registers = registers_at_exit((*context).exit_fp);
        walk_activation(context, Start::Exit, |frame| {
            match catches(&mut regions, &frame, tag, &mut registers) {
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

/// What registers held when the guest called the entry whose frame this is.
///
/// # Safety
///
/// The frame is one of `arch::builtin_entry`, and still there.
unsafe fn registers_at_exit(fp: usize) -> Registers {
    // SAFETY: passed on to the caller.
    std::array::from_fn(|i| unsafe { register_at_exit(fp, i) })
}

/// The same for one of them, by its place in [`arch::PRESERVED`].
///
/// # Safety
///
/// As for [`registers_at_exit`].
pub(crate) unsafe fn register_at_exit(fp: usize, i: usize) -> usize {
    // SAFETY: the entry has put it there.
    unsafe { *((fp - 8 * (i + 1)) as *const usize) }
}

/// Goes from what registers hold in a function to what they hold in its caller.
///
/// # Safety
///
/// The table is that of the function with this frame.
unsafe fn restore_registers(table: &SideTable<'_>, fp: usize, registers: &mut Registers) {
    for saved in table.saved_registers() {
        if let Some(i) = arch::PRESERVED.iter().position(|r| *r == saved.register) {
            // SAFETY: the function's prologue has put it there.
            registers[i] = unsafe { *((fp - saved.below_fp as usize) as *const usize) };
        }
    }
}

/// Where a frame continues with an exception of this tag, if it catches it. If it does not, registers are then those of its caller.
///
/// # Safety
///
/// The frame is one of the guest's on this thread's stack.
unsafe fn catches(
    regions: &mut RegionCache,
    frame: &MachineFrame,
    tag: u32,
    registers: &mut Registers,
) -> Option<Landing> {
    let (region, entry, offset) = regions.find(frame)?;
    let table = region.side_table(&entry)?;
    for handler in table.handlers(offset) {
        // SAFETY: passed on to the caller.
        if !unsafe { matches(&handler, frame.fp, tag, registers) } {
            continue;
        }
        let text = region.text().as_ptr() as usize;
        return Some(Landing {
            pc: text + entry.start as usize + handler.landing as usize,
            sp: frame.fp - handler.sp_below_fp as usize,
            fp: frame.fp,
            exception: 0,
            registers: *registers,
        });
    }
    // SAFETY: passed on to the caller.
    unsafe { restore_registers(&table, frame.fp, registers) };
    None
}

/// Whether a handler of a frame catches exceptions of this tag.
///
/// # Safety
///
/// The handler is that of a call that the frame is in.
unsafe fn matches(handler: &Handler, fp: usize, tag: u32, registers: &Registers) -> bool {
    match handler.kind {
        HandlerKind::All => true,
        // SAFETY: the code keeps its context there while the call runs, and its instance lives as long as the store.
        HandlerKind::Tag(index) => unsafe {
            let context = match handler.context {
                ContextPlace::BelowFp(at) => *((fp - at as usize) as *const *mut VmContext),
                ContextPlace::Register(register) => {
                    match arch::PRESERVED.iter().position(|r| *r == register) {
                        Some(i) => std::ptr::with_exposed_provenance_mut(registers[i]),
                        None => return false,
                    }
                }
            };
            InstanceRef::of(context).tag_number(index) == tag
        },
    }
}
