//! The pipeline of chunks: they are compressed in parallel, written in order, and reused.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pack::{Chunk, lost};
use super::thread::{self, ChunkSink, SinkThread};
use crate::container::deflate::DeflateLevel;
use crate::error::Result;

/// Compresses chunks on the current rayon pool and writes them, in order, on a separate thread. At
/// most `most` chunks exist at the same time.
///
/// Chunks that are to be compressed wait in a queue of this pipeline. A caller that has to wait for
/// a chunk takes one from the queue and compresses it in the meantime. Because of this, a caller
/// that is itself a worker of the pool, even the only one, never waits for work that no thread
/// does.
pub(crate) struct Flow<S> {
    level: Option<DeflateLevel>,
    parallel: bool,
    queue: Arc<Mutex<VecDeque<Chunk>>>,
    /// Chunks are returned over this channel twice: after compression and after writing.
    sender: Sender<Chunk>,
    receiver: Receiver<Chunk>,
    /// Chunks that are compressed while an earlier one is not.
    early: BTreeMap<u64, Chunk>,
    spare: Vec<Chunk>,
    most: usize,
    made: usize,
    /// Index of the next chunk that is put in.
    next_in: u64,
    /// Index of the next chunk that is passed to the sink.
    next_out: u64,
    /// Number of chunks that have been written.
    written: u64,
    /// `None` while the thread owns it.
    sink: Option<S>,
    thread: Option<SinkThread<S>>,
}

impl<S: ChunkSink> Flow<S> {
    /// A pipeline of at most `most` chunks to `sink`. `most` must be larger than the number of
    /// chunks that are being filled at the same time. Without `parallel`, all work is done by the
    /// caller.
    pub(crate) fn new(level: Option<DeflateLevel>, parallel: bool, most: usize, sink: S) -> Self {
        let (sender, receiver) = channel();
        Self {
            level,
            parallel,
            queue: Arc::default(),
            sender,
            receiver,
            early: BTreeMap::new(),
            spare: Vec::new(),
            most,
            made: 0,
            next_in: 0,
            next_out: 0,
            written: 0,
            sink: Some(sink),
            thread: None,
        }
    }

    /// Returns a chunk to fill, with no rows. Its `raw` has its previous contents, or is empty if
    /// the chunk is new. Waits if too many chunks are in use.
    pub(crate) fn take(&mut self) -> Result<Chunk> {
        self.poll()?;
        loop {
            if let Some(mut chunk) = self.spare.pop() {
                chunk.rows = 0;
                chunk.written = false;
                return Ok(chunk);
            }
            if self.made < self.most {
                self.made += 1;
                return Ok(Chunk::new(self.level));
            }
            self.wait()?;
        }
    }

    /// Passes on a chunk that has been filled.
    pub(crate) fn put(&mut self, mut chunk: Chunk) -> Result<()> {
        chunk.index = self.next_in;
        self.next_in += 1;
        if self.level.is_none() || !self.parallel {
            chunk.pack();
            return self.accept(chunk);
        }
        lock(&self.queue).push_back(chunk);
        let (queue, sender) = (Arc::clone(&self.queue), self.sender.clone());
        rayon::spawn(move || {
            let next = lock(&queue).pop_front();
            if let Some(mut chunk) = next {
                chunk.pack();
                // If the receiver no longer exists, the writer was dropped.
                let _ = sender.send(chunk);
            }
        });
        Ok(())
    }

    /// Receives chunks that were returned, without waiting; an error of one of them is returned.
    pub(crate) fn poll(&mut self) -> Result<()> {
        loop {
            match self.receiver.try_recv() {
                Ok(chunk) => self.accept(chunk)?,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Waits until all chunks are written, and returns the sink.
    pub(crate) fn finish(mut self) -> Result<S> {
        while self.written < self.next_in {
            self.wait()?;
        }
        match (self.thread.take(), self.sink.take()) {
            (Some(thread), _) => thread.join(),
            (None, Some(sink)) => Ok(sink),
            (None, None) => Err(lost("no thread could be started")),
        }
    }

    /// Makes progress: compresses a chunk from the queue, or if there is none waits for a chunk to
    /// be returned.
    fn wait(&mut self) -> Result<()> {
        let next = lock(&self.queue).pop_front();
        if let Some(mut chunk) = next {
            chunk.pack();
            self.accept(chunk)?;
            return self.poll();
        }
        // All chunks in use are owned by threads that do not wait for anything.
        match self.receiver.recv() {
            Ok(chunk) => self.accept(chunk),
            Err(_) => Err(lost("its thread is gone")),
        }
    }

    /// Receives a returned chunk. If it has been written, it can be filled again; if it has been
    /// compressed, it is written when it is its turn, together with those after it that are ready.
    fn accept(&mut self, mut chunk: Chunk) -> Result<()> {
        if chunk.written {
            mem::replace(&mut chunk.outcome, Ok(()))?;
            self.written += 1;
            self.spare.push(chunk);
            return Ok(());
        }
        self.early.insert(chunk.index, chunk);
        while let Some(chunk) = self.early.remove(&self.next_out) {
            self.next_out += 1;
            self.write(chunk)?;
        }
        Ok(())
    }

    /// Writes `chunk`, or passes it to the thread that writes.
    fn write(&mut self, mut chunk: Chunk) -> Result<()> {
        if self.parallel
            && let Some(sink) = self.sink.take()
        {
            self.thread = Some(SinkThread::start(sink, self.sender.clone())?);
        }
        match (&self.thread, &mut self.sink) {
            (Some(thread), _) => thread.put(chunk),
            (None, Some(sink)) => {
                thread::write(sink, &mut chunk);
                self.accept(chunk)
            }
            (None, None) => Err(lost("no thread could be started")),
        }
    }
}

impl<S> Drop for Flow<S> {
    fn drop(&mut self) {
        lock(&self.queue).clear();
    }
}

fn lock(queue: &Mutex<VecDeque<Chunk>>) -> MutexGuard<'_, VecDeque<Chunk>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    const PACKED: Option<DeflateLevel> = Some(DeflateLevel::Level(4));

    /// Stores the chunks it receives, and on which thread; fails at one chunk.
    #[derive(Default)]
    struct Keep {
        chunks: Vec<(u64, Vec<u8>)>,
        threads: Vec<Option<String>>,
        full_at: Option<u64>,
    }

    impl ChunkSink for Keep {
        fn write(&mut self, chunk: &Chunk) -> Result<()> {
            if self.full_at == Some(chunk.index) {
                return Err(Error::caller(format!("full at {}", chunk.index)));
            }
            self.chunks.push((chunk.index, chunk.bytes().to_vec()));
            self.threads.push(std::thread::current().name().map(Into::into));
            Ok(())
        }
    }

    fn fill(flow: &mut Flow<Keep>, i: u64) -> Result<()> {
        let mut chunk = flow.take()?;
        assert_eq!((chunk.rows, chunk.written), (0, false));
        chunk.raw.clear();
        chunk.raw.extend((0..40_000u64).map(|k| (k * i / 7) as u8));
        (chunk.rows, chunk.cell) = (1, 2);
        flow.put(chunk)
    }

    fn run(packing: Option<DeflateLevel>, most: usize, n: u64) -> Vec<(u64, Vec<u8>)> {
        let mut flow = Flow::new(packing, most > 1, most, Keep::default());
        for i in 0..n {
            fill(&mut flow, i).expect("put");
            assert!(flow.made <= most);
        }
        let keep = flow.finish().expect("finished");
        let here = std::thread::current().name().map(Into::into);
        let expected = if most > 1 { Some("liaf-hdf5".into()) } else { here };
        assert!(keep.threads.iter().all(|thread| *thread == expected), "{:?}", keep.threads);
        keep.chunks
    }

    #[test]
    fn chunks_come_in_order_and_the_same_on_any_threads() {
        for packing in [PACKED, None] {
            let alone = run(packing, 1, 40);
            assert_eq!(alone.len(), 40);
            assert!(alone.iter().enumerate().all(|(i, (index, _))| i as u64 == *index));
            for threads in [1, 2, 4] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                let pool = pool.expect("pool");
                for most in [2, 3, 9, 100] {
                    assert_eq!(pool.install(|| run(packing, most, 40)), alone);
                }
            }
            assert_eq!(run(packing, 5, 40), alone, "outside of a pool");
            assert!(run(packing, 5, 0).is_empty());
        }
    }

    #[test]
    fn a_failed_write_reaches_a_later_call_wherever_it_happens() {
        for packing in [PACKED, None] {
            for most in [1, 2, 5] {
                for (n, full_at) in [(20, 3), (4, 3), (1, 0), (200, 0)] {
                    let keep = Keep { full_at: Some(full_at), ..Keep::default() };
                    let mut flow = Flow::new(packing, most > 1, most, keep);
                    let failed = (0..n).find_map(|i| fill(&mut flow, i).err());
                    // Chunks can be put without an error only as long as there are chunks.
                    assert!(failed.is_some() || n <= full_at + most as u64);
                    let error = failed.or_else(|| flow.finish().err()).expect("an error");
                    assert_eq!(error.kind(), ErrorKind::Caller);
                    assert!(error.to_string().contains(&format!("full at {full_at}")), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_flow_can_be_dropped_at_any_time() {
        for packing in [PACKED, None] {
            for most in [1, 2, 5] {
                for n in 0..8 {
                    let mut flow = Flow::new(packing, most > 1, most, Keep::default());
                    for i in 0..n {
                        fill(&mut flow, i).expect("put");
                    }
                    let _unfinished = flow.take().expect("chunk");
                }
            }
        }
    }
}
