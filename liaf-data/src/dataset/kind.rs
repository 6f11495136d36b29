//! The table of data sets.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{ClassFrom, Listing, SourceKind, sets};
use crate::error::{Error, Result};
use crate::names::one_of;

/// All data sets, by name.
pub static DATASETS: &[&DataSet] = &[
    &sets::folder::FOLDER,
    &sets::gesture::DVS_GESTURE,
    &sets::by_class::MNIST_DVS,
    &sets::by_class::CIFAR10_DVS,
    &sets::by_class::N_MNIST,
    &sets::by_class::N_CALTECH101,
    &sets::by_class::N_CARS,
    &sets::by_class::ASL_DVS,
    &sets::prophesee::GEN1,
    &sets::prophesee::ONE_MPX,
    &sets::evimo2::EVIMO2,
    &sets::dsec::DSEC,
    &sets::babi::BABI,
];

/// A data set: a row of [`DATASETS`].
pub struct DataSet {
    /// The name by which users choose it.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// What it consists of.
    pub source: SourceKind,
    /// How its folder looks, a line for each kind of file.
    pub sketch: &'static str,
    /// Finds its recordings in a folder.
    pub find: fn(&Path, &ListOptions) -> Result<Listing>,
}

/// How the recordings of a folder get their classes. A published set uses its own rules, and refuses what
/// does not apply to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListOptions {
    /// Where the class of a recording is written.
    pub class_from: ClassFrom,
    /// A table of labels: a CSV file with the names `file` and `class`, and for parts of recordings two of
    /// start and end: `start` and `end` in µs of the recording's clock, or as durations after its first event such
    /// as `1.5s`; `start_us` and `end_us`; `start_s` and `end_s` in seconds after the first event; `start_frame`
    /// and `end_frame` in frames after it. Ends are not included.
    pub labels: Option<PathBuf>,
    /// The length of a frame in µs, for tables of labels that count frames.
    pub window: Option<i64>,
    /// A part of the set, such as the scale of MNIST-DVS or a task of bAbI.
    pub subset: Option<String>,
}

impl DataSet {
    /// The data set with this name in [`DATASETS`].
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller), with all names, if there is none.
    pub fn named(name: &str) -> Result<&'static Self> {
        DATASETS.iter().copied().find(|known| known.name == name).ok_or_else(|| {
            let names: Vec<_> = DATASETS.iter().map(|known| known.name).collect();
            Error::caller("unknown data set").expected(one_of(&names)).found(format!("{name:?}"))
        })
    }

    /// The recordings of this set in a folder. No recording is opened.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the folder is not that of the set, or if the options
    /// do not apply to it; [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) for a table of labels that
    /// contradicts itself, with its line.
    pub fn list(&self, folder: impl AsRef<Path>, options: &ListOptions) -> Result<Listing> {
        let folder = folder.as_ref();
        let mut listing = (self.find)(folder, options)?;
        listing.source = self.source;
        if listing.recordings.is_empty() {
            return Err(Error::caller(format!(
                "no recording of the data set {} was found",
                self.name
            ))
            .expected(self.sketch.replace('\n', "; "))
            .in_file(folder));
        }
        Ok(listing)
    }
}

impl fmt::Debug for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
