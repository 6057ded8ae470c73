//! The references that frames of the guest hold.
//!
//! Not the walk itself. The one idea: recursion makes frames of few functions, so the stack maps found last are remembered by return
//! address.

use crate::backtrace::{MachineFrame, RegionCache, Start, walk};
use meantime_abi::VmStoreContext;
use std::ops::ControlFlow;

const CACHED: usize = 64;

/// Where the slots of a return address's stack map are in [`Maps::slots`].
#[derive(Copy, Clone)]
struct Map {
    pc: usize,
    first: usize,
    end: usize,
}

struct Maps {
    regions: RegionCache,
    found: [Map; CACHED],
    slots: Vec<u32>,
}

impl Maps {
    /// Distances of a frame's references below its frame pointer.
    fn of(&mut self, frame: &MachineFrame) -> &[u32] {
        let pc = frame.pc;
        let place = (pc ^ pc >> 6) % CACHED;
        if self.found[place].pc != pc {
            let first = self.slots.len();
            if let Some((region, entry, offset)) = self.regions.find(frame)
                && let Some(table) = region.side_table(&entry)
                && let Some(slots) = table.stack_map(offset)
            {
                self.slots.extend(slots);
            }
            let end = self.slots.len();
            self.found[place] = Map { pc, first, end };
        }
        let map = self.found[place];
        &self.slots[map.first..map.end]
    }
}

/// Calls `visit` with the address of every reference in a frame, and returns how many frames there are.
///
/// # Safety
///
/// The context is that of a store of this thread, whose records are those of this thread's stack.
pub(super) unsafe fn visit(context: *mut VmStoreContext, mut visit: impl FnMut(*mut u32)) -> u64 {
    let none = Map {
        pc: 0,
        first: 0,
        end: 0,
    };
    let mut maps = Maps {
        regions: RegionCache::default(),
        found: [none; CACHED],
        slots: Vec::new(),
    };
    let mut frames = 0;
    let each = |frame: MachineFrame| {
        frames += 1;
        for &below in maps.of(&frame) {
            visit((frame.fp - below as usize) as *mut u32);
        }
        ControlFlow::Continue(())
    };
    // SAFETY: passed on to the caller.
    unsafe { walk(context, Start::Exit, each) };
    frames
}
