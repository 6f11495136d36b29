//! The outputs of this process that are not complete, so that a signal can remove them.
//!
//! A value that is dropped removes its own file, but nothing is dropped when a signal ends the process.
//! Every unfinished output is therefore listed here while it exists.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// Held for reading while an output appears or takes its final name, and for writing once the outputs
/// have been given up.
static GATE: RwLock<()> = RwLock::new(());

/// What removes each output, by the number of its entry.
static LISTED: Mutex<Listed> = Mutex::new(Listed { next: 0, removals: BTreeMap::new() });

struct Listed {
    next: u64,
    removals: BTreeMap<u64, Box<dyn Fn() + Send>>,
}

fn listed() -> MutexGuard<'static, Listed> {
    LISTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the outputs from being given up while one of them changes. A thread must not hold two of
/// these at a time.
pub(crate) fn changing() -> Changing {
    Changing(GATE.read().unwrap_or_else(PoisonError::into_inner))
}

/// See [`changing`].
pub(crate) struct Changing(
    #[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'static, ()>,
);

/// The entry of an unfinished output, which is listed until this is dropped.
#[derive(Debug)]
pub(crate) struct Unfinished(u64);

impl Unfinished {
    /// Lists an output that was made while `_changing` has been held. `remove` removes it.
    pub(crate) fn list(_changing: &Changing, remove: impl Fn() + Send + 'static) -> Self {
        let mut listed = listed();
        let number = listed.next;
        listed.next += 1;
        listed.removals.insert(number, Box::new(remove));
        Self(number)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The closure is dropped when the lock has been released.
        let _removal = listed().removals.remove(&self.0);
    }
}

/// Removes all files and folders that this process has begun and not completed, before the process
/// ends. Afterwards no output can be begun or completed any more: a thread that tries to waits until
/// the process has ended. Programs call this where they handle a signal that ends them, on an ordinary
/// thread (not in the signal handler itself), and then exit:
///
/// ```no_run
/// # let signal = 2;
/// liaf_data::io::abandon_outputs();
/// std::process::exit(128 + signal);
/// ```
pub fn abandon_outputs() {
    // Never released, so that nothing appears between here and the end of the process.
    mem::forget(GATE.write().unwrap_or_else(PoisonError::into_inner));
    // The newest first: a file in a folder before the folder.
    for remove in listed().removals.values().rev() {
        remove();
    }
}
