//! The first values of the constants of neurons.

use serde::{Deserialize, Serialize};

use super::constant::Form;
use crate::error::{Error, Result};
use crate::init::Init;

/// The first values of a [`Constant`](super::Constant): in a configuration a number, `0.3`, or time
/// constants, `{ tau = [2, 64] }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    expecting = "first values: a number, or { tau = [first, last] }"
)]
pub enum First {
    /// Time constants in steps, from that of the first channel or neuron to that of the last one, evenly
    /// spaced in their logarithm. The value of each is `exp(-1 / tau)`, the share that is left one step
    /// later, so that neurons remember over spans of different lengths. For alpha and the decay of a
    /// synapse.
    Tau([f64; 2]),
    /// The same value for all.
    #[serde(untagged)]
    Value(f64),
}

impl Default for First {
    fn default() -> Self {
        Self::Value(0.0)
    }
}

impl From<f64> for First {
    fn from(value: f64) -> Self {
        Self::Value(value)
    }
}

impl First {
    /// The value of the first channel or neuron.
    ///
    /// ```
    /// use liaf_core::neuron::First;
    /// assert_eq!(First::from(0.3).value(), 0.3);
    /// assert_eq!(First::Tau([2.0, 64.0]).value(), (-0.5f64).exp());
    /// ```
    pub fn value(&self) -> f64 {
        match *self {
            Self::Value(value) => value,
            Self::Tau([first, _]) => (-1.0 / first).exp(),
        }
    }

    /// Returns an error if a value is invalid, or if one of several values cannot be that of the constant
    /// `name` with this form. `shared` tells whether all neurons share the constant.
    pub(super) fn check(&self, name: &str, form: Form, learn: bool, shared: bool) -> Result<()> {
        let fault = |what: &str, expected: &str| {
            let error = Error::config(format!("{name} {what}")).expected(expected);
            Err(error.found(match self {
                Self::Value(value) => value.to_string(),
                Self::Tau(tau) => format!("{tau:?}"),
            }))
        };
        match *self {
            Self::Value(value) if !value.is_finite() => fault("must be finite", "a finite number"),
            Self::Value(value) if learn && form != Form::Plain && !(value > 0.0 && value < 1.0) => {
                fault(
                    "is learned as a sigmoid, so that its first value must be between 0 and 1",
                    "a first value between 0 and 1",
                )
            }
            Self::Value(_) => Ok(()),
            Self::Tau(_) if form == Form::Plain => {
                fault("has no time constant", "tau for alpha or the decay of a synapse")
            }
            Self::Tau(_) if shared => fault(
                "is the same for all neurons, and cannot have several time constants",
                "per = \"channel\" or per = \"neuron\"",
            ),
            Self::Tau(tau) if !tau.iter().all(|tau| tau.is_finite() && *tau > 0.0) => {
                fault("needs valid time constants", "two finite numbers above 0")
            }
            Self::Tau(_) => Ok(()),
        }
    }

    /// How a tensor of these values starts; of their logits, if `logit`.
    pub(super) fn init(&self, logit: bool) -> Init {
        match *self {
            Self::Tau(tau) => Init::Decays { tau, logit },
            Self::Value(value) if logit => Init::Constant((value / (1.0 - value)).ln()),
            Self::Value(value) => Init::Constant(value),
        }
    }
}
