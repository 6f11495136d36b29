//! What the conversions share: passes that tell how far they are, and where things came from.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Value, json};

use super::{OnProgress, Progress};
use crate::{Coords, Error, ErrorKind, EventReader, Recording, Report, Result};

/// One pass over the recording.
pub(super) struct Pass<'a, 'b> {
    pub number: u32,
    pub passes: u32,
    pub progress: &'a mut OnProgress<'b>,
}

impl Pass<'_, '_> {
    pub(super) fn tell(
        &mut self,
        reader: &dyn EventReader,
        events: u64,
        frames: u64,
    ) -> Result<()> {
        let progress = Progress {
            pass: self.number,
            passes: self.passes,
            bytes: reader.position(),
            total: reader.info().bytes,
            events,
            frames,
        };
        match (self.progress)(&progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "stopped")),
        }
    }
}

/// Refuses a recording of which nothing could be used.
pub(super) fn check_something_read(recording: &Recording, report: &Report) -> Result<()> {
    if report.events > 0 || report.bytes.skipped == 0 {
        return Ok(());
    }
    let first = report.oddities.iter().filter(|(oddity, _)| oddity.is_violation());
    let first = first.min_by_key(|(_, tally)| tally.first_offset);
    let error = Error::new(ErrorKind::Malformed, "not one event could be read");
    let error = match first {
        Some((oddity, tally)) => {
            error.at(tally.first_offset.unwrap_or(0)).found(oddity.name().replace('_', " "))
        }
        None => error,
    };
    Err(match recording.path() {
        Some(path) => error.in_file(path),
        None => error,
    })
}

/// What a file says of the recording it was made of: nothing of clock, host, folder or threads.
pub(super) fn source(recording: &Recording) -> Value {
    let info = recording.info();
    let read = recording.options();
    let name = recording.path().and_then(Path::file_name).map(|name| name.to_string_lossy());
    json!({
        "file": name,
        "format": info.format,
        "sensor": info.sensor,
        "sensor_source": info.sensor_source,
        "stream": info.stream,
        "coords": if read.coords == Coords::Raw { "raw" } else { "canonical" },
        "aedat2": read.aedat2,
    })
}
