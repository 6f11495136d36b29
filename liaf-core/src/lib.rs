//! LIAF-Net and the networks it is compared with, on the CPU: neurons, layers, back-propagation through
//! time.
//!
//! A LIAF neuron (Leaky Integrate and Analog Fire; Wu et al., arXiv 2011.06176) is a LIF neuron
//! whose membrane leaks and is reset by a spike as usual, but which sends an analog value onward.
//!
//! A network is described in TOML or built in Rust, and trained by a [`Trainer`](train::Trainer):
//!
//! ```
//! use liaf_core::graph::{Inputs, NetworkConfig};
//! use liaf_core::train::{TrainConfig, Trainer};
//!
//! let network = NetworkConfig::from_toml(r#"
//!     [inputs.frames]
//!     shape = [2, 8, 8]      # OFF and ON, height, width
//!     [[layers]]
//!     type = "conv2d"
//!     channels = 4
//!     kernel = 3
//!     padding = 1
//!     [[layers]]
//!     type = "neuron"        # LIAF; output = "spike" makes it LIF
//!     [[layers]]
//!     type = "flatten"
//!     [[layers]]
//!     type = "dense"
//!     units = 2
//!     [[layers]]
//!     type = "aggregate"     # the mean over time
//! "#)?;
//! let training = TrainConfig::from_toml("optimizer = { type = 'adam', learning_rate = 0.01 }")?;
//! let mut trainer = Trainer::new(network.build::<f32>(1)?, training)?;
//!
//! // 8 samples of 5 frames, [N, T, C, H, W]: events on the left, or on the right.
//! let labels = [0, 1, 0, 1, 0, 1, 0, 1];
//! let frames = ndarray::Array5::from_shape_fn((8, 5, 2, 8, 8), |(n, t, _, y, x)| {
//!     if x / 4 == labels[n] && (n + t + x + 3 * y) % 5 == 0 { 1.0 } else { 0.0 }
//! });
//! let frames = frames.into_dyn();
//! let batch = Inputs::of("frames", frames.view());
//! for _ in 0..30 {
//!     let report = trainer.step(&batch, &labels)?;
//!     println!("step {}: loss {:.3}, {} of 8", report.step, report.loss, report.correct);
//! }
//! assert_eq!(trainer.evaluate(&batch, &labels)?.accuracy(), 1.0);
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("net.safetensors");
//! trainer.save(&path)?;      // Trainer::resume(path) continues, bit for bit
//! # Trainer::<f32>::resume(&path)?;
//! # Ok::<(), liaf_core::Error>(())
//! ```
//!
//! | to … | look at |
//! |---|---|
//! | describe a network | [`graph::NetworkConfig`], [`layer`], [`neuron`] |
//! | run one: batches, or frame by frame | [`Network::forward`], [`Network::step`] |
//! | train | [`train`], [`loss`], [`optim`] |
//! | write your own layer, loss or training loop | [`layer::CustomLayer`], [`loss::SampleLoss`], [`graph::Pass`] |
//! | save, resume, load weights of PyTorch | [`checkpoint`], [`Network::load_weights`] |
//! | encode still images as spikes | [`encode`] |
//!
//! Frames of event cameras come from the crate `liaf-data`, as arrays or tensor files. Results do not
//! depend on the number of threads. Everything is generic over [`Real`]: `f32`, or `f64` for
//! verification.
#![deny(missing_docs)]

pub mod activation;
pub mod checkpoint;
pub mod cost;
pub mod encode;
mod error;
pub mod graph;
pub mod init;
mod kernels;
pub mod layer;
mod limits;
pub mod loss;
mod memory;
pub mod neuron;
mod op;
pub mod optim;
mod real;
pub mod rng;
mod shape;
pub mod train;
pub mod zoo;

pub use activation::Activation;
pub use error::{Error, ErrorKind, Result};
pub use graph::{GradientSum, Gradients, Inputs, Mode, Network, NetworkConfig, Workspace};
pub use limits::Limits;
pub use real::Real;
pub use shape::Shape;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
