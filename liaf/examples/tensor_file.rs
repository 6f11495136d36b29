//! Converts a recording to a tensor file, and runs a network on samples of it.
//!
//!     cargo run --release -p liaf --example tensor_file

use std::error::Error;
use std::path::Path;

use liaf::core::layer::{Aggregate, Conv2d, Dense, Flatten};
use liaf::core::neuron::Neuron;
use liaf::core::{Activation, Mode, Workspace};
use liaf::data::Limits;
use liaf::samples::{Batch, SampleOptions, Samples};
use liaf::{FrameOptions, LoadedFrames, NetworkConfig, ReadOptions, Recording};
use ndarray::ArrayD;

/// Prints the outputs of the network for every sample.
pub fn main() -> Result<(), Box<dyn Error>> {
    let (batch, outputs) = run()?;
    println!("a batch of {:?}", batch.view().shape());
    println!("outputs of the network, a row for each sample:\n{outputs:.3}");
    Ok(())
}

/// The samples, and the network's outputs for them.
pub fn run() -> Result<(Batch, ArrayD<f32>), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("frames.safetensors");
    write(&path)?;

    // Samples of 8 frames; the next one starts 4 frames later.
    let frames = LoadedFrames::read(&path, &Limits::default())?;
    let options = SampleOptions::new().steps(8).stride(4).scale(0.5);
    let batch = Batch::collect(Samples::of_tensor(&frames, options))?;

    let config = NetworkConfig::sequential([2, 32, 32])
        .then(Conv2d::new(8, 3).padding(1))
        .then(Neuron::liaf(Activation::Relu))
        .then(Flatten {})
        .then(Dense::new(4))
        .then(Aggregate::default());
    let network = config.build::<f32>(1)?;
    // A network that begins with `sequential` calls its input so.
    let mut space = Workspace::new();
    let pass = network.forward(&batch.inputs("input"), Mode::eval(), &mut space)?;
    Ok((batch.clone(), pass.into_output()))
}

fn write(path: &Path) -> liaf::Result<()> {
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/good/aedat2/dvs128.aedat");
    let mut recording = Recording::open(fixture, ReadOptions::default())?;
    recording.frames(FrameOptions::window_ms(2).size(32, 32))?.write(path)?;
    Ok(())
}
