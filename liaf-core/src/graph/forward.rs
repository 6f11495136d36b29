//! The forward pass of a batch, segment by segment.

use ndarray::ArrayD;
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::graph::inputs::Inputs;
use crate::graph::mode::Settings;
use crate::graph::network::{Network, Node};
use crate::graph::workspace::{SampleSpace, Workspace};
use crate::kernels::Kernels;
use crate::memory::{Buffer, Scratch};
use crate::op::{Context, Flow, Op};
use crate::real::Real;
use crate::rng::Key;

impl<R: Real> Network<R> {
    /// Passes a batch through the network, in a workspace that is prepared for it, and returns the
    /// output.
    pub(super) fn run(
        &self,
        inputs: &Inputs<'_, R>,
        settings: Settings,
        workspace: &mut Workspace<R>,
    ) -> Result<ArrayD<R>> {
        let samples = inputs.samples();
        let keep = settings.keep || settings.activations;
        self.load(inputs, keep, workspace)?;
        let full = self.plan_steps(inputs, workspace)?;
        self.check(inputs, workspace)?;
        let longest =
            |sample: &SampleSpace<R>| self.inputs.values().map(|&i| sample.steps[i]).max();
        let steps = workspace.samples.iter().map(|sample| longest(sample).unwrap_or(1));
        let estimate = self.pass_estimate(steps, settings.keep, keep);
        workspace.allow(&estimate)?;
        if !keep {
            return Ok(self.evaluate(inputs, &full, settings, workspace));
        }
        for segment in &self.segments {
            if let Some(Op::Batch(_)) = &self.nodes[segment.start].op {
                self.forward_batch(segment.start, settings, workspace);
                continue;
            }
            let chunk = samples.div_ceil(rayon::current_num_threads());
            let Workspace { samples, scratch, .. } = &mut *workspace;
            let chunks = samples.par_chunks_mut(chunk).zip(scratch);
            chunks.for_each(|(samples, scratch)| {
                for sample in samples {
                    for index in segment.clone() {
                        self.forward_sample(index, settings, sample, scratch);
                    }
                }
            });
        }
        Ok(self.collect(self.output, full[self.output], workspace, |sample| &sample.values))
    }

    /// Returns an error if the inputs do not fit the network, or if their numbers are invalid.
    pub(crate) fn check_batch(&self, inputs: &Inputs<'_, R>) -> Result<()> {
        inputs.check_names(self.inputs.keys())?;
        for (name, &node) in &self.inputs {
            let missing = || Error::data("an input is missing").in_layer(name);
            let input = inputs.input(name).ok_or_else(missing)?;
            let shape = &self.nodes[node].shape;
            input.check(inputs.samples(), shape).map_err(|error| error.in_layer(name))?;
        }
        Ok(())
    }

    /// Copies the inputs if they are to be kept, and returns an error if they do not fit the network.
    fn load(&self, inputs: &Inputs<'_, R>, keep: bool, workspace: &mut Workspace<R>) -> Result<()> {
        self.check_batch(inputs)?;
        for (name, &node) in &self.inputs {
            let Some(input) = inputs.input(name) else { continue };
            let shape = &self.nodes[node].shape;
            for (n, sample) in workspace.samples.iter_mut().enumerate() {
                sample.steps[node] = input.steps(n, shape);
                if keep {
                    input.copy(n, shape, &mut sample.values[node]);
                }
            }
        }
        Ok(())
    }

    /// Lets the layers check this batch: those that take an input of the network check its numbers, the
    /// others check the number of steps.
    fn check(&self, inputs: &Inputs<'_, R>, workspace: &Workspace<R>) -> Result<()> {
        let mut copies: SmallVec<[Buffer<R>; 4]> = SmallVec::new();
        for node in &self.nodes {
            let Some(Op::Sample(op)) = &node.op else { continue };
            let first = node.from.iter().all(|&from| self.nodes[from].op.is_none());
            for (n, sample) in workspace.samples.iter().enumerate() {
                let own = if first { &node.from[..] } else { &[] };
                copies.resize_with(own.len(), Buffer::default);
                for (copy, &from) in copies.iter_mut().zip(own) {
                    if let Some(input) = inputs.input(&self.nodes[from].name) {
                        input.copy(n, &self.nodes[from].shape, copy);
                    }
                }
                let inputs: SmallVec<[&[R]; 4]> = copies.iter().map(|copy| &copy[..]).collect();
                op.check(sample.steps[node.from[0]], &inputs)
                    .map_err(|error| error.in_layer(&node.name))?;
            }
        }
        Ok(())
    }

    /// Computes the number of steps of every node, for every sample and for a sample without padding.
    fn plan_steps(
        &self,
        inputs: &Inputs<'_, R>,
        workspace: &mut Workspace<R>,
    ) -> Result<Vec<usize>> {
        let mut full = vec![1; self.nodes.len()];
        for (name, &node) in &self.inputs {
            if self.nodes[node].shape.timed {
                full[node] = inputs.data(name).map_or(1, |data| data.shape()[1]);
            }
        }
        for (index, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.op.is_some()) {
            full[index] = self.steps_of(node, &full)?;
            for sample in &mut workspace.samples {
                sample.steps[index] = self.steps_of(node, &sample.steps)?;
            }
        }
        Ok(full)
    }

    fn steps_of(&self, node: &Node<R>, steps: &[usize]) -> Result<usize> {
        let from: SmallVec<[usize; 4]> = node.from.iter().map(|&i| steps[i]).collect();
        let mut timed = node.from.iter().filter(|&&i| self.nodes[i].shape.timed).map(|&i| steps[i]);
        if let Some(first) = timed.next()
            && let Some(other) = timed.find(|&other| other != first)
        {
            return Err(Error::data("the inputs of the layer have different numbers of steps")
                .in_layer(&node.name)
                .expected(first)
                .found(other));
        }
        Ok(match &node.op {
            Some(Op::Sample(op)) => op.output_steps(&from),
            _ => from.first().copied().unwrap_or(1),
        })
    }

    pub(super) fn context<'a>(
        &self,
        params: &'a [&'a [R]],
        buffers: &'a [&'a [R]],
        settings: Settings,
        (node, sample): (usize, usize),
        scratch: &'a mut Scratch<R>,
    ) -> Context<'a, R> {
        let Settings { training, keep, stretch, firing, .. } = settings;
        let key = Key::new(self.seed).child(settings.step);
        let key = key.child(node as u64).child(sample as u64);
        let kernels = if settings.plain { Kernels::plain() } else { Kernels::fast() };
        Context { params, buffers, kernels, scratch, training, keep, key, stretch, firing }
    }

    /// The parameters and buffers of a node.
    pub(super) fn tensors(&self, node: &Node<R>) -> (Tensors<'_, R>, Tensors<'_, R>) {
        let params = node.params.iter().map(|&i| self.params[i].data.as_slice()).collect();
        let buffers = node.buffers.iter().map(|&i| self.buffers[i].data.as_slice()).collect();
        (params, buffers)
    }

    /// Runs a layer for one sample. A batch layer must be one of an evaluation, in which it uses its running
    /// statistics.
    pub(super) fn forward_sample(
        &self,
        index: usize,
        settings: Settings,
        sample: &mut SampleSpace<R>,
        scratch: &mut Scratch<R>,
    ) {
        let node = &self.nodes[index];
        let Some(op) = &node.op else { return };
        let (params, buffers) = self.tensors(node);
        let (inputs, output) = SampleSpace::around(&mut sample.values, &node.from, index);
        SampleSpace::make_room(output, sample.steps[index], &node.shape);
        let steps = sample.steps[node.from[0]];
        let mut cx = self.context(&params, &buffers, settings, (index, sample.number), scratch);
        let carry = sample.carry.get_mut(index).map(Vec::as_mut_slice);
        let flow = Flow { steps, inputs: &inputs, output, carry };
        let saved = &mut sample.saved[index];
        match op {
            Op::Sample(op) => op.forward(flow, saved, &mut cx),
            Op::Batch(op) => op.forward(&mut [flow], saved, &mut [], &mut cx),
        }
    }

    fn forward_batch(&self, index: usize, settings: Settings, workspace: &mut Workspace<R>) {
        let node = &self.nodes[index];
        let Some(Op::Batch(op)) = &node.op else { return };
        let (params, buffers) = self.tensors(node);
        let Workspace { samples, saved, scratch, updates, .. } = workspace;
        let mut parts: Vec<_> = samples
            .iter_mut()
            .map(|sample| {
                let (inputs, output) = SampleSpace::around(&mut sample.values, &node.from, index);
                SampleSpace::make_room(output, sample.steps[index], &node.shape);
                let carry = sample.carry.get_mut(index).map(Vec::as_mut_slice);
                (sample.steps[node.from[0]], inputs, output, carry)
            })
            .collect();
        let mut flows: Vec<_> = parts
            .iter_mut()
            .map(|(steps, inputs, output, carry)| {
                let carry = carry.as_deref_mut();
                Flow { steps: *steps, inputs, output, carry }
            })
            .collect();
        let mut update: Vec<Vec<R>> =
            node.buffers.iter().map(|&i| std::mem::take(&mut updates[i])).collect();
        if settings.training {
            // New running statistics depend on the old ones.
            update.iter_mut().zip(&buffers).for_each(|(new, old)| new.extend_from_slice(old));
        }
        let mut cx = self.context(&params, &buffers, settings, (index, 0), &mut scratch[0]);
        op.forward(&mut flows, &mut saved[index], &mut update, &mut cx);
        for (&i, update) in node.buffers.iter().zip(update) {
            updates[i] = update;
        }
    }
}

/// References to the tensors of a node.
pub(super) type Tensors<'a, R> = SmallVec<[&'a [R]; 8]>;
