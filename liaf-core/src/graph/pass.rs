//! A batch forward and back.

use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::kernels::Kernels;
use crate::op::{Back, Context, Firing, Flow, Scratch, Trace};
use crate::rng::Key;
use crate::{Error, Op, Real, Result};

use super::network::Node;
use super::workspace::SampleSpace;
use super::{Inputs, Network, Workspace};

/// Places in which gradients of parameters are summed: that of a sample is its number modulo this.
/// They are added in order, so that a sum does not depend on the number of threads.
pub const SLOTS: usize = 4;

/// How a batch passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    /// Dropout drops and batch norm takes the batch's statistics.
    pub training: bool,
    /// What a backward pass needs is kept.
    pub keep: bool,
    /// The backward pass gives gradients by the inputs as well.
    pub input_gradients: bool,
    /// Number of the training step: part of the key of its random numbers.
    pub step: u64,
    /// Number of the first sample, where a batch passes in parts: random numbers and the places of
    /// gradients are those of its number in the whole batch.
    pub first: usize,
    /// Number of the stretch of time, where a sequence passes in stretches: part of the key.
    pub stretch: u64,
    /// The plain kernels instead of the fast ones.
    pub plain: bool,
    /// Spikes as steps, or as the integrals of their surrogates, to test gradients.
    pub firing: Firing,
}

impl Mode {
    /// Evaluation.
    pub const EVAL: Self = Self {
        training: false,
        keep: false,
        input_gradients: false,
        step: 0,
        first: 0,
        stretch: 0,
        plain: false,
        firing: Firing::Step,
    };

    /// Training step number `step`.
    pub fn train(step: u64) -> Self {
        Self { training: true, keep: true, step, ..Self::EVAL }
    }

    fn kernels<R: Real>(self) -> &'static Kernels<R> {
        if self.plain { R::plain() } else { R::fast() }
    }
}

/// Gradients of a loss by all parameters of a network.
#[derive(Debug, Clone)]
pub struct Gradients<R> {
    slots: Vec<Vec<Vec<R>>>,
}

impl<R: Real> Gradients<R> {
    /// Zeros.
    pub fn new(network: &Network<R>) -> Self {
        let zeros = || network.params.iter().map(|param| vec![R::ZERO; param.data.len()]).collect();
        Self { slots: (0..SLOTS).map(|_| zeros()).collect() }
    }

    /// Zeros again.
    pub fn clear(&mut self) {
        self.slots.iter_mut().flatten().for_each(|gradient| gradient.fill(R::ZERO));
    }

    /// Adds the slots, in order, into the first, and empties the others. Must be called before
    /// [`get`](Self::get).
    pub fn reduce(&mut self) {
        let Some((total, rest)) = self.slots.split_first_mut() else { return };
        for slot in rest {
            for (total, part) in total.iter_mut().zip(slot) {
                total.iter_mut().zip(part.iter()).for_each(|(total, &part)| *total += part);
                part.fill(R::ZERO);
            }
        }
    }

    /// Gradient by parameter number `index`.
    pub fn get(&self, index: usize) -> &[R] {
        &self.slots[0][index]
    }

    /// All gradients, in the order of the network's parameters.
    pub fn all(&self) -> &[Vec<R>] {
        &self.slots[0]
    }

    /// All gradients, to be clipped or scaled.
    pub fn all_mut(&mut self) -> &mut [Vec<R>] {
        &mut self.slots[0]
    }
}

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

    /// Adds the gradients of a loss by the parameters, given those by the output of the forward pass
    /// before it, which had `mode` with `keep`.
    ///
    /// # Errors
    /// If `d_output` has not the shape of that output.
    pub fn backward(
        &self,
        d_output: ArrayViewD<'_, R>,
        mode: Mode,
        workspace: &mut Workspace<R>,
        gradients: &mut Gradients<R>,
    ) -> Result<()> {
        let wanted = self.wanted(mode);
        self.load_gradient(d_output, &wanted, workspace)?;
        for segment in self.segments.iter().rev() {
            if let Some(Op::Batch(_)) = &self.nodes[segment.start].op {
                if wanted[segment.start] {
                    self.backward_batch(
                        segment.start,
                        mode,
                        &wanted,
                        workspace,
                        &mut gradients.slots[0],
                    );
                }
                continue;
            }
            let Workspace { samples, scratch, .. } = &mut *workspace;
            let mut by_slot: Vec<Vec<&mut SampleSpace<R>>> =
                (0..SLOTS).map(|_| Vec::new()).collect();
            for (n, sample) in samples.iter_mut().enumerate() {
                by_slot[(mode.first + n) % SLOTS].push(sample);
            }
            let slots = by_slot.into_par_iter().zip(&mut gradients.slots).zip(scratch);
            slots.for_each(|((samples, gradients), scratch)| {
                for sample in samples {
                    for index in segment.clone().rev().filter(|&index| wanted[index]) {
                        self.backward_sample(index, mode, &wanted, sample, gradients, scratch);
                    }
                }
            });
        }
        Ok(())
    }

    /// The nodes by whose output a gradient is needed.
    fn wanted(&self, mode: Mode) -> Vec<bool> {
        let mut wanted: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let learns = !node.params.is_empty() || node.from.iter().any(|&from| wanted[from]);
            wanted.push(if node.op.is_none() { mode.input_gradients } else { learns });
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
            return Err(Error::shape("the gradient does not fit the network's output")
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
        mode: Mode,
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
        let mut cx = self.context(&params, &buffers, mode, (index, sample.number), scratch);
        op.backward(back, &mut sample.saved[index], &mut cx);
        put_all(gradients, &node.params, d_params);
    }

    fn backward_batch(
        &self,
        index: usize,
        mode: Mode,
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
        let mut cx = self.context(&params, &buffers, mode, (index, 0), &mut scratch[0]);
        op.backward(&mut backs, &mut saved[index], &mut cx);
        drop(backs);
        if let Some((.., d_params)) = parts.into_iter().next() {
            put_all(gradients, &node.params, d_params);
        }
    }

    /// Gradient by an input, `[N, T, item…]`, after a backward pass with `input_gradients`; `None` if
    /// there is no such input. Padded steps are 0.
    pub fn input_gradient(&self, name: &str, workspace: &Workspace<R>) -> Option<ArrayD<R>> {
        let &node = self.inputs.get(name)?;
        let steps = workspace.samples.iter().map(|sample| sample.steps[node]).max()?;
        Some(self.collect(node, steps, workspace, |sample| &sample.grads))
    }

    /// Output of a layer in the last forward pass, `[N, T, item…]` or `[N, item…]`.
    ///
    /// # Errors
    /// If the network has no such layer.
    pub fn activation(&self, layer: &str, workspace: &Workspace<R>) -> Result<ArrayD<R>> {
        let node = self.find(layer)?;
        let steps = workspace.samples.iter().map(|sample| sample.steps[node]).max().unwrap_or(0);
        Ok(self.collect(node, steps, workspace, |sample| &sample.values))
    }

    /// Membrane potentials or spikes of a layer of neurons in the last forward pass, which had
    /// `keep`: `[N, T, item…]`.
    ///
    /// # Errors
    /// If the network has no such layer, or it has no such thing.
    pub fn trace(&self, layer: &str, what: Trace, workspace: &Workspace<R>) -> Result<ArrayD<R>> {
        let index = self.find(layer)?;
        let node = &self.nodes[index];
        let (params, buffers) = self.tensors(node);
        let mut scratch = Scratch::default();
        let cx = self.context(&params, &buffers, Mode::EVAL, (index, 0), &mut scratch);
        let of = |(n, sample): (usize, &SampleSpace<R>)| match &node.op {
            Some(Op::Sample(op)) => op.record(what, &sample.saved[index], &cx),
            Some(Op::Batch(op)) => op.record(what, n, &workspace.saved[index], &cx),
            None => None,
        };
        let traces: Option<Vec<_>> = workspace.samples.iter().enumerate().map(of).collect();
        let traces = traces.ok_or_else(|| {
            Error::config("this layer has no such trace")
                .in_layer(layer)
                .expected("a layer of neurons")
        })?;
        let steps = workspace.samples.iter().map(|sample| sample.steps[index]).max().unwrap_or(0);
        Ok(self.stack(index, steps, traces.iter().map(Vec::as_slice)))
    }

    fn collect<'a>(
        &self,
        node: usize,
        steps: usize,
        workspace: &'a Workspace<R>,
        of: impl Fn(&'a SampleSpace<R>) -> &'a Vec<Vec<R>>,
    ) -> ArrayD<R> {
        self.stack(node, steps, workspace.samples.iter().map(|sample| of(sample)[node].as_slice()))
    }

    /// Samples of a node as one array of `steps` steps, padded with 0.
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

/// References to the tensors of a node.
pub(super) type Tensors<'a, R> = SmallVec<[&'a [R]; 8]>;

/// For each input of a node the gradient it adds to, and the gradient by its output.
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
        if let Some(place) = node.from.iter().position(|&from| from == i)
            && wanted[i]
        {
            d_inputs[place] = Some(gradient.as_mut_slice());
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
