//! What the layers of neurons do: how often they fire, and how their membrane potentials are distributed.

use std::sync::Arc;

use liaf_core::graph::Trace;
use liaf_core::layer::LayerConfig;
use liaf_core::neuron::{Constant, First};
use liaf_core::{Mode, Network, Workspace};

use super::network::only_input;
use crate::error::Result;
use crate::samples::{Examples, Loader, Subset};

/// A layer of neurons on some samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayerActivity {
    /// Name of the layer.
    pub name: String,
    /// Spikes per neuron and step. In a LIAF neuron, a spike resets the membrane and is not its output.
    pub rate: f64,
    /// Membrane potentials U, before they are reset.
    pub potentials: Histogram,
    /// The firing threshold, if it is the same for all neurons and not learned.
    pub threshold: Option<f64>,
}

/// Number of samples that are looked at.
pub(super) const SAMPLES: usize = 32;

/// The layers of neurons on samples from all parts of a set.
///
/// # Errors
/// If the samples do not fit the network or cannot be read.
pub(super) fn activity(
    network: &Network<f32>,
    set: &Arc<dyn Examples>,
    loader: &Loader,
) -> Result<Vec<LayerActivity>> {
    let mut layers = neurons(network)?;
    if layers.is_empty() {
        return Ok(layers);
    }
    let count = set.len().min(SAMPLES);
    let some = Subset::new(Arc::clone(set), (0..count).map(|n| n * set.len() / count).collect())?;
    let only = only_input(network);
    let (mut space, mut spikes) = (Workspace::new(), vec![0.0; layers.len()]);
    // One at a time: nothing is padded, and the potentials of a whole batch may take much memory.
    Loader { batch: 1, ..*loader }.run_stored(&some, |sample| {
        let Some(inputs) = sample.inputs(only.as_deref()) else { return Ok(()) };
        let pass = network.forward(&inputs, Mode::train(0).frozen(), &mut space)?;
        for (layer, spikes) in layers.iter_mut().zip(&mut spikes) {
            // Neurons that never fire do not keep their potentials.
            let Ok(potentials) = pass.trace(&layer.name, Trace::Potential) else { continue };
            potentials.iter().for_each(|&u| layer.potentials.add(u.into()));
            let fired = pass.trace(&layer.name, Trace::Spikes)?;
            *spikes += fired.iter().map(|&spike| f64::from(spike)).sum::<f64>();
        }
        Ok(())
    })?;
    for (layer, spikes) in layers.iter_mut().zip(spikes) {
        layer.rate = spikes / layer.potentials.total().max(1) as f64;
    }
    layers.retain(|layer| layer.potentials.total() > 0);
    Ok(layers)
}

/// The layers of neurons, without what is measured.
fn neurons(network: &Network<f32>) -> Result<Vec<LayerActivity>> {
    let nodes = network.config().resolve()?;
    let neurons = nodes.into_iter().filter_map(|node| {
        let threshold = match &node.layer {
            Some(LayerConfig::Neuron(neuron)) => fixed(&neuron.threshold),
            Some(LayerConfig::Plif(_)) => None,
            _ => return None,
        };
        let potentials = Histogram::default();
        Some(LayerActivity { name: node.name, rate: 0.0, potentials, threshold })
    });
    Ok(neurons.collect())
}

fn fixed(constant: &Constant) -> Option<f64> {
    match constant.init {
        First::Value(value) if !constant.learn => Some(value),
        _ => None,
    }
}

/// Number of bins on either side of 0.
const BINS: usize = 256;

/// Counts of numbers in bins of equal width around 0. If a number is beyond the last bin, bins become twice
/// as wide, so that the numbers need not be known in advance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    width: f64,
    counts: Vec<u64>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { width: 1.0 / 1024.0, counts: vec![0; 2 * BINS] }
    }
}

impl Histogram {
    /// Counts a number. One that is not finite is not counted.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        while value.abs() >= self.width * BINS as f64 {
            self.widen();
        }
        let bin = (value / self.width).floor() + BINS as f64;
        self.counts[bin as usize] += 1;
    }

    fn widen(&mut self) {
        let (below, above) = self.counts.split_at(BINS);
        let merged = |half: &[u64]| half.chunks(2).map(|pair| pair.iter().sum()).collect();
        let (below, above): (Vec<u64>, Vec<u64>) = (merged(below), merged(above));
        let outer = vec![0; BINS / 2];
        self.counts = [&outer[..], &below, &above, &outer].concat();
        self.width *= 2.0;
    }

    /// Number of numbers.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The width of the bins, and the low end of each with its share of all numbers: as few of them, in the
    /// middle, as hold 99.9 % of the numbers. At most 64 bins: neighbours are joined.
    pub fn shares(&self) -> (f64, Vec<(f64, f64)>) {
        let mut narrow = self.clone();
        loop {
            let (first, last) = narrow.middle();
            if last - first < 64 {
                let total = narrow.total().max(1) as f64;
                let low = |bin: usize| (bin as f64 - BINS as f64) * narrow.width;
                let share = |bin: usize| (low(bin), narrow.counts[bin] as f64 / total);
                return (narrow.width, (first..=last).map(share).collect());
            }
            narrow.widen();
        }
    }

    /// The first and the last bin that are needed for 99.9 % of the numbers.
    fn middle(&self) -> (usize, usize) {
        let tail = self.total() as f64 * 0.0005;
        let first = beyond(tail, self.counts.iter()).unwrap_or(BINS);
        let last = beyond(tail, self.counts.iter().rev()).map_or(BINS, |bin| 2 * BINS - 1 - bin);
        (first, last.max(first))
    }
}

/// The first bin with which the sum of the counts is more than `tail`.
fn beyond<'a>(tail: f64, mut counts: impl Iterator<Item = &'a u64>) -> Option<usize> {
    let mut sum = 0;
    counts.position(|&count| {
        sum += count;
        sum as f64 > tail
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_its_bin_however_wide_bins_become() {
        let mut histogram = Histogram::default();
        let numbers = [0.0, 0.3, -0.3, 0.31, 2.0, -700.0, 1e6, f64::NAN, f64::INFINITY];
        numbers.into_iter().for_each(|number| histogram.add(number));
        assert_eq!(histogram.total(), 7);
        for number in numbers.into_iter().filter(|number| number.is_finite()) {
            let bin = (number / histogram.width).floor() + BINS as f64;
            assert!(histogram.counts[bin as usize] > 0, "{number}");
        }
    }

    #[test]
    fn shares_are_of_the_middle_and_add_up() {
        let mut histogram = Histogram::default();
        // Evenly from -1 to 1, and one number far away.
        (0..10_000).for_each(|n| histogram.add(f64::from(n) / 5_000.0 - 1.0));
        histogram.add(40.0);
        let (width, shares) = histogram.shares();
        let sum: f64 = shares.iter().map(|share| share.1).sum();
        assert!(shares.len() <= 64 && sum > 0.998, "{} {sum}", shares.len());
        let (low, high) = (shares[0].0, shares[shares.len() - 1].0 + width);
        assert!((-1.0 - width..=-0.9).contains(&low) && (0.9..=1.0 + width).contains(&high));
        assert_eq!(Histogram::default().shares().1, [(0.0, 0.0)]);
    }
}
