//! What a custom layer works on: the signals of one sample.

use crate::rng::Key;
use crate::shape::Shape;

/// The forward pass of one sample through a [`CustomLayer`](super::CustomLayer).
///
/// A signal with time has the items of all its steps one after another, `[T, item…]`; one without time
/// has a single item.
#[derive(Debug)]
#[non_exhaustive]
pub struct CustomForward<'a, R> {
    /// Number of steps T of the inputs that have time, without padding; 1 if none has.
    pub steps: usize,
    /// Shapes of the inputs, as in [`describe`](super::CustomLayer::describe).
    pub shapes: &'a [Shape],
    /// The inputs, in the order of the configuration.
    pub inputs: &'a [&'a [R]],
    /// The parameters, in the order of [`CustomSpec::params`](super::CustomSpec::params).
    pub params: &'a [&'a [R]],
    /// The output. Its contents are unspecified at first: every number must be written.
    pub output: &'a mut [R],
    /// The numbers that the backward pass receives as this pass leaves them, as many as
    /// [`CustomSpec::saved`](super::CustomSpec::saved) asks for. Their first contents are unspecified.
    pub saved: &'a mut [R],
    /// Working memory, as much as [`CustomSpec::working`](super::CustomSpec::working) asks for. Its
    /// first contents are unspecified.
    pub working: &'a mut [R],
    /// The state before the first step, to be replaced by that after the last one. It has the length of
    /// [`CustomSpec::state`](super::CustomSpec::state), and is zeros at the start of a sample.
    pub state: &'a mut [R],
    /// Whether this is training: dropout, for example, is active in training only.
    pub training: bool,
    /// The key of the random numbers of this layer for this sample and training step. The backward pass
    /// has the same.
    pub key: Key,
}

/// The backward pass of one sample through a [`CustomLayer`](super::CustomLayer).
#[derive(Debug)]
#[non_exhaustive]
pub struct CustomBackward<'a, 'b, R> {
    /// Number of steps, as in the forward pass.
    pub steps: usize,
    /// Shapes of the inputs.
    pub shapes: &'a [Shape],
    /// The inputs, as in the forward pass.
    pub inputs: &'a [&'a [R]],
    /// The parameters, as in the forward pass.
    pub params: &'a [&'a [R]],
    /// The output of the forward pass.
    pub output: &'a [R],
    /// What the forward pass saved.
    pub saved: &'a [R],
    /// Working memory, with unspecified contents at first.
    pub working: &'a mut [R],
    /// The state before the first step. It is a constant: gradients end at the first step.
    pub state: &'a [R],
    /// Gradient of the loss with respect to the output.
    pub d_output: &'a [R],
    /// Gradients with respect to the inputs, to which the layer adds; `None` for those that are not
    /// needed.
    pub d_inputs: &'a mut [Option<&'b mut [R]>],
    /// Gradients with respect to the parameters, to which the layer adds.
    pub d_params: &'a mut [&'b mut [R]],
    /// Whether the forward pass was one of training.
    pub training: bool,
    /// The key of the random numbers, as in the forward pass.
    pub key: Key,
}
