//! Event files: events to the bytes of a format.
//!
//! A [`Target`] is a kind of event file that can be written. Its row says by which names it is
//! chosen and what it [holds](Holds); [`create`] starts a file of it.
//!
//! There are two ways to write a target. A format of bytes is an [`Encoder`]: a state machine from
//! events to bytes, without file or path, which one writer drives over a file that appears whole or
//! not at all. A container that a library writes by name is an [`EventWriter`] itself.
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
mod encoder;
mod facts;
mod holds;
mod options;
mod target;

use std::path::Path;

#[cfg(test)]
pub(crate) use encoder::bytes_of;
pub use encoder::{Encoder, Output};
pub use facts::Facts;
pub use holds::{Holds, Loss};
pub use options::{Packing, WriteOptions};
pub(crate) use target::Make;
pub use target::{Target, lacking, target, target_of_path, targets};

use crate::{Error, EventBatch, Limits, Result, SensorSize};
use checked::Checked;
use encoder::EncodedFile;

/// What an event file is going to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSpec {
    /// Size of the sensor; every event lies on it.
    pub sensor: SensorSize,
    /// The device that the events came from, if that is known.
    pub source: Option<String>,
    /// One JSON text that says what made the file, for formats with a place for it; or empty.
    pub provenance: String,
    /// What was taken from all times, in µs, for formats with a place for it; `None`: not known.
    pub t_offset: Option<i64>,
    /// What is known of all events before the first one is written.
    pub facts: Option<Facts>,
}

impl EventSpec {
    /// Events of a sensor of which nothing else is known.
    pub fn new(sensor: SensorSize) -> Self {
        Self { sensor, source: None, provenance: String::new(), t_offset: None, facts: None }
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Number of events.
    pub events: u64,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// What a reader of the file should know, in words.
    pub notes: Vec<String>,
}

/// Writes events into a file that appears whole under its name or not at all.
///
/// Dropping a writer without [`finish`](Self::finish) leaves nothing behind. The bytes of the file
/// do not depend on how the events are cut into batches, nor on the number of threads.
pub trait EventWriter: Send {
    /// Adds the next events.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be written,
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file cannot hold one of them.
    fn write(&mut self, events: &EventBatch) -> Result<()>;

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// As [`write`](Self::write); the file of that name, if there was one, is then as it was.
    fn finish(self: Box<Self>) -> Result<Written>;
}

/// Starts an event file that will be called `path`. An event that it cannot hold is refused when
/// it comes.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the options do not fit the target, it cannot
/// hold what `spec` says, or the file exists and is not to be replaced;
/// [`ErrorKind::System`](crate::ErrorKind::System) if the folder cannot be written.
pub fn create(
    path: impl AsRef<Path>,
    target: &'static Target,
    spec: &EventSpec,
    options: &WriteOptions,
) -> Result<Box<dyn EventWriter>> {
    let path = path.as_ref();
    let packing = target.packing(options.packing).map_err(|error| error.in_file(path))?;
    let options = WriteOptions { packing: Some(packing), ..*options };
    if let Some(facts) = &spec.facts {
        target.check(facts, options.wrap).map_err(|error| error.in_file(path))?;
    }
    let writer: Box<dyn EventWriter> = match target.make {
        Make::Encoder(make) => {
            let encoder = make(spec, &options).map_err(|error| error.in_file(path))?;
            Box::new(EncodedFile::create(path, encoder, &options)?)
        }
        Make::Writer(make) => make(path, spec, &options)?,
    };
    Ok(Box::new(Checked::new(path, writer, target, spec.sensor, options.wrap)))
}

/// Refuses a file of `bytes` bytes that is larger than the limits allow.
pub(crate) fn check_size(bytes: u64, limits: &Limits, path: &Path) -> Result<()> {
    if bytes <= limits.output_bytes {
        return Ok(());
    }
    Err(Error::limit("the file becomes too large")
        .expected(format!("at most {} bytes", limits.output_bytes))
        .in_file(path))
}

/// The bytes of a target of bytes, for a socket or for memory.
///
/// # Errors
/// As [`create`], and if the target is no format of bytes.
pub fn encoder(
    target: &'static Target,
    spec: &EventSpec,
    options: &WriteOptions,
) -> Result<Box<dyn Encoder>> {
    let options = WriteOptions { packing: Some(target.packing(options.packing)?), ..*options };
    match target.make {
        Make::Encoder(make) => make(spec, &options),
        Make::Writer(_) => {
            Err(Error::caller(format!("{} can only be written to a file", target.title)))
        }
    }
}
