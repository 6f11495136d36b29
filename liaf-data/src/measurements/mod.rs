//! What cameras send beside events, and the files that hold it.
//!
//! A recording whose chosen stream is not one of events gives [`Measurement`]s
//! ([`Recording::measurements`](crate::Recording::measurements)). [`create`] starts a file of them:
//!
//! | [`MeasurementFile`] | holds |
//! |---|---|
//! | `Csv` | inertial readings or triggers, one a line |
//! | `Png` | images: a folder with a file each, and `frames.csv`, which says when each was taken |
//! | `H5` | images of one size: `/frames` `[N, H, W]` or `[N, H, W, C]`, and a dataset for each of their times |

mod csv;
#[cfg(feature = "hdf5")]
mod h5;
mod png;

use std::path::Path;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::model::{Measurement, StreamKind};
use crate::names::names;

/// A kind of file for measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MeasurementFile {
    /// Text with a line a measurement.
    Csv,
    /// A folder of PNG files.
    Png,
    /// HDF5.
    H5,
}

names!(MeasurementFile, Csv = "csv", Png = "png", H5 = "h5");

impl MeasurementFile {
    /// Refuses a stream of which this cannot hold the measurements.
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
}

/// How measurements are written.
#[derive(Debug, Clone, Copy)]
pub struct MeasurementOptions {
    /// Replace what is there under the name.
    pub overwrite: bool,
    /// Wait until the disk has every byte.
    pub sync: bool,
    /// The largest file.
    pub limits: Limits,
}

impl Default for MeasurementOptions {
    fn default() -> Self {
        Self { overwrite: false, sync: true, limits: Limits::default() }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeasurementsWritten {
    /// Number of measurements.
    pub measurements: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Writes measurements into a file that appears whole under its name or not at all.
///
/// Dropping a writer without [`finish`](Self::finish) leaves nothing behind.
pub trait MeasurementWriter: Send {
    /// Adds the next measurement.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written,
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot hold it.
    fn write(&mut self, measurement: &Measurement) -> Result<()>;

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn finish(self: Box<Self>) -> Result<MeasurementsWritten>;
}

/// Starts a file of measurements of this kind that will be called `path`; `provenance` is a JSON text that
/// says what made it, for files with a place for it, or empty.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot hold them, or exists and is not
/// to be replaced; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) without the feature
/// `hdf5` where it is needed; [`ErrorKind::System`](crate::ErrorKind::System) if the folder cannot be
/// written.
pub fn create(
    path: impl AsRef<Path>,
    file: MeasurementFile,
    kind: StreamKind,
    provenance: &str,
    options: &MeasurementOptions,
) -> Result<Box<dyn MeasurementWriter>> {
    let path = path.as_ref();
    file.check(kind).map_err(|error| error.in_file(path))?;
    Ok(match file {
        MeasurementFile::Csv => Box::new(csv::CsvWriter::create(path, kind, options)?),
        MeasurementFile::Png => Box::new(png::PngFolder::create(path, options)?),
        #[cfg(feature = "hdf5")]
        MeasurementFile::H5 => Box::new(h5::H5Frames::create(path, provenance, options)?),
        #[cfg(not(feature = "hdf5"))]
        MeasurementFile::H5 => {
            let _ = provenance;
            return Err(Error::unsupported("HDF5 is not in this build")
                .advice("write a folder of .png files")
                .hint(crate::hint::Hint::EnableFeature { name: "hdf5".into() })
                .in_file(path));
        }
    })
}

/// Refuses a measurement that is not of the kind that the file was made for.
fn other_kind(measurement: &Measurement) -> Error {
    Error::caller(format!("a sample of {} in a file of others", measurement.kind().name()))
}
