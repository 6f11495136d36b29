//! Trains a network that is described in TOML, in a loop of four lines.
//!
//!     cargo run --release -p liaf-core --example train_from_toml

use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::{Inputs, NetworkConfig, Result};
use ndarray::{Array5, ArrayD};

const NETWORK: &str = "
    [inputs.frames]
    shape = [2, 8, 8]       # OFF and ON, height, width

    [[layers]]
    type = 'conv2d'
    channels = 4
    kernel = 3
    padding = 1
    [[layers]]
    type = 'neuron'         # LIAF; output = 'spike' makes it LIF
    [[layers]]
    type = 'flatten'
    [[layers]]
    type = 'dense'
    units = 2
    [[layers]]
    type = 'aggregate'      # the mean over time
";

const TRAINING: &str = "
    optimizer = { type = 'adam', learning_rate = 0.01 }
    schedule = { curve = { type = 'cosine', ticks = 40 } }
";

/// Trains, and prints the accuracy of the network.
pub fn main() -> Result<()> {
    println!("{:.0} % correct", 100.0 * run()?);
    Ok(())
}

/// Trains, and returns the share of samples that the network classifies correctly.
pub fn run() -> Result<f64> {
    let (frames, labels) = moving_bars();
    let batch = Inputs::of("frames", frames.view());
    let network = NetworkConfig::from_toml(NETWORK)?.build::<f32>(1)?;
    let mut trainer = Trainer::new(network, TrainConfig::from_toml(TRAINING)?)?;

    for _ in 0..40 {
        let report = trainer.step(&batch, &labels)?;
        println!("step {}: loss {:.3}, {} correct", report.step, report.loss, report.correct);
    }
    Ok(trainer.evaluate(&batch, &labels)?.accuracy())
}

/// Bars that move from left to right (class 0) or from the top downwards (class 1): 16 samples of 8
/// frames `[N, T, C, H, W]`, with ON events at the bar and OFF events where it was before.
fn moving_bars() -> (ArrayD<f32>, Vec<usize>) {
    let labels: Vec<usize> = (0..16).map(|n| n % 2).collect();
    let frames = Array5::from_shape_fn((16, 8, 2, 8, 8), |(n, t, polarity, y, x)| {
        let (along, across) = if labels[n] == 0 { (x, y) } else { (y, x) };
        let bar = (t + n) % 8;
        let place = if polarity == 1 { bar } else { (bar + 7) % 8 };
        // The missing pixels differ from sample to sample.
        if along == place && (across + n) % 5 != 0 { 1.0 } else { 0.0 }
    });
    (frames.into_dyn(), labels)
}
