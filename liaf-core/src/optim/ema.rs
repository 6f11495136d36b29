//! A moving average of the weights.

use crate::error::{Error, Result};
use crate::graph::Param;
use crate::real::Real;

/// Exponential moving average of all parameters: `e = decay · e + (1 - decay) · p`, in the first
/// step `e = p` (`torch.optim.swa_utils.get_ema_multi_avg_fn`). Running statistics are not averaged.
///
/// Before the first update, the average is the current parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Ema<R> {
    decay: f64,
    updates: u64,
    /// By parameter; unspecified before the first update.
    weights: Vec<Vec<R>>,
}

impl<R: Real> Ema<R> {
    /// An average without any updates.
    ///
    /// # Errors
    /// If `decay` is not at least 0 and below 1.
    pub fn new(decay: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&decay) {
            return Err(Error::config(
                "the decay of the average of weights must be at least 0 and below 1",
            )
            .expected("0 or more and less than 1")
            .found(decay));
        }
        Ok(Self { decay, updates: 0, weights: Vec::new() })
    }

    /// Adds the weights after one more step to the average.
    pub fn update(&mut self, params: &[Param<R>]) {
        let new = R::of(1.0 - self.decay);
        self.weights.resize_with(params.len(), Vec::new);
        for (average, param) in self.weights.iter_mut().zip(params) {
            if self.updates == 0 {
                average.clone_from(&param.data);
            } else {
                average.iter_mut().zip(&param.data).for_each(|(e, &p)| *e += new * (p - *e));
            }
        }
        self.updates += 1;
    }

    /// Starts the average anew, as the weights that it contains have been replaced.
    pub fn restart(&mut self) {
        self.updates = 0;
    }

    /// The averages of these parameters, in the same order.
    pub fn averages<'a>(&'a self, params: &'a [Param<R>]) -> impl Iterator<Item = &'a [R]> {
        let begun = self.updates > 0;
        let own = self.weights.iter().filter(move |_| begun).map(Vec::as_slice);
        own.chain(params.iter().filter(move |_| !begun).map(|param| param.data.as_slice()))
    }

    /// Exchanges the averages and the weights of `params`. Calling it twice restores both.
    pub fn swap(&mut self, params: &mut [Param<R>]) {
        for (average, param) in self.weights.iter_mut().zip(params).filter(|_| self.updates > 0) {
            std::mem::swap(average, &mut param.data);
        }
    }

    /// Number of updates so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Continues with averages that were stored.
    pub fn restore(&mut self, updates: u64, weights: Vec<Vec<R>>) {
        (self.updates, self.weights) = (updates, weights);
    }
}
