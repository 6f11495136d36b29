//! Activation functions of neurons and layers.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::real::Real;

/// An activation function, by name: `"relu"`, or with its parameter, `{ leaky_relu = { slope = 0.2 }
/// }`.
///
/// Where a function has a kink, the derivative is that of PyTorch: 0 for ReLU at 0, the slope for
/// leaky ReLU. NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Activation {
    /// x.
    Identity,
    /// max(x, 0).
    #[default]
    Relu,
    /// x for x > 0, else slope · x.
    LeakyRelu {
        /// The slope for x below 0. Default 0.01.
        #[serde(default = "slope")]
        slope: f64,
    },
    /// λ x for x > 0, else λ α (e^x - 1), λ ≈ 1.0507, α ≈ 1.6733 (Klambauer et al. 2017,
    /// arXiv 1706.02515).
    Selu,
    /// x for x > 0, else α (e^x - 1) (Clevert et al. 2015, arXiv 1511.07289).
    Elu {
        /// The negative of the limit for x → -∞. Default 1.
        #[serde(default = "one")]
        alpha: f64,
    },
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
}

fn slope() -> f64 {
    0.01
}

fn one() -> f64 {
    1.0
}

/// λ and α of SELU, for which mean 0 and variance 1 are a fixed point.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

impl Activation {
    /// Returns an error if the slope or alpha is not finite.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config).
    pub fn check(self) -> Result<()> {
        match self {
            Self::LeakyRelu { slope: number } | Self::Elu { alpha: number }
                if !number.is_finite() =>
            {
                Err(Error::config("the parameter of an activation must be finite")
                    .expected("a finite slope or alpha")
                    .found(number))
            }
            _ => Ok(()),
        }
    }

    /// f(x).
    #[inline(always)]
    pub fn value<R: Real>(self, x: R) -> R {
        let above = x > R::ZERO;
        match self {
            Self::Identity => x,
            Self::Relu => x.relu(),
            Self::LeakyRelu { slope } => {
                if above {
                    x
                } else {
                    R::of(slope) * x
                }
            }
            // Both branches are computed, so that loops are vectorised.
            Self::Selu => {
                let below = R::of(SELU_SCALE * SELU_ALPHA) * x.exp_m1_below();
                if above { R::of(SELU_SCALE) * x } else { below }
            }
            Self::Elu { alpha } => {
                let below = R::of(alpha) * x.exp_m1_below();
                if above { x } else { below }
            }
            Self::Sigmoid => x.sigmoid(),
            Self::Tanh => x.tanh(),
        }
    }

    /// df/dx at x.
    #[inline]
    pub fn derivative<R: Real>(self, x: R) -> R {
        self.slope(x, self.value(x))
    }

    /// df/dx at x, where y is f(x) and spares an exponential function.
    #[inline(always)]
    pub fn slope<R: Real>(self, x: R, y: R) -> R {
        let above = x > R::ZERO;
        match self {
            Self::Identity => R::ONE,
            Self::Relu => x.relu_slope(),
            Self::LeakyRelu { slope } => {
                if above {
                    R::ONE
                } else {
                    R::of(slope)
                }
            }
            Self::Selu => {
                let below = y + R::of(SELU_SCALE * SELU_ALPHA);
                if above { R::of(SELU_SCALE) } else { below }
            }
            Self::Elu { alpha } => {
                let below = y + R::of(alpha);
                if above { R::ONE } else { below }
            }
            Self::Sigmoid => y * (R::ONE - y),
            Self::Tanh => R::ONE - y * y,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One of each kind.
    pub(crate) const ALL: [Activation; 7] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::Selu,
        Activation::Elu { alpha: 1.5 },
        Activation::Sigmoid,
        Activation::Tanh,
    ];

    #[test]
    fn derivatives_are_differences_of_values() {
        for activation in ALL {
            for i in -40..40 {
                let (x, h) = (f64::from(i) * 0.1 + 0.05, 1e-6);
                let slope = (activation.value(x + h) - activation.value(x - h)) / (2.0 * h);
                let error = (slope - activation.derivative(x)).abs();
                assert!(error < 1e-8, "{activation:?} at {x}: {error:e}");
            }
        }
    }

    /// `torch.nn.functional` of PyTorch 2 in f64 at -1.3 and 0.7.
    #[test]
    fn values_are_those_of_pytorch() {
        let theirs = [
            [-1.3, 0.7],
            [0.0, 0.7],
            [-0.26, 0.7],
            [-1.2789613751543256, 0.7354906911488363],
            [-1.0912023104489812, 0.7],
            [0.2141650169574414, 0.6681877721681662],
            [-0.8617231593133063, 0.6043677771171635],
        ];
        for (activation, theirs) in ALL.into_iter().zip(theirs) {
            for (x, theirs) in [-1.3, 0.7].into_iter().zip(theirs) {
                let error = (activation.value(x) - theirs).abs();
                assert!(error < 1e-15, "{activation:?} at {x}: {error:e}");
            }
        }
    }

    #[test]
    fn kinks_are_those_of_pytorch() {
        assert_eq!(Activation::Relu.derivative(0.0), 0.0);
        assert_eq!(Activation::LeakyRelu { slope: 0.2 }.derivative(0.0), 0.2);
        assert_eq!(Activation::Elu { alpha: 1.5 }.derivative(0.0), 1.5);
    }

    /// As PyTorch 2 has it: no activation turns NaN into a number, and a ReLU lets its gradient
    /// through.
    #[test]
    fn nan_stays_nan() {
        for activation in ALL {
            assert!(activation.value(f32::NAN).is_nan(), "{activation:?}");
            assert_ne!(activation.derivative(f32::NAN), 0.0, "{activation:?}");
        }
        assert_eq!(Activation::Relu.derivative(f64::NAN), 1.0);
        assert_eq!(Activation::LeakyRelu { slope: 0.2 }.derivative(f64::NAN), 0.2);
    }

    #[test]
    fn names_are_read() {
        let read = |text: &str| serde_json::from_str::<Activation>(text);
        assert_eq!(read("\"selu\"").ok(), Some(Activation::Selu));
        let leaky = read(r#"{"leaky_relu":{"slope":0.2}}"#).ok();
        assert_eq!(leaky, Some(Activation::LeakyRelu { slope: 0.2 }));
        assert_eq!(read(r#"{"elu":{}}"#).ok(), Some(Activation::Elu { alpha: 1.0 }));
        assert!(read(r#"{"elu":{"slope":1}}"#).is_err());
        assert!(Activation::Elu { alpha: f64::NAN }.check().is_err());
    }
}
