//! How a batch passes through a network.

use crate::Real;
use crate::kernels::Kernels;
use crate::op::Firing;

/// How a batch passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Dropout drops and batch norm takes the batch's statistics.
    pub training: bool,
    /// What a backward pass needs is kept.
    pub keep: bool,
    /// The backward pass gives gradients by the inputs as well.
    pub input_gradients: bool,
    /// Number of the training step: part of the key of its random numbers.
    pub step: u64,
    /// Number of the first sample, where a batch passes in parts: random numbers and the places of
    /// gradients are those of its number in the whole batch.
    pub first: usize,
    /// Number of the stretch of time, where a sequence passes in stretches: part of the key.
    pub stretch: u64,
    /// The plain kernels instead of the fast ones.
    pub plain: bool,
    /// Spikes as steps, or as the integrals of their surrogates, to test gradients.
    pub firing: Firing,
}

impl Mode {
    /// Evaluation.
    pub const EVAL: Self = Self {
        training: false,
        keep: false,
        input_gradients: false,
        step: 0,
        first: 0,
        stretch: 0,
        plain: false,
        firing: Firing::Step,
    };

    /// Training step number `step`.
    pub fn train(step: u64) -> Self {
        Self { training: true, keep: true, step, ..Self::EVAL }
    }

    pub(super) fn kernels<R: Real>(self) -> &'static Kernels<R> {
        if self.plain { R::plain() } else { R::fast() }
    }
}
