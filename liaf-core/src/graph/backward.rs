//! The backward pass of a batch.

use ndarray::{ArrayViewD, Axis};
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::graph::gradients::SLOTS;
use crate::graph::mode::Settings;
use crate::graph::network::{Network, Node};
use crate::graph::workspace::{SampleSpace, Workspace};
use crate::memory::Scratch;
use crate::op::{Back, Op};
use crate::real::Real;

impl<R: Real> Network<R> {
    /// Adds the gradients of a loss with respect to the parameters to `slots`, given the gradient with
    /// respect to the output of the forward pass that is in `workspace`.
    pub(super) fn run_back(
        &self,
        d_output: ArrayViewD<'_, R>,
        settings: Settings,
        workspace: &mut Workspace<R>,
        slots: &mut [Vec<Vec<R>>],
    ) -> Result<()> {
        let wanted = self.wanted(settings);
        self.load_gradient(d_output, &wanted, workspace)?;
        for segment in self.segments.iter().rev() {
            if let Some(Op::Batch(_)) = &self.nodes[segment.start].op {
                if wanted[segment.start] {
                    let first = &mut slots[0];
                    self.backward_batch(segment.start, settings, &wanted, workspace, first);
                }
                continue;
            }
            let Workspace { samples, scratch, .. } = &mut *workspace;
            let mut by_slot: Vec<Vec<&mut SampleSpace<R>>> =
                (0..SLOTS).map(|_| Vec::new()).collect();
            for sample in samples {
                by_slot[sample.number % SLOTS].push(sample);
            }
            let work = by_slot.into_par_iter().zip(&mut *slots).zip(scratch);
            work.for_each(|((samples, gradients), scratch)| {
                for sample in samples {
                    for index in segment.clone().rev().filter(|&index| wanted[index]) {
                        self.backward_sample(index, settings, &wanted, sample, gradients, scratch);
                    }
                }
            });
        }
        Ok(())
    }

    /// The nodes for whose output a gradient is needed.
    fn wanted(&self, settings: Settings) -> Vec<bool> {
        let mut wanted: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let learns = !node.params.is_empty() || node.from.iter().any(|&from| wanted[from]);
            wanted.push(if node.op.is_none() { settings.input_gradients } else { learns });
        }
        wanted
    }

    fn load_gradient(
        &self,
        d_output: ArrayViewD<'_, R>,
        wanted: &[bool],
        workspace: &mut Workspace<R>,
    ) -> Result<()> {
        let shape = &self.nodes[self.output].shape;
        let axes = 1 + usize::from(shape.timed);
        let found = d_output.shape();
        if found.len() != axes + shape.item.len()
            || found[axes..] != shape.item[..]
            || found[0] != workspace.samples.len()
        {
            return Err(Error::shape(
                "the shape of the gradient does not agree with the network's output",
            )
            .expected(shape)
            .found(format!("{found:?} for {} samples", workspace.samples.len())));
        }
        for (n, sample) in workspace.samples.iter_mut().enumerate() {
            for (index, node) in self.nodes.iter().enumerate() {
                let len = if wanted[index] { sample.steps[index] * node.shape.len() } else { 0 };
                sample.grads[index].clear();
                sample.grads[index].resize(len, R::ZERO);
            }
            let gradient = d_output.index_axis(Axis(0), n);
            let own = &mut sample.grads[self.output];
            own.iter_mut().zip(gradient.iter()).for_each(|(own, &g)| *own = g);
        }
        Ok(())
    }

    fn backward_sample(
        &self,
        index: usize,
        settings: Settings,
        wanted: &[bool],
        sample: &mut SampleSpace<R>,
        gradients: &mut [Vec<R>],
        scratch: &mut Scratch<R>,
    ) {
        let node = &self.nodes[index];
        let Some(Op::Sample(op)) = &node.op else { return };
        let (params, buffers) = self.tensors(node);
        let steps = sample.steps[node.from[0]];
        let inputs: SmallVec<[&[R]; 4]> =
            node.from.iter().map(|&i| sample.values[i].as_slice()).collect();
        let (mut d_inputs, d_output) = around_gradients(&mut sample.grads, node, index, wanted);
        let mut d_params = take_all(gradients, &node.params);
        let back = Back {
            steps,
            inputs: &inputs,
            output: &sample.values[index],
            d_output,
            d_inputs: &mut d_inputs,
            d_params: &mut d_params,
        };
        let mut cx = self.context(&params, &buffers, settings, (index, sample.number), scratch);
        op.backward(back, &mut sample.saved[index], &mut cx);
        put_all(gradients, &node.params, d_params);
    }

    fn backward_batch(
        &self,
        index: usize,
        settings: Settings,
        wanted: &[bool],
        workspace: &mut Workspace<R>,
        gradients: &mut [Vec<R>],
    ) {
        let node = &self.nodes[index];
        let Some(Op::Batch(op)) = &node.op else { return };
        let (params, buffers) = self.tensors(node);
        let Workspace { samples, saved, scratch, .. } = workspace;
        let mut d_params = Some(take_all(gradients, &node.params));
        let mut parts: Vec<_> = samples
            .iter_mut()
            .map(|sample| {
                let inputs: SmallVec<[&[R]; 4]> =
                    node.from.iter().map(|&i| sample.values[i].as_slice()).collect();
                let steps = sample.steps[node.from[0]];
                let gradients = around_gradients(&mut sample.grads, node, index, wanted);
                (
                    steps,
                    inputs,
                    &sample.values[index],
                    gradients,
                    d_params.take().unwrap_or_default(),
                )
            })
            .collect();
        let mut backs: Vec<_> = parts
            .iter_mut()
            .map(|(steps, inputs, output, (d_inputs, d_output), d_params)| Back {
                steps: *steps,
                inputs,
                output,
                d_output,
                d_inputs,
                d_params,
            })
            .collect();
        let mut cx = self.context(&params, &buffers, settings, (index, 0), &mut scratch[0]);
        op.backward(&mut backs, &mut saved[index], &mut cx);
        drop(backs);
        if let Some((.., d_params)) = parts.into_iter().next() {
            put_all(gradients, &node.params, d_params);
        }
    }
}

/// For each input of a node, the gradient to which it adds; and the gradient with respect to its
/// output.
type Around<'a, R> = (SmallVec<[Option<&'a mut [R]>; 4]>, &'a [R]);

fn around_gradients<'a, R: Real>(
    grads: &'a mut [Vec<R>],
    node: &Node<R>,
    index: usize,
    wanted: &[bool],
) -> Around<'a, R> {
    let (above, rest) = grads.split_at_mut(index);
    let mut d_inputs: SmallVec<[Option<&mut [R]>; 4]> = node.from.iter().map(|_| None).collect();
    for (i, gradient) in above.iter_mut().enumerate() {
        if let Some(input) = node.from.iter().position(|&from| from == i)
            && wanted[i]
        {
            d_inputs[input] = Some(gradient.as_mut_slice());
        }
    }
    (d_inputs, &rest[0])
}

fn take_all<R>(gradients: &mut [Vec<R>], indices: &[usize]) -> SmallVec<[Vec<R>; 8]> {
    indices.iter().map(|&i| std::mem::take(&mut gradients[i])).collect()
}

fn put_all<R>(gradients: &mut [Vec<R>], indices: &[usize], taken: SmallVec<[Vec<R>; 8]>) {
    for (&i, gradient) in indices.iter().zip(taken) {
        gradients[i] = gradient;
    }
}
