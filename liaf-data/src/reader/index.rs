//! Where in a file a moment of the recording is: places from which decoding can go on, sparse
//! enough to be small, dense enough to be quick.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::places::{Place, earlier, locate, look_back};
use super::stream::StreamReader;
use crate::reader::EventReader;
use crate::{EventBatch, Mark, Result, Sink};

/// Places in a recording by time, made in one pass.
///
/// It holds for recordings whose time steps back as well: of each place it is known how late the
/// events before it are at the latest, and how early those behind it at the earliest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Number of events.
    pub events: u64,
    /// Earliest time of an event in µs; `None` without events.
    pub earliest: Option<i64>,
    /// Latest time of an event in µs.
    pub latest: Option<i64>,
    places: Vec<Place>,
}

impl Index {
    /// Bytes between two places, or as many as a record or packet has, if that is more.
    pub(super) const STRETCH: usize = 512 << 10;
    /// Events between two places at most, where there are places in between: a container may pack many
    /// into few bytes.
    const EVENTS: u64 = 64 << 10;

    /// Goes through the recording once.
    pub(super) fn build(mut reader: StreamReader) -> Result<Self> {
        let mut span = Span::default();
        let mut total = Span::default();
        let mut places: Vec<Place> = Vec::new();
        // Events in front of the last place.
        let mut known_events = 0;
        loop {
            let more = reader.pump(&mut span)?;
            let met = std::mem::take(&mut span);
            if let Some(last) = places.last_mut() {
                last.behind = earlier(last.behind, met.earliest);
            }
            total.add(&met);
            if !more {
                break;
            }
            let known = places.last().map_or(0, |place| place.mark.offset);
            let is_far = |mark: &Mark| {
                mark.offset >= known + Self::STRETCH as u64 / 2
                    || (mark.offset > known && total.events - known_events >= Self::EVENTS)
            };
            if let Some(mark) = reader.body.mark().filter(is_far) {
                known_events = total.events;
                places.push(Place { mark, before: total.latest, behind: None });
            }
        }
        look_back(&mut places);
        let Span { events, earliest, latest } = total;
        Ok(Self { events, earliest, latest, places })
    }

    /// See [`places::locate`](super::places::locate).
    pub(super) fn locate(&self, time: &Range<i64>) -> (Option<Mark>, Option<Mark>) {
        locate(&self.places, time)
    }

    /// Number of places.
    pub fn places(&self) -> usize {
        self.places.len()
    }
}

/// Number and times of some events.
#[derive(Debug, Default)]
struct Span {
    events: u64,
    earliest: Option<i64>,
    latest: Option<i64>,
}

impl Span {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.earliest = earlier(self.earliest, other.earliest);
        self.latest = self.latest.max(other.latest);
    }
}

impl Sink for Span {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        let (earliest, latest) = (events.t.iter().min().copied(), events.t.iter().max().copied());
        self.add(&Self { events: events.len() as u64, earliest, latest });
        Ok(())
    }
}
