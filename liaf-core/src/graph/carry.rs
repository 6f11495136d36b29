//! A sequence in stretches: back-propagation through time that is cut.

use ndarray::ArrayD;

use crate::{Error, Op, Real, Result};

use super::{Inputs, Mode, Network, Workspace};

/// What the layers carry from one stretch of a batch to the next, by sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Carry<R> {
    samples: Vec<Carried<R>>,
}

/// What one sample carries.
#[derive(Debug, Clone, PartialEq, Default)]
struct Carried<R> {
    /// Its number in the batch that began.
    number: usize,
    /// By node.
    states: Vec<Vec<R>>,
}

impl<R: Real> Carry<R> {
    /// The states of some of the samples, which are taken out.
    pub(crate) fn take(&mut self, chosen: &[usize]) -> Self {
        let take = |&n: &usize| self.samples.get_mut(n).map(std::mem::take).unwrap_or_default();
        Self { samples: chosen.iter().map(take).collect() }
    }

    /// Puts back what was taken.
    pub(crate) fn put(&mut self, chosen: &[usize], taken: Self) {
        for (&n, own) in chosen.iter().zip(taken.samples) {
            if let Some(place) = self.samples.get_mut(n) {
                *place = own;
            }
        }
    }
}

impl<R: Real> Network<R> {
    /// The states of `samples` samples before their first stretch.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if a layer cannot go on from a
    /// state, naming it.
    pub fn carry(&self, samples: usize) -> Result<Carry<R>> {
        let mut states = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let (carries, len) = match &node.op {
                Some(Op::Sample(op)) => (op.carries(), op.state_len()),
                Some(Op::Batch(op)) => (true, op.state_len()),
                None => (true, 0),
            };
            if !carries {
                return Err(Error::unsupported("this layer cannot go on from a state")
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
        Ok(Carry { samples: (0..samples).map(own).collect() })
    }

    /// As [`forward`](Self::forward), of the next stretch of time: begins with the states of
    /// `carry` and leaves there those behind the last step. A backward pass ends at the stretch's
    /// first step. Aggregations give a result for each stretch.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and if `carry` is of another network or number of samples.
    pub fn forward_on(
        &self,
        inputs: &Inputs<'_, R>,
        mode: Mode,
        carry: &mut Carry<R>,
        workspace: &mut Workspace<R>,
    ) -> Result<ArrayD<R>> {
        let nodes = self.nodes.len();
        if carry.samples.len() != inputs.samples()
            || carry.samples.iter().any(|own| own.states.len() != nodes)
        {
            return Err(Error::data("the states are not those of this batch")
                .expected(format!("{} samples of {nodes} nodes", inputs.samples()))
                .found(format!("{} samples", carry.samples.len())));
        }
        workspace.prepare(carry.samples.len(), nodes, 0);
        for (sample, own) in workspace.samples.iter_mut().zip(&mut carry.samples) {
            (sample.number, sample.carry) = (own.number, std::mem::take(&mut own.states));
        }
        let output = self.forward(inputs, mode, workspace);
        for (sample, own) in workspace.samples.iter_mut().zip(&mut carry.samples) {
            own.states = std::mem::take(&mut sample.carry);
        }
        output
    }
}
