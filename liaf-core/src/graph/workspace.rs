//! The working memory of a network: signals and gradients of each sample, which is reused for each
//! batch.

use crate::error::Result;
use crate::graph::estimate::MemoryEstimate;
use crate::graph::gradients::SLOTS;
#[cfg(doc)]
use crate::graph::network::Network;
use crate::memory::{Buffer, Saved, Scratch};
use crate::real::Real;
use crate::shape::Shape;

/// The memory of passes over batches. After the first batch of a shape, nothing more is allocated.
#[derive(Debug)]
pub struct Workspace<R> {
    pub(super) samples: Vec<SampleSpace<R>>,
    /// The memory of the threads in an evaluation that does not keep the outputs of layers.
    pub(super) workers: Vec<SampleSpace<R>>,
    /// What batch layers keep, by node.
    pub(super) saved: Vec<Saved<R>>,
    /// One working memory for each thread or slot.
    pub(super) scratch: Vec<Scratch<R>>,
    /// New values of buffers after a training pass; empty for buffers without new values.
    pub(super) updates: Vec<Vec<R>>,
    /// Most bytes that a pass may need, and those of the largest pass that was allowed.
    limit: u64,
    allowed: u64,
}

/// The signals of one sample; all vectors are indexed by node.
#[derive(Debug, Default)]
pub(super) struct SampleSpace<R> {
    /// Outputs, `[T, item…]`.
    pub values: Vec<Buffer<R>>,
    /// Gradients with respect to the outputs; empty for those to which nothing was added, and for those
    /// that are not needed any more.
    pub grads: Vec<Buffer<R>>,
    /// Memory of signals and gradients that are not needed any more.
    pub free: Free<R>,
    pub saved: Vec<Saved<R>>,
    pub steps: Vec<usize>,
    /// States that continue from stretch to stretch; empty if the pass starts from the initial state.
    pub carry: Vec<Vec<R>>,
    /// States within an evaluation that runs some steps at a time from the initial state.
    pub states: Vec<Buffer<R>>,
    /// Index of the sample in the batch. Later stretches of time contain only the samples that have not
    /// ended; random numbers and the slot of gradients depend on this index.
    pub number: usize,
}

/// Buffers that are free to be used again.
#[derive(Debug, Default)]
pub(super) struct Free<R>(Vec<Buffer<R>>);

impl<R: Real> Free<R> {
    /// A buffer of `len` numbers: the smallest that has room, or else a new one instead of the largest.
    /// Its contents are unspecified.
    pub fn take(&mut self, len: usize) -> Buffer<R> {
        let misfit =
            |buffer: &Buffer<R>| (buffer.capacity() < len, buffer.capacity().abs_diff(len));
        let all = self.0.iter().enumerate().min_by_key(|(_, buffer)| misfit(buffer));
        let best = all.map(|(i, _)| i);
        let mut buffer = best.map(|i| self.0.swap_remove(i)).unwrap_or_default();
        buffer.set_len(len);
        buffer
    }

    /// Gives a buffer back, and leaves an empty one.
    pub fn recycle(&mut self, buffer: &mut Buffer<R>) {
        if buffer.capacity() > 0 {
            self.0.push(std::mem::take(buffer));
        }
    }
}

impl<R> Default for Workspace<R> {
    fn default() -> Self {
        Self {
            samples: Vec::new(),
            workers: Vec::new(),
            saved: Vec::new(),
            scratch: Vec::new(),
            updates: Vec::new(),
            limit: Workspace::<f32>::LIMIT,
            allowed: 0,
        }
    }
}

impl Workspace<f32> {
    /// The most bytes that a pass may need unless the caller sets another [limit](Workspace::limited):
    /// 32 GiB. A batch that the caller chose may need more memory than a network that steps frame by
    /// frame.
    pub const LIMIT: u64 = 32 << 30;
}

impl<R: Real> Workspace<R> {
    /// A workspace without memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the most bytes that a pass may need, weights included. A pass is refused before anything
    /// is allocated for it if its [estimate](Network::memory_estimate) is above that.
    #[must_use]
    pub fn limited(self, bytes: u64) -> Self {
        Self { limit: bytes, allowed: 0, ..self }
    }

    /// Returns an error if a pass must not be made, or cannot because there is not enough memory.
    pub(super) fn allow(&mut self, estimate: &MemoryEstimate) -> Result<()> {
        let bytes = estimate.total();
        // What was allowed before is allocated already.
        if bytes > self.allowed {
            estimate.check(self.limit)?;
            self.allowed = bytes;
        }
        Ok(())
    }

    /// Makes room for a batch of `samples`, which are numbered from `first` on and start from the
    /// initial state.
    pub(super) fn prepare(&mut self, samples: usize, first: usize, nodes: usize, buffers: usize) {
        self.samples.resize_with(samples, SampleSpace::default);
        for (n, sample) in self.samples.iter_mut().enumerate() {
            sample.number = first + n;
            sample.carry.clear();
            sample.prepare(nodes);
        }
        self.saved.resize_with(nodes, Saved::default);
        // One for each thread in a forward pass, and one for each slot in a backward pass.
        let workers = rayon::current_num_threads().max(SLOTS);
        if self.scratch.len() < workers {
            let first = self.scratch.first().cloned().unwrap_or_default();
            self.scratch.resize_with(workers, || first.clone());
        }
        // New statistics of an earlier pass that were not taken over do not belong to this one.
        self.updates.resize_with(buffers, Vec::new);
        self.updates.iter_mut().for_each(Vec::clear);
    }

    /// Number of bytes of memory in use.
    pub fn bytes(&self) -> usize {
        let of = |buffers: &[Buffer<R>]| buffers.iter().map(Buffer::capacity).sum::<usize>();
        let saved = |all: &[Saved<R>]| {
            let real = |saved: &Saved<R>| saved.real.iter().map(Vec::capacity).sum::<usize>();
            all.iter().map(|saved| real(saved) + saved.index.capacity()).sum::<usize>()
        };
        let sample = |s: &SampleSpace<R>| {
            of(&s.states) + of(&s.values) + of(&s.grads) + of(&s.free.0) + saved(&s.saved)
        };
        let scratch = self.scratch.iter().map(Scratch::len).sum::<usize>()
            + self.scratch.first().map_or(0, Scratch::spare_len);
        let numbers = self.samples.iter().chain(&self.workers).map(sample).sum::<usize>()
            + saved(&self.saved)
            + scratch;
        numbers * size_of::<R>()
    }
}

impl<R: Real> SampleSpace<R> {
    /// Makes room for the signals of this many nodes.
    pub fn prepare(&mut self, nodes: usize) {
        self.values.resize_with(nodes, Buffer::default);
        self.grads.resize_with(nodes, Buffer::default);
        self.saved.resize_with(nodes, Saved::default);
        self.states.resize_with(nodes, Buffer::default);
        self.steps.resize(nodes, 1);
    }

    /// The outputs of the nodes `from` and, mutably, that of `node`, which comes after all of them.
    pub fn around<'a>(
        values: &'a mut [Buffer<R>],
        from: &[usize],
        node: usize,
    ) -> (smallvec::SmallVec<[&'a [R]; 4]>, &'a mut Buffer<R>) {
        let (above, rest) = values.split_at_mut(node);
        let above = &*above;
        (from.iter().map(|&i| &above[i][..]).collect(), &mut rest[0])
    }

    /// Makes room for the output of a node.
    pub fn make_room(value: &mut Buffer<R>, steps: usize, shape: &Shape) {
        value.set_len(steps * shape.len());
    }
}
