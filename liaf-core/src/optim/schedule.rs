//! The learning rate over time.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the learning rate is multiplied by at each tick: a step or an epoch, as the trainer says.
///
/// With a warm-up of w ticks, the curve begins at tick w (`torch.optim.lr_scheduler.SequentialLR` of
/// `LinearLR` and the curve).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// A slow start. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<Warmup>,
    /// What follows. Default constant.
    pub curve: Curve,
}

/// A linear rise of the factor to 1: `start + (1 - start) · t / ticks`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// Ticks until the factor is 1.
    pub ticks: u64,
    /// The factor of the first tick. Default 1/3.
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
        /// Ticks from step to step.
        every: u64,
        /// Default 0.1.
        #[serde(default = "tenth")]
        gamma: f64,
    },
    /// gamma to the number of milestones at or before t (`MultiStepLR`).
    Milestones {
        /// The milestones.
        at: Vec<u64>,
        /// Default 0.1.
        #[serde(default = "tenth")]
        gamma: f64,
    },
    /// `gamma^t` (`ExponentialLR`).
    Exponential {
        /// The factor from tick to tick.
        gamma: f64,
    },
    /// `last + (1 - last)(1 + cos(π t / ticks)) / 2`, and `last` after `ticks`
    /// (`CosineAnnealingLR`, which would rise again).
    Cosine {
        /// Ticks of the fall.
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
    /// Without warm-up.
    pub fn new(curve: Curve) -> Self {
        Self { warmup: None, curve }
    }

    /// The factor at tick `t`, from 0.
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

    /// Refuses numbers that cannot be.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(&self) -> Result<()> {
        let factor = |what: &str, x: f64| match x {
            x if x.is_finite() && x >= 0.0 => Ok(()),
            x => Err(Error::config(format!("an impossible {what} of the schedule"))
                .expected("0 or more")
                .found(x)),
        };
        if let Some(warmup) = self.warmup {
            factor("first factor", warmup.start)?;
        }
        match self.curve {
            Curve::Constant => Ok(()),
            Curve::Step { every: 0, .. } => {
                Err(Error::config("a schedule that steps every 0 ticks").expected("1 or more"))
            }
            Curve::Step { gamma, .. }
            | Curve::Milestones { gamma, .. }
            | Curve::Exponential { gamma } => factor("gamma", gamma),
            Curve::Cosine { last, .. } => factor("last factor", last),
        }
    }
}

/// A power of a whole number, however large.
fn power(base: f64, exponent: u64) -> f64 {
    i32::try_from(exponent).map_or_else(|_| base.powf(exponent as f64), |small| base.powi(small))
}
