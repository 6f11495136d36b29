//! The result of counting.

use serde::Serialize;

use super::{CountRule, Work};
use crate::shape::Shape;

/// What a layer costs for one sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerCost {
    /// Its name.
    pub name: String,
    /// Its type, as in a configuration.
    pub kind: String,
    /// Shape of its output.
    pub shape: Shape,
    /// How often it works on one sample: steps of its output, or of its input where time ends.
    pub steps: usize,
    /// Weights of synapses, without biases.
    pub weights: u64,
    /// All its parameters: with biases, constants of norms and neurons. A shared one counts with the
    /// layer that has it.
    pub parameters: u64,
    /// Numbers it carries from step to step.
    pub state: u64,
    /// What it does at one step.
    pub work: Work,
    /// Multiply-accumulates per sample; 0 by [`CountRule::EsNotebook`], which has none.
    pub macs: u64,
    /// Multiplications per sample, those of the MACs among them.
    pub multiplications: u64,
    /// Additions and comparisons per sample, those of the MACs among them.
    pub additions: u64,
    /// The same if synapses after spikes work at spikes only; `None` where no rate is known or the
    /// input is not made of spikes.
    pub event: Option<EventCost>,
}

/// What a layer after spikes costs for one sample if it adds a weight at a spike and does nothing
/// else: multiplications of synapses become additions, as many as there are spikes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EventCost {
    /// Spikes per number of the input and step.
    pub rate: f64,
    /// Multiplications per sample.
    pub multiplications: u64,
    /// Additions and comparisons per sample.
    pub additions: u64,
}

/// What a network costs, layer by layer.
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
    /// Weights of synapses.
    pub weights: u64,
    /// All parameters.
    pub parameters: u64,
    /// Numbers carried from step to step.
    pub state: u64,
    /// Multiply-accumulates per sample.
    pub macs: u64,
    /// Multiply-accumulates of one step of the layers that work at every step.
    pub macs_per_step: u64,
    /// Multiplications per sample.
    pub multiplications: u64,
    /// Additions and comparisons per sample.
    pub additions: u64,
    /// Multiplications per sample if synapses after spikes work at spikes only.
    pub event_multiplications: u64,
    /// Additions and comparisons per sample in the same case.
    pub event_additions: u64,
}

impl Cost {
    /// The sums over all layers.
    pub fn total(&self) -> Total {
        self.sum(|_| true)
    }

    /// The sums over some layers: those before a classifier, those with synapses, …
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

    /// Whether some layer works at spikes only.
    pub fn has_events(&self) -> bool {
        self.layers.iter().any(|layer| layer.event.is_some())
    }
}
