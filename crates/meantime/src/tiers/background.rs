//! The threads that compile while the program runs, and what waits for them.
//!
//! The one idea: what waits says how urgent it is whenever a thread has time, for what is hot changes. Threads are started when there is something to do,
//! up to a number, and end when the engine does; each piece of work brings what it needs, so nobody waits for a thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// Waiting pieces of work beyond which new ones are refused: their functions ask again when their next budget is spent.
const MAX_QUEUED: usize = 1024;
/// Bytes of stack: the optimizing compiler recurses with the nesting of what it compiles.
const STACK: usize = 8 << 20;

/// A piece of work.
pub(super) trait Work: Send {
    /// How urgent it is now.
    fn urgency(&self) -> f64;

    /// Does it.
    fn run(self: Box<Self>);
}

/// What a guest waits for.
struct Awaited<F>(F);

impl<F: FnOnce() + Send> Work for Awaited<F> {
    fn urgency(&self) -> f64 {
        f64::INFINITY
    }

    fn run(self: Box<Self>) {
        (self.0)();
    }
}

#[derive(Default)]
struct State {
    /// In the order in which it came.
    queue: Vec<Box<dyn Work>>,
    threads: usize,
    idle: usize,
    ended: bool,
}

impl State {
    /// Takes out the most urgent; of several the one that came first.
    fn next(&mut self) -> Option<Box<dyn Work>> {
        let urgencies = self.queue.iter().map(|work| work.urgency());
        let all = urgencies.enumerate();
        let (most, _) = all.reduce(|most, next| if next.1 > most.1 { next } else { most })?;
        Some(self.queue.remove(most))
    }
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
        // Work runs outside of the lock, and looking at its urgency does not panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            if state.ended {
                return;
            }
            if let Some(work) = state.next() {
                drop(state);
                // What a panic leaves undone stays in the tier it is in.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work.run()));
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
    parallel: bool,
    /// Cores besides that of the guest. Found out when there is something to do: the system takes its time to say.
    spare: OnceLock<usize>,
}

impl Background {
    /// A background with as many threads as the machine can spare, or with one.
    pub fn new(parallel: bool) -> Background {
        Background {
            shared: Arc::default(),
            parallel,
            spare: OnceLock::new(),
        }
    }

    fn spare(&self) -> usize {
        let spare = || std::thread::available_parallelism().map_or(0, |n| n.get() - 1);
        *self.spare.get_or_init(spare)
    }

    fn max_threads(&self) -> usize {
        match self.parallel {
            true => self.spare().clamp(1, 8),
            false => 1,
        }
    }

    /// Has work done, the most urgent first. False when too much waits already.
    pub fn queue(&self, work: Box<dyn Work>) -> bool {
        self.queue_with(work, self.max_threads())
    }

    /// Whether there are cores for others than the guest.
    pub fn has_spare_cores(&self) -> bool {
        self.spare() > 0
    }

    fn queue_with(&self, work: Box<dyn Work>, max_threads: usize) -> bool {
        let mut state = self.shared.lock();
        if state.queue.len() >= MAX_QUEUED {
            return false;
        }
        state.queue.push(work);
        if state.idle == 0 && state.threads < max_threads {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new()
                .name("meantime-optimize".to_owned())
                .stack_size(STACK)
                .spawn(move || shared.run());
            // A system without room for a thread runs on with the code there is.
            state.threads += usize::from(thread.is_ok());
        }
        if state.threads == 0 {
            state.queue.pop();
            return false;
        }
        self.shared.work.notify_one();
        true
    }

    /// Has work done at once and waits for its result; none when there is no thread to do it or it panicked.
    pub fn call<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> Option<R> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let send = move || {
            let result = work();
            // Whoever waited is there until it gets the result.
            let _ = sender.send(result);
        };
        // A guest that waits does not wait for other work.
        let threads = self.max_threads() + 1;
        self.queue_with(Box::new(Awaited(send)), threads)
            .then(|| receiver.recv().ok())?
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

    struct Test<F>(f64, F);

    impl<F: FnOnce() + Send> Work for Test<F> {
        fn urgency(&self) -> f64 {
            self.0
        }

        fn run(self: Box<Self>) {
            (self.1)();
        }
    }

    #[test]
    fn the_most_urgent_is_done_first() {
        let background = Background::new(false);
        let (go, wait) = mpsc::channel::<()>();
        let (done, order) = mpsc::channel();
        let first = move || wait.recv().unwrap();
        background.queue(Box::new(Test(f64::INFINITY, first)));
        for (number, urgency) in [1.0, 3.0, 2.0, 3.0].into_iter().enumerate() {
            let done = done.clone();
            let work = move || done.send(number).unwrap();
            background.queue(Box::new(Test(urgency, work)));
        }
        go.send(()).unwrap();
        background.wait();
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [1, 3, 2, 0]);
    }

    #[test]
    fn a_panic_ends_nothing() {
        let background = Background::new(false);
        assert_eq!(background.call(|| -> i32 { panic!("as tests do") }), None);
        assert_eq!(background.call(|| 7), Some(7));
    }

    #[test]
    fn an_end_drops_what_waits_and_waits_for_nothing() {
        // With one thread: nobody who waits has another started.
        let background = Background::new(false);
        let (go, wait) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel();
        let (done, order) = mpsc::channel();
        let first = move || {
            begun.send(()).unwrap();
            wait.recv().unwrap();
        };
        background.queue(Box::new(Test(1.0, first)));
        begins.recv().unwrap();
        let second = move || done.send(()).unwrap();
        background.queue(Box::new(Test(1.0, second)));
        // The first is not done before this returns.
        drop(background);
        go.send(()).unwrap();
        // The sender is gone with the work that was dropped.
        assert!(order.recv().is_err());
    }
}
