//! From a code address to the region it lies in, for the whole process.
//!
//! The one idea: readers, among them signal handlers, take no lock. They announce themselves in a counter, read the current table and
//! leave; a writer publishes a new table and frees the old one when the counter is zero, from then on nobody can see it.

use crate::code::CodeRegion;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

struct Entry {
    start: usize,
    end: usize,
    region: Weak<CodeRegion>,
}

type Table = Vec<Arc<Entry>>;

static TABLE: AtomicPtr<Table> = AtomicPtr::new(std::ptr::null_mut());
static READERS: AtomicUsize = AtomicUsize::new(0);
static WRITER: Mutex<()> = Mutex::new(());

/// The region that an address lies in.
///
/// Does not allocate and takes no lock, so it works in a signal handler; there the returned reference must not be the last, which holds
/// for the region of code that is being executed.
pub fn lookup_code(pc: usize) -> Option<Arc<CodeRegion>> {
    READERS.fetch_add(1, Ordering::SeqCst);
    let table = TABLE.load(Ordering::SeqCst);
    let found = if table.is_null() {
        None
    } else {
        // SAFETY: a published table is freed only after the counter was seen at zero since another was published; ours is counted since
        // before the load.
        let table = unsafe { &*table };
        let after = table.partition_point(|entry| entry.start <= pc);
        let entry = after.checked_sub(1).map(|i| &table[i]);
        entry
            .filter(|entry| pc < entry.end)
            .and_then(|entry| entry.region.upgrade())
    };
    READERS.fetch_sub(1, Ordering::SeqCst);
    found
}

pub(crate) fn register(region: &Arc<CodeRegion>) {
    let text = region.text().as_ptr_range();
    let entry = Arc::new(Entry {
        start: text.start as usize,
        end: text.end as usize,
        region: Arc::downgrade(region),
    });
    update(|table| {
        let at = table.partition_point(|other| other.start < entry.start);
        table.insert(at, entry);
    });
}

pub(crate) fn unregister(region: &CodeRegion) {
    let start = region.text().as_ptr() as usize;
    update(|table| table.retain(|entry| entry.start != start));
}

fn update(change: impl FnOnce(&mut Table)) {
    let guard = WRITER.lock().unwrap_or_else(PoisonError::into_inner);
    let old = TABLE.load(Ordering::SeqCst);
    let mut new = if old.is_null() {
        Table::new()
    } else {
        // SAFETY: only writers free tables, and this one holds their lock.
        unsafe { (*old).clone() }
    };
    change(&mut new);
    TABLE.store(Box::into_raw(Box::new(new)), Ordering::SeqCst);
    // Readers take tens of nanoseconds.
    while READERS.load(Ordering::SeqCst) != 0 {
        std::thread::yield_now();
    }
    drop(guard);
    if !old.is_null() {
        // SAFETY: made by `Box::into_raw` above, no longer published, and no reader was left since.
        drop(unsafe { Box::from_raw(old) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CodeMemory, SharedBytes};

    fn region() -> Arc<CodeRegion> {
        let memory = CodeMemory::from_bytes(&[0xcc; 16]).unwrap();
        CodeRegion::new(
            memory,
            SharedBytes::default(),
            Vec::new(),
            0,
            false,
            Arc::new(()),
        )
        .unwrap()
    }

    #[test]
    fn many_threads_register_and_look_up() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let region = region();
                        let pc = region.text().as_ptr() as usize + 8;
                        assert!(Arc::ptr_eq(&lookup_code(pc).unwrap(), &region));
                        assert!(
                            lookup_code(pc + 4096 * 1024)
                                .is_none_or(|other| { !Arc::ptr_eq(&other, &region) })
                        );
                    }
                });
            }
        });
    }
}
