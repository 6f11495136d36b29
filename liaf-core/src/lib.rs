//! LIAF-Net and its rivals on the CPU: neurons, layers, back-propagation through time.
//!
//! A LIAF neuron (Leaky Integrate and Analog Fire; Wu et al., arXiv 2011.06176) is a LIF neuron
//! whose membrane leaks and is reset by a spike as usual, but which sends an analog value onward.
#![deny(missing_docs)]

pub mod activation;
pub mod cost;
mod error;
pub mod graph;
pub mod init;
pub mod kernels;
pub mod layer;
pub mod loss;
pub mod neuron;
pub mod op;
pub mod optim;
mod real;
pub mod rng;
mod shape;
pub mod train;

pub use activation::Activation;
pub use error::{Error, ErrorKind, Result};
pub use graph::{Gradients, Inputs, Mode, Network, NetworkConfig, Workspace};
pub use op::Op;
pub use real::Real;
pub use shape::Shape;
