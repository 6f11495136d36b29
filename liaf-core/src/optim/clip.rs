//! Clipping of gradients.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::Gradients;
use crate::real::Real;

/// A limit on gradients, which is applied before a step of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Clip {
    /// All gradients are scaled by `max / (norm + 1e-6)` if that is below 1
    /// (`torch.nn.utils.clip_grad_norm_`).
    Norm {
        /// The largest norm over all parameters together.
        max: f64,
    },
    /// Each number is clamped to `-max` and `max` (`clip_grad_value_`).
    Value {
        /// The largest absolute value.
        max: f64,
    },
}

impl Clip {
    /// Applies the limit to `gradients`, whose norm is `norm`.
    pub fn apply<R: Real>(&self, gradients: &mut Gradients<R>, norm: f64) {
        let gradients = gradients.all_mut();
        match *self {
            Self::Norm { max } => {
                let factor = max / (norm + 1e-6);
                if factor < 1.0 {
                    let factor = R::of(factor);
                    gradients.iter_mut().flatten().for_each(|g| *g *= factor);
                }
            }
            Self::Value { max } => {
                let max = R::of(max);
                gradients.iter_mut().flatten().for_each(|g| *g = g.clamp(-max, max));
            }
        }
    }

    /// Returns an error if the limit is invalid.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(&self) -> Result<()> {
        let (Self::Norm { max } | Self::Value { max }) = *self;
        if max.is_finite() && max > 0.0 {
            return Ok(());
        }
        Err(Error::config("the limit of gradients must be finite and above 0")
            .expected("above 0")
            .found(max))
    }
}
