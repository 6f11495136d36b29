//! Reading the measurements of a stream that has no events.

use std::collections::VecDeque;

use super::recording::Recording;
use super::stream::EventReader;
use crate::codec::EventSink;
use crate::error::{Error, Result};
use crate::model::{EventBatch, Measurement, RecordingInfo, Report, StreamKind};

/// Number of bytes that are decoded at a time. The measurements decoded from them are kept in
/// memory until they are returned.
pub(super) const STEP: usize = 256 << 10;

/// Reads the measurements of one stream of a recording, in file order: images, readings of inertial
/// sensors, or triggers.
///
/// ```no_run
/// use liaf_data::{ReadOptions, Recording};
/// use liaf_data::model::Measurement;
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
    /// An error that occurred after the measurements that are waiting.
    failed: Option<Error>,
}

/// Measurements that are decoded and have not been returned yet.
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

    /// Decodes the next block of the file and passes its measurements to `sink`, one by one.
    /// Returns whether there may be more.
    ///
    /// # Errors
    /// What is wrong with the file, with its path and a byte offset; errors of the sink.
    pub fn pump(&mut self, sink: &mut dyn EventSink) -> Result<bool> {
        while let Some(measurement) = self.waiting.0.pop_front() {
            sink.measurement(measurement, self.stream.position())?;
        }
        self.stream.pump(sink)
    }

    /// What the recording says about itself.
    pub fn info(&self) -> &RecordingInfo {
        self.stream.info()
    }

    /// The report of everything that was met so far. The decoded measurements are in
    /// [`Report::measurements`].
    pub fn report(&self) -> Report {
        self.stream.report()
    }

    /// Number of bytes of the file that have been decoded.
    pub fn position(&self) -> u64 {
        self.stream.position()
    }
}

/// Measurements before an error in the file are returned first, then the error, then `None`.
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
    /// A reader of the measurements of the chosen stream, from the first one on.
    ///
    /// # Errors
    /// If no stream was chosen, or a stream of events; if the recording is a pipe that was read
    /// already, or cannot be read.
    pub fn measurements(&mut self) -> Result<MeasurementReader> {
        self.check_choice(self.info().stream.is_some())?;
        if self.info().reads_events() {
            let others = self.info().streams.iter();
            let others = others.filter(|stream| stream.kind != StreamKind::Events);
            let names: Vec<_> = others.map(|stream| &*stream.name).collect();
            let error = Error::caller("the chosen stream is a stream of events");
            let error = if names.is_empty() { error } else { error.expected(names.join(", ")) };
            return Err(error.in_file_if_any(self.path()));
        }
        if self.needs_sensor {
            self.find_sensor()?;
        }
        let mut stream = self.begin()?;
        stream.step = stream.step.min(STEP);
        Ok(MeasurementReader::new(stream))
    }
}
