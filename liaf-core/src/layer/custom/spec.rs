//! What follows from the options of a custom layer and the shapes of its inputs.

use crate::error::{Error, Result};
use crate::layer::contract::TensorSpec;
use crate::layer::work::Work;
use crate::shape::Shape;

/// The output, parameters and memory of a [`CustomLayer`](super::CustomLayer) for inputs of known
/// shapes.
///
/// By default a layer has no parameters, saves nothing and takes whole samples: a network with it can
/// neither run frame by frame ([`Network::step`](crate::Network::step)) nor be trained in stretches of
/// time. [`each_step`](Self::each_step) or [`state`](Self::state) allow both. For inputs without time
/// neither is needed.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomSpec {
    pub(super) output: Shape,
    pub(super) params: Vec<TensorSpec>,
    pub(super) saved: usize,
    pub(super) working: usize,
    /// Length of the state; `None` if the layer takes whole samples.
    pub(super) state: Option<usize>,
    pub(super) work: Work,
}

impl CustomSpec {
    /// A layer with an output of this shape. If the output has time, it has as many steps as the inputs.
    /// A layer that ends time gives one item for all steps, [`Shape::once`].
    pub fn new(output: Shape) -> Self {
        let (params, state, work) = (Vec::new(), None, Work::default());
        Self { output, params, saved: 0, working: 0, state, work }
    }

    /// Sets the parameters. Their names differ from each other.
    #[must_use]
    pub fn params(self, params: impl IntoIterator<Item = TensorSpec>) -> Self {
        Self { params: params.into_iter().collect(), ..self }
    }

    /// Sets how many numbers per step the forward pass saves for the backward pass. Default 0.
    #[must_use]
    pub fn saved(self, per_step: usize) -> Self {
        Self { saved: per_step, ..self }
    }

    /// Sets how many numbers per step either pass needs as working memory. Default 0. Memory that the
    /// layer allocates itself is not part of the network's
    /// [estimate](crate::graph::MemoryEstimate), which [limits](crate::Limits) compare.
    #[must_use]
    pub fn working(self, per_step: usize) -> Self {
        Self { working: per_step, ..self }
    }

    /// Says that the output of a step depends on the inputs of the same step only.
    #[must_use]
    pub fn each_step(self) -> Self {
        self.state(0)
    }

    /// Says that the output of a step depends on earlier steps only through a state of `len` numbers,
    /// which the forward pass continues. Frame by frame, the forward pass is called for each step with
    /// the state that the one before it left.
    #[must_use]
    pub fn state(self, len: usize) -> Self {
        Self { state: Some(len), ..self }
    }

    /// Sets the operations of one step, which [`cost`](crate::cost) counts. Default none.
    #[must_use]
    pub fn work(self, work: Work) -> Self {
        Self { work, ..self }
    }

    /// Returns an error if inputs of these shapes cannot give this output, or if two parameters have the
    /// same name.
    pub(super) fn check(&self, inputs: &[Shape]) -> Result<()> {
        let first = inputs.first().is_some_and(|input| input.timed);
        let later = inputs.iter().chain([&self.output]).find(|shape| shape.timed);
        if let (false, Some(timed)) = (first, later) {
            return Err(Error::shape(
                "the first input of a custom layer must have time if another signal of it has",
            )
            .expected("[N, T, ..] as the first input")
            .found(timed));
        }
        for (i, spec) in self.params.iter().enumerate() {
            if self.params[..i].iter().any(|other| other.name == spec.name) {
                return Err(
                    Error::config("two parameters of a layer have the same name").found(spec.name)
                );
            }
        }
        Ok(())
    }
}
