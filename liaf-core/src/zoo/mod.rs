//! The networks for the tasks of LIAF-Net, and the networks they are compared with, by name.
//!
//! The structures are those of the authors' code and of papers of the same group, as each entry says. A
//! network is returned as a configuration, which can be printed, changed, built or counted:
//!
//! ```
//! use liaf_core::cost::CountRule;
//! use liaf_core::zoo;
//!
//! let config = zoo::network("gesture-a", &zoo::Options::default())?;
//! assert_eq!(config.cost(60, CountRule::Textbook)?.total().parameters, 2_322_891);
//! let rival = zoo::network("gesture-a-convlstm", &zoo::Options::default())?;
//! println!("{}", rival.to_toml()?);
//! # Ok::<(), liaf_core::Error>(())
//! ```

mod babi;
mod build;
mod gated;
mod nets;
mod resnet;

use crate::error::{Error, Result};
use crate::graph::NetworkConfig;

/// The forms of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Analog neurons: the network itself.
    Liaf,
    /// LIF neurons, which send spikes.
    Lif,
    /// Every convolution and its neurons are replaced by a ConvLSTM with as many channels, padded and
    /// without norm, followed by the stride of the convolution. Fully connected layers have ReLU.
    ConvLstm,
    /// Every convolution is replaced by one over three steps, with norm and ReLU and without neurons.
    /// Fully connected layers have ReLU.
    Conv3d,
    /// Convolutions at every step with ReLU. The first hidden fully connected layer and its neurons are
    /// replaced by an LSTM with as many units.
    Lstm,
    /// As `Lstm`, with a GRU.
    Gru,
    /// As `Lstm`, with a simple RNN.
    Rnn,
}

impl Kind {
    /// All forms.
    pub const ALL: [Self; 7] =
        [Self::Liaf, Self::Lif, Self::ConvLstm, Self::Conv3d, Self::Lstm, Self::Gru, Self::Rnn];

    /// What follows the name of the network; empty for the network itself.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Liaf => "",
            Self::Lif => "-lif",
            Self::ConvLstm => "-convlstm",
            Self::Conv3d => "-conv3d",
            Self::Lstm => "-lstm",
            Self::Gru => "-gru",
            Self::Rnn => "-rnn",
        }
    }
}

/// The options of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The factor for the numbers of channels and units, of which at least one is kept. Default 1.
    pub width: f64,
    /// Height and width of the frames. Default: those of the task.
    pub size: Option<usize>,
    /// Number of classes. Default: that of the task.
    pub classes: Option<usize>,
    /// Number of words of the language, including the padding, for the networks for bAbI. Default 32.
    pub tokens: usize,
    /// Number of steps of the longest sample, over which the neurons of some networks remember. Default:
    /// that of the entry.
    pub steps: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 1.0, size: None, classes: None, tokens: 32, steps: None }
    }
}

/// A network of the zoo.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name of the network.
    pub name: &'static str,
    /// Its task and its source.
    pub about: &'static str,
    /// Number of time steps of a sample.
    pub steps: usize,
    /// Height and width of its frames; 0 for a network for words.
    pub size: usize,
    /// Number of its classes; 0 if the classes are the words.
    pub classes: usize,
    /// The forms in which it exists.
    pub kinds: &'static [Kind],
    make: fn(&Entry, Kind, &Options) -> Result<NetworkConfig>,
}

impl Entry {
    /// The network in one of its forms.
    ///
    /// # Errors
    /// If it does not exist in this form, or the options are invalid.
    pub fn network(&self, kind: Kind, options: &Options) -> Result<NetworkConfig> {
        if !self.kinds.contains(&kind) {
            let forms: Vec<_> =
                self.kinds.iter().map(|kind| format!("{}{}", self.name, kind.suffix())).collect();
            return Err(Error::unsupported(format!(
                "there is no network {}{}",
                self.name,
                kind.suffix()
            ))
            .expected(forms.join(", ")));
        }
        if !(options.width > 0.0 && options.width <= 64.0) {
            return Err(Error::config("invalid width")
                .expected("above 0 and at most 64")
                .found(options.width));
        }
        let config = (self.make)(self, kind, options)?;
        config.resolve()?;
        Ok(config)
    }

    fn item(&self, options: &Options) -> [usize; 3] {
        let size = options.size.unwrap_or(self.size);
        [2, size, size]
    }

    fn classes(&self, options: &Options) -> usize {
        options.classes.unwrap_or(self.classes)
    }
}

/// All forms except simple RNNs: for networks with convolutions and a fully connected layer, which may
/// be hidden.
const IMAGES: &[Kind] =
    &[Kind::Liaf, Kind::Lif, Kind::ConvLstm, Kind::Conv3d, Kind::Lstm, Kind::Gru];

/// For networks without a fully connected layer that could be recurrent.
const CONV_ONLY: &[Kind] = &[Kind::Liaf, Kind::Lif, Kind::ConvLstm, Kind::Conv3d];

const RESNET: &[Kind] = &[Kind::Liaf, Kind::Lif, Kind::Conv3d];

const WORDS: &[Kind] = &[Kind::Liaf, Kind::Lif, Kind::Rnn, Kind::Lstm, Kind::Gru];

const LEAK: &[Kind] = &[Kind::Liaf, Kind::Lif];

macro_rules! entries {
    ($($name:literal $steps:literal $size:literal $classes:literal $kinds:ident $make:path, $about:literal;)*) => {
        &[$(Entry {
            name: $name,
            about: $about,
            steps: $steps,
            size: $size,
            classes: $classes,
            kinds: $kinds,
            make: $make,
        }),*]
    };
}

const ENTRIES: &[Entry] = entries! {
    "gesture-a" 60 32 11 IMAGES nets::gesture_a,
        "DVS128 Gesture, 64C3-128C3-AP2-128C3-AP2-256FC-11 without norms (He et al. 2020)";
    "gesture-a-bn" 60 32 11 IMAGES nets::gesture_a_bn,
        "gesture-a with batch norm and pooling before the neurons, SELU";
    "gesture-a2" 60 32 11 IMAGES nets::gesture_a2,
        "DVS128 Gesture, 64C3-128C3-AP2-256FC-11, SELU";
    "gesture-b" 60 40 11 IMAGES nets::gesture_b,
        "DVS128 Gesture, 64C3s2-128C3s2-256C3s2-256FC-11 after a norm of the input (BIDL)";
    "gesture-c" 16 128 11 CONV_ONLY nets::gesture_c,
        "DVS128 Gesture, seven C3-MP2 of 64 to 512 channels and 11 (BIDL)";
    "mnist-dvs-b" 20 40 10 IMAGES nets::mnist_dvs_b,
        "MNIST-DVS, 32C3-MP2-64C3-MP2-128C3-MP2-mean-512FC-128FC-10 (BIDL)";
    "mnist-dvs-b5" 20 128 10 IMAGES nets::mnist_dvs_b5,
        "MNIST-DVS, 32C5s2-MP2-64C3-MP2-128C3-MP2-256C3-MP2-512C3-MP2-mean-512FC-10 (BIDL)";
    "mnist-dvs-g" 50 128 10 CONV_ONLY nets::mnist_dvs_g,
        "MNIST-DVS, 64C5-64C5-AP2-128C5-AP2-10, SELU";
    "cifar10-dvs-b" 10 128 10 IMAGES nets::cifar10_dvs_b,
        "CIFAR10-DVS, 32C5s2-MP2-64C3-MP2-128C3-MP2-256C3-MP2-512C3-MP2-mean-512FC-10 (BIDL)";
    "cifar10-dvs-t" 10 128 10 IMAGES nets::cifar10_dvs_t,
        "CIFAR10-DVS, 32C3-AP2-64C3-AP2-128C3-AP2-256C3-AP2-512C3-AP4-256FC-10 (TA-SNN)";
    "cifar10-dvs-g" 6 42 10 IMAGES nets::cifar10_dvs_g,
        "CIFAR10-DVS, 32C3-64C3-128C3-256C3, every second row and column, 512FC-10, SELU";
    "cifar10-dvs-r" 8 128 10 RESNET resnet::resnet18,
        "CIFAR10-DVS, LIAF-ResNet-18";
    "liaf-resnet-18" 8 224 1000 RESNET resnet::resnet18,
        "ES-ImageNet, residual blocks 2, 2, 2, 2 (Lin et al. 2021)";
    "liaf-resnet-34" 8 224 1000 RESNET resnet::resnet34,
        "ES-ImageNet, residual blocks 3, 4, 6, 3 (Lin et al. 2021)";
    "babi" 64 0 0 WORDS babi::babi,
        "bAbI, story and question: embedding 50, fully connected 100, last step; joined, words";
    "babi-gated" 64 0 0 WORDS gated::babi_gated,
        "bAbI, the question gates the story: embedding 50, 100 units with learned memory; joined, words";
    "babi-leak" 64 0 0 LEAK gated::babi_leak,
        "babi-gated with a fixed leak of 0.3 instead of learned memory";
};

/// The networks of the zoo.
pub fn list() -> &'static [Entry] {
    ENTRIES
}

/// The entry and the form with this name: `gesture-a`, `gesture-a-lif`.
pub fn find(name: &str) -> Option<(&'static Entry, Kind)> {
    let of = |kind: Kind| {
        let base = name.strip_suffix(kind.suffix())?;
        let entry = ENTRIES.iter().find(|entry| entry.name == base)?;
        entry.kinds.contains(&kind).then_some((entry, kind))
    };
    Kind::ALL.into_iter().find_map(of)
}

/// The network with this name.
///
/// # Errors
/// If there is no such network, or the options are invalid.
pub fn network(name: &str, options: &Options) -> Result<NetworkConfig> {
    let Some((entry, kind)) = find(name) else {
        let names: Vec<_> = ENTRIES.iter().map(|entry| entry.name).collect();
        return Err(Error::config("the zoo has no network with this name")
            .expected(format!(
                "{}; most also with -lif, -convlstm, -conv3d, -lstm, -gru",
                names.join(", ")
            ))
            .found(name));
    };
    entry.network(kind, options)
}
