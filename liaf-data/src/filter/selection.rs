//! Which events of a recording go into an event file.

use serde::Serialize;

use crate::error::Result;
use crate::model::{Crop, EventBatch, SensorSize, TimePoint, Times, check_crop, check_stretch};

/// Which events of a recording are kept, and where they come to lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Only events at this time or later.
    pub from: Option<TimePoint>,
    /// Only events before this time.
    pub to: Option<TimePoint>,
    /// Only events in this rectangle, whose upper left pixel becomes (0, 0).
    pub crop: Option<Crop>,
}

impl Selection {
    /// The size of what is kept of a sensor.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the crop does not lie on the sensor or
    /// the stretch of time ends before it begins.
    pub fn check(&self, sensor: SensorSize) -> Result<SensorSize> {
        check_stretch(self.from, self.to)?;
        let Some(crop) = self.crop else { return Ok(sensor) };
        check_crop(crop, sensor)?;
        Ok(SensorSize::new(crop.w, crop.h))
    }
}

/// Events that a selection does not keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Outside the stretch of time.
    pub out_of_window: u64,
    /// Outside the crop.
    pub out_of_crop: u64,
}

/// Keeps the events of a selection.
pub(crate) struct Chooser {
    selection: Selection,
    times: Option<Times>,
}

impl Chooser {
    pub(crate) fn new(selection: Selection) -> Self {
        Self { selection, times: None }
    }

    /// Drops from `events` what is not kept, and says how many that were.
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
