//! The seam between layers and the network that runs them.
//!
//! A layer works on one sample at a time ([`SampleOp`]): all its time steps at once, so that one
//! product serves them all, or on one step with its state ([`SampleOp::step`]). Few need the whole
//! batch ([`BatchOp`]): they cut the network into segments, inside which samples run by themselves,
//! depth first, in parallel.

use std::fmt::Debug;

use crate::error::{Error, Result};
use crate::kernels::Kernels;
use crate::memory::{Saved, Scratch};
use crate::real::Real;
use crate::rng::Key;

/// What a layer does, made of its configuration once the shapes of its inputs are known.
#[derive(Debug)]
pub enum Op<R: Real> {
    /// Works on each sample by itself.
    Sample(Box<dyn SampleOp<R>>),
    /// Works on all samples together.
    Batch(Box<dyn BatchOp<R>>),
}

/// The signals of one sample around a layer: for each input, and for the output, all its steps one
/// after another, `[T, item…]`. Signals without time have one step.
#[derive(Debug)]
pub struct Flow<'a, R> {
    /// Steps of the first input. Padding is not among them.
    pub steps: usize,
    /// One slice an input, in the order of the configuration.
    pub inputs: &'a [&'a [R]],
    /// What the layer gives. Holds anything at first: every number must be written.
    pub output: &'a mut [R],
    /// The state before the first step, to be replaced by that after the last; `None` to begin
    /// anew. Given only to layers that [carry](SampleOp::carries) it. Gradients end at the first
    /// step: this state is a constant.
    pub carry: Option<&'a mut [R]>,
}

impl<'a, R> Flow<'a, R> {
    /// The only or first input.
    pub fn input(&self) -> &'a [R] {
        self.inputs.first().copied().unwrap_or_default()
    }
}

/// The gradients of one sample around a layer.
#[derive(Debug)]
pub struct Back<'a, 'b, R> {
    /// Steps of the first input.
    pub steps: usize,
    /// As in the forward pass.
    pub inputs: &'a [&'a [R]],
    /// As the forward pass left it.
    pub output: &'a [R],
    /// Gradient of the loss by the output.
    pub d_output: &'a [R],
    /// Gradients by the inputs, to which the layer adds its own; `None` where nobody asks.
    pub d_inputs: &'a mut [Option<&'b mut [R]>],
    /// Gradients by the parameters, to which the layer adds its own; in the order of its parameters.
    pub d_params: &'a mut [Vec<R>],
}

/// What a layer has at hand while it works.
#[derive(Debug)]
pub struct Context<'a, R: Real> {
    /// Its parameters, in the order of its configuration.
    pub params: &'a [&'a [R]],
    /// Its buffers (running statistics), in the order of its configuration.
    pub buffers: &'a [&'a [R]],
    /// The loops that take the time.
    pub kernels: &'static Kernels<R>,
    /// Work memory.
    pub scratch: &'a mut Scratch<R>,
    /// Whether this is training: dropout drops, batch norm takes the batch's statistics.
    pub training: bool,
    /// Whether a backward pass may follow, so that what it needs must be saved.
    pub keep: bool,
    /// Names this layer's random numbers for this sample and training step.
    pub key: Key,
    /// Number of the stretch of time, where a sequence passes in stretches: part of the key of
    /// random numbers that differ from step to step.
    pub stretch: u64,
    /// How spikes are told and differentiated; see [`Firing`].
    pub firing: Firing,
}

/// Whether a neuron's spike is a step, or, to test gradients, the integral of its surrogate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Firing {
    /// `F = [U >= V_th]`, differentiated by the surrogate.
    #[default]
    Step,
    /// `F` is the surrogate's own integral, so that every gradient is exact and finite differences
    /// can judge it.
    Integral,
}

/// What a layer of neurons can be asked to show of a pass; see [`Pass::trace`](crate::graph::Pass::trace).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// Membrane potential U before reset, `[T, item…]`.
    Potential,
    /// Spikes F, 0 or 1, `[T, item…]`.
    Spikes,
}

/// A layer that works on each sample by itself.
pub trait SampleOp<R: Real>: Send + Sync + Debug {
    /// Refuses what cannot be worked on, before any work: tokens that are no index, too few steps.
    /// `inputs` are there only for a layer that takes nothing but inputs of the network.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data).
    fn check(&self, _steps: usize, _inputs: &[&[R]]) -> Result<()> {
        Ok(())
    }

    /// All steps of one sample.
    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>);

    /// Adds this layer's gradients. Follows a forward pass with `keep`.
    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>);

    /// Numbers of state that are carried from step to step.
    fn state_len(&self) -> usize {
        0
    }

    /// The state before the first step; zeros unless the layer says otherwise.
    fn init_state(&self, state: &mut [R]) {
        state.fill(R::ZERO);
    }

    /// Whether [`forward`](Self::forward) goes on from [`Flow::carry`], so that a sequence may
    /// pass in stretches. A layer without state does. One that ends time gives a result for each
    /// stretch.
    fn carries(&self) -> bool {
        self.state_len() == 0
    }

    /// One step in evaluation mode, with the state before it, which becomes the state after it. Gives
    /// the same numbers as the same step of [`forward`](Self::forward). By default it is that, of one
    /// step that goes on from the state.
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

    /// What [`Trace`] asks for, of the forward pass that `saved` is of; `None` if the layer has no
    /// such thing.
    fn record(&self, _what: Trace, _saved: &Saved<R>, _cx: &Context<'_, R>) -> Option<Vec<R>> {
        None
    }

    /// Steps of the output for these steps of the inputs: as many as the first input has, unless
    /// the layer ends time (1) or changes it.
    fn output_steps(&self, steps: &[usize]) -> usize {
        steps.first().copied().unwrap_or(1)
    }
}

/// A layer that needs all samples together.
pub trait BatchOp<R: Real>: Send + Sync + Debug {
    /// All steps of all samples. In training, `update` holds the values of the buffers, and
    /// takes new ones; else it holds nothing.
    fn forward(
        &self,
        samples: &mut [Flow<'_, R>],
        saved: &mut Saved<R>,
        update: &mut [Vec<R>],
        cx: &mut Context<'_, R>,
    );

    /// Adds this layer's gradients. `d_params` of every sample but the first are empty: all
    /// samples' gradients go to those of the first.
    fn backward(
        &self,
        samples: &mut [Back<'_, '_, R>],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    );

    /// As [`SampleOp::state_len`]. The state before the first step is zeros. A layer that has one
    /// goes on from [`Flow::carry`].
    fn state_len(&self) -> usize {
        0
    }

    /// One step of one sample in evaluation mode, as [`SampleOp::step`].
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

    /// As [`SampleOp::record`], of sample number `sample`.
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
