//! The first values of parameters.

use serde::{Deserialize, Serialize};

use crate::real::Real;
use crate::rng::Key;

/// The numbers of connections of a weight, from which its variance is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fan {
    /// Number of inputs of an output.
    pub inputs: usize,
    /// Number of outputs of an input.
    pub outputs: usize,
}

/// How the first values of one tensor are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// The same value everywhere.
    Constant(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Normal, except for `len` zeros from index `from` on.
    NormalBut {
        /// Standard deviation.
        deviation: f64,
        /// Index of the first zero.
        from: usize,
        /// Number of zeros.
        len: usize,
    },
    /// Uniform between the negative of this value and this value.
    Uniform(f64),
    /// A matrix of this many columns whose rows are orthonormal; if it has more rows than columns, its
    /// columns are (Saxe et al. 2014).
    Orthogonal(usize),
    /// Square matrices of this many columns below one another, each of them orthogonal: the recurrent
    /// weights of several gates.
    OrthogonalGates(usize),
    /// A matrix of this many columns with ones on its diagonal.
    Identity(usize),
    /// The same value for `len` numbers from index `from` on, and zeros elsewhere.
    ConstantIn {
        /// The value.
        value: f64,
        /// Index of the first number that has it.
        from: usize,
        /// How many numbers have it.
        len: usize,
    },
    /// Shares that are left after one step, `exp(-1 / tau)`, of time constants `tau` in steps, which are
    /// evenly spaced in their logarithm from the first number to the last one.
    Decays {
        /// The first and the last time constant, above 0.
        tau: [f64; 2],
        /// Whether the logits of the shares are stored, `ln(a / (1 - a))`.
        logit: bool,
    },
}

impl Init {
    /// Fills `numbers` with random numbers from the stream of `key`.
    pub fn fill<R: Real>(self, numbers: &mut [R], key: Key) {
        match self {
            Self::Constant(value) => numbers.fill(R::of(value)),
            Self::Normal(deviation) => key.fill_normal(numbers, 0.0, deviation),
            Self::NormalBut { deviation, from, len } => {
                key.fill_normal(numbers, 0.0, deviation);
                numbers.iter_mut().skip(from).take(len).for_each(|number| *number = R::ZERO);
            }
            Self::Uniform(bound) => key.fill_uniform(numbers, -bound, bound),
            Self::Orthogonal(columns) => orthogonal(numbers, columns, key),
            Self::OrthogonalGates(columns) => {
                let gates = numbers.chunks_mut(columns.saturating_mul(columns).max(1));
                let gates = gates.enumerate();
                gates.for_each(|(gate, own)| orthogonal(own, columns, key.child(gate as u64)));
            }
            Self::Identity(columns) => {
                numbers.fill(R::ZERO);
                let rows = numbers.chunks_mut(columns.max(1)).enumerate();
                rows.filter_map(|(row, own)| own.get_mut(row)).for_each(|one| *one = R::ONE);
            }
            Self::ConstantIn { value, from, len } => {
                numbers.fill(R::ZERO);
                numbers.iter_mut().skip(from).take(len).for_each(|number| *number = R::of(value));
            }
            Self::Decays { tau, logit } => decays(numbers, tau, logit),
        }
    }
}

/// Fills `numbers` with the shares of [`Init::Decays`].
fn decays<R: Real>(numbers: &mut [R], [first, last]: [f64; 2], logit: bool) {
    let most = numbers.len().saturating_sub(1).max(1) as f64;
    for (at, number) in numbers.iter_mut().enumerate() {
        let rate = 1.0 / (first * (last / first).powf(at as f64 / most));
        // `1 - exp(-rate)` is exact for long time constants only as `-expm1(-rate)`.
        let value = if logit { -rate - (-(-rate).exp_m1()).ln() } else { (-rate).exp() };
        *number = R::of(value);
    }
}

/// The first values of the weights and biases of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct WeightInit {
    /// The weights. Default: Kaiming normal, as the authors of LIAF-Net use.
    #[serde(default)]
    pub weight: Scheme,
    /// The bias. The default is that of PyTorch, uniform within 1/√inputs. The authors of LIAF-Net
    /// start with the threshold, 0.5.
    #[serde(default)]
    pub bias: Option<f64>,
}

/// A rule for the first values of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Normal with deviation √(2 / inputs) (He et al. 2015).
    #[default]
    KaimingNormal,
    /// Uniform within √(6 / inputs), with the same deviation.
    KaimingUniform,
    /// Uniform within 1/√inputs, the rule of PyTorch's layers.
    Torch,
    /// Normal with deviation √(2 / (inputs + outputs)) (Glorot and Bengio 2010).
    XavierNormal,
    /// Uniform within √(6 / (inputs + outputs)), with the same deviation.
    XavierUniform,
    /// Orthonormal rows, or columns if they are fewer. Each row is an output (Saxe et al. 2014).
    Orthogonal,
    /// Ones on the diagonal: output i starts as input i. With it a recurrent layer starts by carrying its
    /// state on unchanged (Le et al. 2015, arXiv 1504.00941).
    Identity,
}

impl WeightInit {
    /// Kaiming normal with a bias of 0.5, the threshold, as the authors of LIAF-Net use.
    pub const AUTHORS: Self = Self { weight: Scheme::KaimingNormal, bias: Some(0.5) };

    /// How the first values of the weights are chosen.
    pub fn weight(&self, fan: Fan) -> Init {
        let (inputs, outputs) = (fan.inputs.max(1) as f64, fan.outputs as f64);
        match self.weight {
            Scheme::KaimingNormal => Init::Normal((2.0 / inputs).sqrt()),
            Scheme::KaimingUniform => Init::Uniform((6.0 / inputs).sqrt()),
            Scheme::Torch => Init::Uniform(1.0 / inputs.sqrt()),
            Scheme::XavierNormal => Init::Normal((2.0 / (inputs + outputs)).sqrt()),
            Scheme::XavierUniform => Init::Uniform((6.0 / (inputs + outputs)).sqrt()),
            Scheme::Orthogonal => Init::Orthogonal(fan.inputs),
            Scheme::Identity => Init::Identity(fan.inputs),
        }
    }

    /// How the first values of the bias are chosen.
    pub fn bias(&self, fan: Fan) -> Init {
        let inputs = fan.inputs.max(1) as f64;
        self.bias.map_or(Init::Uniform(1.0 / inputs.sqrt()), Init::Constant)
    }
}

/// Fills `numbers` with normal numbers, and makes the rows, or the columns if they are fewer,
/// orthonormal one after another (by the Gram-Schmidt process, applied twice to remove rounding
/// errors).
fn orthogonal<R: Real>(numbers: &mut [R], columns: usize, key: Key) {
    let columns = columns.clamp(1, numbers.len().max(1));
    let rows = numbers.len() / columns;
    let (count, len) = (rows.min(columns), rows.max(columns));
    let mut vectors = vec![0.0; count * len];
    key.fill_normal(&mut vectors, 0.0, 1.0);
    for i in 0..count {
        let (done, rest) = vectors.split_at_mut(i * len);
        let own = &mut rest[..len];
        for _ in 0..2 {
            for other in done.chunks_exact(len) {
                let along: f64 = own.iter().zip(other).map(|(a, b)| a * b).sum();
                own.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
            }
            let length = own.iter().map(|a| a * a).sum::<f64>().sqrt();
            own.iter_mut().for_each(|a| *a /= length);
        }
    }
    for (at, number) in numbers.iter_mut().enumerate() {
        let (row, column) = (at / columns, at % columns);
        let (vector, position) = if rows <= columns { (row, column) } else { (column, row) };
        *number = R::of(vectors.get(vector * len + position).copied().unwrap_or(0.0));
    }
}

#[cfg(test)]
mod tests;
