//! Frames as inputs of networks: samples `[T, C, H, W]` of a recording or of a tensor file, and
//! batches `[N, T, C, H, W]` of them.
//!
//! ```
//! # use liaf::data::frames::{Dtype, Frame, FrameShape, Window};
//! # use liaf::data::tensor::{self, Container, TensorOptions, TensorSpec};
//! use liaf::data::Limits;
//! use liaf::samples::{Batch, SampleOptions, Samples};
//! use liaf::{LoadedFrames, NetworkConfig};
//!
//! # fn main() -> liaf::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("frames.safetensors");
//! # let shape = FrameShape { channels: 2, height: 4, width: 4 };
//! # let spec = TensorSpec { shape, dtype: Dtype::U8, frames: None, provenance: "{}".into() };
//! # let options = TensorOptions::default();
//! # let mut writer = tensor::create(&path, Container::Safetensors, &spec, &options)?;
//! # for i in 0..10 {
//! #     let window = Window { start: 1000 * i, end: 1000 * (i + 1) };
//! #     writer.write(&Frame { window, ..Frame::zeros(shape, Dtype::U8) })?;
//! # }
//! # writer.finish()?;
//! let frames = LoadedFrames::read(&path, &Limits::default())?;
//! let options = SampleOptions::new().steps(5).scale(0.25);
//! let batch = Batch::<f32>::collect(Samples::of_tensor(&frames, options))?;
//! assert_eq!(batch.view().dim(), (2, 5, 2, 4, 4));
//!
//! let config = NetworkConfig::from_toml(r#"
//!     [inputs.frames]
//!     shape = [2, 4, 4]
//!     [[layers]]
//!     type = "flatten"
//!     [[layers]]
//!     type = "dense"
//!     units = 3
//! "#)?;
//! let network = config.build::<f32>(1)?;
//! # use liaf::core::{Mode, Workspace};
//! let mut space = Workspace::new();
//! let pass = network.forward(&batch.inputs("frames"), Mode::eval(), &mut space)?;
//! assert_eq!(pass.output().shape(), [2, 5, 3]);
//! # Ok(())
//! # }
//! ```
//!
//! Training takes [`Examples`]: [`StoredSamples`] of a tensor file, [`FrameArray`] in memory, or your own.
//! A [`Loader`] shuffles them, changes them at random ([`Augment`]) and makes batches of them on
//! background threads.

mod augment;
mod batch;
mod cut;
pub(crate) mod examples;
mod held;
mod loader;
mod options;
mod ragged;
mod set;
mod shuffled;
mod stored;

use liaf_core::Real;
use liaf_data::frames::{FrameOptions, FrameShape, SampleRecipe};
use liaf_data::recording::Frames;
use liaf_data::tensor::LoadedFrames;
use liaf_data::{Limits, Recording};
use ndarray::{Array4, ArrayView4};

pub use augment::Augment;
pub use batch::Batch;
pub use examples::{Collated, Examples, FrameArray, Input, Subset};
pub use loader::Loader;
pub use options::SampleOptions;
pub use ragged::RaggedSet;
pub use set::{Batches, Order, SampleSet};
pub use shuffled::Shuffled;
pub use stored::StoredSamples;

use crate::error::Result;
use cut::Cutter;

/// Consecutive frames.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sample<R = f32> {
    /// The cells multiplied by the scale, `[T, C, H, W]`.
    pub frames: Array4<R>,
    /// Start and end of each frame in µs, half-open; empty if a tensor file does not have them.
    pub timestamps: Vec<[i64; 2]>,
    /// Whether the sample has as many frames as it should, and the recording does not end within the
    /// window of the last one ([`Frames::last_is_full`]). A tensor file does not say where its
    /// recording ended: there, only the number of frames counts.
    pub complete: bool,
}

impl<R> Sample<R> {
    /// A complete sample of frames `[T, C, H, W]` without times.
    pub fn new(frames: Array4<R>) -> Self {
        Self { frames, timestamps: Vec::new(), complete: true }
    }

    /// Start of the first frame in µs of the recording's clock, if the times are known.
    pub fn start(&self) -> Option<i64> {
        self.timestamps.first().map(|window| window[0])
    }

    /// End of the last frame in µs of the recording's clock: the first one after it.
    pub fn end(&self) -> Option<i64> {
        self.timestamps.last().map(|window| window[1])
    }

    /// The frames, `[T, C, H, W]`.
    pub fn view(&self) -> ArrayView4<'_, R> {
        self.frames.view()
    }
}

/// Iterates over the samples of a recording or of a tensor file.
///
/// A recording is read as samples are requested, so that memory is bounded, whatever its length. The
/// iterator ends after an error.
#[derive(Debug)]
pub struct Samples<'a, R: Real = f32> {
    source: Source<'a>,
    shape: FrameShape,
    cutter: Cutter<R>,
    /// The cells of the current frame.
    dense: Vec<f32>,
    is_done: bool,
}

#[derive(Debug)]
enum Source<'a> {
    Recording(Box<Frames>),
    /// The frames, and the number of those that have been taken.
    Tensor(&'a LoadedFrames, usize),
}

impl<R: Real> Samples<'static, R> {
    /// The samples of a recording whose frames are made as `frames` says.
    ///
    /// ```
    /// # fn main() -> liaf::Result<()> {
    /// # let two = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\x4e\x2a";
    /// use liaf::samples::{SampleOptions, Samples};
    /// use liaf::{FrameOptions, ReadOptions, Recording};
    ///
    /// let mut recording = Recording::from_bytes(&two[..], ReadOptions::default())?;
    /// let (frames, options) = (FrameOptions::default(), SampleOptions::new().steps(3));
    /// for sample in Samples::<f32>::of_recording(&mut recording, &frames, options)? {
    ///     let sample = sample?;
    ///     assert_eq!(sample.view().dim(), (3, 2, 128, 128));
    ///     assert_eq!(sample.frames.sum(), 2.0);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the options do not fit the recording, or the recording cannot be read. Each item may be an
    /// error of the recording as well.
    pub fn of_recording(
        recording: &mut Recording,
        frames: &FrameOptions,
        options: SampleOptions,
    ) -> Result<Self> {
        let frames = recording.frames(frames.clone())?;
        let shape = frames.shape();
        Ok(Self::new(Source::Recording(Box::new(frames)), shape, options))
    }

    /// The samples of a recording, made according to the recipe of a network. The interval of time in
    /// the recipe is ignored.
    ///
    /// # Errors
    /// As [`of_recording`](Self::of_recording).
    pub fn by_recipe(recording: &mut Recording, recipe: &SampleRecipe) -> Result<Self> {
        let mut frames = recipe.frames.options(Limits::default());
        (frames.selection.from, frames.selection.to) = (None, None);
        Self::of_recording(recording, &frames, recipe.into())
    }
}

impl<'a, R: Real> Samples<'a, R> {
    /// The samples of the frames of a tensor file.
    pub fn of_tensor(frames: &'a LoadedFrames, options: SampleOptions) -> Self {
        Self::new(Source::Tensor(frames, 0), frames.shape(), options)
    }

    fn new(source: Source<'a>, shape: FrameShape, options: SampleOptions) -> Self {
        let (cutter, dense) = (Cutter::new(shape, options), vec![0.0; shape.cells()]);
        Self { source, shape, cutter, dense, is_done: false }
    }

    /// The shape of every frame.
    pub fn shape(&self) -> FrameShape {
        self.shape
    }

    /// Takes the next frame. Returns whether there was one, and the sample that it completes.
    fn take(&mut self) -> Result<(bool, Option<Sample<R>>)> {
        let Self { source, cutter, dense, .. } = self;
        match source {
            Source::Tensor(frames, taken) if *taken < frames.len() => {
                let cells = frames.cells(*taken..*taken + 1);
                let window = frames.timestamps().get(*taken).copied();
                *taken += 1;
                Ok((true, cutter.push(&cells, window, true)))
            }
            Source::Tensor(..) => Ok((false, cutter.end())),
            Source::Recording(frames) => match frames.next().transpose()? {
                Some(frame) => {
                    frame.cells.fill(dense);
                    let window = [frame.window.start, frame.window.end];
                    Ok((true, cutter.push(dense, Some(window), frames.last_is_full())))
                }
                None => Ok((false, cutter.end())),
            },
        }
    }
}

impl<R: Real> Iterator for Samples<'_, R> {
    type Item = Result<Sample<R>>;

    fn next(&mut self) -> Option<Result<Sample<R>>> {
        while !self.is_done {
            match self.take() {
                Ok((more, sample)) => {
                    self.is_done = !more;
                    if sample.is_some() {
                        return sample.map(Ok);
                    }
                }
                Err(error) => {
                    self.is_done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
