//! The result of counting.

use serde::Serialize;

use super::{CountRule, Work};
use crate::shape::Shape;

/// The cost of a layer for one sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerCost {
    /// Name of the layer.
    pub name: String,
    /// Type of the layer, as in a configuration.
    pub kind: String,
    /// Shape of the output.
    pub shape: Shape,
    /// How often the layer runs for one sample: steps of its output, or of its input if it ends time.
    pub steps: usize,
    /// Number of weights, without biases.
    pub weights: u64,
    /// Number of all parameters, including biases and the constants of norms and neurons. A shared
    /// parameter counts for the layer that owns it.
    pub parameters: u64,
    /// Number of values that the layer carries from step to step.
    pub state: u64,
    /// Bytes that the layer holds while the network runs step by step with 32-bit numbers: parameters, running
    /// statistics, state, and the output of one step.
    pub memory: u64,
    /// Operations of one step.
    pub work: Work,
    /// Multiply-accumulates per sample; 0 by [`CountRule::EsNotebook`], which does not count them.
    pub macs: u64,
    /// Multiplications per sample, including those of the MACs.
    pub multiplications: u64,
    /// Additions and comparisons per sample, including those of the MACs.
    pub additions: u64,
    /// The cost if the layer computes only where its input has a spike; `None` if no rate is known or
    /// the input does not consist of spikes.
    pub event: Option<EventCost>,
}

/// The cost for one sample of a layer after spiking neurons, if it adds a weight for each spike and
/// does nothing else: instead of multiplications there is one addition for each spike and weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EventCost {
    /// Spikes per number of the input and per step.
    pub rate: f64,
    /// Multiplications per sample.
    pub multiplications: u64,
    /// Additions and comparisons per sample.
    pub additions: u64,
}

/// The cost of a network, layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Time steps of the sample.
    pub steps: usize,
    /// How it was counted.
    pub rule: CountRule,
    /// The layers in order.
    pub layers: Vec<LayerCost>,
}

/// Sums over layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Total {
    /// Number of weights, without biases.
    pub weights: u64,
    /// Number of all parameters.
    pub parameters: u64,
    /// Number of values carried from step to step.
    pub state: u64,
    /// Bytes that all layers hold while the network runs step by step with 32-bit numbers.
    pub memory: u64,
    /// Multiply-accumulates per sample.
    pub macs: u64,
    /// Multiply-accumulates of one step, of the layers that run at every step.
    pub macs_per_step: u64,
    /// Multiplications per sample.
    pub multiplications: u64,
    /// Additions and comparisons per sample.
    pub additions: u64,
    /// Multiplications per sample if layers after spiking neurons compute only at spikes.
    pub event_multiplications: u64,
    /// Additions and comparisons per sample in the same case.
    pub event_additions: u64,
}

impl Cost {
    /// The sums over all layers.
    pub fn total(&self) -> Total {
        self.sum(|_| true)
    }

    /// The sums over the layers for which `of` returns true, for example those with weights.
    pub fn sum(&self, of: impl Fn(&LayerCost) -> bool) -> Total {
        let mut total = Total::default();
        let add = |sum: &mut u64, part: u64| *sum = sum.saturating_add(part);
        for layer in self.layers.iter().filter(|layer| of(layer)) {
            let (multiplications, additions) = match &layer.event {
                Some(event) => (event.multiplications, event.additions),
                None => (layer.multiplications, layer.additions),
            };
            add(&mut total.weights, layer.weights);
            add(&mut total.parameters, layer.parameters);
            add(&mut total.state, layer.state);
            add(&mut total.memory, layer.memory);
            add(&mut total.macs, layer.macs);
            if layer.shape.timed && self.rule == CountRule::Textbook {
                add(&mut total.macs_per_step, layer.work.macs());
            }
            add(&mut total.multiplications, layer.multiplications);
            add(&mut total.additions, layer.additions);
            add(&mut total.event_multiplications, multiplications);
            add(&mut total.event_additions, additions);
        }
        total
    }

    /// Whether a number is larger than can be counted. It is [`u64::MAX`] then, and sums with it are as
    /// well.
    pub fn is_saturated(&self) -> bool {
        let Total {
            weights,
            parameters,
            state,
            memory,
            macs,
            macs_per_step,
            multiplications,
            additions,
            event_multiplications,
            event_additions,
        } = self.total();
        let operations = [macs, macs_per_step, multiplications, additions];
        let rest = [weights, parameters, state, memory, event_multiplications, event_additions];
        operations.into_iter().chain(rest).any(|number| number == u64::MAX)
    }

    /// Whether some layer can compute only at spikes.
    pub fn has_events(&self) -> bool {
        self.layers.iter().any(|layer| layer.event.is_some())
    }
}
