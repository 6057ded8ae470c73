//! How far a function is: its stage, which only rises, and what it has cost.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

/// How far a function is.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Debug)]
#[repr(u8)]
pub(super) enum Stage {
    /// It was never called.
    Cold,
    /// It was never called, and a thread of the background compiles it ahead; who calls it may take over.
    Ahead,
    /// Someone compiles it for the first time, or publishes what was compiled ahead.
    Compiling,
    /// It was never called, and has code of the first tier.
    Ready,
    /// It runs in the first tier.
    First,
    /// Better code is being made.
    Queued,
    /// It has the best code there is.
    Last,
    /// It stays in the first tier: better code cannot be made, or would cost too much.
    Refused,
}

/// What is known of a function.
#[derive(Default)]
pub(super) struct Function {
    stage: AtomicU8,
    /// Whether it was ever to be compiled ahead: that is tried once.
    pub tried_ahead: AtomicBool,
    /// How many budgets it spent.
    pub spent: AtomicU32,
    /// How many of them in a row, at loops, without being entered in between.
    pub stuck: AtomicU32,
}

impl Function {
    pub fn stage(&self) -> Stage {
        // Who waits looks at it after counting itself.
        match self.stage.load(Ordering::SeqCst) {
            0 => Stage::Cold,
            1 => Stage::Ahead,
            2 => Stage::Compiling,
            3 => Stage::Ready,
            4 => Stage::First,
            5 => Stage::Queued,
            6 => Stage::Last,
            _ => Stage::Refused,
        }
    }

    /// Whether it runs, or did.
    pub fn was_called(&self) -> bool {
        self.stage() > Stage::Ready
    }

    /// Takes it from one stage to the next; false when it is not there.
    pub fn advance(&self, from: Stage, to: Stage) -> bool {
        self.stage
            .compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Ends what nobody else may end.
    pub fn set(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::SeqCst);
    }
}
