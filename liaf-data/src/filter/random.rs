//! Random numbers that depend on a seed and on a number alone, so that the n-th event of a recording, or a
//! pixel of a simulated sensor, gets the same ones whatever happened to the others.

use crate::error::{Error, Result};
use crate::model::Parameters;

/// Random numbers for numbered things.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Random {
    seed: u64,
}

impl Random {
    /// Those of the parameter `seed`. `salt` tells the filters of one seed apart.
    pub fn of(parameters: &Parameters, salt: u64) -> Result<Self> {
        Ok(Self::new(parameters.number::<u64>("seed")?.unwrap_or(0), salt))
    }

    /// Those of a seed. `salt` tells the users of one seed apart.
    pub fn new(seed: u64, salt: u64) -> Self {
        Self { seed: mix(seed ^ mix(salt)) }
    }

    /// Random numbers of its own for thing `n`.
    pub fn child(self, n: u64) -> Self {
        Self { seed: mix(self.seed ^ mix(n)) }
    }

    /// 64 random bits for thing `n`, in the `k`-th place.
    pub fn bits(self, n: u64, k: u64) -> u64 {
        mix(self.seed.wrapping_add(mix(n.wrapping_mul(4).wrapping_add(k))))
    }

    /// A number from 0 to below 1.
    pub fn unit(self, n: u64, k: u64) -> f64 {
        (self.bits(n, k) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Two independent numbers of the standard normal distribution (Box and Muller, 1958).
    pub fn normal(self, n: u64, k: u64) -> (f64, f64) {
        let radius = (-2.0 * (1.0 - self.unit(n, k)).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.unit(n, k + 1);
        (radius * angle.cos(), radius * angle.sin())
    }
}

/// The finaliser of SplitMix64 (Steele et al., 2014).
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// The value of the parameter `fraction`, from 0 to 1.
pub(super) fn fraction(parameters: &Parameters, usual: f64) -> Result<f64> {
    let value = parameters.number::<f64>("fraction")?.unwrap_or(usual);
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(Error::caller("the parameter fraction is out of range").expected("0 to 1").found(value))
}
