//! What a pixel does: its response to light, its thresholds, and what is not ideal about it.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::filter::random::Random;

/// How the logarithm of light is taken. Light is a number from 0 (black) to 1 (white).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Response {
    /// `L = ln(eps + I)`, as ESIM has it ([Rebecq et al., 2018]). Its own `eps` is 0.001.
    ///
    /// [Rebecq et al., 2018]: https://rpg.ifi.uzh.ch/docs/CORL18_Rebecq.pdf
    Log {
        /// What is added to the light, above 0.
        eps: f64,
    },
    /// Of the light in 255 steps, `x = 255 I`: `L = x ln(20) / 20` up to `x = 20`, and `L = ln(x)` above, as
    /// v2e has it ([Hu et al., 2021]), so that the noise of dark pixels of 8 bits makes no events. This is the
    /// default.
    ///
    /// [Hu et al., 2021]: https://arxiv.org/abs/2006.07722
    LinLog,
}

/// Where [`Response::LinLog`] changes from linear to logarithmic, in steps of 255.
const KNEE: f64 = 20.0;

impl Response {
    /// The logarithm of this light.
    ///
    /// ```
    /// use liaf_data::simulate::Response;
    /// assert_eq!(Response::LinLog.log(1.0), 255_f64.ln());
    /// assert_eq!(Response::Log { eps: 0.5 }.log(0.5), 0.0);
    /// ```
    #[inline]
    pub fn log(self, light: f32) -> f64 {
        let light = f64::from(light);
        match self {
            Self::Log { eps } => (eps + light).ln(),
            Self::LinLog => {
                let steps = 255.0 * light;
                if steps <= KNEE { steps * (KNEE.ln() / KNEE) } else { steps.ln() }
            }
        }
    }
}

/// The model of the pixels of an event camera.
///
/// A pixel compares the logarithm of its light with the value at its last event, and makes an event whenever
/// the difference reaches a threshold. Everything that is random depends on `seed` and on the pixel alone.
///
/// The defaults are those of v2e, with leak and noise turned off.
///
/// ```
/// use liaf_data::simulate::PixelModel;
/// let ideal = PixelModel::ideal(0.15);
/// assert_eq!((ideal.pos_threshold, ideal.threshold_sigma), (0.15, 0.0));
/// let noisy = PixelModel { noise_hz: 5.0, leak_hz: 0.1, ..PixelModel::default() };
/// noisy.check()?;
/// assert!(PixelModel { noise_hz: -1.0, ..noisy }.check().is_err());
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PixelModel {
    /// Increase of the logarithm that makes an ON event: the mean over pixels. Default 0.2.
    pub pos_threshold: f64,
    /// Decrease of the logarithm that makes an OFF event: the mean over pixels. Default 0.2.
    pub neg_threshold: f64,
    /// Standard deviation of both thresholds over the pixels. A threshold below
    /// [`LEAST_THRESHOLD`](Self::LEAST_THRESHOLD) is raised to it. Default 0.03.
    pub threshold_sigma: f64,
    /// Time after an event in which the pixel makes no other, in µs. Crossings in it are lost, as in ESIM.
    /// Default 500.
    pub refractory_us: i64,
    /// Rate of the ON events that a pixel in constant light makes because the reference leaks, in Hz. Default
    /// 0.
    pub leak_hz: f64,
    /// Rate of noise events of a pixel in the dark, ON and OFF together, in Hz: at light `I` it is
    /// `noise_hz (1 - 0.75 I)`. Default 0.
    pub noise_hz: f64,
    /// How the logarithm is taken.
    pub response: Response,
    /// Decides about thresholds, leak and noise.
    pub seed: u64,
}

impl Default for PixelModel {
    fn default() -> Self {
        Self {
            pos_threshold: 0.2,
            neg_threshold: 0.2,
            threshold_sigma: 0.03,
            refractory_us: 500,
            leak_hz: 0.0,
            noise_hz: 0.0,
            response: Response::LinLog,
            seed: 0,
        }
    }
}

impl PixelModel {
    /// The least threshold of a pixel, as in v2e and ESIM.
    pub const LEAST_THRESHOLD: f64 = 0.01;
    /// The highest rate of noise or leak events, in Hz.
    pub const MOST_HZ: f64 = 1e5;
    /// The part of the noise in the dark that is missing in full light: v2e's `SHOT_NOISE_INTEN_FACTOR` is 1
    /// less this.
    pub(super) const LESS_NOISE: f64 = 0.75;

    /// Pixels that are all alike, with one threshold for ON and OFF, no refractory time, no leak and no noise.
    pub fn ideal(threshold: f64) -> Self {
        Self {
            pos_threshold: threshold,
            neg_threshold: threshold,
            threshold_sigma: 0.0,
            refractory_us: 0,
            ..Self::default()
        }
    }

    /// The same model with another seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) that names the first one that is out of range.
    pub fn check(&self) -> Result<()> {
        let range = |what: &str, value: f64, from: f64, to: f64| {
            if (from..=to).contains(&value) {
                return Ok(());
            }
            Err(Error::caller(format!("{what} is out of range"))
                .expected(format!("{from} to {to}"))
                .found(value))
        };
        let least = Self::LEAST_THRESHOLD;
        range("the threshold of ON events", self.pos_threshold, least, 10.0)?;
        range("the threshold of OFF events", self.neg_threshold, least, 10.0)?;
        range("the deviation of the thresholds", self.threshold_sigma, 0.0, 10.0)?;
        range("the rate of leak events in Hz", self.leak_hz, 0.0, Self::MOST_HZ)?;
        range("the rate of noise events in Hz", self.noise_hz, 0.0, Self::MOST_HZ)?;
        if let Response::Log { eps } = self.response {
            range("what is added to the light", eps, 1e-9, 1e9)?;
        }
        if self.refractory_us < 0 {
            return Err(Error::caller("the refractory time is negative").found(self.refractory_us));
        }
        Ok(())
    }

    /// The thresholds of a pixel for ON and OFF.
    pub(super) fn thresholds(&self, pixel: u64) -> (f64, f64) {
        if self.threshold_sigma == 0.0 {
            return (self.pos_threshold, self.neg_threshold);
        }
        let (on, off) = Random::new(self.seed, THRESHOLDS).normal(pixel, 0);
        let of = |mean: f64, by: f64| (mean + self.threshold_sigma * by).max(Self::LEAST_THRESHOLD);
        (of(self.pos_threshold, on), of(self.neg_threshold, off))
    }

    /// The random numbers of a pixel: numbered, for its noise and the state in which it starts.
    pub(super) fn random(&self, pixel: u64) -> Random {
        Random::new(self.seed, NOISE).child(pixel)
    }
}

/// What the random numbers of one seed are for.
const THRESHOLDS: u64 = 101;
const NOISE: u64 = 102;
