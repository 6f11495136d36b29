//! Where in a file a moment of the recording is: points from which decoding can go on, sparse
//! enough to be small, dense enough to be quick.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::seek_points::{SeekPoint, earlier, locate, look_back};
use super::stream::EventReader;
use crate::codec::Checkpoint;
use crate::error::Result;
use crate::model::TimeSpan;

/// SeekState in a recording by time, made in one pass.
///
/// It holds for recordings whose time steps back as well: of each point it is known how late the
/// events before it are at the latest, and how early those behind it at the earliest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Number of events.
    pub events: u64,
    /// Earliest time of an event in µs; `None` without events.
    pub earliest: Option<i64>,
    /// Latest time of an event in µs.
    pub latest: Option<i64>,
    #[serde(rename = "places")]
    points: Vec<SeekPoint>,
}

impl Index {
    /// Bytes between two points, or as many as a record or packet has, if that is more.
    pub(super) const STRETCH: usize = 512 << 10;
    /// Events between two points at most, where there are points in between: a container may pack many
    /// into few bytes.
    const EVENTS: u64 = 64 << 10;

    /// Goes through the recording once.
    pub(super) fn build(mut reader: EventReader) -> Result<Self> {
        let mut total = TimeSpan::default();
        let mut latest = None;
        let mut points: Vec<SeekPoint> = Vec::new();
        // Events before the last point.
        let mut known_events = 0;
        loop {
            let mut met = TimeSpan::default();
            let more = reader.pump(&mut met)?;
            if met.events > 0 {
                if let Some(last) = points.last_mut() {
                    last.behind = earlier(last.behind, Some(met.t_min));
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
                points.push(SeekPoint { checkpoint, before: latest, behind: None });
            }
        }
        look_back(&mut points);
        let earliest = (total.events > 0).then_some(total.t_min);
        Ok(Self { events: total.events, earliest, latest, points })
    }

    /// See [`points::locate`](super::points::locate).
    pub(super) fn locate(&self, time: &Range<i64>) -> (Option<Checkpoint>, Option<Checkpoint>) {
        locate(&self.points, time)
    }

    /// Number of seek points.
    pub fn seek_points(&self) -> usize {
        self.points.len()
    }
}
