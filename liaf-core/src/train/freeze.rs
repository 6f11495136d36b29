//! Layers that training leaves as they are.

use crate::error::{Error, Result};
use crate::graph::{Gradients, Network, Param};
use crate::real::Real;

/// Which parameters and running statistics are frozen.
#[derive(Debug, Clone, Default)]
pub(super) struct Frozen {
    /// Indices of parameters and of buffers.
    params: Vec<usize>,
    buffers: Vec<usize>,
}

/// Frozen numbers before a step.
pub(super) struct Kept<R> {
    params: Vec<Vec<R>>,
}

impl Frozen {
    /// The tensors of these layers.
    ///
    /// # Errors
    /// If a name is not that of a layer with parameters, or if no parameter is left to be trained.
    pub fn new<R: Real>(network: &Network<R>, layers: &[String]) -> Result<Self> {
        let own = |params: &[Param<R>]| -> Vec<usize> {
            let is_frozen = |param: &Param<R>| {
                let layer = param.name.rsplit_once('.').map_or("", |(layer, _)| layer);
                layers.iter().any(|frozen| frozen == layer)
            };
            (0..params.len()).filter(|&index| is_frozen(&params[index])).collect()
        };
        for layer in layers {
            let owned = |param: &Param<R>| {
                param.name.rsplit_once('.').is_some_and(|(owner, _)| owner == layer)
            };
            if !network.params().iter().any(owned) {
                return Err(Error::config(
                    "there is no layer with parameters of this name to freeze",
                )
                .found(layer));
            }
        }
        let all = Self { params: own(network.params()), buffers: own(network.buffers()) };
        if !layers.is_empty() && all.params.len() == network.params().len() {
            return Err(Error::config("every layer is frozen, so that there is nothing to train"));
        }
        Ok(all)
    }

    /// Clears the gradients of frozen parameters, so that they do not count for their norm, and returns
    /// the parameters.
    pub fn before<R: Real>(&self, params: &[Param<R>], gradients: &mut Gradients<R>) -> Kept<R> {
        for &index in &self.params {
            gradients.all_mut()[index].fill(R::ZERO);
        }
        Kept { params: self.params.iter().map(|&index| params[index].data.clone()).collect() }
    }

    /// Restores what a step has changed, for example by weight decay.
    pub fn after<R: Real>(&self, kept: Kept<R>, statistics: &[Vec<R>], network: &mut Network<R>) {
        for (&index, data) in self.params.iter().zip(kept.params) {
            network.params_mut()[index].data = data;
        }
        for &index in &self.buffers {
            network.buffers_mut()[index].data.clone_from(&statistics[index]);
        }
    }
}
