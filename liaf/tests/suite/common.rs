//! What the tests share: recordings, recipes, and networks that fit them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../liaf-data/src/fixtures.rs"]
mod found;

use std::path::{Path, PathBuf};

use liaf::core::Real;
use liaf::{
    FrameOptions, Network, NetworkConfig, ReadOptions, Recording, SampleRecipe, TrainConfig,
    Trainer,
};

/// A recording of 346x260, and one of 128x128.
pub const RECORDINGS: [&str; 2] = ["good/aedat4/dv_lz4.aedat4", "good/aedat2/dvs128.aedat"];

/// Outputs at every step.
pub const TIMED: &str = "[inputs.frames]\nshape = [2, 16, 16]\n\
    [[layers]]\ntype = 'conv2d'\nchannels = 4\nkernel = 3\npadding = 1\n\
    [[layers]]\ntype = 'neuron'\n[[layers]]\ntype = 'flatten'\n\
    [[layers]]\ntype = 'dense'\nunits = 3\n";

pub const MEAN: &str = "[[layers]]\ntype = 'aggregate'\n";

pub fn fixture(name: &str) -> PathBuf {
    found::fixture(name).expect("the folder fixtures, which is in the repository")
}

pub fn open(name: &str) -> Recording {
    Recording::open(fixture(name), ReadOptions::default()).unwrap()
}

/// Frames of 5 ms, 16x16; samples of 4 frames.
pub fn recipe() -> SampleRecipe {
    let frames = FrameOptions::window_ms(5).size(16, 16);
    SampleRecipe { scale: 0.3, steps: Some(4), ..SampleRecipe::new((&frames).into()) }
}

pub fn network<R: Real>(config: &str) -> Network<R> {
    NetworkConfig::from_toml(config).unwrap().build(5).unwrap()
}

/// Saves a network that is not trained, with this note.
pub fn save<R: Real>(path: &Path, network: Network<R>, note: Option<&str>) {
    let config = TrainConfig::from_toml("optimizer = { type = 'adam', learning_rate = 0.01 }");
    let mut trainer = Trainer::new(network, config.unwrap()).unwrap();
    let note = note.map(|note| (SampleRecipe::NOTE.to_owned(), note.to_owned()));
    trainer.notes_mut().extend(note);
    trainer.save(path).unwrap();
}
