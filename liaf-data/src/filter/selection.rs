//! Which events of a recording are written to an event file.

use serde::Serialize;

use crate::error::Result;
use crate::model::{Crop, EventBatch, SensorSize, TimePoint, Times, check_crop, check_stretch};

/// Which events of a recording are kept, and how their coordinates change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Keep only events at this time or later.
    pub from: Option<TimePoint>,
    /// Keep only events before this time.
    pub to: Option<TimePoint>,
    /// Keep only events in this rectangle, whose upper left pixel becomes (0, 0).
    pub crop: Option<Crop>,
}

impl Selection {
    /// The size of the part of the sensor that is kept.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the crop is not within the sensor or the
    /// interval of time ends before it begins.
    pub fn check(&self, sensor: SensorSize) -> Result<SensorSize> {
        check_stretch(self.from, self.to)?;
        let Some(crop) = self.crop else { return Ok(sensor) };
        check_crop(crop, sensor)?;
        Ok(SensorSize::new(crop.w, crop.h))
    }
}

/// Number of events that a selection did not keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Events outside the interval of time.
    pub out_of_window: u64,
    /// Events outside the crop.
    pub out_of_crop: u64,
}

/// Filters events by a selection.
pub(crate) struct Chooser {
    selection: Selection,
    times: Option<Times>,
}

impl Chooser {
    pub(crate) fn new(selection: Selection) -> Self {
        Self { selection, times: None }
    }

    /// Removes the events that are not kept from `events`, and returns their number.
    pub(crate) fn choose(&mut self, events: &mut EventBatch) -> Dropped {
        let mut dropped = Dropped::default();
        let Selection { from, to, crop } = self.selection;
        let Some(&first) = events.t.first() else { return dropped };
        let times = *self.times.get_or_insert_with(|| Times::new(from, to, first));
        if from.is_some() || to.is_some() {
            let before = events.len();
            events.retain(|event| event.t >= times.first && event.t <= times.last);
            dropped.out_of_window += (before - events.len()) as u64;
        }
        if let Some(Crop { x, y, w, h }) = crop {
            let before = events.len();
            events.retain(|event| event.x.wrapping_sub(x) < w && event.y.wrapping_sub(y) < h);
            dropped.out_of_crop += (before - events.len()) as u64;
            events.x.iter_mut().for_each(|column| *column = column.wrapping_sub(x));
            events.y.iter_mut().for_each(|row| *row = row.wrapping_sub(y));
        }
        dropped
    }
}
