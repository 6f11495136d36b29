//! A batch forward.

use ndarray::ArrayD;
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::op::{Context, Flow, Scratch};
use crate::rng::Key;
use crate::{Error, Op, Real, Result};

use super::gradients::SLOTS;
use super::network::Node;
use super::workspace::SampleSpace;
use super::{Inputs, Mode, Network, Workspace};

impl<R: Real> Network<R> {
    /// Passes a batch through the network. Gives the output, `[N, T, item…]` or `[N, item…]`;
    /// padded steps are 0 in it.
    ///
    /// # Errors
    /// If the batch does not fit the network or cannot be worked on (NaN, empty), before any work.
    pub fn forward(
        &self,
        inputs: &Inputs<'_, R>,
        mode: Mode,
        workspace: &mut Workspace<R>,
    ) -> Result<ArrayD<R>> {
        let samples = inputs.samples();
        let workers = rayon::current_num_threads().max(SLOTS);
        workspace.prepare(samples, self.nodes.len(), workers);
        workspace.updates.resize(self.buffers.len(), Vec::new());
        self.load(inputs, samples, workspace)?;
        let full = self.plan_steps(inputs, workspace)?;
        self.check(workspace)?;
        for segment in &self.segments {
            if let Some(Op::Batch(_)) = &self.nodes[segment.start].op {
                self.forward_batch(segment.start, mode, workspace);
                continue;
            }
            let chunk = samples.div_ceil(rayon::current_num_threads());
            let Workspace { samples, scratch, .. } = &mut *workspace;
            let chunks = samples.par_chunks_mut(chunk).zip(scratch);
            chunks.for_each(|(samples, scratch)| {
                for sample in samples {
                    for index in segment.clone() {
                        self.forward_sample(index, mode, sample, scratch);
                    }
                }
            });
        }
        Ok(self.collect(self.output, full[self.output], workspace, |sample| &sample.values))
    }

    /// Copies the inputs and refuses what does not fit.
    fn load(
        &self,
        inputs: &Inputs<'_, R>,
        samples: usize,
        workspace: &mut Workspace<R>,
    ) -> Result<()> {
        if let Some(unknown) =
            inputs.all.iter().find(|input| !self.inputs.contains_key(&input.name))
        {
            let names: Vec<_> = self.inputs.keys().cloned().collect();
            return Err(Error::config("the network has no such input")
                .expected(names.join(", "))
                .found(&unknown.name));
        }
        for (name, &node) in &self.inputs {
            let input = inputs
                .all
                .iter()
                .find(|input| input.name == *name)
                .ok_or_else(|| Error::data("an input is missing").in_layer(name))?;
            let shape = &self.nodes[node].shape;
            input.check(samples, shape).map_err(|error| error.in_layer(name))?;
            for (n, sample) in workspace.samples.iter_mut().enumerate() {
                sample.steps[node] = input.steps(n, shape);
                input.copy(n, shape, &mut sample.values[node]);
            }
        }
        Ok(())
    }

    /// Asks the layers whether they can work on this batch: those behind an input see its numbers,
    /// the others the number of steps.
    fn check(&self, workspace: &Workspace<R>) -> Result<()> {
        for node in &self.nodes {
            let Some(Op::Sample(op)) = &node.op else { continue };
            let first = node.from.iter().all(|&from| self.nodes[from].op.is_none());
            for sample in &workspace.samples {
                let inputs = node.from.iter().filter(|_| first);
                let inputs: SmallVec<[&[R]; 4]> =
                    inputs.map(|&from| sample.values[from].as_slice()).collect();
                op.check(sample.steps[node.from[0]], &inputs)
                    .map_err(|error| error.in_layer(&node.name))?;
            }
        }
        Ok(())
    }

    /// Works out how many steps every node has for every sample, and for one without padding.
    fn plan_steps(
        &self,
        inputs: &Inputs<'_, R>,
        workspace: &mut Workspace<R>,
    ) -> Result<Vec<usize>> {
        let mut full = vec![1; self.nodes.len()];
        for input in &inputs.all {
            let node = self.inputs[&input.name];
            if self.nodes[node].shape.timed {
                full[node] = input.data.shape()[1];
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
            return Err(Error::data("takes signals of different numbers of steps")
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
        mode: Mode,
        place: (usize, usize),
        scratch: &'a mut Scratch<R>,
    ) -> Context<'a, R> {
        let (node, sample) = place;
        let sample = (mode.first + sample) as u64;
        let key = Key::new(self.seed).child(mode.step).child(node as u64).child(sample);
        Context {
            params,
            buffers,
            kernels: mode.kernels(),
            scratch,
            training: mode.training,
            keep: mode.keep,
            key,
            stretch: mode.stretch,
            firing: mode.firing,
        }
    }

    /// The parameters and buffers of a node.
    pub(super) fn tensors(&self, node: &Node<R>) -> (Tensors<'_, R>, Tensors<'_, R>) {
        let params = node.params.iter().map(|&i| self.params[i].data.as_slice()).collect();
        let buffers = node.buffers.iter().map(|&i| self.buffers[i].data.as_slice()).collect();
        (params, buffers)
    }

    fn forward_sample(
        &self,
        index: usize,
        mode: Mode,
        sample: &mut SampleSpace<R>,
        scratch: &mut Scratch<R>,
    ) {
        let node = &self.nodes[index];
        let Some(Op::Sample(op)) = &node.op else { return };
        let (params, buffers) = self.tensors(node);
        let (inputs, output) = SampleSpace::around(&mut sample.values, &node.from, index);
        SampleSpace::make_room(output, sample.steps[index], &node.shape);
        let steps = sample.steps[node.from[0]];
        let mut cx = self.context(&params, &buffers, mode, (index, sample.number), scratch);
        let carry = sample.carry.get_mut(index).map(Vec::as_mut_slice);
        let flow = Flow { steps, inputs: &inputs, output, carry };
        op.forward(flow, &mut sample.saved[index], &mut cx);
    }

    fn forward_batch(&self, index: usize, mode: Mode, workspace: &mut Workspace<R>) {
        let node = &self.nodes[index];
        let Some(Op::Batch(op)) = &node.op else { return };
        let (params, buffers) = self.tensors(node);
        let Workspace { samples, saved, scratch, updates } = workspace;
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
        let mut cx = self.context(&params, &buffers, mode, (index, 0), &mut scratch[0]);
        op.forward(&mut flows, &mut saved[index], &mut update, &mut cx);
        for (&i, update) in node.buffers.iter().zip(update) {
            updates[i] = update;
        }
    }

    /// Steps of the output of each sample in the last forward pass, without padding; 1 where the
    /// output has no time.
    pub fn output_lengths(&self, workspace: &Workspace<R>) -> Vec<usize> {
        workspace.samples.iter().map(|sample| sample.steps[self.output]).collect()
    }

    /// Takes over the new values of running statistics that a training pass has left.
    pub fn take_updates(&mut self, workspace: &mut Workspace<R>) {
        for (buffer, update) in self.buffers.iter_mut().zip(&mut workspace.updates) {
            if update.len() == buffer.data.len() {
                buffer.data.copy_from_slice(update);
            }
            update.clear();
        }
    }
}

/// References to the tensors of a node.
pub(super) type Tensors<'a, R> = SmallVec<[&'a [R]; 8]>;
