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
        }
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
mod tests {
    use super::*;

    fn draw(weight: Scheme, fan: Fan) -> Vec<f64> {
        let mut numbers = vec![0.0; fan.inputs * fan.outputs];
        WeightInit { weight, bias: None }.weight(fan).fill(&mut numbers, Key::new(3));
        numbers
    }

    #[test]
    fn deviations_are_those_of_the_rules() {
        let fan = Fan { inputs: 200, outputs: 300 };
        for (scheme, deviation, bound) in [
            (Scheme::KaimingNormal, 0.1, f64::INFINITY),
            (Scheme::KaimingUniform, 0.1, 0.03f64.sqrt()),
            (Scheme::Torch, (1.0 / 600.0f64).sqrt(), (1.0 / 200.0f64).sqrt()),
            (Scheme::XavierNormal, (2.0 / 500.0f64).sqrt(), f64::INFINITY),
            (Scheme::XavierUniform, (2.0 / 500.0f64).sqrt(), (6.0 / 500.0f64).sqrt()),
        ] {
            let numbers = draw(scheme, fan);
            let square = numbers.iter().map(|x| x * x).sum::<f64>() / numbers.len() as f64;
            assert!((square.sqrt() / deviation - 1.0).abs() < 0.01, "{scheme:?}");
            let largest = numbers.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
            assert!(largest <= bound && (bound.is_infinite() || largest > 0.99 * bound));
        }
    }

    #[test]
    fn orthogonal_weights_are() {
        for (outputs, inputs) in [(5, 9), (9, 5), (7, 7), (1, 4), (4, 1)] {
            let w = draw(Scheme::Orthogonal, Fan { inputs, outputs });
            let (count, len) = (outputs.min(inputs), outputs.max(inputs));
            let at = |vector: usize, position: usize| {
                if outputs <= inputs {
                    w[vector * inputs + position]
                } else {
                    w[position * inputs + vector]
                }
            };
            for a in 0..count {
                for b in 0..count {
                    let dot: f64 = (0..len).map(|i| at(a, i) * at(b, i)).sum();
                    let expected = if a == b { 1.0 } else { 0.0 };
                    assert!((dot - expected).abs() < 1e-13, "{outputs}x{inputs}: {dot}");
                }
            }
        }
    }
}
