//! The layers: each a configuration that is checked, then made into an operation.
//!
//! [`LayerConfig`] is what stands in a TOML or JSON file. A layer's own file holds its configuration
//! with documented defaults, what it makes of shapes, its parameters, and its operation.

mod activate;
mod aggregate;
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

pub use activate::Activate;
pub use aggregate::{Aggregate, AggregateKind};
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

use crate::cost::Work;
use crate::init::Init;
use crate::neuron::{Neuron, Plif};
use crate::{Op, Real, Result, Shape};

/// A tensor that a layer asks for: a parameter that is learned, or a buffer that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    /// Its name inside the layer, as in PyTorch: `weight`, `bias`, `running_mean`, …
    pub name: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its first values.
    pub init: Init,
    /// Whether weight decay applies: weights, not biases, norms or constants of neurons.
    pub decay: bool,
    /// Take the parameter of the same name of this layer instead of one of its own.
    pub shared_with: Option<String>,
}

impl TensorSpec {
    /// A tensor of its own to which weight decay does not apply.
    pub fn new(name: &'static str, shape: impl Into<Vec<usize>>, init: Init) -> Self {
        Self { name, shape: shape.into(), init, decay: false, shared_with: None }
    }

    /// The same with weight decay.
    #[must_use]
    pub fn decaying(self) -> Self {
        Self { decay: true, ..self }
    }

    /// Numbers in it.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What every kind of layer says of itself. All of it may be asked before a network is built.
pub trait Layer {
    /// The shape of the output, if the inputs are such that there can be one.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`](crate::ErrorKind::Shape) with both shapes, or
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for numbers that cannot be.
    fn output(&self, inputs: &[Shape]) -> Result<Shape>;

    /// Its parameters, in a fixed order.
    fn params(&self, _inputs: &[Shape]) -> Vec<TensorSpec> {
        Vec::new()
    }

    /// Its buffers, in a fixed order.
    fn buffers(&self, _inputs: &[Shape]) -> Vec<TensorSpec> {
        Vec::new()
    }

    /// What it does at one step, or once for inputs without time. Default: nothing that counts.
    fn cost(&self, _inputs: &[Shape]) -> Work {
        Work::default()
    }

    /// Whether it is neurons that send spikes onward.
    fn fires(&self) -> bool {
        false
    }

    /// Spikes per number of the output, given those per number of the inputs (`None` for an input
    /// that is not made of spikes alone). `None`, the default, if the output is not. A layer whose
    /// output is sums of spikes (a pooling) counts each spike.
    fn spikes(&self, _inputs: &[Shape], _rates: &[Option<f64>]) -> Option<f64> {
        None
    }

    /// The operation. Called only after [`output`](Self::output) has accepted the inputs.
    fn op<R: Real>(&self, inputs: &[Shape]) -> Op<R>;
}

/// The default of keys that are on unless said otherwise.
pub(crate) fn yes() -> bool {
    true
}

/// The one input of a layer that takes one.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for none or several.
pub(crate) fn only(inputs: &[Shape]) -> Result<&Shape> {
    match inputs {
        [input] => Ok(input),
        _ => Err(crate::Error::config("this layer takes one input")
            .expected("1 input")
            .found(format!("{} inputs", inputs.len()))),
    }
}

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
            fn output(&self, inputs: &[Shape]) -> Result<Shape> {
                match self { $(Self::$variant(layer) => layer.output(inputs),)* }
            }
            fn params(&self, inputs: &[Shape]) -> Vec<TensorSpec> {
                match self { $(Self::$variant(layer) => layer.params(inputs),)* }
            }
            fn buffers(&self, inputs: &[Shape]) -> Vec<TensorSpec> {
                match self { $(Self::$variant(layer) => layer.buffers(inputs),)* }
            }
            fn cost(&self, inputs: &[Shape]) -> Work {
                match self { $(Self::$variant(layer) => layer.cost(inputs),)* }
            }
            fn fires(&self) -> bool {
                match self { $(Self::$variant(layer) => layer.fires(),)* }
            }
            fn spikes(&self, inputs: &[Shape], rates: &[Option<f64>]) -> Option<f64> {
                match self { $(Self::$variant(layer) => layer.spikes(inputs, rates),)* }
            }
            fn op<R: Real>(&self, inputs: &[Shape]) -> Op<R> {
                match self { $(Self::$variant(layer) => layer.op(inputs),)* }
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
    /// Convolution of every step.
    Conv2d(Conv2d),
    /// Fully connected.
    Dense(Dense),
    /// A spiking or analog neuron.
    Neuron(Neuron),
    /// Convolution over space and time.
    Conv3d(Conv3d),
    /// Averages of windows.
    AvgPool(AvgPool),
    /// Maxima of windows.
    MaxPool(MaxPool),
    /// The average of an image.
    SpatialMean(SpatialMean),
    /// Sum of several signals.
    Add(Add),
    /// Several signals behind each other.
    Concat(Concat),
    /// Numbers dropped in training.
    Dropout(Dropout),
    /// A row of a table for each token.
    Embedding(Embedding),
    /// An activation function.
    Activation(Activate),
    /// SpikingJelly's LIF neuron, with a learned time constant.
    Plif(Plif),
    /// Batch normalisation.
    BatchNorm(BatchNorm),
    /// Layer normalisation.
    LayerNorm(LayerNorm),
    /// `[C, H, W]` to `[C·H·W]`.
    Flatten(Flatten),
    /// An end of time: mean, sum, last or one step.
    Aggregate(Aggregate),
    /// Simple recurrent network.
    Rnn(Rnn),
    /// Long short-term memory.
    Lstm(Lstm),
    /// Gated recurrent unit.
    Gru(Gru),
    /// LSTM of images.
    ConvLstm(ConvLstm),
}
