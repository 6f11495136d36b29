//! Evaluation of a batch, sample by sample, in memory for the signals that are still needed.

use ndarray::{ArrayD, IxDyn};
use rayon::prelude::*;

use crate::graph::inputs::Inputs;
use crate::graph::mode::Settings;
use crate::graph::network::Network;
use crate::graph::stretches::Stretches;
use crate::graph::workspace::{SampleSpace, Workspace};
use crate::memory::Scratch;
use crate::real::Real;

impl<R: Real> Network<R> {
    /// The output for a batch that was checked. Every thread has one memory for all its samples; batch
    /// layers use their running statistics, so that samples are independent in them as well. `full` are
    /// the numbers of steps of a sample without padding, by node.
    pub(super) fn evaluate(
        &self,
        inputs: &Inputs<'_, R>,
        full: &[usize],
        settings: Settings,
        workspace: &mut Workspace<R>,
    ) -> ArrayD<R> {
        let Workspace { samples, workers, scratch, .. } = workspace;
        let shape = &self.nodes[self.output].shape;
        let mut axes = vec![samples.len()];
        axes.extend(shape.timed.then_some(full[self.output]));
        axes.extend(&shape.item);
        let mut output = ArrayD::from_elem(IxDyn(&axes), R::ZERO);
        let len = output.len() / samples.len().max(1);
        let chunk = samples.len().div_ceil(rayon::current_num_threads()).max(1);
        workers.resize_with(samples.len().div_ceil(chunk), SampleSpace::default);
        let Some(rows) = output.as_slice_mut().filter(|rows| !rows.is_empty()) else {
            return output;
        };
        let chunks = samples.par_chunks_mut(chunk).zip(rows.par_chunks_mut(chunk * len));
        let memory = workers.par_iter_mut().zip(scratch);
        chunks.zip(memory).enumerate().for_each(|(i, ((samples, rows), (worker, scratch)))| {
            worker.prepare(self.nodes.len());
            for (n, (sample, row)) in samples.iter_mut().zip(rows.chunks_mut(len)).enumerate() {
                worker.exchange(sample);
                self.evaluate_sample((inputs, i * chunk + n), settings, worker, scratch, row);
                worker.exchange(sample);
            }
        });
        output
    }

    /// Runs all nodes for sample number `n` of the batch.
    fn evaluate_sample(
        &self,
        (inputs, n): (&Inputs<'_, R>, usize),
        settings: Settings,
        sample: &mut SampleSpace<R>,
        scratch: &mut Scratch<R>,
        row: &mut [R],
    ) {
        let stretches = Stretches::of(self, &sample.steps);
        let done = stretches.as_ref().map_or(0, |stretches| stretches.nodes);
        if let Some(stretches) = &stretches {
            stretches.run((self, inputs, n), settings, sample, scratch);
        }
        for (index, node) in self.nodes.iter().enumerate().skip(done) {
            let len = sample.steps[index] * node.shape.len();
            sample.values[index] = sample.free.take(len);
            match &node.op {
                None => {
                    if let Some(input) = inputs.input(&node.name) {
                        input.copy(n, &node.shape, &mut sample.values[index]);
                    }
                }
                Some(_) => self.forward_sample(index, settings, sample, scratch),
            }
            for from in node.from.iter().copied().chain([index]) {
                if self.last_use[from] == Some(index) {
                    sample.free.recycle(&mut sample.values[from]);
                }
            }
        }
        let output = &sample.values[self.output];
        let len = output.len().min(row.len());
        row[..len].copy_from_slice(&output[..len]);
        sample.free.recycle(&mut sample.values[self.output]);
    }
}

impl<R> SampleSpace<R> {
    /// Exchanges what belongs to a sample and not to the thread that processes it.
    fn exchange(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.steps, &mut other.steps);
        std::mem::swap(&mut self.carry, &mut other.carry);
        std::mem::swap(&mut self.number, &mut other.number);
    }
}
