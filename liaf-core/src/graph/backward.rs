//! The backward pass of a batch.

use ndarray::{ArrayViewD, Axis};
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::graph::mode::Settings;
use crate::graph::network::{Network, Node};
use crate::graph::workspace::{SampleSpace, Workspace};
use crate::memory::{Buffer, Scratch};
use crate::op::{Back, Op};
use crate::real::Real;

impl<R: Real> Network<R> {
    /// Adds the gradients of a loss with respect to the parameters to `slots`, to the one of
    /// each sample, given the gradient with
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
                slots.iter().map(|_| Vec::new()).collect();
            for sample in samples {
                by_slot[sample.number % slots.len()].push(sample);
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
            self.load_sample_gradient(d_output.index_axis(Axis(0), n), wanted, sample);
        }
        Ok(())
    }

    /// Sets the gradient with respect to the output of a sample. All others become empty, which means
    /// that nothing was added to them.
    fn load_sample_gradient(
        &self,
        d_output: ArrayViewD<'_, R>,
        wanted: &[bool],
        sample: &mut SampleSpace<R>,
    ) {
        for gradient in &mut sample.grads {
            sample.free.recycle(gradient);
        }
        if wanted[self.output] {
            let len = sample.steps[self.output] * self.nodes[self.output].shape.len();
            let mut own = sample.free.take(len);
            own.iter_mut().zip(d_output.iter()).for_each(|(own, &g)| *own = g);
            sample.grads[self.output] = own;
        }
    }

    /// Makes room for the gradients with respect to the inputs of a node. If `writes`, returns whether
    /// the node is the first to add to its only input, whose gradient is then unspecified; otherwise
    /// they are zeros.
    fn open_gradients(
        &self,
        node: &Node<R>,
        wanted: &[bool],
        writes: bool,
        sample: &mut SampleSpace<R>,
    ) -> bool {
        let mut fresh = false;
        for &from in node.from.iter().filter(|&&from| wanted[from]) {
            if !sample.grads[from].is_empty() {
                continue;
            }
            let len = sample.steps[from] * self.nodes[from].shape.len();
            let mut gradient = sample.free.take(len);
            fresh = writes && node.from.len() == 1;
            if !fresh {
                gradient.fill(R::ZERO);
            }
            sample.grads[from] = gradient;
        }
        fresh
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
        if sample.grads[index].is_empty() {
            // The loss does not depend on this node.
            return;
        }
        let write = self.open_gradients(node, wanted, op.writes(), sample);
        let (params, buffers) = self.tensors(node);
        let steps = sample.steps[node.from[0]];
        let inputs: SmallVec<[&[R]; 4]> =
            node.from.iter().map(|&i| &sample.values[i][..]).collect();
        let (mut d_inputs, d_output) = around_gradients(&mut sample.grads, node, index, wanted);
        let mut d_params = take_all(gradients, &node.params);
        let back = Back {
            steps,
            inputs: &inputs,
            output: &sample.values[index],
            d_output,
            d_inputs: &mut d_inputs,
            write,
            d_params: &mut d_params,
        };
        let mut cx = self.context(&params, &buffers, settings, (index, sample.number), scratch);
        op.backward(back, &mut sample.saved[index], &mut cx);
        put_all(gradients, &node.params, d_params);
        drop(d_inputs);
        sample.free.recycle(&mut sample.grads[index]);
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
        if samples.iter().any(|sample| sample.grads[index].is_empty()) {
            return;
        }
        for sample in &mut *samples {
            self.open_gradients(node, wanted, false, sample);
        }
        let mut d_params = Some(take_all(gradients, &node.params));
        let mut parts: Vec<_> = samples
            .iter_mut()
            .map(|sample| {
                let inputs: SmallVec<[&[R]; 4]> =
                    node.from.iter().map(|&i| &sample.values[i][..]).collect();
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
                write: false,
                d_params,
            })
            .collect();
        let mut cx = self.context(&params, &buffers, settings, (index, 0), &mut scratch[0]);
        op.backward(&mut backs, &mut saved[index], &mut cx);
        drop(backs);
        if let Some((.., d_params)) = parts.into_iter().next() {
            put_all(gradients, &node.params, d_params);
        }
        for sample in samples {
            sample.free.recycle(&mut sample.grads[index]);
        }
    }
}

/// For each input of a node, the gradient to which it adds; and the gradient with respect to its
/// output.
type Around<'a, R> = (SmallVec<[Option<&'a mut [R]>; 4]>, &'a [R]);

fn around_gradients<'a, R: Real>(
    grads: &'a mut [Buffer<R>],
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
            d_inputs[input] = Some(&mut gradient[..]);
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
