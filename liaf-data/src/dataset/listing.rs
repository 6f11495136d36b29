//! The recordings of a data set, with their classes and splits.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{SensorSize, TimePoint};

/// Which part of a data set a sample belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// To train with.
    Train,
    /// To validate with while training.
    Val,
    /// To test with.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// `train`, `val` or `test`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }

    /// The split with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }

    /// The number of the column of a split, or of none, in [`ClassRow::samples`](super::ClassRow::samples).
    pub(super) fn column(split: Option<Self>) -> usize {
        split.map_or(0, |split| split as usize + 1)
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
    /// Objects in it are in boxes.
    Boxes(BoxFile),
}

/// A file of boxes around the objects of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct BoxFile {
    /// The file.
    #[serde(skip)]
    pub path: PathBuf,
    /// The times of its boxes in µs on the clock of the recording, in order and each once.
    #[serde(skip)]
    pub times: Vec<i64>,
    /// Number of boxes of each class.
    #[serde(skip)]
    pub counts: Vec<u64>,
    /// xxh64 of its boxes.
    pub hash: u64,
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
    /// Whether objects are in boxes, of which the classes are.
    pub fn has_boxes(&self) -> bool {
        self.recordings.iter().any(|entry| matches!(entry.labels, Labels::Boxes(_)))
    }

    /// Number of samples of each class, if every recording or stretch is one sample; where objects are in
    /// boxes, number of boxes.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.classes.len()];
        for entry in &self.recordings {
            if let Labels::Boxes(file) = &entry.labels {
                for (count, more) in counts.iter_mut().zip(&file.counts) {
                    *count += more;
                }
            }
            let classes: Vec<usize> = match &entry.labels {
                Labels::None | Labels::Boxes(_) => Vec::new(),
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
