//! The first values of the recurrent layers.

use serde::{Deserialize, Serialize};

use crate::init::Init;
use crate::layer::contract::TensorSpec;

/// How the first values of [`Rnn`](super::Rnn), [`Lstm`](super::Lstm) and [`Gru`](super::Gru) with h units
/// are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecurrentInit {
    /// All uniform within 1/√h, the rule of PyTorch.
    #[default]
    Torch,
    /// For each gate, weights of L inputs uniform within √(6 / (L + h)) (Glorot and Bengio 2010) and
    /// orthogonal recurrent weights (Saxe et al. 2014); all biases 0, except that of the forget gate of an
    /// LSTM, which is 1 (Jozefowicz et al. 2015). Keras has the same rules, applied to all gates together.
    Orthogonal,
}

/// The shape of the gates, from which first values follow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gates {
    /// Number of gates.
    pub count: usize,
    /// Number of units of each gate.
    pub units: usize,
    /// Number of inputs.
    pub length: usize,
    /// Index of the forget gate, if there is one.
    pub forget: Option<usize>,
}

impl RecurrentInit {
    /// Whether a configuration needs no word for it.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0` and `bias_hh_l0`.
    pub(super) fn params(self, gates: Gates) -> [TensorSpec; 4] {
        let Gates { count, units, length, forget } = gates;
        let rows = count * units;
        let [ih, hh, bias_ih, bias_hh] = match self {
            Self::Torch => [Init::Uniform(1.0 / (units as f64).sqrt()); 4],
            Self::Orthogonal => {
                let bias_ih = forget.map_or(Init::Constant(0.0), |gate| Init::ConstantIn {
                    value: 1.0,
                    from: gate * units,
                    len: units,
                });
                let bound = (6.0 / (length + units) as f64).sqrt();
                let hh = Init::OrthogonalGates(units);
                [Init::Uniform(bound), hh, bias_ih, Init::Constant(0.0)]
            }
        };
        [
            TensorSpec::new("weight_ih_l0", [rows, length], ih).decaying(),
            TensorSpec::new("weight_hh_l0", [rows, units], hh).decaying(),
            TensorSpec::new("bias_ih_l0", [rows], bias_ih),
            TensorSpec::new("bias_hh_l0", [rows], bias_hh),
        ]
    }
}
