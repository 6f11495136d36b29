//! Work on many threads, results in order on one.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use rayon::Yield;

use crate::error::Result;

/// As many places as keep every thread of the current rayon pool at work.
pub(crate) fn places_per_pool() -> usize {
    4 * rayon::current_num_threads()
}

/// Tells of a place that panicking work will not give back, so that nobody waits for it.
struct Panicking<'a, S>(&'a Sender<(usize, Option<S>)>, usize);

impl<S> Drop for Panicking<'_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.0.send((self.1, None));
        }
    }
}

/// Runs `work` on every item, on the threads of the current rayon pool, and `give` on each result,
/// in order, on this thread, while others are worked on. Each needs one of `places` for its result,
/// so no more results exist at one time than there are places; they are kept for the next call.
///
/// # Errors
/// The first that `give` returns; items behind it may have been worked on, and are not given out.
///
/// # Panics
/// If `work` or `give` does, or if there are items and no places.
pub(crate) fn in_order<I: Sync, S: Send>(
    items: &[I],
    places: &mut Vec<S>,
    work: impl Fn(usize, &I, &mut S) + Sync,
    mut give: impl FnMut(usize, &I, &mut S) -> Result<()>,
) -> Result<()> {
    let mut free = std::mem::take(places);
    assert!(!free.is_empty() || items.is_empty(), "no place for any result");
    // What is worked on or waits to be given out, from the next item on.
    let mut waiting: VecDeque<Option<S>> = VecDeque::with_capacity(free.len());
    let (work, mut begun, mut given) = (&work, 0, 0);
    let mut result = Ok(());
    let (sender, receiver) = channel();
    rayon::in_place_scope_fifo(|scope| {
        loop {
            while begun < items.len()
                && let Some(mut place) = free.pop()
            {
                let (i, item, sender) = (begun, &items[begun], sender.clone());
                scope.spawn_fifo(move |_| {
                    let panicking = Panicking(&sender, i);
                    work(i, item, &mut place);
                    drop(panicking);
                    // The receiver outlives the scope.
                    let _ = sender.send((i, Some(place)));
                });
                begun += 1;
                waiting.push_back(None);
            }
            if waiting.is_empty() {
                break;
            }
            while let Some(Some(_)) = waiting.front()
                && let Some(Some(mut place)) = waiting.pop_front()
            {
                if result.is_ok() {
                    result = give(given, &items[given], &mut place);
                }
                given += 1;
                free.push(place);
                // One task begins for each that ends, so that no thread runs dry meanwhile.
                if begun < items.len() && result.is_ok() {
                    break;
                }
            }
            if result.is_err() {
                begun = items.len();
            }
            if matches!(waiting.front(), Some(None))
                && let Some((i, place)) = wait(&receiver)
            {
                let mut next = Some((i, place));
                while let Some((i, place)) = next {
                    if place.is_none() {
                        // The scope goes on with the panic.
                        return;
                    }
                    waiting[i - given] = place;
                    next = receiver.try_recv().ok();
                }
            }
        }
    });
    *places = free;
    result
}

/// The next result. A thread of the pool works on what it finds meanwhile, as the work that it
/// waits for may be its own.
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
                let work = |i: usize, item: &usize, place: &mut usize| *place = i * item;
                let collect = || {
                    let mut seen = Vec::new();
                    let mut places = vec![0; 4];
                    let give = |i: usize, _: &usize, place: &mut usize| {
                        seen.push((i, *place));
                        Ok(())
                    };
                    in_order(&items, &mut places, work, give).unwrap();
                    assert_eq!(places.len(), 4);
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
        let (mut given, mut places) = (0, vec![(), (), ()]);
        let result = in_order(
            &items,
            &mut places,
            |_, _, ()| {},
            |i, _, ()| {
                given += 1;
                if i == 7 { Err(Error::caller("enough")) } else { Ok(()) }
            },
        );
        assert_eq!((result.is_err(), given, places.len()), (true, 8, 3));
    }
}
