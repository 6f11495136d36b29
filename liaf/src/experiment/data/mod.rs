//! The samples of an experiment: the table `[data]`.
//!
//! A kind of data is one file: its configuration, which says where its samples come from, and how they are
//! loaded.

mod babi;
mod dataset;
mod files;
mod images;
mod simulation;
mod split;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use liaf_core::Error;
use liaf_core::rng::Key;
use liaf_data::SensorSize;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::document::Document;
use crate::error::Result;
use crate::samples::{Examples, Shuffled};

/// The samples for training and test.
#[derive(Clone)]
pub(super) struct Data {
    pub train: Arc<dyn Examples>,
    pub validation: Option<Arc<dyn Examples>>,
    pub test: Arc<dyn Examples>,
    /// What was unusual when they were made.
    pub remarks: Vec<String>,
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |set: &Arc<dyn Examples>| set.len();
        f.debug_struct("Data")
            .field("train", &count(&self.train))
            .field("validation", &self.validation.as_ref().map(count))
            .field("test", &count(&self.test))
            .finish_non_exhaustive()
    }
}

impl Data {
    /// The same samples, each with its steps in another order.
    fn shuffled(self, seed: u64) -> Self {
        // Sample k of one set is not put into the order of sample k of another.
        let shuffle = |set, part: u64| -> Arc<dyn Examples> {
            Arc::new(Shuffled::new(set, Key::new(seed).bits(part)))
        };
        Self {
            train: shuffle(self.train, 0),
            validation: self.validation.map(|set| shuffle(set, 1)),
            test: shuffle(self.test, 2),
            ..self
        }
    }
}

/// What loading needs to know beside the table.
pub(super) struct Loading<'a> {
    pub document: &'a Document,
    /// The folder of the run, for what is made on the way.
    pub out: Option<&'a Path>,
    /// Told how far it is, and asked whether to go on.
    pub tell: &'a (dyn Fn(usize, usize) -> bool + Sync),
}

/// What the table says of the samples, without the data.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Number of steps.
    pub steps: Option<usize>,
    /// Size of the frames.
    pub size: Option<SensorSize>,
}

/// Where samples come from.
trait Source: fmt::Debug + Send + Sync {
    /// What is known of the samples before they are read.
    fn known(&self) -> Result<Known> {
        Ok(Known::default())
    }

    /// Reads the samples.
    fn load(&self, loading: &Loading<'_>) -> Result<Data>;
}

/// A kind of data.
trait Kind: Source + Serialize + DeserializeOwned + 'static {
    /// The name in `type = "…"`.
    const NAME: &str;

    /// Makes paths independent of the folder in which the program runs.
    fn locate(&mut self, document: &Document);
}

/// The table `[data]` after it has been read.
#[derive(Debug)]
pub(super) struct Section {
    /// As it is written in the file of the run.
    pub resolved: toml::Table,
    common: Common,
    source: Box<dyn Source>,
}

const KEYS: [&str; 1] = ["data"];

/// The fields that every kind has.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Common {
    /// Share of the training samples of each class that chooses the best epoch instead of training.
    #[serde(skip_serializing_if = "is_default")]
    validation: f64,
    /// Whether the steps of each sample, of training and test, are put into a random order: the control that
    /// shows whether a network uses the order in time.
    #[serde(skip_serializing_if = "is_default")]
    shuffle_steps: bool,
}

/// The fields that do not belong to the kind.
const NOT_OF_KIND: [&str; 3] = ["type", "validation", "shuffle_steps"];

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Section {
    /// Reads and checks the table. Nothing is loaded yet.
    pub fn read(document: &Document) -> Result<Self> {
        let names = [
            files::Files::NAME,
            dataset::FromRecordings::NAME,
            babi::Babi::NAME,
            simulation::Simulation::NAME,
            images::Images::NAME,
        ];
        let Some(kind) = document.text(&["data", "type"]) else {
            let error = Error::config("the experiment does not say what its data is");
            let error = error.expected(format!("[data] with type = one of {}", names.join(", ")));
            return Err(document.at(&KEYS, error));
        };
        match kind.as_str() {
            files::Files::NAME => Self::of::<files::Files>(document),
            dataset::FromRecordings::NAME => Self::of::<dataset::FromRecordings>(document),
            babi::Babi::NAME => Self::of::<babi::Babi>(document),
            simulation::Simulation::NAME => Self::of::<simulation::Simulation>(document),
            images::Images::NAME => Self::of::<images::Images>(document),
            _ => {
                let error = Error::config("there is no data of this type");
                let error = error.expected(names.join(", ")).found(kind);
                Err(document.at(&["data", "type"], error))
            }
        }
    }

    fn of<K: Kind>(document: &Document) -> Result<Self> {
        let mut kind: K = document.read(&KEYS, &NOT_OF_KIND)?;
        kind.locate(document);
        let common: Common = document.read(&KEYS, &[])?;
        if !(0.0..1.0).contains(&common.validation) {
            let error = Error::config("invalid share of samples for validation");
            let error = error.expected("0 or more and less than 1").found(common.validation);
            return Err(document.at(&["data", "validation"], error));
        }
        let mut resolved = table(&kind)?;
        resolved.insert("type".into(), K::NAME.into());
        resolved.extend(table(&common)?);
        Ok(Self { resolved, common, source: Box::new(kind) })
    }

    /// What the table says of the samples. Nothing is read.
    pub fn known(&self, document: &Document) -> Result<Known> {
        self.source.known().map_err(|error| document.found_at(&KEYS, error))
    }

    /// Loads the samples.
    pub fn load(&self, loading: &Loading<'_>, seed: u64) -> Result<Data> {
        let Common { validation, shuffle_steps } = self.common;
        let loaded = self.source.load(loading);
        let mut data = loaded.map_err(|error| loading.document.found_at(&KEYS, error))?;
        if validation > 0.0 {
            let rule = split::Rule::Random { seed, share: 1.0 - validation };
            let (train, validation) = split::split(&data.train, rule)?;
            (data.train, data.validation) = (train, Some(validation));
        }
        Ok(if shuffle_steps { data.shuffled(seed) } else { data })
    }
}

/// A configuration as a table.
pub(super) fn table(value: &impl Serialize) -> Result<toml::Table> {
    let table = toml::Table::try_from(value);
    Ok(table.map_err(|error| Error::config(format!("cannot be written as TOML: {error}")))?)
}

/// How many windows a sample consists of, if it is a multiple of the window.
fn steps_of(sample: i64, window: i64) -> Option<usize> {
    let whole = sample > 0 && window > 0 && sample % window == 0;
    whole.then(|| usize::try_from(sample / window).unwrap_or(usize::MAX))
}

/// A path of the file is relative to the folder of that file; one that was set, to the folder in which
/// the program runs.
pub(super) fn located(document: &Document, keys: &[&str], path: &Path) -> PathBuf {
    let path = match document.folder().filter(|_| !document.is_set(keys)) {
        Some(folder) => folder.join(path),
        None => path.to_owned(),
    };
    std::path::absolute(&path).unwrap_or(path)
}
