//! Writes chunks on a separate thread, so that the next chunks can be made in the meantime.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use super::pack::{Chunk, lost};
use crate::error::{Error, Result};

/// Receives chunks in order.
pub(crate) trait ChunkSink: Send + 'static {
    /// Writes `chunk`. Its index is one more than that of the chunk before.
    fn write(&mut self, chunk: &Chunk) -> Result<()>;
}

/// A thread that writes every chunk that it receives, and returns it. It does not depend on any
/// other thread.
///
/// When this is dropped, chunks whose writing has not started are not written. The thread has
/// ended, and the sink is dropped, when the drop returns.
pub(crate) struct SinkThread<S> {
    /// `None` when no more chunks will be sent.
    chunks: Option<Sender<Chunk>>,
    /// Whether the chunks that are still waiting are no longer needed.
    given_up: Arc<AtomicBool>,
    /// `None` once the thread has been joined.
    thread: Option<JoinHandle<S>>,
}

impl<S: ChunkSink> SinkThread<S> {
    /// Starts the thread. Every chunk is returned over `back` with its outcome, up to the first one
    /// that failed.
    pub(crate) fn start(sink: S, back: Sender<Chunk>) -> Result<Self> {
        let (chunks, receiver) = channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&given_up);
        let thread = Builder::new()
            .name("liaf-hdf5".into())
            .spawn(move || run(sink, &receiver, &back, &stop))
            .map_err(|error| Error::system("cannot start a thread", error))?;
        Ok(Self { chunks: Some(chunks), given_up, thread: Some(thread) })
    }

    /// Sends `chunk` to the thread.
    pub(crate) fn put(&self, chunk: Chunk) -> Result<()> {
        let sent = self.chunks.as_ref().and_then(|chunks| chunks.send(chunk).ok());
        sent.ok_or_else(|| lost("the writing thread is gone"))
    }

    /// Waits until all chunks are written, and returns the sink.
    pub(crate) fn join(mut self) -> Result<S> {
        self.chunks = None;
        let sink = self.thread.take().and_then(|thread| thread.join().ok());
        sink.ok_or_else(|| lost("the writing thread panicked"))
    }
}

impl<S> Drop for SinkThread<S> {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::Relaxed);
        self.chunks = None;
        if let Some(thread) = self.thread.take() {
            // Panics have been caught in the thread itself.
            let _ = thread.join();
        }
    }
}

/// The loop of the thread, which ends when no more chunks can arrive.
fn run<S: ChunkSink>(
    mut sink: S,
    chunks: &Receiver<Chunk>,
    back: &Sender<Chunk>,
    stop: &AtomicBool,
) -> S {
    let mut failed = false;
    for mut chunk in chunks {
        // The failed chunk has been returned: nobody waits for the chunks after it.
        if failed || stop.load(Ordering::Relaxed) {
            continue;
        }
        let write = || write(&mut sink, &mut chunk);
        if catch_unwind(AssertUnwindSafe(write)).is_err() {
            chunk.outcome = Err(lost("the writing thread panicked"));
        }
        failed = chunk.outcome.is_err();
        // If the receiver no longer exists, the writer was dropped.
        let _ = back.send(chunk);
    }
    sink
}

/// Writes `chunk`, unless its compression failed.
pub(crate) fn write(sink: &mut impl ChunkSink, chunk: &mut Chunk) {
    chunk.written = true;
    chunk.outcome = mem::replace(&mut chunk.outcome, Ok(())).and_then(|()| sink.write(chunk));
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::RecvTimeoutError;
    use std::time::Duration;

    use super::*;

    /// Starts a chunk only when allowed, reports the start, and reports when it is dropped.
    struct Slow {
        go: Receiver<()>,
        said: Sender<String>,
    }

    impl ChunkSink for Slow {
        fn write(&mut self, chunk: &Chunk) -> Result<()> {
            assert!(chunk.index != 13, "a defect, as wanted by the test");
            let _ = self.said.send(format!("chunk {}", chunk.index));
            let _ = self.go.recv();
            Ok(())
        }
    }

    impl Drop for Slow {
        fn drop(&mut self) {
            let _ = self.said.send("dropped".into());
        }
    }

    fn chunk(index: u64) -> Chunk {
        let mut chunk = Chunk::new(None);
        chunk.index = index;
        chunk
    }

    #[test]
    fn a_drop_leaves_out_what_is_not_begun_and_waits_for_the_rest() {
        let ((let_go, go), (said, hear), (back, _back)) = (channel(), channel(), channel());
        let thread = SinkThread::start(Slow { go, said }, back).expect("thread");
        for index in 0..5 {
            thread.put(chunk(index)).expect("put");
        }
        assert_eq!(hear.recv().expect("said"), "chunk 0");
        let dropping = std::thread::spawn(move || drop(thread));
        // The drop waits for the chunk that has been started.
        let early = hear.recv_timeout(Duration::from_millis(100));
        assert_eq!(early, Err(RecvTimeoutError::Timeout));
        drop(let_go);
        dropping.join().expect("dropped");
        assert_eq!(hear.try_iter().collect::<Vec<_>>(), ["dropped"]);
    }

    #[test]
    fn a_panic_is_an_error_and_the_sink_is_let_go() {
        let ((_, go), (said, hear), (back, come)) = (channel(), channel(), channel());
        let thread = SinkThread::start(Slow { go, said }, back).expect("thread");
        for index in 12..15 {
            thread.put(chunk(index)).expect("put");
        }
        let outcomes: Vec<_> = (0..2).map(|_| come.recv().expect("chunk").outcome).collect();
        assert!(outcomes[0].is_ok());
        let error = outcomes[1].as_ref().expect_err("a panic");
        assert_eq!(error.kind(), crate::ErrorKind::System);
        assert!(error.to_string().contains("panicked"), "{error}");
        drop(thread);
        // Nothing is written after a failure.
        assert_eq!(hear.try_iter().collect::<Vec<_>>(), ["chunk 12", "dropped"]);
        assert!(come.recv().is_err());
    }

    #[test]
    fn a_chunk_that_could_not_be_packed_is_not_written() {
        let ((_, go), (said, hear), (back, come)) = (channel(), channel(), channel());
        let thread = SinkThread::start(Slow { go, said }, back).expect("thread");
        let mut chunk = chunk(0);
        chunk.outcome = Err(lost("packing"));
        thread.put(chunk).expect("put");
        assert!(come.recv().expect("chunk").outcome.is_err());
        drop(thread.join().expect("sink"));
        assert_eq!(hear.try_iter().collect::<Vec<_>>(), ["dropped"]);
    }
}
