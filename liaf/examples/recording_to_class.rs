//! From a recording to classes: events, frames as arrays, and a network on samples of them.

use std::time::Duration;

use liaf::samples::{Batch, SampleOptions, Samples};
use liaf::{FrameOptions, Mode, NetworkConfig, Polarity, ReadOptions, Recording, Workspace};
use ndarray::{Array3, Axis};

/// The layers of the network, which is not trained here: use a `Trainer`, and its checkpoint with
/// `Classifier`.
const NETWORK: &str = r#"
    [inputs.frames]
    shape = [2, 32, 32]
    [[layers]]
    type = "conv2d"
    channels = 8
    kernel = 3
    padding = 1
    [[layers]]
    type = "neuron"     # LIAF: leaky integrate and analog fire
    [[layers]]
    type = "max_pool"
    kernel = 4
    [[layers]]
    type = "flatten"
    [[layers]]
    type = "dense"
    units = 3
    [[layers]]
    type = "aggregate"  # the mean over time
"#;

/// Prints the class with the largest output for every sample.
pub fn main() -> liaf::Result<()> {
    let path = "fixtures/good/aedat4/dv_lz4.aedat4";
    let mut recording = Recording::open(path, ReadOptions::default())?;

    // The ON events of the first 20 ms, one by one.
    let part = recording.between(Duration::ZERO, Duration::from_millis(20)).polarity(Polarity::On);
    for event in part.events()?.take(3) {
        let event = event?;
        println!("{} µs: pixel ({}, {})", event.t, event.x, event.y);
    }

    // Frames of 5 ms as arrays [C, H, W]. The file may be read as often as one likes.
    let options = FrameOptions::every(Duration::from_millis(5)).size(32, 32);
    for frame in recording.frames(options.clone())? {
        let counts: Array3<u16> = frame?.into_array()?;
        println!("{} ON events", counts.index_axis(Axis(0), 1).mapv(u64::from).sum());
    }

    // Samples of 4 frames as one batch [N, T, C, H, W], through a network.
    let samples = SampleOptions::new().steps(4);
    let samples = Samples::<f32>::of_recording(&mut recording, &options, samples)?;
    let batch = Batch::collect(samples)?;
    let network = NetworkConfig::from_toml(NETWORK)?.build::<f32>(1)?;
    let mut space = Workspace::new();
    let pass = network.forward(&batch.inputs("frames"), Mode::eval(), &mut space)?;
    for scores in pass.output().outer_iter() {
        let scores: Vec<f32> = scores.iter().copied().collect();
        let class = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        println!("class {} of {scores:?}", class.unwrap_or(0));
    }
    Ok(())
}
