//! How a batch passes through a network: in training, or in evaluation.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate::op::Firing;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Train {}
    impl Sealed for super::Eval {}
}

/// What a pass is for: [`Train`] or [`Eval`].
pub trait Purpose: sealed::Sealed {}

/// A pass that a backward pass may follow: what that needs is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Train {}

/// A pass for its output alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eval {}

impl Purpose for Train {}
impl Purpose for Eval {}

/// How a batch passes. It is given once, to [`Network::forward`](super::Network::forward): the
/// backward pass has it from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode<P> {
    pub(super) settings: Settings,
    purpose: PhantomData<P>,
}

/// What layers are told of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// Dropout drops and batch norm takes the batch's statistics.
    pub training: bool,
    /// What a backward pass needs is kept.
    pub keep: bool,
    /// The backward pass gives gradients by the inputs as well.
    pub input_gradients: bool,
    /// Number of the training step: part of the key of its random numbers.
    pub step: u64,
    /// Number of the stretch of time, where a sequence passes in stretches: part of the key.
    pub stretch: u64,
    /// The plain kernels instead of the fast ones.
    pub plain: bool,
    /// Spikes as steps, or as the integrals of their surrogates.
    pub firing: Firing,
}

impl Settings {
    /// Evaluation.
    pub const EVAL: Self = Self {
        training: false,
        keep: false,
        input_gradients: false,
        step: 0,
        stretch: 0,
        plain: false,
        firing: Firing::Step,
    };
}

impl Mode<Eval> {
    /// Evaluation: dropout does nothing, and batch norm takes its running statistics.
    pub fn eval() -> Self {
        Self { settings: Settings::EVAL, purpose: PhantomData }
    }
}

impl Mode<Train> {
    /// Training step number `step`, of which random numbers are a function.
    pub fn train(step: u64) -> Self {
        let settings = Settings { training: true, keep: true, step, ..Settings::EVAL };
        Self { settings, purpose: PhantomData }
    }

    /// The same with gradients by the inputs.
    #[must_use]
    pub fn input_gradients(self) -> Self {
        self.with(Settings { input_gradients: true, ..self.settings })
    }

    /// The same with the layers as in evaluation: dropout does nothing, and batch norm takes its
    /// running statistics. Gradients are those of the network as it is used.
    #[must_use]
    pub fn frozen(self) -> Self {
        self.with(Settings { training: false, ..self.settings })
    }

    /// The same with smooth spikes, the integrals of their surrogates instead of steps: then every
    /// gradient is exact, and finite differences can judge it.
    #[must_use]
    pub fn smooth_spikes(self) -> Self {
        self.with(Settings { firing: Firing::Integral, ..self.settings })
    }
}

impl<P> Mode<P> {
    /// The same with the plain kernels, which the fast ones are tested against.
    #[must_use]
    pub fn plain(self) -> Self {
        let settings = Settings { plain: true, ..self.settings };
        self.with(settings)
    }

    pub(super) fn with(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }
}
