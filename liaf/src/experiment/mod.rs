//! Training runs that are described in a file: data, network and recipe, in TOML.
//!
//! ```
//! use std::ops::ControlFlow;
//! use std::sync::Arc;
//!
//! use liaf::Experiment;
//! use liaf::samples::FrameArray;
//! use ndarray::Array5;
//!
//! // Events on the left, or on the right.
//! let labels: Vec<usize> = (0..24).map(|n| n % 2).collect();
//! let frames = Array5::from_shape_fn((24, 5, 2, 8, 8), |(n, t, _, y, x)| {
//!     f32::from(u8::from(x / 4 == labels[n] && (n + t + x + 3 * y) % 5 == 0))
//! });
//! let classes = vec!["left".into(), "right".into()];
//! let set = Arc::new(FrameArray::new(frames, labels, classes)?);
//!
//! let experiment = Experiment::from_toml(r#"
//!     [network]
//!     inputs.frames.shape = [2, 8, 8]
//!     layers = [
//!         { type = "flatten" },
//!         { type = "dense", units = 12 },
//!         { type = "neuron" },                  # LIAF; output = "spike" makes it LIF
//!         { type = "dense", units = 2 },
//!         { type = "aggregate" },
//!     ]
//!
//!     [recipe]
//!     epochs = 8
//!     batch = 4
//!     optimizer = { type = "adam", learning_rate = 0.01 }
//! "#)?;
//! let outcome = experiment.data(set.clone(), set).run(&mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(outcome.summary.test_accuracy_last, Some(1.0));
//! # Ok::<(), liaf::Error>(())
//! ```
//!
//! A file has a table for each part:
//!
//! ```toml
//! version = 1
//! name = "objects"
//!
//! [data]
//! type = "files"                    # or "dataset", "babi", "simulation"
//! train = "objects.train.h5"
//! test = "objects.test.h5"
//! validation = 0.1                  # of the training samples, to choose the best epoch by
//!
//! [network]
//! name = "gesture-a"                # or file = "net.toml", or inputs and layers
//! width = 0.5
//!
//! [recipe]
//! epochs = 30
//! batch = 16
//! seed = 1
//! scale = "rms"
//! optimizer = { type = "adamw", learning_rate = 0.002 }
//! schedule = { curve = { type = "cosine", ticks = 30 } }    # in epochs
//! augment = { shift = 2, flip = 0.5 }
//! ```
//!
//! [`Experiment::read`] reads one, in which relative paths start at its own folder. Everything is checked
//! before the first step, and errors name the line. [`Experiment::out`] names the folder in which a run is
//! recorded; it can be stopped at any time and [resumed](Experiment::resume), and ends with the same
//! weights, bit for bit, on any number of threads. [`assess`] evaluates its checkpoints, and [`Comparison`] puts
//! finished runs side by side.
//!
//! A data set of one's own implements [`Examples`], a loss of one's own [`SampleLoss`]:
//!
//! ```
//! use std::ops::ControlFlow;
//! use std::sync::Arc;
//!
//! use liaf::Experiment;
//! use liaf::core::Shape;
//! use liaf::core::loss::SampleLoss;
//! use liaf::samples::{Collated, Examples, Input};
//! use ndarray::Array3;
//!
//! /// Does the larger of two numbers come first, or last?
//! struct Larger { labels: Vec<usize>, classes: [String; 2] }
//!
//! impl Examples for Larger {
//!     fn labels(&self) -> &[usize] { &self.labels }
//!     fn classes(&self) -> &[String] { &self.classes }
//!     fn inputs(&self) -> Vec<Input> {
//!         vec![Input { name: "numbers".into(), shape: Shape::timed([2]), steps: 3 }]
//!     }
//!     fn steps(&self, _number: usize) -> usize { 3 }
//!     fn collate(&self, numbers: &[usize]) -> liaf::Result<Collated> {
//!         let labels: Vec<usize> = numbers.iter().map(|&number| self.labels[number]).collect();
//!         let array = Array3::from_shape_fn((numbers.len(), 3, 2), |(n, _, place)| {
//!             (numbers[n] % 7) as f32 / 7.0 + f32::from(u8::from(place == labels[n]))
//!         });
//!         Ok(Collated::new(labels).with("numbers", array.into_dyn(), None))
//!     }
//! }
//!
//! /// Mean squared distance from 1 for the class of the sample, and from -1 for the others.
//! #[derive(Debug)]
//! struct Squares;
//!
//! impl SampleLoss for Squares {
//!     fn judge(&self, scores: &[f64], classes: usize, label: usize, gradient: &mut [f64]) -> f64 {
//!         let count = scores.len() as f64;
//!         scores.iter().zip(gradient).enumerate().map(|(at, (score, slope))| {
//!             let target = if at % classes == label { 1.0 } else { -1.0 };
//!             *slope += 2.0 * (score - target) / count;
//!             (score - target).powi(2) / count
//!         }).sum()
//!     }
//! }
//!
//! let classes = ["first".into(), "last".into()];
//! let set = Arc::new(Larger { labels: (0..20).map(|n| n % 2).collect(), classes });
//! let experiment = Experiment::from_toml(r#"
//!     [network]
//!     inputs.numbers.shape = [2]
//!     layers = [{ type = "dense", units = 2 }, { type = "aggregate" }]
//!
//!     [recipe]
//!     epochs = 40
//!     batch = 4
//!     optimizer = { type = "adam", learning_rate = 0.05 }
//! "#)?;
//! let experiment = experiment.data(set.clone(), set).loss(Arc::new(Squares));
//! let outcome = experiment.run(&mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(outcome.summary.test_accuracy_last, Some(1.0));
//! assert!(outcome.epochs.last().is_some_and(|epoch| epoch.test.loss < 0.1));
//! # Ok::<(), liaf::Error>(())
//! ```
//!
//! A layer of one's own implements [`CustomLayer`](crate::core::layer::CustomLayer), whose documentation has
//! an example. The program registers it before it reads the experiment; files then name it as
//! `{ type = "custom", kind = "NAME", options = { .. } }`, and runs with it can be resumed.
//!
//! With a training loop of one's own, use [`Network::forward`](crate::Network::forward) and
//! [`Pass::backward`](crate::core::graph::Pass::backward) with the batches of a
//! [`Loader`](crate::samples::Loader).

mod activity;
mod assess;
mod checks;
mod compare;
mod config;
mod data;
mod document;
mod evaluate;
mod folder;
mod html;
mod identity;
mod network;
mod plot;
mod prepare;
mod record;
mod report;
mod run;

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use liaf_core::loss::SampleLoss;
use liaf_core::{Error, Limits, NetworkConfig};

pub use assess::{Assessment, assess, checkpoint_of};
pub use compare::{Comparison, RunGroup, RunRecord, Spread};
pub use config::{Measured, Recipe, Scale, VERSION};
pub use document::is_experiment;
pub use evaluate::{ClassScore, Evaluation, Guess, Score};
pub use prepare::Plan;
pub use record::{EpochRecord, StepRecord, Summary, best};
pub use run::{Event, Outcome};

use crate::error::Result;
use crate::samples::Examples;
use data::Section;
use document::Document;
use folder::Folder;
use network::Choice;

/// A training run: data, network and recipe.
pub struct Experiment {
    document: Document,
    name: String,
    section: Option<Section>,
    own: Option<[Arc<dyn Examples>; 2]>,
    loss: Option<Arc<dyn SampleLoss>>,
    network: Choice,
    recipe: Recipe,
    out: Option<PathBuf>,
    resume: bool,
    max_memory: u64,
    loaders: usize,
    save_every: f64,
}

/// Whether this is the name of one file or folder: the default folder of a run has the name of the experiment.
fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name)
}

impl fmt::Debug for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Experiment")
            .field("name", &self.name)
            .field("network", &self.network)
            .field("recipe", &self.recipe)
            .field("out", &self.out)
            .finish_non_exhaustive()
    }
}

impl Experiment {
    /// Reads an experiment in TOML.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the text is not an experiment, with the line;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if it is of a newer version.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::new(None, text.into(), Vec::new())
    }

    /// Reads an experiment from a file.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml), and if the file cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        Self::read_with(path, Vec::new())
    }

    /// Reads an experiment from a file, and sets some of its keys to other values, as in
    /// `("recipe.epochs", "20")`. A value that is not TOML is a text. Relative paths that are set start
    /// at the current folder.
    ///
    /// # Errors
    /// As [`read`](Self::read); an error about what was set names the key instead of a line.
    pub fn read_with(path: impl AsRef<Path>, set: Vec<(String, String)>) -> Result<Self> {
        let path = path.as_ref();
        let text = document::text_of(path)?.ok_or_else(|| {
            let error = Error::limit("the experiment is too long");
            error.expected(format!("at most {} bytes", document::MOST)).in_file(path)
        })?;
        Self::new(Some(path.to_owned()), text, set)
    }

    fn new(path: Option<PathBuf>, text: String, set: Vec<(String, String)>) -> Result<Self> {
        let stem = path.as_deref().and_then(Path::file_stem);
        let stem = stem.map_or("experiment".into(), |stem| stem.to_string_lossy().into_owned());
        let document = Document::new(path, text, set)?;
        let config::Top { version, name } = document.read(&[], &["data", "network", "recipe"])?;
        if version != VERSION {
            let error = match version {
                0 => Error::config("there is no such version of experiments"),
                _ => Error::unsupported("the experiment is of a newer version")
                    .advice("use a newer version of this program"),
            };
            let error = error.expected(format!("version {VERSION}")).found(version);
            return Err(document.at(&["version"], error));
        }
        let name = name.unwrap_or(stem);
        if !is_file_name(&name) {
            let error = Error::config("the name of the experiment cannot be that of a folder");
            let error = error.expected("a name without separators of paths").found(name);
            return Err(document.at(&["name"], error));
        }
        let section = document.has(&["data"]).then(|| Section::read(&document)).transpose()?;
        let network = Choice::read(&document)?;
        let mut recipe: Recipe = document.read(&["recipe"], &[])?;
        if let Some(weights) = &mut recipe.weights {
            *weights = data::located(&document, &["recipe", "weights"], weights);
        }
        if let Some((field, expected)) = recipe.problem() {
            let keys: Vec<&str> = std::iter::once("recipe").chain(field.split('.')).collect();
            let error = Error::config(format!("invalid {field}")).expected(expected);
            return Err(document.at(&keys, error));
        }
        recipe.check(&document)?;
        Ok(Self {
            document,
            name,
            section,
            own: None,
            loss: None,
            network,
            recipe,
            out: None,
            resume: false,
            max_memory: Limits::DEFAULT.memory,
            loaders: 1,
            save_every: 60.0,
        })
    }

    /// Its name: that in the file, or the name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the network is trained.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The network and the number of steps of a sample, as far as the experiment says them: no data is read.
    /// What a network of the zoo has as many of as the data, such as classes, is the usual number of the zoo;
    /// [`check`](Self::check) reads the data and knows them all.
    ///
    /// ```
    /// let experiment = liaf::Experiment::from_toml(r#"
    ///     data = { type = "dataset", name = "folder", sample = "200ms", window = "20ms", size = "32x32" }
    ///     network = { name = "gesture-a" }
    /// "#)?;
    /// let (network, steps) = experiment.network()?;
    /// assert_eq!((network.inputs["frames"].shape.as_slice(), steps), (&[2, 32, 32][..], 10));
    /// # Ok::<(), liaf::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the network is in a file that cannot be read, or does not take frames of the size that is stated.
    pub fn network(&self) -> Result<(NetworkConfig, usize)> {
        let known = self.section.as_ref().map(|data| data.known(&self.document)).transpose()?;
        self.network.without_data(&self.document, known.unwrap_or_default())
    }

    /// Uses these samples for training and test, instead of those that the text describes.
    #[must_use]
    pub fn data(self, train: Arc<dyn Examples>, test: Arc<dyn Examples>) -> Self {
        Self { own: Some([train, test]), ..self }
    }

    /// Trains by this loss, instead of that of the recipe. The folder of the run does not contain it: `liaf
    /// eval` and [`assess`] state the loss of the recipe.
    #[must_use]
    pub fn loss(self, loss: Arc<dyn SampleLoss>) -> Self {
        Self { loss: Some(loss), ..self }
    }

    /// The folder in which the run is recorded. Default: none, so that nothing is written.
    #[must_use]
    pub fn out(self, folder: impl Into<PathBuf>) -> Self {
        Self { out: Some(folder.into()), ..self }
    }

    /// Whether a run that is in the folder already is continued. The recipe may have changed: more epochs,
    /// another schedule. Without a run to continue, a new one begins. Default: no.
    #[must_use]
    pub fn resume(self, resume: bool) -> Self {
        Self { resume, ..self }
    }

    /// The memory that the run may need, in bytes. Default 4 GiB.
    #[must_use]
    pub fn max_memory(self, bytes: u64) -> Self {
        Self { max_memory: bytes, ..self }
    }

    /// Number of threads that make batches in the background. Default 1.
    #[must_use]
    pub fn loaders(self, threads: usize) -> Self {
        Self { loaders: threads, ..self }
    }

    /// Number of seconds after which a checkpoint is written within an epoch. Default 60.
    #[must_use]
    pub fn save_every(self, seconds: f64) -> Self {
        Self { save_every: seconds, ..self }
    }

    /// Loads the data and checks everything that can be checked before the first step. Nothing is
    /// trained.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn check(&self) -> Result<Plan> {
        if let Some(out) = &self.out {
            // A run that is there may be continued.
            Folder::check(out, true, self.document.path())?;
        }
        let mut ignore = |_: Event<'_>| ControlFlow::Continue(());
        Ok(prepare::prepare(self, &mut ignore)?.plan)
    }

    /// Trains the network. `watch` is told of every step, and stops the run with
    /// [`ControlFlow::Break`]: what was learned is then saved.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) or [`ErrorKind::Shape`](crate::ErrorKind::Shape)
    /// if data, network and recipe do not fit each other, if there is nothing to learn, if the folder
    /// has a run or files of the same names already, or if the loss is not finite;
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the checkpoints in the folder are of another
    /// experiment; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the run needs too much memory; errors
    /// of reading and writing.
    pub fn run(
        &self,
        watch: &mut (dyn FnMut(Event<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Outcome> {
        run::run(self, watch)
    }
}
