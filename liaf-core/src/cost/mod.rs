//! The cost of a network: weights, multiplications, additions and memory, by layer. The network need
//! not be built or run for this.
//!
//! ```
//! use liaf_core::cost::CountRule;
//! use liaf_core::layer::Dense;
//! use liaf_core::neuron::Neuron;
//! use liaf_core::NetworkConfig;
//!
//! let config = NetworkConfig::sequential([50]).then(Dense::new(100)).then(Neuron::default());
//! let cost = config.cost(10, CountRule::Textbook)?;
//! assert_eq!(cost.total().weights, 5_000);
//! assert_eq!(cost.total().macs, 50_000);
//! println!("{cost}");
//! # Ok::<(), liaf_core::Error>(())
//! ```
//!
//! A layer counts a multiply-accumulate (MAC) for each product of a weight. Biases and functions such
//! as exp and tanh are not counted. Per step, with n inputs and h outputs, or C_in and C_out channels
//! at Ho·Wo positions with a kernel of k×k:
//!
//! | layer | weights | MACs |
//! |---|---|---|
//! | dense (LIAF, LIF) | n h | n h |
//! | simple RNN, LIAFRCell | h (n + h) | the same |
//! | GRU | 3 h (n + h) | the same |
//! | LSTM | 4 h (n + h) | the same |
//! | convolution (LIAF, LIF) | k² C_in C_out | × Ho Wo |
//! | ConvLSTM | 4 k² C_out (C_in + C_out) | × Ho Wo |
//! | Conv3D of depth k_t | k_t k² C_in C_out | × Ho Wo |
//!
//! A neuron adds two additions (integration, comparison with the threshold) and two
//! multiplications (leak, reset), as the authors of LIAF-Net count them.

mod count;
mod rates;
mod report;
mod table;

pub use crate::layer::work::{Synapses, Work};
pub use rates::Rates;
pub use report::{Cost, EventCost, LayerCost, Total};
pub use table::{Comparison, aligned, grouped};

use serde::{Deserialize, Serialize};

/// How operations are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountRule {
    /// By the formula of each layer.
    #[default]
    Textbook,
    /// As the notebook of ES-ImageNet (Lin et al. 2021) counts LIAF-ResNet and LIF-ResNet, for
    /// comparison with its printed totals.
    ///
    /// The notebook supports convolutions and fully connected layers only, and counts the neuron
    /// together with the convolution: a kernel larger than 1×1 has `C_in C_out Ho Wo (k² - 1) + 2 C_out
    /// Ho Wo` additions per step, and `2 C_out Ho Wo` (LIF) or `C_in C_out k² Ho Wo + C_out Ho Wo`
    /// (LIAF) multiplications. Contrary to its own formulas, it counts the first convolution once more
    /// without time and neuron, a 1×1 convolution once without time, and a fully connected layer of n
    /// inputs as n³ multiplications and additions.
    EsNotebook,
}
