//! What a network costs: weights, multiplications, additions and memory, by layer, before it is
//! built or run.
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
//! A layer counts a multiply-accumulate (MAC) for each product of its synapses; a bias and the
//! functions exp, tanh and the like are not counted. Per step, from n numbers to h, or C_in to C_out
//! channels at Ho·Wo positions, with a kernel of k:
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
pub use table::Comparison;

use serde::{Deserialize, Serialize};

/// How operations are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CountRule {
    /// Every layer by its formula.
    #[default]
    Textbook,
    /// As the notebook of ES-ImageNet (Lin et al. 2021) counts LIAF-ResNet and LIF-ResNet, for
    /// comparison with its printed totals.
    ///
    /// It knows convolutions and fully connected layers only, and puts the neuron's part with the
    /// convolution: a kernel larger than 1×1 has
    /// `C_in C_out Ho Wo (k² - 1) + 2 C_out Ho Wo` additions a step, and multiplications
    /// `2 C_out Ho Wo` (LIF) or `C_in C_out k² Ho Wo + C_out Ho Wo` (LIAF). Against its own formulas,
    /// the first convolution is counted once more without time and neuron, a 1×1 convolution once
    /// without time, and a fully connected layer of n inputs as n³ of both.
    EsNotebook,
}
