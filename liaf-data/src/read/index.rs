//! The index of a recording by time: seek points that are few enough to keep the index small, and
//! close enough together to make seeking fast.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::seek_points::{SeekPoint, earlier, locate, look_back};
use super::stream::EventReader;
use crate::codec::{Body, Checkpoint};
use crate::error::Result;
use crate::model::TimeSpan;

/// The seek points of a recording, with the times around them. It is built in one pass.
///
/// The index is also correct for recordings whose time steps back: for each seek point it knows the
/// latest time of all events before it, and the earliest time of all events after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Number of events.
    pub events: u64,
    /// Earliest time of an event in µs; `None` if there are no events.
    pub earliest: Option<i64>,
    /// Latest time of an event in µs; `None` if there are no events.
    pub latest: Option<i64>,
    #[serde(rename = "places")]
    points: Vec<SeekPoint>,
}

impl Index {
    /// Distance between two seek points in bytes, or the size of a record or packet if that is
    /// larger.
    pub(super) const STRETCH: usize = 512 << 10;
    /// Largest number of events between two seek points, if there are checkpoints in between. It
    /// matters for containers, which may compress many events into few bytes.
    const EVENTS: u64 = 64 << 10;

    /// Builds the index in one pass over the recording.
    pub(super) fn build(mut reader: EventReader) -> Result<Self> {
        if let Body::Blocks(reader) = &mut reader.body {
            reader.take_small_steps();
        }
        let mut total = TimeSpan::default();
        let mut latest = None;
        let mut points: Vec<SeekPoint> = Vec::new();
        // Number of events before the last seek point.
        let mut known_events = 0;
        loop {
            let mut met = TimeSpan::default();
            let more = reader.pump(&mut met)?;
            if met.events > 0 {
                if let Some(last) = points.last_mut() {
                    last.after = earlier(last.after, Some(met.t_min));
                }
                latest = latest.max(Some(met.t_max));
                total.add(&met);
            }
            if !more {
                break;
            }
            let known = points.last().map_or(0, |point| point.checkpoint.offset);
            let is_far = |checkpoint: &Checkpoint| {
                checkpoint.offset >= known + Self::STRETCH as u64 / 2
                    || (checkpoint.offset > known && total.events - known_events >= Self::EVENTS)
            };
            if let Some(checkpoint) = reader.body.checkpoint().filter(is_far) {
                known_events = total.events;
                points.push(SeekPoint { checkpoint, before: latest, after: None });
            }
        }
        look_back(&mut points);
        let earliest = (total.events > 0).then_some(total.t_min);
        Ok(Self { events: total.events, earliest, latest, points })
    }

    /// See [`locate`].
    pub(super) fn locate(&self, time: &Range<i64>) -> (Option<Checkpoint>, Option<Checkpoint>) {
        locate(&self.points, time)
    }

    /// Number of seek points.
    pub fn seek_points(&self) -> usize {
        self.points.len()
    }
}
