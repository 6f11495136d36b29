//! An output whose shape, labels and lengths have been checked against each other.

use ndarray::ArrayViewD;

use crate::error::{Error, Result};
use crate::real::Real;

/// The scores of all samples, one after another, `[N, T, classes]`; T is 1 without time.
pub(super) struct Scores<'a> {
    numbers: Vec<f64>,
    lengths: Option<&'a [usize]>,
    pub classes: usize,
    /// Number of values per sample.
    pub stride: usize,
}

impl<'a> Scores<'a> {
    /// `first` is the number of the first sample, for errors.
    pub fn new<R: Real>(
        output: &ArrayViewD<'_, R>,
        labels: &[usize],
        lengths: Option<&'a [usize]>,
        first: usize,
    ) -> Result<Self> {
        let (samples, steps, classes) = match *output.shape() {
            [samples, classes] => (samples, 1, classes),
            [samples, steps, classes] => (samples, steps, classes),
            _ => {
                return Err(Error::shape("a loss needs scores of classes")
                    .expected("[N, classes] or [N, T, classes]")
                    .found(format!("{:?}", output.shape())));
            }
        };
        let timed = output.ndim() == 3;
        if samples == 0 || steps == 0 || classes == 0 {
            return Err(Error::data("the output must not be empty")
                .expected("1 or more samples, steps and classes")
                .found(format!("{:?}", output.shape())));
        }
        if labels.len() != samples {
            return Err(Error::data("there must be one label for each sample")
                .expected(samples)
                .found(labels.len()));
        }
        if let Some((n, &label)) = labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
            return Err(Error::data(format!("the label of sample {} is not a class", first + n))
                .expected(format!("0 to {}", classes - 1))
                .found(label));
        }
        let lengths = lengths.filter(|_| timed);
        if let Some(lengths) = lengths {
            if lengths.len() != samples {
                return Err(Error::data("there must be one length for each sample")
                    .expected(samples)
                    .found(lengths.len()));
            }
            if let Some((n, &length)) =
                lengths.iter().enumerate().find(|&(_, length)| !(1..=steps).contains(length))
            {
                return Err(Error::data(format!(
                    "the length of sample {} is out of range",
                    first + n
                ))
                .expected(format!("1 to {steps}"))
                .found(length));
            }
        }
        let stride = steps * classes;
        let all = Self {
            numbers: output.iter().map(|score| score.f64()).collect(),
            lengths,
            classes,
            stride,
        };
        match (0..samples).find(|&n| all.sample(n).iter().any(|score| !score.is_finite())) {
            Some(n) => Err(Error::data(format!("a score of sample {} is not finite", first + n))
                .expected("finite numbers")
                .advice("training diverged: try a lower learning rate or gradient clipping")),
            None => Ok(all),
        }
    }

    /// The real steps of sample `n`, `[T, classes]`.
    pub fn sample(&self, n: usize) -> &[f64] {
        let all = &self.numbers[n * self.stride..(n + 1) * self.stride];
        match self.lengths {
            Some(lengths) => &all[..lengths[n] * self.classes],
            None => all,
        }
    }
}
