//! The factor `gain / (1 - alpha)` of neurons, which NIR stores in the weights before them.

use liaf_core::layer::LayerConfig;
use liaf_core::neuron::Neuron;
use liaf_core::{Real, Result};

use super::export::Export;

impl<R: Real> Export<'_, R> {
    /// The only layer that takes the output of this one, if there is exactly one.
    fn consumer(&self, index: usize) -> Option<usize> {
        let takes = |&i: &usize| self.needed[i] && self.nodes[i].from.contains(&index);
        let mut all = (index + 1..self.nodes.len()).filter(takes);
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }

    /// The factor of each row of a layer's weights, if neurons after it need one.
    pub(super) fn scale_after(&self, index: usize) -> Result<Option<Vec<f64>>> {
        let mut at = index;
        loop {
            let Some(next) = self.consumer(at) else { return Ok(None) };
            match &self.nodes[next].layer {
                Some(
                    LayerConfig::AvgPool(_) | LayerConfig::Flatten(_) | LayerConfig::Dropout(_),
                ) => {
                    at = next;
                }
                Some(LayerConfig::Neuron(neuron)) => {
                    let scale = self.scale(next, neuron)?;
                    let rows = self.nodes[index].shape.channels().0;
                    return Ok(rows_of(&scale, rows, at == index));
                }
                _ => return Ok(None),
            }
        }
    }

    /// Whether a layer before these neurons includes their factor in its weights.
    pub(super) fn taken_up(&self, index: usize) -> Result<bool> {
        let mut at = self.nodes[index].from[0];
        loop {
            let node = &self.nodes[at];
            if self.consumer(at).is_none() {
                return Ok(false);
            }
            match &node.layer {
                Some(LayerConfig::Dense(_) | LayerConfig::Conv2d(_)) => {
                    return Ok(self.scale_after(at)?.is_some());
                }
                Some(
                    LayerConfig::AvgPool(_) | LayerConfig::Flatten(_) | LayerConfig::Dropout(_),
                ) => {
                    at = node.from[0];
                }
                _ => return Ok(false),
            }
        }
    }

    /// `gain / (1 - alpha)` for every neuron, or the gain if alpha is 1.
    pub(super) fn scale(&self, index: usize, neuron: &Neuron) -> Result<Vec<f64>> {
        let alpha = self.constant(index, "alpha", &neuron.alpha)?;
        let gain = self.constant(index, "gain", &neuron.gain)?;
        let factor = |(alpha, gain): (&f64, &f64)| {
            if *alpha == 1.0 { *gain } else { gain / (1.0 - alpha) }
        };
        Ok(alpha.iter().zip(&gain).map(factor).collect())
    }
}

/// One factor for each row of weights, if the neurons of each row have the same one. After a pooling
/// (`direct` is false), all neurons must have the same one.
fn rows_of(scale: &[f64], rows: usize, direct: bool) -> Option<Vec<f64>> {
    let first = *scale.first()?;
    if scale.iter().all(|&factor| factor == first) {
        return Some(vec![first; rows]);
    }
    let run = scale.len() / rows.max(1);
    let agree = |row: &[f64]| row.iter().all(|factor| *factor == row[0]);
    let fits = direct && run > 0 && run * rows == scale.len();
    (fits && scale.chunks_exact(run).all(agree))
        .then(|| scale.chunks_exact(run).map(|row| row[0]).collect())
}
