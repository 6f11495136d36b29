//! How often neurons fire.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::layer::Layer;
use crate::op::Trace;
use crate::{Network, Real, Result, Workspace};

/// Firing rates of spiking layers: spikes per neuron and step, 0 to 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Rates {
    /// The rate of every layer that is not in `layers`.
    pub all: f64,
    /// Measured rates by layer.
    pub layers: BTreeMap<String, f64>,
}

impl Rates {
    /// One rate for all layers.
    pub fn given(rate: f64) -> Self {
        Self { all: rate.clamp(0.0, 1.0), layers: BTreeMap::new() }
    }

    /// The rates of the last batch that `network` passed, with [`Mode`](crate::Mode)`::keep`.
    ///
    /// # Errors
    /// If nothing has been passed or kept.
    pub fn measured<R: Real>(network: &Network<R>, space: &Workspace<R>) -> Result<Self> {
        let mut rates = Self::default();
        for node in network
            .config()
            .resolve()?
            .iter()
            .filter(|node| node.layer.as_ref().is_some_and(Layer::fires))
        {
            let spikes = network.trace(&node.name, Trace::Spikes, space)?;
            let mean = spikes.iter().map(|f| f.f64()).sum::<f64>() / spikes.len().max(1) as f64;
            rates.layers.insert(node.name.clone(), mean);
        }
        Ok(rates)
    }

    pub(super) fn of(&self, layer: &str) -> f64 {
        self.layers.get(layer).copied().unwrap_or(self.all)
    }
}
