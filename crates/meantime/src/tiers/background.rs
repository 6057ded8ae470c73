//! The threads that optimize while the program runs, and what waits for them.
//!
//! The one idea: a queue ordered by heat. Threads are started when there is something to do, up to a number, and end when the engine does; each
//! piece of work brings what it needs, so nobody waits for a thread.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Waiting pieces of work beyond which new ones are refused: their functions ask again when their next budget is spent.
const MAX_QUEUED: usize = 4096;
/// Bytes of stack: the optimizing compiler recurses with the nesting of what it compiles.
const STACK: usize = 8 << 20;

struct Job {
    heat: u32,
    /// Those of equal heat are done in the order in which they came.
    number: u64,
    work: Box<dyn FnOnce() + Send>,
}

impl PartialEq for Job {
    fn eq(&self, other: &Job) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Job {}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Job) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Job {
    fn cmp(&self, other: &Job) -> Ordering {
        (self.heat, other.number).cmp(&(other.heat, self.number))
    }
}

#[derive(Default)]
struct State {
    queue: BinaryHeap<Job>,
    number: u64,
    threads: usize,
    idle: usize,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to do, or the end.
    work: Condvar,
    /// A thread became idle.
    rest: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Work runs outside of the lock, so nothing panics inside.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            if state.ended {
                return;
            }
            if let Some(job) = state.queue.pop() {
                drop(state);
                // What a panic leaves undone stays in the tier it is in.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job.work));
                state = self.lock();
                continue;
            }
            state.idle += 1;
            self.rest.notify_all();
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

/// The background of an engine. When dropped, its threads end after what they are doing, and what waits is dropped.
pub(super) struct Background {
    shared: Arc<Shared>,
    max_threads: usize,
}

impl Background {
    /// A background with as many threads as the machine can spare, or with one.
    pub fn new(parallel: bool) -> Background {
        let spare = || std::thread::available_parallelism().map_or(1, |n| n.get() - 1);
        Background {
            shared: Arc::default(),
            max_threads: if parallel { spare().clamp(1, 8) } else { 1 },
        }
    }

    /// Has work done, the hottest first. False when too much waits already.
    pub fn queue(&self, heat: u32, work: impl FnOnce() + Send + 'static) -> bool {
        let mut state = self.shared.lock();
        if state.queue.len() >= MAX_QUEUED {
            return false;
        }
        let number = state.number;
        state.number += 1;
        state.queue.push(Job {
            heat,
            number,
            work: Box::new(work),
        });
        // A guest that waits does not wait for other work.
        let max_threads = self.max_threads + usize::from(heat == u32::MAX);
        if state.idle == 0 && state.threads < max_threads {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new()
                .name("meantime-optimize".to_owned())
                .stack_size(STACK)
                .spawn(move || shared.run());
            // A system without room for a thread runs on with the code there is.
            state.threads += usize::from(thread.is_ok());
        }
        self.shared.work.notify_one();
        state.threads > 0
    }

    /// Has work done at once and waits for its result; none when there is no thread to do it or it panicked.
    pub fn call<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> Option<R> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let send = move || {
            let result = work();
            // Whoever waited is there until it gets the result.
            let _ = sender.send(result);
        };
        self.queue(u32::MAX, send).then(|| receiver.recv().ok())?
    }

    /// Waits until there is nothing to do.
    pub fn wait(&self) {
        let mut state = self.shared.lock();
        while !state.queue.is_empty() || state.idle < state.threads {
            let rest = self.shared.rest.wait(state);
            state = rest.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ended = true;
        // Dropped outside of the lock: what work holds may be the last of something.
        let left = std::mem::take(&mut state.queue);
        drop(state);
        self.shared.work.notify_all();
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_hottest_is_done_first() {
        let background = Background::new(false);
        let (go, wait) = mpsc::channel::<()>();
        let (done, order) = mpsc::channel();
        background.queue(u32::MAX, move || wait.recv().unwrap());
        for heat in [1, 3, 2, 3] {
            let done = done.clone();
            background.queue(heat, move || done.send(heat).unwrap());
        }
        go.send(()).unwrap();
        background.wait();
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [3, 3, 2, 1]);
    }

    #[test]
    fn a_panic_ends_nothing() {
        let background = Background::new(false);
        assert_eq!(background.call(|| -> i32 { panic!("as tests do") }), None);
        assert_eq!(background.call(|| 7), Some(7));
    }

    #[test]
    fn an_end_drops_what_waits() {
        // With one thread: nobody who waits has another started.
        let background = Background::new(false);
        let (go, wait) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel();
        let (done, order) = mpsc::channel();
        background.queue(1, move || {
            begun.send(()).unwrap();
            wait.recv().unwrap();
        });
        begins.recv().unwrap();
        background.queue(1, move || done.send(()).unwrap());
        drop(background);
        go.send(()).unwrap();
        // The sender is gone with the work that was dropped.
        assert!(order.recv().is_err());
    }
}
