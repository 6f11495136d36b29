//! Normalisation: over the batch and time per channel, or over an item.

mod batch;
mod item;
pub(crate) mod moments;

pub use batch::BatchNorm;
pub use item::LayerNorm;

use crate::error::{Error, Result};

/// Returns an error if eps or momentum is invalid.
fn check(eps: f64, momentum: f64) -> Result<()> {
    if !(eps.is_finite() && eps > 0.0) {
        return Err(Error::config("the eps of a norm must be above 0")
            .expected("eps above 0")
            .found(eps));
    }
    if !(0.0..=1.0).contains(&momentum) {
        return Err(Error::config("the momentum must be from 0 to 1")
            .expected("0 to 1")
            .found(momentum));
    }
    Ok(())
}
