//! Packs chunks in parallel and gives them back in order.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Compression;
use super::deflate::{Deflate, Wrap};
use crate::{Error, Result};

/// How the bytes of a chunk are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packing {
    pub(super) compression: Compression,
    /// Bytes of a cell if first bytes are put with first bytes, second with second, and so on.
    pub(super) shuffle: Option<usize>,
}

/// A chunk and everything needed to pack it; used again and again.
pub(super) struct Chunk {
    index: u64,
    /// The cells.
    pub(super) raw: Vec<u8>,
    packer: Option<Packer>,
    outcome: Result<()>,
}

struct Packer {
    shuffle: Option<usize>,
    shuffled: Vec<u8>,
    packed: Vec<u8>,
    deflate: Deflate,
}

/// Takes packed chunks in order: their index and bytes.
pub(super) type Write<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<()>;

/// Packs chunks on the current rayon pool. At most `most` chunks exist at one time.
///
/// Chunks to be packed wait in a queue of this packer's own. Whoever has to wait for a chunk takes
/// one from the queue meanwhile: so a caller that is itself a worker of the pool, even the only
/// one, never waits for work that nobody does.
pub(super) struct ParallelPacker {
    packing: Option<Packing>,
    queue: Arc<Mutex<VecDeque<Chunk>>>,
    sender: Sender<Chunk>,
    receiver: Receiver<Chunk>,
    /// Packed, but an earlier one is not.
    early: BTreeMap<u64, Chunk>,
    spare: Vec<Chunk>,
    most: usize,
    made: usize,
    /// Index of the next chunk to come.
    next_in: u64,
    /// Index of the next chunk to go.
    next_out: u64,
}

impl ParallelPacker {
    /// A packer for at most `most` chunks at one time; with 1, all is done by the caller.
    pub(super) fn new(packing: Option<Packing>, most: usize) -> Self {
        let (sender, receiver) = channel();
        Self {
            packing,
            queue: Arc::default(),
            sender,
            receiver,
            early: BTreeMap::new(),
            spare: Vec::new(),
            most,
            made: 0,
            next_in: 0,
            next_out: 0,
        }
    }

    /// A chunk to fill, whose `raw` holds whatever it held before: empty if it is new. Writes what
    /// is ready, and waits if too many chunks are under way.
    pub(super) fn take(&mut self, write: Write<'_>) -> Result<Chunk> {
        self.write_ready(write)?;
        loop {
            if let Some(chunk) = self.spare.pop() {
                return Ok(chunk);
            }
            if self.made < self.most {
                self.made += 1;
                return Ok(Chunk::new(self.packing));
            }
            self.wait(write)?;
        }
    }

    /// Hands a full chunk over.
    pub(super) fn put(&mut self, mut chunk: Chunk, write: Write<'_>) -> Result<()> {
        chunk.index = self.next_in;
        self.next_in += 1;
        if self.packing.is_none() || self.most <= 1 {
            chunk.pack();
            return self.accept(chunk, write);
        }
        lock(&self.queue).push_back(chunk);
        let (queue, sender) = (Arc::clone(&self.queue), self.sender.clone());
        rayon::spawn(move || {
            let next = lock(&queue).pop_front();
            if let Some(mut chunk) = next {
                chunk.pack();
                // Nobody to take it: the writer was dropped.
                let _ = sender.send(chunk);
            }
        });
        Ok(())
    }

    /// Packs and writes all chunks that were handed over.
    pub(super) fn drain(&mut self, write: Write<'_>) -> Result<()> {
        while self.next_out < self.next_in {
            self.wait(write)?;
        }
        Ok(())
    }

    fn write_ready(&mut self, write: Write<'_>) -> Result<()> {
        loop {
            match self.receiver.try_recv() {
                Ok(chunk) => self.accept(chunk, write)?,
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Makes some progress: packs a chunk that nobody has taken up, or else waits for one.
    fn wait(&mut self, write: Write<'_>) -> Result<()> {
        let next = lock(&self.queue).pop_front();
        if let Some(mut chunk) = next {
            chunk.pack();
            self.accept(chunk, write)?;
            return self.write_ready(write);
        }
        // All chunks under way are in the hands of threads that wait for nothing.
        match self.receiver.recv() {
            Ok(chunk) => self.accept(chunk, write),
            Err(_) => Err(lost("its thread is gone")),
        }
    }

    /// Takes a packed chunk, and writes it and its followers if it is their turn.
    fn accept(&mut self, chunk: Chunk, write: Write<'_>) -> Result<()> {
        self.early.insert(chunk.index, chunk);
        while let Some(mut chunk) = self.early.remove(&self.next_out) {
            self.next_out += 1;
            mem::replace(&mut chunk.outcome, Ok(()))?;
            write(chunk.index, chunk.bytes())?;
            self.spare.push(chunk);
        }
        Ok(())
    }
}

impl Drop for ParallelPacker {
    fn drop(&mut self) {
        lock(&self.queue).clear();
    }
}

impl Chunk {
    fn new(packing: Option<Packing>) -> Self {
        let packer = packing.map(|packing| Packer {
            shuffle: packing.shuffle.filter(|&bytes| bytes > 1),
            shuffled: Vec::new(),
            packed: Vec::new(),
            deflate: Deflate::new(packing.compression, Wrap::Zlib),
        });
        Self { index: 0, raw: Vec::new(), packer, outcome: Ok(()) }
    }

    fn pack(&mut self) {
        if let Some(packer) = &mut self.packer {
            // A panic must reach the one who waits for this chunk.
            self.outcome = catch_unwind(AssertUnwindSafe(|| packer.pack(&self.raw)))
                .unwrap_or_else(|_| Err(lost("the compressor panicked")));
        }
    }

    /// The bytes as they stand in the file.
    fn bytes(&self) -> &[u8] {
        self.packer.as_ref().map_or(&self.raw, |packer| &packer.packed)
    }
}

impl Packer {
    fn pack(&mut self, raw: &[u8]) -> Result<()> {
        let shuffled = &mut self.shuffled;
        match self.shuffle {
            Some(2) => shuffle(raw, shuffled, |cell| u16::from_le_bytes(cell).into()),
            Some(4) => shuffle(raw, shuffled, u32::from_le_bytes),
            _ => return self.deflate.pack(raw, &mut self.packed),
        }
        self.deflate.pack(shuffled, &mut self.packed)
    }
}

/// The first bytes of all cells of `N` bytes, then the second bytes, and so on.
fn shuffle<const N: usize>(raw: &[u8], out: &mut Vec<u8>, number: impl Fn([u8; N]) -> u32) {
    let cells = raw.as_chunks::<N>().0;
    out.resize(raw.len(), 0);
    for (byte, plane) in out.chunks_exact_mut(cells.len().max(1)).enumerate() {
        // Shifts instead of indices, so that the compiler takes many cells at a time.
        for (slot, &cell) in plane.iter_mut().zip(cells) {
            *slot = (number(cell) >> (8 * byte)) as u8;
        }
    }
}

fn lock(queue: &Mutex<VecDeque<Chunk>>) -> MutexGuard<'_, VecDeque<Chunk>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lost(why: &str) -> Error {
    Error::system("a chunk was lost", std::io::Error::other(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(most: usize, n: u64) -> Vec<(u64, Vec<u8>)> {
        let packing = Packing { compression: Compression::Level(4), shuffle: Some(2) };
        let mut packer = ParallelPacker::new(Some(packing), most);
        let mut seen = Vec::new();
        let mut write = |index, bytes: &[u8]| {
            seen.push((index, bytes.to_vec()));
            Ok(())
        };
        for i in 0..n {
            let mut chunk = packer.take(&mut write).expect("chunk");
            chunk.raw.clear();
            chunk.raw.extend((0..40_000u64).map(|k| (k * i / 7) as u8));
            packer.put(chunk, &mut write).expect("put");
        }
        packer.drain(&mut write).expect("drained");
        assert!(packer.made <= most);
        seen
    }

    #[test]
    fn chunks_come_in_order_and_the_same_on_any_threads() {
        let alone = run(1, 40);
        assert!(alone.iter().enumerate().all(|(i, (index, _))| i as u64 == *index));
        for threads in [1, 2, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
            for most in [2, 3, 9, 100] {
                assert_eq!(pool.install(|| run(most, 40)), alone);
            }
        }
        assert_eq!(run(5, 40), alone, "outside of a pool");
    }

    #[test]
    fn a_failed_write_ends_the_work() {
        let packing = Packing { compression: Compression::Runs, shuffle: None };
        let mut packer = ParallelPacker::new(Some(packing), 4);
        let mut write = |index, _: &[u8]| match index {
            3 => Err(Error::caller("full")),
            _ => Ok(()),
        };
        let failed = (0..20).find_map(|_| {
            packer.take(&mut write).and_then(|chunk| packer.put(chunk, &mut write)).err()
        });
        assert!(failed.is_some());
    }

    #[test]
    fn shuffling_sorts_bytes_by_place() {
        let mut out = Vec::new();
        shuffle(&[1, 2, 3, 4, 5, 6], &mut out, |cell| u16::from_le_bytes(cell).into());
        assert_eq!(out, [1, 3, 5, 2, 4, 6]);
        shuffle(&[1, 2, 3, 4, 5, 6, 7, 8], &mut out, u32::from_le_bytes);
        assert_eq!(out, [1, 5, 2, 6, 3, 7, 4, 8]);
    }
}
