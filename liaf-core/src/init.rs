//! The first values of parameters.

use serde::{Deserialize, Serialize};

use crate::Real;
use crate::rng::Key;

/// Numbers that a weight joins: what its variance is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fan {
    /// Inputs of one output.
    pub inputs: usize,
    /// Outputs of one input.
    pub outputs: usize,
}

/// The first values of one tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// The same everywhere.
    Constant(f64),
    /// Normal, of mean 0 and this standard deviation.
    Normal(f64),
    /// The same but for `len` zeros from number `from` on.
    NormalBut {
        /// Standard deviation.
        deviation: f64,
        /// First zero.
        from: usize,
        /// How many.
        len: usize,
    },
    /// Uniform between the negative of this and this.
    Uniform(f64),
}

impl Init {
    /// Fills `numbers` with the stream of `key`.
    pub fn fill<R: Real>(self, numbers: &mut [R], key: Key) {
        match self {
            Self::Constant(value) => numbers.fill(R::of(value)),
            Self::Normal(deviation) => key.fill_normal(numbers, 0.0, deviation),
            Self::NormalBut { deviation, from, len } => {
                key.fill_normal(numbers, 0.0, deviation);
                numbers.iter_mut().skip(from).take(len).for_each(|number| *number = R::ZERO);
            }
            Self::Uniform(bound) => key.fill_uniform(numbers, -bound, bound),
        }
    }
}

/// How weights and biases of a layer begin.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct WeightInit {
    /// The weights. Default: Kaiming normal, as the authors of LIAF-Net have it.
    #[serde(default)]
    pub weight: Scheme,
    /// The bias; by default that of PyTorch, uniform within 1/√inputs. The authors of LIAF-Net
    /// begin with the threshold, 0.5.
    #[serde(default)]
    pub bias: Option<f64>,
}

/// A rule for the first values of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Normal of deviation √(2 / inputs) (He et al. 2015).
    #[default]
    KaimingNormal,
    /// Uniform within 1/√inputs, the rule of PyTorch's layers.
    Torch,
    /// Normal of deviation √(2 / (inputs + outputs)) (Glorot and Bengio 2010).
    XavierNormal,
}

impl WeightInit {
    /// The first values of weights.
    pub fn weight(&self, fan: Fan) -> Init {
        let (inputs, outputs) = (fan.inputs.max(1) as f64, fan.outputs as f64);
        match self.weight {
            Scheme::KaimingNormal => Init::Normal((2.0 / inputs).sqrt()),
            Scheme::Torch => Init::Uniform(1.0 / inputs.sqrt()),
            Scheme::XavierNormal => Init::Normal((2.0 / (inputs + outputs)).sqrt()),
        }
    }

    /// The first values of the bias.
    pub fn bias(&self, fan: Fan) -> Init {
        let inputs = fan.inputs.max(1) as f64;
        self.bias.map_or(Init::Uniform(1.0 / inputs.sqrt()), Init::Constant)
    }
}
