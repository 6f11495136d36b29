//! A moving average of the weights.

use crate::graph::{Network, Param};
use crate::{Error, Real, Result};

/// Exponential moving average of all parameters: `e = decay · e + (1 - decay) · p`, in the first
/// step `e = p` (`torch.optim.swa_utils.get_ema_multi_avg_fn`). Running statistics are not averaged.
#[derive(Debug, Clone, PartialEq)]
pub struct Ema<R> {
    decay: f64,
    updates: u64,
    weights: Vec<Vec<R>>,
}

impl<R: Real> Ema<R> {
    /// An average that begins with the weights of `network`.
    ///
    /// # Errors
    /// If `decay` is not in 0..1.
    pub fn new(decay: f64, network: &Network<R>) -> Result<Self> {
        if !(0.0..1.0).contains(&decay) {
            return Err(Error::config("an impossible decay of the average of weights")
                .expected("0 or more and less than 1")
                .found(decay));
        }
        let weights = network.params().iter().map(|param| param.data.clone()).collect();
        Ok(Self { decay, updates: 0, weights })
    }

    /// Takes the weights of one more step into the average.
    pub fn update(&mut self, params: &[Param<R>]) {
        let new = R::of(if self.updates == 0 { 1.0 } else { 1.0 - self.decay });
        for (average, param) in self.weights.iter_mut().zip(params) {
            if self.updates == 0 {
                average.copy_from_slice(&param.data);
            } else {
                average.iter_mut().zip(&param.data).for_each(|(e, &p)| *e += new * (p - *e));
            }
        }
        self.updates += 1;
    }

    /// The averages, in the order of the network's parameters.
    pub fn weights(&self) -> &[Vec<R>] {
        &self.weights
    }

    /// Exchanges the averages and the weights of `params`; done twice, all is as before.
    pub fn swap(&mut self, params: &mut [Param<R>]) {
        for (average, param) in self.weights.iter_mut().zip(params) {
            std::mem::swap(average, &mut param.data);
        }
    }

    /// Steps so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Goes on with averages that were kept.
    pub fn restore(&mut self, updates: u64, weights: Vec<Vec<R>>) {
        (self.updates, self.weights) = (updates, weights);
    }
}
