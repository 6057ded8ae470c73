//! What the parking lot needs of threads and time, in one place, so that a model can stand in for it (`tests/model`).

pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub(crate) use std::thread::{Thread, current, park, park_timeout};
pub(crate) use std::time::Instant;

#[cfg(test)]
mod tests {
    use crate::parking::{Parking, WaitResult};
    use std::time::Duration;

    #[test]
    fn waits_end_by_mismatch_time_and_notification() {
        let parking = Parking::default();
        assert_eq!(parking.wait(8, || false, None), WaitResult::Mismatch);
        let brief = Some(Duration::from_millis(1));
        assert_eq!(parking.wait(8, || true, brief), WaitResult::TimedOut);
        assert_eq!(parking.notify(8, 1), 0);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| parking.wait(8, || true, None));
            let mut woken = 0;
            while woken == 0 {
                woken = parking.notify(8, u32::MAX);
            }
            assert_eq!(woken, 1);
            assert_eq!(waiting.join().unwrap(), WaitResult::Ok);
        });
        assert!(!parking.has_waiters());
    }
}
