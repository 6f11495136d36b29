//! Classification of recordings by a trained network, frame by frame.

mod difference;
mod prediction;
mod run;
mod sample;
mod stepper;

use std::path::{Path, PathBuf};

use liaf_core::checkpoint::CheckpointInfo;
use liaf_core::graph::MemoryEstimate;
use liaf_core::{Error as CoreError, Limits as CoreLimits, Network, Real};
use liaf_data::frames::{FrameOptions, SampleRecipe, TimePoint};
use liaf_data::{Limits, Recording};

pub use difference::Difference;
pub use prediction::Prediction;
pub(crate) use prediction::softmax;
pub use run::Predictions;

use crate::error::Result;
use sample::Watcher;
use stepper::{Step, Stepper};

/// Classifies recordings with a trained network.
///
/// The note [`SampleRecipe::NOTE`] of a checkpoint says how frames are made from events, how many
/// frames are a sample, and what the names of the classes are. A classifier makes frames of any
/// recording in that way, and returns a [`Prediction`] for each sample while the file is read.
///
/// ```no_run
/// use liaf::{Classifier, ReadOptions, Recording};
///
/// # fn main() -> liaf::Result<()> {
/// let mut classifier = Classifier::open("net.safetensors")?;
/// let mut recording = Recording::open("recording.aedat4", ReadOptions::default())?;
/// for prediction in classifier.run(&mut recording)? {
///     let prediction = prediction?;
///     println!("until {} µs: {}", prediction.end, prediction.name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Options are set on the classifier, and apply to every later recording:
///
/// ```no_run
/// use liaf::Classifier;
/// use liaf::data::frames::TimePoint;
///
/// # fn main() -> liaf::Result<()> {
/// let mut classifier = Classifier::open("net.safetensors")?
///     .steps(20)
///     .each_frame(true)
///     .from(TimePoint::Relative(2_000_000));
/// # let _ = &mut classifier;
/// # Ok(())
/// # }
/// ```
pub struct Classifier {
    /// The file from which the network comes, for errors.
    path: Option<PathBuf>,
    recipe: SampleRecipe,
    names: Vec<String>,
    watcher: Watcher,
    from: Option<TimePoint>,
    to: Option<TimePoint>,
    limits: Limits,
}

impl std::fmt::Debug for Classifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classifier")
            .field("path", &self.path)
            .field("classes", &self.names)
            .finish_non_exhaustive()
    }
}

impl Classifier {
    /// Opens a checkpoint of a network, with numbers of either type.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file is damaged or not a checkpoint, if it
    /// does not say how its frames are made, or if the number of its names of classes is not the
    /// number of outputs; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the network
    /// does not have exactly one input of frames, or its output is not one number for each class.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_within(path, &CoreLimits::default())
    }

    /// As [`open`](Self::open), within other limits on the memory of the network: the size of the
    /// checkpoint and the memory that the network needs while it runs are compared with them before
    /// the memory is allocated.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the network needs
    /// more.
    pub fn open_within(path: impl AsRef<Path>, limits: &CoreLimits) -> Result<Self> {
        let path = path.as_ref();
        let info = CheckpointInfo::read_within(path, limits)?;
        let note = info.notes.get(SampleRecipe::NOTE).ok_or_else(|| {
            CoreError::checkpoint(
                "the checkpoint does not say how the frames of its samples are made",
            )
            .advice(format!(
                "training must store that in the note `{}`, as experiments do",
                SampleRecipe::NOTE
            ))
            .in_file(path)
        })?;
        let recipe = SampleRecipe::from_json(note).map_err(|error| error.in_file(path))?;
        let made = if info.number == <f64 as Real>::NAME {
            Self::of(Network::<f64>::from_checkpoint_within(path, limits)?.0, recipe, limits)
        } else {
            Self::of(Network::<f32>::from_checkpoint_within(path, limits)?.0, recipe, limits)
        };
        let made = made.map_err(|error| error.in_file(path))?;
        Ok(Self { path: Some(path.to_path_buf()), ..made })
    }

    /// Uses a network in memory, whose frames are made by `recipe`.
    ///
    /// # Errors
    /// As [`open`](Self::open) with the default limits, except for errors of files.
    pub fn new<R: Real>(network: Network<R>, recipe: SampleRecipe) -> Result<Self> {
        Ok(Self::of(network, recipe, &CoreLimits::default())?)
    }

    fn of<R: Real>(
        network: Network<R>,
        recipe: SampleRecipe,
        limits: &CoreLimits,
    ) -> liaf_core::Result<Self> {
        let stepper = Stepper::new(network, *limits)?;
        let names = names(&recipe, stepper.classes())?;
        let watcher = Watcher::new(Box::new(stepper), recipe.scale, recipe.steps);
        let (path, from, to, limits) = (None, None, None, Limits::default());
        Ok(Self { path, recipe, names, watcher, from, to, limits })
    }

    /// Sets the number of frames of a sample, after which the network starts again from its initial
    /// state. With `None` or 0 the whole recording is one sample. Default: as in the recipe.
    #[must_use]
    pub fn steps(mut self, steps: impl Into<Option<usize>>) -> Self {
        self.watcher.steps = steps.into().filter(|&steps| steps > 0);
        self
    }

    /// Whether to return a prediction for the current sample after every frame, instead of one after
    /// every sample. Default: no.
    #[must_use]
    pub fn each_frame(mut self, each_frame: bool) -> Self {
        self.watcher.each_frame = each_frame;
        self
    }

    /// Uses only the events at this time or later. Default: from the first event on.
    #[must_use]
    pub fn from(mut self, from: impl Into<Option<TimePoint>>) -> Self {
        self.from = from.into();
        self
    }

    /// Uses only the events before this time. Default: up to the last event.
    #[must_use]
    pub fn to(mut self, to: impl Into<Option<TimePoint>>) -> Self {
        self.to = to.into();
        self
    }

    /// Whether to use the slow, plain kernels, with which the results are those of a pass over whole
    /// samples with plain kernels, bit for bit. Default: no.
    #[must_use]
    pub fn plain(mut self, plain: bool) -> Self {
        self.watcher.plain = plain;
        self
    }

    /// Limits on what a recording may need; [`Limits::frames`] is the number of its frames.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Names of the classes, in the order of the network's outputs; numbers if the recipe has no names.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The memory that the network needs while it runs, frame by frame.
    pub fn memory_estimate(&self) -> MemoryEstimate {
        self.watcher.needs().0
    }

    /// Number of multiply-accumulates for each frame; [`u64::MAX`] if that is more than can be counted.
    pub fn macs_per_frame(&self) -> u64 {
        self.watcher.needs().1
    }

    /// The description of how frames and samples are made.
    pub fn recipe(&self) -> &SampleRecipe {
        &self.recipe
    }

    /// The options with which frames are made of a recording. The interval of time in the recipe is
    /// ignored: only [`from`](Self::from) and [`to`](Self::to) apply.
    pub fn frame_options(&self) -> FrameOptions {
        let mut options = self.recipe.frames.options(self.limits);
        (options.selection.from, options.selection.to) = (self.from, self.to);
        options
    }

    /// Checks that the network can be used with this recording, and returns how the recording differs
    /// from those that the network was trained on. [`run`](Self::run) makes the same check.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`](crate::ErrorKind::Shape) if the frames do not have the shape that the
    /// network takes; errors of the recording.
    pub fn check(&self, recording: &mut Recording) -> Result<Vec<Difference>> {
        let sensor = recording.find_sensor();
        let shape = sensor.and_then(|sensor| Ok((sensor, self.frame_options().check(sensor)?)));
        let (sensor, shape) = shape.map_err(|error| error.in_file_if_any(recording.path()))?;
        stepper::check_shape(self.watcher.item(), shape).map_err(|error| self.in_file(error))?;
        Ok(difference::differences(&self.recipe, recording, sensor))
    }

    fn in_file(&self, error: CoreError) -> CoreError {
        match &self.path {
            Some(path) => error.in_file(path),
            None => error,
        }
    }
}

/// Names of the classes; numbers if the recipe has no names.
fn names(recipe: &SampleRecipe, classes: usize) -> liaf_core::Result<Vec<String>> {
    let names = &recipe.classes;
    if names.is_empty() {
        return Ok((0..classes).map(|class| class.to_string()).collect());
    }
    if names.len() != classes {
        return Err(CoreError::checkpoint(format!(
            "the recipe names {} classes, and the network has {classes} outputs",
            names.len()
        )));
    }
    Ok(names.clone())
}
