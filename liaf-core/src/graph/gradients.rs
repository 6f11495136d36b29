//! Gradients with respect to the parameters of a network, summed in an order that does not depend on
//! threads.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::graph::network::Network;
use crate::real::Real;

/// Number of slots in which gradients of parameters are summed. The slot of a sample is its index in
/// the batch modulo this number. The slots are added in order, so that a sum does not depend on the
/// number of threads, nor on the stretches of time or the parts in which the batch is passed.
pub const SLOTS: usize = 4;

/// Number of values that a thread processes at a time.
const PIECE: usize = 1 << 15;

/// The sum of the gradients of several passes: of the parts and stretches of a batch. It cannot be read
/// before it is [reduced](Self::reduce).
#[derive(Debug, Clone, Default)]
pub struct GradientSum<R> {
    /// By slot and parameter.
    pub(super) slots: Vec<Vec<Vec<R>>>,
}

/// The gradients of a loss with respect to all parameters of a network, in the order of its parameters.
/// Optimisers take these.
#[derive(Debug, Clone, Default)]
pub struct Gradients<R> {
    /// The first slot contains the gradients; the others are memory for the next sum.
    slots: Vec<Vec<Vec<R>>>,
}

impl<R: Real> GradientSum<R> {
    /// An empty sum.
    pub fn new(network: &Network<R>) -> Self {
        let zeros = || network.params.iter().map(|param| vec![R::ZERO; param.data.len()]).collect();
        Self { slots: (0..SLOTS).map(|_| zeros()).collect() }
    }

    /// Adds the slots in order.
    #[must_use]
    pub fn reduce(mut self) -> Gradients<R> {
        if let Some((total, rest)) = self.slots.split_first_mut() {
            for (param, total) in total.iter_mut().enumerate() {
                total.par_chunks_mut(PIECE).enumerate().for_each(|(piece, total)| {
                    for slot in &*rest {
                        let part = &slot[param][piece * PIECE..];
                        total.iter_mut().zip(part).for_each(|(total, &part)| *total += part);
                    }
                });
            }
        }
        Gradients { slots: self.slots }
    }

    /// The slots by their number, or an error if the sum was made for a network with other parameters.
    pub(crate) fn slots_for(&mut self, network: &Network<R>) -> Result<&mut [Vec<Vec<R>>]> {
        self.check(network)?;
        Ok(&mut self.slots)
    }

    /// Returns an error if the sum was made for a network with other parameters.
    pub(super) fn check(&self, network: &Network<R>) -> Result<()> {
        let fits = |slot: &Vec<Vec<R>>| {
            slot.len() == network.params.len()
                && slot.iter().zip(&network.params).all(|(sum, p)| sum.len() == p.data.len())
        };
        if self.slots.len() == SLOTS && self.slots.iter().all(fits) {
            return Ok(());
        }
        Err(Error::shape("the sum of gradients belongs to another network")
            .advice("make one with GradientSum::new for this network"))
    }
}

impl<R: Real> Gradients<R> {
    /// Reuses the memory of these gradients for the next sum.
    #[must_use]
    pub fn recycle(mut self) -> GradientSum<R> {
        self.slots.par_iter_mut().flatten().for_each(|gradient| gradient.fill(R::ZERO));
        GradientSum { slots: self.slots }
    }

    /// The gradient with respect to parameter number `index`.
    ///
    /// # Panics
    /// If there is no such parameter.
    pub fn get(&self, index: usize) -> &[R] {
        &self.all()[index]
    }

    /// All gradients, in the order of the network's parameters.
    pub fn all(&self) -> &[Vec<R>] {
        self.slots.first().map_or(&[], Vec::as_slice)
    }

    /// All gradients, for clipping or scaling.
    pub fn all_mut(&mut self) -> &mut [Vec<R>] {
        self.slots.first_mut().map_or(&mut [], Vec::as_mut_slice)
    }

    /// Euclidean norm of all gradients together, summed in f64.
    pub fn norm(&self) -> f64 {
        let squares = |piece: &[R]| {
            let mut lanes = [0.0; 8];
            for chunk in piece.chunks(8) {
                lanes.iter_mut().zip(chunk).for_each(|(lane, g)| *lane += g.f64() * g.f64());
            }
            lanes.iter().sum::<f64>()
        };
        let pieces: Vec<_> = self.all().iter().flat_map(|g| g.chunks(PIECE)).collect();
        let sums: Vec<f64> = pieces.into_par_iter().map(squares).collect();
        sums.iter().sum::<f64>().sqrt()
    }
}
