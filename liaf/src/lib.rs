//! A toolkit for event cameras (DVS): it reads recordings, makes frames of them, writes tensor files
//! and event files, and trains and runs LIAF-Net and the networks it is compared with on the CPU.
//!
//! Classify a recording with a trained network:
//!
//! ```
//! # use liaf::core::layer::{Aggregate, Dense, Flatten};
//! # use liaf::{FrameOptions, NetworkConfig, SampleRecipe, TrainConfig, Trainer};
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let file = |name: &str| folder.path().join(name);
//! # let bytes = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
//! # std::fs::write(file("recording.aedat"), bytes).expect("a recording");
//! # let network = NetworkConfig::sequential([2, 128, 128]).then(Flatten {}).then(Dense::new(2));
//! # let network = network.then(Aggregate::default()).build::<f32>(1)?;
//! # let training = "optimizer = { type = 'adam', learning_rate = 0.01 }";
//! # let mut trainer = Trainer::new(network, TrainConfig::from_toml(training)?)?;
//! # let recipe = SampleRecipe::new((&FrameOptions::default()).into());
//! # trainer.notes_mut().insert(SampleRecipe::NOTE.into(), recipe.to_json()?);
//! # trainer.save(file("net.safetensors"))?;
//! use liaf::{Classifier, ReadOptions, Recording};
//!
//! # let (checkpoint, path) = (file("net.safetensors"), file("recording.aedat"));
//! # let mut seen = 0;
//! let mut classifier = Classifier::open(checkpoint)?;
//! let mut recording = Recording::open(path, ReadOptions::default())?;
//! for prediction in classifier.run(&mut recording)? {
//!     let prediction = prediction?;
//!     let share = 100.0 * prediction.probability();
//!     println!("until {} µs: {} ({share:.1} %)", prediction.end, prediction.name);
//!     # seen += 1;
//! }
//! # assert_eq!(seen, 1);
//! # Ok::<(), liaf::Error>(())
//! ```
//!
//! From a recording to classes, step by step; this is the example `recording_to_class`:
//!
//! ```no_run
#![doc = include_str!("../examples/recording_to_class.rs")]
//! ```
//!
//! | to … | look at |
//! |---|---|
//! | read events, of any format | [`Recording`], [`ReadOptions`], [`EventBatch`] |
//! | choose events by time, rectangle and polarity, write them to another event file | [`Recording::between`], [`Recording::write`] |
//! | make frames of a recording, or a tensor file | [`FrameOptions`], [`data::convert`](mod@data::convert) |
//! | feed recordings and tensor files to a network | [`samples`] |
//! | describe a network, run it, train it | [`NetworkConfig`], [`LayerConfig`](core::layer::LayerConfig) with the names of all layers in TOML, [`Network`], [`Mode`] and [`Workspace`] of a pass, [`Trainer`] |
//! | train a network as a file describes it | [`Experiment`], the module [`experiment`] |
//! | classify recordings with a trained network | [`Classifier`] |
//! | show frames as a small animation | the module `animation`, with the feature `png` |
//! | exchange networks with other tools | the module `nir`, with the feature `nir` |
//!
//! The toolkit has two halves, which can be used separately: [`data`] is the crate `liaf-data`, from
//! event files to tensor files, and [`core`] is the crate `liaf-core`, networks and training. This
//! crate connects them. The `?` operator converts the errors of both to an [`Error`].
//!
//! | feature | |
//! |---|---|
//! | `hdf5` (default) | reads and writes HDF5 |
//! | `parquet` | writes Parquet |
//! | `nir` | reads and writes networks as NIR |
#![deny(missing_docs)]

#[cfg(feature = "png")]
pub mod animation;
pub mod classifier;
mod error;
pub mod experiment;
#[cfg(feature = "nir")]
pub mod nir;
pub mod samples;

pub use liaf_core as core;
pub use liaf_data as data;

pub use classifier::{Classifier, Prediction};
pub use error::{Error, ErrorKind, Result};
pub use experiment::Experiment;
pub use liaf_core::train::{TrainConfig, Trainer};
pub use liaf_core::{Inputs, Mode, Network, NetworkConfig, Workspace};
pub use liaf_data::frames::{FrameOptions, SampleRecipe};
pub use liaf_data::tensor::LoadedFrames;
pub use liaf_data::{Event, EventBatch, Polarity, ReadOptions, Recording};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
