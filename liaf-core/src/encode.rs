//! Encoding of still images as spike trains: `[N, item…]` intensities to `[N, T, item…]`.
//!
//! Random numbers are functions of key, sample, step and index: the same key gives the same spikes.

use ndarray::{ArrayD, ArrayViewD, Axis};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::real::Real;
use crate::rng::Key;

/// How intensities become spikes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Encoding {
    /// The intensity itself at every step.
    Constant,
    /// At each step 1 with probability `gain · x`, clamped to 0 and 1, otherwise 0
    /// (`snntorch.spikegen.rate`).
    Rate {
        /// Default 1.
        #[serde(default = "one")]
        gain: f64,
    },
    /// At each step a count from a Poisson distribution of mean `gain · x`; 0 for x below 0.
    Poisson {
        /// Default 1.
        #[serde(default = "one")]
        gain: f64,
    },
    /// One spike per pixel, earlier for brighter pixels: at step `round((T - 1)(1 - x))`, with x
    /// clamped to 0 and 1 (`snntorch.spikegen.latency`, linear and normalised).
    Latency {
        /// Pixels below this intensity never spike. Default 0.01.
        #[serde(default = "hundredth")]
        threshold: f64,
    },
}

fn one() -> f64 {
    1.0
}

fn hundredth() -> f64 {
    0.01
}

/// The largest mean of a Poisson distribution whose smallest probability is above 0 in `f64`.
const LARGEST_MEAN: f64 = 700.0;

impl Encoding {
    /// Encodes `images` over `steps` steps.
    ///
    /// ```
    /// use liaf_core::encode::Encoding;
    /// use liaf_core::rng::Key;
    /// let images = ndarray::arr2(&[[1.0f32, 0.5, 0.0]]).into_dyn();
    /// let latency = Encoding::Latency { threshold: 0.01 };
    /// let spikes = latency.encode(images.view(), 5, Key::new(0))?;
    /// assert_eq!(spikes.shape(), [1, 5, 3]);
    /// assert_eq!((spikes[[0, 0, 0]], spikes[[0, 2, 1]]), (1.0, 1.0));
    /// assert_eq!(spikes.sum(), 2.0);
    /// # Ok::<(), liaf_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are no samples or steps, an intensity is not finite, a gain or threshold is negative or
    /// not finite, or a mean is above 700.
    pub fn encode<R: Real>(
        self,
        images: ArrayViewD<'_, R>,
        steps: usize,
        key: Key,
    ) -> Result<ArrayD<R>> {
        self.check()?;
        let samples = images.shape().first().copied().unwrap_or(0);
        if samples == 0 || steps == 0 {
            return Err(Error::data("there is nothing to encode")
                .expected("[N, ..] and a number of steps, both N and steps 1 or more")
                .found(format!("{:?} and {steps} steps", images.shape())));
        }
        if let Some((at, x)) = images.indexed_iter().find(|(_, x)| !x.is_finite()) {
            let at = format!("{x} at {:?}", ndarray::Dimension::slice(&at));
            return Err(Error::data("an intensity must be finite").found(at));
        }
        let len = images.len() / samples;
        let mut spikes = Vec::with_capacity(images.len() * steps);
        for (n, image) in images.axis_iter(Axis(0)).enumerate() {
            let key = key.child(n as u64);
            for t in 0..steps {
                for (i, x) in image.iter().enumerate() {
                    let index = (t * len + i) as u64;
                    spikes.push(self.one(x.f64(), (t, steps), || key.uniform(index))?);
                }
            }
        }
        let mut shape = images.shape().to_vec();
        shape.insert(1, steps);
        Ok(ArrayD::from_shape_vec(shape, spikes).unwrap_or_default())
    }

    fn one<R: Real>(
        self,
        x: f64,
        (t, steps): (usize, usize),
        uniform: impl Fn() -> f64,
    ) -> Result<R> {
        let spike = |fires: bool| if fires { R::ONE } else { R::ZERO };
        Ok(match self {
            Self::Constant => R::of(x),
            Self::Rate { gain } => spike(uniform() < gain * x),
            Self::Poisson { gain } => {
                let mean = (gain * x).max(0.0);
                if mean > LARGEST_MEAN {
                    return Err(Error::data("a Poisson mean is too large")
                        .expected(format!("at most {LARGEST_MEAN}"))
                        .found(mean));
                }
                R::of(poisson(mean, uniform()))
            }
            Self::Latency { threshold } => {
                let at = (1.0 - x.clamp(0.0, 1.0)) * (steps - 1) as f64;
                spike(x >= threshold && at.round() == t as f64)
            }
        })
    }

    fn check(self) -> Result<()> {
        let number = match self {
            Self::Constant => return Ok(()),
            Self::Rate { gain } | Self::Poisson { gain } => gain,
            Self::Latency { threshold } => threshold,
        };
        if number.is_finite() && number >= 0.0 {
            return Ok(());
        }
        Err(Error::config("the gain or threshold must be finite and 0 or more")
            .expected("0 or more")
            .found(number))
    }
}

/// The smallest count whose cumulative probability is above `uniform`.
fn poisson(mean: f64, uniform: f64) -> f64 {
    let (mut count, mut probability) = (0.0, (-mean).exp());
    let mut below = probability;
    // Rounding may keep the sum below 1. Far above the mean, the remaining probabilities are 0.
    while uniform >= below && (count < mean || probability > 1e-18) {
        count += 1.0;
        probability *= mean / count;
        below += probability;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(encoding: Encoding, x: f64, steps: usize) -> ArrayD<f64> {
        let images = ndarray::Array3::from_elem((2, 10, 10), x).into_dyn();
        encoding.encode(images.view(), steps, Key::new(3)).unwrap()
    }

    #[test]
    fn rates_are_those_of_the_intensities() {
        for x in [0.0, 0.2, 0.7, 1.0, 3.0] {
            let spikes = encode(Encoding::Rate { gain: 0.5 }, x, 50);
            assert_eq!(spikes.shape(), [2, 50, 10, 10]);
            let mean = spikes.mean().unwrap();
            assert!((mean - (0.5 * x).min(1.0)).abs() < 0.015, "{x}: {mean}");
            assert!(spikes.iter().all(|&s| s == 0.0 || s == 1.0));
        }
    }

    #[test]
    fn counts_have_the_moments_of_poisson() {
        for mean in [0.3, 4.0, 40.0] {
            let counts = encode(Encoding::Poisson { gain: 2.0 }, mean / 2.0, 100);
            let own = counts.mean().unwrap();
            let var = counts.iter().map(|c| (c - own).powi(2)).sum::<f64>() / counts.len() as f64;
            assert!((own / mean - 1.0).abs() < 0.03, "{mean}: {own}");
            assert!((var / mean - 1.0).abs() < 0.05, "{mean}: {var}");
        }
        assert_eq!(poisson(700.0, 1.0 - f64::EPSILON / 2.0) as u64 / 100, 9);
    }

    #[test]
    fn latency_is_one_spike_a_pixel() {
        let latency = Encoding::Latency { threshold: 0.1 };
        for (x, at) in
            [(2.0, Some(0)), (1.0, Some(0)), (0.5, Some(5)), (0.1, Some(8)), (0.09, None)]
        {
            let spikes = encode(latency, x, 10);
            let first = (0..10).find(|&t| spikes[[1, t, 3, 3]] == 1.0);
            assert_eq!(first, at, "{x}");
            assert_eq!(spikes.sum(), if at.is_some() { 200.0 } else { 0.0 });
        }
    }

    #[test]
    fn the_same_key_gives_the_same_spikes() {
        let rate = Encoding::Rate { gain: 1.0 };
        let images = ndarray::Array2::from_elem((3, 40), 0.5f32).into_dyn();
        let of = |seed| rate.encode(images.view(), 4, Key::new(seed)).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        let spikes = of(1);
        assert_ne!(spikes.index_axis(Axis(0), 0), spikes.index_axis(Axis(0), 1));
    }

    #[test]
    fn what_cannot_be_encoded_is_refused() {
        let refuse = |encoding: Encoding, x: f32, n: usize, steps: usize| {
            let images = ndarray::Array2::from_elem((n, 2), x).into_dyn();
            encoding.encode(images.view(), steps, Key::new(0)).unwrap_err().to_string()
        };
        assert!(refuse(Encoding::Constant, f32::NAN, 1, 1).contains("must be finite"));
        assert!(refuse(Encoding::Constant, 0.0, 0, 1).contains("there is nothing to encode"));
        assert!(refuse(Encoding::Constant, 0.0, 1, 0).contains("there is nothing to encode"));
        assert!(refuse(Encoding::Poisson { gain: 1.0 }, 1e6, 1, 1).contains("too large"));
        assert!(refuse(Encoding::Rate { gain: -1.0 }, 1.0, 1, 1).contains("gain or threshold"));
    }
}
