//! Code shared by the conversions: passes that report their progress, and the origin of the data.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Value, json};

use super::{OnProgress, Progress};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Selection;
use crate::model::{Report, TimePoint};
use crate::read::EventReader;
use crate::read::Recording;

/// One pass over the recording.
pub(super) struct Pass<'a, 'b> {
    pub number: u32,
    pub passes: u32,
    pub progress: &'a mut OnProgress<'b>,
}

impl Pass<'_, '_> {
    pub(super) fn tell(&mut self, reader: &EventReader, events: u64, frames: u64) -> Result<()> {
        self.tell_at(reader.position(), reader.info().bytes, events, frames)
    }

    /// Reports the progress of a pass that does not use an [`EventReader`]: it has read `bytes` of
    /// `total`.
    pub(super) fn tell_at(
        &mut self,
        bytes: u64,
        total: Option<u64>,
        events: u64,
        frames: u64,
    ) -> Result<()> {
        let Self { number: pass, passes, .. } = *self;
        let progress = Progress { pass, passes, bytes, total, events, frames };
        match (self.progress)(&progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "stopped")),
        }
    }
}

/// The requested part of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// What was requested; with times on the recording's clock if the recording can be read again.
    pub selection: Selection,
    /// What was requested, with times as they were given.
    pub asked: Selection,
    is_known: bool,
}

impl Part {
    /// Finds out where the interval of time is, from the first event if the interval is relative to
    /// it.
    pub(crate) fn find(recording: &mut Recording, selection: &Selection) -> Result<Self> {
        let Selection { from, to, .. } = *selection;
        let mut part =
            Self { selection: selection.clone(), asked: selection.clone(), is_known: false };
        if from.is_none() && to.is_none() || !recording.is_seekable() {
            return Ok(part);
        }
        let is_relative = |point| matches!(point, Some(TimePoint::Relative(_)));
        let first = match is_relative(from) || is_relative(to) {
            true => recording.first_time()?,
            false => Some(0),
        };
        let Some(first) = first else { return Ok(part) };
        part.selection.from = from.map(|point| TimePoint::Absolute(point.on_clock(first)));
        part.selection.to = to.map(|point| TimePoint::Absolute(point.on_clock(first)));
        part.is_known = true;
        Ok(part)
    }

    /// A reader of the events of this part, and of as few other events as is quickly possible.
    pub(crate) fn reader(&self, recording: &mut Recording) -> Result<EventReader> {
        let time = |point: Option<TimePoint>, open| match point {
            Some(TimePoint::Absolute(us)) => us,
            _ => open,
        };
        if self.is_known {
            let time = time(self.selection.from, i64::MIN)..time(self.selection.to, i64::MAX);
            if let Some(reader) = recording.part(&time)? {
                return Ok(reader);
            }
        }
        recording.reader()
    }
}

/// Returns an error if nothing in the recording could be used.
pub(crate) fn check_something_read(path: Option<&Path>, report: &Report) -> Result<()> {
    let is_damaged = report.findings.iter().any(|(finding, _)| finding.is_violation());
    let is_lost = report.bytes.skipped > 0 || report.losses() > 0 || is_damaged;
    if report.events > 0 || !is_lost {
        return Ok(());
    }
    if let (Some(first), lost @ 1..) = (&report.first_loss, report.losses()) {
        let error = Error::new(ErrorKind::Malformed, "no event could be read")
            .found(format!("{lost} that are lost, of which the first: {}", first.text));
        let error = match &first.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        };
        return Err(error.in_file_if_any(path));
    }
    let first = report.findings.iter().filter(|(finding, _)| finding.is_violation());
    let first = first.min_by_key(|(_, tally)| tally.first_offset);
    let error = Error::new(ErrorKind::Malformed, "no event could be read");
    let error = match first {
        Some((finding, tally)) => {
            let name = finding.name().replace('_', " ");
            // The first note about damage says what was wrong. One with a hint is about what was assumed.
            let found = match report.notes.iter().find(|note| note.hint.is_none()) {
                Some(note) => format!("{name}: {}", note.text),
                None => name,
            };
            error.at(tally.first_offset.unwrap_or(0)).found(found)
        }
        None => error,
    };
    Err(error.in_file_if_any(path))
}

/// What a file says about the recording that it was made from, without time, host, folder or number
/// of threads.
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
        "coords": read.coords.name(),
        "aedat2": read.aedat.reading,
    })
}
