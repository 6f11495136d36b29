//! The learning rate over time.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The factor of the learning rate at each tick. A tick is a step or an epoch, as the trainer is
/// configured.
///
/// With a warm-up of w ticks, the curve starts at tick w (`torch.optim.lr_scheduler.SequentialLR` of
/// `LinearLR` and the curve).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// A warm-up. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<Warmup>,
    /// The curve after the warm-up. Default constant.
    pub curve: Curve,
}

/// A linear rise of the factor to 1: `start + (1 - start) · t / ticks`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// Number of ticks until the factor is 1.
    pub ticks: u64,
    /// The factor at the first tick. Default 1/3.
    #[serde(default = "third")]
    pub start: f64,
}

fn third() -> f64 {
    1.0 / 3.0
}

/// The factor at tick t.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Curve {
    /// 1.
    #[default]
    Constant,
    /// `gamma^⌊t / every⌋` (`StepLR`).
    Step {
        /// Number of ticks between two changes.
        every: u64,
        /// Default 0.1.
        #[serde(default = "tenth")]
        gamma: f64,
    },
    /// gamma to the power of the number of milestones at or before t (`MultiStepLR`).
    Milestones {
        /// The milestones.
        at: Vec<u64>,
        /// Default 0.1.
        #[serde(default = "tenth")]
        gamma: f64,
    },
    /// `gamma^t` (`ExponentialLR`).
    Exponential {
        /// The factor from one tick to the next.
        gamma: f64,
    },
    /// `last + (1 - last)(1 + cos(π t / ticks)) / 2`, and `last` after `ticks` (where
    /// `CosineAnnealingLR` would rise again).
    Cosine {
        /// Number of ticks until the factor is `last`.
        ticks: u64,
        /// The factor at the end. Default 0.
        #[serde(default)]
        last: f64,
    },
}

fn tenth() -> f64 {
    0.1
}

impl Schedule {
    /// A schedule without a warm-up.
    pub fn new(curve: Curve) -> Self {
        Self { warmup: None, curve }
    }

    /// The factor at tick `t`, counted from 0.
    ///
    /// ```
    /// use liaf_core::optim::{Curve, Schedule};
    /// let schedule = Schedule::new(Curve::Milestones { at: vec![30, 60], gamma: 0.1 });
    /// assert_eq!(schedule.factor(29), 1.0);
    /// assert_eq!(schedule.factor(30), 0.1);
    /// ```
    pub fn factor(&self, t: u64) -> f64 {
        let t = match self.warmup {
            Some(Warmup { ticks, start }) if t < ticks => {
                return start + (1.0 - start) * t as f64 / ticks as f64;
            }
            Some(Warmup { ticks, .. }) => t - ticks,
            None => t,
        };
        match &self.curve {
            Curve::Constant => 1.0,
            Curve::Step { every, gamma } => power(*gamma, t / (*every).max(1)),
            Curve::Milestones { at, gamma } => {
                power(*gamma, at.iter().filter(|&&milestone| milestone <= t).count() as u64)
            }
            Curve::Exponential { gamma } => power(*gamma, t),
            Curve::Cosine { ticks, last } if t < *ticks => {
                let angle = std::f64::consts::PI * t as f64 / *ticks as f64;
                last + (1.0 - last) * (1.0 + angle.cos()) / 2.0
            }
            Curve::Cosine { last, .. } => *last,
        }
    }

    /// Returns an error if a value is invalid.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(&self) -> Result<()> {
        let factor = |what: &str, x: f64| match x {
            x if x.is_finite() && x >= 0.0 => Ok(()),
            x => Err(Error::config(format!("invalid {what} of the schedule"))
                .expected("0 or more")
                .found(x)),
        };
        if let Some(warmup) = self.warmup {
            factor("first factor", warmup.start)?;
        }
        match self.curve {
            Curve::Constant => Ok(()),
            Curve::Step { every: 0, .. } => {
                Err(Error::config("the schedule must change after at least one tick")
                    .expected("1 or more"))
            }
            Curve::Cosine { ticks: 0, .. } => {
                Err(Error::config("the schedule must take at least one tick").expected("1 or more"))
            }
            Curve::Step { gamma, .. }
            | Curve::Milestones { gamma, .. }
            | Curve::Exponential { gamma } => factor("gamma", gamma),
            Curve::Cosine { last, .. } => factor("last factor", last),
        }
    }
}

/// A power with a whole exponent of any size.
fn power(base: f64, exponent: u64) -> f64 {
    i32::try_from(exponent).map_or_else(|_| base.powf(exponent as f64), |small| base.powi(small))
}
