//! The network: convolution 16, pool, convolution 32, pool, dense 128, dense classes, mean over time.

use clap::ValueEnum;
use liaf_core::NetworkConfig;
use liaf_core::activation::Activation;
use liaf_core::layer::{Aggregate, AvgPool, Conv2d, Dense, Dropout, Flatten};
use liaf_core::neuron::Neuron;

/// Neurons after both convolutions and the first dense layer.
#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
pub enum Kind {
    /// Analog output, `relu(U - V_th)`.
    Liaf,
    /// Spikes.
    Lif,
}

/// The network for samples of this shape, `[T, C, H, W]`. `drop` is the dropout before the dense
/// layers.
pub fn network(kind: Kind, shape: [usize; 4], classes: usize, drop: f64) -> NetworkConfig {
    let neuron = match kind {
        Kind::Liaf => Neuron::liaf(Activation::Relu),
        Kind::Lif => Neuron::lif(),
    };
    let mut net = NetworkConfig::sequential(&shape[1..]);
    for channels in [16, 32] {
        let conv = Conv2d { padding: 1.into(), ..Conv2d::new(channels, 3) };
        net = net.then(conv).then(neuron.clone()).then(AvgPool::new(2));
    }
    net = net.then(Flatten {});
    let dropped = |net: NetworkConfig| {
        if drop > 0.0 { net.then(Dropout { p: drop, fixed: true }) } else { net }
    };
    net = dropped(net).then(Dense::new(128)).then(neuron);
    dropped(net).then(Dense::new(classes)).then(Aggregate::default())
}
