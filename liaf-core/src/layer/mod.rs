//! The layers: each a configuration that is checked, then made into an operation.
//!
//! [`LayerConfig`] is what stands in a TOML or JSON file. A layer's own file holds its configuration
//! with documented defaults, its description (what it makes of shapes, its parameters, what it
//! costs), and its operation.

mod activate;
mod aggregate;
pub(crate) mod contract;
mod conv2d;
mod conv3d;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod join;
pub(crate) mod norm;
mod pool;
mod recurrent;
mod window;
pub(crate) mod work;

pub use activate::Activate;
pub use aggregate::{Aggregate, AggregateKind};
pub use contract::TensorSpec;
pub use conv2d::Conv2d;
pub use conv3d::Conv3d;
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use join::{Add, Concat};
pub use norm::{BatchNorm, LayerNorm};
pub use pool::{AvgPool, MaxPool, SpatialMean};
pub use recurrent::{ConvLstm, Gru, Lstm, Rnn, RnnActivation};
pub use window::Pair;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::layer::contract::{Description, Layer};
use crate::neuron::{Neuron, Plif};
use crate::real::Real;
use crate::shape::Shape;

/// The name of a variant as serde's `snake_case` has it.
fn snake_case(variant: &str) -> String {
    let mut name = String::new();
    for (i, c) in variant.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

macro_rules! layers {
    ($($(#[$doc:meta])* $variant:ident($config:ty),)*) => {
        /// Any layer, as it stands in a configuration: `type = "dense"` and its own keys.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[non_exhaustive]
        #[expect(clippy::large_enum_variant, reason = "a network has few of them")]
        pub enum LayerConfig {
            $($(#[$doc])* $variant($config),)*
        }

        impl Layer for LayerConfig {
            fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
                match self { $(Self::$variant(layer) => layer.describe(inputs),)* }
            }
        }

        impl LayerConfig {
            /// The name of its type, as in a configuration: `dense`.
            pub fn kind(&self) -> &'static str {
                use std::sync::OnceLock;
                match self {
                    $(Self::$variant(_) => {
                        static NAME: OnceLock<String> = OnceLock::new();
                        NAME.get_or_init(|| snake_case(stringify!($variant)))
                    })*
                }
            }
        }

        $(impl From<$config> for LayerConfig {
            fn from(layer: $config) -> Self {
                Self::$variant(layer)
            }
        })*
    };
}

layers! {
    /// Convolution of every step: in TOML `type = "conv2d"`.
    Conv2d(Conv2d),
    /// Fully connected: in TOML `type = "dense"`.
    Dense(Dense),
    /// A spiking or analog neuron: in TOML `type = "neuron"`.
    Neuron(Neuron),
    /// Convolution over space and time: in TOML `type = "conv3d"`.
    Conv3d(Conv3d),
    /// Averages of windows: in TOML `type = "avg_pool"`.
    AvgPool(AvgPool),
    /// Maxima of windows: in TOML `type = "max_pool"`.
    MaxPool(MaxPool),
    /// The average of an image: in TOML `type = "spatial_mean"`.
    SpatialMean(SpatialMean),
    /// Sum of several signals: in TOML `type = "add"`.
    Add(Add),
    /// Several signals one after another: in TOML `type = "concat"`.
    Concat(Concat),
    /// Numbers dropped in training: in TOML `type = "dropout"`.
    Dropout(Dropout),
    /// A row of a table for each token: in TOML `type = "embedding"`.
    Embedding(Embedding),
    /// An activation function: in TOML `type = "activation"`.
    Activation(Activate),
    /// SpikingJelly's LIF neuron, with a learned time constant: in TOML `type = "plif"`.
    Plif(Plif),
    /// Batch normalisation: in TOML `type = "batch_norm"`.
    BatchNorm(BatchNorm),
    /// Layer normalisation: in TOML `type = "layer_norm"`.
    LayerNorm(LayerNorm),
    /// `[C, H, W]` to `[C·H·W]`: in TOML `type = "flatten"`.
    Flatten(Flatten),
    /// An end of time: mean, sum, last or one step: in TOML `type = "aggregate"`.
    Aggregate(Aggregate),
    /// Simple recurrent network: in TOML `type = "rnn"`.
    Rnn(Rnn),
    /// Long short-term memory: in TOML `type = "lstm"`.
    Lstm(Lstm),
    /// Gated recurrent unit: in TOML `type = "gru"`.
    Gru(Gru),
    /// LSTM of images: in TOML `type = "conv_lstm"`.
    ConvLstm(ConvLstm),
}
