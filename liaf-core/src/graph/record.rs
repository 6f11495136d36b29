//! Results of the last pass by layer: outputs, membrane potentials, spikes, gradients.

use ndarray::{ArrayD, IxDyn};

use crate::error::{Error, Result};
use crate::graph::mode::Settings;
use crate::graph::network::Network;
use crate::graph::workspace::{SampleSpace, Workspace};
use crate::memory::{Buffer, Scratch};
use crate::op::{Op, Trace};
use crate::real::Real;

impl<R: Real> Network<R> {
    /// The gradient with respect to an input, after a backward pass that computed it; `None` if there
    /// is no such input.
    pub(super) fn input_gradient(&self, name: &str, workspace: &Workspace<R>) -> Option<ArrayD<R>> {
        let &node = self.inputs.get(name)?;
        let steps = workspace.samples.iter().map(|sample| sample.steps[node]).max()?;
        Some(self.collect(node, steps, workspace, |sample| &sample.grads))
    }

    /// The output of a layer.
    pub(super) fn activation(&self, layer: &str, workspace: &Workspace<R>) -> Result<ArrayD<R>> {
        let node = self.find(layer)?;
        let steps = workspace.samples.iter().map(|sample| sample.steps[node]).max().unwrap_or(0);
        Ok(self.collect(node, steps, workspace, |sample| &sample.values))
    }

    /// The membrane potentials or spikes of a layer of neurons.
    pub(super) fn trace(
        &self,
        layer: &str,
        what: Trace,
        workspace: &Workspace<R>,
    ) -> Result<ArrayD<R>> {
        let index = self.find(layer)?;
        let node = &self.nodes[index];
        let (params, buffers) = self.tensors(node);
        let mut scratch = Scratch::default();
        let cx = self.context(&params, &buffers, Settings::EVAL, (index, 0), &mut scratch);
        let of = |(n, sample): (usize, &SampleSpace<R>)| match &node.op {
            Some(Op::Sample(op)) => op.record(what, &sample.saved[index], &cx),
            Some(Op::Batch(op)) => op.record(what, n, &workspace.saved[index], &cx),
            None => None,
        };
        let traces: Option<Vec<_>> = workspace.samples.iter().enumerate().map(of).collect();
        let traces = traces.ok_or_else(|| {
            Error::config("this layer has no membrane potentials or spikes")
                .in_layer(layer)
                .expected("a layer of neurons")
        })?;
        let steps = workspace.samples.iter().map(|sample| sample.steps[index]).max().unwrap_or(0);
        Ok(self.stack(index, steps, traces.iter().map(Vec::as_slice)))
    }

    pub(super) fn collect<'a>(
        &self,
        node: usize,
        steps: usize,
        workspace: &'a Workspace<R>,
        of: impl Fn(&'a SampleSpace<R>) -> &'a Vec<Buffer<R>>,
    ) -> ArrayD<R> {
        self.stack(node, steps, workspace.samples.iter().map(|sample| &of(sample)[node][..]))
    }

    /// The samples of a node as one array of `steps` steps, padded with 0.
    fn stack<'a>(
        &self,
        node: usize,
        steps: usize,
        samples: impl ExactSizeIterator<Item = &'a [R]>,
    ) -> ArrayD<R> {
        let shape = &self.nodes[node].shape;
        let mut axes = vec![samples.len()];
        axes.extend(shape.timed.then_some(steps));
        axes.extend(&shape.item);
        let len = if shape.timed { steps * shape.len() } else { shape.len() };
        let mut all = Vec::with_capacity(samples.len() * len);
        for (n, sample) in samples.enumerate() {
            all.extend_from_slice(&sample[..sample.len().min(len)]);
            all.resize((n + 1) * len, R::ZERO);
        }
        ArrayD::from_shape_vec(IxDyn(&axes), all).unwrap_or_default()
    }
}
