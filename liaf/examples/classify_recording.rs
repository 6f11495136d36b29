//! Trains a small network to distinguish two recordings, and classifies them with its checkpoint.
//!
//!     cargo run --release -p liaf --example classify_recording

use std::error::Error;
use std::path::Path;

use liaf::samples::{Batch, Samples};
use liaf::{
    Classifier, FrameOptions, NetworkConfig, ReadOptions, Recording, SampleRecipe, TrainConfig,
    Trainer,
};

/// The classes, and a recording of each in the folder `fixtures`.
pub const CLASSES: [(&str, &str); 2] =
    [("few", "good/aedat4/dv_lz4.aedat4"), ("many", "good/aedat2/dvs128.aedat")];

const NETWORK: &str = "
    [inputs.frames]
    shape = [2, 16, 16]     # OFF and ON, height, width

    [[layers]]
    type = 'conv2d'
    channels = 4
    kernel = 3
    padding = 1
    [[layers]]
    type = 'neuron'         # LIAF
    [[layers]]
    type = 'avg_pool'
    kernel = 4
    [[layers]]
    type = 'flatten'
    [[layers]]
    type = 'dense'
    units = 2
    [[layers]]
    type = 'aggregate'      # the mean over time
";

/// Prints what the network sees in each recording.
pub fn main() -> Result<(), Box<dyn Error>> {
    for ((class, _), seen) in CLASSES.iter().zip(run()?) {
        let right = seen.iter().filter(|name| name == class).count();
        println!("{class}: {right} of {} samples recognised", seen.len());
    }
    Ok(())
}

/// The classes that the network predicts for the samples of each recording.
pub fn run() -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let checkpoint = folder.path().join("net.safetensors");
    train(&checkpoint)?;

    let mut classifier = Classifier::open(&checkpoint)?;
    let mut all = Vec::new();
    for (_, path) in CLASSES {
        let mut recording = open(path)?;
        let mut seen = Vec::new();
        for prediction in classifier.run(&mut recording)? {
            seen.push(prediction?.name);
        }
        all.push(seen);
    }
    Ok(all)
}

fn train(checkpoint: &Path) -> liaf::Result<()> {
    // The recipe goes into the checkpoint, so that the classifier makes frames in the same way.
    let frames = FrameOptions::window_ms(5).size(16, 16);
    let mut recipe = SampleRecipe::new((&frames).into());
    recipe.scale = 0.3;
    recipe.steps = Some(4);
    recipe.classes = CLASSES.map(|(class, _)| class.to_owned()).into();

    let (mut samples, mut labels) = (Vec::new(), Vec::new());
    for (label, (_, path)) in CLASSES.iter().enumerate() {
        for sample in Samples::by_recipe(&mut open(path)?, &recipe)? {
            samples.push(sample?);
            labels.push(label);
        }
    }
    let batch = Batch::of(&samples)?;

    let network = NetworkConfig::from_toml(NETWORK)?.build::<f32>(3)?;
    let training = TrainConfig::from_toml("optimizer = { type = 'adam', learning_rate = 0.02 }")?;
    let mut trainer = Trainer::new(network, training)?;
    trainer.notes_mut().insert(SampleRecipe::NOTE.into(), recipe.to_json()?);
    for _ in 0..40 {
        trainer.step(&batch.inputs("frames"), &labels)?;
    }
    Ok(trainer.save(checkpoint)?)
}

fn open(name: &str) -> liaf::Result<Recording> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    Ok(Recording::open(fixtures.join(name), ReadOptions::default())?)
}
