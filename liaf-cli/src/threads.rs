//! Threads, which the system may refuse to start.

use std::num::NonZero;
use std::thread::{self, Builder};

use anyhow::{Context, Result, anyhow};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// More threads than this for each processor only cost memory.
pub const MOST_PER_PROCESSOR: usize = 8;

/// The number of threads to use if `wanted` are asked for, or as many as there are processors for 0.
pub fn used(wanted: usize) -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    if wanted == 0 { processors } else { wanted.min(MOST_PER_PROCESSOR * processors) }
}

/// A pool of `threads` threads, made by `builder`.
pub fn pool(threads: usize, builder: ThreadPoolBuilder) -> Result<ThreadPool> {
    // The error of rayon and its source have the same words.
    builder.num_threads(threads).build().map_err(|error| anyhow!("{}: {error}", refused(threads)))
}

/// Runs `work` on `threads` threads, each made by `builder`, and waits for all of them. If one cannot
/// be started, `stop` is called, which should make the others end early, and the error is returned when
/// they have ended.
pub fn each(
    threads: usize,
    builder: impl Fn() -> Builder,
    work: impl Fn() + Sync,
    stop: impl Fn(),
) -> Result<()> {
    thread::scope(|scope| {
        (0..threads)
            .try_for_each(|_| builder().spawn_scoped(scope, &work).map(drop))
            .inspect_err(|_| stop())
    })
    .with_context(|| refused(threads))
}

fn refused(threads: usize) -> String {
    match threads {
        1 => "cannot start a thread".into(),
        n => format!("cannot start {n} threads (a smaller --threads needs fewer)"),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// More than the addresses of a process.
    const TOO_LARGE: usize = 1 << 60;

    #[test]
    fn threads_are_limited_to_a_multiple_of_the_processors() {
        let processors = used(0);
        assert_eq!(used(1), 1);
        assert_eq!(used(8 * processors), 8 * processors);
        assert_eq!(used(8 * processors + 1), 8 * processors);
        assert_eq!(used(usize::MAX), 8 * processors);
    }

    #[test]
    fn a_pool_that_cannot_be_started_is_an_error() {
        let error = pool(3, ThreadPoolBuilder::new().stack_size(TOO_LARGE)).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("cannot start 3 threads (a smaller --threads needs"), "{text}");
        assert!(!error.chain().skip(1).any(|cause| text.contains(&cause.to_string())));
        assert_eq!(pool(3, ThreadPoolBuilder::new()).unwrap().current_num_threads(), 3);
    }

    #[test]
    fn a_thread_that_cannot_be_started_stops_the_others_and_is_an_error() {
        let (ran, made, stopped) = (AtomicUsize::new(0), Cell::new(0), Cell::new(false));
        let work = || {
            ran.fetch_add(1, Ordering::Relaxed);
        };
        let second_fails = || {
            made.set(made.get() + 1);
            if made.get() == 2 { Builder::new().stack_size(TOO_LARGE) } else { Builder::new() }
        };
        let error = each(4, second_fails, work, || stopped.set(true)).unwrap_err();
        assert!(error.to_string().contains("cannot start 4 threads"), "{error}");
        assert!(error.chain().count() > 1, "the cause of the system is kept");
        assert_eq!((ran.load(Ordering::Relaxed), made.get(), stopped.get()), (1, 2, true));
        each(3, Builder::new, work, || panic!("nothing failed")).unwrap();
        assert_eq!(ran.load(Ordering::Relaxed), 4);
    }
}
