//! Losses: from a network's output and labels to one number and a gradient.

use ndarray::{Array2, ArrayView2};

use crate::{Error, Real, Result};

/// Mean cross-entropy of logits `[N, classes]` and classes `[N]`.
///
/// Gives the loss and its gradient by the logits, `[N, classes]`.
///
/// # Errors
/// If there are no samples or classes, not one label a sample, or a label is no class.
pub fn cross_entropy<R: Real>(
    logits: ArrayView2<'_, R>,
    labels: &[usize],
) -> Result<(R, Array2<R>)> {
    let (samples, classes) = logits.dim();
    if samples == 0 || classes == 0 {
        return Err(Error::data("a loss of nothing")
            .expected("1 or more samples and classes")
            .found(format!("{samples} samples of {classes} classes")));
    }
    if labels.len() != samples {
        return Err(Error::data("not one label a sample").expected(samples).found(labels.len()));
    }
    if let Some((n, &label)) = labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
        return Err(Error::data(format!("the label of sample {n} is no class"))
            .expected(format!("0 to {}", classes - 1))
            .found(label));
    }
    let count = R::of(samples as f64);
    let mut gradient = Array2::from_elem((samples, classes), R::ZERO);
    let mut loss = R::ZERO;
    for (n, &label) in labels.iter().enumerate() {
        let row = logits.row(n);
        let largest = row.iter().fold(row[0], |max, &z| max.max(z));
        let sum: R = row.iter().map(|&z| (z - largest).exp()).sum();
        loss += sum.ln() + largest - row[label];
        for (c, &z) in row.iter().enumerate() {
            let p = (z - largest).exp() / sum;
            gradient[[n, c]] = (if c == label { p - R::ONE } else { p }) / count;
        }
    }
    Ok((loss / count, gradient))
}
