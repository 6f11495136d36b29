//! Event files: events are written as the bytes of a format.
//!
//! A [`Target`] is a kind of event file that can be written. It has the names by which it is
//! selected and its [capabilities](Capabilities); [`create`] starts a file of this kind.
//!
//! There are two ways to write a target. If a format is a stream of bytes, it has an [`Encoder`]: a
//! state machine from events to bytes without a file or path, whose output one common writer stores
//! in a file. If a library writes the file by name, the target has an [`EventWriter`] of its own.
//!
//! ```
//! use liaf_data::write::{self, EventSpec, WriteOptions};
//! use liaf_data::{Event, EventBatch, SensorSize};
//!
//! # fn main() -> liaf_data::Result<()> {
//! # let folder = tempfile::tempdir().expect("folder");
//! # let path = folder.path().join("a.aedat");
//! let target = write::target("aedat2").expect("is written");
//! let spec = EventSpec::new(SensorSize::new(346, 260));
//! let mut writer = write::create(&path, target, &spec, &WriteOptions::default())?;
//! writer.write(&EventBatch::from_iter([Event { t: 10, x: 3, y: 4, p: 1 }]))?;
//! assert_eq!(writer.finish()?.events, 1);
//! # Ok(())
//! # }
//! ```

mod checked;
mod encoded;

use std::path::Path;

use crate::codec::Make;
pub use crate::codec::{
    Capabilities, Compression, Encoder, EventSpec, EventWriter, Output, Target, Violation,
    WriteOptions, Written,
};
use crate::error::{Error, Result};
use crate::io::is_standard_output;
pub use crate::model::EventStats;
use crate::model::SensorSize;
pub use crate::registry::{lacking, target, target_of_path, targets};
use checked::Checked;
use encoded::EncodedFile;

/// Starts an event file that will be named `path`, or standard output if `path` is `-`, as far as
/// [`check_stream`] allows it. An event that the file cannot store is refused when it is written.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the options do not fit the target, if it
/// cannot store what `spec` announces, or if the file exists and must not be replaced;
/// [`ErrorKind::System`](crate::ErrorKind::System) if the folder cannot be written.
pub fn create(
    path: impl AsRef<Path>,
    target: &'static Target,
    spec: &EventSpec,
    options: &WriteOptions,
) -> Result<Box<dyn EventWriter>> {
    let path = path.as_ref();
    if is_standard_output(path) {
        check_stream(target)?;
    }
    let options = checked(target, spec, options).map_err(|error| error.in_file(path))?;
    let writer: Box<dyn EventWriter> = match target.make {
        Make::Encoder(make) => {
            let encoder = make(spec, &options).map_err(|error| error.in_file(path))?;
            Box::new(EncodedFile::create(path, encoder, &options)?)
        }
        Make::Writer(make) => make(path, spec, &options)?,
    };
    Ok(Box::new(Checked::new(path, writer, target, spec.sensor, options.wrap)))
}

/// Returns an error if [`create`] would refuse these options or this specification, whatever the file. Nothing
/// is written.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller), as [`create`].
pub fn check(target: &'static Target, spec: &EventSpec, options: &WriteOptions) -> Result<()> {
    let options = checked(target, spec, options)?;
    match target.make {
        Make::Encoder(make) => make(spec, &options).map(drop),
        Make::Writer(_) => Ok(()),
    }
}

/// The options with the compression that they select, if the target has it and can store the events.
fn checked(
    target: &'static Target,
    spec: &EventSpec,
    options: &WriteOptions,
) -> Result<WriteOptions> {
    let compression = Some(target.compression(options.compression)?);
    if let Some(stats) = &spec.stats {
        target.check(stats, options.wrap)?;
    }
    Ok(WriteOptions { compression, ..*options })
}

/// Returns an error if files of this target cannot be written to standard output, because something
/// before the end of the file is only known at its end.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) that says what that is.
pub fn check_stream(target: &'static Target) -> Result<()> {
    let error = Error::caller(format!("{} cannot be written to standard output", target.title))
        .advice("write a file, or another kind of file, such as csv or aedat2");
    let Make::Encoder(make) = target.make else {
        return Err(error.found("a container, whose parts are not written in order"));
    };
    let options =
        WriteOptions { compression: Some(target.compression(None)?), ..Default::default() };
    match make(&EventSpec::new(SensorSize::new(1, 1)), &options)?.patched() {
        Some(what) => Err(error.found(format!("{what} and is only known at the end"))),
        None => Ok(()),
    }
}

/// The encoder of a target that is a stream of bytes, for writing to a socket or to memory.
///
/// # Errors
/// As [`create`], and if the target is not a stream of bytes.
pub fn encoder(
    target: &'static Target,
    spec: &EventSpec,
    options: &WriteOptions,
) -> Result<Box<dyn Encoder>> {
    let options =
        WriteOptions { compression: Some(target.compression(options.compression)?), ..*options };
    match target.make {
        Make::Encoder(make) => make(spec, &options),
        Make::Writer(_) => {
            Err(Error::caller(format!("{} can only be written to a file", target.title)))
        }
    }
}
