//! The check between a decoder and whoever takes its events, which is the same for all formats: the
//! border of the sensor, the chosen time, and the order of time. It alone knows what strict reading
//! means for an event.

use std::collections::BTreeMap;
use std::mem;

use crate::codec::EventSink;
use crate::codec::seek::Order;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::{
    Event, EventBatch, Finding, Measurement, MeasurementCount, Note, Report, SensorSize, Times,
};

/// The checks that are the same for all formats: the border of the sensor, and the order of time.
#[derive(Debug, Default)]
pub(super) struct Check {
    /// Events outside this sensor are dropped.
    pub sensor: Option<SensorSize>,
    /// An event outside the sensor is an error.
    pub strict: bool,
    /// Only events of these times are passed on.
    pub slice: Option<Times>,
    /// The recording was assumed to be in order of time: a note is added if it is not.
    pub trusts_order: bool,
    order: Order,
    last_time: Option<i64>,
    /// Number of events so far, including those outside the sensor.
    decoded: u64,
    pub report: Report,
}

/// A sink that receives only checked events.
pub(super) struct Checked<'a> {
    pub check: &'a mut Check,
    pub stream: &'a mut Option<i32>,
    pub checks: &'a mut BTreeMap<i32, Check>,
    pub sink: &'a mut dyn EventSink,
}

impl Check {
    pub(super) fn new(sensor: Option<SensorSize>, strict: bool) -> Self {
        Self { sensor, strict, ..Self::default() }
    }

    /// The same checks for a stream whose sensor is not known.
    fn of_other_stream(&self) -> Self {
        Self { slice: self.slice, ..Self::new(None, self.strict) }
    }

    /// Drops the events outside the sensor. In strict mode, the first of them is returned as an
    /// error, and `events` keeps the events before it.
    fn drop_outside(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        let Some(sensor) = self.sensor else { return Ok(()) };
        let (x_max, y_max) = events.extent();
        if sensor.contains(x_max, y_max) {
            return Ok(());
        }
        let before = events.len();
        let outside = |event: &Event| !sensor.contains(event.x, event.y);
        let Some(first) = events.iter().position(|event| outside(&event)) else { return Ok(()) };
        let number = self.decoded + first as u64;
        let is_first_loss = self.report.first_loss.is_none();
        if let Some(event) = events.get(first).filter(|_| self.strict || is_first_loss) {
            let error = Error::malformed(format!("event {number} lies outside the sensor"))
                .expected(format!("a pixel of {sensor}"))
                .found(format!("x {}, y {}", event.x, event.y))
                .hint(Hint::StateSensor);
            if self.strict {
                events.truncate(first);
                return Err(error.at_event(first, offset));
            }
            self.report.lose(&error);
        }
        events.retain(|event| !outside(&event));
        self.report.add_event(Finding::OutOfSensor, (before - events.len()) as u64, number);
        Ok(())
    }

    /// Checks whether time steps back so far that the part that was read may not have all the
    /// events.
    fn watch_order(&mut self, events: &EventBatch) {
        let order = &mut self.order;
        if !events.t.iter().fold(true, |held, &t| order.holds(t) & held) {
            let note = Note::new(
                "times step back far here, so events of the wanted time may also be elsewhere in the \
                 file",
            );
            self.report.note(note.hint(Hint::BuildIndex));
        }
    }

    fn drop_out_of_slice(&mut self, events: &mut EventBatch) {
        let Some(slice) = &self.slice else { return };
        let dropped = slice.choose(events);
        self.report.add_event(Finding::OutOfSlice, dropped, self.decoded);
    }

    /// Counts the events that are earlier than the event before them.
    fn count_backward(&mut self, events: &EventBatch) {
        let (Some(&first), Some(&last)) = (events.t.first(), events.t.last()) else { return };
        let at_start = self.last_time.is_some_and(|before| first < before);
        let inside = events.steps_back();
        self.last_time = Some(last);
        if inside == 0 && !at_start {
            return;
        }
        let is_back = |pair: &[i64]| pair[1] < pair[0];
        let within = || events.t.windows(2).position(is_back).map_or(0, |i| i + 1);
        let number = self.report.events + if at_start { 0 } else { within() as u64 };
        let count = inside + u64::from(at_start);
        self.report.add_event(Finding::BackwardTimes, count, number);
    }
}

impl EventSink for Checked<'_> {
    fn stream(&mut self, stream: i32) {
        if *self.stream != Some(stream) {
            let next = self.checks.remove(&stream).unwrap_or_else(|| self.check.of_other_stream());
            let before = mem::replace(self.check, next);
            if let Some(id) = self.stream.replace(stream) {
                self.checks.insert(id, before);
            }
            self.sink.stream(stream);
        }
    }

    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        let decoded = events.len() as u64;
        if self.check.trusts_order {
            self.check.watch_order(events);
        }
        let is_inside = self.check.drop_outside(events, offset);
        self.check.drop_out_of_slice(events);
        self.check.count_backward(events);
        self.check.decoded += decoded;
        self.check.report.events += events.len() as u64;
        if !events.is_empty() {
            self.sink.events(events, offset)?;
        }
        is_inside
    }

    fn measurement(&mut self, measurement: Measurement, offset: u64) -> Result<()> {
        let t = measurement.t();
        let measurements = MeasurementCount { count: 1, t_first: t, t_last: t };
        self.check.report.add_measurements(measurement.kind().name(), measurements);
        self.sink.measurement(measurement, offset)
    }
}
