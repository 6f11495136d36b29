//! Truncated back-propagation through time: a sequence is passed in several stretches of time.

use crate::error::{Error, Result};
use crate::graph::estimate::MemoryEstimate;
use crate::graph::inputs::Inputs;
use crate::graph::mode::{Mode, Purpose, Settings};
use crate::graph::network::Network;
use crate::graph::pass::Pass;
use crate::graph::workspace::Workspace;
use crate::op::Op;
use crate::real::Real;

/// The states that the layers carry from one stretch of a batch to the next, by sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Carry<R> {
    samples: Vec<Carried<R>>,
    /// Number of stretches so far.
    stretch: u64,
}

/// The states of one sample.
#[derive(Debug, Clone, PartialEq, Default)]
struct Carried<R> {
    /// Index of the sample in the batch of the first stretch.
    number: usize,
    /// States by node.
    states: Vec<Vec<R>>,
}

impl<R: Real> Carry<R> {
    /// Takes out the states of some of the samples.
    pub(crate) fn take(&mut self, chosen: &[usize]) -> Self {
        let take = |&n: &usize| self.samples.get_mut(n).map(std::mem::take).unwrap_or_default();
        Self { samples: chosen.iter().map(take).collect(), stretch: self.stretch }
    }

    /// Puts back the states that were taken out.
    pub(crate) fn put(&mut self, chosen: &[usize], taken: Self) {
        self.stretch = taken.stretch;
        for (&n, own) in chosen.iter().zip(taken.samples) {
            if let Some(sample) = self.samples.get_mut(n) {
                *sample = own;
            }
        }
    }
}

impl<R: Real> Network<R> {
    /// The states of `samples` samples before their first stretch.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), with the name of the layer, if a
    /// layer cannot continue from a state; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the states
    /// need more memory than a [`Workspace`] may have.
    pub fn carry(&self, samples: usize) -> Result<Carry<R>> {
        let each = self.step_estimate().state;
        let state = each.saturating_mul(samples as u64);
        MemoryEstimate { state, ..MemoryEstimate::default() }.check(Workspace::LIMIT)?;
        let mut states = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let (carries, len) = match &node.op {
                Some(Op::Sample(op)) => (op.carries(), op.state_len()),
                Some(Op::Batch(op)) => (true, op.state_len()),
                None => (true, 0),
            };
            if !carries {
                return Err(Error::unsupported("this layer cannot continue from a state")
                    .in_layer(&node.name)
                    .advice("pass whole sequences"));
            }
            let mut state = vec![R::ZERO; len];
            if let Some(Op::Sample(op)) = &node.op {
                op.init_state(&mut state);
            }
            states.push(state);
        }
        let own = |number| Carried { number, states: states.clone() };
        Ok(Carry { samples: (0..samples).map(own).collect(), stretch: 0 })
    }

    /// As [`forward`](Self::forward) for the next stretch of time: the pass starts with the states in
    /// `carry`, and stores there the states after the last step. A backward pass ends at the first step
    /// of the stretch. Aggregations give a result for each stretch.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and if `carry` belongs to another network or another number of
    /// samples. `carry` is then left unchanged.
    pub fn forward_on<'n, 'w, P: Purpose>(
        &'n self,
        inputs: &Inputs<'_, R>,
        mode: Mode<P>,
        carry: &mut Carry<R>,
        workspace: &'w mut Workspace<R>,
    ) -> Result<Pass<'n, 'w, R, P>> {
        let (nodes, samples) = (self.nodes.len(), inputs.samples());
        if carry.samples.len() != samples || carry.samples.iter().any(|s| s.states.len() != nodes) {
            return Err(Error::data("the states do not belong to this batch")
                .expected(format!("{samples} samples of {nodes} nodes"))
                .found(format!("{} samples", carry.samples.len())));
        }
        workspace.prepare(samples, inputs.first(), nodes, self.buffers.len());
        for (sample, own) in workspace.samples.iter_mut().zip(&mut carry.samples) {
            sample.number = inputs.first() + own.number;
            sample.carry = std::mem::take(&mut own.states);
        }
        let settings = Settings { stretch: carry.stretch, ..mode.settings };
        let output = self.run(inputs, settings, workspace);
        for (sample, own) in workspace.samples.iter_mut().zip(&mut carry.samples) {
            own.states = std::mem::take(&mut sample.carry);
        }
        let output = output?;
        carry.stretch += 1;
        Ok(Pass::new(self, workspace, settings, output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GradientSum, NetworkConfig};
    use crate::layer::Dense;

    /// A sample keeps its slot when others of its batch are over: the slot is that of its number, not
    /// of its position among those that are left.
    #[test]
    fn gradients_of_a_stretch_go_to_the_slots_of_its_samples() {
        let network = NetworkConfig::sequential([2]).then(Dense::new(1)).build::<f64>(1).unwrap();
        let (mut space, mut sum) = (Workspace::new(), GradientSum::new(&network));
        let mut carry = network.carry(4).unwrap();
        let chosen = [1, 3];
        let mut own = carry.take(&chosen);
        let frames = ndarray::Array3::<f64>::ones((2, 3, 2)).into_dyn();
        for first in [0, 4] {
            let inputs = Inputs::of("input", frames.view()).numbered_from(first);
            let mut pass =
                network.forward_on(&inputs, Mode::train(0), &mut own, &mut space).unwrap();
            let ones = ndarray::ArrayD::ones(pass.output().raw_dim());
            pass.backward(ones.view(), &mut sum).unwrap();
        }
        let by_bias = sum.slots.iter().map(|slot| slot[1][0]).collect::<Vec<_>>();
        assert_eq!(by_bias, [0.0, 6.0, 0.0, 6.0]);
        assert_eq!(sum.reduce().get(1), [12.0]);
    }
}
