//! Division of batches into stretches of time.

use ndarray::{ArrayD, Axis, Slice};

use crate::error::{Error, Result};
use crate::graph::{Inputs, Network};
use crate::real::Real;

/// A stretch of time of those samples of a batch that have not ended.
pub(super) struct Stretch<R> {
    /// Indices of the samples.
    pub chosen: Vec<usize>,
    /// Number of steps of each sample in this stretch.
    pub lengths: Vec<usize>,
    /// Share of each sample's steps that is in this stretch.
    pub shares: Vec<f64>,
    /// Whether it is the last stretch of each sample.
    pub last: Vec<bool>,
    /// Arrays of all inputs by name.
    arrays: Vec<(String, ArrayD<R>)>,
    /// Name of the input with time.
    timed: String,
    /// Index in the whole batch of sample 0 of the part to which the stretch belongs.
    first: usize,
}

impl<R: Real> Stretch<R> {
    /// The stretch as a batch.
    pub fn inputs(&self) -> Inputs<'_, R> {
        let empty = Inputs::of_nothing();
        let all = self.arrays.iter().fold(empty, |all, (name, data)| all.with(name, data.view()));
        all.lengths(&self.timed, &self.lengths).numbered_from(self.first)
    }
}

/// The name of the only input with time.
pub(super) fn timed_input<R: Real>(network: &Network<R>) -> Result<&str> {
    let mut timed = network.input_shapes().filter(|(_, shape)| shape.timed);
    match (timed.next(), timed.next()) {
        (Some((name, _)), None) => Ok(name),
        _ => Err(Error::unsupported("truncation needs a network with exactly one input with time")),
    }
}

/// Stretch number `number`, of `steps` steps; `None` after the end.
pub(super) fn stretch<R: Real>(
    inputs: &Inputs<'_, R>,
    timed: &str,
    number: usize,
    steps: usize,
) -> Option<Stretch<R>> {
    let full = inputs.data(timed)?.shape().get(1).copied()?;
    let start = number.checked_mul(steps).filter(|&start| start < full)?;
    let given = inputs.real_steps(timed);
    let length = |n: usize| given.and_then(|given| given.get(n)).map_or(full, |&len| len.min(full));
    let chosen: Vec<usize> = (0..inputs.samples()).filter(|&n| length(n) > start).collect();
    if chosen.is_empty() {
        return None;
    }
    let lengths: Vec<usize> = chosen.iter().map(|&n| (length(n) - start).min(steps)).collect();
    let shares = chosen.iter().zip(&lengths).map(|(&n, &own)| own as f64 / length(n) as f64);
    let last = chosen.iter().map(|&n| length(n) <= start + steps).collect();
    let (shares, end) = (shares.collect(), (start + steps).min(full));
    let arrays = inputs
        .names()
        .filter_map(|name| {
            let mut data = inputs.data(name)?;
            if name == timed {
                data.slice_axis_inplace(Axis(1), Slice::from(start..end));
            }
            Some((name.to_owned(), data.select(Axis(0), &chosen)))
        })
        .collect();
    let (timed, first) = (timed.to_owned(), inputs.first());
    Some(Stretch { chosen, lengths, shares, last, arrays, timed, first })
}
