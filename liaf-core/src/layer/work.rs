//! What one layer does at one step, as numbers.

use serde::Serialize;

/// The synapses of a layer: every output number is a sum over `inputs × taps` products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Synapses {
    /// Input channels, or numbers of an input vector.
    pub inputs: u64,
    /// Output channels, or numbers of an output vector; for gates, of all gates.
    pub outputs: u64,
    /// Numbers of a kernel: k² (times the depth in time); 1 where there is none.
    pub taps: u64,
    /// Positions of the kernel: Ho·Wo; 1 for a vector.
    pub places: u64,
}

impl Synapses {
    /// A matrix from `inputs` to `outputs` numbers.
    pub fn dense(inputs: usize, outputs: usize) -> Self {
        Self { inputs: inputs as u64, outputs: outputs as u64, taps: 1, places: 1 }
    }

    /// A convolution between channels, with a kernel of `taps` numbers at `places` positions.
    pub fn conv(inputs: usize, outputs: usize, taps: usize, places: usize) -> Self {
        Self { taps: taps as u64, places: places as u64, ..Self::dense(inputs, outputs) }
    }

    /// Multiply-accumulates. Saturates instead of wrapping round.
    pub fn macs(&self) -> u64 {
        [self.outputs, self.taps, self.places].into_iter().fold(self.inputs, u64::saturating_mul)
    }
}

/// What one layer does at one step (or once, without time). Activation functions, and additions of
/// a bias, are not counted, as is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Work {
    /// Synapses on the inputs.
    pub synapses: Option<Synapses>,
    /// Multiply-accumulates on what the layer itself carries from step to step.
    pub recurrent_macs: u64,
    /// Multiplications number by number, beside the synapses'.
    pub multiplications: u64,
    /// Additions and comparisons number by number, beside the synapses'.
    pub additions: u64,
}

impl Work {
    /// Nothing but synapses.
    pub fn synapses(synapses: Synapses) -> Self {
        Self { synapses: Some(synapses), ..Self::default() }
    }

    /// Nothing but work number by number: on each of `len` numbers so many of both.
    pub fn each(len: usize, multiplications: usize, additions: usize) -> Self {
        Self::default().and_each(len, multiplications, additions)
    }

    /// The same with work number by number.
    #[must_use]
    pub fn and_each(self, len: usize, multiplications: usize, additions: usize) -> Self {
        let times = |count: usize| (len as u64).saturating_mul(count as u64);
        Self {
            multiplications: self.multiplications.saturating_add(times(multiplications)),
            additions: self.additions.saturating_add(times(additions)),
            ..self
        }
    }

    /// The same with so many multiply-accumulates on what the layer carries.
    #[must_use]
    pub fn and_recurrent(self, macs: u64) -> Self {
        Self { recurrent_macs: macs, ..self }
    }

    /// All multiply-accumulates.
    pub fn macs(&self) -> u64 {
        self.synapses.map_or(0, |synapses| synapses.macs()).saturating_add(self.recurrent_macs)
    }
}
