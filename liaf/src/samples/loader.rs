//! Batches that are made on background threads while others are used.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use liaf_core::rng::Key;
use liaf_data::Error;

use super::augment::Augment;
use super::examples::{Collated, Examples};
use crate::error::Result;

/// Makes batches of samples on background threads, a bounded number of them ahead of their use.
///
/// The batches and their order are the same on any number of threads. Every thread is at most one batch
/// ahead of what it has handed over, so that at most `2 · threads + 1` batches exist at a time.
///
/// ```
/// use liaf::samples::{Augment, Examples, FrameArray, Loader};
/// let frames = ndarray::Array5::<f32>::zeros((5, 10, 2, 8, 8));
/// let set = FrameArray::new(frames, vec![0, 1, 0, 1, 0], vec!["left".into(), "right".into()])?;
///
/// let loader = Loader { threads: 2, augment: Augment { shift: 1, ..Augment::default() }, ..Loader::new(2) };
/// for epoch in 0..3 {
///     let batches = loader.shuffled(&set, 7, epoch);
///     loader.run(&set, &batches, 7, epoch, |batch| {
///         let inputs = batch.inputs(Some("input"));
///         assert!(batch.len() <= 2 && inputs.is_some());
///         Ok(())
///     })?;
/// }
/// # Ok::<(), liaf::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loader {
    /// Number of samples of a batch.
    pub batch: usize,
    /// Number of background threads; with 0, batches are made when they are needed.
    pub threads: usize,
    /// The random changes of samples.
    pub augment: Augment,
    /// The factor of all cells of frames.
    pub scale: f32,
    /// Number of batches within which samples are sorted by length, so that samples of a batch are of
    /// similar length; 0 for none.
    pub bucket: usize,
}

/// The purposes of random numbers.
const ORDER: u64 = 0x6f72_6465;
const CHANGES: u64 = 0x6368_616e;

impl Loader {
    /// A loader with one background thread, that changes nothing.
    pub fn new(batch: usize) -> Self {
        let augment = Augment::default();
        Self { batch, threads: 1, augment, scale: 1.0, bucket: 0 }
    }

    /// The numbers of the samples of each batch of an epoch, in an order that depends on the seed and
    /// the epoch alone. One batch may be smaller than the others.
    pub fn shuffled(&self, set: &dyn Examples, seed: u64, epoch: u64) -> Vec<Vec<usize>> {
        let key = Key::new(seed).child(ORDER).child(epoch);
        let mut numbers = key.permutation(set.len());
        if self.bucket > 0 {
            for chunk in numbers.chunks_mut(self.batch.max(1).saturating_mul(self.bucket)) {
                chunk.sort_by_key(|&number| set.steps(number));
            }
        }
        let mut batches = self.cut(&numbers);
        if self.bucket > 0 {
            // Otherwise short samples would always be learned from before long ones.
            let order = key.child(ORDER).permutation(batches.len());
            batches = order.into_iter().map(|at| std::mem::take(&mut batches[at])).collect();
        }
        batches
    }

    /// The numbers of the samples of each batch, in the order of the set.
    pub fn stored(&self, set: &dyn Examples) -> Vec<Vec<usize>> {
        self.cut(&(0..set.len()).collect::<Vec<_>>())
    }

    fn cut(&self, numbers: &[usize]) -> Vec<Vec<usize>> {
        numbers.chunks(self.batch.max(1)).map(<[usize]>::to_vec).collect()
    }

    /// Passes all samples to `take`, as they are and in the order of the set, until it returns an error.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_stored(
        &self,
        set: &dyn Examples,
        take: impl FnMut(Collated) -> Result<()>,
    ) -> Result<()> {
        let still = Self { augment: Augment::default(), ..*self };
        still.run(set, &self.stored(set), 0, 0, take)
    }

    /// Passes the batches with these samples to `take`, one after another, until it returns an error.
    /// Random changes depend on seed, epoch and sample.
    ///
    /// # Errors
    /// The first error of a batch or of `take`.
    pub fn run(
        &self,
        set: &dyn Examples,
        batches: &[Vec<usize>],
        seed: u64,
        epoch: u64,
        mut take: impl FnMut(Collated) -> Result<()>,
    ) -> Result<()> {
        let key = Key::new(seed).child(CHANGES).child(epoch);
        let make = |numbers: &[usize]| self.batch(set, numbers, key);
        let threads = self.threads.min(batches.len());
        if threads == 0 {
            return batches.iter().try_for_each(|numbers| take(make(numbers)?));
        }
        let make = &make;
        thread::scope(|scope| {
            let mut lines: Vec<Receiver<_>> = Vec::new();
            let mut workers = Vec::new();
            for worker in 0..threads {
                let (sender, receiver) = sync_channel(1);
                // Worker k makes the batches k, k + threads, … into a queue of its own.
                let work = move || {
                    let own = batches.iter().skip(worker).step_by(threads);
                    // The receiver is gone after an error.
                    for numbers in own {
                        if sender.send(make(numbers)).is_err() {
                            break;
                        }
                    }
                };
                let made = thread::Builder::new().name("liaf-loader".into());
                let made = made.spawn_scoped(scope, work);
                workers.push(made.map_err(|error| Error::system("cannot start a thread", error))?);
                lines.push(receiver);
            }
            for number in 0..batches.len() {
                match lines[number % threads].recv() {
                    Ok(batch) => take(batch?)?,
                    // Only a panic ends a worker early.
                    Err(_) => break,
                }
            }
            drop(lines);
            for worker in workers {
                if let Err(panic) = worker.join() {
                    resume_unwind(panic);
                }
            }
            Ok(())
        })
    }

    fn batch(&self, set: &dyn Examples, numbers: &[usize], key: Key) -> Result<Collated> {
        let mut batch = set.collate(numbers)?;
        if self.scale != 1.0 {
            let frames = batch.arrays_mut().filter(|array| array.ndim() == 5);
            frames.for_each(|array| array.mapv_inplace(|cell| cell * self.scale));
        }
        self.augment.apply(&mut batch, numbers, key);
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array5;

    use super::super::examples::FrameArray;
    use super::*;

    fn set(samples: usize) -> FrameArray {
        let frames = Array5::from_shape_fn((samples, 3, 2, 4, 4), |(n, t, c, y, x)| {
            (n * 1_000 + t * 100 + c * 50 + y * 4 + x) as f32
        });
        let labels = (0..samples).map(|n| n % 2).collect();
        FrameArray::new(frames, labels, vec!["a".into(), "b".into()]).unwrap()
    }

    #[test]
    fn batches_are_the_same_on_any_number_of_threads() {
        let set = set(23);
        let augment = Augment { shift: 1, flip: 0.5, ..Augment::default() };
        let epoch = |threads| {
            let loader = Loader { threads, augment, scale: 0.5, ..Loader::new(4) };
            let mut seen = Vec::new();
            let batches = loader.shuffled(&set, 3, 5);
            let mut take = |batch| {
                seen.push(batch);
                Ok(())
            };
            loader.run(&set, &batches, 3, 5, &mut take).unwrap();
            seen
        };
        let reference = epoch(0);
        assert_eq!(reference.iter().map(Collated::len).collect::<Vec<_>>(), [4, 4, 4, 4, 4, 3]);
        for threads in [1, 2, 3, 8] {
            assert_eq!(epoch(threads), reference, "{threads} threads");
        }
    }

    #[test]
    fn samples_of_similar_length_share_a_batch() {
        struct Lengths(FrameArray);
        impl Examples for Lengths {
            fn labels(&self) -> &[usize] {
                self.0.labels()
            }
            fn classes(&self) -> &[String] {
                self.0.classes()
            }
            fn inputs(&self) -> Vec<super::super::Input> {
                self.0.inputs()
            }
            fn steps(&self, number: usize) -> usize {
                number
            }
            fn collate(&self, numbers: &[usize]) -> Result<Collated> {
                self.0.collate(numbers)
            }
        }
        let set = Lengths(set(40));
        let loader = Loader { bucket: 10, ..Loader::new(4) };
        let mut batches = loader.shuffled(&set, 1, 0);
        assert!(!batches.is_sorted(), "batches of any length follow one another");
        batches.sort();
        assert_eq!(batches.concat(), (0..40).collect::<Vec<_>>(), "one chunk, sorted");
        let mut halves = Loader { bucket: 5, ..loader }.shuffled(&set, 1, 0);
        assert!(halves.iter().all(|batch| batch.is_sorted()));
        halves.sort();
        assert!(!halves.concat().is_sorted(), "two chunks, each of lengths from everywhere");
    }

    #[test]
    fn an_error_ends_the_epoch_and_the_threads() {
        let set = set(23);
        for threads in [0, 1, 3] {
            let loader = Loader { threads, ..Loader::new(4) };
            let mut batches = loader.stored(&set);
            batches[3] = vec![99];
            let mut taken = 0;
            let outcome = loader.run(&set, &batches, 1, 0, |_| {
                taken += 1;
                Ok(())
            });
            assert_eq!(outcome.unwrap_err().kind(), crate::ErrorKind::Caller);
            assert_eq!(taken, 3);
            let stop = || Error::new(liaf_data::ErrorKind::Cancelled, "stop").into();
            let outcome = loader.run(&set, &loader.stored(&set), 1, 0, |_| Err(stop()));
            assert_eq!(outcome.unwrap_err().kind(), crate::ErrorKind::Cancelled);
        }
    }
}
