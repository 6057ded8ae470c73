//! Walking the guest's frames.
//!
//! Not printing: names are the embedder's. The one idea: every function of the guest keeps a frame pointer, so the frames are a linked
//! list, from the store's exit record (or a fault) to its entry; the frame of each entry holds the records of the activation outside of it.

use crate::arch::{FrameRecord, SAVED_ENTRY_FP_BELOW, SAVED_EXIT_FP_BELOW};
use crate::code::{CodeRegion, FuncEntry};
use crate::registry::lookup_code;
use crate::store::StoreCore;
use meantime_abi::{FuncIndex, FuncKey, Point, VmStoreContext};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A function of the guest that had not returned.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The module's code.
    pub code: Arc<CodeRegion>,
    /// The function.
    pub func: FuncIndex,
    /// Bytes from the start of the machine code: of the function that this one was compiled into, if it was.
    pub code_offset: u32,
    /// Offset of the instruction in the module's bytes, where recorded.
    pub wasm_offset: Option<u32>,
    /// Whether the function was compiled into its caller, the next frame.
    pub inlined: bool,
}

/// Guest frames, innermost first.
#[derive(Clone, Debug, Default)]
pub struct Backtrace {
    /// The frames.
    pub frames: Vec<Frame>,
    /// Whether there were more than the store's maximum.
    pub truncated: bool,
}

/// Where a walk starts.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Start {
    /// At the guest's last call of the host.
    Exit,
    /// At a fault.
    Fault {
        /// The faulting instruction.
        pc: usize,
        /// The frame pointer there.
        fp: usize,
    },
}

/// A frame of machine code.
#[derive(Copy, Clone, Debug)]
pub(crate) struct MachineFrame {
    /// The faulting instruction, or the address that the callee returns to.
    pub pc: usize,
    pub fp: usize,
    /// Whether `pc` is the faulting instruction.
    pub faulted: bool,
}

/// Calls `visit` for each frame of machine code of the guest, trampolines included, over all activations of the store.
///
/// # Safety
///
/// The store's records are those of frames on this thread's stack, as they are while it is entered.
pub(crate) unsafe fn walk(
    context: *mut VmStoreContext,
    start: Start,
    visit: impl FnMut(MachineFrame) -> ControlFlow<()>,
) {
    // SAFETY: passed on to the caller.
    unsafe { walk_from(context, start, true, visit) };
}

/// As [`walk`], over the innermost activation alone: up to where the host entered the guest last.
///
/// # Safety
///
/// As for [`walk`].
pub(crate) unsafe fn walk_activation(
    context: *mut VmStoreContext,
    start: Start,
    visit: impl FnMut(MachineFrame) -> ControlFlow<()>,
) {
    // SAFETY: passed on to the caller.
    unsafe { walk_from(context, start, false, visit) };
}

#[inline(always)]
unsafe fn walk_from(
    context: *mut VmStoreContext,
    start: Start,
    outer: bool,
    mut visit: impl FnMut(MachineFrame) -> ControlFlow<()>,
) {
    // SAFETY: each frame pointer that is followed is the store's exit or entry record, or the one saved by the frame before, all of
    // which point to a frame record; the walk of an activation ends at its entry, and frames lie at rising addresses.
    unsafe {
        let mut entry_fp = (*context).entry_fp;
        if entry_fp == 0 {
            return;
        }
        let from_exit = |exit_fp: usize| {
            let record = *(exit_fp as *const FrameRecord);
            MachineFrame {
                pc: record.return_address,
                fp: record.fp,
                faulted: false,
            }
        };
        let mut frame = match start {
            Start::Exit => from_exit((*context).exit_fp),
            Start::Fault { pc, fp } => MachineFrame {
                pc,
                fp,
                faulted: true,
            },
        };
        loop {
            while frame.fp != entry_fp {
                if visit(frame).is_break() {
                    return;
                }
                let next = from_exit(frame.fp);
                debug_assert!(next.fp > frame.fp, "frames lie at rising addresses");
                if next.fp <= frame.fp {
                    return;
                }
                frame = next;
            }
            if !outer {
                return;
            }
            let exit_fp = *((entry_fp - SAVED_EXIT_FP_BELOW) as *const usize);
            entry_fp = *((entry_fp - SAVED_ENTRY_FP_BELOW) as *const usize);
            if entry_fp == 0 {
                return;
            }
            frame = from_exit(exit_fp);
        }
    }
}

/// Remembers the region found last, as neighbouring frames mostly share it.
#[derive(Default)]
pub(crate) struct RegionCache(Option<Arc<CodeRegion>>);

impl RegionCache {
    /// The region and function of a frame.
    pub fn find(&mut self, frame: &MachineFrame) -> Option<(&Arc<CodeRegion>, FuncEntry, u32)> {
        let inside = frame.pc - usize::from(!frame.faulted);
        if self.0.as_ref().is_none_or(|r| r.find(inside).is_none()) {
            self.0 = lookup_code(inside);
        }
        let region = self.0.as_ref()?;
        let (entry, offset) = if frame.faulted {
            region.find(frame.pc)?
        } else {
            region.find_return(frame.pc)?
        };
        Some((region, *entry, offset))
    }
}

/// The guest's frames, unless the store wants no backtraces.
///
/// # Safety
///
/// As for [`walk`].
pub(crate) unsafe fn capture(store: &StoreCore, start: Start) -> Option<Backtrace> {
    let max = store.max_backtrace_frames;
    // SAFETY: passed on to the caller.
    (max != 0).then(|| unsafe { capture_up_to(store, start, max) })
}

/// The innermost frames of the guest, as many as `max`.
///
/// # Safety
///
/// As for [`walk`].
pub(crate) unsafe fn capture_up_to(store: &StoreCore, start: Start, max: usize) -> Backtrace {
    let mut backtrace = Backtrace::default();
    let mut regions = RegionCache::default();
    let visit = |frame: MachineFrame| {
        let Some((region, entry, offset)) = regions.find(&frame) else {
            return ControlFlow::Continue(());
        };
        let FuncKey::Func(func) = entry.key else {
            return ControlFlow::Continue(());
        };
        let func = FuncIndex::from_u32(region.func_imports() + func.as_u32());
        expand(region, &entry, func, offset, frame.faulted, |frame| {
            if backtrace.frames.len() == max {
                backtrace.truncated = true;
                return ControlFlow::Break(());
            }
            backtrace.frames.push(frame);
            ControlFlow::Continue(())
        })
    };
    // SAFETY: passed on to the caller.
    unsafe { walk(store.context(), start, visit) };
    backtrace
}

/// The frames that one machine frame stands for: the calls compiled into it, innermost first, then itself.
fn expand(
    region: &Arc<CodeRegion>,
    entry: &FuncEntry,
    func: FuncIndex,
    code_offset: u32,
    faulted: bool,
    mut visit: impl FnMut(Frame) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let table = region.side_table(entry);
    let point: Option<Point> = table.and_then(|table| match faulted {
        true => table.trap(code_offset),
        false => table.call(code_offset),
    });
    let mut wasm_offset = point.and_then(|p| p.wasm_offset);
    let mut inline = point.and_then(|p| p.inline);
    let frame = |func, wasm_offset, inlined| Frame {
        code: region.clone(),
        func,
        code_offset,
        wasm_offset,
        inlined,
    };
    while let Some(call) = inline.and_then(|i| table?.inline_frame(i)) {
        visit(frame(call.func, wasm_offset, true))?;
        wasm_offset = call.call_wasm_offset;
        inline = call.parent;
    }
    visit(frame(func, wasm_offset, false))
}
