//! The recordings of a data set, with their classes and splits.

use std::path::PathBuf;

use serde::Serialize;

use crate::model::{SensorSize, TimePoint};

/// Which part of a data set a sample belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// To train with.
    Train,
    /// To test with.
    Test,
}

impl Split {
    /// `train` or `test`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// A part of a recording that is of one class: `from <= t < to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// The class, as an index of [`Listing::classes`].
    pub class: usize,
    /// Its start.
    pub from: TimePoint,
    /// Its end.
    pub to: TimePoint,
}

/// What is known about the classes of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// Nothing.
    None,
    /// The whole recording is of this class, an index of [`Listing::classes`].
    Class(usize),
    /// Only these parts of it are samples.
    Stretches(Vec<Stretch>),
}

/// What a data set consists of, and with it what tensors are made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceKind {
    /// Recordings of events. Their tensors are `frames` `[N, T, C, H, W]`, with `labels` `[N]` if there are
    /// classes.
    #[default]
    Recordings,
    /// Texts: questions about stories. Their tensors are `story` `[N, L]`, `question` `[N, Q]` and `answer`
    /// `[N]`, indices of a vocabulary, with `lengths` `[N]` of the stories and `question_lengths` `[N]`.
    Texts,
}

/// A recording of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// Its path within the folder of the set, with `/` between names.
    pub name: String,
    /// Its split, if the set defines one.
    pub split: Option<Split>,
    /// Its classes.
    pub labels: Labels,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// The recordings of a data set, found by [`DataSet::list`](super::DataSet::list).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What they are.
    pub source: SourceKind,
    /// The recordings, in the order in which their samples will be written.
    pub recordings: Vec<Entry>,
    /// Names of the classes; a label is an index of this list.
    pub classes: Vec<String>,
    /// Size of the sensor, if the set has one that is published.
    pub sensor: Option<SensorSize>,
    /// What is missing, surplus or known to be faulty.
    pub remarks: Vec<String>,
}

impl Listing {
    /// Number of samples of each class, if every recording or stretch is one sample.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.classes.len()];
        for entry in &self.recordings {
            let classes: Vec<usize> = match &entry.labels {
                Labels::None => Vec::new(),
                Labels::Class(class) => vec![*class],
                Labels::Stretches(all) => all.iter().map(|stretch| stretch.class).collect(),
            };
            for class in classes {
                if let Some(count) = counts.get_mut(class) {
                    *count += 1;
                }
            }
        }
        counts
    }
}
