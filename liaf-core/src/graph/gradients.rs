//! Gradients by the parameters of a network, summed in an order that does not depend on threads.

use super::Network;
use crate::Real;

/// Places in which gradients of parameters are summed: that of a sample is its number modulo this.
/// They are added in order, so that a sum does not depend on the number of threads.
pub const SLOTS: usize = 4;

/// Gradients of a loss by all parameters of a network.
#[derive(Debug, Clone)]
pub struct Gradients<R> {
    /// By slot and parameter.
    pub(super) slots: Vec<Vec<Vec<R>>>,
}

impl<R: Real> Gradients<R> {
    /// Zeros.
    pub fn new(network: &Network<R>) -> Self {
        let zeros = || network.params.iter().map(|param| vec![R::ZERO; param.data.len()]).collect();
        Self { slots: (0..SLOTS).map(|_| zeros()).collect() }
    }

    /// Zeros again.
    pub fn clear(&mut self) {
        self.slots.iter_mut().flatten().for_each(|gradient| gradient.fill(R::ZERO));
    }

    /// Adds the slots, in order, into the first, and empties the others. Must be called before
    /// [`get`](Self::get).
    pub fn reduce(&mut self) {
        let Some((total, rest)) = self.slots.split_first_mut() else { return };
        for slot in rest {
            for (total, part) in total.iter_mut().zip(slot) {
                total.iter_mut().zip(part.iter()).for_each(|(total, &part)| *total += part);
                part.fill(R::ZERO);
            }
        }
    }

    /// Gradient by parameter number `index`.
    pub fn get(&self, index: usize) -> &[R] {
        &self.slots[0][index]
    }

    /// All gradients, in the order of the network's parameters.
    pub fn all(&self) -> &[Vec<R>] {
        &self.slots[0]
    }

    /// All gradients, to be clipped or scaled.
    pub fn all_mut(&mut self) -> &mut [Vec<R>] {
        &mut self.slots[0]
    }
}
