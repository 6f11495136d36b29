//! The stretches of recordings from which samples are made.

use std::fmt;

use super::Split;
use crate::codec::EventSink;
use crate::convert::check_meets;
use crate::error::Result;
use crate::filter::{Chain, Selection};
use crate::model::{EventBatch, TimePoint};
use crate::read::Recording;

/// A stretch of a recording from which samples are made, in µs on its clock or after its first event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub class: Option<usize>,
    pub split: Option<Split>,
    pub from: Option<TimePoint>,
    pub to: Option<TimePoint>,
}

impl Source {
    /// Its interval of time.
    fn interval(&self) -> Selection {
        Selection { from: self.from, to: self.to, ..Selection::default() }
    }

    /// An error if it is before or after the whole recording.
    ///
    /// # Errors
    /// The same if the recording cannot be read.
    pub fn check_meets(&self, recording: &mut Recording) -> Result<()> {
        check_meets(recording, &self.interval())
    }

    /// The time of its first event, and that of the border between training and test.
    pub fn border(&self, recording: &mut Recording, fraction: f64) -> Result<Option<(i64, i64)>> {
        let sensor = recording.find_sensor()?;
        let mut ends = Ends { chain: Chain::new(&self.interval(), sensor)?, times: None };
        let mut reader = recording.reader()?;
        while reader.pump(&mut ends)? {}
        let Some((first, last)) = ends.times else { return Ok(None) };
        let length = last.abs_diff(first).saturating_add(1);
        Ok(Some((first, first.saturating_add((length as f64 * fraction) as i64))))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (Some(TimePoint::Absolute(from)), Some(TimePoint::Absolute(to))) => {
                write!(f, "{from} to {to} µs")
            }
            (Some(TimePoint::Relative(from)), Some(TimePoint::Relative(to))) => {
                write!(f, "{from} to {to} µs after the first event")
            }
            _ => f.write_str("all of it"),
        }
    }
}

/// Finds the first and the last time of the chosen events.
struct Ends {
    chain: Chain,
    times: Option<(i64, i64)>,
}

impl EventSink for Ends {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.chain.apply(events);
        for &t in events.t() {
            let (first, last) = self.times.unwrap_or((t, t));
            self.times = Some((first.min(t), last.max(t)));
        }
        Ok(())
    }
}
