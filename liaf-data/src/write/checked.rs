//! The checks of events that all writers share.

use std::path::{Path, PathBuf};

use super::{EventWriter, Written};
use crate::codec::Target;
use crate::error::{Error, Result};
use crate::model::{EventBatch, EventStats, SensorSize};

/// A writer that refuses events that its file cannot store, so that no event is changed by storing
/// it.
pub(super) struct Checked {
    path: PathBuf,
    writer: Box<dyn EventWriter>,
    target: &'static Target,
    sensor: SensorSize,
    wrap: bool,
    /// Statistics of the events so far.
    stats: EventStats,
    /// Whether there was an error, so that the contents of the file cannot be trusted.
    broken: bool,
}

impl Checked {
    pub(super) fn new(
        path: &Path,
        writer: Box<dyn EventWriter>,
        target: &'static Target,
        sensor: SensorSize,
        wrap: bool,
    ) -> Self {
        let path = path.to_path_buf();
        Self { path, writer, target, sensor, wrap, stats: EventStats::default(), broken: false }
    }

    fn check(&mut self, events: &EventBatch) -> Result<()> {
        if self.broken {
            return Err(Error::caller("an earlier write failed"));
        }
        if events.is_empty() {
            return Ok(());
        }
        self.stats.add(events);
        self.target.check(&self.stats, self.wrap)?;
        if !self.sensor.contains(self.stats.x_max, self.stats.y_max) {
            return Err(Error::caller("an event is outside the sensor")
                .expected(format!("a pixel of {}", self.sensor))
                .found(format!("x up to {}, y up to {}", self.stats.x_max, self.stats.y_max)));
        }
        Ok(())
    }
}

impl EventWriter for Checked {
    fn write(&mut self, events: &EventBatch) -> Result<()> {
        let checked = self.check(events).map_err(|error| error.in_file(&self.path));
        let written = checked.and_then(|()| self.writer.write(events));
        self.broken = written.is_err();
        written
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        if self.broken {
            return Err(Error::caller("an earlier write failed").in_file(&self.path));
        }
        // Only now is it known whether there were no events at all.
        self.target.check(&self.stats, self.wrap).map_err(|error| error.in_file(&self.path))?;
        self.writer.finish()
    }
}
