//! Modes of passes: training or evaluation.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate::op::Firing;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Train {}
    impl Sealed for super::Eval {}
}

/// The purpose of a pass: [`Train`] or [`Eval`].
pub trait Purpose: sealed::Sealed {}

/// A pass that keeps what a backward pass needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Train {}

/// A pass whose only result is its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eval {}

impl Purpose for Train {}
impl Purpose for Eval {}

/// How a batch is passed. The mode is given to [`Network::forward`](super::Network::forward), and the
/// backward pass takes it from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode<P> {
    pub(super) settings: Settings,
    purpose: PhantomData<P>,
}

/// The settings of a pass that layers need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// Whether dropout is active and batch norm uses the statistics of the batch.
    pub training: bool,
    /// Whether to keep what a backward pass needs.
    pub keep: bool,
    /// Whether to keep the outputs of all layers.
    pub activations: bool,
    /// Whether the backward pass computes gradients with respect to the inputs as well.
    pub input_gradients: bool,
    /// Number of the training step, which is part of the key of its random numbers.
    pub step: u64,
    /// Number of the stretch of time if a sequence is passed in stretches; part of the key.
    pub stretch: u64,
    /// Whether to use the plain kernels instead of the fast ones.
    pub plain: bool,
    /// Whether spikes are the integrals of their surrogates instead of steps.
    pub firing: Firing,
}

impl Settings {
    /// The settings of evaluation.
    pub const EVAL: Self = Self {
        training: false,
        keep: false,
        activations: false,
        input_gradients: false,
        step: 0,
        stretch: 0,
        plain: false,
        firing: Firing::Step,
    };
}

impl Mode<Eval> {
    /// Evaluation: dropout is inactive, and batch norm uses its running statistics.
    pub fn eval() -> Self {
        Self { settings: Settings::EVAL, purpose: PhantomData }
    }

    /// Keeps the outputs of all layers for [`Pass::activation`](super::Pass::activation). Otherwise
    /// their memory is used again by later layers and samples.
    #[must_use]
    pub fn activations(self) -> Self {
        self.with(Settings { activations: true, ..self.settings })
    }
}

impl Mode<Train> {
    /// Training step number `step`, on which the random numbers depend.
    pub fn train(step: u64) -> Self {
        let settings =
            Settings { training: true, keep: true, activations: true, step, ..Settings::EVAL };
        Self { settings, purpose: PhantomData }
    }

    /// Also computes gradients with respect to the inputs.
    #[must_use]
    pub fn input_gradients(self) -> Self {
        self.with(Settings { input_gradients: true, ..self.settings })
    }

    /// Runs the layers as in evaluation: dropout is inactive, and batch norm uses its running
    /// statistics. The gradients are those of the network in evaluation.
    #[must_use]
    pub fn frozen(self) -> Self {
        self.with(Settings { training: false, ..self.settings })
    }

    /// Makes spikes smooth: they are the integrals of their surrogates instead of steps. Every gradient
    /// is then exact, so that it can be verified by finite differences.
    #[must_use]
    pub fn smooth_spikes(self) -> Self {
        self.with(Settings { firing: Firing::Integral, ..self.settings })
    }
}

impl<P> Mode<P> {
    /// Uses the plain kernels, with which the fast ones are compared in tests.
    #[must_use]
    pub fn plain(self) -> Self {
        let settings = Settings { plain: true, ..self.settings };
        self.with(settings)
    }

    pub(super) fn with(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }
}
