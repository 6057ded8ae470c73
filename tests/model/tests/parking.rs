//! The parking lot of shared memories under every order of its threads that a model of them makes.
//!
//! The file under test is the product's own; `threads` stands in for the system's threads and clock. In the model a time may be over at any
//! moment, and a thread that nobody wakes is a deadlock, which the model reports.

#[expect(unreachable_pub, reason = "written for another crate")]
#[path = "../../../crates/vm/src/parking.rs"]
mod parking;
mod threads;

use parking::{Parking, WaitResult};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicU32, Ordering};
use shuttle::thread;
use std::time::Duration;

/// Orders that are tried by chance.
const ORDERS: usize = 20_000;
/// Orders that are tried where all of them would be too many.
const ALL: Option<usize> = Some(2_000);
/// How many threads are preempted at most in those orders that look for rare ones.
const DEPTH: usize = 3;

const AT: usize = 16;

fn by_chance(test: impl Fn() + Send + Sync + Copy + 'static) {
    shuttle::check_random(test, ORDERS);
    shuttle::check_pct(test, ORDERS, DEPTH);
}

/// A thread that has seen no flag waits for who sets it and notifies.
fn a_flag_is_seen() {
    let shared = Arc::new((Parking::default(), AtomicU32::new(0)));
    let waiter = {
        let shared = shared.clone();
        thread::spawn(move || {
            let (parking, flag) = &*shared;
            while flag.load(Ordering::SeqCst) == 0 {
                parking.wait(AT, || flag.load(Ordering::SeqCst) == 0, None);
            }
        })
    };
    let (parking, flag) = &*shared;
    flag.store(1, Ordering::SeqCst);
    parking.notify(AT, 1);
    waiter.join().unwrap();
    assert!(!parking.has_waiters());
}

#[test]
fn no_notification_is_lost() {
    shuttle::check_dfs(a_flag_is_seen, ALL);
    by_chance(a_flag_is_seen);
}

/// Free, taken, or taken with others waiting: the mutex of three states that is built on such waits.
struct Mutex {
    parking: Parking,
    state: AtomicU32,
    inside: AtomicU32,
}

impl Mutex {
    fn lock(&self) {
        let free = self
            .state
            .compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst);
        if free.is_ok() {
            return;
        }
        while self.state.swap(2, Ordering::SeqCst) != 0 {
            let contended = || self.state.load(Ordering::SeqCst) == 2;
            self.parking.wait(AT, contended, None);
        }
    }

    fn unlock(&self) {
        if self.state.swap(0, Ordering::SeqCst) == 2 {
            self.parking.notify(AT, 1);
        }
    }
}

#[test]
fn a_mutex_of_waits_excludes_and_never_stops() {
    by_chance(|| {
        let mutex = Arc::new(Mutex {
            parking: Parking::default(),
            state: AtomicU32::new(0),
            inside: AtomicU32::new(0),
        });
        let work = |mutex: Arc<Mutex>| {
            move || {
                for _ in 0..2 {
                    mutex.lock();
                    assert_eq!(mutex.inside.fetch_add(1, Ordering::SeqCst), 0);
                    assert_eq!(mutex.inside.fetch_sub(1, Ordering::SeqCst), 1);
                    mutex.unlock();
                }
            }
        };
        let threads: Vec<_> = (0..3).map(|_| thread::spawn(work(mutex.clone()))).collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(!mutex.parking.has_waiters());
    });
}

/// Whoever is counted as woken says so, and who gave up is not counted: even when both happen at once.
#[test]
fn as_many_wake_as_were_notified() {
    by_chance(|| {
        let parking = Arc::new(Parking::default());
        let wait = |timeout: Option<Duration>| {
            let parking = parking.clone();
            thread::spawn(move || parking.wait(AT, || true, timeout))
        };
        let brief = Some(Duration::from_millis(1));
        let threads = [wait(brief), wait(brief), wait(brief)];
        let mut woken = parking.notify(AT, 1);
        woken += parking.notify(AT, 2);
        // Another address is nobody's.
        assert_eq!(parking.notify(AT + 8, u32::MAX), 0);
        let results = threads.map(|thread| thread.join().unwrap());
        let ok = results.iter().filter(|result| **result == WaitResult::Ok);
        assert_eq!(ok.count(), woken as usize);
        assert!(!results.contains(&WaitResult::Mismatch));
        assert!(!parking.has_waiters());
    });
}

#[test]
fn who_waits_first_is_woken_first() {
    by_chance(|| {
        let shared = Arc::new((Parking::default(), AtomicU32::new(0)));
        let wait = |shared: &Arc<(Parking, AtomicU32)>, turn: u32| {
            let shared = shared.clone();
            thread::spawn(move || {
                let (parking, turns) = &*shared;
                while turns.load(Ordering::SeqCst) != turn {
                    thread::yield_now();
                }
                // Under the lot's lock, so the next one is behind this one.
                let mine = || turns.fetch_add(1, Ordering::SeqCst) == turn;
                assert_eq!(parking.wait(AT, mine, None), WaitResult::Ok);
                turns.fetch_add(1, Ordering::SeqCst)
            })
        };
        let (first, second) = (wait(&shared, 0), wait(&shared, 1));
        let (parking, turns) = &*shared;
        while turns.load(Ordering::SeqCst) != 2 {
            thread::yield_now();
        }
        assert_eq!(parking.notify(AT, 1), 1);
        assert_eq!(first.join().unwrap(), 2);
        assert_eq!(parking.notify(AT, 1), 1);
        assert_eq!(second.join().unwrap(), 3);
    });
}
