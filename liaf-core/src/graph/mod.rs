//! Networks: a static graph of layers, from configuration to forward and backward pass.

mod carry;
mod config;
mod infer;
mod inputs;
mod network;
mod pass;
mod workspace;

pub use carry::Carry;
pub use config::{InputConfig, NetworkConfig, NodeConfig, Resolved};
pub use infer::State;
pub use inputs::Inputs;
pub use network::{Network, Param};
pub use pass::{Gradients, Mode, SLOTS};
pub use workspace::Workspace;
