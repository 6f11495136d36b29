//! The operations of a layer at one step, as numbers.

use serde::Serialize;

/// The weights of a layer: every output is a sum over `inputs × taps` products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Synapses {
    /// Number of input channels, or of values in an input vector.
    pub inputs: u64,
    /// Number of output channels, or of values in an output vector; for gates, of all gates.
    pub outputs: u64,
    /// Number of elements of a kernel: k² (times the depth in time); 1 without a kernel.
    pub taps: u64,
    /// Number of positions of the kernel: Ho·Wo; 1 for a vector.
    pub places: u64,
}

impl Synapses {
    /// A matrix from `inputs` to `outputs` values.
    pub fn dense(inputs: usize, outputs: usize) -> Self {
        Self { inputs: inputs as u64, outputs: outputs as u64, taps: 1, places: 1 }
    }

    /// A convolution between channels, with a kernel of `taps` elements at `places` positions.
    pub fn conv(inputs: usize, outputs: usize, taps: usize, places: usize) -> Self {
        Self { taps: taps as u64, places: places as u64, ..Self::dense(inputs, outputs) }
    }

    /// Number of multiply-accumulates, which saturates instead of overflowing.
    pub fn macs(&self) -> u64 {
        [self.outputs, self.taps, self.places].into_iter().fold(self.inputs, u64::saturating_mul)
    }
}

/// The operations of a layer at one step (or in total, without time). Activation functions and the
/// addition of a bias are not counted, as is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Work {
    /// The weights on the inputs.
    pub synapses: Option<Synapses>,
    /// Multiply-accumulates on what the layer itself carries from step to step.
    pub recurrent_macs: u64,
    /// Elementwise multiplications, in addition to those of the weights.
    pub multiplications: u64,
    /// Elementwise additions and comparisons, in addition to those of the weights.
    pub additions: u64,
}

impl Work {
    /// Only the operations of weights.
    pub fn synapses(synapses: Synapses) -> Self {
        Self { synapses: Some(synapses), ..Self::default() }
    }

    /// Only elementwise operations: this number of both on each of `len` values.
    pub fn each(len: usize, multiplications: usize, additions: usize) -> Self {
        Self::default().and_each(len, multiplications, additions)
    }

    /// Adds elementwise operations.
    #[must_use]
    pub fn and_each(self, len: usize, multiplications: usize, additions: usize) -> Self {
        let times = |count: usize| (len as u64).saturating_mul(count as u64);
        Self {
            multiplications: self.multiplications.saturating_add(times(multiplications)),
            additions: self.additions.saturating_add(times(additions)),
            ..self
        }
    }

    /// Adds multiply-accumulates on what the layer carries.
    #[must_use]
    pub fn and_recurrent(self, macs: u64) -> Self {
        Self { recurrent_macs: macs, ..self }
    }

    /// Number of all multiply-accumulates.
    pub fn macs(&self) -> u64 {
        self.synapses.map_or(0, |synapses| synapses.macs()).saturating_add(self.recurrent_macs)
    }
}
