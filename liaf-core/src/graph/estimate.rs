//! How much memory a network needs, computed from its graph before any of it is allocated.

use std::iter::Sum;
use std::ops::Add;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::graph::config::NetworkConfig;
use crate::graph::gradients::SLOTS;
use crate::graph::network::{Network, Node};
use crate::limits::Limits;
use crate::memory::Room;
use crate::op::Op;
use crate::real::Real;
use crate::shape::Shape;

/// The memory that a network needs, in bytes. A sum that is above the largest number is that number.
///
/// It is an upper bound of what the layers allocate, usually not far above it.
///
/// ```
/// use liaf_core::NetworkConfig;
/// use liaf_core::layer::Conv2d;
///
/// let config = NetworkConfig::sequential([2, 8, 8]).then(Conv2d::new(1, 1).padding(23_000));
/// let estimate = config.step_estimate::<f32>()?;
/// assert!(estimate.signals > 8_000_000_000 && estimate.weights < 100);
/// # Ok::<(), liaf_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryEstimate {
    /// Parameters and running statistics.
    pub weights: u64,
    /// What the layers carry from step to step.
    pub state: u64,
    /// Inputs and outputs of all layers, in training with their gradients; in evaluation of those that
    /// the threads need at the same time, and those of the result.
    pub signals: u64,
    /// What the layers save for the backward pass, and working memory.
    pub working: u64,
}

impl MemoryEstimate {
    /// The sum of all parts.
    pub fn total(&self) -> u64 {
        self.weights.saturating_add(self.beside_weights())
    }

    fn beside_weights(&self) -> u64 {
        self.state.saturating_add(self.signals).saturating_add(self.working)
    }

    /// Returns an error if the network needs more than `limit` bytes, or more than the system can give
    /// it now in addition to its weights, which exist already.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit), or
    /// [`ErrorKind::System`](crate::ErrorKind::System).
    pub fn check(&self, limit: u64) -> Result<()> {
        Limits::check("the network needs too much memory", self.total(), limit)?;
        // Memory that is reserved and not used is free: the system refuses here what it would refuse
        // in the middle of a pass, where that would end the program.
        let bytes = self.beside_weights();
        let mut room: Vec<u8> = Vec::new();
        room.try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX)).map_err(|error| {
            let error = std::io::Error::other(error);
            Error::system(format!("the system does not have {bytes} bytes for the network"), error)
        })
    }
}

impl Add for MemoryEstimate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            weights: self.weights.saturating_add(other.weights),
            state: self.state.saturating_add(other.state),
            signals: self.signals.saturating_add(other.signals),
            working: self.working.saturating_add(other.working),
        }
    }
}

impl Sum for MemoryEstimate {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// What the estimate needs to know of a node.
struct Part<'a, R: Real> {
    shape: &'a Shape,
    from: &'a [usize],
    op: Option<&'a Op<R>>,
}

impl<'a, R: Real> Part<'a, R> {
    fn of(node: &'a Node<R>) -> Self {
        Self { shape: &node.shape, from: &node.from, op: node.op.as_ref() }
    }
}

impl NetworkConfig {
    /// The memory for running the network frame by frame with numbers of type `R`, as
    /// [`Network::step`] does, computed without building the network.
    ///
    /// # Errors
    /// If the configuration is invalid.
    pub fn step_estimate<R: Real>(&self) -> Result<MemoryEstimate> {
        let nodes = self.plan::<R>()?;
        let tensors = nodes.iter().flat_map(|(node, _)| node.params.iter().chain(&node.buffers));
        let own = tensors.filter(|spec| spec.shared_with.is_none());
        let weights = own.map(|spec| bytes::<R>(spec.len())).fold(0, u64::saturating_add);
        let parts = nodes.iter().map(|(node, op)| Part {
            shape: &node.shape,
            from: &node.from,
            op: op.as_ref(),
        });
        Ok(MemoryEstimate { weights, ..stepping(parts) })
    }
}

impl<R: Real> Network<R> {
    /// The memory for running the network frame by frame ([`Network::step`]).
    pub fn step_estimate(&self) -> MemoryEstimate {
        MemoryEstimate { weights: self.weight_bytes(), ..stepping(self.nodes.iter().map(Part::of)) }
    }

    /// The memory for a pass of `samples` samples of `steps` steps each; with `training`, including
    /// the backward pass and the gradients.
    pub fn memory_estimate(&self, samples: usize, steps: usize, training: bool) -> MemoryEstimate {
        self.pass_estimate(std::iter::repeat_n(steps, samples), training, training)
    }

    /// The memory for a pass of samples of these numbers of steps; `keep` says whether the outputs of all
    /// layers are kept.
    pub(super) fn pass_estimate(
        &self,
        samples: impl Iterator<Item = usize>,
        training: bool,
        keep: bool,
    ) -> MemoryEstimate {
        if !keep {
            return self.evaluation_estimate(samples);
        }
        let (mut last, mut workers) = (None, 0usize);
        let mut all: MemoryEstimate = samples
            .map(|steps| {
                workers += 1;
                // Neighbouring samples are often equally long.
                match last {
                    Some((known, needs)) if known == steps => needs,
                    _ => {
                        let needs = sample(self.nodes.iter().map(Part::of), steps, training);
                        last = Some((steps, needs));
                        needs
                    }
                }
            })
            .map(|needs| needs.0)
            .sum();
        // That of every thread, and that of the parts of layers that run on other threads.
        let scratch = last.map_or(0, |(_, (_, scratch))| scratch.saturating_mul(2));
        let workers = workers.min(rayon::current_num_threads().max(SLOTS)) as u64;
        all.working = all.working.saturating_add(scratch.saturating_mul(workers));
        all.weights = self.weight_bytes();
        if training {
            // The gradients of the parameters, in every slot.
            all.working = all.working.saturating_add(all.weights.saturating_mul(SLOTS as u64));
        }
        all
    }

    /// The memory of an evaluation, in which every thread has the memory of one sample, the longest.
    fn evaluation_estimate(&self, samples: impl Iterator<Item = usize>) -> MemoryEstimate {
        let (mut count, mut longest) = (0u64, 0);
        samples.for_each(|steps| (count, longest) = (count + 1, longest.max(steps)));
        let (needs, scratch) = sample(self.nodes.iter().map(Part::of), longest, false);
        let lengths = lengths(self.nodes.iter().map(Part::of), longest);
        let sizes: Vec<_> = lengths
            .iter()
            .zip(&self.nodes)
            .map(|(&steps, node)| bytes::<R>(node.shape.len().saturating_mul(steps)))
            .collect();
        let froms = self.nodes.iter().map(|node| node.from.as_slice());
        let live = live_at_once(&sizes, froms, &self.last_use);
        let workers = count.min(rayon::current_num_threads() as u64);
        let result = sizes.get(self.output).copied().unwrap_or(0);
        let each = needs.working.saturating_add(scratch.saturating_mul(2));
        MemoryEstimate {
            weights: self.weight_bytes(),
            state: needs.state.saturating_mul(count),
            signals: live.saturating_mul(workers).saturating_add(result.saturating_mul(count)),
            working: each.saturating_mul(workers),
        }
    }

    fn weight_bytes(&self) -> u64 {
        let tensors = self.params.iter().chain(&self.buffers);
        tensors.map(|tensor| bytes::<R>(tensor.data.len())).fold(0, u64::saturating_add)
    }
}

fn bytes<R>(numbers: usize) -> u64 {
    (numbers as u64).saturating_mul(size_of::<R>() as u64)
}

/// The bytes of all buffers of a thread that evaluates a sample, where signals of these sizes take them
/// and return them as [`Network::evaluate`] does.
fn live_at_once<'a>(
    sizes: &[u64],
    froms: impl Iterator<Item = &'a [usize]>,
    last_use: &[Option<usize>],
) -> u64 {
    let (mut free, mut held): (Vec<u64>, Vec<u64>) = (Vec::new(), vec![0; sizes.len()]);
    for (index, (&size, from)) in sizes.iter().zip(froms).enumerate() {
        let best = (0..free.len()).min_by_key(|&i| (free[i] < size, free[i].abs_diff(size)));
        held[index] = best.map_or(0, |i| free.swap_remove(i)).max(size);
        for &node in from.iter().chain([&index]) {
            if last_use[node] == Some(index) && held[node] > 0 {
                free.push(std::mem::take(&mut held[node]));
            }
        }
    }
    free.into_iter().chain(held).fold(0, u64::saturating_add)
}

/// The number of steps of every node for a sample of `steps` steps.
fn lengths<'a, R: Real>(parts: impl Iterator<Item = Part<'a, R>>, steps: usize) -> Vec<usize> {
    let mut lengths: Vec<usize> = Vec::new();
    for part in parts {
        let from: SmallVec<[usize; 4]> = part.from.iter().map(|&i| lengths[i]).collect();
        lengths.push(match part.op {
            Some(Op::Sample(op)) => op.output_steps(&from),
            Some(Op::Batch(_)) => from.first().copied().unwrap_or(1),
            None if part.shape.timed => steps,
            None => 1,
        });
    }
    lengths
}

/// The memory of one step.
fn stepping<'a, R: Real>(parts: impl Iterator<Item = Part<'a, R>>) -> MemoryEstimate {
    let (needs, scratch) = sample(parts, 1, false);
    MemoryEstimate { working: needs.working.saturating_add(scratch), ..needs }
}

/// The memory of one sample of `steps` steps, and the working memory of the thread that processes it.
fn sample<'a, R: Real>(
    parts: impl Iterator<Item = Part<'a, R>>,
    steps: usize,
    training: bool,
) -> (MemoryEstimate, u64) {
    let (mut needs, mut scratch) = (MemoryEstimate::default(), 0);
    let mut lengths: Vec<usize> = Vec::new();
    for part in parts {
        let from: SmallVec<[usize; 4]> = part.from.iter().map(|&i| lengths[i]).collect();
        let first = from.first().copied().unwrap_or(1);
        let (length, state, room) = match part.op {
            Some(Op::Sample(op)) => {
                (op.output_steps(&from), op.state_len(), op.room(first, training))
            }
            Some(Op::Batch(op)) => (first, op.state_len(), op.room(first, training)),
            None => (if part.shape.timed { steps } else { 1 }, 0, Room::default()),
        };
        lengths.push(length);
        let signals = bytes::<R>(part.shape.len().saturating_mul(length));
        let twice = if training { signals.saturating_mul(2) } else { signals };
        needs.signals = needs.signals.saturating_add(twice);
        needs.state = needs.state.saturating_add(bytes::<R>(state));
        needs.working = needs.working.saturating_add(bytes::<R>(room.saved));
        // Buffers are reused by later layers, which may let each of them grow.
        scratch = scratch.max(bytes::<R>(room.scratch).saturating_mul(2));
    }
    (needs, scratch)
}
