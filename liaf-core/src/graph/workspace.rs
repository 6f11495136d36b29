//! The memory of a network at work: signals and gradients of each sample, kept between batches.

use crate::graph::gradients::SLOTS;
use crate::memory::{Saved, Scratch};
use crate::real::Real;
use crate::shape::Shape;

/// The memory of passes over batches. Nothing is allocated once a batch of its shape has passed.
#[derive(Debug, Default)]
pub struct Workspace<R> {
    pub(super) samples: Vec<SampleSpace<R>>,
    /// What batch layers keep, by node.
    pub(super) saved: Vec<Saved<R>>,
    /// One for each thread or slot.
    pub(super) scratch: Vec<Scratch<R>>,
    /// New values of buffers after a training pass; empty where there are none.
    pub(super) updates: Vec<Vec<R>>,
}

/// One sample on its way through the network; all vectors by node.
#[derive(Debug, Default)]
pub(super) struct SampleSpace<R> {
    /// Outputs, `[T, item…]`.
    pub values: Vec<Vec<R>>,
    /// Gradients by the outputs; empty where nobody needs them.
    pub grads: Vec<Vec<R>>,
    pub saved: Vec<Saved<R>>,
    pub steps: Vec<usize>,
    /// States that go on from stretch to stretch; empty if the pass begins anew.
    pub carry: Vec<Vec<R>>,
    /// Number in the batch, of which later stretches of time hold only those samples that are not
    /// over: random numbers, and the slot of gradients, are those of this number.
    pub number: usize,
}

impl<R: Real> Workspace<R> {
    /// No memory yet.
    pub fn new() -> Self {
        Self { samples: Vec::new(), saved: Vec::new(), scratch: Vec::new(), updates: Vec::new() }
    }

    /// Room for a batch of `samples`, which are numbered from `first` on and begin anew.
    pub(super) fn prepare(&mut self, samples: usize, first: usize, nodes: usize, buffers: usize) {
        self.samples.resize_with(samples, SampleSpace::default);
        for (n, sample) in self.samples.iter_mut().enumerate() {
            sample.number = first + n;
            sample.carry.clear();
            sample.values.resize_with(nodes, Vec::new);
            sample.grads.resize_with(nodes, Vec::new);
            sample.saved.resize_with(nodes, Saved::default);
            sample.steps.resize(nodes, 1);
        }
        self.saved.resize_with(nodes, Saved::default);
        // One for each thread on the way forward, and for each slot on the way back.
        let workers = rayon::current_num_threads().max(SLOTS);
        if self.scratch.len() < workers {
            self.scratch.resize_with(workers, Scratch::default);
        }
        // New statistics of an earlier pass that nobody has taken over are none of this one.
        self.updates.resize_with(buffers, Vec::new);
        self.updates.iter_mut().for_each(Vec::clear);
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let of = |buffers: &[Vec<R>]| buffers.iter().map(Vec::capacity).sum::<usize>();
        let saved = |all: &[Saved<R>]| {
            all.iter().map(|saved| of(&saved.real) + saved.index.capacity()).sum::<usize>()
        };
        let sample = |s: &SampleSpace<R>| of(&s.values) + of(&s.grads) + saved(&s.saved);
        let numbers = self.samples.iter().map(sample).sum::<usize>() + saved(&self.saved);
        numbers * size_of::<R>()
    }
}

impl<R: Real> SampleSpace<R> {
    /// The outputs of `from` and, mutably, of `node`, which comes after them all.
    pub fn around<'a>(
        values: &'a mut [Vec<R>],
        from: &[usize],
        node: usize,
    ) -> (smallvec::SmallVec<[&'a [R]; 4]>, &'a mut Vec<R>) {
        let (above, rest) = values.split_at_mut(node);
        let above = &*above;
        (from.iter().map(|&i| above[i].as_slice()).collect(), &mut rest[0])
    }

    /// Room for the output of a node.
    pub fn make_room(value: &mut Vec<R>, steps: usize, shape: &Shape) {
        value.resize(steps * shape.len(), R::ZERO);
    }
}
