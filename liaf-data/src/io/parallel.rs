//! Work on many threads whose results are used in order on one thread.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use rayon::Yield;

use crate::error::Result;

/// The number of slots that is needed to keep every thread of the current rayon pool busy.
pub(crate) fn places_per_pool() -> usize {
    4 * rayon::current_num_threads()
}

/// Reports that the work for a slot has panicked and will never return the slot, so that nobody
/// waits for it.
struct Panicking<'a, S>(&'a Sender<(usize, Option<S>)>, usize);

impl<S> Drop for Panicking<'_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send((self.1, None));
        }
    }
}

/// Runs `work` on every item, on the threads of the current rayon pool. Meanwhile `give` is called
/// with each result, in order, on this thread. Each item needs one of `slots` for its result, so
/// that the number of slots limits how many results exist at the same time. The slots are kept for
/// the next call.
///
/// # Errors
/// The first error that `give` returns. `work` may have been called for items after it, but `give`
/// is not.
///
/// # Panics
/// If `work` or `give` panics, or if there are items but no slots.
pub(crate) fn in_order<I: Sync, S: Send>(
    items: &[I],
    slots: &mut Vec<S>,
    work: impl Fn(usize, &I, &mut S) + Sync,
    mut give: impl FnMut(usize, &I, &mut S) -> Result<()>,
) -> Result<()> {
    let mut free = std::mem::take(slots);
    assert!(!free.is_empty() || items.is_empty(), "there are no slots for the results");
    // The slots of the items that have been started and not given out, from the next item on.
    let mut waiting: VecDeque<Option<S>> = VecDeque::with_capacity(free.len());
    let (work, mut begun, mut given) = (&work, 0, 0);
    let mut result = Ok(());
    let (sender, receiver) = channel();
    rayon::in_place_scope_fifo(|scope| {
        loop {
            while begun < items.len()
                && let Some(mut slot) = free.pop()
            {
                let (i, item, sender) = (begun, &items[begun], sender.clone());
                scope.spawn_fifo(move |_| {
                    let panicking = Panicking(&sender, i);
                    work(i, item, &mut slot);
                    drop(panicking);
                    // The receiver lives longer than the scope, so that sending cannot fail.
                    let _ = sender.send((i, Some(slot)));
                });
                begun += 1;
                waiting.push_back(None);
            }
            if waiting.is_empty() {
                break;
            }
            while let Some(Some(_)) = waiting.front()
                && let Some(Some(mut slot)) = waiting.pop_front()
            {
                if result.is_ok() {
                    result = give(given, &items[given], &mut slot);
                }
                given += 1;
                free.push(slot);
                // Start a new task for each one that ends before giving out more results, so that
                // no thread becomes idle in the meantime.
                if begun < items.len() && result.is_ok() {
                    break;
                }
            }
            if result.is_err() {
                begun = items.len();
            }
            if matches!(waiting.front(), Some(None))
                && let Some((i, slot)) = wait(&receiver)
            {
                let mut next = Some((i, slot));
                while let Some((i, slot)) = next {
                    if slot.is_none() {
                        // The scope propagates the panic.
                        return;
                    }
                    waiting[i - given] = slot;
                    next = receiver.try_recv().ok();
                }
            }
        }
    });
    *slots = free;
    result
}

/// Waits for the next result. If this is a thread of the pool, it does other work of the pool in
/// the meantime: the task that it waits for may be queued on this very thread.
fn wait<T>(receiver: &Receiver<T>) -> Option<T> {
    const PATIENCE: usize = 200;
    let mut idle = 0;
    loop {
        match receiver.try_recv() {
            Ok(result) => return Some(result),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        match rayon::yield_now() {
            Some(Yield::Executed) => idle = 0,
            Some(Yield::Idle) if idle < PATIENCE => {
                idle += 1;
                thread::yield_now();
            }
            Some(Yield::Idle) | None => return receiver.recv().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for n in [0, 1, 4, 5, 99] {
                let items: Vec<usize> = (0..n).collect();
                let work = |i: usize, item: &usize, slot: &mut usize| *slot = i * item;
                let collect = || {
                    let mut seen = Vec::new();
                    let mut slots = vec![0; 4];
                    let give = |i: usize, _: &usize, slot: &mut usize| {
                        seen.push((i, *slot));
                        Ok(())
                    };
                    in_order(&items, &mut slots, work, give).unwrap();
                    assert_eq!(slots.len(), 4);
                    seen
                };
                let expected: Vec<_> = items.iter().map(|i| (*i, i * i)).collect();
                assert_eq!(pool.install(collect), expected);
                assert_eq!(collect(), expected, "from outside of a pool");
            }
        }
    }

    #[test]
    fn a_panic_of_the_work_is_passed_on() {
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let run = || {
                let items: Vec<usize> = (0..50).collect();
                let work = |_, item: &usize, (): &mut ()| assert_ne!(*item, 9, "on purpose");
                in_order(&items, &mut vec![(); 4], work, |_, _, ()| Ok(()))
            };
            let inside = std::panic::AssertUnwindSafe(|| pool.install(run));
            assert!(std::panic::catch_unwind(inside).is_err(), "inside a pool");
            assert!(std::panic::catch_unwind(run).is_err(), "outside of a pool");
        }
    }

    #[test]
    fn the_first_error_ends_it() {
        let items: Vec<usize> = (0..50).collect();
        let (mut given, mut slots) = (0, vec![(), (), ()]);
        let result = in_order(
            &items,
            &mut slots,
            |_, _, ()| {},
            |i, _, ()| {
                given += 1;
                if i == 7 { Err(Error::caller("enough")) } else { Ok(()) }
            },
        );
        assert_eq!((result.is_err(), given, slots.len()), (true, 8, 3));
    }
}
