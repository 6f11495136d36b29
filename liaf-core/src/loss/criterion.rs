//! The loss of a training: one of this crate, or the caller's own.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::ArrayViewD;

use super::{Judged, Loss, judge_samples};
use crate::error::{Error, Result};
use crate::real::Real;
use crate::shape::Shape;

/// A loss of the caller's own: a function of the scores and the label of one sample, and its gradient.
///
/// ```
/// use std::sync::Arc;
///
/// use liaf_core::graph::{Inputs, NetworkConfig};
/// use liaf_core::layer::{Aggregate, Dense};
/// use liaf_core::loss::SampleLoss;
/// use liaf_core::train::{TrainConfig, Trainer};
///
/// /// The hinge loss of Crammer and Singer: `max(0, 1 + max over c ≠ label of z_c - z_label)`.
/// #[derive(Debug)]
/// struct Hinge;
///
/// impl SampleLoss for Hinge {
///     fn judge(&self, scores: &[f64], classes: usize, label: usize, gradient: &mut [f64]) -> f64 {
///         // The network has one step: its last layer ends time.
///         assert_eq!(scores.len(), classes);
///         let others = (0..classes).filter(|&class| class != label);
///         let rival = others.max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(label);
///         let loss = 1.0 + scores[rival] - scores[label];
///         if loss > 0.0 {
///             gradient[rival] += 1.0;
///             gradient[label] -= 1.0;
///         }
///         loss.max(0.0)
///     }
/// }
///
/// let network = NetworkConfig::sequential([2]).then(Dense::new(2)).then(Aggregate::default());
/// let config = TrainConfig::from_toml("optimizer = { type = 'sgd', learning_rate = 0.5 }")?;
/// let mut trainer = Trainer::new(network.build::<f32>(1)?, config)?.with_loss(Arc::new(Hinge));
/// let vectors = ndarray::arr3(&[[[1.0, 0.0]], [[0.0, 1.0]]]).into_dyn();
/// for _ in 0..20 {
///     trainer.step(&Inputs::of("input", vectors.view()), &[0, 1])?;
/// }
/// let evaluation = trainer.evaluate(&Inputs::of("input", vectors.view()), &[0, 1])?;
/// assert_eq!((evaluation.loss, evaluation.correct), (0.0, 2));
/// # Ok::<(), liaf_core::Error>(())
/// ```
pub trait SampleLoss: Debug + Send + Sync {
    /// The loss of a sample of class `label`.
    ///
    /// `scores` are those of its T steps without padding, one step after another, `[T · classes]`; T is 1 if
    /// the output of the network has no time. The gradient of the loss with respect to each of them is added
    /// to `gradient`, which has the same length and is 0. The loss of a batch is the mean over its samples.
    fn judge(&self, scores: &[f64], classes: usize, label: usize, gradient: &mut [f64]) -> f64;
}

/// What judges the output of a network.
#[derive(Debug, Clone)]
pub enum Criterion {
    /// A loss of this crate.
    Known(Loss),
    /// A loss of the caller's own.
    Own(Arc<dyn SampleLoss>),
}

impl From<Loss> for Criterion {
    fn from(loss: Loss) -> Self {
        Self::Known(loss)
    }
}

impl Criterion {
    /// As [`Loss::judge`].
    ///
    /// # Errors
    /// As [`Loss::judge`], and if the caller's own loss is not finite.
    pub fn judge<R: Real>(
        &self,
        output: ArrayViewD<'_, R>,
        labels: &[usize],
        lengths: Option<&[usize]>,
    ) -> Result<Judged<R>> {
        self.judge_part(output, labels, lengths, (0, labels.len()))
    }

    /// As [`Loss::judge_part`].
    pub(crate) fn judge_part<R: Real>(
        &self,
        output: ArrayViewD<'_, R>,
        labels: &[usize],
        lengths: Option<&[usize]>,
        place: (usize, usize),
    ) -> Result<Judged<R>> {
        let own = match self {
            Self::Known(loss) => return loss.judge_part(output, labels, lengths, place),
            Self::Own(own) => own,
        };
        let judged = judge_samples(output, labels, lengths, place, |sample, gradient| {
            own.judge(sample.scores, sample.classes, sample.label, gradient)
        })?;
        match judged.losses.iter().position(|loss| !loss.is_finite()) {
            None => Ok(judged),
            Some(n) => {
                Err(Error::data(format!("the loss of sample {} is not finite", place.0 + n))
                    .found(judged.losses[n]))
            }
        }
    }

    /// Returns an error if the scores have no time and the loss needs them at every step.
    pub(crate) fn check_time(&self, scores: &Shape) -> Result<()> {
        match self {
            Self::Known(loss) => loss.check_time(scores),
            Self::Own(_) => Ok(()),
        }
    }
}
