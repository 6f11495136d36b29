//! The measurements of a stream that is not of events.

use std::collections::VecDeque;

use super::recording::Recording;
use super::stream::EventReader;
use crate::codec::EventSink;
use crate::error::{Error, Result};
use crate::model::{EventBatch, Measurement, RecordingInfo, Report, StreamKind};

/// Bytes that are decoded at one time: what is decoded of them waits in memory.
pub(super) const STEP: usize = 256 << 10;

/// Gives the measurements of one stream of a recording, in file order: images, inertial readings or
/// triggers.
///
/// ```no_run
/// use liaf_data::{ReadOptions, Recording, Measurement};
///
/// # fn main() -> liaf_data::Result<()> {
/// let options = ReadOptions { stream: Some("imu".parse().unwrap()), ..ReadOptions::default() };
/// let mut recording = Recording::open("recording.aedat4", options)?;
/// for measurement in recording.measurements()? {
///     if let Measurement::Imu(imu) = measurement? {
///         println!("{} µs: {:?} g", imu.t, imu.accelerometer);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct MeasurementReader {
    stream: EventReader,
    waiting: Waiting,
    /// What went wrong behind the measurements that wait.
    failed: Option<Error>,
}

/// MeasurementCount that are decoded and not given out yet.
#[derive(Default)]
struct Waiting(VecDeque<Measurement>);

impl EventSink for Waiting {
    fn events(&mut self, _events: &mut EventBatch, _offset: u64) -> Result<()> {
        Ok(())
    }

    fn measurement(&mut self, measurement: Measurement, _offset: u64) -> Result<()> {
        self.0.push_back(measurement);
        Ok(())
    }
}

impl MeasurementReader {
    pub(super) fn new(stream: EventReader) -> Self {
        Self { stream, waiting: Waiting::default(), failed: None }
    }

    /// Decodes the next stretch of the file into `sink`, measurement by measurement. Returns whether there may
    /// be more.
    ///
    /// # Errors
    /// What is wrong with the file, with its path and a byte offset, and what the sink returns.
    pub fn pump(&mut self, sink: &mut dyn EventSink) -> Result<bool> {
        while let Some(measurement) = self.waiting.0.pop_front() {
            sink.measurement(measurement, self.stream.position())?;
        }
        self.stream.pump(sink)
    }

    /// What the recording says of itself.
    pub fn info(&self) -> &RecordingInfo {
        self.stream.info()
    }

    /// What was met so far. The measurements that were decoded are in [`Report::measurements`].
    pub fn report(&self) -> Report {
        self.stream.report()
    }

    /// Bytes of the file that are behind the reader.
    pub fn position(&self) -> u64 {
        self.stream.position()
    }
}

/// MeasurementCount in front of what is wrong with the file come first, then the error, then the end.
impl Iterator for MeasurementReader {
    type Item = Result<Measurement>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(measurement) = self.waiting.0.pop_front() {
                return Some(Ok(measurement));
            }
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            match self.stream.pump(&mut self.waiting) {
                Ok(false) if self.waiting.0.is_empty() => return None,
                Ok(_) => {}
                Err(error) => self.failed = Some(error),
            }
        }
    }
}

impl Recording {
    /// The measurements of the chosen stream, from the first on.
    ///
    /// # Errors
    /// If none was chosen, or one of events; if the recording is a pipe that was read already, or cannot
    /// be read.
    pub fn measurements(&mut self) -> Result<MeasurementReader> {
        self.check_choice(self.info().stream.is_some())?;
        if self.info().reads_events() {
            let others = self.info().streams.iter();
            let others = others.filter(|stream| stream.kind != StreamKind::Events);
            let names: Vec<_> = others.map(|stream| &*stream.name).collect();
            let error = Error::caller("the chosen stream is one of events");
            let error = if names.is_empty() { error } else { error.expected(names.join(", ")) };
            return Err(match self.path() {
                Some(path) => error.in_file(path),
                None => error,
            });
        }
        if self.needs_sensor {
            self.find_sensor()?;
        }
        let mut stream = self.begin()?;
        stream.step = stream.step.min(STEP);
        Ok(MeasurementReader::new(stream))
    }
}
