//! Firing rates of neurons.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::Result;
use crate::graph::{Pass, Trace, Train};
use crate::layer::contract::Spikes;
use crate::real::Real;

/// Firing rates of spiking layers: spikes per neuron and step, 0 to 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Rates {
    /// The rate of every layer that is not in `layers`.
    pub all: f64,
    /// Measured rates by layer.
    pub layers: BTreeMap<String, f64>,
}

impl Rates {
    /// The same rate for all layers.
    pub fn given(rate: f64) -> Self {
        Self { all: rate.clamp(0.0, 1.0), layers: BTreeMap::new() }
    }

    /// The rates in a training pass. A pass that is [frozen](crate::graph::Mode::frozen) gives those of
    /// the network in evaluation.
    ///
    /// # Errors
    /// As [`Pass::trace`].
    pub fn measured<R: Real>(pass: &Pass<'_, '_, R, Train>) -> Result<Self> {
        let mut rates = Self::default();
        for node in pass.network().config().resolve()? {
            if node.spikes == Spikes::Fires {
                let spikes = pass.trace(&node.name, Trace::Spikes)?;
                let sum = spikes.iter().map(|f| f.f64()).sum::<f64>();
                rates.layers.insert(node.name, sum / spikes.len().max(1) as f64);
            }
        }
        Ok(rates)
    }

    pub(super) fn of(&self, layer: &str) -> f64 {
        self.layers.get(layer).copied().unwrap_or(self.all)
    }
}
