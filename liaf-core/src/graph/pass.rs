//! Passes of batches. The type of a pass decides what can be done with it.

use std::marker::PhantomData;

use ndarray::{ArrayD, ArrayViewD};

use crate::error::{Error, Result};
use crate::graph::gradients::GradientSum;
use crate::graph::inputs::Inputs;
use crate::graph::mode::{Mode, Purpose, Settings, Train};
use crate::graph::network::Network;
use crate::graph::workspace::Workspace;
use crate::op::Trace;
use crate::real::Real;

/// A batch that has passed through a network: its output, and the outputs of the layers.
///
/// Only a training pass has a backward pass:
///
/// ```
/// use liaf_core::graph::{GradientSum, Inputs, Mode, NetworkConfig, Workspace};
/// use liaf_core::layer::Dense;
/// use liaf_core::loss::Loss;
/// use liaf_core::optim::{Optimizer, OptimizerConfig};
///
/// let config = NetworkConfig::sequential([4]).then(Dense::new(2));
/// let mut network = config.build::<f32>(1)?;
/// let mut optimizer = Optimizer::new(OptimizerConfig::default(), network.params())?;
/// let (mut space, mut sum) = (Workspace::new(), GradientSum::new(&network));
/// let frames = ndarray::Array3::<f32>::ones((8, 5, 4)).into_dyn();
/// for step in 0..3 {
///     let inputs = Inputs::of("input", frames.view());
///     let mut pass = network.forward(&inputs, Mode::train(step), &mut space)?;
///     let judged = Loss::default().judge(pass.output().view(), &[0; 8], Some(&pass.lengths()))?;
///     pass.backward(judged.gradient.view(), &mut sum)?;
///     let statistics = pass.statistics();
///     network.set_statistics(statistics);
///     let gradients = sum.reduce();
///     optimizer.step(network.params_mut(), &gradients, 0.01)?;
///     sum = gradients.recycle();
/// }
/// # Ok::<(), liaf_core::Error>(())
/// ```
///
/// An evaluation pass does not:
///
/// ```compile_fail
/// # use liaf_core::graph::{GradientSum, Inputs, Mode, NetworkConfig, Workspace};
/// # use liaf_core::layer::Dense;
/// # let network = NetworkConfig::sequential([4]).then(Dense::new(2)).build::<f32>(1)?;
/// # let (mut space, mut sum) = (Workspace::new(), GradientSum::new(&network));
/// # let frames = ndarray::Array3::<f32>::ones((8, 5, 4)).into_dyn();
/// # let inputs = Inputs::of("input", frames.view());
/// let mut pass = network.forward(&inputs, Mode::eval(), &mut space)?;
/// let output = pass.output().clone();
/// pass.backward(output.view(), &mut sum)?; // no such method
/// # Ok::<(), liaf_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Pass<'n, 'w, R: Real, P> {
    network: &'n Network<R>,
    workspace: &'w mut Workspace<R>,
    settings: Settings,
    output: ArrayD<R>,
    purpose: PhantomData<P>,
}

impl<R: Real> Network<R> {
    /// Passes a batch through the network. Padded steps are 0 in the output.
    ///
    /// # Errors
    /// If the batch does not fit the network or is invalid (NaN, empty). Nothing has been computed
    /// then.
    pub fn forward<'n, 'w, P: Purpose>(
        &'n self,
        inputs: &Inputs<'_, R>,
        mode: Mode<P>,
        workspace: &'w mut Workspace<R>,
    ) -> Result<Pass<'n, 'w, R, P>> {
        let (nodes, buffers) = (self.nodes.len(), self.buffers.len());
        workspace.prepare(inputs.samples(), inputs.first(), nodes, buffers);
        let output = self.run(inputs, mode.settings, workspace)?;
        Ok(Pass::new(self, workspace, mode.settings, output))
    }

    /// Takes over the new running statistics of a training pass.
    pub fn set_statistics(&mut self, statistics: Statistics<'_, R>) {
        for (buffer, new) in self.buffers.iter_mut().zip(statistics.buffers) {
            if new.len() == buffer.data.len() {
                buffer.data.copy_from_slice(new);
            }
        }
    }
}

impl<'n, 'w, R: Real, P> Pass<'n, 'w, R, P> {
    pub(super) fn new(
        network: &'n Network<R>,
        workspace: &'w mut Workspace<R>,
        settings: Settings,
        output: ArrayD<R>,
    ) -> Self {
        Self { network, workspace, settings, output, purpose: PhantomData }
    }

    /// The network of this pass.
    pub fn network(&self) -> &'n Network<R> {
        self.network
    }

    /// The output, `[N, T, item…]` or `[N, item…]`; padded steps are 0.
    pub fn output(&self) -> &ArrayD<R> {
        &self.output
    }

    /// Returns the output and drops the pass.
    pub fn into_output(self) -> ArrayD<R> {
        self.output
    }

    /// Number of steps of each sample in the output, without padding; 1 if the output has no time.
    pub fn lengths(&self) -> Vec<usize> {
        let output = self.network.output;
        self.workspace.samples.iter().map(|sample| sample.steps[output]).collect()
    }

    /// The output of a layer, `[N, T, item…]` or `[N, item…]`.
    ///
    /// # Errors
    /// If the network has no such layer, or in an evaluation that does not [keep](Mode::activations)
    /// the outputs of layers.
    pub fn activation(&self, layer: &str) -> Result<ArrayD<R>> {
        if !self.settings.activations {
            return Err(Error::config("the outputs of layers were not kept")
                .in_layer(layer)
                .advice("evaluate with Mode::eval().activations()"));
        }
        self.network.activation(layer, self.workspace)
    }
}

impl<'w, R: Real> Pass<'_, 'w, R, Train> {
    /// The membrane potentials or spikes of a layer of neurons, `[N, T, item…]`.
    ///
    /// # Errors
    /// If the network has no such layer, or if the layer does not have what was asked for.
    pub fn trace(&self, layer: &str, what: Trace) -> Result<ArrayD<R>> {
        self.network.trace(layer, what, self.workspace)
    }

    /// Adds the gradients of a loss with respect to the parameters to `sum`, given the gradient with
    /// respect to the output. Returns the gradients with respect to the inputs, if the mode asks for
    /// them.
    ///
    /// # Errors
    /// If `d_output` does not have the shape of the output, or `sum` belongs to another network.
    /// Nothing has been added then.
    pub fn backward(
        &mut self,
        d_output: ArrayViewD<'_, R>,
        sum: &mut GradientSum<R>,
    ) -> Result<InputGradients<'_, R>> {
        sum.check(self.network)?;
        self.network.run_back(d_output, self.settings, self.workspace, &mut sum.slots)?;
        let given = self.settings.input_gradients;
        Ok(InputGradients { network: self.network, workspace: self.workspace, given })
    }

    /// As [`backward`](Self::backward), for a pass of one sample, whose gradients are added to one slot
    /// of a sum that was checked.
    pub(crate) fn backward_into(
        &mut self,
        d_output: ArrayViewD<'_, R>,
        slot: &mut Vec<Vec<R>>,
    ) -> Result<()> {
        let slots = std::slice::from_mut(slot);
        self.network.run_back(d_output, self.settings, self.workspace, slots)
    }

    /// The running statistics after this pass, for [`Network::set_statistics`].
    pub fn statistics(self) -> Statistics<'w, R> {
        Statistics { buffers: &self.workspace.updates }
    }
}

/// The gradients with respect to the inputs of a network, after a backward pass.
#[derive(Debug, Clone, Copy)]
pub struct InputGradients<'a, R: Real> {
    network: &'a Network<R>,
    workspace: &'a Workspace<R>,
    given: bool,
}

impl<R: Real> InputGradients<'_, R> {
    /// The gradient with respect to an input, `[N, T, item…]` or `[N, item…]`; padded steps are 0.
    /// `None` if there is no such input, or if the mode does not ask for [gradients of
    /// inputs](Mode::input_gradients).
    pub fn get(&self, input: &str) -> Option<ArrayD<R>> {
        if self.given { self.network.input_gradient(input, self.workspace) } else { None }
    }
}

/// New running statistics of batch norms. The network is unchanged until it takes them over, so that a
/// step that fails leaves it as it was.
#[derive(Debug, Clone, Copy)]
#[must_use = "running statistics follow only if Network::set_statistics takes them over"]
pub struct Statistics<'w, R> {
    /// By buffer; empty for buffers without new values.
    buffers: &'w [Vec<R>],
}
