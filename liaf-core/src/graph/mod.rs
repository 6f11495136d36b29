//! Networks: a static graph of layers, from configuration to forward and backward pass.

mod backward;
mod carry;
mod config;
mod gradients;
mod infer;
mod inputs;
mod mode;
mod network;
mod pass;
mod record;
mod workspace;

pub use carry::Carry;
pub use config::{InputConfig, NetworkConfig, NodeConfig, Resolved};
pub use gradients::{Gradients, SLOTS};
pub use infer::State;
pub use inputs::Inputs;
pub use mode::Mode;
pub use network::{Network, Param};
pub use workspace::Workspace;
