//! What cameras send beside events, and the files that hold it.
//!
//! A recording whose chosen stream is not one of events gives [`Sample`]s
//! ([`Recording::samples`](crate::Recording::samples)). [`create`] starts a file of them:
//!
//! | [`SampleFile`] | holds |
//! |---|---|
//! | `Csv` | inertial samples or triggers, one a line |
//! | `Png` | images: a folder with a file each, and `frames.csv`, which says when each was taken |
//! | `H5` | images of one size: `/frames` `[N, H, W]` or `[N, H, W, C]`, and a dataset for each of their times |

mod csv;
#[cfg(feature = "hdf5")]
mod h5;
mod png;
mod sample;

use std::path::Path;

pub use sample::{Image, ImuSample, Pixels, Sample, Trigger, TriggerKind};

use crate::reader::StreamKind;
use crate::{Error, Limits, Result};

/// A kind of file for samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFile {
    /// Text with a line a sample.
    Csv,
    /// A folder of PNG files.
    Png,
    /// HDF5.
    H5,
}

impl SampleFile {
    /// Refuses a stream of which this cannot hold the samples.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) with what could.
    pub fn check(self, kind: StreamKind) -> Result<()> {
        let fits = match (kind, self) {
            (StreamKind::Imu | StreamKind::Triggers, Self::Csv) => return Ok(()),
            (StreamKind::Frames, Self::Png | Self::H5) => return Ok(()),
            (StreamKind::Imu | StreamKind::Triggers, _) => "a .csv file",
            (StreamKind::Frames, _) => "a folder (of .png files) or an .h5 file",
            (StreamKind::Events | StreamKind::Other, _) => "a stream of frames, imu or triggers",
        };
        Err(Error::caller(format!("{} do not go into a file of this kind", kind.name()))
            .expected(fits)
            .found(self.name()))
    }

    /// What users write: `csv`, `png`, `h5`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Png => "png",
            Self::H5 => "h5",
        }
    }
}

/// How samples are written.
#[derive(Debug, Clone, Copy)]
pub struct SampleOptions {
    /// Replace what is there under the name.
    pub overwrite: bool,
    /// Wait until the disk has every byte.
    pub sync: bool,
    /// The largest file.
    pub limits: Limits,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self { overwrite: false, sync: true, limits: Limits::default() }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SamplesWritten {
    /// Number of samples.
    pub samples: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Writes samples into a file that appears whole under its name or not at all.
///
/// Dropping a writer without [`finish`](Self::finish) leaves nothing behind.
pub trait SampleWriter: Send {
    /// Adds the next sample.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written,
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot hold it.
    fn write(&mut self, sample: &Sample) -> Result<()>;

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn finish(self: Box<Self>) -> Result<SamplesWritten>;
}

/// Starts a file of samples of this kind that will be called `path`; `provenance` is a JSON text that
/// says what made it, for files with a place for it, or empty.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot hold them, or exists and is not
/// to be replaced; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) without the feature
/// `hdf5` where it is needed; [`ErrorKind::System`](crate::ErrorKind::System) if the folder cannot be
/// written.
pub fn create(
    path: impl AsRef<Path>,
    file: SampleFile,
    kind: StreamKind,
    provenance: &str,
    options: &SampleOptions,
) -> Result<Box<dyn SampleWriter>> {
    let path = path.as_ref();
    file.check(kind).map_err(|error| error.in_file(path))?;
    Ok(match file {
        SampleFile::Csv => Box::new(csv::CsvWriter::create(path, kind, options)?),
        SampleFile::Png => Box::new(png::PngFolder::create(path, options)?),
        #[cfg(feature = "hdf5")]
        SampleFile::H5 => Box::new(h5::H5Frames::create(path, provenance, options)?),
        #[cfg(not(feature = "hdf5"))]
        SampleFile::H5 => {
            let _ = provenance;
            return Err(Error::unsupported("HDF5 is not in this build")
                .advice("build with --features hdf5, or take a folder of .png files")
                .in_file(path));
        }
    })
}

/// Refuses a sample that is not of the kind that the file was made for.
fn other_kind(sample: &Sample) -> Error {
    Error::caller(format!("a sample of {} in a file of others", sample.kind().name()))
}
