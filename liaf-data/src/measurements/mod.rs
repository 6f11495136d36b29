//! Measurements, which are what cameras record in addition to events, and the files that hold them.
//!
//! If the chosen stream of a recording is not a stream of events, the recording has [`Measurement`]s
//! ([`Recording::measurements`](crate::Recording::measurements)). [`create`] starts a file of
//! measurements:
//! | [`MeasurementFile`] | holds |
//! |---|---|
//! | `Csv` | inertial readings or triggers, one per line |
//! | `Png` | images: a folder with one file per image, and `frames.csv` with the times of the images |
//! | `H5` | images of one size: `/frames` `[N, H, W]` or `[N, H, W, C]`, and a dataset for each of their times |

mod csv;
#[cfg(feature = "hdf5")]
mod h5;
#[cfg(feature = "png")]
mod png;

use std::path::Path;

use crate::error::{Error, Result};
use crate::io::{AtomicFile, is_standard_output};
use crate::limits::Limits;
use crate::model::{Measurement, StreamKind};
use crate::names::names;

/// A kind of file for measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MeasurementFile {
    /// Text with one line per measurement.
    Csv,
    /// A folder of PNG files.
    Png,
    /// HDF5.
    H5,
}

names!(MeasurementFile, Csv = "csv", Png = "png", H5 = "h5");

impl MeasurementFile {
    /// Returns an error if a file of this kind cannot store the measurements of such a stream.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) that names a kind of file that can.
    pub fn check(self, kind: StreamKind) -> Result<()> {
        let fits = match (kind, self) {
            (StreamKind::Imu | StreamKind::Triggers, Self::Csv) => return Ok(()),
            (StreamKind::Frames, Self::Png | Self::H5) => return Ok(()),
            (StreamKind::Imu | StreamKind::Triggers, _) => "a .csv file",
            (StreamKind::Frames, _) => "a folder (of .png files) or an .h5 file",
            (StreamKind::Events | StreamKind::Other, _) => "a stream of frames, imu or triggers",
        };
        Err(Error::caller(format!("{} cannot be stored in a file of this kind", kind.name()))
            .expected(fits)
            .found(self.name()))
    }
}

/// How measurements are written.
#[derive(Debug, Clone, Copy)]
pub struct MeasurementOptions {
    /// Replace an existing file or folder. By default this is refused.
    pub overwrite: bool,
    /// Wait at the end until all bytes are on the disk. This is the default.
    pub sync: bool,
    /// The largest size of a file in bytes.
    pub limits: Limits,
}

impl Default for MeasurementOptions {
    fn default() -> Self {
        Self { overwrite: false, sync: true, limits: Limits::default() }
    }
}

/// A summary of the files that were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeasurementsWritten {
    /// Number of measurements.
    pub measurements: u64,
    /// Size of all files in bytes.
    pub bytes: u64,
}

/// Writes measurements into a file. The file appears under its name when it is complete, or not at all.
///
/// If a writer is dropped without [`finish`](Self::finish), no file remains.
pub trait MeasurementWriter: Send {
    /// Writes the next measurement.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written,
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot store it.
    fn write(&mut self, measurement: &Measurement) -> Result<()>;

    /// Completes the file and gives it its final name.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn finish(self: Box<Self>) -> Result<MeasurementsWritten>;
}

/// Starts a file of measurements of this kind that will be named `path`. `provenance` is a JSON text
/// that says how the file was made, for files that can store it, or empty.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot store such measurements, or
/// exists and must not be replaced; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the
/// kind needs a feature that this build lacks; [`ErrorKind::System`](crate::ErrorKind::System) if the
/// folder cannot be written.
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
        #[cfg(feature = "png")]
        MeasurementFile::Png => Box::new(png::PngFolder::create(path, options)?),
        #[cfg(not(feature = "png"))]
        MeasurementFile::Png => {
            return Err(crate::feature::PNG.missing("write images as PNG").in_file(path));
        }
        #[cfg(feature = "hdf5")]
        MeasurementFile::H5 => Box::new(h5::H5Frames::create(path, provenance, options)?),
        #[cfg(not(feature = "hdf5"))]
        MeasurementFile::H5 => {
            let _ = provenance;
            return Err(Error::unsupported("this build cannot write HDF5")
                .advice("write a folder of .png files")
                .hint(crate::hint::Hint::EnableFeature { name: "hdf5".into() })
                .in_file(path));
        }
    })
}

/// Whether [`create`] could begin, without leaving anything: a file or folder of that name may be replaced,
/// and its place can be written. `-` is standard output, to which a `Csv` can be written.
///
/// # Errors
/// As [`create`].
pub fn check(
    path: impl AsRef<Path>,
    file: MeasurementFile,
    kind: StreamKind,
    overwrite: bool,
) -> Result<()> {
    let path = path.as_ref();
    file.check(kind).map_err(|error| error.in_file(path))?;
    match file {
        #[cfg(feature = "png")]
        MeasurementFile::Png => png::check(path, overwrite),
        MeasurementFile::Csv if is_standard_output(path) => Ok(()),
        _ => AtomicFile::check(path, overwrite),
    }
}

/// The error for a measurement of another kind than the file was started for.
fn other_kind(measurement: &Measurement) -> Error {
    Error::caller(format!(
        "a measurement of the stream {} does not belong in this file",
        measurement.kind().name()
    ))
}
