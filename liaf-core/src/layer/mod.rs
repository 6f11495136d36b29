//! The layers. Each is a configuration, from which its operation is made after it has been checked.
//!
//! [`LayerConfig`] is a layer as it is written in a TOML or JSON file. The file of a layer has its
//! configuration with documented defaults, its description (output shape, parameters, cost), and its
//! operation. A program adds layers of its own with [`CustomLayer`].

mod activate;
mod aggregate;
pub(crate) mod contract;
mod conv2d;
mod conv3d;
mod custom;
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
pub use custom::{Custom, CustomBackward, CustomForward, CustomLayer, CustomSpec, register};
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use join::{Add, Concat, Multiply};
pub use norm::{BatchNorm, LayerNorm};
pub use pool::{AvgPool, MaxPool, SpatialMean};
pub use recurrent::{ConvLstm, Gru, Lstm, RecurrentInit, Rnn, RnnActivation};
pub use window::Pair;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::layer::contract::{Description, Layer};
use crate::neuron::{Neuron, Plif};
use crate::real::Real;
use crate::shape::Shape;

/// The name of a variant in serde's `snake_case`.
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
        /// Any layer, as it is written in a configuration: `type = "dense"` and the options of that
        /// type.
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
            /// The name of the type, as in a configuration: `dense`.
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
    /// The mean of an image: in TOML `type = "spatial_mean"`.
    SpatialMean(SpatialMean),
    /// Sum of several signals: in TOML `type = "add"`.
    Add(Add),
    /// Product of two signals: in TOML `type = "multiply"`.
    Multiply(Multiply),
    /// Concatenation of several signals: in TOML `type = "concat"`.
    Concat(Concat),
    /// Dropout: in TOML `type = "dropout"`.
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
    /// Aggregation over time (mean, sum, last, last and mean, or one step): in TOML `type = "aggregate"`.
    Aggregate(Aggregate),
    /// Simple recurrent network: in TOML `type = "rnn"`.
    Rnn(Rnn),
    /// Long short-term memory: in TOML `type = "lstm"`.
    Lstm(Lstm),
    /// Gated recurrent unit: in TOML `type = "gru"`.
    Gru(Gru),
    /// LSTM of images: in TOML `type = "conv_lstm"`.
    ConvLstm(ConvLstm),
    /// A [layer of the caller's own](CustomLayer): in TOML `type = "custom"`, with its name as `kind` and
    /// a table `options`.
    Custom(Custom),
}
