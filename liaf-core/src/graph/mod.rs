//! Networks: a static graph of layers, from configuration to forward and backward pass.

mod backward;
mod carry;
mod config;
mod estimate;
mod evaluate;
mod forward;
mod gradients;
mod infer;
mod inputs;
mod mode;
mod network;
mod pass;
mod record;
mod stretches;
mod workspace;

pub use crate::op::Trace;
pub use carry::Carry;
pub use config::{InputConfig, NetworkConfig, NodeConfig, Resolved};
pub use estimate::MemoryEstimate;
pub use gradients::{GradientSum, Gradients, SLOTS};
pub use infer::State;
pub use inputs::Inputs;
pub use mode::{Eval, Mode, Purpose, Train};
pub use network::{Network, Param};
pub use pass::{InputGradients, Pass, Statistics};
pub use workspace::Workspace;
