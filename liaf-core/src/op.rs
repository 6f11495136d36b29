//! The interface between layers and the network that runs them.
//!
//! A layer processes one sample at a time ([`SampleOp`]): all its time steps together, so that one
//! product serves all of them, or one step with its state ([`SampleOp::step`]). Few layers need the
//! whole batch ([`BatchOp`]). They divide the network into segments, in which samples are independent
//! and run through all layers in parallel.

use std::fmt::Debug;

use crate::error::{Error, Result};
use crate::kernels::Kernels;
use crate::memory::{Room, Saved, Scratch};
use crate::real::Real;
use crate::rng::Key;

/// The operation of a layer, made from its configuration when the shapes of its inputs are known.
#[derive(Debug)]
pub enum Op<R: Real> {
    /// The layer processes each sample on its own.
    Sample(Box<dyn SampleOp<R>>),
    /// The layer processes all samples together.
    Batch(Box<dyn BatchOp<R>>),
}

/// The signals of one sample around a layer. For each input and for the output, these are all its steps
/// one after another, `[T, item…]`. Signals without time have one step.
#[derive(Debug)]
pub struct Flow<'a, R> {
    /// Number of steps of the first input, without padding.
    pub steps: usize,
    /// One slice per input, in the order of the configuration.
    pub inputs: &'a [&'a [R]],
    /// The output. Its contents are unspecified at first: every number must be written.
    pub output: &'a mut [R],
    /// The state before the first step, to be replaced by that after the last one; `None` to start from
    /// the initial state. It is passed only to layers that [carry](SampleOp::carries) it. Gradients end
    /// at the first step: this state is a constant.
    pub carry: Option<&'a mut [R]>,
}

impl<'a, R> Flow<'a, R> {
    /// The first input, which may be the only one.
    pub fn input(&self) -> &'a [R] {
        self.inputs.first().copied().unwrap_or_default()
    }
}

/// The gradients of one sample around a layer.
#[derive(Debug)]
pub struct Back<'a, 'b, R> {
    /// Number of steps of the first input.
    pub steps: usize,
    /// As in the forward pass.
    pub inputs: &'a [&'a [R]],
    /// As the forward pass left it.
    pub output: &'a [R],
    /// Gradient of the loss with respect to the output.
    pub d_output: &'a [R],
    /// Gradients with respect to the inputs, to which the layer adds; `None` for those that are not
    /// needed.
    pub d_inputs: &'a mut [Option<&'b mut [R]>],
    /// Whether the contents of these gradients are unspecified, so that the layer writes every number
    /// instead of adding to it. Only for layers that [can](SampleOp::writes).
    pub write: bool,
    /// Gradients with respect to the parameters, to which the layer adds; in the order of its
    /// parameters.
    pub d_params: &'a mut [Vec<R>],
}

/// What a layer can use while it runs.
#[derive(Debug)]
pub struct Context<'a, R: Real> {
    /// Its parameters, in the order of its configuration.
    pub params: &'a [&'a [R]],
    /// Its buffers (running statistics), in the order of its configuration.
    pub buffers: &'a [&'a [R]],
    /// The kernels, which are the loops that take most of the time.
    pub kernels: &'static Kernels<R>,
    /// Working memory.
    pub scratch: &'a mut Scratch<R>,
    /// Whether this is training: dropout is active, and batch norm uses the statistics of the batch.
    pub training: bool,
    /// Whether a backward pass may follow, so that the layer must save what it needs for that.
    pub keep: bool,
    /// The key of the random numbers of this layer for this sample and training step.
    pub key: Key,
    /// Number of the stretch of time if a sequence is passed in stretches: part of the key of random
    /// numbers that differ from step to step.
    pub stretch: u64,
    /// How spikes are computed and differentiated; see [`Firing`].
    pub firing: Firing,
}

impl<R: Real> Context<'_, R> {
    /// The key of random numbers that differ from step to step.
    pub fn step_key(&self) -> Key {
        // The first stretch has the key of a sequence that is passed whole.
        if self.stretch > 0 { self.key.child(self.stretch) } else { self.key }
    }
}

/// Whether the spike of a neuron is a step or, for tests of gradients, the integral of its surrogate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Firing {
    /// `F = [U >= V_th]`, whose derivative is replaced by the surrogate.
    #[default]
    Step,
    /// `F` is the integral of the surrogate, so that every gradient is exact and can be verified by
    /// finite differences.
    Integral,
}

/// What can be recorded of a layer of neurons in a pass; see
/// [`Pass::trace`](crate::graph::Pass::trace).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// Membrane potential U before reset, `[T, item…]`.
    Potential,
    /// Spikes F, 0 or 1, `[T, item…]`.
    Spikes,
}

/// A layer that processes each sample on its own.
pub trait SampleOp<R: Real>: Send + Sync + Debug {
    /// Returns an error if the layer cannot process the sample: invalid tokens, too few steps. This is
    /// called before any work. `inputs` is empty unless the layer takes only inputs of the network.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data).
    fn check(&self, _steps: usize, _inputs: &[&[R]]) -> Result<()> {
        Ok(())
    }

    /// Runs all steps of one sample.
    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>);

    /// Adds the gradients of this layer. It follows a forward pass with `keep`.
    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>);

    /// Whether [`backward`](Self::backward) takes note of [`Back::write`], which spares filling a
    /// gradient with zeros and adding to them where the layer is the only one that adds.
    fn writes(&self) -> bool {
        false
    }

    /// Whether `steps` steps at a time take no longer than all steps together.
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        false
    }

    /// Number of values that are carried from step to step.
    fn state_len(&self) -> usize {
        0
    }

    /// How much memory a sample of `steps` steps needs, in addition to inputs, output and state; with
    /// `keep`, including the backward pass. A layer that saves values or takes working memory must
    /// implement this, because networks of strangers are refused by it.
    fn room(&self, _steps: usize, _keep: bool) -> Room {
        Room::default()
    }

    /// The state before the first step; zeros by default.
    fn init_state(&self, state: &mut [R]) {
        state.fill(R::ZERO);
    }

    /// Whether [`forward`](Self::forward) continues from [`Flow::carry`], so that a sequence can be
    /// passed in stretches. Layers without state can. A layer that ends time gives a result for each
    /// stretch.
    fn carries(&self) -> bool {
        self.state_len() == 0
    }

    /// Runs one step in evaluation mode. `state` is the state before it, and is replaced by the state
    /// after it. The result is the same as that of [`forward`](Self::forward) for this step. The
    /// default implementation calls that for one step.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a layer that looks ahead.
    fn step(
        &self,
        flow: Flow<'_, R>,
        state: &mut [R],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) -> Result<()> {
        if !self.carries() {
            return Err(Error::unsupported("this layer cannot run step by step"));
        }
        let carry = Some(state).filter(|state| !state.is_empty());
        self.forward(Flow { carry, ..flow }, saved, cx);
        Ok(())
    }

    /// What [`Trace`] asks for, from the forward pass that wrote `saved`; `None` if the layer does not
    /// have it.
    fn record(&self, _what: Trace, _saved: &Saved<R>, _cx: &Context<'_, R>) -> Option<Vec<R>> {
        None
    }

    /// Number of steps of the output, given those of the inputs: that of the first input, unless the
    /// layer ends time (1) or changes the number.
    fn output_steps(&self, steps: &[usize]) -> usize {
        steps.first().copied().unwrap_or(1)
    }
}

/// A layer that needs all samples together.
pub trait BatchOp<R: Real>: Send + Sync + Debug {
    /// Runs all steps of all samples. In training, `update` has the values of the buffers, and receives
    /// new ones; otherwise it is empty.
    fn forward(
        &self,
        samples: &mut [Flow<'_, R>],
        saved: &mut Saved<R>,
        update: &mut [Vec<R>],
        cx: &mut Context<'_, R>,
    );

    /// Adds the gradients of this layer. `d_params` is empty for all samples except the first, to which
    /// the gradients of all samples are added.
    fn backward(
        &self,
        samples: &mut [Back<'_, '_, R>],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    );

    /// As [`SampleOp::runs_in_stretches`], in an evaluation.
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        false
    }

    /// As [`SampleOp::state_len`]. The state before the first step is zeros. A layer with a state
    /// continues from [`Flow::carry`].
    fn state_len(&self) -> usize {
        0
    }

    /// As [`SampleOp::room`], for each sample of a batch.
    fn room(&self, _steps: usize, _keep: bool) -> Room {
        Room::default()
    }

    /// Runs one step of one sample in evaluation mode, as [`SampleOp::step`].
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a layer that looks ahead.
    fn step(
        &self,
        flow: Flow<'_, R>,
        state: &mut [R],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) -> Result<()>;

    /// As [`SampleOp::record`], for sample number `sample`.
    fn record(
        &self,
        _what: Trace,
        _sample: usize,
        _saved: &Saved<R>,
        _cx: &Context<'_, R>,
    ) -> Option<Vec<R>> {
        None
    }
}
