//! Losses: from a network's output and labels to one number and a gradient.
//!
//! An output is `[N, classes]`, or `[N, T, classes]` with scores at every step. All sums are computed
//! in f64, whatever the number type of the network is.

mod criterion;
mod rules;
mod scores;

use ndarray::{Array2, ArrayD, ArrayViewD};
use serde::{Deserialize, Serialize};

pub use criterion::{Criterion, SampleLoss};

use crate::error::{Error, Result};
use crate::real::Real;
use crate::shape::Shape;
use scores::Scores;

/// The difference between an output and the labels.
///
/// | | formula, mean over samples; `z_t` scores at step t, `z` their mean over the T steps |
/// |---|---|
/// | cross-entropy | `-sum_c q_c log softmax(z)_c`, `q = (1 - s) onehot + s / classes` |
/// | MSE | `sum_c (z_c - onehot_c)² / classes` |
/// | spike count | `sum_c (sum_t z_tc - target_c)² / (classes · T)` |
/// | TET | `sum_t cross-entropy(z_t) / T` |
///
/// T counts the steps of a sample without padding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Loss {
    /// Cross-entropy of the mean scores, `torch.nn.CrossEntropyLoss`.
    CrossEntropy {
        /// Share s of the target that is spread over all classes, at least 0 and below 1. Default 0.
        #[serde(default)]
        label_smoothing: f64,
    },
    /// Mean squared error of the mean scores, or rates, and one-hot targets (He et al. 2020).
    Mse,
    /// Mean squared error of spike counts and target counts, `[N, T, classes]` only
    /// (`snntorch.functional.mse_count_loss`, which rounds the target counts down).
    SpikeCount {
        /// Share of the steps in which the neuron of the label should fire. Default 1.
        #[serde(default = "one")]
        correct: f64,
        /// Share of the steps in which the other neurons should fire. Default 0.
        #[serde(default)]
        incorrect: f64,
    },
    /// Cross-entropy at every step, `[N, T, classes]` only (Deng et al., Temporal Efficient
    /// Training, ICLR 2022).
    Tet {
        /// As in cross-entropy. Default 0.
        #[serde(default)]
        label_smoothing: f64,
    },
}

fn one() -> f64 {
    1.0
}

impl Default for Loss {
    fn default() -> Self {
        Self::CrossEntropy { label_smoothing: 0.0 }
    }
}

/// The result of a [`Loss`] for an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged<R> {
    /// Mean loss over the samples.
    pub loss: f64,
    /// Loss of each sample.
    pub losses: Vec<f64>,
    /// Gradient with respect to the output, of the same shape; 0 at padded steps.
    pub gradient: ArrayD<R>,
    /// The class with the largest mean score of each sample; the first one if there are several.
    pub classes: Vec<usize>,
    /// Number of samples whose class is their label.
    pub correct: usize,
}

impl Loss {
    /// Returns an error if a value is invalid.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::CrossEntropy { label_smoothing: s } | Self::Tet { label_smoothing: s }
                if !(0.0..1.0).contains(&s) =>
            {
                Err(Error::config("label smoothing must be at least 0 and below 1")
                    .expected("0 or more and less than 1")
                    .found(s))
            }
            Self::SpikeCount { correct, incorrect }
                if !(correct.is_finite() && incorrect.is_finite()) =>
            {
                Err(Error::config("target rates must be finite")
                    .found(format!("{correct} and {incorrect}")))
            }
            _ => Ok(()),
        }
    }

    /// Returns an error if the scores have no time and the loss needs them at every step.
    pub(crate) fn check_time(&self, scores: &Shape) -> Result<()> {
        if scores.timed || !matches!(self, Self::SpikeCount { .. } | Self::Tet { .. }) {
            return Ok(());
        }
        Err(Error::shape("this loss needs scores at every step")
            .expected("[N, T, classes]")
            .found(scores)
            .advice("remove the aggregation at the end of the network"))
    }

    /// The loss of `output`, `[N, classes]` or `[N, T, classes]`, for `labels` `[N]`. `lengths` are the
    /// numbers of steps of each sample that are not padding.
    ///
    /// ```
    /// use liaf_core::loss::Loss;
    /// let scores = ndarray::arr2(&[[2.0, 0.0], [0.0, 2.0]]).into_dyn();
    /// let judged = Loss::default().judge(scores.view(), &[0, 0], None)?;
    /// assert_eq!((judged.correct, judged.classes), (1, vec![0, 1]));
    /// # Ok::<(), liaf_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are no samples, steps or classes, if there is not one label or length for each sample,
    /// if a label is not the index of a class, if a score is not finite, or if the loss needs scores at
    /// every step.
    pub fn judge<R: Real>(
        &self,
        output: ArrayViewD<'_, R>,
        labels: &[usize],
        lengths: Option<&[usize]>,
    ) -> Result<Judged<R>> {
        self.judge_part(output, labels, lengths, (0, labels.len()))
    }

    /// As [`judge`](Self::judge), for the samples from number `first` on of a batch of `count` samples: the
    /// gradient is that of the mean loss of the whole batch, and so is `loss` the share of it.
    pub(crate) fn judge_part<R: Real>(
        &self,
        output: ArrayViewD<'_, R>,
        labels: &[usize],
        lengths: Option<&[usize]>,
        (first, count): (usize, usize),
    ) -> Result<Judged<R>> {
        self.check()?;
        let timed = output.ndim() == 3;
        self.check_time(&Shape {
            timed,
            item: output.shape().last().copied().into_iter().collect(),
        })?;
        judge_samples(output, labels, lengths, (first, count), |sample, gradient| {
            self.of_sample(&sample, gradient)
        })
    }

    /// The loss of a sample, whose gradient is added to `gradient`.
    fn of_sample(&self, sample: &Sample<'_>, gradient: &mut [f64]) -> f64 {
        let &Sample { scores, classes, label, .. } = sample;
        match *self {
            Self::CrossEntropy { label_smoothing } => {
                let (loss, by_mean) = rules::cross_entropy(sample.mean, label, label_smoothing);
                rules::spread(&by_mean, gradient);
                loss
            }
            Self::Mse => {
                let (loss, by_mean) = rules::squared(sample.mean, label);
                rules::spread(&by_mean, gradient);
                loss
            }
            Self::SpikeCount { correct, incorrect } => {
                rules::count(scores, label, classes, (correct, incorrect), gradient)
            }
            Self::Tet { label_smoothing } => {
                rules::every_step(scores, label, classes, label_smoothing, gradient)
            }
        }
    }
}

/// What is known of a sample.
struct Sample<'a> {
    /// Its scores at every step, without padding, `[T · classes]`.
    scores: &'a [f64],
    /// The mean of its scores over the steps, `[classes]`.
    mean: &'a [f64],
    classes: usize,
    label: usize,
}

/// The results of the samples from number `first` on of a batch of `count` samples, of which `loss` returns the
/// loss and adds its gradient.
fn judge_samples<R: Real>(
    output: ArrayViewD<'_, R>,
    labels: &[usize],
    lengths: Option<&[usize]>,
    (first, count): (usize, usize),
    loss: impl Fn(Sample<'_>, &mut [f64]) -> f64,
) -> Result<Judged<R>> {
    let all = Scores::new(&output, labels, lengths, first)?;
    let mut gradient = vec![0.0; output.len()];
    let (mut losses, mut chosen) = (Vec::new(), Vec::new());
    for (n, &label) in labels.iter().enumerate() {
        let (scores, classes) = (all.sample(n), all.classes);
        let at = n * all.stride;
        let mean = &rules::mean_over_time(scores, classes);
        chosen.push(rules::largest(mean));
        let sample = Sample { scores, mean, classes, label };
        losses.push(loss(sample, &mut gradient[at..at + scores.len()]));
    }
    let count = count as f64;
    let gradient: Vec<R> = gradient.into_iter().map(|g| R::of(g / count)).collect();
    let correct = chosen.iter().zip(labels).filter(|(class, label)| class == label).count();
    let gradient = ArrayD::from_shape_vec(output.raw_dim(), gradient).unwrap_or_default();
    let loss = losses.iter().sum::<f64>() / count;
    Ok(Judged { loss, losses, gradient, classes: chosen, correct })
}

/// Mean cross-entropy of logits `[N, classes]` and classes `[N]`, and its gradient with respect to the
/// logits: [`Loss::CrossEntropy`] without smoothing.
///
/// # Errors
/// As [`Loss::judge`].
pub fn cross_entropy<R: Real>(
    logits: ndarray::ArrayView2<'_, R>,
    labels: &[usize],
) -> Result<(R, Array2<R>)> {
    let judged = Loss::default().judge(logits.view().into_dyn(), labels, None)?;
    let gradient = judged.gradient.into_dimensionality().unwrap_or_default();
    Ok((R::of(judged.loss), gradient))
}
